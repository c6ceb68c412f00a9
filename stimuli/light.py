"""Coded sRGB and linear light."""

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
    out: NDArray[np.uint8] = np.rint(coded * 255).astype(np.uint8)
    return out


def rounded(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return values on the 0 … 255 scale rounded to levels, clipped at both ends."""
    out: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return out
