"""Make the pictures of a set alike in luminance, histogram or spectrum, or say that it cannot be done.

Everything is done on luma, a weighted sum of coded sRGB values, and each pixel keeps its hue: its colour is taken
towards grey just as far as the new luma needs to fit into 0 … 255, so the luma that comes out is the luma that was
meant. A target that would need clipping is refused, or the whole set's contrast is shrunk until it needs none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rapidvision import files
from rapidvision.errors import InputError

from .flood import hashes
from .recipe import Match

#: Luma weights of red, green and blue.
WEIGHTS = {"rec709": (0.2126, 0.7152, 0.0722), "rec601": (0.299, 0.587, 0.114)}

#: Yields every picture of the set, with its id; called once per pass over the set.
Pictures = Callable[[], Iterable[tuple[str, NDArray[np.uint8]]]]


class MatchQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How near a finished picture is to the target.

    Attributes
    ----------
    mean_residual, contrast_residual : float
        Mean and standard deviation of luma minus their targets, in grey levels.
    spectrum_residual : float
        Relative difference of the amplitude spectra from the target's, mean left out; 0 where none was asked for.
    greyed_fraction : float
        Share of pixels whose colour had to be taken towards grey.
    clipped_fraction : float
        Share of pixels whose luma was clipped.
    """

    mean_residual: float
    contrast_residual: float
    spectrum_residual: float
    greyed_fraction: float
    clipped_fraction: float


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What all pictures of a set are made to have.

    Attributes
    ----------
    match : Match
        From the recipe.
    mean, contrast : float
        Mean and standard deviation of luma, in grey levels.
    levels : ndarray of float64, shape (side * side,), or None
        Sorted luma, for ``histogram``.
    amplitudes : ndarray of float64, shape (side, side // 2 + 1), or None
        Amplitude spectrum, for ``spectrum``; with ``rotational`` only its mean at each radius counts.
    shrunk : float
        By how much contrast was shrunk to fit, 1 meaning not at all.
    """

    match: Match
    mean: float
    contrast: float
    levels: NDArray[np.float64] | None = None
    amplitudes: NDArray[np.float64] | None = None
    shrunk: float = 1.0

    @property
    def digest(self) -> str:
        """SHA-256 of the target."""
        arrays = [np.round(one, 6).astype("<f8").tobytes() for one in (self.levels, self.amplitudes) if one is not None]
        head = repr((self.match, round(self.mean, 9), round(self.contrast, 9), round(self.shrunk, 9)))
        return files.sha256(head.encode() + b"".join(arrays))


def luma_of(pixels: NDArray[np.uint8] | NDArray[np.float64], match: Match) -> NDArray[np.float64]:
    """Return the luma of coded sRGB pixels (height, width, 3)."""
    red, green, blue = WEIGHTS[match.space]
    out = pixels[..., 0] * red
    out += pixels[..., 1] * green
    out += pixels[..., 2] * blue
    return np.asarray(out)


def find_target(match: Match, pictures: Pictures) -> Target:
    """Find what the pictures of a set can all be made to have.

    Parameters
    ----------
    match : Match
        What is asked for.
    pictures : callable
        Yields every picture; memory does not grow with their number.

    Returns
    -------
    Target
        To be given to :func:`matched`.

    Raises
    ------
    InputError
        When a picture cannot have it without clipping and ``shrink`` is false: names the worst pictures.
    """
    n = 0
    means, contrasts = 0.0, 0.0
    levels: NDArray[np.float64] | None = None
    amplitudes: NDArray[np.float64] | None = None
    for _, pixels in pictures():
        luma = luma_of(pixels, match)
        n += 1
        means += luma.mean()
        contrasts += luma.std()
        if match.kind == "histogram":
            levels = np.sort(luma, axis=None) + (0.0 if levels is None else levels)
        if match.kind == "spectrum":
            amplitudes = np.abs(scipy.fft.rfft2(luma)) + (0.0 if amplitudes is None else amplitudes)
    if n == 0:
        raise InputError("matching: no usable picture")
    mean = means / n if match.mean is None else match.mean
    contrast = contrasts / n if match.contrast is None else match.contrast
    if match.kind == "histogram" and levels is not None:
        levels = levels / n
        return Target(match, float(levels.mean()), float(levels.std()), levels=levels)
    target = Target(match, mean, contrast, amplitudes=None if amplitudes is None else amplitudes / n)
    return _feasible(target, pictures)


def _feasible(target: Target, pictures: Pictures) -> Target:
    """Shrink the contrast until every picture fits, or refuse."""
    room: dict[str, float] = {}
    spread = 0.0
    for image_id, pixels in pictures():
        wanted = _wanted(luma_of(pixels, target.match), target) - target.mean
        low, high = np.quantile(wanted, [target.match.clipped / 2, 1 - target.match.clipped / 2])
        room[image_id] = float(min(target.mean / max(-low, 1e-9), (255 - target.mean) / max(high, 1e-9)))
        spread += float(wanted.std())
    shrunk = min(1.0, *room.values())
    contrast = spread / len(room) * shrunk if target.match.kind == "spectrum" else target.contrast * shrunk
    if shrunk < 1 and not target.match.shrink:
        worst = sorted(room, key=lambda name: room[name])
        tight = [name for name in worst if room[name] < 1]
        raise InputError(
            f"matching is infeasible: {len(tight)} of {len(room)} pictures would be clipped (worst: {', '.join(tight[:5])}); "
            f"use shrink = true (contrast {contrast:.1f} fits all), a lower contrast, a larger clipped, or leave them out"
        )
    return Target(target.match, target.mean, contrast, amplitudes=target.amplitudes, shrunk=shrunk)


def matched(pixels: NDArray[np.uint8], target: Target, *, key: int) -> tuple[NDArray[np.uint8], MatchQuality]:
    """Return a picture that has the target.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Coded sRGB.
    target : Target
        From :func:`find_target`.
    key : int
        64-bit key of the lots by which ties are broken and values rounded.

    Returns
    -------
    (ndarray of uint8, MatchQuality)
        The picture and how near it is.
    """
    luma = luma_of(pixels, target.match)
    lots = hashes(np.arange(luma.size, dtype=np.uint64), key)
    if target.levels is not None:
        wanted = _ranked(luma, lots, target.levels)
    else:
        wanted = _wanted(luma, target)
        if target.match.kind == "luminance":
            wanted = _clipped_to(wanted, target)
        else:
            wanted = target.mean + (wanted - target.mean) * target.shrunk
    inside = np.clip(wanted, 0, 255)
    made, greyed = recoloured(pixels, luma, inside)
    dither = ((lots >> np.uint64(11)).astype(np.float64) / 2**53).reshape(luma.shape)
    out = np.clip(np.floor(made + dither[..., None]), 0, 255).astype(np.uint8)
    after = luma_of(out, target.match)
    residual = 0.0
    if target.match.kind == "spectrum":
        meant = np.abs(scipy.fft.rfft2(wanted - wanted.mean()))
        residual = float(np.linalg.norm(np.abs(scipy.fft.rfft2(after - after.mean())) - meant) / np.linalg.norm(meant))
    own_contrast = float(wanted.std()) if target.match.kind == "spectrum" else target.contrast
    return out, MatchQuality(
        mean_residual=float(after.mean() - target.mean),
        contrast_residual=float(after.std() - own_contrast),
        spectrum_residual=residual,
        greyed_fraction=greyed,
        clipped_fraction=float(np.mean((wanted < -0.5) | (wanted > 255.5))),
    )


def recoloured(
    pixels: NDArray[np.uint8], luma: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Give pixels a new luma and keep their hue, greying them only as far as the gamut demands.

    Returns the values, float64 in 0 … 255, and the share of pixels that were greyed.
    """
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    high = np.maximum(np.maximum(red, green), blue) - luma
    low = np.minimum(np.minimum(red, green), blue) - luma
    with np.errstate(divide="ignore", invalid="ignore"):
        keep = np.minimum(np.where(high > 0, (255 - wanted) / high, 1.0), np.where(low < 0, wanted / -low, 1.0))
    keep = np.clip(keep, 0, 1)
    out = np.empty(pixels.shape)
    for channel, values in enumerate((red, green, blue)):
        np.subtract(values, luma, out=out[..., channel])
        out[..., channel] *= keep
        out[..., channel] += wanted
    return out, float(np.mean(keep < 1 - 1e-9))


def _wanted(luma: NDArray[np.float64], target: Target) -> NDArray[np.float64]:
    """Return the luma that a picture would have without bounds and before shrinking."""
    if target.match.kind == "luminance":
        spread = luma.std()
        return np.asarray(target.mean + (luma - luma.mean()) * (target.contrast / spread if spread > 0 else 0.0))
    assert target.amplitudes is not None
    spectrum = np.asarray(scipy.fft.rfft2(luma), np.complex128)
    length = np.abs(spectrum)
    if target.match.spectrum == "full":
        gain = np.where(length > 0, target.amplitudes / np.where(length > 0, length, 1), 0.0)
    else:
        gain = _rotational_gain(length, target.amplitudes, luma.shape)
    spectrum *= gain
    spectrum[0, 0] = target.mean * luma.size
    return np.asarray(scipy.fft.irfft2(spectrum, s=luma.shape))


def _rotational_gain(
    own: NDArray[np.float64], wanted: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the factor per frequency that gives a spectrum the wanted mean amplitude at every radius."""
    radius = np.hypot(np.fft.fftfreq(shape[0], 1 / shape[0])[:, None], np.fft.rfftfreq(shape[1], 1 / shape[1])[None])
    ring = np.rint(radius).astype(np.int64)
    mine, theirs = (np.bincount(ring.ravel(), one.ravel()) for one in (own, wanted))
    gain = np.where(mine > 0, theirs / np.where(mine > 0, mine, 1), 1.0)
    return np.asarray(gain[ring])


def _clipped_to(wanted: NDArray[np.float64], target: Target) -> NDArray[np.float64]:
    """Adjust gain and offset so that mean and contrast hold after the few allowed values are clipped."""
    out = wanted
    for _ in range(30):
        inside = np.clip(out, 0, 255)
        spread = inside.std()
        if spread == 0 or abs(inside.mean() - target.mean) < 1e-6 > abs(spread - target.contrast):
            break
        out = target.mean + (out - inside.mean()) * (target.contrast / spread)
    return out


def _ranked(luma: NDArray[np.float64], lots: NDArray[np.uint64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the pixels the target's sorted levels in the order of their luma; equals by their surroundings, then by lot.

    The three are packed into one whole number with the pixel's own number in the last bits: sorting numbers is much
    faster than sorting by several keys.
    """
    from scipy.ndimage import uniform_filter

    around = uniform_filter(luma, 3, mode="nearest").ravel()
    bits = np.uint64(max(1, (luma.size - 1).bit_length()))
    key = np.rint(luma.ravel() * 8192).astype(np.uint64) << np.uint64(42)  # 22 bits
    key |= np.rint(np.clip(around, 0, 255) * 16).astype(np.uint64) << np.uint64(30)  # 12 bits
    if bits < 30:
        key |= (lots >> (np.uint64(34) + bits)) << bits
    key |= np.arange(luma.size, dtype=np.uint64)
    key.sort()
    out = np.empty(luma.size)
    out[(key & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)] = levels
    return out.reshape(luma.shape)
