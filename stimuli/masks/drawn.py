"""Masks that show no image: 1/f noise and checkerboards, with a given mean and contrast."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..background.phases import phase_field
from ..image.colorspace import luminance, rounded, to_coded

VERSION = "1"


def noise(side_px: int, *, key: int, mean: float, contrast: float) -> NDArray[np.float64]:
    """Return noise whose amplitude at every frequency is one over that frequency; only its phases are random.

    Parameters
    ----------
    side_px : int
        Side in pixels.
    key : int
        64-bit key of the phases.
    mean, contrast : float
        Mean and standard deviation.

    Returns
    -------
    ndarray of float64, shape (side, side)
        Values may lie outside 0 … 255.

    Examples
    --------
    >>> values = noise(32, key=1, mean=100, contrast=20)
    >>> round(float(values.mean()), 6), round(float(values.std()), 6)
    (100.0, 20.0)
    """
    frequencies = np.hypot(np.fft.fftfreq(side_px, 1 / side_px)[:, None], np.fft.rfftfreq(side_px, 1 / side_px)[None])
    frequencies[0, 0] = np.inf
    values = scipy.fft.irfft2(phase_field((side_px, side_px), key=key) / frequencies, s=(side_px, side_px))
    return np.asarray(mean + (values - values.mean()) * (contrast / values.std()))


def checkerboards(side_px: int, *, check_px: int, mean: float, contrast: float) -> list[NDArray[np.float64]]:
    """Return a checkerboard whose first check is bright, and its negative.

    Parameters
    ----------
    side_px, check_px : int
        Sides of the board and of a check in pixels.
    mean, contrast : float
        Checks are `contrast` above and below `mean`.

    Returns
    -------
    list of ndarray of float64, shape (side, side)
        Both boards.

    Examples
    --------
    >>> checkerboards(4, check_px=2, mean=100, contrast=50)[0][0].tolist()
    [150.0, 150.0, 50.0, 50.0]
    """
    number = np.arange(side_px) // check_px
    signs = 1.0 - 2.0 * ((number[:, None] + number[None]) % 2)
    return [np.asarray(mean + contrast * signs), np.asarray(mean - contrast * signs)]


def grey_pixels(values: NDArray[np.float64], space: str) -> NDArray[np.uint8]:
    """Return grey pixels of which `values` are the luma, luminance or lightness; clipped to 0 … 255.

    Parameters
    ----------
    values : ndarray of float64, shape (height, width)
        In 255ths of white.
    space : {"rec709", "rec601", "linear", "lab"}
        What they are; see :class:`~rapidvision.stimuli.recipe.Match`.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    """
    inside = np.clip(values, 0, 255)
    if space == "lab":
        inside = luminance(inside)
    pixels = to_coded(inside / 255) if space in ("linear", "lab") else rounded(inside)
    return np.repeat(pixels[..., None], 3, axis=2)
