"""Compiled counts of studentized differences: the statistic of `inference.pooled_spread` under relabelling of a complete table."""

from typing import Any

import numpy as np
from numba import njit, prange

from .counts import _ROWS, _largest_mass, _sum_rows
from .lanes import LANES
from .relabellings import relabel

_FAST = {"contract", "reassoc", "nsz"}
_HUGE = 1e300


@njit(fastmath=_FAST, error_model="numpy")
def pooled_rows(sums: Any, rows: int, units: Any, sizes: Any, totals: Any, g: Any, scratch: Any) -> None:
    """Write g, shape (levels, rows), of two groups that make up the whole table, from the first one's sums.

    `units` holds a row per level: what turns a sum into a standardised mean (factor and shift), and how p (1 - p) bends.
    `sizes` are both groups' numbers; `totals` are everybody's sum of squares, its unit, the skewness, and 1 for binomial units.
    """
    levels = g.shape[0]
    n1, n2 = sizes
    squares, unit, skew, binomial = totals
    ratio = n1 / n2
    bent, square = scratch[0], scratch[1]
    for r in range(rows):
        bent[r] = 0.0
        square[r] = 0.0
    for i in range(levels):
        factor, shift, bend = units[i, 0], units[i, 1], units[i, 2]
        for r in range(rows):
            mean = sums[i // LANES, r, i % LANES] * factor + shift
            g[i, r] = mean
            bent[r] += bend * mean
            square[r] += mean * mean
    last = levels // LANES, levels % LANES
    for r in range(rows):
        mine = sums[last[0], r, last[1]] * unit
        own1 = (n1 - 1.0) * (levels + binomial * (bent[r] - square[r])) + 1.0
        own2 = (n2 - 1.0) * (levels - binomial * (ratio * bent[r] + ratio * ratio * square[r])) + 1.0
        phi1 = max(mine - n1 * square[r] + 1.0, 1e-12) / own1
        phi2 = max(squares - mine - n2 * ratio * ratio * square[r] + 1.0, 1e-12) / own2
        inverse = 1.0 / np.sqrt(phi1 / n1 + phi2 / n2)
        third = phi1 * np.sqrt(phi1) / (n1 * n1) - phi2 * np.sqrt(phi2) / (n2 * n2)
        bent[r] = (1.0 + ratio) * inverse
        square[r] = skew * third * inverse * inverse * inverse
    for i in range(levels):
        for r in range(rows):
            t = g[i, r] * bent[r]
            a = square[r]
            g[i, r] = t * (1.0 + a * t * (1.0 / 3.0 + a * t * (1.0 / 27.0))) + a * (1.0 / 6.0)


@njit(fastmath=_FAST, error_model="numpy")
def count_way(g: Any, rows: int, sign: float, reach: Any, order: Any, out: Any, run: Any) -> None:
    """Add up where `sign` times g reaches each level's number: alone, as the largest of all, and step-down."""
    levels = g.shape[0]
    for i in range(levels):
        least, held = reach[i], 0
        for r in range(rows):
            held += sign * g[i, r] >= least
        out[0, i] += held
    for r in range(rows):
        run[r] = -_HUGE
    for k in range(levels):
        i = order[k]
        least, held = reach[i], 0
        for r in range(rows):
            largest = max(run[r], sign * g[i, r])
            run[r] = largest
            held += largest >= least
        out[2, i] += held
    for i in range(levels):
        least, held = reach[i], 0
        for r in range(rows):
            held += run[r] >= least
        out[1, i] += held


@njit(parallel=True)
def count_pooled(
    tables: Any,
    dealt: Any,
    first_block: int,
    n_blocks: int,
    n_block: int,
    n_resamples: int,
    units: Any,
    sizes: Any,
    totals: Any,
    reach: Any,
    order: Any,
    place: Any,
    n_levels: int,
    threshold: float,
    masses_up: Any,
    masses_down: Any,
) -> Any:
    """Count in both directions: shape (blocks, 2, 3, levels), alone, max-T and step-down; and clusters by mass.

    `reach` and `order` have a row for each direction. The sums' columns are the levels, then the squares. `place` is
    where each level stands among all of them: the others hold nothing, and end a cluster.
    """
    levels = units.shape[0]
    out = np.zeros((n_blocks, 2, 3, levels), np.int64)
    mass_up = np.zeros((n_blocks, masses_up.shape[0]), np.int64)
    mass_down = np.zeros((n_blocks, masses_down.shape[0]), np.int64)
    for number in prange(n_blocks):
        words = np.empty((dealt[3].shape[0], n_block), np.uint64)
        relabel(words, dealt, first_block + number)
        rows = min(n_block, n_resamples - (first_block + number) * n_block)
        sums = np.empty((tables.shape[0], _ROWS, LANES), tables.dtype)
        g, scratch, run = np.empty((levels, _ROWS)), np.empty((2, _ROWS)), np.empty(_ROWS)
        one = np.zeros(n_levels)
        for start in range(0, rows, _ROWS):
            end = min(start + _ROWS, rows)
            for group in range(tables.shape[0]):
                _sum_rows(tables[group], words, start, end, sums[group])
            pooled_rows(sums, end - start, units, sizes, totals, g, scratch)
            count_way(g, end - start, 1.0, reach[0], order[0], out[number, 0], run)
            count_way(g, end - start, -1.0, reach[1], order[1], out[number, 1], run)
            if masses_up.shape[0] + masses_down.shape[0]:
                for r in range(end - start):
                    for i in range(levels):
                        one[place[i]] = g[i, r]
                    up, down = _largest_mass(one, 1, threshold), _largest_mass(one, -1, threshold)
                    for k in range(masses_up.shape[0]):
                        mass_up[number, k] += up >= masses_up[k]
                    for k in range(masses_down.shape[0]):
                        mass_down[number, k] += down >= masses_down[k]
    return out, mass_up, mass_down
