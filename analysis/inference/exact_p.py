"""Exact p of every level: over all relabellings, by tables of sums."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import OTHER_WAY, Alternative, sided_p

from ..relabelling.canonical_order import canonical
from ..table.columns import Columns
from .spread_counts import exact_spread


def exact_p_values(
    columns: Columns,
    first: "NDArray[np.bool_]",
    alternative: Alternative,
    *,
    strata: NDArray[np.int64] | None = None,
    fast: bool = False,
    studentized: bool = False,
) -> NDArray[np.float64]:
    """Exact p per level, by compiled loops on every core when `fast`; NaN where it cannot be had.

    It exists for means of participants, whose sums can be tabled, within strata too; of the studentized difference
    where all relabellings are few enough to enumerate.
    """
    from concurrent.futures import ThreadPoolExecutor

    if studentized:
        tails = exact_spread(columns, first) if strata is None else None
        if tails is None:
            return np.full(columns.n_levels, np.nan)
        return np.array([sided_p(float(up), float(down), alternative) for up, down in zip(*tails, strict=True)])
    if not (columns.is_mean and columns.few_sums):
        return np.full(columns.n_levels, np.nan)
    columns, first, strata, turned = canonical(columns, first, strata)
    levels = range(columns.n_levels)
    counted = _exact_at(columns, first, OTHER_WAY[alternative] if turned else alternative, strata, fast=fast)

    def one(level: int) -> float:
        return counted(level) if columns.exact[level] else math.nan

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
    from ..resampling.exact import MOST_ADDITIONS, exact_p
    from ..resampling.stratified import exact_p_within

    limit = twice_the_limit(columns, first) if strata is not None else None

    def one(level: int) -> float:
        scores, present = columns.sums[:, level], columns.present[:, level]
        greater = less = math.nan
        if strata is None:
            greater, less = exact_p(scores, present, first, fast=fast, most_additions=MOST_ADDITIONS / columns.n_levels)
        elif limit is not None:
            greater, less = exact_p_within(
                scores, present, first, strata, limit[level], most_additions=MOST_ADDITIONS / columns.n_levels
            )
        return sided_p(greater, less, alternative)

    return one


def without_exact(
    columns: Columns,
    p_exact: NDArray[np.float64],
    blank: "NDArray[np.bool_]",
    *,
    wanted: bool,
    within: bool,
    studentized: bool = False,
) -> tuple[str, ...]:
    """Say why an exact p is missing."""
    missing = np.isnan(p_exact) & ~blank
    if not wanted or not missing.any():
        return ()
    if studentized:
        if np.isfinite(p_exact).any():  # a level where all scores are equal
            return ()
        why = (
            "no exact p: studentized differences are counted by enumeration, and these relabellings are too many; Monte "
            "Carlo counts them, and Holm and BH start from its p"
        )
        return (why,)
    if not columns.is_mean:
        return (
            f"no exact p: {columns.name} is no mean over participants, so only Monte Carlo counts its relabellings",
        )
    if not columns.few_sums:
        return ("no exact p: times finer than half a millisecond have too many sums to table; Monte Carlo counts them",)
    where = ", ".join(columns.label(level) for level in np.flatnonzero(missing).tolist())
    if within:
        why = "a relabelling within strata may leave a group without data, or the sums are too many to table"
    else:
        why = (
            f"participants' trial counts differ, and over their common denominator the sums of {len(columns.parts)} "
            "participants are too many to table"
        )
    return (f"no exact p at level {where}: {why}; Monte Carlo counts the relabellings",)
