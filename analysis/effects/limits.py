"""Intervals, equivalence and standardised differences from one difference per level."""

import numpy as np
from numpy.typing import NDArray

from .difference import Difference
from .mover import effect_of

Floats = NDArray[np.float64]


def limits(found: Difference, confidence: float) -> tuple[Floats, Floats]:
    """Interval of the difference per level: d ± t(df) · se; from two intervals of shares where there is nothing to pool.

    Examples
    --------
    >>> from .difference import within
    >>> low, high = limits(within(np.array([[3.0], [5.0], [4.0]]), np.array([[1.0], [2.0], [3.0]]), None), 0.95)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([-0.48], [4.48])
    """
    from scipy.stats import t as student

    half = student.ppf(0.5 + confidence / 2, found.df) * np.where(found.se > 0, found.se, np.nan)
    low, high = found.value - half, found.value + half
    if found.shares is not None:
        _, low_s, high_s = effect_of(found.shares, confidence)
        low, high = (np.where(found.by_shares, a, b) for a, b in ((low_s, low), (high_s, high)))
        low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
    return low, high


def hall(t: Floats, skew: Floats) -> Floats:
    """Hall's transformation (1992): takes the skewness of a t statistic away; monotone.

    Examples
    --------
    >>> hall(np.array([1.5]), np.array([0.0])).tolist()
    [1.5]
    """
    return np.asarray(t + skew * t * t / 3 + skew * skew * t**3 / 27 + skew / 6)


def inverse_hall(g: Floats, skew: Floats) -> Floats:
    """The t whose transformation is g.

    Examples
    --------
    >>> inverse_hall(hall(np.array([1.5]), np.array([0.3])), np.array([0.3])).round(9).tolist()
    [1.5]
    """
    safe = np.where(np.abs(skew) > 1e-9, skew, 1.0)
    return np.where(np.abs(skew) > 1e-9, 3 / safe * (np.cbrt(1 + safe * (g - safe / 6)) - 1), g)


def equivalence(found: Difference, bound: float, alpha: float) -> tuple[Floats, Floats, Floats]:
    """Test by two one-sided tests whether the difference lies within ± bound.

    Parameters
    ----------
    found : Difference
        With its skewness, which one-sided tests need.
    bound : float
        Above 0, in units of the difference.
    alpha : float
        Level of each one-sided test.

    Returns
    -------
    p : ndarray of float64, shape (levels,)
        The larger p of the two.
    low, high : ndarray of float64, shape (levels,)
        Interval of 1 - 2 alpha; equivalent where it lies within the bounds, which is where p ≤ alpha.

    Examples
    --------
    >>> from .difference import within
    >>> a = np.array([[0.80], [0.82], [0.78], [0.81], [0.79]])
    >>> p, low, high = equivalence(within(a, a[::-1], None), 0.05, 0.05)
    >>> bool(p[0] < 0.05), bool(-0.05 < low[0] < high[0] < 0.05)
    (True, True)
    """
    from scipy.stats import t as student

    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(found.se > 0, found.se, np.nan)
        above = student.sf(hall((found.value + bound) / se, found.skew), found.df)
        below = student.cdf(hall((found.value - bound) / se, found.skew), found.df)
        q = np.asarray(student.isf(alpha, found.df), dtype=float)
        low = found.value - inverse_hall(q, found.skew) * se
        high = found.value - inverse_hall(-q, found.skew) * se
    p = np.maximum(above, below)
    if found.shares is not None and found.by_shares.any():
        own = _alpha_of_shares(found, bound)
        _, low_s, high_s = effect_of(found.shares, 1 - 2 * alpha)
        p, low, high = (
            np.where(found.by_shares, one, other) for one, other in ((own, p), (low_s, low), (high_s, high))
        )
    return p, low, high


def _alpha_of_shares(found: Difference, bound: float) -> Floats:
    """The alpha at which the interval from two intervals of shares touches the bound, by bisection.

    A difference within the bounds has it below one half: the smallest at which the interval lies within. One beyond them
    has one minus that at which the interval no longer holds the bound.
    """
    shares = found.shares
    assert shares is not None
    low, high = np.zeros(len(found.value)), np.full(len(found.value), 0.5)
    inside = np.abs(found.value) < bound
    for _ in range(50):
        middle = (low + high) / 2
        ends = np.array([[end[at] for end in effect_of(shares, 1 - 2 * one)[1:]] for at, one in enumerate(middle)])
        within = (ends[:, 0] > -bound) & (ends[:, 1] < bound)
        without = np.where(found.value > 0, ends[:, 0] > bound, ends[:, 1] < -bound)
        fits = np.where(inside, within, without)
        high, low = np.where(fits, middle, high), np.where(fits, low, middle)
    return np.where(np.isfinite(found.value), np.where(inside, high, 1 - high), np.nan)


def standardised(found: Difference, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Standardised difference (Hedges' g; with its small-sample factor) and its interval by the noncentral t.

    Groups: the difference over the SD within groups. The same participants: over the root mean square of the conditions'
    SDs, so that it compares with groups, the interval scaled from that of the paired t (Algina & Keselman, 2003).

    Examples
    --------
    >>> from .difference import within
    >>> rng = np.random.default_rng(1)
    >>> a = rng.normal(0.5, 1, (30, 1))
    >>> d, low, high = standardised(within(a, a - 0.5 + rng.normal(0, 0.3, (30, 1)), None), 0.95)
    >>> bool(low[0] < d[0] < high[0])
    True
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = found.df if found.within else np.maximum(found.n.sum(axis=0) - 2.0, 1.0)
        factor = np.where(freedom > 1, 1 - 3 / (4 * freedom - 1), np.nan)
        unit = np.where(found.sd > 0, found.se / found.sd, np.nan) * factor
    t, tail = found.t, (1 - confidence) / 2
    low = np.array([_noncentrality(one, df, 1 - tail) for one, df in zip(t, found.df, strict=True)])
    high = np.array([_noncentrality(one, df, tail) for one, df in zip(t, found.df, strict=True)])
    return t * unit, low * unit, high * unit


def _noncentrality(t: float, df: float, share: float) -> float:
    """The noncentrality under which `share` of t statistics lie below `t`."""
    if not np.isfinite(t):
        return float("nan")
    from scipy.optimize import brentq
    from scipy.stats import nct, norm

    def excess(delta: float) -> float:
        below = float(nct.cdf(t, df, delta))
        if not np.isfinite(below):  # far from t the exact distribution underflows
            below = float(norm.cdf((t - delta) / np.sqrt(1 + t * t / (2 * df))))
        return below - share

    width = 6.0 * np.sqrt(1 + t * t / (2 * df)) + 6
    return float(brentq(excess, t - width, t + width, xtol=1e-9))
