"""Compiled sign flips; imported only when asked for.

Numba keeps machine code on disk until the file of the function changes and does not see changes elsewhere, so everything
that is compiled and may change stands in this file.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from .compiled import compiled
from .compiled_counter_rng import hashed

_U = np.uint64
_BYTE = _U(255)


@njit(inline="always")
def _fill_tables(tables: Any, d: Any, column: int, first: int, last: int) -> None:
    """Sum of the differences that each pattern of each byte of the words picks."""
    n = d.shape[0]
    for q in range((last - first) * 8):
        tables[q, 0] = 0.0
        for bit in range(8):
            i = first * 64 + q * 8 + bit
            value = d[i, column] if i < n else 0.0
            for v in range(1 << bit):
                tables[q, (1 << bit) + v] = tables[q, v] + value


@compiled(parallel=True)
def count_flips(d: Any, slack: Any, key: Any, n_resamples: int, n_block: int) -> Any:
    """Count flips whose flipped part is at most, and at least, 0 up to `slack`, shape (blocks, 2, columns)."""
    n, columns = d.shape
    n_words = (n + 63) // 64
    tile = 8
    n_blocks = (n_resamples + n_block - 1) // n_block
    out = np.zeros((n_blocks, 2, columns), np.int64)
    for block in prange(n_blocks):
        start = block * n_block
        rows = min(n_block, n_resamples - start)
        tables = np.empty((tile * 8, 256), np.float64)
        for column in range(columns):
            total = np.zeros(rows, np.float64)
            for first in range(0, n_words, tile):
                last = min(first + tile, n_words)
                _fill_tables(tables, d, column, first, last)
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
                out[block, 0, column] += total[r] <= slack[column]
                out[block, 1, column] += total[r] >= -slack[column]
    return out
