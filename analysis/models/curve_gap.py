"""A network's curve beside a group's: thresholds, area, and root mean square difference against its noise ceiling."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from ..fits.level_axis import level_axis
from ..fits.psychometric import LEAST_LEVELS, fit
from ..fits.thresholds import beyond_levels
from ..table.accuracy import Cells, curve
from .curves import NetworkCurve

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CurveGap:
    """One network's curve beside one group's.

    Attributes
    ----------
    model, group : str
        Who and whose maps.
    threshold_model, threshold_human : float
        log10 per cent of the features, fitted alike; NaN where no curve can be fitted.
    area : float
        Mean of human minus model accuracy over the log axis (the intact image left out); NaN without an axis.
    rmse : float
        Root mean square difference over all levels.
    noise_ceiling : float
        The same between random halves of the participants, corrected to the full number: the best that a perfect
        model of the group could be expected to reach.
    notes : tuple of str
        Warnings: thresholds outside the levels that were shown.
    """

    model: str
    group: str
    threshold_model: float
    threshold_human: float
    area: float
    rmse: float
    noise_ceiling: float
    notes: tuple[str, ...] = ()

    @property
    def threshold_difference(self) -> float:
        """Model minus human, in log10 per cent; positive: the model needs to see more."""
        return self.threshold_model - self.threshold_human


def curve_gap(table: Cells, network: NetworkCurve, *, seed: int, n_splits: int = 500) -> CurveGap:
    """Compare a network's curve with its group's.

    Parameters
    ----------
    table : Cells
        The participants.
    network : NetworkCurve
        From :func:`~rapidvision.analysis.models.curves.network_curves` on the same levels.
    seed : int
        Of the random halves.
    n_splits : int
        How many.

    Returns
    -------
    CurveGap
        Without error bars of participants for the network: it has none.
    """
    human = curve(table, network.group)
    usable = np.isfinite(human.mean) & np.isfinite(network.mean)
    members = table.of(network.group)
    trials = np.where(usable, max(network.n_trials / len(usable), 1.0), 0.0)
    model, people = np.nan, np.nan
    notes: tuple[str, ...] = ()
    if without_thresholds(table) is None:
        right = np.where(usable, network.mean, 0.0) * trials
        model, beyond = _threshold(table, right, trials, who=f"{network.model} ({network.group})")
        own = table.halves[members].sum(axis=0) / 2
        people, also = _threshold(table, own, table.n_trials[members].sum(axis=0), who=network.group)
        notes = (*beyond, *also)
    gap = human.mean - network.mean
    x = np.array([np.log10(level.percent) if not level.full else np.nan for level in table.levels])
    axis = usable & np.isfinite(x)
    span = float(np.ptp(x[axis])) if axis.any() else 0.0
    accuracy = table.accuracy[members]
    return CurveGap(
        model=network.model,
        group=network.group,
        threshold_model=model,
        threshold_human=people,
        area=float(np.trapezoid(gap[axis], x[axis]) / span) if span > 0 else float("nan"),
        rmse=float(np.sqrt(np.mean(gap[usable] ** 2))),
        noise_ceiling=_noise_ceiling(accuracy[:, usable], seed=seed, n_splits=n_splits),
        notes=notes,
    )


def without_thresholds(table: Cells) -> str | None:
    """Why no threshold can be fitted to a table; None where it can."""
    try:
        table.known_guess("thresholds")
        level_axis(table.levels, "log")
    except InputError as why:
        return str(why)
    return None


def _threshold(table: Cells, correct: Floats, trials: Floats, *, who: str) -> tuple[float, tuple[str, ...]]:
    """Threshold and the warning that it is extrapolated; NaN with too few levels."""
    if np.count_nonzero(trials) < LEAST_LEVELS:
        return float("nan"), (f"no threshold of {who}: fewer than {LEAST_LEVELS} levels have trials",)
    axis = level_axis(table.levels, "log")
    found = fit(axis.x, correct[None], trials[None].astype(float), guess=table.known_guess("thresholds"))
    return float(found.threshold[0]), beyond_levels(found, axis, who)


def _noise_ceiling(accuracy: Floats, *, seed: int, n_splits: int) -> float:
    """RMSE between halves, halved: noise of a half's mean has twice the variance of the whole's, and two halves differ."""
    rng = stream(seed, "analysis", "noise ceiling")
    n = len(accuracy)
    half = n // 2
    if half < 1:
        return float("nan")
    present = np.isfinite(accuracy)
    values = np.where(present, accuracy, 0.0)
    order = rng.permuted(np.tile(np.arange(n), (n_splits, 1)), axis=1)
    pick, rest = np.zeros((n_splits, n)), np.zeros((n_splits, n))
    np.put_along_axis(pick, order[:, :half], 1.0, axis=1)
    np.put_along_axis(rest, order[:, half : 2 * half], 1.0, axis=1)
    with np.errstate(invalid="ignore"):
        gap = (pick @ values) / (pick @ present) - (rest @ values) / (rest @ present)
    return float(np.sqrt(np.nanmean(gap**2)) / 2)
