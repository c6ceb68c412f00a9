"""The fast engine of the flood fill: Dijkstra with a 4-ary heap of packed priorities, compiled by numba.

It stops at the last pixel asked for and hashes only pixels that the region touches.
"""

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from .flood import DROPPED_BITS, EXP_TABLE, LN2, Speed, origin_of, tie_break

_FOUR = np.array([(-1, 0), (0, -1), (0, 1), (1, 0)], np.int64)
_EIGHT = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)], np.int64)


def grow(
    values: NDArray[np.float32], speed: Speed, start: int, n_px: int, key: int, *, eight: bool
) -> NDArray[np.int32] | None:
    """Return the order of the first `n_px` pixels, or None when times overflow; see :func:`.flood.fill`."""
    height, width = values.shape
    bits, mask = tie_break(values.size, key)
    order = np.empty(n_px, np.int32)
    heap = np.empty(values.size + 1, np.uint64)
    guarded = np.ones((height + 2, width + 2), np.uint8)  # a border that counts as seen spares every bounds check
    guarded[1:-1, 1:-1] = 0
    origin = np.uint64(origin_of(key))
    n_done = _grow(
        values.ravel(),
        speed.scale,
        speed.table,
        origin,
        EXP_TABLE,
        width,
        start,
        bits,
        np.uint64(mask),
        _EIGHT if eight else _FOUR,
        order,
        heap,
        guarded.ravel(),
    )
    return order if n_done == n_px else None


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _wait(pixel, slowness, origin, table):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    x = uint64(pixel) + origin
    x = (x ^ (x >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> uint64(27))) * uint64(0x94D049BB133111EB)
    x = x ^ (x >> uint64(31))
    total = uint64(0)
    for _ in range(32):
        one = x >> uint64(63)
        x = x << uint64(1)
        if one == uint64(0):
            break
        total += uint64(LN2)
    cell = x >> uint64(53)
    low = table[cell]
    e = total + low + ((table[cell + uint64(1)] - low) * ((x >> uint64(33)) & uint64(0xFFFFF)) >> uint64(20))
    wait = e * uint64(slowness) >> uint64(DROPPED_BITS)
    return max(wait, uint64(1))


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _grow(values, scale, slowness, origin, table, width, start, bits, mask, near, order, heap, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    shift = uint64(bits)
    low_bits = (uint64(1) << shift) - uint64(1)
    end_of_time = (~uint64(0)) >> shift
    heap[0] = uint64(start) ^ mask
    size = 1
    row = start // width
    seen[(row + 1) * (width + 2) + start - row * width + 1] = 1
    done = 0
    while size > 0 and done < order.size:
        top = heap[0]
        size -= 1
        last = heap[size]
        at = 0
        while True:
            child = 4 * at + 1
            if child >= size:
                break
            best, value = child, heap[child]
            for other in range(child + 1, min(child + 4, size)):
                if heap[other] < value:
                    best, value = other, heap[other]
            if value >= last:
                break
            heap[at] = value
            at = best
        heap[at] = last
        time = top >> shift
        if time >= end_of_time:
            break
        pixel = np.int64((top & low_bits) ^ mask)
        order[done] = pixel
        done += 1
        row = pixel // width
        place = (row + 1) * (width + 2) + pixel - row * width + 1
        for k in range(near.shape[0]):
            guard = place + near[k, 0] * (width + 2) + near[k, 1]
            if seen[guard]:
                continue
            seen[guard] = 1
            other_pixel = pixel + near[k, 0] * width + near[k, 1]
            grade = np.int64(np.rint(np.float64(values[other_pixel]) * scale))
            arrival = min(time + _wait(other_pixel, slowness[grade], origin, table), end_of_time)
            packed = (arrival << shift) | (uint64(other_pixel) ^ mask)
            at = size
            size += 1
            while at > 0:
                parent = (at - 1) >> 2
                if heap[parent] <= packed:
                    break
                heap[at] = heap[parent]
                at = parent
            heap[at] = packed
    return done
