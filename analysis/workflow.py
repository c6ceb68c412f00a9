"""The verbs of the analysis as functions: the same names on the command line, in scripts and in notebooks."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from .inference.above_chance import ChanceTest, chance_test
from .inference.permutation import RandomizationTest, randomization_test
from .resampling.multiplicity import CORRECTIONS, Correction
from .result_repr import Shown, ShownAsTable
from .table.accuracy import Cells, Curve, Level, cells, curve_of
from .table.exclusions import Kept, Rules, exclude
from .table.first_lines import LateRule
from .table.statistics import columns_of
from .table.trials import Trials, as_trials

if TYPE_CHECKING:
    from .fits.thresholds import GroupFit, ThresholdTest


@dataclass(frozen=True, eq=False, repr=False)
class Bins(ShownAsTable):
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
    late : str
        What late answers count as.
    cells : Cells
        What it stands on.
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
        """What was left out, with counts."""
        return self.cells.notes

    def table(self) -> pd.DataFrame:
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


def bins(
    trials: "Trials | Path | str",
    *,
    groups: tuple[str, str] | None = None,
    statistic: str = "participant_mean",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    m: int = N_RELABELLINGS,
    seed: int | None = None,
    by_slot: bool = False,
    exact: bool = True,
) -> Bins:
    """Compare two groups at every reveal level by randomization tests (paper, appendix "Psychophysics methods").

    Parameters
    ----------
    trials : Trials or path
        The trials table.
    groups : (str, str), optional
        First minus second; alphabetical when there are exactly two.
    statistic, late, alternative
        See :func:`~rapidvision.analysis.table.statistics.columns_of` and
        :func:`~rapidvision.analysis.inference.permutation.randomization_test`.
    correction : {"step-down", "max-t", "holm", "bh", "none"}
        Which p the stars show; every one is in the table. ``holm``, ``bh`` and ``none`` take the exact p of a level where
        there is one.
    m, seed
        Relabellings, and their seed (drawn when absent).
    by_slot : bool
        Relabel only among participants who had the same plan; refused where the table has no plans (slots).
    exact : bool
        Also the exact p.

    Returns
    -------
    Bins
        Shown as a table by notebooks.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.
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
    test = randomization_test(chosen, first, m=m, seed=seed, alternative=alternative, strata=strata, exact=exact)
    curves = tuple(columns.curve(table.of(group)) for group in pair)
    return Bins(pair, table.levels, (curves[0], curves[1]), test, correction, late, table)


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
    """

    groups: tuple[str, str]
    fits: "tuple[GroupFit, GroupFit]"
    test: "ThresholdTest"
    drawing: Any
    notes: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Warnings: few participants, or groups whose spreads differ."""
        return self.test.notes

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def table(self) -> pd.DataFrame:
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


def curve(
    trials: "Trials | Path | str",
    *,
    groups: tuple[str, str] | None = None,
    late: LateRule = "exclude",
    m: int = N_RELABELLINGS,
    n_bootstrap: int = 2000,
    seed: int | None = None,
    guess: float | None = None,
) -> CurveFits:
    """Fit psychometric functions and test the difference of the thresholds.

    Parameters
    ----------
    trials : Trials or path
        The participants' table.
    groups, late, m, seed
        As in :func:`bins`.
    n_bootstrap : int
        Resamples of participants for the intervals.
    guess : float, optional
        What guessing gets right; must be said (0.5) where the table holds only whether answers were correct.

    Returns
    -------
    CurveFits
        Notebooks show the figure.
    """
    from .figures.plots import draw_fits
    from .fits.psychometric import axis_of
    from .fits.thresholds import fit_group, threshold_test

    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials), late=late)
    table.require_one_half(guess)
    pair = table.pair(groups)
    first, second = (fit_group(table, group, n_bootstrap=n_bootstrap, seed=seed) for group in pair)
    test = threshold_test(table, pair, m=m, n_bootstrap=n_bootstrap, seed=seed)
    curves = tuple(curve_of(table.accuracy[table.of(group)]) for group in pair)
    return CurveFits(pair, (first, second), test, draw_fits(axis_of(table), pair, curves, (first, second)), table.notes)


def kept(trials: "Trials | Path | str", rules: Rules | None = None) -> Kept:
    """Apply exclusion rules; see :mod:`rapidvision.analysis.table.exclusions`."""
    return exclude(as_trials(trials), rules or Rules())


def chance(
    trials: "Trials | Path | str",
    *,
    late: LateRule = "exclude",
    m: int = N_RELABELLINGS,
    seed: int | None = None,
    guess: float | None = None,
) -> tuple[ChanceTest, ...]:
    """Test every group and level against chance; see :mod:`rapidvision.analysis.inference.above_chance`.

    Parameters
    ----------
    trials : Trials or path
        The participants' table.
    late : {"exclude", "wrong", "half"}
        What a late answer counts as.
    m, seed
        Sign flips, and their seed (drawn when absent).
    guess : float, optional
        As in :func:`curve`.

    Returns
    -------
    tuple of ChanceTest
        One per group, in alphabetical order.
    """
    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials), late=late)
    table.require_one_half(guess)
    return tuple(chance_test(table, group, m=m, seed=seed) for group in sorted({str(name) for name in table.groups}))
