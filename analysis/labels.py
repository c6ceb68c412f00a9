"""Relabellings: uniformly random group memberships as bits, each block a pure function of seed and block number.

A relabelling of n participants with a in the first group is an n-bit word with a ones, all such words equally likely.
Up to 256 participants the words are *dealt*, 64 bits at a time. The first part is drawn by rejection, so that its number
of ones follows its exact hypergeometric law; how many ones each further part holds is drawn from the same law, given
the parts before it, and random parts, sorted by their number of ones, are dealt to the relabellings that want that
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

from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import key64

#: Relabellings per block: two blocks are the paper's number.
BLOCK = N_RELABELLINGS // 2
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


def eighths_of(n: int, n_first: int) -> int:
    """Probability of a one in random bits, in 256ths: near `n_first` / `n`, never 0 or 1."""
    return min(max(round(256 * n_first / n), 1), 255)


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
    chance = eighths / 256
    rounds, accepted = [], np.zeros(65, dtype=np.uint64)
    for part, size in enumerate(sizes):
        ratio = [
            math.comb(n - size, n_first - c) / math.comb(n, n_first) / (chance**c * (1 - chance) ** (size - c))
            if c <= n_first
            else 0.0
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
    out = np.empty((len(plan.sizes), BLOCK), dtype=np.uint64)
    out[0] = _first_part(plan, key, block << 28)
    left = n_first - np.bitwise_count(out[0]).astype(np.int64)
    for j in range(1, len(plan.sizes)):
        wanted, at = left, block << 28 | j << 26
        if j < len(plan.sizes) - 1:
            wanted = (plan.thresholds[j][left] <= hashed_words(key ^ COUNTS, at, BLOCK)[:, None]).sum(axis=1)
        left = left - wanted
        _deal_words(out[j], wanted, plan, j, key, at)
    return out


def _candidates(plan: Deal, part: int, key: int, at: int, count: int) -> Words:
    """Random bits for one part of a relabelling, from the `at`-th word of the stream on."""
    size = plan.sizes[part]
    return random_bits(key, at, count, plan.eighths) & _U(2**64 - 1 if size == 64 else (1 << size) - 1)


def _first_part(plan: Deal, key: int, at: int) -> Words:
    """Random words that are accepted so that their ones are as frequent as in a relabelling."""
    found: list[Words] = []
    count, n_drawn = 0, plan.rounds[0]
    while count < BLOCK:
        drawn = _candidates(plan, 0, key, at, n_drawn)
        lucky = hashed_words(key ^ COUNTS, at, n_drawn) < plan.accepted[np.bitwise_count(drawn)]
        found.append(drawn[lucky])
        count += len(found[-1])
        at, n_drawn = at + n_drawn, -(-plan.rounds[0] // 8)
    return np.concatenate(found)[:BLOCK]


def _deal_words(out: Words, wanted: NDArray[np.int64], plan: Deal, part: int, key: int, at: int) -> None:
    """Fill `out` with random words that hold `wanted` ones: first drawn, first dealt."""
    need = np.bincount(wanted, minlength=65)
    candidates = _candidates(plan, part, key, at, plan.rounds[part])
    while True:
        ones = np.bitwise_count(candidates)
        have = np.bincount(ones, minlength=65)
        if (have >= need).all():
            break
        more = -(-plan.rounds[part] // 8)
        candidates = np.concatenate([candidates, _candidates(plan, part, key, at + len(candidates), more)])
    taker = np.argsort(wanted.astype(np.uint8), kind="stable")
    skipped = (np.cumsum(have) - have) - (np.cumsum(need) - need)
    by_ones = np.argsort(ones, kind="stable")
    out[taker] = candidates[by_ones[np.arange(len(out)) + np.repeat(skipped, need)]]


def repaired_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by repair, for any number of participants; the form is :func:`dealt_block`'s."""
    n_words = -(-n // 64)
    eighths = eighths_of(n, n_first)
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
