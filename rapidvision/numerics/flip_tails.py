"""Exact tails of the sign-flip test: every flip counted, none drawn.

With d the differences, a flipped sum is at least the observed one exactly where the flipped part sums to 0 or less.
Adding the sizes of the negative differences to both sides leaves a choice among positive sizes: of all ways to choose
some of the sizes ``|d|``, each with chance one half, count those whose sum is at most N, the sum of the negative ones.

Two algorithms count them. Small sums are tabled: the distribution of each half of the sizes is built up size by size,
and the halves are joined through a running sum. Few sizes are enumerated: the sums of all subsets of each half are
sorted and met in the middle. Whichever is less work is taken.

Beyond both, the sizes are rounded to a coarse grid whose sums can be tabled. Each size's rounding error is known
exactly, so a true sum lies between its grid sum less the errors downwards and plus those upwards, and two look-ups in
one table bound each tail from below and above. The upper bound is a valid p.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .wholes import Wholes

Floats = NDArray[np.float64]

#: Additions above which there is no exact p: some tenths of a second, which the columns of a test share.
MOST_WORK = 150_000_000
#: Sums of a grid that bounds are read from: under a tenth of a second for a hundred units.
MOST_GRID = 2_000_000
#: Bounds are read from a grid only if its rounding errors are below this share of the spread of its sums.
_LARGEST_ERROR = 0.01
#: Largest sum that 64-bit numbers enumerate.
_MOST_SUM = 2**61


class FlipTails(NamedTuple):
    """Both tails over all flips, and the lower bound of each: the same number where every flip was counted exactly.

    Attributes
    ----------
    greater, less : float
        P(flipped sum ≥ observed) and P(flipped sum ≤ observed), or their upper bounds.
    greater_low, less_low : float
        Lower bounds.
    """

    greater: float
    less: float
    greater_low: float
    less_low: float


def flip_tails(whole: Wholes, *, most_work: float = MOST_WORK) -> FlipTails | None:
    """P(flipped sum ≥ observed) and P(flipped sum ≤ observed) over all flips, or bounds of them.

    Parameters
    ----------
    whole : Wholes
        The differences. Where they are on a grid, sums within its slack are equal.
    most_work : float
        Additions above which nothing is counted.

    Returns
    -------
    FlipTails or None
        Each tail at least 2**-n; bounds where both ways to count are too much work; None where even the coarse grid is.

    Examples
    --------
    Fisher's reading of Darwin's maize: 1,726 of 32,768 flips are as extreme, half of them above.

    >>> maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    >>> round(flip_tails(Wholes(maize, 0)).greater * 2**15)
    863
    """
    sizes = sorted((abs(value) for value in whole.numbers if value), reverse=True)
    negative = sum(-value for value in whole.numbers if value < 0)
    if not sizes:
        return FlipTails(1.0, 1.0, 1.0, 1.0)
    total = sum(sizes)
    tabled = len(sizes) * total // 4 if whole.exact else math.inf
    met = 6 * len(sizes) * 2 ** ((len(sizes) + 1) // 2) if total < _MOST_SUM else math.inf
    if min(tabled, met) > most_work:
        return _bounded(sizes, negative, whole.slack, most_work)
    greater, less = _tabled(sizes, negative) if tabled <= met else _met(sizes, negative, whole.slack)
    return FlipTails(greater, less, greater, less)


def _bounded(sizes: list[int], limit: int, slack: int, most_work: float) -> FlipTails | None:
    """Bounds from a table of sizes rounded to a grid of step total / most; sums within `slack` count as equal."""
    total = sum(sizes)
    most = min(MOST_GRID, int(4 * most_work / len(sizes)))
    if len(sizes) ** 1.5 > 4 * _LARGEST_ERROR * most:
        return None
    grid = [(2 * size * most + total) // (2 * total) for size in sizes]
    # rounding errors in units of total / most / total, which are whole numbers
    errors = [size * most - total * steps for size, steps in zip(sizes, grid, strict=True)]
    up, down = sum(e for e in errors if e > 0), -sum(e for e in errors if e < 0)
    at_most, at_least = (limit + slack) * most, (limit - slack) * most
    halves = _distribution(grid[::2]), _distribution(grid[1::2])
    greater, _ = _joined(*halves, (at_most + down) // total)
    greater_low, _ = _joined(*halves, (limit * most - up) // total)
    _, less = _joined(*halves, -((up - at_least) // total))
    _, less_low = _joined(*halves, -((-limit * most - down) // total))
    smallest = 0.5 ** len(sizes)  # the observed flip itself
    return FlipTails(max(greater, smallest), max(less, smallest), max(greater_low, smallest), max(less_low, smallest))


def _tabled(sizes: list[int], limit: int) -> tuple[float, float]:
    """Share of the choices whose sum is at most, and at least, `limit`, from tables of both halves."""
    return _joined(_distribution(sizes[::2]), _distribution(sizes[1::2]), limit)


def _joined(one: Floats, two: Floats, limit: int) -> tuple[float, float]:
    """The same from the distributions of two halves."""
    # summed from the outside, so that small tails keep their digits
    below = np.concatenate([[0.0], np.cumsum(two)])
    above = np.concatenate([np.cumsum(two[::-1])[::-1], [0.0]])
    left = limit - np.arange(len(one))
    at_most = float(one @ below[np.clip(left + 1, 0, len(two))])
    at_least = float(one @ above[np.clip(left, 0, len(two))])
    return min(at_most, 1.0), min(at_least, 1.0)


def _distribution(sizes: list[int]) -> Floats:
    """Distribution of the sum of the chosen sizes, shape (largest sum + 1,)."""
    share, top = np.zeros(sum(sizes) + 1), 0
    share[0] = 1.0
    for size in reversed(sizes):  # the smallest first: the table grows late
        share[: top + 1] *= 0.5
        share[size : top + size + 1] += share[: top + 1].copy()
        top += size
    return share


def _met(sizes: list[int], limit: int, slack: int) -> tuple[float, float]:
    """The same by the sorted sums of all subsets of both halves."""
    one, two = (np.sort(_subset_sums(half)) for half in (sizes[::2], sizes[1::2]))
    at_most = int(np.searchsorted(two, limit + slack - one[::-1], side="right").sum())
    at_least = len(one) * len(two) - int(np.searchsorted(two, limit - slack - one[::-1], side="left").sum())
    return at_most / 2 ** len(sizes), at_least / 2 ** len(sizes)


def _subset_sums(sizes: list[int]) -> NDArray[Any]:
    sums = np.zeros(1, dtype=np.int64)
    for size in sizes:
        sums = np.concatenate([sums, sums + size])
    return sums
