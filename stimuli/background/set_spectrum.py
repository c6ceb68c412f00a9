"""Canvases that all images of a set share but for their phases: the set's mean spectrum, colour axes and mean colour.

What a canvas of the kind ``phase`` is made of is its own image's, and colour and spectrum of natural photographs tell
animals from other things. Here every canvas of a set has the same mean colour and the same amplitudes; only the phases
differ, and they come from a hash of the image's id. So no statistic of a canvas can tell the category, except by the
accident of a draw.

Three phase fields, one per colour axis, are needed: averages have no relative phase, so one field for all channels
would give canvases of one hue.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.counter_rng import hashes
from rapidvision.system import files

from ..image.colorspace import to_linear
from ..image.load import LUMA
from .phases import phase_field
from .scramble import RELAXATION, half_spectra

VERSION = "1"

#: Statistics are kept to so many binary digits, so that the rounding of a sum reaches no pixel.
_BITS = 20
#: A colour axis with a smaller share of the variance is left out: grey images have one axis.
_LEAST_SHARE = 1e-9
#: Photographs: amplitudes fall with frequency to this power; mean colour, contrast along three colour axes, mean light.
#: The set statistics of the 80 photographs of OSIE at 256 px, which stand in for a set where there is none.
_EXPONENT, _MEAN, _CONTRASTS, _LIGHT = 1.39, (129.0, 120.0, 103.0), (99.6, 26.4, 12.9), 0.272


@dataclass(frozen=True, slots=True, eq=False)
class SetSpectrum:
    """What all canvases of a set share.

    Attributes
    ----------
    mean : ndarray of float64, shape (3,)
        Mean colour, 0 … 255.
    axes : ndarray of float64, shape (3, 3)
        Colour axes in columns, that of the largest variance first.
    amplitudes : ndarray of float64, shape (3, height, width // 2 + 1)
        Amplitude of each axis at each frequency, 0 at frequency 0.
    width : int
        Width of the images in pixels.
    light : float
        Mean linear light of the images, 0 … 1.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    width: int
    light: float

    @property
    def digest(self) -> str:
        """SHA-256 of all numbers; equal digests, equal canvases."""
        head = repr((self.width, float(self.light)))
        arrays = (self.mean, self.axes, self.amplitudes)
        return files.sha256(head.encode() + b"".join(one.astype("<f8").tobytes() for one in arrays))

    @property
    def contrast(self) -> float:
        """Standard deviation of luma, in grey levels."""
        weights = (LUMA @ self.axes) ** 2
        power = float(np.einsum("k,kij,j->", weights, self.amplitudes**2, column_weights(self.width)))
        return float(np.sqrt(power) / (self.amplitudes.shape[1] * self.width))


class SpectrumSum:
    """Adds up the images of a set, one after the other and in the order of their ids.

    Every image counts the same, whatever its contrast: its spectrum is divided by its variance, and the mean contrast
    of all is put back.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images = SpectrumSum()
    >>> for number in range(3):
    ...     images.add(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    >>> found = images.found()
    >>> found.amplitudes.shape, bool(abs(found.mean - 127).max() < 10)
    ((3, 16, 9), True)
    """

    def __init__(self) -> None:
        self.n = 0
        self._mean = np.zeros(3)
        self._contrast = self._light = 0.0
        self._cross: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._width = 0

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Add an image: coded sRGB, uint8, shape (height, width, 3), all of one shape."""
        height, width = pixels.shape[:2]
        spectra = half_spectra(pixels)
        self._mean += [spectra[c][0, 0].real / (height * width) for c in range(3)]
        self._light += float((to_linear(pixels) @ LUMA).mean())
        self.n += 1
        self._width = width
        for one in spectra:
            one[0, 0] = 0
        weights = column_weights(width)
        variance = sum(float(((one.real**2 + one.imag**2) * weights).sum()) for one in spectra) / (height * width) ** 2
        self._contrast += variance**0.5
        for a in range(3):
            for b in range(a, 3):
                product = spectra[a].real * spectra[b].real + spectra[a].imag * spectra[b].imag
                total = self._cross.setdefault((a, b), np.zeros(product.shape))
                if variance > 0:
                    total += product / variance

    def found(self) -> SetSpectrum:
        """Return the statistics of what was added.

        Raises
        ------
        InputError
            When nothing was added.
        """
        if self.n == 0:
            raise InputError("set-spectrum canvases: no usable image")
        shape = next(iter(self._cross.values())).shape
        cross = np.empty((3, 3, *shape))
        for (a, b), total in self._cross.items():
            cross[a, b] = cross[b, a] = total * ((self._contrast / self.n) ** 2 / self.n)
        values, axes = np.linalg.eigh((cross * column_weights(self._width)).sum(axis=(2, 3)))
        axes = axes[:, np.argsort(values)[::-1]]
        axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0)
        power = np.einsum("ak,abij,bk->kij", axes, cross, axes)
        shares = (power * column_weights(self._width)).sum(axis=(1, 2))
        power[shares <= _LEAST_SHARE * max(float(shares.sum()), 1e-300)] = 0
        return SetSpectrum(
            _rounded(self._mean / self.n),
            _rounded(axes),
            _rounded(np.sqrt(np.maximum(power, 0))),
            self._width,
            float(_rounded(np.array(self._light / self.n))),
        )


@lru_cache(maxsize=4)
def natural(height: int, width: int) -> SetSpectrum:
    """Return statistics of photographs, for an image that belongs to no set.

    Amplitudes fall with frequency to the power 1.39 and colours vary as in 80 photographs; none of it is the image's.

    Parameters
    ----------
    height, width : int
        Of the image, in pixels.

    Examples
    --------
    >>> round(natural(32, 32).contrast)
    58
    """
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequencies[0, 0] = np.inf
    shape = frequencies**-_EXPONENT
    shape *= height * width / np.sqrt((shape**2 * column_weights(width)).sum())
    axes = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]).T / np.sqrt([3, 2, 6])
    amplitudes = np.stack([contrast * shape for contrast in _CONTRASTS])
    return SetSpectrum(np.array(_MEAN), axes, _rounded(amplitudes), width, _LIGHT)


def texture(
    shared: SetSpectrum, *, key: int, gamut_iterations: int, tolerance: float = 0.0, white: float = 255.0
) -> tuple[NDArray[np.float64], float]:
    """Draw a canvas: one field of random phases per colour axis, improved so that less is clipped.

    Parameters
    ----------
    shared : SetSpectrum
        What the canvases have in common.
    key : int
        64-bit key of the phases.
    gamut_iterations : int
        Improvements towards the gamut; every one keeps all amplitudes.
    tolerance : float
        Share of values that may be clipped; improvement stops there.
    white : float
        Largest allowed value.

    Returns
    -------
    (ndarray of float64, float)
        Values (height, width, 3), and the share of them outside [0, `white`].

    Examples
    --------
    >>> values, clipped = texture(natural(32, 32), key=1, gamut_iterations=20)
    >>> values.shape, clipped < 0.05
    ((32, 32, 3), True)
    """
    height, width = shared.amplitudes.shape[1], shared.width
    used = [k for k in range(3) if shared.amplitudes[k].any()]
    keys = hashes(np.arange(3, dtype=np.uint64), key)
    turns = {k: phase_field((height, width), key=int(keys[k])) for k in used}
    margin = white / 510

    def drawn() -> list[NDArray[np.float64]]:
        along = {k: shared.amplitudes[k] * turns[k] for k in used}
        out = []
        for channel in range(3):
            spectrum = np.zeros((height, width // 2 + 1), np.complex128)
            for k in used:
                spectrum += shared.axes[channel, k] * along[k]
            spectrum[0, 0] = shared.mean[channel] * height * width
            out.append(np.asarray(scipy.fft.irfft2(spectrum, s=(height, width), overwrite_x=True)))
        return out

    def outside(channels: list[NDArray[np.float64]]) -> float:
        n = sum(int(np.count_nonzero((one < -margin) | (one > white + margin))) for one in channels)
        return float(n / (3 * height * width))

    y = drawn()
    for _ in range(gamut_iterations):
        if outside(y) <= tolerance:
            break
        spectra = [np.asarray(scipy.fft.rfft2(one + RELAXATION * (np.clip(one, 0, white) - one))) for one in y]
        for k in used:
            wanted = sum(shared.axes[channel, k] * spectra[channel] for channel in range(3))
            length = np.abs(wanted)
            turns[k] = np.where(length > 0, wanted / np.where(length > 0, length, 1.0), 1.0)
        y = drawn()
    return np.stack(y, axis=-1), outside(y)


def column_weights(width: int) -> NDArray[np.float64]:
    """Return how often each column of a half spectrum counts in a sum over the whole one; shape (width // 2 + 1,)."""
    weights = np.full(width // 2 + 1, 2.0)
    weights[0] = 1.0
    if width % 2 == 0:
        weights[-1] = 1.0
    return weights


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    share, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(share * 2**_BITS) / 2**_BITS, exponent))
