"""Non-inferiority of paired shares near 1: score statistic, and its p under a beta-binomial null fitted at the margin.

Near 1 the differences of participants are skewed, and tests that assume nothing about them do not keep their level: with
fewer than 59 participants none can that would ever declare anything. So the null is modelled: every participant's
answers are beta-binomial with one intraclass correlation, the mean shares lie exactly the margin apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Samples of the null.
N_SAMPLES = 1999
_LEAST_RHO, _MOST_RHO = 1e-4, 0.9
#: Two statistics closer than this are equal.
_TIE = 1e-12


@dataclass(frozen=True, eq=False)
class Counts:
    """Scores of participants in one cell, of `trials` answers each (at least one)."""

    score: Floats
    trials: Ints

    @property
    def share(self) -> float:
        """Mean of participants' shares: every participant weighs the same."""
        return float(np.mean(self.score / self.trials))


@dataclass(frozen=True)
class NonInferiority:
    """Result of :func:`noninferiority`.

    Attributes
    ----------
    p : float
        One-sided p of "less than the margin below": (b + 1) / (n_samples + 1), and by the closed form where the observed
        shortfall is at least the margin.
    z : float
        Score statistic.
    rho, rho_pooled : float
        Intraclass correlation of the two cells, and pooled over the lower levels; the larger one is used.
    """

    p: float
    z: float
    rho: float
    rho_pooled: float


def noninferiority(
    full: Counts, level: Counts, pooled: Sequence[Counts], *, margin: float, rng: np.random.Generator,
    n_samples: int = N_SAMPLES,
) -> NonInferiority:  # fmt: skip
    """Test whether a level lies less than a margin below the intact image.

    Parameters
    ----------
    full, level : Counts
        The same participants in both cells.
    pooled : sequence of Counts
        Levels below the intact image, for the pooled intraclass correlation.
    margin : float
        As a share.
    rng : numpy.random.Generator
        Of the samples.
    n_samples : int
        Samples of the fitted null.

    Returns
    -------
    NonInferiority
        p is NaN with fewer than two participants.

    Examples
    --------
    >>> full = Counts(np.full(20, 7.0), np.full(20, 7))
    >>> near, far = Counts(np.repeat([7.0, 6.0], [19, 1]), np.full(20, 7)), Counts(np.full(20, 5.0), np.full(20, 7))
    >>> rng = np.random.default_rng(1)
    >>> p = [noninferiority(full, one, [near, far], margin=0.05, rng=rng).p for one in (near, far)]
    >>> p[0] < 0.1, p[1] > 0.9
    (True, True)
    """
    n = len(full.score)
    if n < 2:
        return NonInferiority(np.nan, np.nan, np.nan, np.nan)
    shares = np.array([full.share]), np.array([level.share])
    top = _constrained(*shares, margin)
    own = _correlation([(full, float(top[0])), (level, float(top[0]) - margin)])
    below = _correlation([(one, one.share) for one in pooled if len(one.score) > 1])
    rho = max(own, below)
    spread = [float(np.mean(rho + (1 - rho) / cell.trials)) / n for cell in (full, level)]
    z = float(_score(*shares, spread, margin)[0])
    if z <= 0:
        from scipy.special import stdtr

        return NonInferiority(float(stdtr(n - 1, -z)), z, own, below)
    first = _mean_shares(full.trials, float(top[0]), rho, n_samples, rng)
    second = _mean_shares(level.trials, float(top[0]) - margin, rho, n_samples, rng)
    extreme = int(np.count_nonzero(_score(first, second, spread, margin) >= z - _TIE))
    return NonInferiority((extreme + 1) / (n_samples + 1), z, own, below)


def _constrained(full: Floats, level: Floats, margin: float) -> Floats:
    """Most likely share with the intact image if the level lies exactly the margin below (Farrington & Manning 1990)."""
    low, high = np.full_like(full, margin + 1e-9), np.full_like(full, 1 - 1e-9)
    for _ in range(45):
        x = (low + high) / 2
        rising = (full - x) / (x * (1 - x)) + (level - x + margin) / ((x - margin) * (1 - x + margin)) > 0
        low, high = np.where(rising, x, low), np.where(rising, high, x)
    return np.asarray((low + high) / 2)


def _score(full: Floats, level: Floats, spread: Sequence[float], margin: float) -> Floats:
    x = _constrained(full, level, margin)
    y = x - margin
    return np.asarray((level - full + margin) / np.sqrt(x * (1 - x) * spread[0] + y * (1 - y) * spread[1]))


def _correlation(cells: Sequence[tuple[Counts, float]]) -> float:
    """Intraclass correlation by moments around given means."""
    above = below = 0.0
    for cell, mean in cells:
        variance = mean * (1 - mean)
        each = float(np.mean(1 / cell.trials))
        above += float(np.var(cell.score / cell.trials, ddof=1)) - variance * each
        below += variance * (1 - each)
    return float(np.clip(above / max(below, 1e-9), _LEAST_RHO, _MOST_RHO))


def _mean_shares(trials: Ints, mean: float, rho: float, n_samples: int, rng: np.random.Generator) -> Floats:
    """Samples of the mean share of beta-binomial participants.

    Participants with the same number of trials are drawn together, as the multinomial numbers of those with each score:
    the cost does not depend on the number of participants, nor the result on their order.
    """
    from scipy.special import betaln, gammaln

    strength = 1 / rho - 1
    a, b = mean * strength, (1 - mean) * strength
    total = np.zeros(n_samples)
    for t, people in zip(*np.unique(trials, return_counts=True), strict=True):
        k = np.arange(t + 1)
        ways = gammaln(t + 1) - gammaln(k + 1) - gammaln(t - k + 1)
        chances = np.exp(ways + betaln(k + a, t - k + b) - betaln(a, b))
        total += rng.multinomial(people, chances / chances.sum(), size=n_samples) @ (k / t)
    return np.asarray(total / len(trials))
