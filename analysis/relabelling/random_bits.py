"""Streams of random bits for relabellings, from the words of :mod:`rapidvision.numerics.counter_rng`."""

import numpy as np

from rapidvision.numerics.counter_rng import Words, mixed, step, steps
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import key64

#: Relabellings per block: two blocks are the paper's number.
BLOCK = N_RELABELLINGS // 2

# Streams of their own for the counts of ones and for the flips of a repair.
COUNTS = 0x5851F42D4C957F2D
FLIPS = 0x2545F4914F6CDD1D
_U = np.uint64


def stream_key(seed: int, *address: str | int) -> int:
    """Key of a stream of words; every test, stratum and kind of resampling has its own address."""
    return key64(seed, "analysis", *address)


def eighths_of(n: int, n_first: int) -> int:
    """Probability of a one in random bits, in 256ths: near `n_first` / `n`, never 0 or 1."""
    return min(max(round(256 * n_first / n), 1), 255)


def random_bits(key: int, start: int, count: int, eighths: int) -> Words:
    """`count` words of independent bits, each one with probability `eighths` / 256; eight words make one unless it is ½."""
    return bits_at(key, np.array([step(start)]), count, eighths).reshape(-1)


def bits_at(key: int, starts: Words, count: int, eighths: int) -> Words:
    """Words of independent bits, `count` from each of some counters on (times the constant, as :func:`step` gives them).

    The binary digits of the probability are read from the lowest to the highest: OR for a 1, AND for a 0.

    Examples
    --------
    >>> two = bits_at(7, np.array([step(0), step(100)]), 4, 96)
    >>> two.shape, bool((two[1] == random_bits(7, 100, 4, 96)).all())
    ((2, 4), True)
    """
    if eighths == 128:
        return mixed((starts + _U(key))[:, None] + steps(count))
    lowest = (eighths & -eighths).bit_length() - 1
    base = ((starts << _U(3)) + _U(key))[:, None] + (steps(count) << _U(3))
    x = mixed(base + step(lowest))
    for digit in range(lowest + 1, 8):
        word = mixed(base + step(digit))
        if (eighths >> digit) & 1:
            x |= word
        else:
            x &= word
    return x
