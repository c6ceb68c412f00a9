"""Intervals of differences from the intervals of two shares (MOVER: Newcombe, 1998; Zou & Donner, 2008)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shares:
    """Two conditions' mean accuracies per level, and on how much they stand.

    Attributes
    ----------
    mean : ndarray of float64, shape (2, levels)
        Mean over participants.
    trials : ndarray of float64, shape (2, levels)
        Effective trials: how many independent trials would be as precise.
    n : ndarray, shape (2, levels)
        Participants.
    r : ndarray of float64, shape (levels,)
        Correlation of the two means: 0 between groups.
    """

    mean: Floats
    trials: Floats
    n: Floats
    r: Floats


def wilson(share: Floats, trials: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Wilson's interval of a share.

    Examples
    --------
    >>> low, high = wilson(np.array([1.0]), np.array([10.0]), np.array([1.959964]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.722], [1.0])
    """
    scaled = z * z / trials
    centre = (share + scaled / 2) / (1 + scaled)
    half = z / (1 + scaled) * np.sqrt(np.maximum(share * (1 - share) / trials + scaled / trials / 4, 0))
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def _same(share: Floats) -> Floats:
    return share


def arcsine(share: Floats) -> Floats:
    """Twice the arcsine of the root, whose difference is Cohen's h."""
    return np.asarray(2 * np.arcsin(np.sqrt(share)))


def log_odds(share: Floats) -> Floats:
    """Log odds; infinite at 0 and 1."""
    from scipy.special import logit

    return np.asarray(logit(share))


def effect_of(
    shares: Shares,
    confidence: float,
    scale: Callable[[Floats], Floats] = _same,
    *,
    finite: bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Difference of two shares on a scale with its interval: square-and-add of two Wilson intervals.

    Parameters
    ----------
    shares : Shares
        Both conditions.
    confidence : float
        Such as 0.95.
    scale : callable, default: as they are
        Monotone: :func:`arcsine` for Cohen's h, :func:`log_odds` for the log odds ratio.
    finite : bool
        Half a trial is added to both outcomes for the estimate, as log odds of 0 and 1 are infinite.

    Returns
    -------
    effect, low, high : ndarray of float64, shape (levels,)
        First minus second.
    """
    from scipy.stats import t as student

    z = np.asarray(student.ppf(0.5 + confidence / 2, np.maximum(shares.n - 1, 1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = wilson(shares.mean, shares.trials, z)
        mean = (shares.mean * shares.trials + 0.5) / (shares.trials + 1) if finite else shares.mean
        centre, low, high = scale(mean), scale(ends[0]), scale(ends[1])
        down, up = centre - low, high - centre
        effect = centre[0] - centre[1]
        # products of an infinite and a zero distance count as infinite: nothing is known on that side
        low_side = _apart(down[0], up[1], shares.r)
        high_side = _apart(up[0], down[1], shares.r)
    return effect, effect - low_side, effect + high_side


def _apart(one: Floats, other: Floats, r: Floats) -> Floats:
    squares = one * one + other * other - 2 * r * np.where(np.isfinite(one * other), one * other, 0.0)
    return np.sqrt(np.maximum(squares, 0.0))
