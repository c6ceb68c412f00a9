"""The stochastic flood fill (paper, appendix "Stimulus generation").

The paper: "First, the image pixel given highest importance by a ClickMe map was identified. Second, the algorithm
expanded this region anisotropically, with a bias towards pixels with higher attention scores." It prints no formula;
this is the simplest growth that the words allow, weighted Eden growth:

    Start with the most important pixel. Again and again add one pixel that touches the region, drawn with
    probability proportional to its rate, importance**gamma + epsilon.

By the memorylessness of the exponential law the same growth can be had all at once: give every pixel a clock
E / rate with E ~ Exp(1), started when the region first touches it. Pixels then appear in the order of their arrival
times, which are shortest-path distances from the start (first-passage percolation). So every prefix of the order is
connected, prefixes are nested, and counts are exact.

Each pixel's E is a hash of a key and the pixel, and times are whole numbers: the order depends on no random
generator, no traversal and no floating-point sum, and two engines of different make return it pixel for pixel.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import checked_values
from rapidvision.numerics.compiled import can_compile
from rapidvision.numerics.counter_rng import hashes

from .passage_times import rate_scale

VERSION = "1"

Engine = Literal["auto", "numba", "portable"]


class Growth(NamedTuple):
    """What decides a fill besides the map and the key; see :class:`rapidvision.stimuli.recipe_tables.Reveal`."""

    gamma: float = 2.0
    epsilon: float = 1e-3
    neighbours: Literal[4, 8] = 4
    start: tuple[int, int] | None = None


#: The growth of the recipe's defaults.
WEIGHTED = Growth()


def fill(
    importance: NDArray[np.float32], n_px: int, *, key: int, growth: Growth = WEIGHTED, engine: Engine = "auto"
) -> NDArray[np.int32]:
    """Return the first `n_px` pixels in the order in which the region grows.

    Parameters
    ----------
    importance : ndarray of float, shape (height, width)
        Finite, ≥ 0, not all equal unless ``growth.gamma`` is 0.
    n_px : int
        How many pixels, 1 … height * width.
    key : int
        64-bit key of this fill, as from :func:`rapidvision.seeds.key64`.
    growth : Growth
        gamma, epsilon, neighbours and the start (row, column); by default the most important pixel starts.
    engine : {"auto", "numba", "portable"}
        ``auto`` takes numba where it is installed. The order is the same.

    Returns
    -------
    ndarray of int32, shape (n_px,)
        Raster indices; each prefix is connected.

    Raises
    ------
    InputError
        When the map is unusable, `n_px` or the start lie outside the image, or times would overflow.

    Examples
    --------
    >>> ramp = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> fill(ramp, 5, key=1).tolist()
    [11, 10, 7, 9, 5]
    """
    values = _usable(importance, flat_is_fine=growth.gamma == 0)
    height, width = values.shape
    if not 1 <= n_px <= values.size:
        raise InputError(f"flood fill: {n_px} pixels asked for, an image of {height} x {width} has 1 to {values.size}")
    speed = rate_scale(values, gamma=growth.gamma, epsilon=growth.epsilon)
    start = start_pixel(values, key=key) if growth.start is None else _raster(growth.start, values.shape)
    if engine == "numba" or (engine == "auto" and _numba_is_here()):
        from .flood_numba import grow
    else:
        from .flood_portable import grow
    order = grow(values, speed, start, n_px, key, eight=growth.neighbours == 8)
    if order is None:
        raise InputError(f"flood fill: arrival times overflow at {height} x {width} pixels; use a larger epsilon")
    return order


def _usable(importance: NDArray[np.float32], *, flat_is_fine: bool) -> NDArray[np.float32]:
    """Return a usable map unchanged; a map that two quick tests do not clear gets the thorough check and its messages."""
    values = np.asarray(importance, np.float32)
    if values.ndim == 2 and values.size:
        low, high = values.min(), values.max()
        if 0 <= low <= high < np.inf and (low < high or flat_is_fine):
            return np.ascontiguousarray(values)
    return checked_values(importance, where="flood fill")


@lru_cache(maxsize=1)
def _numba_is_here() -> bool:
    return can_compile()


def start_pixel(values: NDArray[np.float32], *, key: int) -> int:
    """Return the raster index of the most important pixel; among equals the one with the smallest hash.

    A draw, and not the first in raster order, because maps with a plateau (saturated 8-bit files) would otherwise
    always start at its upper left; not the plateau's middle, because then raising one pixel's importance could
    reveal it later.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Importance.
    key : int
        64-bit key of the fill.

    Returns
    -------
    int
        0 … height * width - 1.
    """
    best = np.flatnonzero(values.ravel() == values.max())
    if best.size > 1:
        best = best[[np.argmin(hashes(best.astype(np.uint64), key ^ (2**64 - 1)))]]
    return int(best[0])


def _raster(start: tuple[int, int], shape: tuple[int, int]) -> int:
    row, column = start
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise InputError(f"flood fill: start {start} lies outside an image of {shape[0]} x {shape[1]} pixels")
    return row * shape[1] + column
