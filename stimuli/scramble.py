"""Phase scrambling: the picture's own spectrum, its own colours, and no object.

One random phase field is *added* to the phases of all channels, so every auto- and cross-spectrum stays exactly as
it was; own phases per channel, or one phase instead of another, would change the colours. Phases come from a hash
and are read from a table; all arithmetic is float64, which makes the rounded bytes the same for every FFT library.

Hard clipping is the silent error of the usual recipe. :func:`scramble` therefore looks for a phase field whose
picture stays inside the gamut (over-relaxed projections, always back onto the exact spectra) and reports what is
still clipped.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from .flood import hashes

VERSION = "1"

#: How far beyond the bound a value is pulled back in one improvement.
RELAXATION = 1.8

_TURNS = np.exp(2j * np.pi * (np.arange(65536) + 0.5) / 65536)


@dataclass(frozen=True, slots=True, eq=False)
class Scrambled:
    """A scrambled picture before it is rounded, and how much of it does not fit.

    Attributes
    ----------
    values : ndarray of float64, shape (height, width, channels)
        Same auto- and cross-spectra as the source; may lie outside [0, white].
    clipped_fraction : float
        Share of values outside [0, white].
    n_iterations : int
        Improvements done.
    """

    values: NDArray[np.float64]
    clipped_fraction: float
    n_iterations: int


def scramble(
    picture: NDArray[np.float64],
    *,
    key: int,
    coherence: float = 0.0,
    edges: str = "periodic",
    gamut_iterations: int = 5,
    white: float = 255.0,
) -> Scrambled:
    """Scramble the phases of a picture.

    Parameters
    ----------
    picture : ndarray of float, shape (height, width, channels)
        Values in [0, white].
    key : int
        64-bit key of the phase field.
    coherence : float, 0 … 1
        Weight of the picture's own phases (weighted mean phase); 1 gives the picture back.
    edges : {"periodic", "raw"}
        ``periodic`` takes the jump between opposite borders out of the spectrum first (periodic plus smooth
        decomposition) and restores each picture's contrast; ``raw`` leaves a cross in the spectrum.
    gamut_iterations : int
        Improvements towards the gamut; 0 is the plain recipe.
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
    x = np.empty((picture.shape[2], picture.shape[0], picture.shape[1]))
    x[...] = np.moveaxis(picture, 2, 0)
    if edges == "periodic":
        spectrum = _periodic_spectrum(x)
    else:
        spectrum = np.asarray(scipy.fft.rfft2(x, axes=(1, 2), overwrite_x=True))
    shape = (x.shape[1], x.shape[2])
    turns = phase_field(shape, key=key)
    if coherence > 0:
        turns = _mixed(turns, coherence)
    rotated = spectrum * turns if gamut_iterations else np.multiply(spectrum, turns, out=spectrum)
    y = scipy.fft.irfft2(rotated, s=shape, axes=(1, 2), overwrite_x=True)
    done = 0
    if coherence == 0 and gamut_iterations:
        for done in range(gamut_iterations + 1):
            if done == gamut_iterations or not _outside(y, white):
                break
            over = np.clip(y, 0.0, white)
            over -= y
            over *= RELAXATION
            over += y
            wanted = scipy.fft.rfft2(over, axes=(1, 2), overwrite_x=True)
            y = scipy.fft.irfft2(spectrum * _best_turns(wanted, spectrum), s=shape, axes=(1, 2), overwrite_x=True)
    return Scrambled(np.moveaxis(y, 0, 2), _outside(y, white) / y.size, done)


def phase_field(shape: tuple[int, int], *, key: int) -> NDArray[np.complex128]:
    """Return random turns for the half spectrum of a real picture; complex, shape (height, width // 2 + 1).

    Every turn has length 1, the zero frequency has turn 1 (the mean stays), frequencies that are their own mirror
    image have turn +1 or -1, and mirrored frequencies of the first and last column are conjugate.
    """
    height, width = shape
    half = width // 2 + 1
    bits = (hashes(np.arange(height * half, dtype=np.uint64), key) >> np.uint64(48)).astype(np.int64)
    bits = bits.reshape(height, half)
    turns = _TURNS[bits]
    for column in [0, *([width // 2] if width % 2 == 0 else [])]:
        turns[height // 2 + 1 :, column] = np.conj(turns[1 : (height + 1) // 2, column][::-1])
        for row in [0, *([height // 2] if height % 2 == 0 else [])]:
            turns[row, column] = 1.0 if bits[row, column] & 1 else -1.0
    turns[0, 0] = 1.0
    return np.asarray(turns)


def _mixed(turns: NDArray[np.complex128], coherence: float) -> NDArray[np.complex128]:
    mixed = coherence + (1 - coherence) * turns
    length = np.abs(mixed)
    return np.where(length > 1e-12, mixed / np.where(length > 1e-12, length, 1), 1.0)


def _best_turns(wanted: NDArray[np.complex128], spectrum: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the one turn per frequency that brings the spectrum of all channels nearest to `wanted`."""
    total = (wanted * np.conj(spectrum)).sum(axis=0)
    length = np.abs(total)
    turns = np.where(length > 0, total / np.where(length > 0, length, 1), 1.0)
    turns[0, 0] = 1.0
    return turns


def _periodic_spectrum(x: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Half spectrum of the periodic component, each channel scaled to the contrast of the whole picture.

    One factor for all channels keeps their covariance: the square root of the ratio of total variances.
    """
    _, height, width = x.shape
    jump = np.zeros_like(x)
    rows, columns = x[:, 0] - x[:, -1], x[:, :, 0] - x[:, :, -1]
    jump[:, 0] += rows
    jump[:, -1] -= rows
    jump[:, :, 0] += columns
    jump[:, :, -1] -= columns
    waves_y = np.cos(2 * np.pi * np.arange(height) / height)[:, None]
    waves_x = np.cos(2 * np.pi * np.arange(width // 2 + 1) / width)[None]
    divisor = 2 * (2 - waves_y - waves_x)
    divisor[0, 0] = 1
    smooth = scipy.fft.rfft2(jump, axes=(1, 2)) / divisor
    smooth[:, 0, 0] = 0
    spectrum = scipy.fft.rfft2(x, axes=(1, 2)) - smooth
    weights = np.full(width // 2 + 1, 2.0)
    weights[0] = 1.0
    if width % 2 == 0:
        weights[-1] = 1.0
    power = float((np.abs(spectrum) ** 2 * weights).sum() - (np.abs(spectrum[:, 0, 0]) ** 2).sum())
    variance = float(x.var(axis=(1, 2)).sum()) * (height * width) ** 2
    mean = spectrum[:, 0, 0].copy()
    spectrum *= np.sqrt(variance / power) if power > 1e-9 * max(variance, 1.0) else 1.0
    spectrum[:, 0, 0] = mean
    return np.asarray(spectrum)


def _outside(y: NDArray[np.float64], white: float) -> int:
    """How many values would be clipped when rounded to levels 0 … white."""
    margin = white / 510
    return int(np.count_nonzero(y < -margin) + np.count_nonzero(y > white + margin))
