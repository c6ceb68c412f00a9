"""The studentized difference of two groups whose spread is pooled over the levels, and its correction for skewness.

Accuracies of a dozen participants near the ceiling have a variance that one level cannot show. So each group gets one
number for all levels: its overdispersion, the variance between participants in units of the group's own p (1 - p)
(Chung & Romano 2013 on why relabelled statistics are studentized). Hall's transformation (1992) takes the skewness of
the difference away. Everything is a function of sums over a group, so that a relabelling needs one sum more than the
plain difference.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PooledSpread:
    """Result of :func:`pooled_spread`; arrays have one entry per level unless said.

    Attributes
    ----------
    phi : ndarray of float64, shape (2,)
        Spread of each group: variance between participants over all levels, in units of the group's own p (1 - p)
        (binomial) or of everybody's variance.
    skew : float
        Mean third power of all standardised scores; the same in every relabelling.
    variance : ndarray of float64, shape (levels,)
        Variance of the standardised difference: phi_1 / n_1 + phi_2 / n_2.
    t : ndarray of float64, shape (levels,)
        Standardised difference over the root of its variance; NaN where all scores are equal or a group has none.
    g : ndarray of float64, shape (levels,)
        t corrected for skewness.
    scale : ndarray of float64, shape (levels,)
        What a score is divided by: sqrt(p (1 - p)) of everybody, or everybody's standard deviation; 0 where
        all scores are equal. ``scale * sqrt(variance)`` is the standard error of the difference of the means.
    n : ndarray of int64, shape (2, levels)
        Participants of each group with a score.

    Examples
    --------
    >>> import rapidvision as rv
    >>> scores = [[0.9, 1.0], [0.8, 0.9], [0.4, 0.8], [0.3, 0.7]]
    >>> found = rv.analysis.pooled_spread(scores, [True, True, False, False], binomial=True)
    >>> (found.scale * found.variance**0.5).round(3).tolist()
    [0.323, 0.235]
    """

    phi: Floats
    skew: float
    variance: Floats
    t: Floats
    g: Floats
    scale: Floats
    n: NDArray[np.int64]


class Units(NamedTuple):
    """What standardises scores, and what each participant contributes: known without the groups.

    Attributes
    ----------
    centre, scale : ndarray of float64, shape (levels,)
        Everybody's mean, and what scores are divided by; 0 where all scores are equal.
    bend : ndarray of float64, shape (levels,)
        By how much p (1 - p) changes with the standardised mean; 0 without binomial units.
    squares : ndarray of float64, shape (n,)
        Sum over the levels of each participant's squared standardised scores.
    skew : float
        See :class:`PooledSpread`.
    binomial : bool
        Whether a group's own p (1 - p) is the unit of its spread.
    """

    centre: Floats
    scale: Floats
    bend: Floats
    squares: Floats
    skew: float
    binomial: bool

    @property
    def live(self) -> "NDArray[np.bool_]":
        """Levels at which participants vary."""
        return self.scale > 0


class Studentized(NamedTuple):
    """Both groups' spread, shape (…,), and per level, shape (…, levels): variance, t and g."""

    phi: tuple[Floats, Floats]
    variance: Floats
    t: Floats
    g: Floats


def pooled_spread(scores: ArrayLike, first: ArrayLike, *, binomial: bool) -> PooledSpread:
    """Studentize the difference of two groups at every level by spreads that are pooled over the levels.

    Parameters
    ----------
    scores : array_like, shape (n, levels)
        One row per participant, NaN where there is no score. Shares, 0 … 1, where `binomial`.
    first : array_like of bool, shape (n,)
        Who is in the first group.
    binomial : bool
        Whether the scores are shares, whose variance follows their mean; without it a group's spread is relative to
        everybody's variance, as for times and d'.

    Returns
    -------
    PooledSpread
        First group minus second.

    Raises
    ------
    InputError
        When shapes do not fit, a group is empty, or shares lie outside 0 … 1.

    Examples
    --------
    >>> import rapidvision as rv
    >>> scores = [[0.9, 1.0], [0.8, 0.9], [0.4, 0.8], [0.3, 0.7]]
    >>> found = rv.analysis.pooled_spread(scores, [True, True, False, False], binomial=True)
    >>> found.t.round(2).tolist(), found.phi.round(2).tolist()
    ([1.55, 0.85], [0.56, 0.31])
    """
    x = np.asarray(scores, dtype=float)
    member = np.asarray(first)
    if x.ndim != 2 or member.dtype != bool or member.shape != (len(x),):
        raise InputError(
            f"pooled spread: scores of shape {x.shape} and first of type {member.dtype} and shape {member.shape}; scores "
            "with a row per participant and a column per level are needed, and one True or False for each row"
        )
    if member.all() or not member.any():
        raise InputError(
            f"pooled spread: {int(member.sum())} of {len(x)} participants are in the first group; both need some"
        )
    here = np.isfinite(x)
    if binomial and here.any() and (np.nanmin(x) < 0 or np.nanmax(x) > 1):
        raise InputError(
            f"pooled spread: shares from {np.nanmin(x):g} to {np.nanmax(x):g}; binomial units need 0 to 1; give "
            "binomial=False for other measures"
        )
    x = np.where(here, x, 0.0)
    units = units_of(x, here, binomial=binomial)
    groups = [_sums(x[who], here[who], units, units.squares[who]) for who in (member, ~member)]
    found = studentized(*groups[0], *groups[1], units)
    return PooledSpread(
        phi=np.array([float(one) for one in found.phi]),
        skew=units.skew,
        variance=found.variance,
        t=found.t,
        g=found.g,
        scale=units.scale,
        n=np.array([here[who].sum(axis=0) for who in (member, ~member)]),
    )


def _sums(x: Floats, here: "NDArray[np.bool_]", units: Units, squares: Floats) -> tuple[Floats, Floats, Floats]:
    """Standardised mean, number with a score, and sum of squares of a group."""
    n = here.sum(axis=0).astype(float)
    return standardised_mean(x.sum(axis=0), n, units), n, np.asarray(squares.sum())


def units_of(scores: Floats, present: "NDArray[np.bool_]", *, binomial: bool) -> Units:
    """Standardise the scores of everybody.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, levels)
        0 where not present.
    present : ndarray of bool, shape (n, levels)
        Who has a score.
    binomial : bool
        See :func:`pooled_spread`.
    """
    n = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.where(n > 0, scores.sum(axis=0) / n, 0.0)
        gaps = np.where(present, scores - centre, 0.0)
        squares = (gaps**2).sum(axis=0)
        # below it a sum of squares is rounding: scores of at most 2**53 parts of their size
        varies = squares > 1e-24 * np.maximum(1.0, (np.abs(scores) ** 2).sum(axis=0))
        variance = centre * (1 - centre) if binomial else squares / (n - 1)
        scale = np.where(varies & (variance > 0), np.sqrt(np.maximum(variance, 0.0)), 0.0)
        bend = np.where(scale > 0, (1 - 2 * centre) / scale, 0.0) if binomial else np.zeros(len(scale))
        z = np.where(scale > 0, gaps / scale, 0.0)
    cells = int(n[scale > 0].sum())
    return Units(centre, scale, bend, (z**2).sum(axis=1), float((z**3).sum() / max(cells, 1)), binomial)


def standardised_mean(sums: Floats, n: Floats, units: Units) -> Floats:
    """A group's mean in standard units from the sum of its scores, shape (…, levels); 0 where it has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(units.live & (n > 0), (sums / n - units.centre) / units.scale, 0.0)


def spread_of(mean: Floats, n: Floats, squares: Floats, units: Units) -> Floats:
    """Spread of a group from its standardised means, numbers and sum of squares: one observation of 1 beside the data."""
    n = np.where(units.live, n, 0.0)
    within = squares - (n * mean * mean).sum(axis=-1) + 1.0
    own = np.maximum(1.0 + units.bend * mean - mean * mean, 0.0) if units.binomial else 1.0
    return np.asarray(np.maximum(within, 1e-12) / ((np.maximum(n - 1, 0.0) * own).sum(axis=-1) + 1.0))


def studentized(
    mean_1: Floats, n_1: Floats, squares_1: Floats, mean_2: Floats, n_2: Floats, squares_2: Floats, units: Units
) -> Studentized:
    """Studentize differences, for one division into groups or many at once.

    Parameters
    ----------
    mean_1, n_1, mean_2, n_2 : ndarray, shape (…, levels)
        Standardised means and numbers of participants.
    squares_1, squares_2 : ndarray, shape (…,)
        Sums of squares.
    units : Units
        Of everybody.
    """
    phi_1, phi_2 = spread_of(mean_1, n_1, squares_1, units), spread_of(mean_2, n_2, squares_2, units)
    wide_1, wide_2 = phi_1[..., None], phi_2[..., None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        variance = wide_1 / n_1 + wide_2 / n_2
        t = np.where((n_1 > 0) & (n_2 > 0) & units.live, (mean_1 - mean_2) / np.sqrt(variance), np.nan)
        a = units.skew * (wide_1**1.5 / n_1**2 - wide_2**1.5 / n_2**2) / variance**1.5
        g = t + a * t * t / 3 + a * a * t**3 / 27 + a / 6
    return Studentized((phi_1, phi_2), variance, t, g)
