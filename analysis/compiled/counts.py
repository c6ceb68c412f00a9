"""Compiled counts of group sums: how many relabellings are as extreme as observed, level by level or over all jointly."""

from typing import Any

import numpy as np
from numba import njit, prange

from .lanes import LANES, add_word, count_row
from .relabellings import relabel

# Words whose tables stay in the first cache, and relabellings whose sums do.
_TILE, _ROWS = 2, 256


@njit
def _sum_rows(part: Any, words: Any, start: int, end: int, totals: Any) -> None:
    """Sums of sixteen levels for some relabellings, a few words at a time; see `count_sums` for the tables."""
    totals[: end - start] = 0
    for first in range(0, words.shape[0], _TILE):
        last = min(first + _TILE, words.shape[0])
        for r in range(start, end):
            for j in range(first, last):
                add_word(totals, r - start, part, 16 * j, words[j, r])


@njit(parallel=True)
def count_sums(
    tables: Any, dealt: Any, first_block: int, n_blocks: int, n_block: int, n_resamples: int, observed: Any
) -> Any:
    """Count sums at least, and at most, the observed ones over some blocks of relabellings.

    `tables[g, q, v]` holds, for the g-th sixteen levels, the sum of the scores of the participants in nibble q whose
    bits make the value v, in the smallest type that holds all sums; `dealt` is what `relabel` needs.
    """
    out = np.zeros((n_blocks, 2, observed.shape[0]), np.int64)
    for number in prange(n_blocks):
        words = np.empty((dealt[3].shape[0], n_block), np.uint64)
        relabel(words, dealt, first_block + number)
        rows = min(n_block, n_resamples - (first_block + number) * n_block)
        totals = np.empty((_ROWS, LANES), tables.dtype)
        counts = np.zeros((2, LANES), tables.dtype)
        for group in range(tables.shape[0]):
            lane = group * LANES
            counts[:] = 0
            for start in range(0, rows, _ROWS):
                end = min(start + _ROWS, rows)
                _sum_rows(tables[group], words, start, end, totals)
                for r in range(end - start):
                    count_row(totals, r, observed, group, counts)
            for i in range(LANES):
                out[number, 0, lane + i] = counts[0, i]
                out[number, 1, lane + i] = counts[1, i]
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


@njit(parallel=True)
def count_joint(
    tables: Any,
    dealt: Any,
    first_block: int,
    n_blocks: int,
    n_block: int,
    n_resamples: int,
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
        relabel(words, dealt, first_block + number)
        rows = min(n_block, n_resamples - (first_block + number) * n_block)
        sums = np.empty((groups, _ROWS, LANES), tables.dtype)
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
