"""The verbs of the analysis as functions: the same names on the command line, in scripts and in notebooks."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import Shown, ShownAsTable

from .inference.above_chance import ChanceTest, chance_test
from .inference.permutation import RandomizationTest, randomization_test
from .resampling.multiplicity import CORRECTIONS, Correction
from .table.accuracy import Cells, Curve, Level, cells, curve_of
from .table.first_lines import LateRule, tested
from .table.statistics import columns_of
from .table.trials import Trials, TrialsSource, as_trials

if TYPE_CHECKING:
    from .fits.thresholds import GroupFit, ThresholdTest


@dataclass(frozen=True, eq=False, repr=False)
class LevelTests(ShownAsTable):
    """Both groups at every level, and the test of their difference.

    Attributes
    ----------
    groups : (str, str)
        First minus second is tested.
    levels : tuple of Level
        In order.
    curves : (Curve, Curve)
        Value of the statistic, its standard error and number of participants: mean and S.E.M. of participants, or what
        is pooled within the group with its jackknife error.
    test : RandomizationTest
        Every p.
    correction : str
        Which p the stars show; where it starts from single levels, from their exact p if there is one.
    late : {"exclude", "wrong", "half"}
        What late answers count as.
    cells : Cells
        Counts per participant and level, on which the test is based.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, alternative="greater", n_resamples=999, seed=1)
    >>> found.groups, found.p.shape, len(found.to_frame())
    (('clickme', 'salicon'), (12,), 12)
    """

    groups: tuple[str, str]
    levels: tuple[Level, ...]
    curves: tuple[Curve, Curve]
    test: RandomizationTest
    correction: Correction
    late: LateRule
    cells: Cells

    @property
    def p(self) -> NDArray[np.float64]:
        """Corrected p per level, as chosen."""
        return np.asarray(getattr(self.test, CORRECTIONS[self.correction][0]))

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts, and what difference and p are."""
        return (*self.cells.notes, tested(self.groups, self.test.alternative, n_resamples=self.test.n_resamples))

    def to_frame(self) -> pd.DataFrame:
        """One row per level: both curves, the difference and every p."""
        a, b = self.groups
        first, second = self.curves
        return pd.DataFrame(
            {
                "level": [level.label for level in self.levels],
                f"{a}": first.mean,
                f"{a} sem": first.sem,
                f"{a} n": first.n,
                f"{b}": second.mean,
                f"{b} sem": second.sem,
                f"{b} n": second.n,
                "difference": self.test.difference,
                "p": self.test.p,
                "p_low": self.test.p_low,
                "p_high": self.test.p_high,
                "p_exact": self.test.p_exact,
                "p_holm": self.test.p_holm,
                "p_bh": self.test.p_bh,
                "p_max_t": self.test.p_max_t,
                "p_step_down": self.test.p_step_down,
            }
        )


def level_tests(
    trials: TrialsSource,
    *,
    groups: tuple[str, str] | None = None,
    statistic: str = "participant_mean",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    by_slot: bool = False,
    exact: bool = True,
) -> LevelTests:
    """Compare two groups at every reveal level by randomization tests (paper, appendix "Psychophysics methods").

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    groups : (str, str), optional
        First minus second; alphabetical when there are exactly two.
    statistic : str
        What is compared: ``participant_mean`` (accuracy), ``pooled``, ``dprime``, ``criterion``, ``response_ms``,
        ``late_share``, or a plug-in.
    late : {"exclude", "wrong", "half"}
        What late, early and missing answers count as: left out, errors, half correct.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group scores higher.
    correction : {"step-down", "max-t", "holm", "bh", "none"}
        Which p the stars show; every one is in the table. ``holm``, ``bh`` and ``none`` take the exact p of a level where
        there is one.
    n_resamples : int
        Relabellings.
    seed : int, optional
        Their seed; drawn when absent, and part of the result.
    by_slot : bool
        Relabel only among participants who had the same plan; refused where the table has no plans (slots).
    exact : bool
        Also the exact p.

    Returns
    -------
    LevelTests
        Shown as a table by notebooks; :meth:`LevelTests.to_frame` has a row per level.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, groups=("clickme", "salicon"), alternative="greater", seed=1)
    >>> len(found.levels), bool((found.p < 0.05).any())
    (12, True)
    """
    if correction not in CORRECTIONS:
        raise InputError(f'correction: got "{correction}". {did_you_mean(correction, CORRECTIONS)}')
    trials = as_trials(trials)
    columns, table = columns_of(trials, statistic, late=late)
    pair = table.pair(groups)
    members = np.isin(table.groups, pair)
    chosen = replace(columns.rows(members), labels=tuple(level.label for level in table.levels))
    first = table.groups[members] == pair[0]
    strata = _slots(trials, table)[members] if by_slot else None
    test = randomization_test(
        chosen, first, n_resamples=n_resamples, seed=seed, alternative=alternative, strata=strata, exact=exact
    )
    curves = tuple(columns.curve(table.of(group)) for group in pair)
    return LevelTests(pair, table.levels, (curves[0], curves[1]), test, correction, late, table)


def _slots(trials: Trials, table: Cells) -> NDArray[np.int64]:
    people = trials.people()
    if (unknown := people["slot"].isna()).any():
        raise InputError(
            f"by_slot: {trials.name} does not say which plan {people.loc[unknown, 'participant_id'].nunique()} of its "
            "participants followed (slot is empty); relabel without slots, or import a column (--field slot=COLUMN)"
        )
    slot_of = dict(zip(people["participant_id"], people["slot"], strict=True))
    return np.array([slot_of[name] for name in table.participants], dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class CurveFits(Shown):
    """Psychometric functions of both groups.

    Attributes
    ----------
    groups : (str, str)
        First minus second.
    fits : (GroupFit, GroupFit)
        With intervals.
    test : ThresholdTest
        Of the difference of the thresholds.
    drawing : Drawing
        Data and curves.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=8).simulate(seed=1)
    >>> found = rv.analysis.fit_psychometric(trials, n_resamples=99, n_bootstrap=20, seed=1)
    >>> found.to_frame()["group"].tolist()
    ['clickme', 'salicon']
    """

    groups: tuple[str, str]
    fits: "tuple[GroupFit, GroupFit]"
    test: "ThresholdTest"
    drawing: Any
    notes: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Warnings: few participants, groups whose spreads differ, or thresholds outside the levels."""
        return tuple(dict.fromkeys([*self.test.notes, *self.fits[0].notes, *self.fits[1].notes]))

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per group: parameters, intervals, goodness of fit."""
        return pd.DataFrame(
            [
                {
                    "group": one.group,
                    "threshold_percent": one.percent,
                    "threshold_low": one.percent_interval[0],
                    "threshold_high": one.percent_interval[1],
                    "slope": float(one.fit.slope[0]),
                    "lapse": float(one.fit.lapse[0]),
                    "deviance": one.deviance,
                    "p_deviance": one.p_deviance,
                }
                for one in self.fits
            ]
        )

    def _repr_png_(self) -> bytes:
        return bytes(self.drawing.to_bytes("png", dpi=150))


def fit_psychometric(
    trials: TrialsSource,
    *,
    groups: tuple[str, str] | None = None,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    n_bootstrap: int = 2000,
    seed: int | None = None,
    guess: float | None = None,
) -> CurveFits:
    """Fit psychometric functions and test the difference of the thresholds.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    groups : (str, str), optional
        First minus second; alphabetical when there are exactly two.
    late : {"exclude", "wrong", "half"}
        What late, early and missing answers count as: left out, errors, half correct.
    n_resamples : int
        Relabellings of the test of the thresholds.
    seed : int, optional
        Of relabellings and bootstrap; drawn when absent, and part of the result.
    n_bootstrap : int
        Resamples of participants for the intervals.
    guess : float, optional
        Share of answers that guessing gets right, from 0 to below 1; must be stated where the table does not show it
        (:mod:`~rapidvision.analysis.table.guess_rate`).

    Returns
    -------
    CurveFits
        Notebooks show the figure; :meth:`CurveFits.to_frame` has a row per group, thresholds in per cent.

    Raises
    ------
    InputError
        When the guess rate is unknown, levels have no per cent, or fewer than three have trials.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.fit_psychometric(trials, n_resamples=200, n_bootstrap=50, seed=1).to_frame().set_index("group")
    >>> bool(found.loc["clickme", "threshold_percent"] < found.loc["salicon", "threshold_percent"])
    True
    """
    from .figures.plots import draw_fits
    from .fits.psychometric import axis_of
    from .fits.thresholds import fit_group, threshold_test

    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials).guessing(guess), late=late)
    rate = table.known_guess("curve")
    pair = table.pair(groups)
    first, second = (fit_group(table, group, n_bootstrap=n_bootstrap, seed=seed) for group in pair)
    test = threshold_test(table, pair, n_resamples=n_resamples, n_bootstrap=n_bootstrap, seed=seed)
    curves = tuple(curve_of(table.accuracy[table.of(group)]) for group in pair)
    drawing = draw_fits(axis_of(table), pair, curves, (first, second), chance=rate)
    return CurveFits(pair, (first, second), test, drawing, table.notes)


@dataclass(frozen=True, eq=False, repr=False)
class ChanceTests(ShownAsTable):
    """Every group against chance.

    Attributes
    ----------
    tests : tuple of ChanceTest
        One per group, in alphabetical order.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.chance(trials, n_resamples=99, seed=1)
    >>> len(found.tests), len(found.to_frame())
    (2, 24)
    """

    tests: tuple[ChanceTest, ...]
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per group and level."""
        return pd.concat([one.to_frame() for one in self.tests], ignore_index=True)


def chance(
    trials: TrialsSource,
    *,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    guess: float | None = None,
) -> ChanceTests:
    """Test every group and level against chance by sign flips.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    late : {"exclude", "wrong", "half"}
        What a late answer counts as.
    n_resamples : int
        Sign flips.
    seed : int, optional
        Their seed; drawn when absent, and part of the result.
    guess : float, optional
        As in :func:`fit_psychometric`.

    Returns
    -------
    ChanceTests
        A table with a row per group and level; p is corrected by Holm within a group.

    Raises
    ------
    InputError
        When the guess rate is unknown.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> rv.analysis.chance(trials, n_resamples=999, seed=1).to_frame().groupby("group")["level"].count().to_dict()
    {'clickme': 12, 'salicon': 12}
    """
    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials).guessing(guess), late=late)
    groups = sorted({str(name) for name in table.groups})
    return ChanceTests(
        tuple(chance_test(table, group, n_resamples=n_resamples, seed=seed) for group in groups), table.notes
    )
