"""Compiled twins of the numpy engines, for ten million relabellings and for thousands of pictures.

They read the same counted random words in the same order, and sum the same integers, so every count is equal to
numpy's. Imported only when asked for: numba is an optional extra.
"""

from typing import Any

import numpy as np
from numba import njit, prange, types
from numba.extending import intrinsic

_U = np.uint64
_GAMMA, _MIX1, _MIX2 = _U(0x9E3779B97F4A7C15), _U(0xBF58476D1CE4E5B9), _U(0x94D049BB133111EB)
_S30, _S27, _S31 = _U(30), _U(27), _U(31)
_BYTE, _NIBBLE = _U(255), _U(15)
LANES = 16
# Words whose tables stay in the first cache, and relabellings whose sums do.
_TILE, _ROWS = 4, 256


@intrinsic
def _population(_context: Any, word: Any) -> Any:  # noqa: ARG001 (its type is the signature below)
    """Number of ones in a word: the processor's own instruction."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


# Inside compiled code an intrinsic takes the word alone.
_ones: Any = _population


@njit(inline="always")
def hashed(key: Any, counter: Any) -> Any:
    """Word `counter` of a stream: `labels.hashed_words` for one."""
    z = counter * _GAMMA + key
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(inline="always")
def _draw(key: Any, start: Any, count: int, eighths: int, mask: Any, out: Any) -> None:
    """Candidates with bits that are one with probability eighths / 256; see `labels.random_bits`."""
    if eighths == 128:
        for i in range(count):
            out[i] = hashed(key, start + _U(i)) & mask
        return
    lowest = 0
    while (eighths >> lowest) & 1 == 0:
        lowest += 1
    for i in range(count):
        at = (start + _U(i)) * _U(8)
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
        _draw(key, at, n_drawn, eighths, mask, drawn)
        for i in range(n_drawn):
            if found < words.shape[0] and hashed(counts_key, at + _U(i)) < accepted[_ones(drawn[i])]:
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
        left[r] = n_first - np.int64(_ones(words[0, r]))
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
            _draw(key, start, count, eighths, masks[j], drawn)
            start += _U(count)
            for i in range(count):
                ones = np.int64(_ones(drawn[i]))
                if at[ones] < fill[ones]:  # where the class ends
                    words[j, taker[at[ones]]] = drawn[i]
                    at[ones] += 1
                    missing -= 1
            count = (rounds[j] + 7) // 8


@njit
def _repair(words: Any, masks: Any, eighths: int, n_first: int, n: int, key: Any, flips_key: Any, block: int) -> None:
    """One block of relabellings, as `labels.repaired_block` makes it."""
    n_words, n_block = words.shape
    limit = _U(4294967296 // n * n)
    for j in range(n_words):
        _draw(key, _U((block * n_words + j) * n_block), n_block, eighths, masks[j], words[j])
    for r in range(n_block):
        excess: Any = -n_first
        for k in range(n_words):
            excess += np.int64(_ones(words[k, r]))
        step = _U(block << 40) + _U(r)
        while excess != 0:
            draw = hashed(flips_key, step) >> _U(32)
            step += _U(n_block)
            place = draw % _U(n)
            word, bit = np.int64(place >> _U(6)), _U(1) << (place & _U(63))
            is_one = (words[word, r] & bit) != _U(0)
            if draw < limit and is_one == (excess > 0):
                words[word, r] ^= bit
                excess = excess - 1 if is_one else excess + 1


@njit
def _relabel(words: Any, dealt: Any, block: int) -> None:
    """One block of relabellings, by whichever way suits the number of participants, as `labels.label_block` does."""
    accepted, thresholds, rounds, masks, eighths, n_first, n, key, counts_key, flips_key = dealt
    if rounds.shape[0]:
        _deal(words, accepted, thresholds, rounds, masks, eighths, n_first, key, counts_key, block)
    else:
        _repair(words, masks, eighths, n_first, n, key, flips_key, block)


@njit(inline="always")
def _add_words(part: Any, words: Any, r: int, first: int, last: int, total: Any) -> None:
    """Add what relabelling `r` picks among the participants of some words; see `count_sums` for the tables."""
    for j in range(first, last):
        x = words[j, r]
        for half in range(2):
            q = 16 * j + 8 * half
            v0 = x & _NIBBLE
            v1 = (x >> _U(4)) & _NIBBLE
            v2 = (x >> _U(8)) & _NIBBLE
            v3 = (x >> _U(12)) & _NIBBLE
            v4 = (x >> _U(16)) & _NIBBLE
            v5 = (x >> _U(20)) & _NIBBLE
            v6 = (x >> _U(24)) & _NIBBLE
            v7 = (x >> _U(28)) & _NIBBLE
            x >>= _U(32)
            for i in range(LANES):
                total[i] += (
                    part[q, v0, i]
                    + part[q + 1, v1, i]
                    + part[q + 2, v2, i]
                    + part[q + 3, v3, i]
                    + part[q + 4, v4, i]
                    + part[q + 5, v5, i]
                    + part[q + 6, v6, i]
                    + part[q + 7, v7, i]
                )


@njit
def _sum_rows(part: Any, words: Any, start: int, end: int, totals: Any) -> None:
    """Sums of sixteen levels for some relabellings, a few words at a time, whose tables stay in the first cache."""
    totals[: end - start] = 0
    for first in range(0, words.shape[0], _TILE):
        last = min(first + _TILE, words.shape[0])
        for r in range(start, end):
            _add_words(part, words, r, first, last, totals[r - start])


@njit(parallel=True, cache=True)
def count_sums(tables: Any, dealt: Any, first_block: int, n_blocks: int, n_block: int, m: int, observed: Any) -> Any:
    """Count sums at least, and at most, the observed ones over some blocks of relabellings.

    `tables[g, q, v]` holds, for the g-th sixteen levels, the sum of the scores of the participants in nibble q whose
    bits make the value v; `dealt` is what `_relabel` needs.
    """
    out = np.zeros((n_blocks, 2, observed.shape[0]), np.int64)
    for number in prange(n_blocks):
        words = np.empty((dealt[3].shape[0], n_block), np.uint64)
        _relabel(words, dealt, first_block + number)
        rows = min(n_block, m - (first_block + number) * n_block)
        totals = np.empty((_ROWS, LANES), np.int32)
        above = np.empty(LANES, np.int32)
        below = np.empty(LANES, np.int32)
        for group in range(tables.shape[0]):
            lane = group * LANES
            mine = observed[lane : lane + LANES]
            above[:] = 0
            below[:] = 0
            for start in range(0, rows, _ROWS):
                end = min(start + _ROWS, rows)
                _sum_rows(tables[group], words, start, end, totals)
                for r in range(end - start):
                    for i in range(LANES):
                        above[i] += np.int32(totals[r, i] >= mine[i])
                        below[i] += np.int32(totals[r, i] <= mine[i])
            for i in range(LANES):
                out[number, 0, lane + i] = above[i]
                out[number, 1, lane + i] = below[i]
    return out


@njit
def _largest_mass(z: Any, sided: int, threshold: float) -> Any:
    """Mass of the largest run of levels above the threshold, in the directions that count."""
    most = 0.0
    for sign in (1, -1):
        if sided == -sign:
            continue
        run = 0.0
        for i in range(z.shape[0]):
            value = sign * z[i]
            run = run + value if value > threshold else 0.0
            most = max(most, run)
    return most


@njit(parallel=True, cache=True)
def count_joint(
    tables: Any,
    dealt: Any,
    first_block: int,
    n_blocks: int,
    n_block: int,
    m: int,
    observed: Any,
    centre: Any,
    inverse: Any,
    sided: int,
    order: Any,
    extreme: Any,
    threshold: float,
    masses: Any,
) -> Any:
    """Count as `count_sums`, and for max-T (both procedures) and cluster mass, as `multiplicity.Joint` does."""
    levels = observed.shape[0]
    groups = tables.shape[0]
    out = np.zeros((4, n_blocks, levels), np.int64)
    mass = np.zeros((n_blocks, masses.shape[0]), np.int64)
    for number in prange(n_blocks):
        words = np.empty((dealt[3].shape[0], n_block), np.uint64)
        _relabel(words, dealt, first_block + number)
        rows = min(n_block, m - (first_block + number) * n_block)
        sums = np.empty((groups, _ROWS, LANES), np.int32)
        z = np.empty(levels, np.float64)
        for start in range(0, rows, _ROWS):
            end = min(start + _ROWS, rows)
            for group in range(groups):
                _sum_rows(tables[group], words, start, end, sums[group])
            for r in range(end - start):
                for i in range(levels):
                    total = sums[i // LANES, r, i % LANES]
                    out[0, number, i] += total >= observed[i]
                    out[1, number, i] += total <= observed[i]
                    z[i] = (total - centre[i]) * inverse[i]
                largest = -np.inf
                for k in range(levels):
                    i = order[k]
                    directed = abs(z[i]) if sided == 0 else sided * z[i]
                    largest = max(largest, directed)
                    out[3, number, i] += largest >= extreme[i]
                for i in range(levels):
                    out[2, number, i] += largest >= extreme[i]
                if masses.shape[0]:
                    most = _largest_mass(z, sided, threshold)
                    for k in range(masses.shape[0]):
                        mass[number, k] += most >= masses[k]
    return out[0], out[1], out[2], out[3], mass
