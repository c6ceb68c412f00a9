"""How far participants move a pooled curve: leave-one-out fits, and influence by the sandwich."""

import numpy as np
from numpy.typing import NDArray

from .psychometric import Fits, fit, information

Floats = NDArray[np.float64]
#: Rows of weights x participants that are held at once.
_MOST_CELLS = 500_000


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


def threshold_scores(fits: Fits, x: Floats, correct: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """How a correct answer and a trial at each level move the thresholds of fits to these counts.

    Parameters
    ----------
    fits : Fits
        One row per row of counts.
    x : ndarray, shape (levels,)
        Positions of the levels.
    correct, trials : ndarray, shape (rows, levels)
        The counts that were fitted.

    Returns
    -------
    per_correct, per_trial : ndarray, shape (rows, levels)
        A participant's influence is the sum over levels of ``correct * per_correct - trials * per_trial``.
    """
    p, jacobian, _, hessian = information(fits.free, x, correct, trials, fits.guess)
    row = np.linalg.solve(hessian, np.broadcast_to(np.eye(3)[:, :1], (len(p), 3, 1)))[..., 0]
    a = np.einsum("rc,crl->rl", row, jacobian) / (p * (1 - p))
    return a, a * p


def weighted_squares(
    per_correct: Floats, per_trial: Floats, correct: Floats, trials: Floats, weights: Floats
) -> Floats:
    """Sum over participants of weight times squared influence, one per row of :func:`threshold_scores`."""
    influence = per_correct @ correct.T
    influence -= per_trial @ trials.T
    influence *= influence
    return np.asarray(np.einsum("rp,rp->r", weights, influence))


def sandwich(squares: Floats, n: Floats) -> Floats:
    """Standard errors from sums of squares over n participants; NaN for fewer than two."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(squares * np.where(n > 1, n / (n - 1), np.nan)))


def pieces(n_rows: int, n_participants: int) -> list[slice]:
    """Rows of a matrix over participants in pieces that are held at once."""
    height = max(1, _MOST_CELLS // n_participants)
    return [slice(start, min(start + height, n_rows)) for start in range(0, n_rows, height)]
