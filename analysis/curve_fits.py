"""Psychometric functions of two groups, and the test of the difference of their thresholds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import Shown

from .fits.choices import AxisScale
from .table.accuracy import Cells, cells, curve_of
from .table.first_lines import LateRule
from .table.trials import TrialsSource, as_trials

if TYPE_CHECKING:
    from .fits.level_axis import LevelAxis
    from .fits.psychometric import Fits
    from .fits.threshold_difference import ThresholdTest
    from .fits.thresholds import GroupFit


@dataclass(frozen=True, eq=False, repr=False)
class CurveFits(Shown):
    """Psychometric functions of both groups.

    Attributes
    ----------
    groups : (str, str)
        First minus second.
    fits : (GroupFit, GroupFit)
        With intervals over participants.
    own : DataFrame
        Every participant's own curve: see :meth:`people`.
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
    own: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Warnings: few participants, groups whose spreads differ, or thresholds outside the levels."""
        return tuple(dict.fromkeys([*self.test.notes, *self.fits[0].notes, *self.fits[1].notes]))

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per group: parameters, intervals, goodness of fit.

        Returns
        -------
        DataFrame
            Thresholds in the levels' unit: `threshold_percent`, or `threshold` and `unit` where levels are no per cent.
        """
        return pd.DataFrame(
            [
                {
                    "group": one.group,
                    **_in_unit(one.axis, one.value),
                    "threshold_low": one.value_interval[0],
                    "threshold_high": one.value_interval[1],
                    "slope": float(one.fit.slope[0]),
                    "lapse": float(one.fit.lapse[0]),
                    "deviance": one.deviance,
                    "p_deviance": one.p_deviance,
                }
                for one in self.fits
            ]
        )

    def people(self) -> pd.DataFrame:
        """One row per participant: the curve of this participant's trials alone.

        Returns
        -------
        DataFrame
            group, participant, threshold in the levels' unit, slope, lapse and deviance of each.
        """
        return self.own

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
    axis: AxisScale = "auto",
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
        Resamples of participants for the interval of the difference, and simulated curves for the goodness of fit.
        Intervals of each group are those of the jackknife.
    guess : float, optional
        Share of answers that guessing gets right, from 0 to below 1; must be stated where the table does not show it
        (:mod:`~rapidvision.analysis.table.guess_rate`).
    axis : {"auto", "log", "linear"}
        Of the levels. ``auto``: logarithmic, but linear where the unit is a logarithm or an angle (dB, degrees) or a
        level is not above 0.

    Returns
    -------
    CurveFits
        Notebooks show the figure; :meth:`CurveFits.to_frame` has a row per group, :meth:`CurveFits.people` one
        per participant, thresholds in the levels' unit.

    Raises
    ------
    InputError
        When the guess rate is unknown, levels have no place on an axis, or fewer than three have trials.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.fit_psychometric(trials, n_resamples=200, n_bootstrap=50, seed=1).to_frame().set_index("group")
    >>> bool(found.loc["clickme", "threshold_percent"] < found.loc["salicon", "threshold_percent"])
    True
    """
    from .figures.level_axis import level_axis_label
    from .figures.plots import draw_fits
    from .fits.threshold_difference import threshold_test
    from .fits.thresholds import fit_group, fit_participants

    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials).guessing(guess), late=late)
    rate = table.known_guess("curve")
    pair = table.pair(groups)
    first, second = (fit_group(table, group, n_bootstrap=n_bootstrap, seed=seed, axis=axis) for group in pair)
    test = threshold_test(table, pair, n_resamples=n_resamples, n_bootstrap=n_bootstrap, seed=seed, axis=axis)
    curves = tuple(curve_of(table.accuracy[table.of(group)]) for group in pair)
    unit = test.axis.unit
    label = level_axis_label(table.levels, None if unit == "%" else f"Level ({unit})" if unit else "Level")
    drawing = draw_fits(test.axis, pair, curves, (first, second), chance=rate, label=label)
    own = [_own(table, group, fit_participants(table, group, axis=axis), test.axis) for group in pair]
    return CurveFits(pair, (first, second), test, drawing, pd.concat(own, ignore_index=True), table.notes)


def _own(table: Cells, group: str, fits: "Fits", axis: "LevelAxis") -> pd.DataFrame:
    members = table.of(group)
    names = [name for name, here in zip(table.participants, members, strict=True) if here]
    return pd.DataFrame(
        {
            "group": group,
            "participant": names,
            **_in_unit(axis, axis.value(fits.threshold)),
            "slope": fits.slope,
            "lapse": fits.lapse,
            "deviance": fits.deviance,
        }
    )


def _in_unit(axis: "LevelAxis", value: Any) -> dict[str, Any]:
    """A threshold's column, and its unit where that is not per cent."""
    return {"threshold_percent": value} if axis.unit == "%" else {"threshold": value, "unit": axis.unit}
