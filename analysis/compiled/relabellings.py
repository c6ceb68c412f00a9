"""Compiled relabellings: the same bits as :mod:`rapidvision.analysis.relabelling.permutations` and :mod:`rapidvision.analysis.relabelling.balanced_labels` make."""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from rapidvision.numerics.compiled_counter_rng import hashed

from ..relabelling.balanced_labels import PROPOSALS

_U = np.uint64
_ALL, _LOW_HALF, _PROPOSALS = _U(2**64 - 1), _U(2**32 - 1), _U(PROPOSALS)


@intrinsic
def _population(_context: Any, word: Any) -> Any:  # noqa: ARG001 (its type is the signature below)
    """Number of ones in a word: the processor's own instruction."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


# Inside compiled code an intrinsic takes the word alone.
_ones_of: Any = _population


@njit(inline="always")
def _draw(key: Any, start: Any, stride: int, count: int, eighths: int, mask: Any, out: Any) -> None:
    """Words of bits that are one with probability eighths / 256, at every `stride`-th counter; see `random_bits.bits_at`."""
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


@njit
def _first_part(
    words: Any, accepted: Any, count: int, mask: Any, eighths: int, key: Any, counts_key: Any, at: Any
) -> None:
    """The first part of a block's relabellings, as `labels._first_part` makes it."""
    drawn = np.empty(count, np.uint64)
    n_drawn, found = count, 0
    while found < words.shape[0]:
        _draw(key, at, 1, n_drawn, eighths, mask, drawn)
        for i in range(n_drawn):
            if found < words.shape[0] and hashed(counts_key, at + _U(i)) < accepted[_ones_of(drawn[i])]:
                words[found] = drawn[i]
                found += 1
        at += _U(n_drawn)
        n_drawn = (count + 7) // 8


@njit
def _deal(
    words: Any,
    accepted: Any,
    thresholds: Any,
    rounds: Any,
    masks: Any,
    eighths: int,
    n_first: int,
    key: Any,
    counts_key: Any,
    block: int,
) -> None:
    """One block of relabellings, as `labels.dealt_block` makes it."""
    n_words, n_block = words.shape
    left = np.empty(n_block, np.int64)
    wanted = np.empty(n_block, np.int64)
    taker = np.empty(n_block, np.int64)
    drawn = np.empty(rounds.max(), np.uint64)
    _first_part(words[0], accepted, rounds[0], masks[0], eighths, key, counts_key, _U(block << 28))
    for r in range(n_block):
        left[r] = n_first - np.int64(_ones_of(words[0, r]))
    for j in range(1, n_words):
        start = _U((block << 28) | (j << 26))
        for r in range(n_block):
            ones = left[r]
            if j < n_words - 1:
                u = hashed(counts_key, start + _U(r))
                low, high = 0, 65
                while low < high:
                    middle = (low + high) >> 1
                    if thresholds[j, left[r], middle] <= u:
                        low = middle + 1
                    else:
                        high = middle
                ones = low
            wanted[r] = ones
            left[r] -= ones
        need = np.zeros(66, np.int64)
        for r in range(n_block):
            need[wanted[r] + 1] += 1
        at = np.cumsum(need)
        fill = at.copy()
        for r in range(n_block):
            taker[fill[wanted[r]]] = r
            fill[wanted[r]] += 1
        missing, count = n_block, rounds[j]
        while missing > 0:
            _draw(key, start, 1, count, eighths, masks[j], drawn)
            start += _U(count)
            for i in range(count):
                ones = np.int64(_ones_of(drawn[i]))
                if at[ones] < fill[ones]:  # where the class ends
                    words[j, taker[at[ones]]] = drawn[i]
                    at[ones] += 1
                    missing -= 1
            count = (rounds[j] + 7) // 8


@njit
def _repair(words: Any, masks: Any, eighths: int, n_first: int, n: int, key: Any, flips_key: Any, block: int) -> None:
    """One block of relabellings, as `repair.repaired_block` makes it."""
    n_words, n_block = words.shape
    unfair = _U(4294967296 % n)
    x = np.empty(n_words, np.uint64)
    for r in range(n_block):
        _draw(key, _U(block * n_words * n_block + r), n_block, n_words, eighths, _ALL, x)
        x[n_words - 1] &= masks[n_words - 1]
        excess: Any = -n_first
        for j in range(n_words):
            excess += np.int64(_ones_of(x[j]))
        clears = excess > 0
        turn = _U(block * n_block + r) * _PROPOSALS
        halves, high = _U(0), False
        while excess != 0:
            if high:
                halves >>= _U(32)
            else:
                halves = hashed(flips_key, turn)
                turn += _U(1)
            high = not high
            wide = (halves & _LOW_HALF) * _U(n)
            place = wide >> _U(32)
            word, bit = np.int64(place >> _U(6)), _U(1) << (place & _U(63))
            if (wide & _LOW_HALF) >= unfair and ((x[word] & bit) != _U(0)) == clears:
                x[word] ^= bit
                excess = excess - 1 if clears else excess + 1
        for j in range(n_words):
            words[j, r] = x[j]


@njit
def relabel(words: Any, dealt: Any, block: int) -> None:
    """One block of relabellings, by whichever way suits the number of participants, as `labels.label_block` does."""
    accepted, thresholds, rounds, masks, eighths, n_first, n, key, counts_key, flips_key = dealt
    if rounds.shape[0]:
        _deal(words, accepted, thresholds, rounds, masks, eighths, n_first, key, counts_key, block)
    else:
        _repair(words, masks, eighths, n_first, n, key, flips_key, block)
