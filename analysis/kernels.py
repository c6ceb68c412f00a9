"""Inner loops."""

import numpy as np
from numpy.typing import NDArray


def shift_counts(values: NDArray[np.int64], most: int, width: int) -> NDArray[np.float64]:
    """Ways to choose c of `values` that sum to s, divided by 2**len(values).

    Parameters
    ----------
    values : ndarray of int64
        Ascending, from 0.
    most : int
        Largest c.
    width : int
        Largest sum + 1.

    Returns
    -------
    ndarray of float64, shape (most + 1, width)
        All terms are positive, so the relative error stays near the machine's precision.
    """
    ways = np.zeros((most + 1, width))
    ways[0, 0] = 1.0
    top = 0
    for number, value in enumerate(values.tolist(), 1):
        top = min(width - 1, top + value)
        rows = min(most, number)
        ways[: rows + 1, : top + 1] *= 0.5
        if rows:
            half = ways[:rows, : top + 1 - value].copy()
            ways[1 : rows + 1, value : top + 1] += half
    return ways
