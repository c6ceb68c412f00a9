"""How well a network's maps agree with human maps, image by image, beside what the centre alone and other images give."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import unit_ranks
from rapidvision.seeds import stream

Floats = NDArray[np.float64]
#: What :class:`MapAgreement` measures per image.
MEASURES = ("rho", "partial", "own_minus_other", "overlap", "energy")
#: Share of the places that count as a map's top.
TOP_SHARE = 0.2
#: Shares of variance below this are rounding.
_NOTHING = 1e-12


class Interval(NamedTuple):
    """A mean over images with its percentile bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class MapAgreement:
    """Agreement of maps with human maps of the same images.

    Attributes
    ----------
    rho : ndarray, shape (n,)
        Spearman correlation with the human map of the same image; NaN where one of the two is flat.
    partial : ndarray, shape (n,)
        The same given the centre map: the rank correlation that is left when both are predicted from it; NaN where
        nothing is left of a map.
    own_minus_other : ndarray, shape (n,)
        rho minus the mean correlation with the human maps of the other images.
    overlap : ndarray, shape (n,)
        Share of the human map's top places that are the map's top places too; chance is the share itself.
    energy : ndarray, shape (n,)
        Share of the map's sum on the human map's top places.
    matrix : ndarray, shape (n, n)
        Correlation of each map (row) with each image's human map (column).
    n_flat : int
        Images that have no correlation because a map is flat; they are left out of every mean.
    """

    rho: Floats
    partial: Floats
    own_minus_other: Floats
    overlap: Floats
    energy: Floats
    matrix: Floats
    n_flat: int

    @cached_property
    def used(self) -> "NDArray[np.bool_]":
        """Images that have a correlation."""
        return np.isfinite(self.rho)

    def interval(
        self, measure: str = "rho", *, level: float = 0.95, n_resamples: int = 2000, seed: int = 0
    ) -> Interval:
        """Mean of a measure over images, with a bootstrap interval over images.

        Parameters
        ----------
        measure : str
            One of :data:`MEASURES`.
        level : float, default 0.95
            Of the interval.
        n_resamples : int, default 2000
            Bootstrap samples.
        seed : int, default 0
            Of these.

        Returns
        -------
        Interval
            Mean, low, high; NaN where no image has the measure.
        """
        if measure not in MEASURES:
            raise InputError(f'agreement: measure "{measure}"; choose {", ".join(MEASURES)}')
        return interval_of(getattr(self, measure), level=level, n_resamples=n_resamples, seed=seed)

    def p_value(self, *, n_resamples: int = 9999, seed: int = 0) -> float:
        """Probability of a mean rho this large when maps and images are paired at random.

        A randomization test over images: centre bias is in every pairing, so it cannot make the result small.

        Parameters
        ----------
        n_resamples : int, default 9999
            Random pairings; the observed one is counted too.
        seed : int, default 0
            Of these.

        Returns
        -------
        float
            One-sided; at least 1 / (`n_resamples` + 1).
        """
        matrix = self.matrix[np.ix_(self.used, self.used)]
        n = len(matrix)
        if n < 2:
            raise InputError(f"agreement: {n} images with a correlation; a test needs at least 2")
        rng, observed, rows = stream(seed, "agreement"), float(np.trace(matrix)), np.arange(n)
        slack = 1e-9 * n  # a pairing that is the observed one again adds up in another order
        counted = sum(float(matrix[rows, rng.permutation(n)].sum()) >= observed - slack for _ in range(n_resamples))
        return (1 + counted) / (1 + n_resamples)


def map_agreement(
    maps: ArrayLike, human: ArrayLike, *, centre: ArrayLike | None = None, top: float = TOP_SHARE
) -> MapAgreement:
    """Compare a network's maps with human maps of the same images.

    A plain correlation is mostly centre bias: maps of other images correlate too. Read `rho` beside `partial` and
    `own_minus_other`, which the centre alone cannot raise.

    Parameters
    ----------
    maps : array_like, shape (n, height, width)
        Where the network looks; finite.
    human : array_like, shape (n, height, width)
        Human maps on the same grid; finite.
    centre : array_like, shape (height, width) or (n, height, width), optional
        What is predictable without the image; by default, for each image, the mean human map of the others.
    top : float, default 0.2
        Share of the places that count as a map's top.

    Returns
    -------
    MapAgreement
        A value per image and measure.

    Raises
    ------
    InputError
        When shapes differ, there are fewer than two images, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> human = np.random.default_rng(0).random((5, 6, 6))
    >>> found = rv.models.map_agreement(human**2, human)
    >>> found.rho.round(6).tolist(), found.overlap.tolist()
    ([1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (maps, human))
    if a.ndim != 3 or a.shape != b.shape or len(a) < 2:
        raise InputError(
            f"agreement: maps of shape {a.shape} and human maps of shape {b.shape}; both must be (n, height, width) with n >= 2"
        )
    if not 0 < top < 1:
        raise InputError(f"agreement: top {top}; a share between 0 and 1 is needed")
    n = len(a)
    c = (b.sum(0) - b) / (n - 1) if centre is None else np.broadcast_to(np.asarray(centre, dtype=np.float64), b.shape)
    x, y, z = (unit_ranks(values.reshape(n, -1)) for values in (a, b, c))
    matrix: Floats = x @ y.T
    rho = np.diag(matrix).copy()
    others = (np.nansum(np.where(np.eye(n, dtype=bool), np.nan, matrix), 1)) / np.maximum(
        np.isfinite(np.where(np.eye(n, dtype=bool), np.nan, matrix)).sum(1), 1
    )
    with_maps, with_human = np.einsum("ij,ij->i", x, z), np.einsum("ij,ij->i", y, z)
    left = np.minimum(1 - with_maps**2, 1 - with_human**2)
    bottom = np.sqrt((1 - with_maps**2).clip(0) * (1 - with_human**2).clip(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        partial = np.where(left > _NOTHING, (rho - with_maps * with_human) / bottom, np.nan)
    mine, theirs = (_top(values.reshape(n, -1), top) for values in (a, b))
    flat = ~np.isfinite(rho)
    overlap = (mine & theirs).sum(1) / theirs.sum(1)
    positive = a.reshape(n, -1) - np.minimum(a.reshape(n, -1).min(1, keepdims=True), 0)
    energy = (positive * theirs).sum(1) / np.maximum(positive.sum(1), 1e-300)
    overlap[flat], energy[flat] = np.nan, np.nan
    return MapAgreement(rho, partial, rho - others, overlap, energy, matrix, int(flat.sum()))


def _top(values: Floats, share: float) -> "NDArray[np.bool_]":
    """The highest places of each row, `share` of them; the first ones where values are equal."""
    k = max(1, round(share * values.shape[1]))
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-values, axis=1, kind="stable")[:, :k], True, axis=1)
    return chosen


def interval_of(values: ArrayLike, *, level: float = 0.95, n_resamples: int = 2000, seed: int = 0) -> Interval:
    """Mean over images with a percentile bootstrap interval; values that are not finite are left out.

    Examples
    --------
    >>> interval_of([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    each: Any = np.asarray(values, dtype=np.float64)
    each = each[np.isfinite(each)]
    if not len(each):
        return Interval(float("nan"), float("nan"), float("nan"))
    drawn = stream(seed, "interval").integers(0, len(each), (n_resamples, len(each)))
    low, high = np.quantile(each[drawn].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(each.mean()), float(low), float(high))


def centre_map(height: int, width: int, *, sigma: float = 0.25) -> Floats:
    """Return a Gaussian in the middle: the map of someone who always looks there.

    Parameters
    ----------
    height, width : int
        In places.
    sigma : float, default 0.25
        Standard deviation as a share of the shorter side.

    Returns
    -------
    ndarray, shape (height, width)
        1 at its highest, in the middle.

    Examples
    --------
    >>> centre_map(3, 3).argmax()
    np.int64(4)
    """
    y, x = (np.arange(side) - (side - 1) / 2 for side in (height, width))
    return np.asarray(np.exp(-(y[:, None] ** 2 + x**2) / (2 * (sigma * min(height, width)) ** 2)))


def split_half(participants: ArrayLike, *, n_splits: int = 10, seed: int = 0) -> float:
    """Correlation between the maps of two halves of an image's participants: a noise ceiling.

    Parameters
    ----------
    participants : array_like, shape (participants, height, width)
        One map per participant.
    n_splits : int, default 10
        Random halves; the mean over them is returned.
    seed : int, default 0
        Of these.

    Returns
    -------
    float
        Spearman correlation of two halves. A map of all participants is more reliable; NaN where a half is flat.

    Examples
    --------
    >>> split_half(np.tile(np.arange(6.0).reshape(2, 3), (4, 1, 1)))
    1.0
    """
    each = np.asarray(participants, dtype=np.float64)
    if each.ndim != 3 or len(each) < 2:
        raise InputError(
            f"split_half: maps of shape {each.shape}; (participants, height, width) with 2 participants is needed"
        )
    found = []
    for split in range(n_splits):
        order = stream(seed, "halves", split).permutation(len(each))
        halves = [each[part].sum(0).reshape(-1) for part in np.array_split(order, 2)]
        one, two = unit_ranks(np.stack(halves))
        found.append(float(one @ two))
    return round(float(np.mean(found)), 12)
