"""The words of :mod:`rapidvision.numerics.counter_rng` for compiled loops; imported only by compiled modules.

Numba keeps the machine code of a loop on disk until the loop's own file changes. A change to this file would not be
seen; SplitMix64 has no second version.
"""

from typing import Any

import numpy as np
from numba import njit

from .counter_rng import GAMMA, MIX1, MIX2

_GAMMA, _MIX1, _MIX2 = np.uint64(GAMMA), np.uint64(MIX1), np.uint64(MIX2)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


@njit(inline="always")
def mixed(z: Any) -> Any:
    """Finish the hash of one unsigned 64-bit word."""
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(inline="always")
def hashed(key: Any, counter: Any) -> Any:
    """Word `counter` of a stream: `counter_rng.hashed_words` for one."""
    return mixed(counter * _GAMMA + key)
