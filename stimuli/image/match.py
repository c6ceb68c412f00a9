"""Make the images of a set alike in luminance, histogram or spectrum, or say that it cannot be done.

Alike in what is said by ``space``: luma (``rec709``, ``rec601``: a weighted sum of coded sRGB values), luminance
(``linear``: of linear light) or CIE lightness (``lab``: L*). All are counted here in 255ths of white and called luma
for short. Each pixel keeps its hue: its colour is taken towards grey just as far as the new luma needs to fit into the
gamut, so the luma that comes out is the luma that was meant. A target that would need clipping is refused, or
contrasts are shrunk until it needs none.

Mean and contrast are reached by the least change: luma becomes clip(a x + b), which of all images with that mean and
contrast is the nearest one within black and white.
"""

import msgspec
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import hashes

from .colorspace import dithered, lightness, luminance
from .luma import counted_in, luma_of, planes_of, resampled, weighted
from .match_target import (
    Target,
    fitting_factor,
    image_of_spectrum,
    wanted_contrast,
    wanted_luma,
    wanted_spectrum,
)


class MatchQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How near a finished image is to the target.

    Attributes
    ----------
    mean_residual, contrast_residual : float
        Mean and standard deviation of luma minus their targets, in 255ths of white; with own contrasts the target is
        the image's own, lowered where it must be.
    spectrum_residual : float
        Relative difference of the amplitude spectra from the target's, mean left out; 0 where none was asked for.
    greyed_fraction : float
        Share of pixels whose colour had to be taken towards grey.
    clipped_fraction : float
        Share of pixels whose luma was clipped.
    contrast_share : float
        Contrast that the image was given as a share of the target's; below 1 where it did not fit.
    change : float
        Root mean square change of luma, in 255ths of white.
    """

    mean_residual: float
    contrast_residual: float
    spectrum_residual: float
    greyed_fraction: float
    clipped_fraction: float
    contrast_share: float = 1.0
    change: float = 0.0


def matched(
    pixels: NDArray[np.uint8], target: Target, *, key: int, region: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], MatchQuality]:
    """Return an image that has the target.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    target : Target
        From :func:`find_target`.
    key : int
        64-bit key of the lots by which ties are broken and values rounded.
    region : ndarray of bool, shape (height, width), optional
        Where values are counted; all of the image unless given.

    Returns
    -------
    (ndarray of uint8, MatchQuality)
        The image and how near it is.
    """
    match = target.match
    planes = planes_of(pixels, match)
    y = weighted(planes, match)
    luma = lightness(y) if match.space == "lab" else y
    lots = hashes(np.arange(luma.size, dtype=np.uint64), key)
    share = 1.0
    if target.levels is not None:
        wanted = _ranked(luma, lots, target.levels, region)
    elif match.kind == "luminance":
        counted = counted_in(luma, region)
        contrast = wanted_contrast(counted, target)
        share = contrast / (float(counted.std()) if match.contrast == "own" else target.contrast) if contrast else 1.0
        wanted = _clipped_to(wanted_luma(luma, target, region), target, contrast, region)
    else:
        spectrum = wanted_spectrum(luma, target)
        amplitudes = np.abs(spectrum)
        free = image_of_spectrum(spectrum, luma.shape)
        own = min(target.shrunk, fitting_factor(free, target))
        share = own / target.shrunk
        meant = amplitudes * own
        wanted = target.mean + (free - target.mean) * own
    clipped = int(np.count_nonzero(wanted < -0.5) + np.count_nonzero(wanted > 255.5))
    inside = np.clip(wanted, 0, 255)
    made, greyed = recoloured(planes, y, luminance(inside) if match.space == "lab" else inside)
    dither = ((lots >> np.uint64(11)).astype(np.float64) / 2**53).reshape(luma.shape)
    out = np.empty(pixels.shape, np.uint8)
    for channel, values in enumerate(made):
        out[..., channel] = dithered(values, dither, linear=match.space in ("linear", "lab"))
    after = luma_of(out, match)
    residual = 0.0
    if match.kind == "spectrum":
        meant[0, 0] = 0
        missed = np.abs(scipy.fft.rfft2(after - after.mean())) - meant
        energy = float(np.square(meant).sum())
        residual = float(np.sqrt(np.square(missed).sum() / energy)) if energy > 0 else 0.0
    if match.kind != "luminance":
        contrast = float(wanted.std()) if match.kind == "spectrum" else target.contrast
    inside_after = counted_in(after, region)
    return out, MatchQuality(
        mean_residual=float(inside_after.mean() - target.mean),
        contrast_residual=float(inside_after.std() - contrast),
        spectrum_residual=residual,
        greyed_fraction=greyed,
        clipped_fraction=clipped / wanted.size,
        contrast_share=share,
        change=float(np.sqrt(np.square(after - luma).mean())),
    )


def recoloured(
    planes: list[NDArray[np.float64]], luma: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], float]:
    """Give pixels a new luma and keep their hue, greying them only as far as the gamut demands.

    Parameters
    ----------
    planes : list of ndarray of float64, shape (height, width)
        Red, green and blue, 0 … 255.
    luma, wanted : ndarray of float64, shape (height, width)
        Their weighted sum, and what it should be.

    Returns
    -------
    (list of ndarray, float)
        Planes, and the share of pixels that were greyed.
    """
    red, green, blue = planes
    moved = wanted - luma
    out = [plane + moved for plane in planes]
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    outside = np.flatnonzero((high + moved > 255) | (low + moved < 0))  # few, and only they are divided
    if outside.size == 0:
        return out, 0.0
    wanted, luma = wanted.ravel()[outside], luma.ravel()[outside]
    high, low = high.ravel()[outside] - luma, low.ravel()[outside] - luma
    with np.errstate(divide="ignore", invalid="ignore"):
        keep = np.minimum(np.where(high > 0, (255 - wanted) / high, 1.0), np.where(low < 0, wanted / -low, 1.0))
    np.clip(keep, 0, 1, out=keep)
    for values, plane in zip(out, planes, strict=True):
        values.ravel()[outside] = np.clip((plane.ravel()[outside] - luma) * keep + wanted, 0, 255)
    return out, float(np.count_nonzero(keep < 1 - 1e-9) / moved.size)


def _clipped_to(
    wanted: NDArray[np.float64], target: Target, contrast: float, region: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Adjust gain and offset so that mean and contrast hold after the few allowed values are clipped."""
    out = wanted
    if target.match.clipped == 0 and out.min() >= 0 and out.max() <= 255:
        return out
    for _ in range(30):
        inside = counted_in(np.clip(out, 0, 255), region)
        spread = inside.std()
        if spread == 0 or abs(inside.mean() - target.mean) < 1e-6 > abs(spread - contrast):
            break
        out = target.mean + (out - inside.mean()) * (contrast / spread)
    return out


def _ranked(
    luma: NDArray[np.float64], lots: NDArray[np.uint64], levels: NDArray[np.float64], region: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Give the pixels the target's sorted levels in the order of their luma; equals by their surroundings, then by lot.

    The three are packed into one whole number with the pixel's own number in the last bits: sorting numbers is much
    faster than sorting by several keys.
    """
    padded = np.pad(luma, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    around = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]).ravel() / 9
    bits = np.uint64(max(1, (luma.size - 1).bit_length()))
    key = np.rint(luma.ravel() * 8192).astype(np.uint64) << np.uint64(42)  # 22 bits
    key |= np.rint(np.clip(around, 0, 255) * 16).astype(np.uint64) << np.uint64(30)  # 12 bits
    if bits < 30:
        key |= (lots >> (np.uint64(34) + bits)) << bits
    key |= np.arange(luma.size, dtype=np.uint64)
    if region is not None:
        key = key[region.ravel()]
    key.sort()
    out = luma.ravel().copy()
    out[(key & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)] = resampled(levels, key.size)
    return out.reshape(luma.shape)
