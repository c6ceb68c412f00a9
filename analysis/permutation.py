"""The randomization test of the paper: relabel participants jointly over all levels and count what is as extreme.

"A null distribution of 'no difference between groups' at that bin was constructed by randomly switching participants'
group memberships" (appendix, Psychophysics methods). Here every relabelling keeps the sizes of the groups, ties count
as extreme, they are exact because scores are integers on a common scale, and p = (b + 1) / (m + 1).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from .labels import BLOCK, Words, as_matrix, label_block, stream_key
from .multiplicity import Cluster, Joint, benjamini_hochberg, holm
from .statistics import Columns

Alternative = Literal["two-sided", "greater", "less"]
Engine = Literal["auto", "numpy", "numba"]
#: Entries of the label matrix made at a time; more would leave the cache.
LABELS_AT_A_TIME = 1 << 19
#: Fewer relabellings than this are counted sooner by numpy than a compiled loop starts.
FEWEST_COMPILED = 1_000_000
SIDED: dict[str, int] = {"two-sided": 0, "greater": 1, "less": -1}
#: Standardised difference that opens a cluster: the one-sided .05 point, or the two-sided one.
CLUSTER_THRESHOLD = {0: 1.959963984540054, 1: 1.6448536269514722, -1: 1.6448536269514722}


class Counts(NamedTuple):
    """How many relabellings were at least, and at most, as large as observed, per level."""

    at_least: NDArray[np.int64]
    at_most: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RandomizationTest:
    """Result of :func:`randomization_test`; arrays have one entry per level.

    Attributes
    ----------
    difference : ndarray
        Observed difference, first group minus second; NaN where a group has no data.
    p : ndarray
        (b + 1) / (m + 1), two-sided or in the named direction.
    p_low, p_high : ndarray
        95 % Clopper-Pearson interval of p for the finite number of relabellings.
    p_exact : ndarray
        Over all relabellings; NaN where it was not computed.
    p_holm, p_bh, p_max_t, p_step_down : ndarray
        Corrected for the number of levels. Holm and BH start from the exact p where every level has one.
    clusters : tuple of Cluster
        Runs of levels with their family-wise p.
    n_first, n_second, m, seed : int
        Sizes of the groups, relabellings, and the seed that they follow from.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group scores higher.
    statistic : str
        What was compared.
    smallest_p : float
        No relabelling test of these groups can go below it: 1 / C(n, n_first).
    notes : tuple of str
        What the reader should know before believing a number.
    """

    difference: NDArray[np.float64]
    p: NDArray[np.float64]
    p_low: NDArray[np.float64]
    p_high: NDArray[np.float64]
    p_exact: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    p_bh: NDArray[np.float64]
    p_max_t: NDArray[np.float64]
    p_step_down: NDArray[np.float64]
    clusters: tuple[Cluster, ...]
    n_first: int
    n_second: int
    m: int
    seed: int
    alternative: Alternative
    statistic: str
    smallest_p: float
    notes: tuple[str, ...] = field(default=())


def randomization_test(
    columns: Columns,
    first: "NDArray[np.bool_]",
    *,
    m: int = N_RELABELLINGS,
    seed: int | None = None,
    alternative: Alternative = "two-sided",
    strata: NDArray[np.int64] | None = None,
    exact: bool = True,
    joint: bool = True,
    alpha: float = 0.05,
    engine: Engine = "auto",
) -> RandomizationTest:
    """Test the difference between two groups at every level.

    Parameters
    ----------
    columns : Columns
        What each participant contributes, from :mod:`rapidvision.analysis.statistics`; participants in a fixed order.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    m : int
        Relabellings; 10,000 in the paper.
    seed : int, optional
        Drawn and stored in the result when absent.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group's value is larger. Two-sided p is twice the smaller tail.
    strata : ndarray of int, shape (n,), optional
        Relabel within these only (for example counterbalancing lists).
    exact : bool
        Also compute the exact p where the statistic is a mean of participants.
    joint : bool
        Also compute max-T and cluster mass.
    alpha : float
        Level at which notes warn.
    engine : {"auto", "numpy", "numba"}
        Who counts when `joint` is off; the numbers are the same. ``auto`` compiles from a million relabellings on.

    Returns
    -------
    RandomizationTest
        With the seed and everything else that made it.

    Raises
    ------
    InputError
        When a group is empty or an argument is not allowed.
    """
    if alternative not in SIDED:
        raise InputError(f'alternative: got "{alternative}". {did_you_mean(alternative, SIDED)}')
    if m < 1:
        raise InputError(f"relabellings: got {m}, at least 1 is needed")
    n, n_first = len(first), int(first.sum())
    if n_first in (0, n):
        raise InputError(f"groups: sizes {n_first} and {n - n_first}; both need at least one participant")
    seed = fresh_seed() if seed is None else seed
    counts, standard = count_extreme(
        columns, first, m=m, seed=seed, strata=strata, sided=SIDED[alternative], joint=joint, engine=engine
    )
    observed = columns.difference(first)
    p, low, high = p_values(counts, m, alternative)
    blank = ~np.isfinite(observed)
    p[blank] = low[blank] = high[blank] = np.nan
    p_exact = np.full(len(p), np.nan)
    if exact and strata is None and columns.is_mean and columns.few_sums:
        p_exact = exact_p_values(columns, first, alternative)
    start = p_exact if np.isfinite(p_exact[~blank]).all() else p
    return RandomizationTest(
        difference=observed,
        p=p,
        p_low=low,
        p_high=high,
        p_exact=p_exact,
        p_holm=holm(start),
        p_bh=benjamini_hochberg(start),
        p_max_t=standard.p_single_step() if standard else np.full(len(p), np.nan),
        p_step_down=standard.p_step_down() if standard else np.full(len(p), np.nan),
        clusters=standard.clusters() if standard else (),
        n_first=n_first,
        n_second=n - n_first,
        m=m,
        seed=seed,
        alternative=alternative,
        statistic=columns.name,
        smallest_p=1 / math.comb(n, n_first),
        notes=_notes(columns, first, m=m, alpha=alpha),
    )


def count_extreme(
    columns: Columns,
    first: "NDArray[np.bool_]",
    *,
    m: int,
    seed: int,
    strata: NDArray[np.int64] | None = None,
    sided: int = 0,
    joint: bool = False,
    engine: Engine = "auto",
) -> tuple[Counts, Joint | None]:
    """Count relabellings block by block; memory does not grow with `m`, and nothing depends on who works on what."""
    keys = _strata_keys(first, strata, seed)
    if not joint and strata is None and columns.is_complete_mean and engine != "numpy":
        from . import kernels

        if engine == "numba" or (m >= FEWEST_COMPILED and kernels.can_count(columns.sums)):
            return Counts(*kernels.count_sums(columns.sums, first, key=keys[0].key, m=m)), None
    matrix, dtype = columns.matrix(_padded(keys))
    observed_sums = columns.sums_of(first)
    observed = columns.compared(observed_sums[None])[0]
    slack = columns.slack
    at_least = np.zeros(len(observed), dtype=np.int64)
    at_most = np.zeros(len(observed), dtype=np.int64)
    standard, scale = None, None
    chunk = max(64, min(BLOCK, LABELS_AT_A_TIME // len(matrix)))
    labels = np.empty((chunk, len(matrix)), dtype=dtype)
    sums = np.empty((chunk, matrix.shape[1]), dtype=dtype)
    for words, rows in _chunks(keys, m, chunk):
        _fill_labels(labels[:rows], keys, words)
        np.matmul(labels[:rows], matrix, out=sums[:rows])
        values = columns.compared(sums[:rows].reshape(rows, *observed_sums.shape))
        # a relabelling that empties a group is NaN: it is below and above nothing, so it counts as extreme
        at_least += rows - np.count_nonzero(values < observed - slack, axis=0)
        at_most += rows - np.count_nonzero(values > observed + slack, axis=0)
        if joint:
            if scale is None:
                scale = columns.standard(values, first)
                standard = Joint(
                    np.asarray(scale(observed), dtype=float), sided=sided, cluster_threshold=CLUSTER_THRESHOLD[sided]
                )
            assert standard is not None
            standard.add(scale(values))
    return Counts(at_least, at_most), standard


def p_values(
    counts: Counts, m: int, alternative: Alternative
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return p = (b + 1) / (m + 1) with its 95 % Clopper-Pearson interval; two-sided p is twice the smaller tail.

    Examples
    --------
    >>> p, low, high = p_values(Counts(np.array([4]), np.array([96])), 99, "greater")
    >>> float(p[0]), float(low[0].round(4)), float(high[0].round(4))
    (0.05, 0.0111, 0.1002)
    """
    from scipy.special import betaincinv

    b = {
        "greater": counts.at_least,
        "less": counts.at_most,
        "two-sided": np.minimum(counts.at_least, counts.at_most),
    }[alternative]
    times = 2 if alternative == "two-sided" else 1
    with np.errstate(invalid="ignore"):
        low = np.where(b > 0, betaincinv(np.maximum(b, 1), m - b + 1, 0.025), 0.0)
        high = np.where(b < m, betaincinv(b + 1, np.maximum(m - b, 1), 0.975), 1.0)
    return tuple(np.minimum(times * value, 1.0) for value in ((b + 1) / (m + 1), low, high))  # type: ignore[return-value]


def exact_p_values(
    columns: Columns, first: "NDArray[np.bool_]", alternative: Alternative, *, fast: bool = False
) -> NDArray[np.float64]:
    """Exact p per level, by compiled loops when `fast`; NaN where it cannot be had."""
    from .exact import exact_p

    out = np.full(columns.n_levels, np.nan)
    for level in range(columns.n_levels):
        greater, less = exact_p(columns.sums[:, level], columns.present[:, level], first, fast=fast)
        out[level] = {"greater": greater, "less": less, "two-sided": min(1.0, 2 * min(greater, less))}[alternative]
    return out


class _Stratum(NamedTuple):
    key: int
    rows: NDArray[np.intp]
    n_first: int


def _strata_keys(first: "NDArray[np.bool_]", strata: NDArray[np.int64] | None, seed: int) -> list[_Stratum]:
    if strata is None:
        return [_Stratum(stream_key(seed, "relabel"), np.arange(len(first)), int(first.sum()))]
    return [
        _Stratum(stream_key(seed, "relabel", int(name)), rows, int(first[rows].sum()))
        for name in np.unique(strata)
        for rows in [np.flatnonzero(strata == name)]
    ]


def _padded(keys: list[_Stratum]) -> NDArray[np.intp]:
    """Participant of each column of the label matrix, -1 for the padding at the end of a stratum's last word."""
    parts = []
    for stratum in keys:
        place = np.full(-(-len(stratum.rows) // 64) * 64, -1, dtype=np.intp)
        place[: len(stratum.rows)] = stratum.rows
        parts.append(place)
    return np.concatenate(parts)


def _chunks(keys: list[_Stratum], m: int, chunk: int) -> Iterator[tuple[list[Words | None], int]]:
    """Relabellings a chunk at a time: words of each stratum (None for one that cannot be relabelled), and how many."""
    for block in range(-(-m // BLOCK)):
        words = [
            None if n_first in (0, len(rows)) else label_block(key, block, len(rows), n_first)
            for key, rows, n_first in keys
        ]
        rows_here = min(BLOCK, m - block * BLOCK)
        for start in range(0, rows_here, chunk):
            end = min(start + chunk, rows_here)
            yield [None if part is None else part[:, start:end] for part in words], end - start


def _fill_labels(labels: NDArray[np.floating[Any]], keys: list[_Stratum], words: list[Words | None]) -> None:
    """Write one chunk of relabellings, stratum beside stratum; a stratum of one group only stays as it is."""
    if len(keys) == 1 and words[0] is not None:
        as_matrix(words[0], labels)
        return
    start = 0
    for (_, rows, n_first), part in zip(keys, words, strict=True):
        end = start + -(-len(rows) // 64) * 64
        labels[:, start:end] = n_first > 0 if part is None else as_matrix(part, dtype=labels.dtype.type)
        start = end


def _notes(columns: Columns, first: "NDArray[np.bool_]", *, m: int, alpha: float) -> tuple[str, ...]:
    n, n_first = len(first), int(first.sum())
    smallest = 1 / math.comb(n, n_first)
    notes = list(columns.notes(first))
    if smallest > alpha:
        notes.append(
            f"groups of {n_first} and {n - n_first} can never reach p <= {alpha:g}: the smallest p is {smallest:.3g}"
        )
    if m < 20 / alpha:
        notes.append(f"{m} relabellings are few for alpha = {alpha:g}; use at least {round(20 / alpha)}")
    if min(n_first, n - n_first) == 1:
        notes.append("a group of one has no standard error")
    return tuple(notes)
