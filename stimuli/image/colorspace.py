"""Coded sRGB, linear light, and CIE lightness."""

import numpy as np
from numpy.typing import NDArray

_LEVELS = np.arange(256) / 255
#: Linear light, 0 … 1, of each coded level.
LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)


def to_linear(coded: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return linear light, 0 … 1, of coded levels."""
    out: NDArray[np.float64] = LINEAR[coded]
    return out


def to_coded(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the nearest coded levels of linear light; values outside 0 … 1 are clipped."""
    x = np.clip(linear, 0, 1)
    coded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 0.0031308), 1 / 2.4) - 0.055)
    out: NDArray[np.uint8] = np.rint(coded * 255).astype(np.uint8, order="C")
    return out


def rounded(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return values on the 0 … 255 scale rounded to levels, clipped at both ends."""
    out: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8, order="C")
    return out


#: Luminance of each coded level in 255ths of white.
_LUMINANCE = 255 * LINEAR
#: Below this share of white, CIE lightness is proportional to luminance.
_KNEE = (6 / 29) ** 3


def lightness(luminance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIE 1976 lightness L* of luminance, both in 255ths of white.

    Examples
    --------
    >>> lightness(np.array([0.0, 0.184187 * 255, 255.0])).round(2).tolist()
    [0.0, 127.5, 255.0]
    """
    share = luminance / 255
    return np.asarray(2.55 * np.where(share > _KNEE, 116 * np.cbrt(share) - 16, share * (29 / 3) ** 3))


def luminance(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the luminance of CIE lightness L*, both in 255ths of white; undoes :func:`lightness`."""
    stars = light / 2.55
    return np.asarray(255 * np.where(stars > 8, ((stars + 16) / 116) ** 3, stars * (3 / 29) ** 3))


def dithered(values: NDArray[np.float64], lots: NDArray[np.float64], *, linear: bool) -> NDArray[np.uint8]:
    """Round values to coded levels so that they are right on average.

    Parameters
    ----------
    values : ndarray of float64, 0 … 255
        Coded levels, or linear light in 255ths of white.
    lots : ndarray of float64, 0 … 1
        A value between two levels becomes the upper one where its lot is high enough.
    linear : bool
        Whether `values` are linear light, in which case it is the light that is right on average.

    Returns
    -------
    ndarray of uint8
        Coded levels.
    """
    if not linear:
        levels = values + lots
        return np.minimum(levels, 255, out=levels).astype(np.uint8)
    below = np.clip(np.searchsorted(_LUMINANCE, values, side="right") - 1, 0, 254)
    share = (values - _LUMINANCE[below]) / (_LUMINANCE[below + 1] - _LUMINANCE[below])
    return np.asarray(below + (share + lots >= 1)).astype(np.uint8)
