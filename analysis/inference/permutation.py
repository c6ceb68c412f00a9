"""The randomization test of the paper: relabel participants jointly over all levels and count what is as extreme.

"A null distribution of 'no difference between groups' at that bin was constructed by randomly switching participants'
group memberships" (appendix, Psychophysics methods). Here every relabelling keeps the sizes of the groups, ties count
as extreme, they are exact because scores are integers on a common scale, and p = (b + 1) / (m + 1).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..resampling.counting import Counts, Engine, count_extreme
from ..resampling.multiplicity import Cluster, benjamini_hochberg, holm
from ..table.columns import Columns

Alternative = Literal["two-sided", "greater", "less"]
SIDED: dict[str, int] = {"two-sided": 0, "greater": 1, "less": -1}


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
        Over all relabellings; NaN where there is none, and a note says why.
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
        What each participant contributes, from :mod:`rapidvision.analysis.table.statistics`; participants in a fixed order.
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
        Also compute the exact p, where the statistic is a mean of participants.
    joint : bool
        Also compute max-T and cluster mass.
    alpha : float
        Level at which notes warn.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same. ``auto`` compiles where the work is worth its start.

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
    if exact:
        p_exact = exact_p_values(columns, first, alternative, strata=strata)
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
        notes=(
            *columns.notes(first),
            *_without_exact(columns, p_exact, blank, wanted=exact),
            *forewarnings(n_first, n - n_first, m=m, alpha=alpha),
        ),
    )


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
    columns: Columns,
    first: "NDArray[np.bool_]",
    alternative: Alternative,
    *,
    strata: NDArray[np.int64] | None = None,
    fast: bool = False,
) -> NDArray[np.float64]:
    """Exact p per level, by compiled loops on every core when `fast`; NaN where it cannot be had.

    It exists for means of participants, whose sums can be tabled; within strata too.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not (columns.is_mean and columns.few_sums):
        return np.full(columns.n_levels, np.nan)
    levels = range(columns.n_levels)
    one = _exact_at(columns, first, alternative, strata, fast=fast)
    if not fast:
        return np.array([one(level) for level in levels])
    with ThreadPoolExecutor() as threads:
        return np.array(list(threads.map(one, levels)))


def _exact_at(
    columns: Columns,
    first: "NDArray[np.bool_]",
    alternative: Alternative,
    strata: NDArray[np.int64] | None,
    *,
    fast: bool,
) -> Callable[[int], float]:
    """Return the function from level to exact p."""
    from ..resampling.critical_values import twice_the_limit
    from ..resampling.exact import exact_p
    from ..resampling.stratified import exact_p_within

    limit = twice_the_limit(columns, first) if strata is not None else None

    def one(level: int) -> float:
        scores, present = columns.sums[:, level], columns.present[:, level]
        greater = less = math.nan
        if strata is None:
            greater, less = exact_p(scores, present, first, fast=fast)
        elif limit is not None:
            greater, less = exact_p_within(scores, present, first, strata, limit[level])
        # numpy's minimum keeps NaN, which min(1, NaN) would turn into 1
        both = float(np.minimum(1.0, 2 * np.minimum(greater, less)))
        return {"greater": greater, "less": less, "two-sided": both}[alternative]

    return one


def _without_exact(
    columns: Columns, p_exact: NDArray[np.float64], blank: "NDArray[np.bool_]", *, wanted: bool
) -> tuple[str, ...]:
    """Say why an exact p is missing."""
    missing = int(np.count_nonzero(np.isnan(p_exact) & ~blank))
    if not wanted or not missing:
        return ()
    if not columns.is_mean:
        return (
            f"no exact p: {columns.name} is no mean over participants, so only Monte Carlo counts its relabellings",
        )
    why = "times finer than a millisecond, or relabellings that empty a group within strata"
    return (f"no exact p at {missing} levels: their sums are too many to be tabled ({why}); Monte Carlo counts them",)


def forewarnings(n_first: int, n_second: int, *, m: int = N_RELABELLINGS, alpha: float = 0.05) -> tuple[str, ...]:
    """What can be known to go wrong before anything is computed.

    Parameters
    ----------
    n_first, n_second : int
        Sizes of the groups.
    m : int
        Relabellings.
    alpha : float
        Level of the test.

    Examples
    --------
    >>> forewarnings(2, 2)
    ('groups of 2 and 2 can never reach p <= 0.05: the smallest p is 0.167',)
    """
    smallest = 1 / math.comb(n_first + n_second, n_first)
    notes = []
    if smallest > alpha:
        notes.append(
            f"groups of {n_first} and {n_second} can never reach p <= {alpha:g}: the smallest p is {smallest:.3g}"
        )
    if m < 20 / alpha:
        notes.append(f"{m} relabellings are few for alpha = {alpha:g}; use at least {round(20 / alpha)}")
    if min(n_first, n_second) == 1:
        notes.append("a group of one has no standard error")
    return tuple(notes)
