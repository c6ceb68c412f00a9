"""Psychometric functions: accuracy against log10 per cent of the features, thousands of curves fitted at once.

    p(x) = guess + (1 - guess - lapse) F(slope (x - threshold)),   F logistic

The intact image has F = 1: it says how good a participant gets, whatever is revealed. Slope and lapse carry weak
priors, without which data at the ceiling have no finite estimate; the threshold carries none.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..table.accuracy import Cells
from .level_axis import level_axis

Floats = NDArray[np.float64]

# Weak priors: normal on log slope and on the logit of lapse / most_lapse(guess) (mean, standard deviation).
_SLOPE_PRIOR = (math.log(5.0), 1.0)
_LAPSE_PRIOR = (-1.4, 1.5)
#: A curve has three parameters.
LEAST_LEVELS = 3
_MOST_STEPS = 60
_CLOSE = 1e-9


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
        Share of errors with everything visible, from 0 to :func:`most_lapse`.
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

    @property
    def free(self) -> Floats:
        """Parameters on the scale of the fit: threshold, log slope, logit of lapse / most_lapse; shape (rows, 3)."""
        share = np.clip(self.lapse / most_lapse(self.guess), 1e-12, 1 - 1e-12)
        return np.stack([self.threshold, np.log(self.slope), np.log(share / (1 - share))], axis=1)

    def predict(self, x: Floats) -> Floats:
        """Share correct at `x` (log10 per cent, infinity for the intact image), shape (rows, len(x))."""
        return _share(self.threshold, self.slope, self.lapse, np.asarray(x, dtype=float), self.guess)

    def at(self, share: float) -> Floats:
        """log10 per cent where the curve reaches `share` correct; infinity where it never does."""
        top = 1 - self.guess - self.lapse
        with np.errstate(divide="ignore", invalid="ignore"):
            f = (share - self.guess) / top
            return np.where(f < 1, self.threshold + np.log(f / (1 - f)) / self.slope, np.inf)


def fit(x: Floats, correct: Floats, trials: Floats, *, guess: float) -> Fits:
    """Fit every row by penalised maximum likelihood: damped Fisher scoring, all rows in each step.

    Parameters
    ----------
    x : ndarray, shape (levels,)
        log10 per cent; infinity for the intact image.
    correct, trials : ndarray, shape (rows, levels)
        Counts; halves and weighted counts are fine.
    guess : float
        Share of answers that guessing gets right, from 0 to below 1.

    Returns
    -------
    Fits
        One per row.

    Raises
    ------
    InputError
        When shapes do not fit, the guess rate is no share below 1, or fewer than three levels have trials.

    Examples
    --------
    >>> x = np.linspace(0, 2, 9)
    >>> share = 0.5 + 0.5 / (1 + np.exp(-6 * (x - 1.2)))
    >>> float(fit(x, 400 * share[None], np.full((1, 9), 400.0), guess=0.5).threshold[0].round(2))
    1.2
    """
    x, k, n = np.asarray(x, float), np.atleast_2d(np.asarray(correct, float)), np.atleast_2d(np.asarray(trials, float))
    if not 0 <= guess < 1:
        raise InputError(f"guess: got {guess:g}, allowed is a share from 0 to below 1")
    most = most_lapse(guess)
    if k.shape != n.shape or k.shape[1] != len(x):
        raise InputError(f"fit: correct {k.shape}, trials {n.shape}, x ({len(x)},); rows x levels are needed")
    if (k > n + 1e-9).any() or (k < 0).any():
        raise InputError("fit: more correct answers than trials, or fewer than none")
    if np.count_nonzero(n.sum(axis=0)) < LEAST_LEVELS:
        raise InputError("fit: fewer than three levels have trials; a curve has three parameters")
    if len(k) > 1:  # all rows start where their mean ends
        whole = fit(x, k.mean(axis=0), n.mean(axis=0), guess=guess)
        begin = [whole.threshold[0], math.log(whole.slope[0]), _logit(whole.lapse[0] / most)]
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
    threshold, slope, lapse = t[:, 0], np.exp(t[:, 1]), most * _logistic(t[:, 2])
    return Fits(threshold, slope, lapse, _deviance(threshold, slope, lapse, x, k, n, guess), converged, guess)


def _logistic(u: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(u, -500, 500))))


def _logit(share: float) -> float:
    share = min(max(float(share), 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def most_lapse(guess: float) -> float:
    """Return the largest lapse rate that is believed: a quarter, and no more than half of what guessing leaves.

    Examples
    --------
    >>> most_lapse(0.0), most_lapse(0.5), most_lapse(0.75)
    (0.25, 0.25, 0.125)
    """
    return min(0.25, (1 - guess) / 2)


def _share(threshold: Floats, slope: Floats, lapse: Floats, x: Floats, guess: float) -> Floats:
    f = _logistic(slope[:, None] * (np.where(np.isfinite(x), x, 1e3) - threshold[:, None]))
    return np.asarray(guess + (1 - guess - lapse)[:, None] * f)


def _penalised(t: Floats, x: Floats, k: Floats, n: Floats, guess: float) -> Floats:
    lapse = most_lapse(guess) * _logistic(t[:, 2])
    p = np.clip(_share(t[:, 0], np.exp(t[:, 1]), lapse, x, guess), 1e-12, 1 - 1e-12)
    fitted = (k * np.log(p) + (n - k) * np.log1p(-p)).sum(axis=1)
    prior = ((t[:, 1] - _SLOPE_PRIOR[0]) / _SLOPE_PRIOR[1]) ** 2 + ((t[:, 2] - _LAPSE_PRIOR[0]) / _LAPSE_PRIOR[1]) ** 2
    return np.asarray(0.5 * prior - fitted)


def information(t: Floats, x: Floats, k: Floats, n: Floats, guess: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Shares, their derivatives, and gradient and expected curvature of the penalised fit.

    Parameters
    ----------
    t : ndarray, shape (rows, 3)
        Threshold, log slope, logit of lapse / most_lapse(guess).
    x : ndarray, shape (levels,)
        Positions of the levels.
    k, n : ndarray, shape (rows, levels)
        Counts.
    guess : float
        Guess rate.

    Returns
    -------
    p : ndarray, shape (rows, levels)
        Share correct.
    jacobian : ndarray, shape (3, rows, levels)
        Its derivatives in the parameters.
    gradient, hessian : ndarray, shape (rows, 3) and (rows, 3, 3)
        Of the penalised negative log likelihood.
    """
    most = most_lapse(guess)
    slope, lapse = np.exp(t[:, 1]), most * _logistic(t[:, 2])
    u = slope[:, None] * (np.where(np.isfinite(x), x, 1e3) - t[:, :1])
    f = _logistic(u)
    height = (1 - guess - lapse)[:, None]
    p = np.clip(guess + height * f, 1e-9, 1 - 1e-9)
    bend = height * f * (1 - f)
    jacobian = np.stack([-bend * slope[:, None], bend * u, -f * (lapse * (1 - lapse / most))[:, None]])
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
    return p, jacobian, gradient, hessian


def _scoring_step(t: Floats, x: Floats, k: Floats, n: Floats, guess: float, damping: Floats) -> Floats:
    _, _, gradient, hessian = information(t, x, k, n, guess)
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


def axis_of(table: Cells) -> Floats:
    """Position of each level on the axis that its unit suggests, infinity for the intact image.

    Raises
    ------
    InputError
        When a level has neither a per cent, nor a number, nor the label ``full``.
    """
    return level_axis(table.levels).x
