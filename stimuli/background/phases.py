"""Fields of random phases: one turn per frequency, hashed, so that every library gives the same bytes."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import hashes

_TURNS = np.exp(2j * np.pi * (np.arange(65536) + 0.5) / 65536)


def phase_field(shape: tuple[int, int], *, key: int) -> NDArray[np.complex128]:
    """Return random turns for the half spectrum of a real image; complex, shape (height, width // 2 + 1).

    Every turn has length 1, the zero frequency has turn 1 (the mean stays), frequencies that are their own mirror
    image have turn +1 or -1, and mirrored frequencies of the first and last column are conjugate.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image in pixels.
    key : int
        64-bit key; equal keys, equal phases.

    Returns
    -------
    ndarray of complex128, shape (height, width // 2 + 1)
        To be multiplied onto the spectra of all channels.
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


def mixed_with_own(turns: NDArray[np.complex128], coherence: float) -> NDArray[np.complex128]:
    """Return the turns that bring phases `coherence` of the way back to the image's own (weighted mean phase)."""
    mixed = coherence + (1 - coherence) * turns
    length = np.abs(mixed)
    return np.where(length > 1e-12, mixed / np.where(length > 1e-12, length, 1), 1.0)
