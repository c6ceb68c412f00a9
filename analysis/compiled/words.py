"""Compiled random words: the hash of :mod:`rapidvision.numerics.words`, the bits of `analysis.randomwords`."""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

_U = np.uint64
_GAMMA, _MIX1, _MIX2 = _U(0x9E3779B97F4A7C15), _U(0xBF58476D1CE4E5B9), _U(0x94D049BB133111EB)
_S30, _S27, _S31 = _U(30), _U(27), _U(31)


@intrinsic
def _population(_context: Any, word: Any) -> Any:  # noqa: ARG001 (its type is the signature below)
    """Number of ones in a word: the processor's own instruction."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


# Inside compiled code an intrinsic takes the word alone.
ones_of: Any = _population


@njit(inline="always")
def hashed(key: Any, counter: Any) -> Any:
    """Word `counter` of a stream: `numerics.words.hashed_words` for one."""
    z = counter * _GAMMA + key
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(inline="always")
def draw(key: Any, start: Any, stride: int, count: int, eighths: int, mask: Any, out: Any) -> None:
    """Words of bits that are one with probability eighths / 256, at every `stride`-th counter; see `randomwords.bits_at`."""
    if eighths == 128:
        for i in range(count):
            out[i] = hashed(key, start + _U(i * stride)) & mask
        return
    lowest = 0
    while (eighths >> lowest) & 1 == 0:
        lowest += 1
    for i in range(count):
        at = (start + _U(i * stride)) * _U(8)
        x = hashed(key, at + _U(lowest))
        for digit in range(lowest + 1, 8):
            y = hashed(key, at + _U(digit))
            x = (y | x) if (eighths >> digit) & 1 else (y & x)
        out[i] = x & mask
