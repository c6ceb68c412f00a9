"""The figures of one image's revealed region at every level."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..image.load import LUMA

#: Figure → unit, in the order of the ledger; shares on masks come after them.
UNITS = {
    "captured": "share of the importance",
    "attainable": "share of what as many pixels could capture",
    "area": "px",
    "components": "parts",
    "perimeter": "pixel edges",
    "compactness": "perimeter² / area",
    "spread": "px",
    "eccentricity": "px from the middle",
    "luminance": "grey levels",
    "contrast": "grey levels",
    "spectrum": "1 - r of neighbours",
}
#: Begins the name of a share on a mask.
ON = "on "


def unit_of(figure: str) -> str:
    """Return the unit of a figure.

    Examples
    --------
    >>> unit_of("spread"), unit_of("on face")
    ('px', 'share of the region')
    """
    return UNITS.get(figure, "share of the region")


def figures_of_series(
    series: Mapping[str, RevealSeries],
    maps: Mapping[str, NDArray[np.float32]],
    pixels: NDArray[np.uint8],
    masks: Mapping[str, NDArray[np.bool_]],
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the figures of every source's regions: source → figure → a value per level.

    Parameters
    ----------
    series, maps : mapping
        Source → its series and its map, float32, shape (height, width).
    pixels : ndarray of uint8, shape (height, width, 3)
        The image, coded sRGB.
    masks : mapping
        As for :func:`region_figures`.
    """
    luma = pixels @ LUMA
    return {
        name: region_figures(one.order, one.counts, one.shift_px, maps[name], luma, masks)
        for name, one in series.items()
    }


def region_figures(
    order: NDArray[np.int32],
    counts: NDArray[np.int64],
    shift: tuple[int, int],
    importance: NDArray[np.float32],
    luma: NDArray[np.float64],
    masks: Mapping[str, NDArray[np.bool_]],
) -> dict[str, tuple[float, ...]]:
    """Return every figure of a region at every level, rounded to six significant digits.

    Parameters
    ----------
    order : ndarray of int32, shape (n_px,)
        Raster indices of the revealed pixels.
    counts : ndarray of int64, shape (n_levels,)
        Revealed pixels at each level.
    shift : (int, int)
        By how much the region is moved on the canvas, down and to the right.
    importance, luma : ndarray, shape (height, width)
        The map, and luma of the image in grey levels.
    masks : mapping
        Name → bool, shape (height, width): where the object, a face, text … is.

    Returns
    -------
    dict
        Figure → a value per level. ``spectrum`` is 1 - r, r the correlation of luma between neighbouring revealed
        pixels: 0 where luma changes slowly, 1 for white noise.

    Examples
    --------
    >>> flat = np.ones((4, 4))
    >>> found = region_figures(np.array([5, 6], np.int32), np.array([1, 2]), (0, 0), flat.astype(np.float32), flat, {})
    >>> found["captured"], found["perimeter"], found["components"]
    ((0.0625, 0.125), (4.0, 6.0), (1.0, 1.0))
    """
    height, width = importance.shape
    pixels = order.astype(np.int64)
    n = counts.astype(np.float64)
    level = np.searchsorted(counts, np.arange(order.size), side="right")
    rows, columns = np.divmod(pixels, width)

    def added(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.cumsum(np.bincount(level, weights, minlength=counts.size)))

    map_values, seen = importance.astype(np.float64).ravel(), luma.ravel()[pixels]
    captured = added(map_values[pixels])
    best = np.cumsum(np.sort(map_values)[::-1][: order.size])[counts - 1]
    mean = added(seen) / n
    variance = np.maximum(added(seen * seen) / n - mean**2, 0)
    n_pairs, steps = _pairs(pixels, level, luma, counts.size)
    perimeter = 4 * n - 2 * n_pairs
    down = rows + shift[0] - (height - 1) / 2
    right = columns + shift[1] - (width - 1) / 2
    middle = added(rows.astype(np.float64)) / n, added(columns.astype(np.float64)) / n
    squares = added((rows * rows + columns * columns).astype(np.float64)) / n
    usable = (n_pairs > 0) & (variance > 0)
    found = {
        "captured": captured / map_values.sum(),
        "attainable": captured / best,
        "area": n,
        "components": _components(pixels, counts, (height, width)),
        "perimeter": perimeter,
        "compactness": perimeter**2 / n,
        "spread": np.sqrt(np.maximum(squares - middle[0] ** 2 - middle[1] ** 2, 0)),
        "eccentricity": added(np.sqrt(down * down + right * right)) / n,
        "luminance": mean,
        "contrast": np.sqrt(variance),
        "spectrum": np.where(usable, steps / np.where(usable, 2 * n_pairs * variance, 1), 0.0),
    }
    for name, mask in masks.items():
        found[ON + name] = added(mask.ravel()[pixels].astype(np.float64)) / n
    return {name: tuple(float(f"{value:.6g}") for value in values) for name, values in found.items()}


def _pairs(
    pixels: NDArray[np.int64], level: NDArray[np.int64], luma: NDArray[np.float64], n_levels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Neighbouring revealed pixels at each level: how many pairs, and the sum of their squared steps of luma."""
    height, width = luma.shape
    when = np.full(height * width, n_levels, np.int64)
    when[pixels] = level
    when = when.reshape(height, width)
    n_pairs, steps = np.zeros(n_levels), np.zeros(n_levels)
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = np.maximum(when[first], when[second]).ravel()
        step = (luma[first] - luma[second]).ravel()
        inside = both < n_levels
        n_pairs += np.bincount(both[inside], minlength=n_levels)
        steps += np.bincount(both[inside], step[inside] ** 2, minlength=n_levels)
    return np.cumsum(n_pairs), np.cumsum(steps)


def _components(pixels: NDArray[np.int64], counts: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.float64]:
    from scipy.ndimage import label

    rows, columns = np.divmod(pixels, shape[1])  # only the box that holds the region is looked at
    top, bottom = np.minimum.accumulate(rows), np.maximum.accumulate(rows)
    left, right = np.minimum.accumulate(columns), np.maximum.accumulate(columns)
    mask = np.zeros(shape[0] * shape[1], bool)
    out, done = [], 0
    for count in counts:
        mask[pixels[done:count]] = True
        done = int(count)
        box = mask.reshape(shape)[top[done - 1] : bottom[done - 1] + 1, left[done - 1] : right[done - 1] + 1]
        out.append(float(label(box)[1]))
    return np.array(out)
