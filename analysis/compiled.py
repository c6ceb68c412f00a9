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


@intrinsic
def _population(_context: Any, word: Any) -> Any:  # noqa: ARG001 (its type is the signature below)
    """Number of ones in a word: the processor's own instruction."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


# Inside compiled code an intrinsic takes the word alone.
_ones: Any = _population


@njit(inline="always")
def _hashed(key: Any, counter: Any) -> Any:
    z = counter * _GAMMA + key
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(inline="always")
def _draw(key: Any, start: Any, count: int, eighths: int, mask: Any, out: Any) -> None:
    """Candidates with bits that are one with probability eighths / 256; see `labels.random_bits`."""
    if eighths == 128:
        for i in range(count):
            out[i] = _hashed(key, start + _U(i)) & mask
        return
    lowest = 0
    while (eighths >> lowest) & 1 == 0:
        lowest += 1
    for i in range(count):
        at = (start + _U(i)) * _U(8)
        x = _hashed(key, at + _U(lowest))
        for digit in range(lowest + 1, 8):
            y = _hashed(key, at + _U(digit))
            x = (y | x) if (eighths >> digit) & 1 else (y & x)
        out[i] = x & mask


@njit
def _deal(
    words: Any,
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
    left = np.full(n_block, n_first, np.int64)
    wanted = np.empty(n_block, np.int64)
    taker = np.empty(n_block, np.int64)
    drawn = np.empty(rounds.max(), np.uint64)
    for j in range(n_words):
        for r in range(n_block):
            ones = left[r]
            if j < n_words - 1:
                u = _hashed(counts_key, _U(((block << 3) | j) * n_block) + _U(r))
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
        missing = n_block
        start = _U((block << 28) | (j << 26))
        while missing > 0:
            _draw(key, start, rounds[j], eighths, masks[j], drawn)
            start += _U(rounds[j])
            for i in range(rounds[j]):
                ones = np.int64(_ones(drawn[i]))
                if at[ones] < fill[ones]:  # where the class ends
                    words[j, taker[at[ones]]] = drawn[i]
                    at[ones] += 1
                    missing -= 1


@njit(parallel=True, cache=True)
def count_sums(
    tables: Any,
    observed: Any,
    thresholds: Any,
    rounds: Any,
    masks: Any,
    eighths: int,
    n_first: int,
    key: Any,
    counts_key: Any,
    first_block: int,
    n_blocks: int,
    n_block: int,
    m: int,
) -> Any:
    """Count sums at least, and at most, the observed ones over some blocks of relabellings.

    `tables[g, q, v]` holds, for the g-th sixteen levels, the sum of the scores of the participants in nibble q whose bits make the value v.
    """
    n_words, groups = masks.shape[0], observed.shape[0] // LANES
    out = np.zeros((n_blocks, 2, observed.shape[0]), np.int64)
    for number in prange(n_blocks):
        block = first_block + number
        words = np.empty((n_words, n_block), np.uint64)
        _deal(words, thresholds, rounds, masks, eighths, n_first, key, counts_key, block)
        rows = min(n_block, m - block * n_block)
        total = np.empty(LANES, np.int32)
        above = np.empty(LANES, np.int32)
        below = np.empty(LANES, np.int32)
        for group in range(groups):
            lane = group * LANES
            part, mine = tables[group], observed[lane : lane + LANES]
            above[:] = 0
            below[:] = 0
            for r in range(rows):
                total[:] = 0
                for j in range(n_words):
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
                for i in range(LANES):
                    above[i] += np.int32(total[i] >= mine[i])
                    below[i] += np.int32(total[i] <= mine[i])
            for i in range(LANES):
                out[number, 0, lane + i] = above[i]
                out[number, 1, lane + i] = below[i]
    return out


@njit(parallel=True, cache=True)
def count_flips(d: Any, key: Any, m: int, n_block: int) -> Any:
    """Count flips whose flipped part sums to ≤ 0, and to ≥ 0, per column; tables of bytes, a few words at a time."""
    n, columns = d.shape
    n_words = (n + 63) // 64
    tile = 8
    n_blocks = (m + n_block - 1) // n_block
    out = np.zeros((n_blocks, 2, columns), np.int64)
    for block in prange(n_blocks):
        start = block * n_block
        rows = min(n_block, m - start)
        tables = np.empty((tile * 8, 256), np.float64)
        for column in range(columns):
            total = np.zeros(rows, np.float64)
            for first in range(0, n_words, tile):
                last = min(first + tile, n_words)
                for q in range((last - first) * 8):
                    tables[q, 0] = 0.0
                    for bit in range(8):
                        i = first * 64 + q * 8 + bit
                        value = d[i, column] if i < n else 0.0
                        for v in range(1 << bit):
                            tables[q, (1 << bit) + v] = tables[q, v] + value
                for r in range(rows):
                    base = _U(start + r) * _U(n_words)
                    s = 0.0
                    for j in range(first, last):
                        x = _hashed(key, base + _U(j))
                        q = (j - first) * 8
                        s += (
                            tables[q, x & _BYTE]
                            + tables[q + 1, (x >> _U(8)) & _BYTE]
                            + tables[q + 2, (x >> _U(16)) & _BYTE]
                            + tables[q + 3, (x >> _U(24)) & _BYTE]
                            + tables[q + 4, (x >> _U(32)) & _BYTE]
                            + tables[q + 5, (x >> _U(40)) & _BYTE]
                            + tables[q + 6, (x >> _U(48)) & _BYTE]
                            + tables[q + 7, x >> _U(56)]
                        )
                    total[r] += s
            for r in range(rows):
                out[block, 0, column] += total[r] <= 0.0
                out[block, 1, column] += total[r] >= 0.0
    return out


@njit(cache=True)
def shift_counts(values: Any, most: int, width: int) -> Any:
    """Ways to choose c of some ascending values with sum s, over 2**n; only sums that c of them can reach are touched."""
    n = values.shape[0]
    ways = np.zeros((most + 1, width))
    ways[0, 0] = 1.0
    below = np.zeros(n + 1, np.int64)
    for i in range(n):
        below[i + 1] = below[i] + values[i]
    for i in range(n):
        value = values[i]
        rows = min(most, i + 1)
        for c in range(rows, 0, -1):
            low = below[c]
            high = below[i + 1] - below[i + 1 - c]
            here, before = ways[c], ways[c - 1]
            for s in range(low, min(value, high + 1)):
                here[s] *= 0.5
            for s in range(max(low, value), high + 1):
                here[s] = (here[s] + before[s - value]) * 0.5
        ways[0, 0] *= 0.5
    return ways


@njit
def _rank(x: Any, out: Any, key_a: Any, key_b: Any, place_a: Any, place_b: Any, counts: Any) -> None:
    """Twice the average ranks of one map: zeros, the lowest of a map, are counted apart; the rest is radix-sorted."""
    n = x.shape[0]
    n_below, m = 0, 0
    counts[:] = 0
    zeros = 0
    for i in range(n):
        bits = x[i]
        if bits == np.uint32(0):
            zeros += 1
            continue
        if bits >> np.uint32(31):
            n_below += 1
            bits = bits ^ np.uint32(0xFFFFFFFF)
        else:
            bits = bits | np.uint32(0x80000000)
        key_a[m] = bits
        place_a[m] = i
        m += 1
        counts[0, bits & np.uint32(2047)] += 1
        counts[1, (bits >> np.uint32(11)) & np.uint32(2047)] += 1
        counts[2, bits >> np.uint32(22)] += 1
    for digit in range(3):
        shift = np.uint32(11 * digit)
        total = 0
        single = False
        for j in range(2048):
            here = counts[digit, j]
            single = single or here == m
            counts[digit, j] = total
            total += here
        if single:
            continue
        for i in range(m):
            bits = key_a[i]
            slot = (bits >> shift) & np.uint32(2047)
            at = counts[digit, slot]
            counts[digit, slot] = at + 1
            key_b[at] = bits
            place_b[at] = place_a[i]
        key_a, key_b = key_b, key_a
        place_a, place_b = place_b, place_a
    i = 0
    while i < m:
        j = i + 1
        while j < m and key_a[j] == key_a[i]:
            j += 1
        above = zeros if i >= n_below else 0
        value = np.int32(i + j + 1 + 2 * above)
        for q in range(i, j):
            out[place_a[q]] = value
        i = j
    if zeros:
        value = np.int32(2 * n_below + zeros + 1)
        for i in range(n):
            if x[i] == np.uint32(0):
                out[i] = value


@njit(parallel=True, cache=True)
def doubled_ranks(maps: Any) -> Any:
    """Twice the average rank of every value within its row; rows are float32 read as their bits, -0 excluded."""
    rows, n = maps.shape
    out = np.empty((rows, n), np.int32)
    n_chunks = min(rows, 16)
    for chunk in prange(n_chunks):
        key_a, key_b = np.empty(n, np.uint32), np.empty(n, np.uint32)
        place_a, place_b = np.empty(n, np.int32), np.empty(n, np.int32)
        counts = np.empty((3, 2048), np.int32)
        for row in range(chunk, rows, n_chunks):
            _rank(maps[row], out[row], key_a, key_b, place_a, place_b, counts)
    return out


@njit(parallel=True, cache=True)
def rank_correlations(a: Any, b: Any) -> Any:
    """Spearman correlation of each row of `a` with the same row of `b`: whole numbers until the last step."""
    rows, n = a.shape
    out = np.empty(rows, np.float64)
    n_chunks = min(rows, 16)
    for chunk in prange(n_chunks):
        key_a, key_b = np.empty(n, np.uint32), np.empty(n, np.uint32)
        place_a, place_b = np.empty(n, np.int32), np.empty(n, np.int32)
        counts = np.empty((3, 2048), np.int32)
        first, second = np.empty(n, np.int32), np.empty(n, np.int32)
        for row in range(chunk, rows, n_chunks):
            _rank(a[row], first, key_a, key_b, place_a, place_b, counts)
            _rank(b[row], second, key_a, key_b, place_a, place_b, counts)
            xy, xx, yy = np.int64(0), np.int64(0), np.int64(0)
            for i in range(n):
                x, y = np.int64(first[i]) - (n + 1), np.int64(second[i]) - (n + 1)
                xy += x * y
                xx += x * x
                yy += y * y
            out[row] = float(xy) / np.sqrt(float(xx) * float(yy)) if xx > 0 and yy > 0 else np.nan
    return out
