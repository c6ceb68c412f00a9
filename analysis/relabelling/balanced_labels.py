"""Repaired relabellings, for any number of participants: random bits, of which some flip until the groups have their sizes.

A uniformly chosen bit of the kind that is too frequent flips, again and again, until the number of ones is right. Random
bits are exchangeable given their number, and so they stay: every relabelling is equally likely. About as many bits flip
as the square root of the number of participants.
"""

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import Words, mixed, step, steps

from .random_bits import BLOCK, FLIPS, bits_at, eighths_of

_U = np.uint64
Ints = NDArray[np.int64]
#: Places proposed to one relabelling are so many words of a stream, its own.
PROPOSALS = 1 << 24
#: Bytes of relabellings made at a time: they stay in the second cache while their bits flip.
_BYTES_AT_A_TIME = 3 << 18


def repaired_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by repair.

    Parameters
    ----------
    key, block, n, n_first : int
        Stream, number of the block, participants, and how many of them are in the first group.

    Returns
    -------
    ndarray of uint64, shape (ceil(n / 64), BLOCK)
        As from :func:`~rapidvision.analysis.relabelling.permutations.label_block`.
    """
    n_words = -(-n // 64)
    out = np.empty((n_words, BLOCK), dtype=np.uint64)
    rows = max(64, _BYTES_AT_A_TIME // (8 * n_words))
    eighths = eighths_of(n, n_first)
    last = _U((1 << 64 - -n % 64) - 1)
    for start in range(0, BLOCK, rows):
        end = min(start + rows, BLOCK)
        starts = steps(n_words) * _U(BLOCK) + step(block * n_words * BLOCK + start)
        x = bits_at(key, starts, end - start, eighths)
        x[-1] &= last
        # where ones are too rare, the bits are read inverted, so that flipping always clears
        ones = _ones(x)
        rare = ones < n_first
        inverted = np.where(rare, _U(2**64 - 1), _U(0))
        x ^= inverted
        x[-1] &= last
        proposals = steps(end - start) * _U(PROPOSALS) + step((block * BLOCK + start) * PROPOSALS, key ^ FLIPS)
        _clear(x, np.where(rare, n - ones, ones), np.where(rare, n - n_first, n_first), n, proposals)
        np.bitwise_xor(x, inverted, out=out[:, start:end])
    out[-1] &= last
    return out


def _ones(x: Words) -> Ints:
    """Ones of each relabelling, shape (relabellings,)."""
    dtype = np.uint16 if len(x) < 1024 else np.uint32  # the narrower, the faster
    return np.asarray(np.bitwise_count(x).astype(dtype).sum(axis=0, dtype=dtype), dtype=np.int64)


def _clear(x: Words, ones: Ints, wanted: Ints, n: int, proposals: Words) -> None:
    """Clear uniformly chosen ones of each relabelling, a column of `x`, until it holds as many as wanted.

    Places are proposed by the relabelling's stream, which starts at `proposals`, two by each word. One that repeats
    clears once; what is then missing is proposed next, so the result is the same as if one place were tried after the
    other.
    """
    rows = x.shape[1]
    flat = x.reshape(-1)
    tried = np.zeros(rows, dtype=np.int64)
    active = np.flatnonzero(ones > wanted)
    while len(active):
        missing = ones[active] - wanted[active]
        share = ones[active] / n
        count = ((missing + np.sqrt(missing * (1 - share))) / (2 * share)).astype(np.int64) + 2
        begin = np.cumsum(count) - count
        word = tried[active] >> 1
        z = np.repeat(proposals[active] + (word - begin).astype(np.uint64) * step(1), count)
        z += steps(len(z))
        place, good = _places(mixed(z), n)
        at = (place >> _U(6)).view(np.int64) * rows
        at += np.repeat(active, 2 * count)
        bit = _U(1) << (place & _U(63))
        good &= (flat.take(at, mode="clip") & bit) != 0
        good[2 * begin[(tried[active] & 1) > 0]] = False  # the word's first half was tried before
        hit = np.flatnonzero(good)
        first = np.searchsorted(hit, 2 * begin)
        hits = np.diff(first, append=len(hit))
        used = hit[np.arange(len(hit)) < np.repeat(first + missing, hits)]
        np.bitwise_and.at(flat, at[used], ~bit[used])
        tried[active] = 2 * (word + count)
        enough = hits >= missing
        last = hit[(first + missing - 1)[enough]]
        tried[active[enough]] = (2 * (word - begin))[enough] + last + 1
        ones[active] = _ones(x)[active] if 2 * len(active) > rows else _ones(x[:, active])
        active = active[ones[active] > wanted[active]]


def _places(z: Words, n: int) -> tuple[Words, "NDArray[np.bool_]"]:
    """Two places below `n` from each word, low half first, and whether each counts: those that would be favoured do not."""
    wide = z.astype("<u8", copy=False).view("<u4").astype(np.uint64)
    wide *= _U(n)
    fair = (wide & _U(2**32 - 1)) >= _U(2**32 % n)
    return wide >> _U(32), fair
