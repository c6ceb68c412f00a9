"""The fast engine of the flood fill: Dijkstra with a 4-ary heap of packed priorities, compiled by numba.

It stops at the last pixel asked for and hashes only pixels that the region touches.
"""

import numpy as np
from numba import int64, njit, uint64
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
    near = _EIGHT if eight else _FOUR
    n_done = _grow(
        values.ravel(),
        speed.scale,
        speed.table,
        origin,
        EXP_TABLE,
        np.uint64(width),
        np.uint64(start),
        np.uint64(bits),
        np.uint64(mask),
        (near @ (width, 1)).astype(np.uint64),  # steps back wrap around, as sums of unsigned numbers do
        (near @ (width + 2, 1)).astype(np.uint64),
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
def _grow(values, scale, slowness, origin, table, width, start, shift, mask, steps, guarded_steps, order, heap, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    # Every index is unsigned: numba asks of signed ones each time whether they count from the end.
    one, two, four = uint64(1), uint64(2), uint64(4)
    low_bits = (one << shift) - one
    end_of_time = (~uint64(0)) >> shift
    per_row = 1.0 / width
    n_px, n_steps = uint64(order.size), uint64(steps.size)
    heap[0] = start ^ mask
    size, done = one, uint64(0)
    row = start // width
    seen[(row + one) * (width + two) + start - row * width + one] = 1
    while size > 0 and done < n_px:
        top = heap[0]
        size -= one
        last = heap[size]
        at = uint64(0)
        while True:
            child = four * at + one
            if child >= size:
                break
            best, value = child, heap[child]
            for other in range(child + one, min(child + four, size)):
                if heap[other] < value:
                    best, value = uint64(other), heap[other]
            if value >= last:
                break
            heap[at] = value
            at = best
        heap[at] = last
        time = top >> shift
        if time >= end_of_time:
            break
        pixel = (top & low_bits) ^ mask
        order[done] = pixel
        done += one
        row = uint64(int64((pixel + 0.5) * per_row))  # a whole division takes ten times as long
        place = (row + one) * (width + two) + pixel - row * width + one
        for k in range(n_steps):
            guard = place + guarded_steps[k]
            if seen[guard]:
                continue
            seen[guard] = 1
            other_pixel = pixel + steps[k]
            grade = uint64(int64(np.rint(np.float64(values[other_pixel]) * scale)))
            arrival = min(time + _wait(other_pixel, slowness[grade], origin, table), end_of_time)
            packed = (arrival << shift) | (other_pixel ^ mask)
            at = size
            size += one
            while at > 0:
                parent = (at - one) >> two
                if heap[parent] <= packed:
                    break
                heap[at] = heap[parent]
                at = parent
            heap[at] = packed
    return done
