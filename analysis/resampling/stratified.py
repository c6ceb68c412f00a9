"""Exact p of the randomization test within strata: every relabelling that keeps each stratum's sizes, counted.

Strata are relabelled independently, so the distribution of the first group's sum (and of how many of its members have
a score) is the convolution of the strata's small ones.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .exact import MOST_ADDITIONS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def exact_p_within(
    scores: Ints,
    present: "NDArray[np.bool_]",
    first: "NDArray[np.bool_]",
    strata: Ints,
    limit: Ints,
    *,
    most_additions: float = MOST_ADDITIONS,
) -> tuple[float, float]:
    """P(difference ≥ observed) and P(difference ≤ observed) over all relabellings within strata, at one level.

    Parameters
    ----------
    scores : ndarray of int64, shape (n,)
        On a common integer scale; ignored where not present.
    present, first : ndarray of bool, shape (n,)
        Who has a score, and who is in the first group.
    strata : ndarray of int, shape (n,)
        Who is relabelled with whom.
    limit : ndarray of int64, shape (most + 1,)
        Twice the sum from which a relabelling is extreme, per number of members who have a score; from
        :func:`~rapidvision.analysis.resampling.critical_values.twice_the_limit`.
    most_additions : float
        Work above which there is no exact p.

    Returns
    -------
    greater, less : float
        NaN when the sums are too many to be tabled.

    Examples
    --------
    Three pairs, the better of each in the first group: one relabelling of eight is as extreme.

    >>> scores, first = np.array([3, 1, 5, 2, 2, 0]), np.array([True, False] * 3)
    >>> exact_p_within(scores, np.ones(6, bool), first, np.array([0, 0, 1, 1, 2, 2]), np.full(7, 20))
    (0.125, 1.0)
    """
    x = np.where(present, scores, 0)
    step = max(math.gcd(*(int(value) for value in x)), 1)
    x = x // step
    parts = [_one(x[rows], present[rows], int(first[rows].sum())) for rows in _members(strata)]
    width, depth, additions = 1, 1, 0
    for table, _, _ in parts:
        width, depth = width + table.shape[1] - 1, depth + table.shape[0] - 1
        additions += int(np.count_nonzero(table)) * width * depth
    if additions > most_additions:
        return math.nan, math.nan
    share, lowest, least = np.ones((1, 1)), 0, 0
    for table, c0, s0 in parts:
        wider = np.zeros((share.shape[0] + table.shape[0] - 1, share.shape[1] + table.shape[1] - 1))
        for c, s in zip(*np.nonzero(table), strict=True):
            wider[c : c + share.shape[0], s : s + share.shape[1]] += table[c, s] * share
        share, lowest, least = wider, lowest + c0, least + s0
    twice = 2 * step * (least + np.arange(share.shape[1]))
    here = limit[lowest : lowest + len(share), None]
    # summed from the small end, so that small tails keep their digits
    greater = float(np.where(twice >= here, share, 0.0)[:, ::-1].sum())
    less = float(np.where(twice <= here, share, 0.0).sum())
    return min(greater, 1.0), min(less, 1.0)


def _members(strata: Ints) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(strata == name) for name in np.unique(strata)]


def _one(x: Ints, present: "NDArray[np.bool_]", n_first: int) -> tuple[Floats, int, int]:
    """Probability of (members with a score, their sum) in one stratum, with the smallest of both as offsets."""
    values, absent = x[present], int((~present).sum())
    low, high = max(0, n_first - absent), min(n_first, len(values))
    ways = np.zeros((high + 1, int(np.sort(values)[::-1][:high].sum()) + 1))
    ways[0, 0] = 1.0
    for value in values.tolist():
        for c in range(high, 0, -1):
            ways[c, value:] += ways[c - 1, : ways.shape[1] - value]
    for c in range(high + 1):
        ways[c] *= math.comb(absent, n_first - c) if c >= low else 0
    reached = np.flatnonzero(ways[low:].any(axis=0))
    table = ways[low:, reached[0] : reached[-1] + 1] / math.comb(len(x), n_first)
    return table, low, int(reached[0])
