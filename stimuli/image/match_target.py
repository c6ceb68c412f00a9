"""What the images of a set can all be made to have: the common target of :mod:`.match`, found or refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files

from ..recipe_tables import Match
from .luma import counted_in, luma_of, resampled

#: Yields every image of the set, with its id; called once per pass over the set.
Images = Callable[[], Iterable[tuple[str, NDArray[np.uint8]]]]
#: Where values of an image are counted.
Regions = Callable[[str], NDArray[np.bool_] | None]
#: Of the images of a set, so many may be given less contrast than the set: one extreme image does not decide for all.
EXTREME_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What all images of a set are made to have.

    Attributes
    ----------
    match : Match
        From the recipe.
    mean, contrast : float
        Mean and standard deviation of luma, in grey levels; with own contrasts their average.
    levels : ndarray of float64, shape (side * side,), or None
        Sorted luma, for ``histogram``.
    amplitudes : ndarray of float64, shape (side, side // 2 + 1), or None
        Amplitude spectrum, for ``spectrum``; with ``rotational`` only its mean at each radius counts.
    shrunk : float
        By how much contrast was shrunk to fit, 1 meaning not at all; with own contrasts that of the worst image.
    left_out : dict
        Images that had no part in it: id → reason.
    """

    match: Match
    mean: float
    contrast: float
    levels: NDArray[np.float64] | None = None
    amplitudes: NDArray[np.float64] | None = None
    shrunk: float = 1.0
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the target."""
        arrays = [np.round(one, 6).astype("<f8").tobytes() for one in (self.levels, self.amplitudes) if one is not None]
        head = repr((self.match, round(self.mean, 9), round(self.contrast, 9), round(self.shrunk, 9)))
        return files.sha256(head.encode() + b"".join(arrays))


def find_target(match: Match, images: Images, regions: Regions | None = None) -> Target:
    """Find what the images of a set can all be made to have.

    Parameters
    ----------
    match : Match
        What is asked for.
    images : callable
        Yields every image; memory does not grow with their size, and but a few numbers are kept of each.
    regions : callable, optional
        Image id → bool, shape (height, width): where its values are counted; called after the image was yielded.

    Returns
    -------
    Target
        To be given to :func:`matched`.

    Raises
    ------
    InputError
        When an image cannot have it without clipping and ``shrink`` is false: names the worst images.
    """
    found: dict[str, _Extent] = {}
    levels: NDArray[np.float64] | None = None
    amplitudes: NDArray[np.float64] | None = None
    for image_id, pixels in images():
        luma = luma_of(pixels, match)
        counted = counted_in(luma, None if regions is None else regions(image_id))
        if counted.size == 0:
            raise InputError(f"matching: {image_id}: its region ({match.region}) is empty; leave the image out")
        found[image_id] = _extent(counted, match.clipped)
        if match.kind == "histogram":
            levels = resampled(np.sort(counted, axis=None), luma.size) + (0.0 if levels is None else levels)
        if match.kind == "spectrum":
            amplitudes = np.abs(scipy.fft.rfft2(luma)) + (0.0 if amplitudes is None else amplitudes)
    if not found:
        raise InputError("matching: no usable image")
    n = len(found)
    if levels is not None:
        levels = levels / n
        return Target(match, float(levels.mean()), float(levels.std()), levels=levels)
    mean = sum(one.mean for one in found.values()) / n if match.mean is None else match.mean
    average = sum(one.contrast for one in found.values()) / n
    contrast = match.contrast if isinstance(match.contrast, float) else average
    if amplitudes is None:
        if match.contrast == "own":
            offsets = {
                name: _Extent(mean, one.contrast, one.low - one.mean, one.high - one.mean)
                for name, one in found.items()
            }
            return _feasible(Target(match, mean, contrast), offsets)
        gains = {name: contrast / one.contrast if one.contrast > 0 else 0.0 for name, one in found.items()}
        return _feasible(
            Target(match, mean, contrast),
            {
                name: _Extent(mean, contrast, (one.low - one.mean) * gains[name], (one.high - one.mean) * gains[name])
                for name, one in found.items()
            },
        )
    target = Target(match, mean, contrast, amplitudes=amplitudes / n)
    wanted = {}
    for image_id, pixels in images():
        luma = wanted_luma(luma_of(pixels, match), target)
        luma -= mean
        wanted[image_id] = _extent(luma, match.clipped)
    return _feasible(target, wanted)


class _Extent(NamedTuple):
    """Mean, standard deviation, and the values between which all but the share that may be clipped lies."""

    mean: float
    contrast: float
    low: float
    high: float


def _extent(luma: NDArray[np.float64], clipped: float) -> _Extent:
    low, high = np.quantile(luma, [clipped / 2, 1 - clipped / 2]) if clipped else (luma.min(), luma.max())
    return _Extent(float(luma.mean()), float(luma.std()), float(low), float(high))


def _feasible(target: Target, wanted: dict[str, _Extent]) -> Target:
    """Shrink the contrast until all but extreme images fit, or refuse; extents are relative to the target's mean."""
    factors = {name: _largest_factor(one, target.mean) for name, one in wanted.items()}
    smallest = sorted(factors.values())
    lowest = smallest[0] if target.match.contrast == "own" else smallest[int(EXTREME_SHARE * len(smallest))]
    shrunk = min(1.0, lowest)
    spread = sum(one.contrast for one in wanted.values()) / len(wanted)
    contrast = spread * shrunk if target.match.kind == "spectrum" else target.contrast * shrunk
    if smallest[0] < 1 and not target.match.shrink:
        worst = sorted(factors, key=lambda name: factors[name])
        tight = [name for name in worst if factors[name] < 1]
        if target.match.contrast == "own":
            remedy = f"shrink = true (lowers the contrast of these alone, by {1 - shrunk:.0%} at most), another mean"
        else:
            n_less = sum(one < shrunk for one in smallest)
            says = f"{n_less} images get less" if n_less else "fits all"
            remedy = f"shrink = true (contrast {contrast:.1f} {says}), a lower contrast"
        raise InputError(
            f"matching is infeasible: {len(tight)} of {len(factors)} images would be clipped (worst: {', '.join(tight[:5])}); "
            f"use {remedy}, a larger clipped, or leave them out"
        )
    if target.match.contrast == "own":
        return replace(target, shrunk=shrunk)
    return Target(target.match, target.mean, contrast, amplitudes=target.amplitudes, shrunk=shrunk)


def _largest_factor(one: _Extent, mean: float) -> float:
    """Return the largest factor of contrast with which an image fits; its extent is relative to `mean`."""
    return min(mean / max(-one.low, 1e-9), (255 - mean) / max(one.high, 1e-9))


def wanted_contrast(luma: NDArray[np.float64], target: Target) -> float:
    """Return the standard deviation that an image is given; kind ``luminance``.

    With own contrasts it is the image's own. It is lowered as far as it must be to fit around the common mean.

    Parameters
    ----------
    luma : ndarray of float64
        Of an image, where it is counted, 0 … 255.
    target : Target
        Of its set.

    Returns
    -------
    float
        In 255ths of white.
    """
    own = _extent(luma, target.match.clipped)
    contrast = own.contrast if target.match.contrast == "own" else target.contrast
    gain = contrast / own.contrast if own.contrast > 0 else 0.0
    return contrast * fitting_factor(luma, target, gain)


def fitting_factor(luma: NDArray[np.float64], target: Target, gain: float = 1.0) -> float:
    """Return by how much the contrast of an image must be lowered, after `gain`, to fit around the common mean; 0 … 1.

    1 unless the target was found with ``shrink`` or with own contrasts: else every image of the set fits.
    """
    if not target.match.shrink and target.match.contrast != "own":
        return 1.0
    own = _extent(luma, target.match.clipped)
    low, high = (own.low - own.mean) * gain, (own.high - own.mean) * gain
    factor = _largest_factor(_Extent(0.0, 0.0, low, high), target.mean)
    return factor if factor < 1 - 1e-9 else 1.0


def wanted_luma(
    luma: NDArray[np.float64], target: Target, region: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the luma that an image would have without bounds and before shrinking.

    Parameters
    ----------
    luma : ndarray of float64, shape (height, width)
        Of an image, 0 … 255.
    target : Target
        Of its set; kind ``luminance`` or ``spectrum``.
    region : ndarray of bool, shape (height, width), optional
        Where mean and contrast are counted.

    Returns
    -------
    ndarray of float64, shape (height, width)
        May lie outside 0 … 255.
    """
    if target.match.kind == "luminance":
        counted = counted_in(luma, region)
        spread = counted.std()
        gain = wanted_contrast(counted, target) / spread if spread > 0 else 0.0
        return np.asarray(target.mean + (luma - counted.mean()) * gain)
    return image_of_spectrum(wanted_spectrum(luma, target), luma.shape)


def wanted_spectrum(luma: NDArray[np.float64], target: Target) -> NDArray[np.complex128]:
    """Return the half spectrum of :func:`wanted_luma` for kind ``spectrum``; complex, shape (height, width // 2 + 1)."""
    assert target.amplitudes is not None
    spectrum = np.asarray(scipy.fft.rfft2(luma), np.complex128)
    length = np.abs(spectrum)
    if target.match.spectrum == "full":
        gain = np.where(length > 0, target.amplitudes / np.where(length > 0, length, 1), 0.0)
    else:
        gain = _rotational_gain(length, target.amplitudes)
    spectrum *= gain
    spectrum[0, 0] = target.mean * luma.size
    return spectrum


def image_of_spectrum(spectrum: NDArray[np.complex128], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the values of shape (height, width) that have a half spectrum, which is used up."""
    return np.asarray(scipy.fft.irfft2(spectrum, s=shape, overwrite_x=True))


def _rotational_gain(own: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor per frequency that gives a spectrum the wanted mean amplitude at every radius."""
    ring = _rings(own.shape[0])
    mine, theirs = (np.bincount(ring.ravel(), one.ravel()) for one in (own, wanted))
    gain = np.where(mine > 0, theirs / np.where(mine > 0, mine, 1), 1.0)
    return np.asarray(gain[ring])


@lru_cache(maxsize=2)
def _rings(side: int) -> NDArray[np.int64]:
    """Whole cycles per image of each frequency of a square image's half spectrum."""
    radius = np.hypot(np.fft.fftfreq(side, 1 / side)[:, None], np.fft.rfftfreq(side, 1 / side)[None])
    ring: NDArray[np.int64] = np.rint(radius).astype(np.int64)
    return ring
