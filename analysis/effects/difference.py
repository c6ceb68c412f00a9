"""The difference of two conditions per level with its standard error, of groups or of the same participants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inference.pooled_spread import pooled_spread
from .mover import Shares

Floats = NDArray[np.float64]
#: A level whose standard error is smaller than this share of its scores' range shows no spread.
_NONE = 1e-12


@dataclass(frozen=True, eq=False)
class Difference:
    """Difference of means per level; arrays have one entry per level unless said.

    Attributes
    ----------
    first, second : ndarray of float64
        Means over participants.
    n : ndarray of int64, shape (2, levels)
        Participants; the same twice where they saw both conditions.
    value, se, df : ndarray of float64
        First minus second, its standard error and the degrees of freedom; the error is 0 where no participant varies.
    skew : ndarray of float64
        Of the difference, as Hall's transformation takes it.
    sd : ndarray of float64
        What standardises the difference: SD within groups, or the root mean square of the two conditions' SDs.
    shares : Shares or None
        For accuracies: what intervals of shares need.
    within : bool
        Whether the same participants saw both conditions.
    """

    first: Floats
    second: Floats
    n: NDArray[np.int64]
    value: Floats
    se: Floats
    df: Floats
    skew: Floats
    sd: Floats
    shares: Shares | None
    within: bool

    @property
    def t(self) -> Floats:
        """Difference over its standard error; NaN where no participant varies."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.se > 0, self.value / self.se, np.nan)

    @property
    def by_shares(self) -> "NDArray[np.bool_]":
        """Levels whose interval comes from two intervals of shares: the only level, and those where no participant varies."""
        if self.shares is None:
            return np.zeros(len(self.value), dtype=bool)
        alone = np.count_nonzero(np.isfinite(self.value)) == 1
        return np.asarray((alone | ~(self.se > 0)) & np.isfinite(self.value))


def between(first: Floats, second: Floats, trials: tuple[Floats, Floats] | None) -> Difference:
    """Difference of two groups of participants, the spread of each pooled over the levels.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n, levels)
        One score per participant; NaN where there is none.
    trials : (ndarray, ndarray), optional
        Number of trials behind each score, of the same shapes, where scores are accuracies; None for other measures.

    Returns
    -------
    Difference
        d ± t(df) · se covers as promised where the spread of a group is alike at all levels.

    Examples
    --------
    >>> a, b = np.array([[0.9], [0.7], [0.8]]), np.array([[0.5], [0.7], [0.6]])
    >>> found = between(a, b, None)
    >>> found.value.round(3).tolist(), found.n.tolist()
    ([0.2], [[3], [3]])
    """
    rows = np.concatenate([first, second])
    member = np.arange(len(rows)) < len(first)
    spread = pooled_spread(rows, member, binomial=False)
    n = spread.n.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(spread.scale > 0, spread.scale * np.sqrt(spread.variance), 0.0)
        parts = spread.phi[:, None] / n
        df = spread.variance**2 / (parts**2 / np.maximum(n - 1, 1)).sum(axis=0)
        cubes = spread.phi[:, None] ** 1.5 / n**2
        skew = spread.skew * (cubes[0] - cubes[1]) / spread.variance**1.5
        within = ((n - 1) * spread.phi[:, None]).sum(axis=0) / np.maximum(n.sum(axis=0) - 2, 1)
        means = np.stack([_mean(first), _mean(second)])
    shares = None
    if trials is not None:
        phi = pooled_spread(rows, member, binomial=True).phi
        shares = Shares(means, _effective(n, phi, trials), n, np.zeros(rows.shape[1]))
    return Difference(
        means[0], means[1], spread.n, means[0] - means[1], se, df, skew, spread.scale * np.sqrt(within), shares, False
    )


def within(first: Floats, second: Floats, trials: tuple[Floats, Floats] | None) -> Difference:
    """Difference of two conditions that the same participants saw.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n, levels)
        Rows of the same participants; NaN where there is no score.
    trials : (ndarray, ndarray), optional
        As in :func:`between`.

    Returns
    -------
    Difference
        Of accuracies, the variance of the participants' differences is pooled over the levels in units of
        p₁(1 − p₁) + p₂(1 − p₂); of other measures, it is each level's own, as in the paired t test.

    Examples
    --------
    >>> a, b = np.array([[400.0], [420.0], [390.0]]), np.array([[410.0], [450.0], [395.0]])
    >>> found = within(a, b, None)
    >>> found.value.tolist(), found.df.tolist(), found.se.round(2).tolist()
    ([-15.0], [2.0], [7.64])
    """
    here = np.isfinite(first) & np.isfinite(second)
    a, b = np.where(here, first, np.nan), np.where(here, second, np.nan)
    n = here.sum(axis=0)
    means = np.stack([_mean(a), _mean(b)])
    value = means[0] - means[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.where(here, a - b - value, 0.0)
        squares = (gaps**2).sum(axis=0)
        own = squares / np.maximum(n - 1, 1)
        if trials is None:
            variance = np.where(n > 1, own, np.nan)
            cubes = (gaps**3).sum(axis=0) / n
            skew = np.where(own > 0, cubes / own**1.5, 0.0) / np.sqrt(n)
        else:
            unit = (means * (1 - means)).sum(axis=0)
            live = (unit > 0) & (n > 0)
            phi = ((squares[live] / unit[live]).sum() + 1) / (np.maximum(n[live] - 1, 0).sum() + 1)
            variance = np.where(live, phi * unit, 0.0)
            cells = max(int(n[live].sum()), 1)
            third = ((gaps[:, live] / np.sqrt(phi * unit[live])) ** 3).sum() / cells
            skew = third / np.sqrt(n)
        se = np.sqrt(variance / n)
        sd = np.sqrt((_variance(a) + _variance(b)) / 2)
    shares = None
    if trials is not None:
        rows, member = np.concatenate([a, b]), np.arange(2 * len(a)) < len(a)
        spread = pooled_spread(rows, member, binomial=True)
        counts = (np.where(here, trials[0], 0.0), np.where(here, trials[1], 0.0))
        shares = Shares(
            means, _effective(np.stack([n, n]).astype(float), spread.phi, counts), np.stack([n, n]), _r(a, b)
        )
    return Difference(means[0], means[1], np.stack([n, n]), value, se, np.maximum(n - 1.0, 1.0), skew, sd, shares, True)


def _effective(n: Floats, phi: Floats, trials: tuple[Floats, Floats]) -> Floats:
    """Trials as precise as the participants' mean: n / phi, no more than there were and no fewer than participants."""
    total = np.stack([np.nansum(one, axis=0) for one in trials])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(n / phi[:, None], n, np.maximum(total, n))


def _mean(values: Floats) -> Floats:
    here = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(here, values, 0.0).sum(axis=0) / here.sum(axis=0))


def _variance(values: Floats) -> Floats:
    here = np.isfinite(values)
    gaps = np.where(here, values - _mean(values), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((gaps**2).sum(axis=0) / (here.sum(axis=0) - 1))


def _r(a: Floats, b: Floats) -> Floats:
    """Correlation of the two conditions over participants, one for all levels; 0 where a condition never varies."""
    here = np.isfinite(a) & np.isfinite(b)
    x, y = (np.where(here, one - _mean(one), 0.0) for one in (a, b))
    below = np.sqrt((x * x).sum() * (y * y).sum())
    r = float((x * y).sum() / below) if below > _NONE else 0.0
    return np.full(a.shape[1], r)
