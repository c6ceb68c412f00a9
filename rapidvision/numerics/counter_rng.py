"""Random words from a counter instead of a state: word i of a stream is a hash (SplitMix64) of a key and of i.

A word depends neither on how many were drawn before nor on the thread or library that draws it. Compiled loops take
the same words from :mod:`rapidvision.numerics.compiled_counter_rng`.
"""

import numpy as np
from numpy.typing import NDArray

GAMMA, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_U = np.uint64
Words = NDArray[np.uint64]

#: What the counters 0, 1, 2 … add to a key: multiplied once, because every block needs them.
_STEPS = np.arange(1 << 14, dtype=np.uint64) * _U(GAMMA)


def steps(count: int) -> Words:
    """Counters 0 … `count - 1`, times the constant that spreads them; read-only use."""
    return _STEPS[:count] if count <= len(_STEPS) else np.arange(count, dtype=np.uint64) * _U(GAMMA)


def step(counter: int, key: int = 0) -> np.uint64:
    """A key plus one counter times the constant, as :func:`steps` holds it."""
    return _U((key + counter * GAMMA) & (1 << 64) - 1)


def mixed(z: Words) -> Words:
    """Finish the hash of `z` (key plus steps) in place."""
    scratch = z >> _U(30)
    z ^= scratch
    z *= _U(MIX1)
    np.right_shift(z, _U(27), out=scratch)
    z ^= scratch
    z *= _U(MIX2)
    np.right_shift(z, _U(31), out=scratch)
    z ^= scratch
    return z


def hashed_words(key: int, start: int, count: int) -> Words:
    """Words `start` … `start + count - 1` of a stream: SplitMix64 of a counter.

    Examples
    --------
    >>> hashed_words(7, 3, 3).tolist()
    [16616101746815609346, 10753165928301472203, 8346079845500723674]
    >>> bool((hashed_words(7, 0, 4)[2:] == hashed_words(7, 2, 2)).all())
    True
    """
    return mixed(steps(count) + step(start, key))


def hashes(numbers: Words, key: int) -> Words:
    """Return 64 random-looking bits for each of any numbers: pixels, frequencies, bubbles.

    Parameters
    ----------
    numbers : ndarray of uint64, any shape
        What the bits belong to.
    key : int
        64-bit key, as from :func:`rapidvision.seeds.key64`.

    Returns
    -------
    ndarray of uint64, same shape
        The bits.

    Examples
    --------
    >>> hashes(np.array([0, 1], np.uint64), 5).tolist()
    [6542311707026663385, 13447167546015097853]
    """
    with np.errstate(over="ignore"):
        return mixed(np.asarray(numbers + _U(origin_of(key))))


def origin_of(key: int) -> int:
    """Return where a key's hashes begin; spread out, so that neighbouring keys do not share shifted sequences."""
    (word,) = hashed_words(key, 1, 1)
    return int(word) ^ GAMMA
