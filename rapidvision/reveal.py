"""The reveal series: one pixel order per image and map; every level is a prefix of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

INTACT_LABEL = "full"


def level_fractions(n_levels: int, lowest: float) -> NDArray[np.float64]:
    """Return log-spaced fractions of the features, from `lowest` to 1.

    Parameters
    ----------
    n_levels : int
        How many levels, ≥ 2, the intact image not counted.
    lowest : float
        The smallest fraction, above 0 and below 1.

    Returns
    -------
    ndarray of float64, shape (n_levels,)
        Increasing; the last is exactly 1.

    Examples
    --------
    >>> [round(100 * float(f), 1) for f in level_fractions(11, 0.01)]
    [1.0, 1.6, 2.5, 4.0, 6.3, 10.0, 15.8, 25.1, 39.8, 63.1, 100.0]
    """
    if n_levels < 2 or not 0 < lowest < 1:
        raise InputError(f"levels: got {n_levels} from {lowest}; allowed are 2 or more, from above 0 to below 1")
    fractions = np.logspace(np.log10(lowest), 0, n_levels)
    fractions[-1] = 1.0
    return fractions


def level_label(fraction: float | None) -> str:
    """Return a level's name in per cent of the features; the intact image is ``full``.

    Examples
    --------
    >>> level_label(0.398), level_label(1.0), level_label(None)
    ('39.8', '100', 'full')
    """
    return INTACT_LABEL if fraction is None else f"{100 * fraction:.3g}"


def level_counts(n_revealed_px: int, fractions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the exact number of revealed pixels at each level.

    Parameters
    ----------
    n_revealed_px : int
        Pixels at 100 % of the features.
    fractions : ndarray of float64, shape (n_levels,)
        As from :func:`level_fractions`.

    Returns
    -------
    ndarray of int64, shape (n_levels,)
        Strictly increasing.

    Raises
    ------
    InputError
        When two levels would show the same number of pixels.

    Examples
    --------
    >>> level_counts(9830, level_fractions(11, 0.01)).tolist()
    [98, 156, 247, 391, 620, 983, 1558, 2469, 3913, 6202, 9830]
    """
    counts = np.maximum(1, np.floor(fractions * n_revealed_px + 0.5)).astype(np.int64)
    if np.any(np.diff(counts) <= 0):
        raise InputError(
            f"levels: {n_revealed_px} pixels are too few for {len(fractions)} different levels; "
            "use fewer levels, a larger image or a larger budget"
        )
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class RevealSeries:
    """The order in which an image's pixels appear, and how many at each level.

    Parameters
    ----------
    order : ndarray of int32, shape (n_revealed_px,)
        Raster indices of the pixels, most important first; no index twice.
    shape : tuple of int
        Height and width of the image in pixels.
    counts : ndarray of int64, shape (n_levels,)
        Revealed pixels per level, strictly increasing; the last is ``len(order)``.
    shift_px : tuple of int, default (0, 0)
        Rows and columns by which revealed pixels move on the canvas, so that the revealed region is centred.

    Raises
    ------
    InputError
        When order, counts or shift do not fit the shape.

    Examples
    --------
    >>> series = RevealSeries(np.array([4, 1, 0], np.int32), (2, 3), np.array([1, 3]))
    >>> series.mask(0).astype(int).tolist()
    [[0, 0, 0], [0, 1, 0]]
    """

    order: NDArray[np.int32]
    shape: tuple[int, int]
    counts: NDArray[np.int64]
    shift_px: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        height, width = self.shape
        order = np.asarray(self.order)
        if order.ndim != 1 or order.size == 0 or order.min() < 0 or order.max() >= height * width:
            raise InputError(f"reveal order: indices must lie in an image of {height} x {width} pixels")
        if np.bincount(order, minlength=height * width).max() > 1:
            raise InputError("reveal order: a pixel appears twice")
        counts = np.asarray(self.counts)
        if counts.size == 0 or counts[0] < 1 or counts[-1] != order.size or np.any(np.diff(counts) <= 0):
            raise InputError(f"reveal counts: got {counts.tolist()}; they must rise to {order.size}")
        rows, columns = np.divmod(order, width)
        down, right = self.shift_px
        inside = rows.min() + down >= 0 and rows.max() + down < height
        if not (inside and columns.min() + right >= 0 and columns.max() + right < width):
            raise InputError(f"reveal shift: {self.shift_px} moves revealed pixels out of the frame")

    @property
    def n_levels(self) -> int:
        """Number of levels, the intact image not counted."""
        return len(self.counts)

    def target_indices(self) -> NDArray[np.int64]:
        """Raster indices on the canvas where the pixels of `order` are drawn; shape (n_revealed_px,)."""
        rows, columns = np.divmod(self.order.astype(np.int64), self.shape[1])
        return (rows + self.shift_px[0]) * self.shape[1] + columns + self.shift_px[1]

    def mask(self, level_index: int) -> NDArray[np.bool_]:
        """Which canvas pixels show the image at a level; bool, shape (height, width)."""
        mask = np.zeros(self.shape[0] * self.shape[1], bool)
        mask[self.target_indices()[: self.counts[level_index]]] = True
        return mask.reshape(self.shape)

    def compose(self, image: NDArray[np.uint8], canvas: NDArray[np.uint8], level_index: int) -> NDArray[np.uint8]:
        """Draw the revealed pixels of `image` on `canvas`.

        Parameters
        ----------
        image, canvas : ndarray of uint8, shape (height, width, 3)
            The image and the background (phase-scrambled, grey …).
        level_index : int
            0 … n_levels - 1.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
            A new image.
        """
        if image.shape != canvas.shape or image.shape[:2] != tuple(self.shape):
            raise InputError(f"compose: image {image.shape} and canvas {canvas.shape} must both be {self.shape} x 3")
        count = int(self.counts[level_index])
        out = canvas.reshape(-1, canvas.shape[2]).copy()
        out[self.target_indices()[:count]] = image.reshape(-1, image.shape[2])[self.order[:count]]
        return out.reshape(canvas.shape)
