"""Likelihood of trials under psychometric functions with a guess and a lapse rate, at many thresholds and slopes at once.

P(correct) = g + (1 - g - lapse) logistic(exp(s) (x - t));   the intact image (x infinite) has logistic = 1
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FARTHEST = 40.0
#: Of log slopes: far beyond any that is seen, so that no step of a search overflows.
_STEEPEST = 8.0


class TrialDerivatives(NamedTuple):
    """Log likelihood of every trial at every node, and derivatives in threshold t and log slope s; shape (n, nodes) each."""

    log_likelihood: Floats
    by_t: Floats
    by_s: Floats
    by_tt: Floats
    by_ts: Floats
    by_ss: Floats


def trial_derivatives(
    right: "NDArray[np.bool_]", x: Floats, t: Floats, s: Floats, *, guess: float, lapse: float
) -> TrialDerivatives:
    """Evaluate trials.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Which answers are correct.
    x : ndarray, shape (n,)
        Levels; infinity for the intact image.
    t, s : ndarray, shape (n, nodes)
        Thresholds and log slopes.
    guess, lapse : float
        Rates.

    Examples
    --------
    >>> at = np.zeros((1, 1))
    >>> found = trial_derivatives(np.array([True]), np.array([0.0]), at, at, guess=0.5, lapse=0.0)
    >>> float(np.exp(found.log_likelihood[0, 0])), float(found.by_t[0, 0].round(4))
    (0.75, -0.1667)
    """
    shown = np.isfinite(x)[:, None]
    slope = np.exp(np.clip(s, -_STEEPEST, _STEEPEST))
    eta = np.clip(np.where(shown, slope * (np.where(shown, x[:, None], 0.0) - t), _FARTHEST), -_FARTHEST, _FARTHEST)
    share = 1 / (1 + np.exp(-eta))
    height = 1 - guess - lapse
    yes = right[:, None]
    chance = np.where(yes, guess + height * share, 1 - guess - height * share)
    a = np.where(yes, 1.0, -1.0) * height * share * (1 - share) / chance
    slope_a = np.where(shown, a * (1 - 2 * share) - a * a, 0.0)  # second derivative in eta
    a = np.where(shown, a, 0.0)
    by_t = -a * slope
    return TrialDerivatives(
        np.log(chance),
        by_t,
        a * eta,
        slope_a * slope**2,
        by_t - slope_a * eta * slope,
        a * eta + slope_a * eta**2,
    )
