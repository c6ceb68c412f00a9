"""Compiled sign flips, and the table of sums behind the exact p; imported only when asked for."""

from typing import Any

import numpy as np
from numba import njit, prange

from rapidvision.numerics.compiled import compiled

from .words import hashed

_U = np.uint64
_BYTE = _U(255)


@njit(parallel=True)
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
                        x = hashed(key, base + _U(j))
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


@compiled(nogil=True)
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
