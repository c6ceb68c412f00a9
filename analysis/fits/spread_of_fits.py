"""How far participants move a pooled curve: leave-one-out fits, and influence by the sandwich."""

import numpy as np
from numpy.typing import NDArray

from .psychometric import Fits, fit, information

Floats = NDArray[np.float64]
#: Rows of weights x participants that are held at once.
_MOST_CELLS = 2_000_000


def jackknife_errors(whole: Fits, x: Floats, correct: Floats, trials: Floats) -> Floats:
    """Jackknife standard errors over participants of threshold, log slope and logit lapse.

    Parameters
    ----------
    whole : Fits
        One row: the pooled curve.
    x : ndarray, shape (levels,)
        Positions of the levels.
    correct, trials : ndarray, shape (participants, levels)
        Counts.

    Returns
    -------
    ndarray, shape (3,)
        NaN for a single participant, and where the others have no trials at three levels.
    """
    n = len(correct)
    rest = trials.sum(axis=0) - trials
    if n < 2 or (np.count_nonzero(rest, axis=1) < 3).any():
        return np.full(3, np.nan)
    each = fit(x, np.maximum(correct.sum(axis=0) - correct, 0), rest, guess=whole.guess).free
    return np.asarray(np.sqrt((n - 1) / n * ((each - each.mean(axis=0)) ** 2).sum(axis=0)))


def threshold_errors(fits: Fits, x: Floats, correct: Floats, trials: Floats, weights: Floats) -> Floats:
    """Sandwich standard errors of the thresholds of weighted fits, clustered by participant.

    Parameters
    ----------
    fits : Fits
        One row per row of `weights`.
    x : ndarray, shape (levels,)
        Positions of the levels.
    correct, trials : ndarray, shape (participants, levels)
        Counts.
    weights : ndarray, shape (rows, participants)
        How often each participant counts.

    Returns
    -------
    ndarray, shape (rows,)
        NaN where fewer than two participants count.
    """
    p, jacobian, _, hessian = information(fits.free, x, weights @ correct, weights @ trials, fits.guess)
    row = np.linalg.solve(hessian, np.broadcast_to(np.eye(3)[:, :1], (len(p), 3, 1)))[..., 0]
    a = np.einsum("rc,crl->rl", row, jacobian) / (p * (1 - p))
    squares = np.empty(len(p))
    height = max(1, _MOST_CELLS // len(correct))
    for start in range(0, len(p), height):
        part = slice(start, start + height)
        influence = a[part] @ correct.T - (a[part] * p[part]) @ trials.T
        squares[part] = (weights[part] * influence**2).sum(axis=1)
    n = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(squares * np.where(n > 1, n / (n - 1), np.nan)))
