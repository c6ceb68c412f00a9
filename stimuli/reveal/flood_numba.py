"""The fast engine of the flood fill: Dijkstra's algorithm, compiled by numba.

It stops at the last pixel asked for and hashes only pixels that the region touches. Its queue keeps two lists. `soon`
is short and sorted, and the next pixel is its last; `later` is a heap of things to come without any order. When `soon`
is empty, the earliest of `later` are sorted into it. Most of what a region touches lies in unimportant surroundings and
would never be reached: it waits in `later` for nothing, and no queue is sorted for its sake. With `soon` about as long
as the square root of `later` the processor has little to guess and less to wait for than with any tree.
"""

from typing import Any

import numpy as np
from numba import boolean, int64, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

from rapidvision.numerics.compiled import compiled
from rapidvision.numerics.compiled_counter_rng import mixed
from rapidvision.numerics.counter_rng import origin_of

from .passage_times import DROPPED_BITS, EXP_TABLE, LN2, MOST_MEDIANS, RateScale, tie_break

_FOUR = np.array([(-1, 0), (0, -1), (0, 1), (1, 0)], np.int64)
_EIGHT = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)], np.int64)
_NEVER = 2**64 - 1


def grow(
    values: NDArray[np.float32], speed: RateScale, start: int, n_px: int, key: int, *, eight: bool
) -> NDArray[np.int32] | None:
    """Return the order of the first `n_px` pixels, or None when times overflow; see :func:`.flood.fill`.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Importance, C-contiguous.
    speed : RateScale
        From :func:`.passage_times.rate_scale`.
    start, n_px : int
        First pixel, as a raster index, and how many.
    key : int
        64-bit key of the fill.
    eight : bool
        Whether corners touch.

    Returns
    -------
    ndarray of int32, shape (n_px,), or None
        Raster indices.
    """
    height, width = values.shape
    bits, mask = tie_break(values.size, key)
    near = _EIGHT if eight else _FOUR
    order = np.empty(n_px, np.int32)
    n_done = _grow(
        values.ravel(),
        speed.scale,
        speed.table,
        np.uint64(origin_of(key)),
        EXP_TABLE,
        np.uint64(height),
        np.uint64(width),
        np.uint64(start),
        np.uint64(bits),
        np.uint64(mask),
        (near @ (width, 1)).astype(np.uint64),  # steps back wrap around, as sums of unsigned numbers do
        (near @ (width + 2, 1)).astype(np.uint64),
        order,
    )
    return order if n_done == n_px else None


def _code_of_leading_ones(typing_context, x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
    """How many bits are 1 before the first 0, in one instruction: a loop would have to guess where it ends."""

    def code(context, builder, signature, args):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
        return builder.ctlz(builder.not_(args[0]), context.get_constant(boolean, False))

    return uint64(uint64), code


_leading_ones: Any = intrinsic(_code_of_leading_ones)


@compiled(inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _wait(pixel, slowness, origin, table):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    x = mixed(uint64(pixel) + origin)
    n_medians = min(_leading_ones(x), uint64(MOST_MEDIANS))
    x = x << min(n_medians + uint64(1), uint64(MOST_MEDIANS))
    total = n_medians * uint64(LN2)
    cell = x >> uint64(53)
    low = table[cell]
    e = total + low + ((table[cell + uint64(1)] - low) * ((x >> uint64(33)) & uint64(0xFFFFF)) >> uint64(20))
    wait = e * uint64(slowness) >> uint64(DROPPED_BITS)
    return max(wait, uint64(1))


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _grow(values, scale, slowness, origin, table, height, width, start, shift, mask, steps, guarded_steps, order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    # Every index is unsigned: numba asks of signed ones each time whether they count from the end.
    zero, one, two = uint64(0), uint64(1), uint64(2)
    low_bits, end_of_time = (one << shift) - one, (~zero) >> shift
    per_row = 1.0 / width
    n_px, n_steps = uint64(order.size), uint64(steps.size)
    seen = np.ones((height + two) * (width + two), np.uint8)  # a border that counts as seen spares every bounds check
    for row in range(one, height + one):
        seen[row * (width + two) + one : (row + one) * (width + two) - one] = 0
    seen[start + two * (start // width) + width + uint64(3)] = 1
    queue = np.empty((3, min(height * width, n_steps * n_px) + one), np.uint64)
    soon, later, spare = queue[0], queue[1], queue[2]
    soon[0] = start ^ mask
    n_soon, n_later, most, done = one, zero, uint64(64), zero
    bound = span = uint64(_NEVER)
    near = np.empty(n_steps + one, np.uint64)
    while done < n_px:
        if n_soon == zero:
            if n_later == zero:
                break
            n_soon, n_later, bound, span = _refill(soon, later, n_later, span, spare)
            most = two * n_soon + uint64(64)
        n_soon -= one
        top = soon[n_soon]
        time = top >> shift
        if time >= end_of_time:
            break
        pixel = (top & low_bits) ^ mask
        order[done] = pixel
        done += one
        row = uint64(int64((pixel + 0.5) * per_row))  # a whole division takes ten times as long
        place = pixel + two * row + width + uint64(3)
        n_near = zero  # unseen neighbours are collected first: which they are cannot be guessed
        for k in range(n_steps):
            near[n_near] = pixel + steps[k]
            n_near += one - uint64(seen[place + guarded_steps[k]])
            seen[place + guarded_steps[k]] = 1
        for k in range(n_near):
            grade = uint64(int64(np.rint(np.float64(values[near[k]]) * scale)))
            arrival = min(time + _wait(near[k], slowness[grade], origin, table), end_of_time)
            item = (arrival << shift) | (near[k] ^ mask)
            if item >= bound:
                later[n_later] = item
                n_later += one
                continue
            at = n_soon
            n_soon += one
            while at > zero and soon[at - one] < item:
                soon[at] = soon[at - one]
                at -= one
            soon[at] = item
        if n_soon > most:
            n_soon, n_later, bound = _spill(soon, n_soon, later, n_later)
            span = min(span, bound - top)
    return done


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _refill(soon, later, n_later, span, spare):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sort what is due within `span` of the first into `soon`, or less; returns both lengths, their bound, the span."""
    one, few = uint64(1), uint64(np.sqrt(0.5 * n_later)) + uint64(1)
    first = uint64(_NEVER)
    for k in range(n_later):
        first = min(first, later[k])
    while True:
        bound = first + span if first + span > first else uint64(_NEVER)
        n_soon = kept = uint64(0)
        for k in range(n_later):  # both lists take every item, and one of them keeps it
            item = later[k]
            spare[n_soon] = later[kept] = item
            due = uint64(item < bound)
            n_soon += due
            kept += one - due
        if n_soon <= uint64(4) * few + uint64(64):
            break
        for k in range(n_soon):
            later[kept + k] = spare[k]
        span = max(span >> one, one)
    for k in range(n_soon):
        place = uint64(0)
        for other in range(n_soon):
            place += uint64(spare[other] > spare[k])
        soon[place] = spare[k]
    if n_soon < few:
        span += span >> one
    elif n_soon > uint64(3) * few:
        span -= span >> uint64(2)
    return n_soon, kept, bound, span


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _spill(soon, n_soon, later, n_later):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Move the later half of `soon`, which has become long, to `later`; returns both lengths and their bound."""
    half = n_soon >> uint64(1)
    bound = soon[half - uint64(1)]
    for k in range(half):
        later[n_later + k] = soon[k]
    for k in range(n_soon - half):
        soon[k] = soon[half + k]
    return n_soon - half, n_later + half, bound
