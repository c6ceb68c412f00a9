"""Likelihood of right and wrong answers under a logistic link with a guess rate, with its derivatives.

    P(correct) = g + (1 - g) logistic(eta)

A guess rate of 0 is the ordinary logit; of k answers guessing gets 1/k right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FARTHEST = 35.0


class Derivatives(NamedTuple):
    """Log likelihood of all answers and, per answer, derivatives in the linear predictor.

    Attributes
    ----------
    log_likelihood : float
        Summed.
    slope : ndarray, shape (n,)
        First derivative.
    weight, weight_slope : ndarray, shape (n,)
        Minus the second derivative (observed curvature), and its derivative.
    expected, expected_slope : ndarray, shape (n,)
        Expected curvature, which is never negative, and its derivative.
    """

    log_likelihood: float
    slope: Floats
    weight: Floats
    weight_slope: Floats
    expected: Floats
    expected_slope: Floats


def derivatives(right: "NDArray[np.bool_]", eta: Floats, guess: float) -> Derivatives:
    """Evaluate the likelihood of answers at linear predictors.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Which answers are correct.
    eta : ndarray, shape (n,)
        Linear predictors, in logits.
    guess : float
        Guess rate of the link, from 0 to below 1.

    Examples
    --------
    >>> found = derivatives(np.array([True, False]), np.zeros(2), 0.0)
    >>> found.slope, found.weight
    (array([ 0.5, -0.5]), array([0.25, 0.25]))
    """
    share = 1 / (1 + np.exp(-np.clip(eta, -_FARTHEST, _FARTHEST)))
    bend = share * (1 - share)
    turn = bend * (1 - 2 * share)
    if guess == 0:
        likelihood = np.log(np.where(right, share, 1 - share)).sum()
        return Derivatives(float(likelihood), right - share, bend, turn, bend, turn)
    mean = guess + (1 - guess) * share
    a = (1 - guess) * bend / mean
    a_slope = a * (1 - 2 * share) - a * a
    likelihood = np.log(np.where(right, mean, (1 - guess) * (1 - share))).sum()
    return Derivatives(
        float(likelihood),
        np.where(right, a, -share),
        np.where(right, -a_slope, bend),
        np.where(right, (2 * a - (1 - 2 * share)) * a_slope + 2 * a * bend, turn),
        (1 - guess) * bend * share / mean,
        (1 - guess) * bend / mean * ((1 - 2 * share) * share + bend - (1 - guess) * share * bend / mean),
    )
