"""The randomization test of the paper: relabel participants jointly over all levels and count what is as extreme.

"A null distribution of 'no difference between groups' at that bin was constructed by randomly switching participants'
group memberships" (appendix, Psychophysics methods). Here every relabelling keeps the sizes of the groups, ties count
as extreme (scores are integers on a common scale, or sums that differ by a billionth are equal), and
p = (b + 1) / (n_resamples + 1). The test keeps its level where participants are exchangeable: equal means with unequal
spread are not. There the difference is studentized (:mod:`~rapidvision.analysis.inference.pooled_spread`); the plain
difference of the paper, on demand, is told by a warning.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.compiled import Engine
from rapidvision.numerics.resampling import SIDED, Alternative, p_values
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import ShownAsTable

from ..resampling.counting import count_extreme
from ..resampling.multiplicity import Cluster, Joint, benjamini_hochberg, holm
from ..table.columns import Columns
from .cautions import forewarnings, hopeless_corrections, spread_warning
from .exact_p import exact_p_values, without_exact
from .scores import columns_of_scores
from .spread_counts import TwoWay, count_spread, of_columns
from .spread_rule import Spread, chosen_spread, one_level_warning, pooled_note


@dataclass(frozen=True, eq=False, repr=False)
class RandomizationTest(ShownAsTable):
    """Result of :func:`randomization_test`; arrays have one entry per level.

    Attributes
    ----------
    difference : ndarray of float64, shape (levels,)
        Observed difference, first group minus second; NaN where a group has no data.
    p : ndarray of float64, shape (levels,)
        (b + 1) / (n_resamples + 1), two-sided or in the named direction.
    p_low, p_high : ndarray of float64, shape (levels,)
        95 % Clopper-Pearson interval of p for the finite number of relabellings.
    p_exact : ndarray of float64, shape (levels,)
        Over all relabellings; NaN where there is none, and a note says why.
    p_holm, p_bh, p_max_t, p_step_down : ndarray of float64, shape (levels,)
        Corrected for the number of levels. Holm and BH start from :attr:`p_best`, max-T from the relabellings.
    clusters : tuple of Cluster
        Runs of levels with their family-wise p.
    n_first, n_second, n_resamples, seed : int
        Sizes of the groups, relabellings, and the seed that they follow from.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group scores higher.
    statistic : str
        What was compared.
    smallest_p : float
        No relabelling test of these groups can go below it: 1 / C(n, n_first).
    notes : tuple of str
        What the reader should know before using a number.
    labels : tuple of str
        Names of the levels.
    spread : {"raw", "pooled"}
        What was relabelled: the difference, or the studentized one.
    g : ndarray of float64, shape (levels,)
        The studentized difference, corrected for skewness; NaN where the plain difference was relabelled.

    Examples
    --------
    >>> import rapidvision as rv
    >>> scores = [[0.9, 1.0], [0.8, 1.0], [0.4, 0.9], [0.3, 1.0]]
    >>> found = rv.analysis.randomization_test(scores, [True, True, False, False], n_resamples=99, seed=1)
    >>> found.n_first, found.difference.shape, round(found.smallest_p, 3)
    (2, (2,), 0.167)
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
    n_resamples: int
    seed: int
    alternative: Alternative
    statistic: str
    smallest_p: float
    notes: tuple[str, ...] = field(default=())
    labels: tuple[str, ...] = ()
    spread: Literal["raw", "pooled"] = "raw"
    g: NDArray[np.float64] = field(default_factory=lambda: np.full(0, np.nan))

    def to_frame(self) -> pd.DataFrame:
        """One row per level: the difference and every p."""
        names = self.labels or tuple(str(number) for number in range(len(self.p)))
        found = ("difference", "p", "p_low", "p_high", "p_exact", "p_holm", "p_bh", "p_max_t", "p_step_down")
        return pd.DataFrame({"level": names, **{name: getattr(self, name) for name in found}, "spread": self.spread})

    @property
    def p_best(self) -> NDArray[np.float64]:
        """The exact p of each level where there is one, else the Monte-Carlo p; not corrected."""
        return np.where(np.isfinite(self.p_exact), self.p_exact, self.p)


def randomization_test(
    scores: Columns | ArrayLike | pd.DataFrame,
    first: ArrayLike,
    *,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    alternative: Alternative = "two-sided",
    strata: NDArray[np.int64] | None = None,
    spread: Spread = "auto",
    exact: bool = True,
    joint: bool = True,
    alpha: float = 0.05,
    engine: Engine = "auto",
) -> RandomizationTest:
    """Test the difference between two groups at every level, with the paper's joint relabelling of participants.

    :func:`~rapidvision.analysis.level_tests` does the same from a trials table; this function takes any scores.

    Parameters
    ----------
    scores : array_like or DataFrame, shape (n,) or (n, levels)
        One row per participant, NaN where there is no score; the columns of a data frame name the levels. Means over
        participants are compared. Also :class:`~rapidvision.analysis.table.columns.Columns`, for other statistics.
    first : array_like of bool, shape (n,)
        Who is in the first group.
    n_resamples : int
        Relabellings; 10,000 in the paper.
    seed : int, optional
        Drawn and stored in the result when absent.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group's value is larger. Two-sided p is twice the smaller tail.
    strata : ndarray of int, shape (n,), optional
        Relabel within these only (for example counterbalancing lists).
    spread : {"auto", "pooled", "raw"}
        ``raw``: the difference itself, as in the paper. ``pooled``: the difference over its standard error, from one
        spread per group pooled over the levels, with Hall's term for skewness; for means of participants. ``auto``:
        pooled where the groups' spreads differ (F test, p up to .05) or, for shares, where one group is more than 1.25
        times as large as the other at a level; a note says which and why.
    exact : bool
        Also compute the exact p, where the statistic is a mean of participants; of studentized differences, where
        all relabellings can be enumerated.
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

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.randomization_test([[0.9, 1.0], [0.8, 1.0], [0.4, 0.9], [0.3, 1.0]], [True, True, False, False], seed=1)
    >>> found.difference.round(2).tolist(), found.p_exact.round(3).tolist()
    ([0.5, 0.05], [0.333, 1.0])
    """
    columns = scores if isinstance(scores, Columns) else columns_of_scores(scores)
    first = np.asarray(first)
    if first.dtype != bool or first.shape != (len(columns.parts),):
        raise InputError(
            f"first: type {first.dtype} and shape {first.shape}; one True or False for each of {len(columns.parts)} participants is needed"
        )
    if alternative not in SIDED:
        raise InputError(f'alternative: got "{alternative}". {did_you_mean(alternative, SIDED)}')
    if n_resamples < 1:
        raise InputError(f"relabellings: got {n_resamples}, at least 1 is needed")
    n, n_first = len(first), int(first.sum())
    if n_first in (0, n):
        raise InputError(f"groups: sizes {n_first} and {n - n_first}; both need at least one participant")
    seed = fresh_seed() if seed is None else seed
    kind, why = chosen_spread(columns, first, spread)
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed, "strata": strata, "sided": SIDED[alternative]}
    standard: Joint | TwoWay | None
    if kind == "pooled":
        counts, standard = count_spread(columns, first, engine=engine, **how)
        studied = of_columns(columns, first)
        told = (pooled_note(columns, why, studied.phi), *one_level_warning(columns, first))
        g = studied.g
    else:
        counts, standard = count_extreme(columns, first, joint=joint, engine=engine, **how)
        told, g = spread_warning(columns, first), np.full(columns.n_levels, np.nan)
        told = tuple(f"{one}. Spread pooled does not assume it" for one in told) if columns.is_mean else told
    observed = columns.difference(first)
    p, low, high = p_values(counts, n_resamples, alternative)
    blank = ~np.isfinite(observed)
    p[blank] = low[blank] = high[blank] = np.nan
    p_exact = np.full(len(p), np.nan)
    if exact:
        p_exact = exact_p_values(columns, first, alternative, strata=strata, studentized=kind == "pooled")
        p_exact[blank] = np.nan
    start = np.where(np.isfinite(p_exact), p_exact, p)
    joint_p = [standard.p_single_step(), standard.p_step_down()] if standard else [np.full(len(p), np.nan)] * 2
    if standard:  # a level at which all scores are equal has no statistic, and nothing to reject
        joint_p = [np.where(np.isnan(one) & ~blank, 1.0, one) for one in joint_p]
    return RandomizationTest(
        difference=observed,
        p=p,
        p_low=low,
        p_high=high,
        p_exact=p_exact,
        p_holm=holm(start),
        p_bh=benjamini_hochberg(start),
        p_max_t=joint_p[0],
        p_step_down=joint_p[1],
        clusters=standard.clusters() if standard else (),
        n_first=n_first,
        n_second=n - n_first,
        n_resamples=n_resamples,
        seed=seed,
        alternative=alternative,
        statistic=columns.name,
        labels=columns.labels,
        spread=kind,
        g=g,
        smallest_p=1 / math.comb(n, n_first),
        notes=(
            *told,
            *columns.notes(first),
            *without_exact(
                columns, p_exact, blank, wanted=exact, within=strata is not None, studentized=kind == "pooled"
            ),
            *forewarnings(n_first, n - n_first, n_resamples=n_resamples, alpha=alpha),
            *hopeless_corrections(
                int(np.count_nonzero(~blank)),
                n_first,
                n - n_first,
                n_resamples=n_resamples,
                alpha=alpha,
                alternative=alternative,
                exact=bool(np.isfinite(p_exact).any()),
            ),
        ),
    )
