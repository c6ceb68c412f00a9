"""The 25 colour and spectrum numbers of an image that survive phase scrambling, and the layout of one that is not."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..image.load import LUMA

#: Cells of the coarse layout along each side.
CELLS = 4
#: Kinds of canvas that are not scrambled, so that their layout counts, too.
NOT_SCRAMBLED = ("blur", "mean")


class _Bands(NamedTuple):
    """Places in a half spectrum."""

    octaves: list[NDArray[np.intp]]
    broad: list[NDArray[np.intp]]
    turned: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]


def numbers_of(pixels: NDArray[np.uint8], *, layout: bool = False) -> tuple[float, ...]:
    """Return what a classifier is given of an image.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    layout : bool
        Whether the mean colours of 4 x 4 cells are added.

    Returns
    -------
    tuple of float
        Means, standard deviations and correlations of luma, red-green and yellow-blue (9), log power of luma in six
        octaves and of the colours in three bands (12), horizontal and vertical against oblique in two bands (4);
        nine significant digits.

    Examples
    --------
    >>> len(numbers_of(np.zeros((64, 64, 3), np.uint8))), len(numbers_of(np.zeros((64, 64, 3), np.uint8), layout=True))
    (25, 73)
    """
    x = pixels.astype(np.float64) / 255
    planes = [x @ LUMA, x[..., 0] - x[..., 1], (x[..., 0] + x[..., 1]) / 2 - x[..., 2]]
    means = [float(one.mean()) for one in planes]
    spreads = [float(one.std()) for one in planes]
    out = means + spreads
    for a, b in ((0, 1), (0, 2), (1, 2)):
        spread = spreads[a] * spreads[b]
        shared = float(((planes[a] - means[a]) * (planes[b] - means[b])).mean())
        out.append(shared / spread if spread > 1e-9 else 0.0)
    power = [np.abs(scipy.fft.rfft2(one - mean)).ravel() ** 2 for one, mean in zip(planes, means, strict=True)]
    bands = _bands(*planes[0].shape)
    out += [_log_power(power[0], where) for where in bands.octaves]
    out += [_log_power(one, where) for one in power[1:] for where in bands.broad]
    for places in bands.turned:
        flat, upright, oblique = (_log_power(power[0], where) for where in places)
        out += [flat - oblique, upright - oblique]
    if layout:
        out += _layout(planes)
    return tuple(float(f"{value:.9g}") for value in out)


def _log_power(power: NDArray[np.float64], where: NDArray[np.intp]) -> float:
    return float(np.log(power[where].mean() + 1e-6)) if where.size else 0.0


def _layout(planes: list[NDArray[np.float64]]) -> list[float]:
    height, width = (size // CELLS for size in planes[0].shape)
    cut = np.stack(planes)[:, : height * CELLS, : width * CELLS]
    cells = cut.reshape(3, CELLS, height, CELLS, width).mean(axis=(2, 4))
    return [float(value) for value in cells.ravel()]


@lru_cache(maxsize=4)
def _bands(height: int, width: int) -> _Bands:
    down, across = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width
    radius, angle = np.hypot(down, across), np.abs(np.arctan2(down, across))
    angle = np.minimum(angle, np.pi - angle)

    def within(low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((radius >= low) & (radius < high))

    octaves = [np.flatnonzero(within(2**k, 2 ** (k + 1))) for k in range(1, 7)]
    broad = [np.flatnonzero(within(low, high)) for low, high in ((1, 8), (8, 32), (32, 128))]
    turned = []
    for low, high in ((4, 32), (32, 128)):
        ring = within(low, high)
        flat, upright = ring & (angle > 3 * np.pi / 8), ring & (angle < np.pi / 8)
        turned.append((np.flatnonzero(flat), np.flatnonzero(upright), np.flatnonzero(ring & ~flat & ~upright)))
    return _Bands(octaves, broad, turned)
