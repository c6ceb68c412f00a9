"""Lots without a random generator: a number's lot is a hash of it and of a key.

So a lot depends neither on how many were drawn before nor on who draws it, and every library computes the same one.
"""

import numpy as np
from numpy.typing import NDArray

_WORD = 2**64 - 1


def hashes(numbers: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """Return 64 random-looking bits for each number: splitmix64, started at a place that the key decides.

    Parameters
    ----------
    numbers : ndarray of uint64, any shape
        What draws: pixels, frequencies, bubbles.
    key : int
        64-bit key, as from :func:`rapidvision.seeds.key64`.

    Returns
    -------
    ndarray of uint64, same shape
        The lots.

    Examples
    --------
    >>> hashes(np.array([0, 1], np.uint64), 5).tolist()
    [6542311707026663385, 13447167546015097853]
    """
    with np.errstate(over="ignore"):
        x: NDArray[np.uint64] = numbers + np.uint64(origin_of(key))
        shifted = np.empty_like(x)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            x ^= np.right_shift(x, np.uint64(shift), out=shifted)
            x *= np.uint64(factor)
    return x


def origin_of(key: int) -> int:
    """Return where a key's sequence begins; spread out, so that neighbouring keys do not share shifted sequences."""
    x = (key + 0x9E3779B97F4A7C15) & _WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD
    return (x ^ (x >> 31)) ^ 0x9E3779B97F4A7C15
