"""The fast engine of the flood fill: Dijkstra with a 4-ary heap of packed priorities, compiled by numba.

It stops at the last pixel asked for and hashes only pixels that the region touches.
"""

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from .flood import DROPPED_BITS, EXP_TABLE, LN2, origin_of, tie_break


def grow(slowness: NDArray[np.uint32], start: int, n_px: int, key: int, *, eight: bool) -> NDArray[np.int32] | None:
    """Return the order of the first `n_px` pixels, or None when times overflow; see :func:`.flood.fill`."""
    height, width = slowness.shape
    bits, mask = tie_break(slowness.size, key)
    order = np.empty(n_px, np.int32)
    heap = np.empty(slowness.size + 1, np.uint64)
    seen = np.zeros(slowness.size, np.uint8)
    table = EXP_TABLE
    n_done = _grow(
        slowness.ravel(),
        np.uint64(origin_of(key)),
        table,
        height,
        width,
        start,
        bits,
        np.uint64(mask),
        eight,
        order,
        heap,
        seen,
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
def _grow(slowness, origin, table, height, width, start, bits, mask, eight, order, heap, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    shift = uint64(bits)
    low_bits = (uint64(1) << shift) - uint64(1)
    end_of_time = (~uint64(0)) >> shift
    heap[0] = uint64(start) ^ mask
    size = 1
    seen[start] = 1
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
            best = child
            for other in range(child + 1, min(child + 4, size)):
                if heap[other] < heap[best]:
                    best = other
            if heap[best] >= last:
                break
            heap[at] = heap[best]
            at = best
        heap[at] = last
        time = top >> shift
        if time >= end_of_time:
            break
        pixel = np.int64((top & low_bits) ^ mask)
        order[done] = pixel
        done += 1
        row = pixel // width
        column = pixel - row * width
        for down in range(-1, 2):
            if row + down < 0 or row + down >= height:
                continue
            for right in range(-1, 2):
                if (down != 0 and right != 0 and not eight) or column + right < 0 or column + right >= width:
                    continue
                near = pixel + down * width + right
                if seen[near]:
                    continue
                seen[near] = 1
                arrival = min(time + _wait(near, slowness[near], origin, table), end_of_time)
                packed = (arrival << shift) | (uint64(near) ^ mask)
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
