"""Relabellings: uniformly random group memberships as bits, each block a pure function of seed and block number.

A relabelling of n participants with a in the first group is an n-bit word with a ones, all such words equally likely.
Up to 256 participants the words are *dealt*: how many ones each 64-bit part holds is drawn from its exact
hypergeometric law, then random parts, sorted by their number of ones, are dealt to the relabellings that want that
number. Given their number of ones, random bits are uniform, so the result is exact, and hardly a bit is wasted. Beyond,
random bits are *repaired*: a uniformly chosen bit of the kind that is too frequent flips until the number is right.

Randomness is counted, not drawn: word i of a stream is a hash (SplitMix64) of key + i, so any block can be made by
any thread, in any order, by numpy or by the compiled kernels, with the same bits.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.seeds import key64

#: Relabellings per block.
BLOCK = 4096
#: More 64-bit parts than this are repaired instead of dealt.
MOST_DEALT_WORDS = 4

_GAMMA = 0x9E3779B97F4A7C15
# Streams of their own for the counts of ones and for the flips of a repair.
COUNTS = 0x5851F42D4C957F2D
FLIPS = 0x2545F4914F6CDD1D
_U = np.uint64
Words = NDArray[np.uint64]
Matrix = NDArray[np.floating[Any]]


class Deal(NamedTuple):
    """How relabellings of n participants, a in the first group, are dealt.

    Attributes
    ----------
    sizes : tuple of int
        Bits in each 64-bit part.
    eighths : int
        Random bits are one with probability `eighths` / 256, near a / n.
    thresholds : ndarray of uint64, shape (parts - 1, a + 1, 65)
        ``[j, r, c]``: 2**64 times the probability that part j holds at most c ones when r are left for it and the
        parts after it.
    rounds : tuple of int
        Candidates drawn at a time for each part.
    """

    sizes: tuple[int, ...]
    eighths: int
    thresholds: Words
    rounds: tuple[int, ...]


def hashed_words(key: int, start: int, count: int) -> Words:
    """Words `start` … `start + count - 1` of a stream: SplitMix64 of a counter.

    Examples
    --------
    >>> bool((hashed_words(7, 0, 4)[2:] == hashed_words(7, 2, 2)).all())
    True
    """
    z = np.arange(start, start + count, dtype=np.uint64)
    z *= _U(_GAMMA)
    z += _U(key)
    z ^= z >> _U(30)
    z *= _U(0xBF58476D1CE4E5B9)
    z ^= z >> _U(27)
    z *= _U(0x94D049BB133111EB)
    z ^= z >> _U(31)
    return z


def stream_key(seed: int, *address: str | int) -> int:
    """Key of a stream of words; every test, stratum and kind of resampling has its own address."""
    return key64(seed, "analysis", *address)


@lru_cache(maxsize=32)
def deal(n: int, n_first: int) -> Deal:
    """Prepare dealing for `n` participants with `n_first` in the first group; at most 256 participants."""
    n_words = -(-n // 64)
    sizes = tuple(min(64, n - 64 * j) for j in range(n_words))
    eighths = min(max(round(256 * n_first / n), 1), 255)
    thresholds = np.zeros((max(n_words - 1, 1), n_first + 1, 65), dtype=np.uint64)
    for j in range(n_words - 1):
        rest = n - 64 * j
        for left in range(max(0, n_first - 64 * j), n_first + 1):
            thresholds[j, left] = _cumulative(rest, left, sizes[j])
    chance = eighths / 256
    rounds = []
    for size in sizes:
        wanted = [
            math.comb(size, c) * math.comb(n - size, n_first - c) / math.comb(n, n_first) if c <= n_first else 0.0
            for c in range(size + 1)
        ]
        made = [math.comb(size, c) * chance**c * (1 - chance) ** (size - c) for c in range(size + 1)]
        ratio = max((w / g for w, g in zip(wanted, made, strict=True) if w > 1e-9), default=1.0)
        rounds.append(int(BLOCK * min(ratio, 64.0) * 1.04) + 256)
    return Deal(sizes, eighths, thresholds, tuple(rounds))


def _cumulative(rest: int, left: int, size: int) -> Words:
    """2**64 times the distribution function of the ones among `size` of `rest` places that hold `left` ones."""
    total = math.comb(rest, left)
    below = 0
    row = []
    for c in range(65):
        if c <= left and size - c >= 0 and rest - size >= left - c:
            below += math.comb(size, c) * math.comb(rest - size, left - c)
        row.append(min((below << 64) // total, 2**64 - 1) if total else 2**64 - 1)
    return np.array(row, dtype=np.uint64)


def random_bits(key: int, start: int, count: int, eighths: int) -> Words:
    """`count` words of independent bits, each one with probability `eighths` / 256; eight words make one unless it is ½.

    The binary digits of the probability are read from the lowest to the highest: OR for a 1, AND for a 0.
    """
    if eighths == 128:
        return hashed_words(key, start, count)
    lowest = (eighths & -eighths).bit_length() - 1
    words = hashed_words(key, 8 * start, 8 * count).reshape(count, 8)
    x = words[:, lowest].copy()
    for digit in range(lowest + 1, 8):
        x = words[:, digit] | x if (eighths >> digit) & 1 else words[:, digit] & x
    return x


def dealt_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by dealing.

    Parameters
    ----------
    key : int
        From :func:`stream_key`.
    block : int
        Number of the block, from 0.
    n, n_first : int
        Participants (at most 256), and how many of them are in the first group.

    Returns
    -------
    ndarray of uint64, shape (ceil(n / 64), BLOCK)
        Bit i of word j says whether participant 64 j + i is in the first group.
    """
    plan = deal(n, n_first)
    left = np.full(BLOCK, n_first, dtype=np.int64)
    out = np.empty((len(plan.sizes), BLOCK), dtype=np.uint64)
    for j, size in enumerate(plan.sizes):
        wanted = left
        if j < len(plan.sizes) - 1:
            u = hashed_words(key ^ COUNTS, (block << 3 | j) * BLOCK, BLOCK)
            if j == 0:
                wanted = np.searchsorted(plan.thresholds[0, n_first], u, side="right").astype(np.int64)
            else:
                wanted = (plan.thresholds[j][left] <= u[:, None]).sum(axis=1)
        left = left - wanted
        _deal_words(out[j], wanted, key, block << 28 | j << 26, plan.rounds[j], plan.eighths, size)
    return out


def _deal_words(
    out: Words, wanted: NDArray[np.int64], key: int, at: int, n_drawn: int, eighths: int, size: int
) -> None:
    """Fill `out` with random words of `size` bits that hold `wanted` ones, drawing `n_drawn` candidates at a time."""
    mask = _U(2**64 - 1 if size == 64 else (1 << size) - 1)
    need = np.bincount(wanted, minlength=65)
    taker = np.argsort(wanted.astype(np.uint8), kind="stable")
    first_taker = np.cumsum(need) - need
    while need.any():
        candidates = random_bits(key, at, n_drawn, eighths) & mask
        at += n_drawn
        ones = np.bitwise_count(candidates)
        have = np.bincount(ones, minlength=65)
        dealt = np.minimum(have, need)
        within = np.arange(dealt.sum()) - np.repeat(np.cumsum(dealt) - dealt, dealt)
        by_ones = np.argsort(ones, kind="stable")
        out[taker[np.repeat(first_taker, dealt) + within]] = candidates[
            by_ones[np.repeat(np.cumsum(have) - have, dealt) + within]
        ]
        need = need - dealt
        first_taker = first_taker + dealt


def repaired_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by repair, for any number of participants; the form is :func:`dealt_block`'s."""
    n_words = -(-n // 64)
    eighths = min(max(round(256 * n_first / n), 1), 255)
    x = random_bits(key, block * BLOCK * n_words, BLOCK * n_words, eighths).reshape(n_words, BLOCK)
    if n % 64:
        x[-1] &= _U((1 << (n % 64)) - 1)
    excess = np.bitwise_count(x).sum(axis=0, dtype=np.int64) - n_first
    active = np.flatnonzero(excess)
    step = block << 40
    limit = _U((1 << 32) // n * n)
    while len(active):
        draw = hashed_words(key ^ FLIPS, step, BLOCK)[active] >> _U(32)
        step += BLOCK
        place = draw % _U(n)
        word, bit = (place >> _U(6)).astype(np.intp), _U(1) << (place & _U(63))
        is_one = (x[word, active] & bit) != 0
        flip = (draw < limit) & (is_one == (excess[active] > 0))
        rows = active[flip]
        x[word[flip], rows] ^= bit[flip]
        excess[rows] -= np.sign(excess[rows])
        active = active[excess[active] != 0]
    return x


def label_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings, by whichever way suits the number of participants."""
    make = dealt_block if n <= 64 * MOST_DEALT_WORDS else repaired_block
    return make(key, block, n, n_first)


def as_matrix(words: Words, out: Matrix | None = None, *, dtype: type[np.floating[Any]] = np.float32) -> Matrix:
    """Bits as zeros and ones, shape (relabellings, 64 * parts), ready for a matrix product with padded scores.

    Parameters
    ----------
    words : ndarray of uint64, shape (parts, relabellings)
        From :func:`label_block`.
    out : ndarray, optional
        C-contiguous, to be filled; fresh memory costs more than the work itself.
    dtype : type
        Of a fresh matrix.
    """
    data = np.ascontiguousarray(words.T.astype("<u8", copy=False)).view(np.uint8)
    if out is None:
        out = np.empty((len(data), 8 * data.shape[1]), dtype=dtype)
    by_byte = out.reshape(*data.shape, 8)
    np.take(_bits_of_bytes(out.dtype.char), data, axis=0, out=by_byte, mode="clip")
    return out


@lru_cache(maxsize=4)
def _bits_of_bytes(dtype: str) -> Matrix:
    every = np.arange(256, dtype=np.uint8)[:, None]
    return np.unpackbits(every, axis=1, bitorder="little").astype(dtype)
