"""What is matched of an image: luma, luminance or lightness, in 255ths of white, and where it is counted."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..recipe_tables import Match
from .colorspace import LINEAR, lightness
from .load import Geometry

#: Weights of red, green and blue: of coded values for luma, of linear light for luminance and lightness.
_REC709 = (0.2126, 0.7152, 0.0722)
WEIGHTS = {"rec709": _REC709, "rec601": (0.299, 0.587, 0.114), "linear": _REC709, "lab": _REC709}


#: Image id and geometry → bool, shape (side, side): where values are counted.
Region = Callable[[str, Geometry], NDArray[np.bool_]]


def disc_of(side_px: int) -> NDArray[np.bool_]:
    """Return the largest disc in a square; bool, shape (side, side).

    Examples
    --------
    >>> disc_of(4).sum().item()
    12
    """
    place = 2 * np.arange(side_px) - (side_px - 1)
    return np.asarray(place[:, None] ** 2 + place[None] ** 2 <= side_px**2)


def luma_of(pixels: NDArray[np.uint8], match: Match) -> NDArray[np.float64]:
    """Return what is matched of coded sRGB pixels (height, width, 3), in 255ths of white; shape (height, width).

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    match : Match
        Its space says what is meant by luma.

    Returns
    -------
    ndarray of float64, shape (height, width)
        0 … 255.
    """
    y = weighted(planes_of(pixels, match), match)
    return lightness(y) if match.space == "lab" else y


def planes_of(pixels: NDArray[np.uint8], match: Match) -> list[NDArray[np.float64]]:
    """Return red, green and blue in the light in which they are weighted, 0 … 255."""
    planes = [np.ascontiguousarray(pixels[..., channel]) for channel in range(3)]
    if match.space in ("linear", "lab"):
        return [255 * LINEAR[plane] for plane in planes]
    return [plane.astype(np.float64) for plane in planes]


def weighted(planes: list[NDArray[np.float64]], match: Match) -> NDArray[np.float64]:
    """Return the weighted sum of planes."""
    red, green, blue = WEIGHTS[match.space]
    out = planes[0] * red
    out += planes[1] * green
    out += planes[2] * blue
    return np.asarray(out)


def counted_in(luma: NDArray[np.float64], region: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return the values that are counted: all, or those of a region as a flat array."""
    return luma if region is None else luma[region]


def resampled(levels: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return `n` sorted values with the distribution of sorted `levels`, by linear interpolation.

    Examples
    --------
    >>> resampled(np.array([0.0, 10.0]), 4).tolist()
    [0.0, 2.5, 7.5, 10.0]
    """
    if levels.size == n:
        return levels
    places = [(np.arange(size) + 0.5) / size for size in (n, levels.size)]
    return np.asarray(np.interp(places[0], places[1], levels))
