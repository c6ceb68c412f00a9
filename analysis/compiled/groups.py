"""Compiled counts for three groups: F of the omnibus test, and all pairs, over one joint relabelling."""

from typing import Any

import numpy as np
from numba import njit, prange

from .counts import _sum_rows
from .lanes import LANES
from .relabellings import relabel

_FAST = {"contract", "reassoc", "nsz"}
_HUGE = 1e300
#: Relabellings whose means and statistics stay in the second cache.
_ROWS = 256
_U = np.uint64
_BYTE = _U(255)


@njit
def _deposit(free: Any, dealt: Any, words: Any, n: int, deposited: Any, ones: Any) -> None:
    """Deal the bits of `dealt` to the participants who are left, `free`: their places in `words`, taken from `free`."""
    n_words = free.shape[0]
    n_dealt = dealt.shape[0]
    for r in range(n):
        word, offset = 0, _U(0)
        source = dealt[0, r]
        for j in range(n_words):
            mask, out = free[j, r], _U(0)
            for byte in range(8):
                shift = _U(8 * byte)
                m = np.int64((mask >> shift) & _BYTE)
                # eight bits of the source from `offset` on
                bits = source >> offset
                if offset > _U(56) and word + 1 < n_dealt:
                    bits |= dealt[word + 1, r] << (_U(64) - offset)
                out |= _U(deposited[m, np.int64(bits & _BYTE)]) << shift
                offset += _U(ones[m])
                if offset >= _U(64):
                    offset -= _U(64)
                    word += 1
                    source = dealt[word, r] if word < n_dealt else _U(0)
            words[j, r] = out
            free[j, r] = mask & ~out


@njit(fastmath=_FAST, error_model="numpy")
def _spreads(means: Any, squares: Any, size: float, units: Any, binomial: float, phi: Any, rows: int) -> None:
    """Spread of a group from its means, shape (levels, rows), and sums of squares."""
    levels = means.shape[0]
    bent, square = np.zeros(rows), np.zeros(rows)
    for i in range(levels):
        bend = units[i, 2]
        for r in range(rows):
            bent[r] += bend * means[i, r]
            square[r] += means[i, r] * means[i, r]
    for r in range(rows):
        own = (size - 1.0) * (levels + binomial * (bent[r] - square[r])) + 1.0
        phi[r] = max(squares[r] - size * square[r] + 1.0, 1e-12) / own


@njit(fastmath=_FAST, error_model="numpy")
def _pairs(means: Any, phi: Any, sizes: Any, units: Any, skew: float, pooled: float, out: Any, rows: int) -> None:
    """The statistic of every pair, shape (pairs x levels, rows)."""
    k, levels = means.shape[0], means.shape[1]
    inverse, bend = np.empty(rows), np.empty(rows)
    at = 0
    for a in range(k):
        for b in range(a + 1, k):
            n1, n2 = sizes[a], sizes[b]
            if pooled == 0.0:
                error = 1.0 / np.sqrt(1.0 / n1 + 1.0 / n2)
                for i in range(levels):
                    for r in range(rows):
                        out[at + i, r] = (means[a, i, r] - means[b, i, r]) * (error / units[i, 3])
            else:
                for r in range(rows):
                    p1, p2 = phi[a, r], phi[b, r]
                    one = 1.0 / np.sqrt(p1 / n1 + p2 / n2)
                    third = p1 * np.sqrt(p1) / (n1 * n1) - p2 * np.sqrt(p2) / (n2 * n2)
                    inverse[r] = one
                    bend[r] = skew * third * one * one * one
                for i in range(levels):
                    for r in range(rows):
                        t, c = (means[a, i, r] - means[b, i, r]) * inverse[r], bend[r]
                        out[at + i, r] = t * (1.0 + c * t * (1.0 / 3.0 + c * t * (1.0 / 27.0))) + c * (1.0 / 6.0)
            at += levels


@njit(fastmath=_FAST, error_model="numpy")
def _variances(means: Any, phi: Any, sizes: Any, units: Any, pooled: float, out: Any, rows: int) -> None:
    """F of every level, shape (levels, rows)."""
    k, levels = means.shape[0], means.shape[1]
    weight, total = np.empty((k, rows)), np.zeros(rows)
    for g in range(k):
        for r in range(rows):
            weight[g, r] = sizes[g] / (phi[g, r] if pooled != 0.0 else 1.0)
            total[r] += weight[g, r]
    centre, f = np.empty(rows), np.empty(rows)
    for i in range(levels):
        unit = 1.0 / (k - 1.0) if pooled != 0.0 else 1.0 / ((k - 1.0) * units[i, 3] * units[i, 3])
        centre[:] = 0.0
        f[:] = 0.0
        for g in range(k):
            for r in range(rows):
                centre[r] += weight[g, r] * means[g, i, r]
        for r in range(rows):
            centre[r] /= total[r]
        for g in range(k):
            for r in range(rows):
                gap = means[g, i, r] - centre[r]
                f[r] += weight[g, r] * gap * gap
        for r in range(rows):
            out[i, r] = f[r] * unit


@njit(fastmath=_FAST, error_model="numpy")
def _down(
    values: Any, signs: Any, levels: int, reach: Any, order: Any, single: Any, down: Any, run: Any, rows: int
) -> None:
    """Count single-step and step-down maxima; row i of the values has the sign of its pair."""
    n = reach.shape[0]
    for r in range(rows):
        run[r] = -_HUGE
    for k in range(n):
        i = order[k]
        least, sign, held = reach[i], signs[i // levels], 0
        for r in range(rows):
            largest = max(run[r], sign * values[i, r])
            run[r] = largest
            held += largest >= least
        down[i] += held
    for i in range(n):
        least, held = reach[i], 0
        for r in range(rows):
            held += run[r] >= least
        single[i] += held


@njit(parallel=True)
def count_groups(
    tables: Any,
    first_plan: Any,
    second_plan: Any,
    first_block: int,
    n_blocks: int,
    n_block: int,
    n_resamples: int,
    sizes: Any,
    units: Any,
    totals: Any,
    reach_f: Any,
    order_f: Any,
    reach: Any,
    order: Any,
    signs: Any,
    deposited: Any,
    ones: Any,
) -> Any:
    """Count F, shape (blocks, 3, levels): alone, max-F and step-down; pairs, (blocks, ways, 2, pairs x levels): max-T and step-down.

    A row of `units` holds what a sum is multiplied by to be n standardised means, the standardised centre, how p (1 - p)
    bends, and everybody's standard deviation. `totals` are everybody's sum of squares, its unit, the skewness, and 1 for
    binomial units and for pooled spreads.
    """
    levels, k, ways = units.shape[0], sizes.shape[0], reach.shape[0]
    squares, unit, skew, binomial, pooled = totals
    out_f = np.zeros((n_blocks, 3, levels), np.int64)
    out = np.zeros((n_blocks, ways, 2, reach.shape[1]), np.int64)
    one_sign = np.ones(1)
    n_words = first_plan[3].shape[0]
    last = levels // LANES, levels % LANES
    for number in prange(n_blocks):
        rows_all = min(n_block, n_resamples - (first_block + number) * n_block)
        words = np.empty((k - 1, n_words, n_block), np.uint64)
        relabel(words[0], first_plan, first_block + number)
        free = np.empty((n_words, n_block), np.uint64)
        for j in range(n_words):
            for r in range(n_block):
                free[j, r] = first_plan[3][j] & ~words[0, j, r]
        dealt = np.empty((second_plan[3].shape[0], n_block), np.uint64)
        relabel(dealt, second_plan, first_block + number)
        _deposit(free, dealt, words[1], rows_all, deposited, ones)
        sums = np.empty((tables.shape[0], _ROWS, LANES), tables.dtype)
        means, phi = np.empty((k, levels, _ROWS)), np.empty((k, _ROWS))
        left = np.empty(_ROWS)
        mine = np.empty(_ROWS)
        values, f, run = np.empty((reach.shape[1], _ROWS)), np.empty((levels, _ROWS)), np.empty(_ROWS)
        for start in range(0, rows_all, _ROWS):
            end = min(start + _ROWS, rows_all)
            rows = end - start
            left[:] = squares
            means[k - 1] = 0.0
            for g in range(k - 1):
                for lanes in range(tables.shape[0]):
                    _sum_rows(tables[lanes], words[g], start, end, sums[lanes])
                size = sizes[g]
                share = size / sizes[k - 1]
                for i in range(levels):
                    factor, centre = units[i, 0] / size, units[i, 1]
                    for r in range(rows):
                        mean = sums[i // LANES, r, i % LANES] * factor - centre
                        means[g, i, r] = mean
                        means[k - 1, i, r] -= share * mean
                for r in range(rows):
                    mine[r] = sums[last[0], r, last[1]] * unit
                    left[r] -= mine[r]
                _spreads(means[g], mine, size, units, binomial, phi[g], rows)
            _spreads(means[k - 1], left, sizes[k - 1], units, binomial, phi[k - 1], rows)
            _variances(means, phi, sizes, units, pooled, f, rows)
            for i in range(levels):
                held = 0
                for r in range(rows):
                    held += f[i, r] >= reach_f[i]
                out_f[number, 0, i] += held
            _down(f, one_sign, levels, reach_f, order_f, out_f[number, 1], out_f[number, 2], run, rows)
            _pairs(means, phi, sizes, units, skew, pooled, values, rows)
            for way in range(ways):
                _down(
                    values,
                    signs[way],
                    levels,
                    reach[way],
                    order[way],
                    out[number, way, 0],
                    out[number, way, 1],
                    run,
                    rows,
                )
    return out_f, out
