"""Thresholds of groups: pooled curves with intervals over participants, and every participant's own curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import TIE, row_order
from rapidvision.seeds import fresh_seed, stream

from ..table.accuracy import Cells
from .choices import AxisScale
from .level_axis import LevelAxis, level_axis
from .psychometric import Fits, fit, most_lapse
from .spread_of_fits import jackknife_errors

Floats = NDArray[np.float64]
N_BOOTSTRAP = 2000
#: With fewer participants an interval is wide: n - 1 degrees of freedom.
FEW = 5


@dataclass(frozen=True, eq=False)
class GroupFit:
    """A group's curve with intervals over participants.

    Attributes
    ----------
    group : str
        The group.
    fit : Fits
        One row.
    axis : LevelAxis
        Where the levels lie, and their unit.
    n : int
        Participants.
    threshold_interval, slope_interval, lapse_interval : (float, float)
        95 %, by jackknife over participants and t(n - 1), symmetric on the scale of the fit; on the axis of the fit.
    deviance, p_deviance : float
        Goodness of fit: the deviance, and the share of curves simulated from the fit that are worse.
    n_bootstrap, seed : int
        Simulated curves, and their seed.
    notes : tuple of str
        Warnings: few participants, or a threshold outside the levels.
    """

    group: str
    fit: Fits
    axis: LevelAxis
    n: int
    threshold_interval: tuple[float, float]
    slope_interval: tuple[float, float]
    lapse_interval: tuple[float, float]
    deviance: float
    p_deviance: float
    n_bootstrap: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """Threshold in the levels' unit."""
        return float(self.axis.value(self.fit.threshold[0]))

    @property
    def value_interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        low, high = self.axis.value(self.threshold_interval)
        return float(low), float(high)


def fit_group(
    table: Cells,
    group: str,
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
    axis: AxisScale = "auto",
) -> GroupFit:
    """Fit a group's pooled curve, with intervals over participants by the jackknife.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`; its guess rate is the curve's lower end.
    group : str
        Which group.
    n_bootstrap : int
        Simulated curves for the goodness of fit.
    seed : int, optional
        Drawn and stored when absent.
    axis : {"auto", "log", "linear"}
        Of the levels; ``auto`` goes by their unit.

    Returns
    -------
    GroupFit
        With its goodness of fit. Whole participants are left out in turn, because their trials are not independent.

    Raises
    ------
    InputError
        When the guess rate is unknown, levels have no place on an axis, or fewer than three have trials.
    """
    guess = table.known_guess("psychometric function")
    seed = fresh_seed() if seed is None else seed
    placed, members = level_axis(table.levels, axis), np.flatnonzero(table.of(group))
    x = placed.x
    # in the order of the data, so that no name changes an interval
    members = members[row_order(table.halves[members], table.n_trials[members])]
    k, n = table.halves[members] / 2.0, table.n_trials[members].astype(float)
    best = fit(x, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=guess)
    low, high = _interval(best, jackknife_errors(best, x, k, n), len(k))
    most = most_lapse(guess)
    rng = stream(seed, "analysis", "psychometric")
    total = n.sum(axis=0)
    simulated = rng.binomial(np.rint(total).astype(int), np.clip(best.predict(x)[0], 0, 1), size=(n_bootstrap, len(x)))
    worse = fit(x, simulated.astype(float), np.tile(np.rint(total), (n_bootstrap, 1)), guess=guess).deviance
    return GroupFit(
        group=group,
        fit=best,
        axis=placed,
        n=len(k),
        threshold_interval=(float(low[0]), float(high[0])),
        slope_interval=(float(np.exp(low[1])), float(np.exp(high[1]))),
        lapse_interval=(float(most / (1 + np.exp(-low[2]))), float(most / (1 + np.exp(-high[2])))),
        deviance=float(best.deviance[0]),
        p_deviance=float((np.count_nonzero(worse >= best.deviance[0] * (1 - TIE)) + 1) / (n_bootstrap + 1)),
        n_bootstrap=n_bootstrap,
        seed=seed,
        notes=(*few_participants(group, len(k)), *beyond_levels(best, placed, group)),
    )


def _interval(best: Fits, errors: Floats, n: int) -> tuple[Floats, Floats]:
    """95 % limits of the three parameters, by t(n - 1)."""
    from scipy.special import stdtrit

    half = float(stdtrit(max(n - 1, 1), 0.975)) * errors
    return best.free[0] - half, best.free[0] + half


def few_participants(group: str, n: int) -> tuple[str, ...]:
    """Say what an interval over few participants is worth.

    Examples
    --------
    >>> few_participants("a", 5)
    ()
    >>> few_participants("a", 3)[0][:44]
    'warning: a has 3 participants: 2 degrees of '
    """
    if n >= FEW:
        return ()
    if n == 1:
        return (
            f"warning: {group} has one participant: there is no interval over participants; the curve is that participant's own",
        )
    text = (
        f"warning: {group} has {n} participants: {n - 1} degrees of freedom make the intervals wide; every participant's own "
        "curve is in people() and --people"
    )
    return (text,)


def beyond_levels(fit_of_group: Fits, axis: LevelAxis, who: str) -> tuple[str, ...]:
    """Warn where a threshold lies outside the levels that were shown: it is extrapolated, and may be anything.

    Examples
    --------
    >>> axis = LevelAxis(np.array([0.0, 1.0, 2.0, np.inf]), True, "%")
    >>> flat = fit(axis.x, np.array([[80.0, 80.0, 80.0, 80.0]]), np.full((1, 4), 100.0), guess=0.5)
    >>> beyond_levels(flat, axis, "net")[0].partition(":")[0]
    'warning'
    """
    shown = axis.x[np.isfinite(axis.x)]
    low, high, at = float(shown.min()), float(shown.max()), fit_of_group.threshold[0]
    if low <= at <= high:
        return ()
    side = "below" if at < low else "above"
    levels = f"{float(axis.value(low)):.3g} to {axis.text(high)}"
    text = f"warning: the threshold of {who} lies {side} the levels that were shown ({levels})"
    return (f"{text}: it is extrapolated, so neither it nor a difference from it is a measurement",)


def fit_participants(table: Cells, group: str, *, axis: AxisScale = "auto") -> Fits:
    """Fit every participant of a group alone: one row each, in the order of the cells."""
    members = table.of(group)
    guess = table.known_guess("psychometric function")
    x = level_axis(table.levels, axis).x
    return fit(x, table.halves[members] / 2.0, table.n_trials[members].astype(float), guess=guess)
