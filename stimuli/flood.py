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

import importlib.util
import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import checked_values

VERSION = "1"

Engine = Literal["auto", "numba", "portable"]

#: Importance is read in 65,535ths of the map's largest value, so that no rounding error of a blur reaches the order.
N_GRADES = 65535
#: Fixed-point places of Exp(1) and of 1 / rate, and how many of them a time drops.
EXP_BITS, SLOWNESS_BITS, DROPPED_BITS = 24, 12, 15

LN2 = round(math.log(2) * 2**EXP_BITS)
#: -ln(1 - u) for u = 0, 1/4096 … 1/2; the other half of the law repeats the first (see :func:`exponentials`).
EXP_TABLE = np.array([round(-math.log1p(-i / 4096) * 2**EXP_BITS) for i in range(2048)] + [LN2], dtype=np.uint64)


class Growth(NamedTuple):
    """What decides a fill besides the map and the key; see :class:`rapidvision.stimuli.recipe.Reveal`."""

    gamma: float = 2.0
    epsilon: float = 1e-3
    neighbours: Literal[4, 8] = 4
    start: tuple[int, int] | None = None


_WORD = 2**64 - 1

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
        When the map is unusable, `n_px` or the start lie outside the picture, or times would overflow.

    Examples
    --------
    >>> ramp = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> fill(ramp, 5, key=1).tolist()
    [11, 10, 7, 9, 5]
    """
    values = np.asarray(importance, np.float32) if growth.gamma == 0 else checked_values(importance, where="flood fill")
    height, width = values.shape
    if not 1 <= n_px <= values.size:
        raise InputError(f"flood fill: {n_px} pixels asked for, a picture of {height} x {width} has 1 to {values.size}")
    speed = speed_of(values, gamma=growth.gamma, epsilon=growth.epsilon)
    start = start_pixel(values, key=key) if growth.start is None else _raster(growth.start, values.shape)
    if engine == "numba" or (engine == "auto" and _numba_is_here()):
        from .flood_numba import grow
    else:
        from .flood_portable import grow
    order = grow(np.ascontiguousarray(values), speed, start, n_px, key, eight=growth.neighbours == 8)
    if order is None:
        raise InputError(f"flood fill: arrival times overflow at {height} x {width} pixels; use a larger epsilon")
    return order


class Speed(NamedTuple):
    """How importance becomes slowness: multiply by `scale`, round to a grade, look it up.

    Attributes
    ----------
    scale : float
        Grades per unit of importance.
    table : ndarray of uint32, shape (65536,)
        1 / rate of each grade in fixed point.
    """

    scale: float
    table: NDArray[np.uint32]


def speed_of(values: NDArray[np.float32], *, gamma: float, epsilon: float) -> Speed:
    """Return the speed of growth on a map: its largest value has the highest grade."""
    largest = float(values.max())
    return Speed(N_GRADES / largest if largest > 0 else 0.0, _slowness_table(gamma, epsilon))


@lru_cache(maxsize=8)
def _slowness_table(gamma: float, epsilon: float) -> NDArray[np.uint32]:
    grades = np.arange(N_GRADES + 1) / N_GRADES
    rates = (grades**gamma if gamma else np.ones(N_GRADES + 1)) + epsilon
    table: NDArray[np.uint32] = np.minimum(np.rint(2**SLOWNESS_BITS / rates), 2**32 - 1).astype(np.uint32)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=1)
def _numba_is_here() -> bool:
    return importlib.util.find_spec("numba") is not None


def slowness_of(values: NDArray[np.float32], speed: Speed) -> NDArray[np.uint32]:
    """Return 1 / rate of every pixel in fixed point; uint32, shape (height, width)."""
    out: NDArray[np.uint32] = speed.table[np.rint(values.astype(np.float64) * speed.scale).astype(np.int64)]
    return out


def start_pixel(values: NDArray[np.float32], *, key: int) -> int:
    """Return the raster index of the most important pixel; among equals the one with the smallest hash.

    A draw, and not the first in raster order, because maps with a plateau (saturated 8-bit files) would otherwise
    always start at its upper left; not the plateau's middle, because then raising one pixel's importance could
    reveal it later.
    """
    best = np.flatnonzero(values.ravel() == values.max())
    return int(best[np.argmin(hashes(best.astype(np.uint64), key ^ _WORD))])


def hashes(numbers: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """Return 64 random-looking bits for each number: splitmix64, started at a place that the key decides."""
    with np.errstate(over="ignore"):
        x = numbers + np.uint64(origin_of(key))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return out


def origin_of(key: int) -> int:
    """Return where a key's sequence begins; spread out, so that neighbouring keys do not share shifted sequences."""
    x = (key + 0x9E3779B97F4A7C15) & _WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD
    return (x ^ (x >> 31)) ^ 0x9E3779B97F4A7C15


def exponentials(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Turn hashes into Exp(1) in fixed point with :data:`EXP_BITS` places.

    While the first bit is 1, which happens half of the time, ln 2 is added and the next bit looked at: by
    memorylessness the rest of an exponential beyond its median is a fresh exponential. The last half is read from
    a table of 2,048 cells and interpolated, which is exact to 3e-8.
    """
    bits, total, going = bits.copy(), np.zeros(bits.shape, np.uint64), np.ones(bits.shape, bool)
    for _ in range(32):
        ones = going & (bits >> np.uint64(63) == 1)
        bits = np.where(going, bits << np.uint64(1), bits)
        total[ones] += np.uint64(LN2)
        going = ones
        if not going.any():
            break
    cell = (bits >> np.uint64(53)).astype(np.int64)
    place = (bits >> np.uint64(33)) & np.uint64(0xFFFFF)
    low = EXP_TABLE[cell]
    out: NDArray[np.uint64] = total + low + ((EXP_TABLE[cell + 1] - low) * place >> np.uint64(20))
    return out


def waits(slowness: NDArray[np.uint32], key: int) -> NDArray[np.uint64]:
    """Return each pixel's clock, E / rate, as a whole number ≥ 1; uint64, shape (height * width,)."""
    e = exponentials(hashes(np.arange(slowness.size, dtype=np.uint64), key))
    out: NDArray[np.uint64] = np.maximum(e * slowness.ravel() >> np.uint64(DROPPED_BITS), np.uint64(1))
    return out


def tie_break(n_px: int, key: int) -> tuple[int, int]:
    """Return how many low bits of a priority name the pixel, and the mask by which they are shuffled.

    Equal times are rare; where they happen the pixel number decides, XOR-ed with the key so that no direction is
    preferred.
    """
    bits = max(1, (n_px - 1).bit_length())
    return bits, key & ((1 << bits) - 1)


def _raster(start: tuple[int, int], shape: tuple[int, int]) -> int:
    row, column = start
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise InputError(f"flood fill: start {start} lies outside a picture of {shape[0]} x {shape[1]} pixels")
    return row * shape[1] + column
