"""Compiled ranks of whole maps: a radix sort that counts ties, and the correlations that follow from it.

Imported only when asked for: numba is an optional extra.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from .compiled import compiled


@njit
def _rank(x: Any, out: Any, key_a: Any, key_b: Any, place_a: Any, place_b: Any, counts: Any) -> bool:
    """Twice the average ranks of one map, and whether it is finite (else there are none).

    Zeros, the lowest of a map, are counted apart; the rest is radix-sorted.
    """
    n = x.shape[0]
    n_below, m = 0, 0
    counts[:] = 0
    zeros = 0
    for i in range(n):
        bits = x[i]
        size = bits & np.uint32(0x7FFFFFFF)
        if size == np.uint32(0):  # -0 too
            zeros += 1
            continue
        if size >= np.uint32(0x7F800000):
            return False
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
            if x[i] & np.uint32(0x7FFFFFFF) == np.uint32(0):
                out[i] = value
    return True


@compiled(parallel=True)
def doubled_ranks(maps: Any) -> Any:
    """Twice the average rank of every value within its row, float32 read as bits; and which rows are finite."""
    rows, n = maps.shape
    out = np.empty((rows, n), np.int32)
    finite = np.ones(rows, np.bool_)
    n_chunks = min(rows, 16)
    for chunk in prange(n_chunks):
        key_a, key_b = np.empty(n, np.uint32), np.empty(n, np.uint32)
        place_a, place_b = np.empty(n, np.int32), np.empty(n, np.int32)
        counts = np.empty((3, 2048), np.int32)
        for row in range(chunk, rows, n_chunks):
            finite[row] = _rank(maps[row], out[row], key_a, key_b, place_a, place_b, counts)
    return out, finite


@compiled(parallel=True)
def rank_correlations(a: Any, b: Any) -> Any:
    """Spearman correlation of each row of `a` with the same row of `b`, whole numbers until the last step; which are finite."""
    rows, n = a.shape
    out = np.empty(rows, np.float64)
    finite = np.ones(rows, np.bool_)
    n_chunks = min(rows, 16)
    for chunk in prange(n_chunks):
        key_a, key_b = np.empty(n, np.uint32), np.empty(n, np.uint32)
        place_a, place_b = np.empty(n, np.int32), np.empty(n, np.int32)
        counts = np.empty((3, 2048), np.int32)
        first, second = np.empty(n, np.int32), np.empty(n, np.int32)
        for row in range(chunk, rows, n_chunks):
            finite[row] = _rank(a[row], first, key_a, key_b, place_a, place_b, counts) and _rank(
                b[row], second, key_a, key_b, place_a, place_b, counts
            )
            if not finite[row]:
                continue
            xy, xx, yy = np.int64(0), np.int64(0), np.int64(0)
            for i in range(n):
                x, y = np.int64(first[i]) - (n + 1), np.int64(second[i]) - (n + 1)
                xy += x * y
                xx += x * x
                yy += y * y
            out[row] = float(xy) / np.sqrt(float(xx) * float(yy)) if xx > 0 and yy > 0 else np.nan
    return out, finite
