"""The pixels' clocks: E / rate, with E ~ Exp(1) from a hash and everything in whole numbers.

What both engines of :mod:`.flood` count with. Nothing here depends on a math library or on the order of sums, so the
engines agree to the last bit.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import hashes

#: Importance is read in 65,535ths of the map's largest value, so that no rounding error of a blur reaches the order.
N_GRADES = 65535
#: Fixed-point places of Exp(1) and of 1 / rate, and how many of them a time drops.
EXP_BITS, SLOWNESS_BITS, DROPPED_BITS = 24, 12, 15
#: At most this many medians are added up to one exponential; more would happen once in four thousand million pixels.
MOST_MEDIANS = 32

LN2 = round(math.log(2) * 2**EXP_BITS)
#: -ln(1 - u) for u = 0, 1/4096 … 1/2; the other half of the law repeats the first (see :func:`exponentials`).
EXP_TABLE = np.array([round(-math.log1p(-i / 4096) * 2**EXP_BITS) for i in range(2048)] + [LN2], dtype=np.uint64)


class RateScale(NamedTuple):
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


def rate_scale(values: NDArray[np.float32], *, gamma: float, epsilon: float) -> RateScale:
    """Return the speed of growth on a map: its largest value has the highest grade.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Importance, ≥ 0.
    gamma, epsilon : float
        A pixel's rate is importance**gamma + epsilon, importance counted from 0 to 1.

    Returns
    -------
    RateScale
        Scale and table.
    """
    largest = float(values.max())
    return RateScale(N_GRADES / largest if largest > 0 else 0.0, _slowness_table(gamma, epsilon))


@lru_cache(maxsize=8)
def _slowness_table(gamma: float, epsilon: float) -> NDArray[np.uint32]:
    grades = np.arange(N_GRADES + 1) / N_GRADES
    rates = (grades**gamma if gamma else np.ones(N_GRADES + 1)) + epsilon
    table: NDArray[np.uint32] = np.minimum(np.rint(2**SLOWNESS_BITS / rates), 2**32 - 1).astype(np.uint32)
    table.setflags(write=False)
    return table


def mean_waiting_times(values: NDArray[np.float32], speed: RateScale) -> NDArray[np.uint32]:
    """Return 1 / rate of every pixel in fixed point; uint32, shape (height, width)."""
    out: NDArray[np.uint32] = speed.table[np.rint(values.astype(np.float64) * speed.scale).astype(np.int64)]
    return out


def exponentials(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Turn hashes into Exp(1) in fixed point with :data:`EXP_BITS` places.

    While the first bit is 1, which happens half of the time, ln 2 is added and the next bit looked at: by
    memorylessness the rest of an exponential beyond its median is a fresh exponential. The last half is read from
    a table of 2,048 cells and interpolated, which is exact to 3e-8.
    """
    bits, total, going = bits.copy(), np.zeros(bits.shape, np.uint64), np.ones(bits.shape, bool)
    for _ in range(MOST_MEDIANS):
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


def waiting_times(slowness: NDArray[np.uint32], key: int) -> NDArray[np.uint64]:
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
