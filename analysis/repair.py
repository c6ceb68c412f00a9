"""Repaired relabellings, for any number of participants: random bits, of which some flip until the groups have their sizes.

A uniformly chosen bit of the kind that is too frequent flips, again and again, until the number of ones is right. Random
bits are exchangeable given their number, and so they stay: every relabelling is equally likely. About as many bits flip
as the square root of the number of participants.
"""

import numpy as np
from numpy.typing import NDArray

from .randomwords import BLOCK, FLIPS, Words, bits_at, eighths_of, mixed, step, steps

_U = np.uint64
Ints = NDArray[np.int64]
#: Places proposed to one relabelling are this many words of a stream, its own.
PROPOSALS = 1 << 24
#: Bytes of relabellings made at a time: they stay in the second cache while their bits flip.
_BYTES_AT_A_TIME = 1 << 19


def repaired_block(key: int, block: int, n: int, n_first: int) -> Words:
    """One block of relabellings by repair.

    Parameters
    ----------
    key, block, n, n_first : int
        Stream, number of the block, participants, and how many of them are in the first group.

    Returns
    -------
    ndarray of uint64, shape (ceil(n / 64), BLOCK)
        As from :func:`~rapidvision.analysis.labels.label_block`.
    """
    n_words = -(-n // 64)
    out = np.empty((n_words, BLOCK), dtype=np.uint64)
    rows = max(64, _BYTES_AT_A_TIME // (8 * n_words))
    eighths = eighths_of(n, n_first)
    masks = np.full((n_words, 1), 2**64 - 1, dtype=np.uint64)
    masks[-1] >>= _U(-n % 64)
    for start in range(0, BLOCK, rows):
        end = min(start + rows, BLOCK)
        starts = np.array([step((block * n_words + j) * BLOCK + start) for j in range(n_words)], dtype=np.uint64)
        x = bits_at(key, starts[:, None] + steps(end - start), eighths) & masks
        # where ones are too rare, the bits are read inverted, so that flipping always clears
        ones = _ones(x)
        rare = ones < n_first
        inverted = np.where(rare, masks, _U(0))
        x ^= inverted
        proposals = steps(end - start) * _U(PROPOSALS) + step((block * BLOCK + start) * PROPOSALS, key ^ FLIPS)
        _clear(x, np.where(rare, n - ones, ones), np.where(rare, n - n_first, n_first), n, proposals)
        out[:, start:end] = x ^ inverted
    return out


def _ones(x: Words) -> Ints:
    """Ones of each relabelling, shape (relabellings,)."""
    return np.bitwise_count(x).sum(axis=0, dtype=np.uint32).astype(np.int64)


def _clear(x: Words, ones: Ints, wanted: Ints, n: int, proposals: Words) -> None:
    """Clear uniformly chosen ones of each relabelling, a column of `x`, until it holds as many as wanted.

    Places are proposed by the relabelling's stream, which starts at `proposals`. One that repeats clears once; what is
    then missing is proposed next, so the result is the same as if one place were tried after the other.
    """
    rows = x.shape[1]
    flat = x.reshape(-1)
    tried = np.zeros(rows, dtype=np.int64)
    active = np.flatnonzero(ones > wanted)
    while len(active):
        missing = ones[active] - wanted[active]
        share = ones[active] / n
        count = ((missing + 3 * np.sqrt(missing * (1 - share))) / share).astype(np.int64) + 4
        of = np.repeat(np.arange(len(active)), count)
        turn = np.arange(len(of)) - np.repeat(np.cumsum(count) - count - tried[active], count)
        place, fair = _places(proposals[active][of] + turn.astype(np.uint64) * step(1), n)
        at = (place >> _U(6)).astype(np.intp) * rows + active[of]
        bit = _U(1) << (place & _U(63))
        hit = np.flatnonzero(fair & ((flat[at] & bit) != 0))
        hits = np.bincount(of[hit], minlength=len(active))
        begin = np.cumsum(hits) - hits
        used = hit[np.arange(len(hit)) - begin[of[hit]] < missing[of[hit]]]
        np.bitwise_and.at(flat, at[used], ~bit[used])
        enough = hits >= missing
        tried[active] += count
        tried[active[enough]] = turn[hit[(begin + missing - 1)[enough]]] + 1
        ones[active] = _ones(x[:, active])
        active = active[ones[active] > wanted[active]]


def _places(z: Words, n: int) -> tuple[Words, "NDArray[np.bool_]"]:
    """Uniform places below `n`, and whether each is one: the few draws that would favour some places are not."""
    wide = (mixed(z) >> _U(32)) * _U(n)
    return wide >> _U(32), (wide & _U(2**32 - 1)) >= _U(2**32 % n)
