"""Named blurs: how clicks, fixations and bubbles become maps, and how maps are blurred before training."""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.protocol import MAP_BLUR_PX
from rapidvision.screen import SCREEN_REMEDY, Screen

#: The reference code's sigma for its window of 49 px; its kernel is a delta, blurred inside the window with mirrored
#: borders. "49x49" is all that the paper says, so ``paper`` is a box.
GALA_TPU_SIGMA_PX = 28.0


class Blur(NamedTuple):
    """A kind of blur and its size in pixels of the finished image."""

    kind: str
    size_px: float = 0.0


def parse(text: str, *, screen: Screen | None = None) -> Blur:
    """Read the name of a blur.

    Parameters
    ----------
    text : str
        ``none``, ``paper``, ``gala_tpu``, ``gauss:7``, ``gauss:0.5deg``, ``disc:10`` or ``disc:0.4deg``.
    screen : Screen, optional
        Turns degrees into pixels; needed for sizes in degrees.

    Raises
    ------
    InputError
        When the name is unknown, its size is not above 0 and below 1000, or it is in degrees and there is no screen.

    Examples
    --------
    >>> parse("gauss:7")
    Blur(kind='gauss', size_px=7.0)
    >>> parse("gaus:7")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: blur: got "gaus:7"; allowed: none, paper, gala_tpu, gauss:SIGMA, disc:RADIUS (pixels, or degrees as 0.5deg)
    """
    if text in ("none", "paper", "gala_tpu"):
        return Blur(text)
    match = re.fullmatch(r"(gauss|disc):([0-9]*\.?[0-9]+)(deg)?", text)
    if match is None or not 0 < float(match[2]) < 1000:
        raise InputError(
            f'blur: got "{text}"; allowed: none, paper, gala_tpu, gauss:SIGMA, disc:RADIUS (pixels, or degrees as 0.5deg)'
        )
    size = float(match[2])
    if not match[3]:
        return Blur(match[1], size)
    if screen is None:
        raise InputError(f'blur: got "{text}", and no screen; degrees depend on it: {SCREEN_REMEDY}, or give pixels')
    return Blur(match[1], screen.deg_to_px(size))


def blurred(values: NDArray[np.float64], blur: Blur) -> NDArray[np.float64]:
    """Return `values` (height, width) blurred; outside the image there is nothing.

    What rounding leaves where nothing can be (running sums and transforms give a little less or more than 0) is 0.

    Parameters
    ----------
    values : ndarray of float64, shape (height, width)
        Points counted per pixel, or a map.
    blur : Blur
        From :func:`parse`; its size is in pixels of `values`.

    Returns
    -------
    ndarray of float64, shape (height, width)
        ≥ 0.
    """
    if blur.kind == "none":
        return values
    out = _filtered(values, blur)
    return np.where(out < 1e-12 * max(float(out.max()), 1e-300), 0.0, out)


def _filtered(values: NDArray[np.float64], blur: Blur) -> NDArray[np.float64]:
    from scipy import ndimage

    if blur.kind == "paper":
        return np.asarray(ndimage.uniform_filter(values, MAP_BLUR_PX, mode="constant"))
    if blur.kind == "gauss":
        return np.asarray(ndimage.gaussian_filter(values, blur.size_px, mode="constant"))
    if blur.kind == "gala_tpu":
        line = gala_tpu_line(MAP_BLUR_PX)
        rows = ndimage.correlate1d(values, line, 0, mode="constant")
        return np.asarray(ndimage.correlate1d(rows, line, 1, mode="constant"))
    return _disc(values, blur.size_px)


def gala_tpu_line(size_px: int) -> NDArray[np.float64]:
    """Return the reference code's kernel along one axis, sum 1: a Gaussian folded back at the borders of its window.

    Parameters
    ----------
    size_px : int
        Odd side of the window; sigma goes with it, 28 px for 49.

    Examples
    --------
    >>> line = gala_tpu_line(49)
    >>> round(float(line.min() / line.max()) ** 2, 3)
    0.987
    """
    from scipy import ndimage

    delta = np.zeros(size_px)
    delta[size_px // 2] = 1
    return np.asarray(ndimage.gaussian_filter1d(delta, GALA_TPU_SIGMA_PX * size_px / MAP_BLUR_PX, mode="reflect"))


def _disc(values: NDArray[np.float64], radius_px: float) -> NDArray[np.float64]:
    import scipy.fft

    reach = int(np.ceil(radius_px))
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = (rows**2 + columns**2 <= radius_px**2).astype(np.float64)
    shape = (values.shape[0] + 2 * reach, values.shape[1] + 2 * reach)
    both = scipy.fft.rfft2(values, s=shape) * scipy.fft.rfft2(disc / disc.sum(), s=shape)
    return np.asarray(scipy.fft.irfft2(both, s=shape))[reach:-reach, reach:-reach]
