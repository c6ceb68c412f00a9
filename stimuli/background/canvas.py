"""The canvas: what is seen where the image is not, and how well it keeps the image's statistics."""

from dataclasses import dataclass

import msgspec
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.counter_rng import hashes

from ..image.colorspace import rounded, to_coded, to_linear
from ..image.load import LUMA
from ..recipe_tables import Canvas
from ..registries import BACKGROUNDS
from .scramble import scramble
from .set_spectrum import SetSpectrum, natural, texture


class CanvasQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How a finished canvas compares with its image; luma is Rec. 709 on coded values.

    A canvas of the kind ``set-spectrum`` is compared with the mean image of its set.

    Attributes
    ----------
    clipped_fraction : float
        Share of values that did not fit into 0 … 255.
    mean_error : float
        Difference of mean luma in grey levels, canvas minus image.
    contrast_ratio : float
        Standard deviation of luma, canvas over image.
    spectrum_error : float
        Relative difference of the luma amplitude spectra, root mean square, mean left out; for scrambled canvases
        against the spectrum before rounding and clipping (that of the image's periodic component).
    linear_mean_ratio : float
        Mean linear light (luminance), canvas over image.
    """

    clipped_fraction: float
    mean_error: float
    contrast_ratio: float
    spectrum_error: float
    linear_mean_ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class MadeCanvas:
    """A canvas and its quality.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    quality : CanvasQuality
        Compared with the image.
    """

    pixels: NDArray[np.uint8]
    quality: CanvasQuality


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Pixels that are shown where the image is not revealed.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    clipped_fraction : float
        Share of values that did not fit into 0 … 255.
    intended : ndarray of float64, shape (height, width, 3), or None
        What it was before it was rounded and clipped, 0 … 255, for the comparison of spectra; None compares with the
        image.
    light : float or None
        Mean linear light that was meant, 0 … 1, where it is not the image's.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> grey = rv.stimuli.Background(np.full((4, 6, 3), 128, dtype=np.uint8))
    >>> grey.pixels.shape, grey.clipped_fraction
    ((4, 6, 3), 0.0)
    """

    pixels: NDArray[np.uint8]
    clipped_fraction: float = 0.0
    intended: NDArray[np.float64] | None = None
    light: float | None = None


def make_canvas(
    image: NDArray[np.uint8], canvas: Canvas, *, key: int, where: str, shared: SetSpectrum | None = None
) -> MadeCanvas:
    """Make the canvas of an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    canvas : Canvas
        From the recipe.
    key : int
        64-bit key of this image's canvas.
    where : str
        Names the image in messages.
    shared : SetSpectrum, optional
        What the canvases of the set have in common, for the kind ``set-spectrum``; without it, the statistics of
        photographs.

    Returns
    -------
    MadeCanvas
        Pixels and quality.

    Raises
    ------
    InputError
        When more values are clipped than the recipe allows.
    """
    made: Background
    if canvas.kind == "set-spectrum" and shared is not None:
        made = _of_set(shared, canvas, key=key)
    else:
        made = BACKGROUNDS.get(canvas.kind)(image, canvas, key=key)
    pixels = made.pixels
    if pixels.dtype != np.uint8 or pixels.shape != image.shape:
        raise InputError(
            f"{where}: the background {canvas.kind} is {pixels.dtype} of shape {pixels.shape}; uint8 of shape "
            f"{image.shape} is needed"
        )
    if made.clipped_fraction > canvas.largest_clipped_fraction:
        raise InputError(
            f"{where}: its canvas clips {made.clipped_fraction:.1%} of the values, allowed are "
            f"{canvas.largest_clipped_fraction:.1%}; use more gamut_iterations, a lower contrast or leave the image out"
        )
    intended = image.astype(np.float64) if made.intended is None else made.intended
    return MadeCanvas(pixels, quality_of(image, pixels, made.clipped_fraction, intended, light=made.light))


def grey(image: NDArray[np.uint8], canvas: Canvas, /, *, key: int) -> Background:  # noqa: ARG001
    """One grey, a :class:`~rapidvision.stimuli.plugins.BackgroundMaker`."""
    return Background(np.full_like(image, canvas.grey))


def mean_colour(image: NDArray[np.uint8], _canvas: Canvas, /, *, key: int) -> Background:  # noqa: ARG001
    """The image's mean colour."""
    return Background(np.broadcast_to(rounded(image.reshape(-1, 3).mean(axis=0)), image.shape).copy())


def out_of_focus(image: NDArray[np.uint8], canvas: Canvas, /, *, key: int) -> Background:  # noqa: ARG001
    """The image, blurred."""
    from scipy.ndimage import gaussian_filter

    sigma = (canvas.blur_px, canvas.blur_px, 0)
    if canvas.space == "linear":
        return Background(to_coded(gaussian_filter(to_linear(image), sigma, mode="reflect")))
    return Background(rounded(gaussian_filter(image.astype(np.float64), sigma, mode="reflect")))


def of_photographs(image: NDArray[np.uint8], canvas: Canvas, /, *, key: int) -> Background:
    """A texture with the statistics of photographs, for an image without a set; nothing of it is the image's."""
    return _of_set(natural(*image.shape[:2]), canvas, key=key)


def _of_set(shared: SetSpectrum, canvas: Canvas, *, key: int) -> Background:
    values, clipped = texture(
        shared, key=key, gamut_iterations=canvas.gamut_iterations, tolerance=canvas.gamut_tolerance
    )
    return Background(rounded(values), clipped, values, shared.light)


def scrambled(image: NDArray[np.uint8], canvas: Canvas, /, *, key: int) -> Background:
    """The image with scrambled phases, or for ``noise`` white noise given its spectrum."""
    linear = canvas.space == "linear"
    values = to_linear(image) if linear else image.astype(np.float64)
    white = 1.0 if linear else 255.0
    if canvas.kind == "noise":
        values = _noise_like(values, key=key)
    made = scramble(
        values,
        key=key,
        coherence=canvas.coherence,
        edges=canvas.edges,
        gamut_iterations=canvas.gamut_iterations,
        tolerance=canvas.gamut_tolerance,
        white=white,
    )
    if linear:
        pixels = to_coded(made.values)
        return Background(pixels, made.clipped_fraction, pixels.astype(np.float64))
    return Background(rounded(made.values), made.clipped_fraction, made.values)


def _noise_like(values: NDArray[np.float64], *, key: int) -> NDArray[np.float64]:
    """Return Gaussian white noise, coloured by the image's amplitude spectra; each channel keeps mean and variance.

    Unlike scrambling the amplitudes themselves are random, so no trace of the single image's spectrum remains.
    """
    height, width, channels = values.shape
    n = height * width
    u = (hashes(np.arange(2 * n, dtype=np.uint64), key ^ 0x5DEECE66D) >> np.uint64(11)).astype(np.float64) / 2**53
    noise = (np.sqrt(-2 * np.log(1 - u[:n])) * np.cos(2 * np.pi * u[n:])).reshape(height, width)
    grain = scipy.fft.rfft2(noise) / np.sqrt(n)
    out = np.empty_like(values)
    for channel in range(channels):
        spectrum = scipy.fft.rfft2(values[..., channel])
        mean = values[..., channel].mean()
        spectrum[0, 0] = 0
        made = scipy.fft.irfft2(spectrum * grain, s=(height, width))
        spread = made.std()
        out[..., channel] = mean + (made * (values[..., channel].std() / spread) if spread > 0 else 0)
    return out


def quality_of(
    image: NDArray[np.uint8],
    canvas: NDArray[np.uint8],
    clipped_fraction: float,
    intended: NDArray[np.float64],
    *,
    light: float | None = None,
) -> CanvasQuality:
    """Compare a finished canvas with its image, and its spectrum with that of the values that were intended.

    Parameters
    ----------
    image, canvas : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    clipped_fraction : float
        Share of values that did not fit, 0 … 1.
    intended : ndarray of float64, shape (height, width, 3)
        What the canvas was before it was rounded and clipped, 0 … 255.
    light : float, optional
        Mean linear light that was meant; the canvas is then compared with `intended`, not with the image.

    Returns
    -------
    CanvasQuality
        The comparison.
    """
    after, meant = canvas @ LUMA, intended @ LUMA
    before = image @ LUMA if light is None else meant
    spectrum, other = (np.abs(scipy.fft.rfft2(x - x.mean())) for x in (meant, after))
    contrast, energy = float(before.std()), float(np.sqrt((spectrum**2).sum()))
    light = float((to_linear(image) @ LUMA).mean()) if light is None else light
    return CanvasQuality(
        clipped_fraction=clipped_fraction,
        mean_error=float(after.mean() - before.mean()),
        contrast_ratio=float(after.std()) / contrast if contrast > 0 else 1.0,
        spectrum_error=float(np.sqrt(((spectrum - other) ** 2).sum())) / energy if energy > 0 else 0.0,
        linear_mean_ratio=float((to_linear(canvas) @ LUMA).mean()) / light if light > 0 else 1.0,
    )
