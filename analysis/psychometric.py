"""Psychometric functions: accuracy against log10 per cent of the features, thousands of curves fitted at once.

    p(x) = guess + (1 - guess - lapse) F(slope (x - threshold)),   F logistic

The intact picture has F = 1: it says how good a participant gets, whatever is revealed. Slope and lapse carry weak
priors, without which data at the ceiling have no finite estimate; the threshold carries none.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream

from .accuracy import Cells
from .labels import BLOCK, as_matrix, label_block, stream_key

Floats = NDArray[np.float64]

GUESS = 0.5
#: Largest lapse rate that is believed.
MOST_LAPSE = 0.25
# Weak priors: normal on log slope and on the logit of lapse / MOST_LAPSE (mean, standard deviation).
_SLOPE_PRIOR = (math.log(5.0), 1.0)
_LAPSE_PRIOR = (-1.4, 1.5)
_MOST_STEPS = 60
_CLOSE = 1e-9
N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False)
class Fits:
    """Fitted curves, one per row.

    Attributes
    ----------
    threshold : ndarray
        log10 per cent halfway between guessing and the best.
    slope : ndarray
        Of the logistic.
    lapse : ndarray
        Share of errors with everything visible, 0 … 0.25.
    deviance : ndarray
        Twice the log likelihood ratio against the saturated model.
    converged : ndarray of bool
        Whether the fit stopped because nothing improved any more.
    guess : float
        Guess rate.
    """

    threshold: Floats
    slope: Floats
    lapse: Floats
    deviance: Floats
    converged: "NDArray[np.bool_]"
    guess: float

    def predict(self, x: Floats) -> Floats:
        """Share correct at `x` (log10 per cent, infinity for the intact picture), shape (rows, len(x))."""
        return _share(self.threshold, self.slope, self.lapse, np.asarray(x, dtype=float), self.guess)

    def at(self, share: float) -> Floats:
        """log10 per cent where the curve reaches `share` correct; infinity where it never does."""
        top = 1 - self.guess - self.lapse
        with np.errstate(divide="ignore", invalid="ignore"):
            f = (share - self.guess) / top
            return np.where(f < 1, self.threshold + np.log(f / (1 - f)) / self.slope, np.inf)


def fit(x: Floats, correct: Floats, trials: Floats, *, guess: float = GUESS) -> Fits:
    """Fit every row by penalised maximum likelihood: damped Fisher scoring, all rows in each step.

    Parameters
    ----------
    x : ndarray, shape (levels,)
        log10 per cent; infinity for the intact picture.
    correct, trials : ndarray, shape (rows, levels)
        Counts; halves and weighted counts are fine.
    guess : float
        Guess rate.

    Returns
    -------
    Fits
        One per row.

    Raises
    ------
    InputError
        When shapes do not fit, or fewer than three levels have trials.

    Examples
    --------
    >>> x = np.linspace(0, 2, 9)
    >>> share = 0.5 + 0.5 / (1 + np.exp(-6 * (x - 1.2)))
    >>> float(fit(x, 400 * share[None], np.full((1, 9), 400.0)).threshold[0].round(2))
    1.2
    """
    x, k, n = np.asarray(x, float), np.atleast_2d(np.asarray(correct, float)), np.atleast_2d(np.asarray(trials, float))
    if k.shape != n.shape or k.shape[1] != len(x):
        raise InputError(f"fit: correct {k.shape}, trials {n.shape}, x ({len(x)},); rows x levels are needed")
    if (k > n + 1e-9).any() or (k < 0).any():
        raise InputError("fit: more correct answers than trials, or fewer than none")
    if np.count_nonzero(n.sum(axis=0)) < 3:
        raise InputError("fit: fewer than three levels have trials; a curve has three parameters")
    if len(k) > 1:  # all rows start where their mean ends
        whole = fit(x, k.mean(axis=0), n.mean(axis=0), guess=guess)
        begin = [whole.threshold[0], math.log(whole.slope[0]), _logit(whole.lapse[0] / MOST_LAPSE)]
    else:
        finite = np.isfinite(x)
        begin = [float(np.average(x[finite], weights=n[0, finite] + 1e-9)), _SLOPE_PRIOR[0], _LAPSE_PRIOR[0]]
    t = np.tile(np.array(begin), (len(k), 1))
    value = _penalised(t, x, k, n, guess)
    damping = np.full(len(k), 1e-2)
    active = np.arange(len(k))
    converged = np.zeros(len(k), dtype=bool)
    for _ in range(_MOST_STEPS):
        step = _scoring_step(t[active], x, k[active], n[active], guess, damping[active])
        tried = t[active] + step
        new = _penalised(tried, x, k[active], n[active], guess)
        better = new <= value[active]
        gain = value[active] - new
        rows = active[better]
        t[rows], value[rows] = tried[better], new[better]
        damping[active] = np.where(better, damping[active] * 0.3, damping[active] * 8)
        done = (better & (gain < _CLOSE)) | (damping[active] > 1e8)
        converged[active[done]] = True
        active = active[~done]
        if not len(active):
            break
    threshold, slope, lapse = t[:, 0], np.exp(t[:, 1]), _lapse(t[:, 2])
    return Fits(threshold, slope, lapse, _deviance(threshold, slope, lapse, x, k, n, guess), converged, guess)


def _logistic(u: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(u, -500, 500))))


def _logit(share: float) -> float:
    share = min(max(float(share), 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def _lapse(t: Floats) -> Floats:
    return MOST_LAPSE * _logistic(t)


def _share(threshold: Floats, slope: Floats, lapse: Floats, x: Floats, guess: float) -> Floats:
    f = _logistic(slope[:, None] * (np.where(np.isfinite(x), x, 1e3) - threshold[:, None]))
    return np.asarray(guess + (1 - guess - lapse)[:, None] * f)


def _penalised(t: Floats, x: Floats, k: Floats, n: Floats, guess: float) -> Floats:
    p = np.clip(_share(t[:, 0], np.exp(t[:, 1]), _lapse(t[:, 2]), x, guess), 1e-12, 1 - 1e-12)
    fitted = (k * np.log(p) + (n - k) * np.log1p(-p)).sum(axis=1)
    prior = ((t[:, 1] - _SLOPE_PRIOR[0]) / _SLOPE_PRIOR[1]) ** 2 + ((t[:, 2] - _LAPSE_PRIOR[0]) / _LAPSE_PRIOR[1]) ** 2
    return np.asarray(0.5 * prior - fitted)


def _scoring_step(t: Floats, x: Floats, k: Floats, n: Floats, guess: float, damping: Floats) -> Floats:
    slope, lapse = np.exp(t[:, 1]), _lapse(t[:, 2])
    u = slope[:, None] * (np.where(np.isfinite(x), x, 1e3) - t[:, :1])
    f = _logistic(u)
    height = (1 - guess - lapse)[:, None]
    p = np.clip(guess + height * f, 1e-9, 1 - 1e-9)
    bend = height * f * (1 - f)
    jacobian = (-bend * slope[:, None], bend * u, -f * (lapse * (1 - lapse / MOST_LAPSE))[:, None])
    weight = n / (p * (1 - p))
    residual = (k - n * p) / (p * (1 - p))
    gradient = np.stack([-(residual * j).sum(axis=1) for j in jacobian], axis=1)
    hessian = np.empty((len(t), 3, 3))
    for a in range(3):
        for b in range(a, 3):
            hessian[:, a, b] = hessian[:, b, a] = (weight * jacobian[a] * jacobian[b]).sum(axis=1)
    for column, (mean, sd) in ((1, _SLOPE_PRIOR), (2, _LAPSE_PRIOR)):
        gradient[:, column] += (t[:, column] - mean) / sd**2
        hessian[:, column, column] += 1 / sd**2
    diagonal = np.einsum("rii->ri", hessian)
    diagonal *= 1 + damping[:, None]
    diagonal += 1e-9
    return np.clip(np.linalg.solve(hessian, -gradient[..., None])[..., 0], -1, 1)


def _deviance(threshold: Floats, slope: Floats, lapse: Floats, x: Floats, k: Floats, n: Floats, guess: float) -> Floats:
    p = np.clip(_share(threshold, slope, lapse, x, guess), 1e-12, 1 - 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.where(k > 0, k * np.log(k / (n * p)), 0.0)
        wrong = np.where(n > k, (n - k) * np.log((n - k) / (n * (1 - p))), 0.0)
    return np.asarray(2 * (right + wrong).sum(axis=1))


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

    @property
    def percent(self) -> float:
        """Threshold in per cent of the features."""
        return float(10 ** self.fit.threshold[0])

    @property
    def percent_interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return 10 ** self.threshold_interval[0], 10 ** self.threshold_interval[1]


def axis_of(table: Cells) -> Floats:
    """log10 per cent of each level, infinity for the intact picture.

    Raises
    ------
    InputError
        When a level has neither a per cent nor the label ``full``.
    """
    percent = np.array([np.inf if level.full else level.percent for level in table.levels])
    if np.isnan(percent).any():
        raise InputError("curve: some levels have no per cent of the features; a psychometric function needs an axis")
    return np.asarray(np.log10(percent))


def fit_group(
    table: Cells, group: str, *, guess: float = GUESS, n_bootstrap: int = N_BOOTSTRAP, seed: int | None = None
) -> GroupFit:
    """Fit a group's pooled curve, with intervals from resampled participants.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.accuracy.cells`.
    group : str
        Which group.
    guess : float
        Guess rate.
    n_bootstrap : int
        Resamples of participants; whole participants, because their trials are not independent.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    GroupFit
        With its goodness of fit.
    """
    seed = fresh_seed() if seed is None else seed
    x, members = axis_of(table), table.of(group)
    k, n = table.halves[members] / 2.0, table.n_trials[members].astype(float)
    best = fit(x, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=guess)
    rng = stream(seed, "analysis", "psychometric", group)
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
        p_deviance=float((np.count_nonzero(worse >= best.deviance[0]) + 1) / (n_bootstrap + 1)),
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def fit_participants(table: Cells, group: str, *, guess: float = GUESS) -> Fits:
    """Fit every participant of a group alone: one row each, in the order of the cells."""
    members = table.of(group)
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
        Two-sided, (b + 1) / (m + 1).
    m, seed : int
        Relabellings, and their seed.
    """

    groups: tuple[str, str]
    difference: float
    interval: tuple[float, float]
    p: float
    m: int
    seed: int

    @property
    def ratio(self) -> float:
        """How many times more the first group needs to see."""
        return float(10**self.difference)


def threshold_test(
    table: Cells,
    groups: tuple[str, str] | None = None,
    *,
    m: int = N_RELABELLINGS,
    guess: float = GUESS,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
) -> ThresholdTest:
    """Relabel participants, fit both groups again each time, and count thresholds at least as far apart.

    One question instead of one per level, so it needs no correction and has more power than any single level.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.accuracy.cells`.
    groups : (str, str), optional
        First minus second; alphabetical when there are two.
    m, n_bootstrap : int
        Relabellings, and resamples for the interval.
    guess : float
        Guess rate.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    ThresholdTest
        Two-sided.
    """
    seed = fresh_seed() if seed is None else seed
    pair = table.pair(groups)
    chosen = np.isin(table.groups, pair)
    first = table.groups[chosen] == pair[0]
    x = axis_of(table)
    both = np.concatenate([table.halves[chosen] / 2.0, table.n_trials[chosen].astype(float)], axis=1)
    observed = _threshold_gap(x, both[first].sum(axis=0)[None], both.sum(axis=0), guess)[0]
    matrix = np.zeros((-(-len(first) // 64) * 64, both.shape[1]))
    matrix[: len(first)] = both
    key = stream_key(seed, "threshold")
    extreme = 0
    for block in range(-(-m // BLOCK)):
        rows = min(BLOCK, m - block * BLOCK)
        labels: NDArray[Any] = as_matrix(label_block(key, block, len(first), int(first.sum())), dtype=np.float64)
        gaps = _threshold_gap(x, labels[:rows] @ matrix, both.sum(axis=0), guess)
        extreme += int(np.count_nonzero(np.abs(gaps) >= abs(observed) - 1e-9))
    rng = stream(seed, "analysis", "threshold bootstrap")
    resampled = []
    for members in (first, ~first):
        people = int(members.sum())
        weights = rng.multinomial(people, np.full(people, 1 / people), size=n_bootstrap).astype(float)
        sums = weights @ both[members]
        resampled.append(fit(x, sums[:, : len(x)], sums[:, len(x) :], guess=guess).threshold)
    interval = _interval(resampled[0] - resampled[1])
    return ThresholdTest(pair, float(observed), interval, (extreme + 1) / (m + 1), m, seed)


def _threshold_gap(x: Floats, first_sums: Floats, total: Floats, guess: float) -> Floats:
    """Threshold of the first group minus the other's, for rows of the first group's sums; one batch for both."""
    sums = np.concatenate([first_sums, total - first_sums])
    thresholds = fit(x, sums[:, : len(x)], sums[:, len(x) :], guess=guess).threshold
    return np.asarray(thresholds[: len(first_sums)] - thresholds[len(first_sums) :])
