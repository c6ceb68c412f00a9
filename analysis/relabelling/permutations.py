"""Relabellings: uniformly random group memberships as bits, each block a pure function of seed and block number.

A relabelling of n participants with a in the first group is an n-bit word with a ones, all such words equally likely.
Up to 256 participants the words are *dealt*, 64 bits at a time. The first part is drawn by rejection, so that its number
of ones follows its exact hypergeometric law; how many ones each further part holds is drawn from the same law, given
the parts before it, and random parts, sorted by their number of ones, are dealt to the relabellings that want that
number. Given their number of ones, random bits are uniform, so the result is exact, and hardly a bit is wasted. Beyond,
they are repaired (:mod:`~rapidvision.analysis.relabelling.balanced_labels`).
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import Words, hashed_words

from .balanced_labels import repaired_block
from .random_bits import BLOCK, COUNTS, eighths_of, random_bits

#: More 64-bit parts than this are repaired instead of dealt.
MOST_DEALT_WORDS = 4

_U = np.uint64
Matrix = NDArray[np.floating[Any]]


class Deal(NamedTuple):
    """How relabellings of n participants, a in the first group, are dealt.

    Attributes
    ----------
    sizes : tuple of int
        Bits in each 64-bit part.
    eighths : int
        Random bits are one with probability `eighths` / 256, near a / n.
    accepted : ndarray of uint64, shape (65,)
        ``[c]``: 2**64 times the probability that random bits with c ones become the first part.
    thresholds : ndarray of uint64, shape (parts - 1, a + 1, 65)
        ``[j, r, c]``: 2**64 times the probability that part j holds at most c ones when r are left for it and the
        parts after it; the first part does not need it.
    rounds : tuple of int
        Candidates drawn at a time for each part.
    """

    sizes: tuple[int, ...]
    eighths: int
    accepted: Words
    thresholds: Words
    rounds: tuple[int, ...]


@lru_cache(maxsize=32)
def deal(n: int, n_first: int) -> Deal:
    """Prepare dealing for `n` participants with `n_first` in the first group; at most 256 participants."""
    n_words = -(-n // 64)
    sizes = tuple(min(64, n - 64 * j) for j in range(n_words))
    eighths = eighths_of(n, n_first)
    thresholds = np.zeros((max(n_words - 1, 1), n_first + 1, 65), dtype=np.uint64)
    for j in range(1, n_words - 1):
        rest = n - 64 * j
        for left in range(max(0, n_first - 64 * j), n_first + 1):
            thresholds[j, left] = _cumulative(rest, left, sizes[j])
    chance, total = eighths / 256, math.comb(n, n_first)
    rounds, accepted = [], np.zeros(65, dtype=np.uint64)
    for part, size in enumerate(sizes):
        ratio = [
            math.comb(n - size, n_first - c) / total / (chance**c * (1 - chance) ** (size - c)) if c <= n_first else 0.0
            for c in range(size + 1)
        ]
        most = max(ratio)
        if part == 0:
            accepted[: size + 1] = [min(int(one / most * 2**64), 2**64 - 1) for one in ratio]
        rounds.append(int(BLOCK * most * 1.1) + 128)
    return Deal(sizes, eighths, accepted, thresholds, tuple(rounds))


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


def dealt_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by dealing.

    Parameters
    ----------
    key : int
        From :func:`~rapidvision.analysis.relabelling.random_bits.stream_key`.
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
    out = np.empty((len(plan.sizes), BLOCK), dtype=np.uint64)
    first, ones = _first_part(plan, key, block << 28)
    out[0] = first
    left = n_first - ones.astype(np.intp)
    for j in range(1, len(plan.sizes)):
        wanted, at = left, block << 28 | j << 26
        if j < len(plan.sizes) - 1:
            wanted = (plan.thresholds[j][left] <= hashed_words(key ^ COUNTS, at, BLOCK)[:, None]).sum(axis=1)
        left = left - wanted
        _deal_words(out[j], wanted, plan, j, key, at)
    return out


def _candidates(plan: Deal, part: int, key: int, at: int, count: int) -> tuple[Words, NDArray[np.uint8]]:
    """Random bits for one part of a relabelling, from the `at`-th word of the stream on, and their numbers of ones."""
    size = plan.sizes[part]
    drawn = random_bits(key, at, count, plan.eighths)
    if size < 64:
        drawn &= _U((1 << size) - 1)
    return drawn, np.bitwise_count(drawn)


def _first_part(plan: Deal, key: int, at: int) -> tuple[Words, NDArray[np.uint8]]:
    """Random words that are accepted so that their ones are as frequent as in a relabelling, and their ones."""
    words: list[Words] = []
    counts: list[NDArray[np.uint8]] = []
    found, n_drawn = 0, plan.rounds[0]
    while found < BLOCK:
        drawn, ones = _candidates(plan, 0, key, at, n_drawn)
        # "clip" spares numpy the check of every index; none is outside
        bound = plan.accepted.take(ones, mode="clip")
        lucky = np.flatnonzero(hashed_words(key ^ COUNTS, at, n_drawn) < bound)[: BLOCK - found]
        words.append(drawn.take(lucky, mode="clip"))
        counts.append(ones.take(lucky, mode="clip"))
        found += len(lucky)
        at, n_drawn = at + n_drawn, -(-plan.rounds[0] // 8)
    return (words[0], counts[0]) if len(words) == 1 else (np.concatenate(words), np.concatenate(counts))


def _deal_words(out: Words, wanted: NDArray[np.intp], plan: Deal, part: int, key: int, at: int) -> None:
    """Fill `out` with random words that hold `wanted` ones: first drawn, first dealt."""
    need = np.bincount(wanted, minlength=65)
    words, ones = _candidates(plan, part, key, at, plan.rounds[part])
    while True:
        have = np.bincount(ones.astype(np.intp), minlength=65)
        if (have >= need).all():
            break
        more = _candidates(plan, part, key, at + len(words), -(-plan.rounds[part] // 8))
        words, ones = np.concatenate([words, more[0]]), np.concatenate([ones, more[1]])
    taker = np.argsort(wanted.astype(np.uint8), kind="stable")
    skipped = (np.cumsum(have) - have) - (np.cumsum(need) - need)
    place = np.repeat(skipped, need)
    place += np.arange(len(out))
    by_ones = np.argsort(ones, kind="stable")
    out[taker] = words.take(by_ones.take(place, mode="clip"), mode="clip")


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
