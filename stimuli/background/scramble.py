"""Phase scrambling: the image's own spectrum, its own colours, and no object.

One random phase field is *added* to the phases of all channels, so every auto- and cross-spectrum stays exactly as
it was; own phases per channel, or one phase instead of another, would change the colours. Phases come from a hash
and are read from a table; all arithmetic is float64, which makes the rounded bytes the same for every FFT library.

Hard clipping is the silent error of the usual recipe. :func:`scramble` therefore looks for a phase field whose
image stays inside the gamut (over-relaxed projections, always back onto the exact spectra) and reports what is
still clipped.

A coherence above 0 keeps a share of the image's own phases, and the same share of the smooth component that
``periodic`` edges take out; contrast is restored and the gamut searched as without it. Coherence 1 is the image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from .phases import mixed_with_own, phase_field

VERSION = "2"

#: How far beyond the bound a value is pulled back in one improvement.
RELAXATION = 1.8


@dataclass(frozen=True, slots=True, eq=False)
class Scrambled:
    """A scrambled image before it is rounded, and how much of it does not fit.

    Attributes
    ----------
    values : ndarray of float64, shape (height, width, channels)
        Same auto- and cross-spectra as the source (its periodic component), plus the share of its smooth component
        that `coherence` keeps; may lie outside [0, white].
    clipped_fraction : float
        Share of values outside [0, white].
    n_iterations : int
        Improvements done.
    """

    values: NDArray[np.float64]
    clipped_fraction: float
    n_iterations: int


def scramble(
    image: NDArray[np.float64],
    *,
    key: int,
    coherence: float = 0.0,
    edges: str = "periodic",
    gamut_iterations: int = 5,
    tolerance: float = 0.0,
    white: float = 255.0,
) -> Scrambled:
    """Scramble the phases of an image.

    Parameters
    ----------
    image : ndarray of float, shape (height, width, channels)
        Values in [0, white].
    key : int
        64-bit key of the phase field.
    coherence : float, 0 … 1
        Weight of the image's own phases (weighted mean phase) and share of its smooth component; 1 gives the image
        back.
    edges : {"periodic", "raw"}
        ``periodic`` takes the jump between opposite borders out of the spectrum first (periodic plus smooth
        decomposition) and restores each image's contrast; ``raw`` leaves a cross in the spectrum.
    gamut_iterations : int
        Improvements towards the gamut; 0 is the plain recipe.
    tolerance : float
        Share of values that may be clipped; improvement stops there.
    white : float
        Largest allowed value.

    Returns
    -------
    Scrambled
        Values and what is clipped.

    Examples
    --------
    >>> flat = np.full((4, 4, 3), 100.0)
    >>> bool(np.allclose(scramble(flat, key=1).values, flat))
    True
    """
    if coherence == 1:
        x = [np.asarray(image[..., channel], np.float64) for channel in range(image.shape[2])]
        return Scrambled(np.stack(x, -1), _outside(x, white) / image.size, 0)
    height, width, n_channels = image.shape
    if edges == "raw" and not coherence and not gamut_iterations:
        return _plain(image, phase_field((height, width), key=key), white)
    x = [np.asarray(image[..., channel], np.float64) for channel in range(n_channels)]
    spectra = [_spectrum(one) for one in x]
    turns = phase_field((height, width), key=key)
    if coherence > 0:
        turns = mixed_with_own(turns, coherence)
    kept: list[NDArray[np.float64]] = []
    if edges == "periodic":
        kept = _make_periodic(spectra, x, turns, coherence)
    y = [_turned(spectra[channel], turns, kept[channel : channel + 1], width) for channel in range(n_channels)]
    done = 0
    if gamut_iterations:
        mirrored = [np.conj(spectrum) for spectrum in spectra]
        for done in range(gamut_iterations + 1):
            if done == gamut_iterations or _outside(y, white) <= tolerance * image.size:
                break
            pulled = (_pulled_in(one, white) for one in y)
            if kept:
                pulled = (one - smooth for one, smooth in zip(pulled, kept, strict=True))
            turns = _best_turns(map(_spectrum, pulled), mirrored)
            y = [_turned(spectra[channel], turns, kept[channel : channel + 1], width) for channel in range(n_channels)]
    values = np.moveaxis(np.stack(y), 0, -1)  # the next step works by channel, too
    return Scrambled(values, _outside(y, white) / values.size, done)


def _plain(image: NDArray[np.float64], turns: NDArray[np.complex128], white: float) -> Scrambled:
    """Scramble without a search: a channel is finished, and its figures taken, before the next one is begun."""
    height, width, n_channels = image.shape
    values, outside = np.empty((n_channels, height, width)), 0
    for channel, into in enumerate(values):
        spectrum = _spectrum(np.asarray(image[..., channel], np.float64))
        spectrum *= turns
        into[...] = _image(spectrum, width)
        outside += _outside([into], white)
    return Scrambled(np.moveaxis(values, 0, -1), outside / values.size, 0)


def half_spectra(pixels: NDArray[np.uint8]) -> list[NDArray[np.complex128]]:
    """Return the half spectra of an image's periodic component at the image's contrast, one per channel.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, channels)
        Coded values.

    Returns
    -------
    list of ndarray of complex128, shape (height, width // 2 + 1)
        What :func:`scramble` turns; frequency 0 is the sum of the channel.
    """
    x = [pixels[..., channel].astype(np.float64) for channel in range(pixels.shape[2])]
    spectra = [_spectrum(one) for one in x]
    _make_periodic(spectra, x, np.ones(spectra[0].shape, np.complex128), 0.0)
    return spectra


# Channels are transformed one after the other: a channel and its spectrum stay in the processor's cache, and blocks
# of their size are kept by the allocator, where the pages of larger ones are asked from the system again each time.


def _spectrum(channel: NDArray[np.float64]) -> NDArray[np.complex128]:
    return np.asarray(scipy.fft.rfft2(channel))


def _image(spectrum: NDArray[np.complex128], width: int) -> NDArray[np.float64]:
    return np.asarray(scipy.fft.irfft2(spectrum, s=(spectrum.shape[0], width), overwrite_x=True))


def _turned(
    spectrum: NDArray[np.complex128], turns: NDArray[np.complex128], kept: list[NDArray[np.float64]], width: int
) -> NDArray[np.float64]:
    """Return a channel with turned phases, and what is kept of its smooth component added."""
    out = _image(spectrum * turns, width)
    for smooth in kept:
        out += smooth
    return out


def _pulled_in(y: NDArray[np.float64], white: float) -> NDArray[np.float64]:
    """Return `y` with what lies outside the gamut moved :data:`RELAXATION` times the way to its border."""
    over = np.clip(y, 0.0, white)
    over -= y
    over *= RELAXATION
    over += y
    return over


def _best_turns(
    wanted: Iterable[NDArray[np.complex128]], mirrored: list[NDArray[np.complex128]]
) -> NDArray[np.complex128]:
    """Return the one turn per frequency that brings all channels nearest to `wanted`, which is used up.

    `mirrored` are the conjugates of the channels' own spectra.
    """
    total = np.zeros(mirrored[0].shape, np.complex128)
    for one, conjugate in zip(wanted, mirrored, strict=True):
        one *= conjugate
        total += one
    length = np.abs(total)
    nothing = length == 0
    if nothing.any():
        total[nothing] = length[nothing] = 1.0
    total *= 1 / length  # complex numbers are divided far more slowly than multiplied
    total[0, 0] = 1.0
    return total


def _make_periodic(
    spectra: list[NDArray[np.complex128]],
    x: list[NDArray[np.float64]],
    turns: NDArray[np.complex128],
    coherence: float,
) -> list[NDArray[np.float64]]:
    """Turn the half spectra of channels into those of their periodic component, scaled to the image's contrast.

    What is taken off is the smooth component, whose Laplacian is the jump between opposite borders. The jump is one
    row and one column, so two short transforms give its whole spectrum. One factor for all channels keeps their
    covariance: that with which the turned component, and what is kept of the smooth one, have the total variance of
    the image. Returns what is kept, `coherence` times the smooth component; nothing at coherence 0.
    """
    height, width = x[0].shape
    by_row, by_column = _jump_responses(height, width)
    kept: list[NDArray[np.float64]] = []
    before = after = shared = added = 0.0
    for spectrum, channel in zip(spectra, x, strict=True):
        before += _power(spectrum, width)
        smooth = by_row * scipy.fft.rfft(channel[0] - channel[-1])
        smooth += by_column * scipy.fft.fft(channel[:, 0] - channel[:, -1])[:, None]
        spectrum -= smooth
        after += _power(spectrum, width)
        if coherence > 0:
            smooth *= coherence
            both = spectrum * turns + smooth
            added += _power(smooth, width)
            shared += (_power(both, width) - _power(spectrum, width) - _power(smooth, width)) / 2
            kept.append(_image(smooth, width))
    if after > 1e-9 * max(before, 1.0):
        factor = _factor(before, after, shared, added)
        for spectrum in spectra:
            mean = spectrum[0, 0]
            spectrum *= factor
            spectrum[0, 0] = mean
    return kept


def _factor(whole: float, turned: float, shared: float, added: float) -> float:
    """Return f ≥ 0 with f² `turned` + 2 f `shared` + `added` = `whole`, or nearest to it."""
    if added == 0:
        return float(np.sqrt(whole / turned))
    inside = shared**2 - turned * (added - whole)
    return max(0.0, (float(np.sqrt(max(inside, 0.0))) - shared) / turned)


@lru_cache(maxsize=4)
def _jump_responses(height: int, width: int) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Half spectra of the smooth component whose border jumps by 1 in one row, and in one column."""
    rows = np.exp(2j * np.pi * np.arange(height) / height)[:, None]
    columns = np.exp(2j * np.pi * np.arange(width // 2 + 1) / width)[None]
    divisor = 2 * (2 - rows.real - columns.real)
    divisor[0, 0] = 1
    by_row, by_column = (1 - rows) / divisor, (1 - columns) / divisor
    by_row[0, 0] = by_column[0, 0] = 0
    return by_row, by_column


def _power(spectrum: NDArray[np.complex128], width: int) -> float:
    """Sum of squares of a real image's whole spectrum, mean left out, from its half."""
    mean, spectrum[0, 0] = spectrum[0, 0], 0  # far larger than the rest: taken off later it would leave its rounding
    parts = spectrum.view(np.float64)
    of_columns = np.einsum("ij,ij->j", parts, parts).reshape(-1, 2).sum(axis=1)
    spectrum[0, 0] = mean
    alone = of_columns[0] + (of_columns[-1] if width % 2 == 0 else 0.0)
    return float(2 * of_columns.sum() - alone)


def _outside(y: list[NDArray[np.float64]], white: float) -> int:
    """How many values would be clipped when rounded to levels 0 … white."""
    margin = white / 510
    return sum(int(np.count_nonzero(one < -margin) + np.count_nonzero(one > white + margin)) for one in y)
