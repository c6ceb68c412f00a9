"""The options that a stage of growth can have, and the rates that follow from them."""

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..reveal.passage_times import N_GRADES, SLOWNESS_BITS

#: Preference for importance; negative values grow away from it.
GAMMAS = (-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 8.0)
#: Share of a waiting time that is random; 1 is the law of the flood fill, less gives smoother edges.
ROUGHNESS = (1.0, 0.6, 0.3)
#: Importance of the first pixel as a share of the largest.
STARTS = (1.0, 0.85, 0.7, 0.5, 0.3)
#: Binary digits of the roughness in the engines.
ROUGH_BITS = 8


class Option(NamedTuple):
    """Settings of one stage of growth.

    Attributes
    ----------
    gamma : float
        A pixel's rate is importance**gamma + epsilon; below 0 it is epsilon / (importance**-gamma + epsilon).
    roughness : float
        A pixel's waiting time is (roughness * E + 1 - roughness) / rate, E ~ Exp(1).
    start : float
        Where the first stage starts: at the pixel whose importance is nearest to this share of the largest.
    seed : bool
        Whether a later stage also starts at the most important pixel far from the region.
    """

    gamma: float = 2.0
    roughness: float = 1.0
    start: float = 1.0
    seed: bool = False

    @property
    def rough(self) -> int:
        """Roughness in :data:`ROUGH_BITS` binary places."""
        return round(self.roughness * (1 << ROUGH_BITS))

    @property
    def unusual(self) -> float:
        """How far the option is from the flood fill of the defaults."""
        return abs(self.gamma - 2) / 2 + (1 - self.roughness) + 2 * (1 - self.start) + float(self.seed)


@lru_cache(maxsize=4)
def options_of(*, first: bool, seeds: bool) -> tuple[Option, ...]:
    """Return the options of a stage, in the order in which equals are chosen.

    Examples
    --------
    >>> len(options_of(first=True, seeds=False)), len(options_of(first=False, seeds=True))
    (135, 54)
    """
    if first:
        return tuple(Option(*one) for one in product(GAMMAS, ROUGHNESS, STARTS))
    more = (False, True) if seeds else (False,)
    return tuple(Option(gamma, rough, 1.0, seed) for gamma, rough, seed in product(GAMMAS, ROUGHNESS, more))


@lru_cache(maxsize=32)
def slowness_table(gamma: float, epsilon: float) -> NDArray[np.uint32]:
    """Return 1 / rate of every grade of importance in fixed point; uint32, shape (65536,)."""
    share = np.arange(N_GRADES + 1) / N_GRADES
    if gamma > 0:
        rate = share**gamma + epsilon
    elif gamma == 0:
        rate = np.ones_like(share) + epsilon
    else:
        rate = epsilon / (share**-gamma + epsilon)
    table: NDArray[np.uint32] = np.minimum(np.rint(2**SLOWNESS_BITS / rate), 2**32 - 1).astype(np.uint32)
    table.setflags(write=False)
    return table
