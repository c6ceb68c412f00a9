"""Where matched regions lie on the canvas: centred, or moved a little so that their eccentricities agree."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..reveal.order import centring_shift
from .costs import differences

#: Regions are tried at every second pixel.
STEP_PX = 2
#: What a squared pixel of moving costs, beside squared differences in their scale.
_COST_OF_MOVING = 1e-4
_MOST_ROUNDS = 20


def eccentricities(
    order: NDArray[np.int32], shape: tuple[int, int], shift: tuple[int, int], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean distance of revealed pixels from the middle of the canvas at each level, in pixels.

    Parameters
    ----------
    order : ndarray of int32, shape (n_px,)
        Raster indices.
    shape : (int, int)
        Height and width in pixels.
    shift : (int, int)
        By how much the region is moved, down and to the right.
    counts : ndarray of int64, shape (n_levels,)
        Revealed pixels at each level.

    Returns
    -------
    ndarray of float64, shape (n_levels,)
        Pixels.

    Examples
    --------
    >>> eccentricities(np.array([0, 1], np.int32), (1, 2), (0, 0), np.array([1, 2])).tolist()
    [0.5, 0.5]
    """
    rows, columns = np.divmod(order.astype(np.int64), shape[1])
    down = 2 * (rows + shift[0]) - (shape[0] - 1)
    right = 2 * (columns + shift[1]) - (shape[1] - 1)
    return np.asarray(np.cumsum(np.sqrt(down * down + right * right) / 2)[counts - 1] / counts)


def moved_shifts(
    orders: Mapping[str, NDArray[np.int32]], shape: tuple[int, int], counts: NDArray[np.int64], *, most_px: int
) -> dict[str, tuple[int, int]]:
    """Return shifts at most `most_px` off the centring with which the sources' eccentricities agree best.

    Parameters
    ----------
    orders : mapping
        Source → raster indices.
    shape : (int, int)
        Height and width in pixels.
    counts : ndarray of int64, shape (n_levels,)
        Revealed pixels at each level.
    most_px : int
        Largest move in each direction; 0 centres the regions.

    Returns
    -------
    dict
        Source → pixels down and to the right. The least moves win among equals.
    """
    names = tuple(orders)
    places = {name: _places(order, shape, counts, most_px) for name, order in orders.items()}
    picks = {name: int(np.argmin(places[name][1])) for name in names}
    for _ in range(_MOST_ROUNDS):
        before = dict(picks)
        if len(names) == 2:
            first, second = (places[name] for name in names)
            cost = _costs(first[0], second[0]) + _COST_OF_MOVING * (first[1][:, None] + second[1][None])
            best = int(np.argmin(np.round(cost, 6)))
            picks = {names[0]: best // len(second[1]), names[1]: best % len(second[1])}
            break
        for name in names:
            values, far, _ = places[name]
            total = _COST_OF_MOVING * far.astype(np.float64)
            for other in names:
                if other != name:
                    total += _costs(values, places[other][0][[picks[other]]])[:, 0]
            picks[name] = int(np.argmin(np.round(total, 6)))
        if picks == before:
            break
    return {name: places[name][2][picks[name]] for name in names}


def _costs(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.zeros((len(a), len(b)))
    for level in range(a.shape[1]):
        out += differences(a[:, level], b[:, level], "eccentricity") ** 2
    return out


def _places(
    order: NDArray[np.int32], shape: tuple[int, int], counts: NDArray[np.int64], most_px: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[tuple[int, int]]]:
    """Eccentricities, squared moves and shifts of every place where the region fits the frame."""
    rows, columns = np.divmod(order.astype(np.int64), shape[1])
    base = centring_shift(order, shape, "region")
    values, far, shifts = [], [], []
    moves = range(-(most_px // STEP_PX) * STEP_PX, most_px + 1, STEP_PX)
    for down in moves:
        for right in moves:
            shift = base[0] + down, base[1] + right
            if rows.min() + shift[0] < 0 or rows.max() + shift[0] >= shape[0]:
                continue
            if columns.min() + shift[1] < 0 or columns.max() + shift[1] >= shape[1]:
                continue
            values.append(eccentricities(order, shape, shift, counts))
            far.append(down * down + right * right)
            shifts.append(shift)
    return np.array(values), np.array(far, np.int64), shifts
