"""Random words that are counted, not drawn: word i of a stream is a hash (SplitMix64) of key + i.

Any block of a stream can be made by any thread, in any order, by numpy or by compiled loops, with the same bits.
"""

import numpy as np
from numpy.typing import NDArray

GAMMA = 0x9E3779B97F4A7C15
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
    z *= _U(0xBF58476D1CE4E5B9)
    np.right_shift(z, _U(27), out=scratch)
    z ^= scratch
    z *= _U(0x94D049BB133111EB)
    np.right_shift(z, _U(31), out=scratch)
    z ^= scratch
    return z


def hashed_words(key: int, start: int, count: int) -> Words:
    """Words `start` … `start + count - 1` of a stream: SplitMix64 of a counter.

    Examples
    --------
    >>> bool((hashed_words(7, 0, 4)[2:] == hashed_words(7, 2, 2)).all())
    True
    """
    return mixed(steps(count) + step(start, key))
