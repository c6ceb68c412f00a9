"""The stochastic flood fill on one map, from Python; :mod:`.flood` has the law and the engines."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap, checked_values
from rapidvision.seeds import key64

from .flood import WEIGHTED, Engine, Growth, fill


def flood_fill(
    importance: ImportanceMap | ArrayLike,
    n_px: int | None = None,
    *,
    fraction: float | None = None,
    seed: int,
    gamma: float = WEIGHTED.gamma,
    epsilon: float = WEIGHTED.epsilon,
    neighbours: Literal[4, 8] = WEIGHTED.neighbours,
    start: tuple[int, int] | None = None,
    engine: Engine = "auto",
) -> NDArray[np.int32]:
    """Grow a region over an importance map and return its pixels in the order in which the region reaches them.

    Parameters
    ----------
    importance : ImportanceMap or array_like of float, shape (height, width)
        Finite, ≥ 0; not all equal unless `gamma` is 0.
    n_px : int, optional
        How many pixels, 1 … height × width. Exactly one of `n_px` and `fraction` is needed.
    fraction : float, optional
        The same as a share of the image's pixels, 0 < fraction ≤ 1, rounded to the nearest whole number, at least 1.
    seed : int
        Seed of the growth, 0 or more. The same map and seed give the same order on every machine.
    gamma : float, default 2
        A pixel's rate is importance**gamma + epsilon; 0 grows without regard to importance.
    epsilon : float, default 0.001
        The rate of a pixel without importance, > 0, relative to the map's maximum.
    neighbours : {4, 8}, default 4
        Which pixels touch each other.
    start : (int, int), optional
        Row and column of the first pixel; the most important one by default (paper, appendix).
    engine : {"auto", "numba", "portable"}, default "auto"
        ``auto`` takes numba where it is installed. The order does not depend on the engine.

    Returns
    -------
    ndarray of int32, shape (n_px,)
        Raster indices (row × width + column). Each prefix is one connected region.

    Raises
    ------
    InputError
        When the map cannot be used, or a number lies outside its range.

    Notes
    -----
    Linsley et al. (2019), appendix "Stimulus generation"; the growth law is in :mod:`rapidvision.stimuli.reveal.flood`.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> order = rv.stimuli.flood_fill(ramp, 5, seed=1)
    >>> int(order[0]), len(order)
    (11, 5)
    >>> len(rv.stimuli.flood_fill(ramp, fraction=0.5, seed=1))
    6
    """
    values = (
        importance.values if isinstance(importance, ImportanceMap) else checked_values(importance, where="importance")
    )
    if (n_px is None) == (fraction is None):
        raise InputError("flood fill: give n_px or fraction, and only one of them")
    if fraction is not None:
        if not 0 < fraction <= 1:
            raise InputError(f"flood fill: fraction is {fraction}; allowed are numbers above 0 up to 1")
        n_px = max(1, int(fraction * values.size + 0.5))
    assert n_px is not None
    growth = Growth(gamma, epsilon, neighbours, start)
    return fill(values, n_px, key=key64(seed, "flood fill"), growth=growth, engine=engine)
