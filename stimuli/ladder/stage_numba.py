# ruff: noqa: ANN001, ANN201, ANN202
"""One stage of growth in machine code; :mod:`.stage_portable` returns the same without a compiler."""

import numpy as np
from numba import uint64

from rapidvision.numerics.compiled import compiled
from rapidvision.numerics.compiled_counter_rng import mixed

from ..reveal.passage_times import DROPPED_BITS, EXP_BITS, LN2, MOST_MEDIANS
from .options import ROUGH_BITS

_SMOOTH_BITS = EXP_BITS - ROUGH_BITS


@compiled(inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _wait(pixel, slowness, rough, smooth, origin, table):  # type: ignore[no-untyped-def]
    x = mixed(uint64(pixel) + origin)
    n = uint64(0)
    while n < uint64(MOST_MEDIANS) and (x >> uint64(63)) == uint64(1):
        x = x << uint64(1)
        n += uint64(1)
    if n < uint64(MOST_MEDIANS):
        x = x << uint64(1)
    cell = x >> uint64(53)
    low = table[cell]
    e = n * uint64(LN2) + low + ((table[cell + uint64(1)] - low) * ((x >> uint64(33)) & uint64(0xFFFFF)) >> uint64(20))
    e = (e * rough >> uint64(ROUGH_BITS)) + smooth
    return max(e * uint64(slowness) >> uint64(DROPPED_BITS), uint64(1))


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _push(heap, n, item):  # type: ignore[no-untyped-def]
    at = n
    while at > 0:
        up = (at - 1) >> 1
        if heap[up] <= item:
            break
        heap[at] = heap[up]
        at = up
    heap[at] = item
    return n + 1


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _pop(heap, n):  # type: ignore[no-untyped-def]
    top = heap[0]
    n -= 1
    item = heap[n]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item
    return top, n


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _root(alias, label):  # type: ignore[no-untyped-def]
    while alias[label] != label:
        label = alias[label]
    return label


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def grow(  # type: ignore[no-untyped-def]
    grades,
    objects,
    table,
    rough,
    origin,
    exp_table,
    width,
    starts,
    edge,
    mask,
    shift,
    seen,
    labels,
    alias,
    order,
    sums,
):
    """Fill `order` with the pixels of a stage and add them to `sums`; `seen` is left as it was.

    `seen` (padded) is 0 where a pixel is free, 1 on the border, 2 where it is revealed. `starts` are pixels without a
    wait, `edge` the free pixels that touch the region. Returns False when times overflow or pixels run out.
    """
    wide = width + 2
    steps = np.array([-wide, -1, 1, wide])
    heap = np.empty(starts.size + edge.size + 4 * order.size + 8, np.uint64)
    n, done = 0, 0
    end = (~uint64(0)) >> uint64(shift)
    low_bits = (uint64(1) << uint64(shift)) - uint64(1)
    roughness = uint64(rough)
    smooth = uint64(((1 << ROUGH_BITS) - rough) << _SMOOTH_BITS)
    for k in range(starts.size):
        place = starts[k] + 2 * (starts[k] // width) + width + 3
        if seen[place] == 0:
            seen[place] = 1
            n = _push(heap, n, uint64(starts[k]) ^ mask)
    for k in range(edge.size):
        q = edge[k]
        place = q + 2 * (q // width) + width + 3
        if seen[place] == 0:
            seen[place] = 1
            wait = min(_wait(q, table[grades[q]], roughness, smooth, origin, exp_table), end)
            n = _push(heap, n, (wait << uint64(shift)) | (uint64(q) ^ mask))
    while done < order.size and n > 0:
        top, n = _pop(heap, n)
        time = top >> uint64(shift)
        pixel = int((top & low_bits) ^ mask)
        row, column = pixel // width, pixel % width
        place = (row + 1) * wide + column + 1
        if time >= end:
            seen[place] = 0
            break
        seen[place] = 2
        order[done] = pixel
        done += 1
        inside, own, merged = 0, -1, 0
        for s in range(4):
            near = place + steps[s]
            if seen[near] == 2:
                inside += 1
                other = _root(alias, labels[near])
                if own < 0:
                    own = other
                elif other != own:
                    alias[other] = own
                    merged += 1
            elif seen[near] == 0:
                seen[near] = 1
                q = (near // wide - 1) * width + near % wide - 1
                wait = _wait(q, table[grades[q]], roughness, smooth, origin, exp_table)
                n = _push(heap, n, (min(time + wait, end) << uint64(shift)) | (uint64(q) ^ mask))
        if own < 0:
            own = 0
            while alias[own] >= 0:
                own += 1
            alias[own] = own
            merged = -1
        labels[place] = own
        sums[0] += 1
        sums[1] += grades[pixel]
        sums[2] += 4 - 2 * inside
        sums[3] += row
        sums[4] += column
        sums[5] += row * row + column * column
        sums[6] -= merged
        sums[7] += objects[pixel]
    for k in range(n):
        pixel = int((heap[k] & low_bits) ^ mask)
        seen[pixel + 2 * (pixel // width) + width + 3] = 0
    for k in range(done):
        seen[order[k] + 2 * (order[k] // width) + width + 3] = 0
    return done == order.size


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def edge_of(order, width, seen):  # type: ignore[no-untyped-def]
    """Return the free pixels that touch the region, in the order in which it came beside them."""
    wide = width + 2
    steps = np.array([-wide, -1, 1, wide])
    found = np.empty(4 * order.size, np.int32)
    n = 0
    for k in range(order.size):
        place = order[k] + 2 * (order[k] // width) + width + 3
        for s in range(4):
            near = place + steps[s]
            if seen[near] == 0:
                seen[near] = 1
                found[n] = (near // wide - 1) * width + near % wide - 1
                n += 1
    for k in range(n):
        seen[found[k] + 2 * (found[k] // width) + width + 3] = 0
    return found[:n].copy()
