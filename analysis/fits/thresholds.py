"""Thresholds of groups: intervals over participants, and the randomization test of their difference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import TIE, row_order
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream

from ..inference.cautions import interval_cautions, spread_warning
from ..relabelling.canonical_order import pair_order
from ..relabelling.permutations import as_matrix, label_block
from ..relabelling.random_bits import BLOCK, stream_key
from ..table.accuracy import Cells
from ..table.columns import mean_columns
from .psychometric import Fits, axis_of, fit

Floats = NDArray[np.float64]
N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False)
class GroupFit:
    """A group's curve with intervals over participants.

    Attributes
    ----------
    group : str
        The group.
    fit : Fits
        One row.
    threshold_interval, slope_interval, lapse_interval, percent_interval : (float, float)
        95 %, from resampled participants; the last is the threshold in per cent.
    deviance, p_deviance : float
        Goodness of fit: the deviance, and the share of curves simulated from the fit that are worse.
    n_bootstrap, seed : int
        Resamples, and their seed.
    notes : tuple of str
        Warnings: with few participants the intervals are too short.
    """

    group: str
    fit: Fits
    threshold_interval: tuple[float, float]
    slope_interval: tuple[float, float]
    lapse_interval: tuple[float, float]
    deviance: float
    p_deviance: float
    n_bootstrap: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """Threshold in per cent of the features."""
        return float(10 ** self.fit.threshold[0])

    @property
    def percent_interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return 10 ** self.threshold_interval[0], 10 ** self.threshold_interval[1]


def fit_group(table: Cells, group: str, *, n_bootstrap: int = N_BOOTSTRAP, seed: int | None = None) -> GroupFit:
    """Fit a group's pooled curve, with intervals from resampled participants.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`; its guess rate is the curve's lower end.
    group : str
        Which group.
    n_bootstrap : int
        Resamples of participants; whole participants, because their trials are not independent.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    GroupFit
        With its goodness of fit.

    Raises
    ------
    InputError
        When the guess rate is unknown, levels have no per cent, or fewer than three have trials.
    """
    guess = table.known_guess("psychometric function")
    seed = fresh_seed() if seed is None else seed
    x, members = axis_of(table), np.flatnonzero(table.of(group))
    # in the order of the data, so that no name changes an interval
    members = members[row_order(table.halves[members], table.n_trials[members])]
    k, n = table.halves[members] / 2.0, table.n_trials[members].astype(float)
    best = fit(x, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=guess)
    rng = stream(seed, "analysis", "psychometric")
    people = len(k)
    weights = rng.multinomial(people, np.full(people, 1 / people), size=n_bootstrap).astype(float)
    again = fit(x, weights @ k, weights @ n, guess=guess)
    total = n.sum(axis=0)
    simulated = rng.binomial(np.rint(total).astype(int), np.clip(best.predict(x)[0], 0, 1), size=(n_bootstrap, len(x)))
    worse = fit(x, simulated.astype(float), np.tile(np.rint(total), (n_bootstrap, 1)), guess=guess).deviance
    return GroupFit(
        group=group,
        fit=best,
        threshold_interval=_interval(again.threshold),
        slope_interval=_interval(again.slope),
        lapse_interval=_interval(again.lapse),
        deviance=float(best.deviance[0]),
        p_deviance=float((np.count_nonzero(worse >= best.deviance[0] * (1 - TIE)) + 1) / (n_bootstrap + 1)),
        n_bootstrap=n_bootstrap,
        seed=seed,
        notes=(*interval_cautions(people), *beyond_levels(best, x, group)),
    )


def beyond_levels(fit_of_group: Fits, x: Floats, who: str) -> tuple[str, ...]:
    """Warn where a threshold lies outside the levels that were shown: it is extrapolated, and may be anything.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, np.inf])
    >>> flat = fit(x, np.array([[80.0, 80.0, 80.0, 80.0]]), np.full((1, 4), 100.0), guess=0.5)
    >>> beyond_levels(flat, x, "net")[0].partition(":")[0]
    'warning'
    """
    axis = x[np.isfinite(x)]
    low, high, at = axis.min(), axis.max(), fit_of_group.threshold[0]
    if low <= at <= high:
        return ()
    side = "below" if at < low else "above"
    text = f"warning: the threshold of {who} lies {side} the levels that were shown ({10**low:.3g} to {10**high:.3g} %)"
    return (f"{text}: it is extrapolated, so neither it nor a difference from it is a measurement",)


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def fit_participants(table: Cells, group: str) -> Fits:
    """Fit every participant of a group alone: one row each, in the order of the cells."""
    members = table.of(group)
    guess = table.known_guess("psychometric function")
    return fit(axis_of(table), table.halves[members] / 2.0, table.n_trials[members].astype(float), guess=guess)


@dataclass(frozen=True)
class ThresholdTest:
    """Randomization test of the difference of two groups' thresholds.

    Attributes
    ----------
    groups : (str, str)
        First minus second, in log10 per cent.
    difference : float
        Observed.
    interval : (float, float)
        95 % bootstrap interval over participants.
    p : float
        Two-sided, (b + 1) / (n_resamples + 1).
    n_resamples, seed : int
        Relabellings, and their seed.
    notes : tuple of str
        Warnings: few participants, or groups whose spreads differ.
    """

    groups: tuple[str, str]
    difference: float
    interval: tuple[float, float]
    p: float
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times more the first group needs to see."""
        return float(10**self.difference)


def threshold_test(
    table: Cells,
    groups: tuple[str, str] | None = None,
    *,
    n_resamples: int = N_RELABELLINGS,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
) -> ThresholdTest:
    """Relabel participants, fit both groups again each time, and count thresholds at least as far apart.

    One question instead of one per level, so it needs no correction and has more power than any single level. Its level
    holds where participants are exchangeable; groups of unequal spread are not, see the notes of the result.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`; its guess rate is the curve's lower end.
    groups : (str, str), optional
        First minus second; alphabetical when there are two.
    n_resamples, n_bootstrap : int
        Relabellings, and resamples for the interval.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    ThresholdTest
        Two-sided.

    Raises
    ------
    InputError
        As :func:`fit_group`.
    """
    guess = table.known_guess("threshold")
    seed = fresh_seed() if seed is None else seed
    pair = table.pair(groups)
    chosen = np.isin(table.groups, pair)
    first = table.groups[chosen] == pair[0]
    x = axis_of(table)
    both = np.concatenate([table.halves[chosen] / 2.0, table.n_trials[chosen].astype(float)], axis=1)
    halves, trials = table.halves[chosen], table.n_trials[chosen]
    order, turned = pair_order(np.concatenate([halves, trials], axis=1), first)
    both, drawn = both[order], first[order] != turned
    observed = float(_threshold_gap(x, both[drawn].sum(axis=0)[None], both.sum(axis=0), guess)[0])
    least = abs(observed) * (1 - TIE)
    matrix = np.zeros((-(-len(drawn) // 64) * 64, both.shape[1]))
    matrix[: len(drawn)] = both
    key = stream_key(seed, "threshold")
    extreme = 0
    for block in range(-(-n_resamples // BLOCK)):
        rows = min(BLOCK, n_resamples - block * BLOCK)
        labels = as_matrix(label_block(key, block, len(drawn), int(drawn.sum())), dtype=np.float64)
        gaps = _threshold_gap(x, labels[:rows] @ matrix, both.sum(axis=0), guess)
        extreme += int(np.count_nonzero(np.abs(gaps) >= least))
    low, high = _interval(_resampled_gap(x, both, drawn, guess=guess, n_bootstrap=n_bootstrap, seed=seed))
    columns = mean_columns(halves, 2 * trials)
    return ThresholdTest(
        groups=pair,
        difference=-observed if turned else observed,
        interval=(-high, -low) if turned else (low, high),
        p=(extreme + 1) / (n_resamples + 1),
        n_resamples=n_resamples,
        seed=seed,
        notes=(*interval_cautions(int(first.sum()), int((~first).sum())), *spread_warning(columns, first)),
    )


def _resampled_gap(
    x: Floats, both: Floats, first: "NDArray[np.bool_]", *, guess: float, n_bootstrap: int, seed: int
) -> Floats:
    """Differences of the thresholds of resampled groups, shape (n_bootstrap,)."""
    rng = stream(seed, "analysis", "threshold bootstrap")
    thresholds = []
    for members in (first, ~first):
        people = int(members.sum())
        weights = rng.multinomial(people, np.full(people, 1 / people), size=n_bootstrap).astype(float)
        sums = weights @ both[members]
        thresholds.append(fit(x, sums[:, : len(x)], sums[:, len(x) :], guess=guess).threshold)
    return np.asarray(thresholds[0] - thresholds[1])


def _threshold_gap(x: Floats, first_sums: Floats, total: Floats, guess: float) -> Floats:
    """Threshold of the first group minus the other's, for rows of the first group's sums; one batch for both."""
    sums = np.concatenate([first_sums, total - first_sums])
    thresholds = fit(x, sums[:, : len(x)], sums[:, len(x) :], guess=guess).threshold
    return np.asarray(thresholds[: len(first_sums)] - thresholds[len(first_sums) :])
