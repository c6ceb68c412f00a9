"""From an image, a canvas and a reveal series to the finished images of all levels."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..image.colorspace import LINEAR, to_coded
from ..png.series import SeriesWriter
from ..recipe_tables import Reveal


def levels_of(
    image: NDArray[np.uint8], canvas: NDArray[np.uint8], series: RevealSeries, reveal: Reveal
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_] | None]]:
    """Yield each level's image and the rows that changed since the level before (None: all).

    Parameters
    ----------
    image, canvas : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    series : RevealSeries
        Order, counts and shift.
    reveal : Reveal
        Edge and light.

    Yields
    ------
    (ndarray of uint8, ndarray of bool or None)
        The image is overwritten by the next level; copy it to keep it.
    """
    if reveal.varies == "contrast":
        (*_, (whole, _)) = levels_of(image, canvas, series, msgspec.structs.replace(reveal, varies=msgspec.UNSET))
        for share in reveal.fractions.tolist():
            yield _mixed(whole, canvas, share, reveal), None
        return
    if reveal.feather_px > 0:
        for level in range(series.n_levels):
            yield _feathered(image, canvas, series, level, reveal), None
        return
    width = series.shape[1]
    targets = series.target_indices()
    out = canvas.copy()
    flat, source = out.reshape(-1, 3), image.reshape(-1, 3)
    drawn = 0
    for count in series.counts:
        new = targets[drawn:count]
        flat[new] = source[series.order[drawn:count]]
        changed = np.zeros(series.shape[0], bool)
        changed[new // width] = True
        yield out, changed if drawn else None
        drawn = int(count)


def encoded_levels(
    image: NDArray[np.uint8], canvas: NDArray[np.uint8], series: RevealSeries, reveal: Reveal, titles: list[str]
) -> Iterator[bytes]:
    """Yield the PNG file of each level; `titles` name them in order."""
    writer = SeriesWriter(*series.shape)
    for title, (pixels, changed) in zip(titles, levels_of(image, canvas, series, reveal), strict=True):
        yield writer.encode(pixels, title=title, changed_rows=changed)


def soft_mask(series: RevealSeries, level: int, feather_px: int) -> NDArray[np.float64]:
    """Return how much of the image shows at each canvas pixel, 0 … 1, for a soft edge of `feather_px`.

    A linear ramp across the edge of the hard mask, moved in or out until the sum equals the level's count within
    half a pixel, so that soft and hard edges show the same amount.

    Parameters
    ----------
    series : RevealSeries
        Order, counts and shift.
    level : int
        Which level, from 0.
    feather_px : int
        Width of the ramp in pixels, above 0.

    Returns
    -------
    ndarray of float64, shape (height, width)
        0 … 1.
    """
    from scipy.ndimage import distance_transform_edt

    mask = series.mask(level)
    outside = distance_transform_edt(~mask) if not mask.all() else np.zeros(mask.shape)
    signed = np.where(mask, distance_transform_edt(mask) - 0.5, 0.5 - outside)
    within = _shifted_frame(series)
    count = int(series.counts[level])
    low, high = -float(max(mask.shape)) - feather_px, float(max(mask.shape)) + feather_px
    for _ in range(60):
        middle = (low + high) / 2
        alpha = np.clip(0.5 + (signed + middle) / feather_px, 0, 1) * within
        low, high = (middle, high) if alpha.sum() < count else (low, middle)
    return np.asarray(alpha)


def _feathered(
    image: NDArray[np.uint8], canvas: NDArray[np.uint8], series: RevealSeries, level: int, reveal: Reveal
) -> NDArray[np.uint8]:
    alpha = soft_mask(series, level, reveal.feather_px)[..., None]
    moved = np.roll(image, series.shift_px, axis=(0, 1))
    mixed = _mixed(moved, canvas, alpha, reveal)
    return np.where(alpha == 0, canvas, np.where(alpha == 1, moved, mixed)).astype(np.uint8)


def _mixed(
    above: NDArray[np.uint8], below: NDArray[np.uint8], alpha: NDArray[np.float64] | float, reveal: Reveal
) -> NDArray[np.uint8]:
    """Mix two images in the recipe's light; `alpha` is the share of the one above."""
    if reveal.light == "linear":
        return to_coded(alpha * LINEAR[above] + (1 - alpha) * LINEAR[below])
    return np.rint(alpha * above + (1 - alpha) * below).astype(np.uint8)


def _shifted_frame(series: RevealSeries) -> NDArray[np.bool_]:
    """Where the moved image covers the canvas."""
    covered = np.ones(series.shape, bool)
    down, right = series.shift_px
    covered[: max(0, down)] = covered[series.shape[0] + min(0, down) :] = False
    covered[:, : max(0, right)] = covered[:, series.shape[1] + min(0, right) :] = False
    return covered
