"""One stage of growth without a compiler: waiting times by NumPy, the queue by :mod:`heapq`; see :mod:`.stage_numba`."""

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import mixed

from ..reveal.passage_times import DROPPED_BITS, EXP_BITS, exponentials
from .options import ROUGH_BITS


def grow(
    grades: NDArray[np.int64],
    objects: NDArray[np.uint8],
    table: NDArray[np.uint32],
    rough: int,
    origin: np.uint64,
    exp_table: NDArray[np.uint64],  # noqa: ARG001 - the engines take the same arguments
    width: int,
    starts: NDArray[np.int32],
    edge: NDArray[np.int32],
    mask: np.uint64,
    shift: int,
    seen: NDArray[np.uint8],
    labels: NDArray[np.int32],
    alias: NDArray[np.int32],
    order: NDArray[np.int32],
    sums: NDArray[np.int64],
) -> bool:
    """Fill `order` with the pixels of a stage and add them to `sums`; `seen` is left as it was."""
    waits = _waits(grades, table, rough, origin)
    wide, end, low_bits, flip = width + 2, (2**64 - 1) >> shift, (1 << shift) - 1, int(mask)
    state, label, same = seen.tolist(), labels.tolist(), alias.tolist()
    heap: list[int] = []

    def place_of(pixel: int) -> int:
        return pixel + 2 * (pixel // width) + width + 3

    for pixel in starts.tolist():
        if state[place_of(pixel)] == 0:
            state[place_of(pixel)] = 1
            heapq.heappush(heap, pixel ^ flip)
    for pixel in edge.tolist():
        if state[place_of(pixel)] == 0:
            state[place_of(pixel)] = 1
            heapq.heappush(heap, min(waits[pixel], end) << shift | (pixel ^ flip))
    found: list[int] = []
    perimeter = components = 0
    while len(found) < order.size and heap:
        top = heapq.heappop(heap)
        time, pixel = top >> shift, (top & low_bits) ^ flip
        if time >= end:
            break
        place = place_of(pixel)
        state[place] = 2
        found.append(pixel)
        inside, own, merged = 0, -1, 0
        for near in (place - wide, place - 1, place + 1, place + wide):
            if state[near] == 2:
                inside += 1
                other = _root(same, label[near])
                if own < 0:
                    own = other
                elif other != own:
                    same[other] = own
                    merged += 1
            elif state[near] == 0:
                state[near] = 1
                pixel_there = (near // wide - 1) * width + near % wide - 1
                heapq.heappush(heap, min(time + waits[pixel_there], end) << shift | (pixel_there ^ flip))
        if own < 0:
            own = same.index(-1)
            same[own] = own
            merged = -1
        label[place] = own
        perimeter += 4 - 2 * inside
        components -= merged
    n = len(found)
    order[:n] = found
    labels[:], alias[:] = label, same
    rows, columns = np.divmod(order[:n].astype(np.int64), width)
    sums += [
        n,
        int(grades[order[:n]].sum()),
        perimeter,
        int(rows.sum()),
        int(columns.sum()),
        int((rows * rows + columns * columns).sum()),
        components,
        int(objects[order[:n]].sum(dtype=np.int64)),
    ]
    return n == order.size


def edge_of(order: NDArray[np.int32], width: int, seen: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the free pixels that touch the region, in the order in which it came beside them."""
    wide = width + 2
    places = order.astype(np.int64) + 2 * (order // width) + width + 3
    near = (places[:, None] + np.array([-wide, -1, 1, wide])).ravel()
    near = near[seen[near] == 0]
    _, first = np.unique(near, return_index=True)
    near = near[np.sort(first)]
    return np.asarray((near // wide - 1) * width + near % wide - 1, np.int32)


def _root(same: list[int], label: int) -> int:
    while same[label] != label:
        label = same[label]
    return label


def _waits(grades: NDArray[np.int64], table: NDArray[np.uint32], rough: int, origin: np.uint64) -> Any:
    with np.errstate(over="ignore"):
        e = exponentials(mixed(np.arange(grades.size, dtype=np.uint64) + origin))
    e = (e * np.uint64(rough) >> np.uint64(ROUGH_BITS)) + np.uint64((2**ROUGH_BITS - rough) << (EXP_BITS - ROUGH_BITS))
    return np.maximum(e * table[grades] >> np.uint64(DROPPED_BITS), np.uint64(1)).tolist()
