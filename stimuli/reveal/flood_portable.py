"""The engine of the flood fill that needs no compiler: scikit-image's minimum-cost paths.

Costs are whole numbers below 2**53 and add up exactly in its float64, so the order is that of the fast engine.
"""

import numpy as np
from numpy.typing import NDArray

from .passage_times import RateScale, mean_waiting_times, tie_break, waiting_times

_EXACT = 2**53


def grow(
    values: NDArray[np.float32], speed: RateScale, start: int, n_px: int, key: int, *, eight: bool
) -> NDArray[np.int32] | None:
    """Return the order of the first `n_px` pixels, or None when times overflow; see :func:`.flood.fill`.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Importance.
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
    from skimage.graph import MCP

    slowness = mean_waiting_times(values, speed)
    costs = waiting_times(slowness, key).astype(np.float64)
    costs[start] = 0
    paths = MCP(costs.reshape(slowness.shape), fully_connected=eight)
    times, _ = paths.find_costs([divmod(start, slowness.shape[1])])
    times = times.ravel()
    bits, mask = tie_break(slowness.size, key)
    latest = np.partition(times, n_px - 1)[n_px - 1]
    if latest >= min(_EXACT, 2 ** (64 - bits) - 1):
        return None
    first = np.flatnonzero(times <= latest)
    order = first[np.lexsort((first ^ mask, times[first]))][:n_px]
    return order.astype(np.int32)
