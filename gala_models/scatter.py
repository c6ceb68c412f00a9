"""Pictures moved so that what matters in them lies anywhere.

Drawn pictures, like photographs, have their objects near the middle. Any picture's map then says something about every
other picture, and a network gains from maps that belong to other pictures. Where objects lie anywhere, only a picture's
own map says where.
"""

import numpy as np
from numpy.typing import NDArray

#: Pixels of the map above this (of 255) are what is moved, and what the border never cuts.
HIGH = 100


def offset(importance: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, int]:
    """Draw how far down and right a picture is moved: every place where its map's high pixels stay whole is as likely.

    Parameters
    ----------
    importance : ndarray of uint8, shape (side, side)
        The map that says what stays whole; one without high pixels may be cut anywhere.
    rng : numpy.random.Generator
        Draws two numbers.

    Returns
    -------
    (int, int)
        For :func:`moved`.

    Examples
    --------
    >>> corner = np.zeros((4, 4), np.uint8)
    >>> corner[0, 0] = 255
    >>> sorted({offset(corner, np.random.default_rng(seed))[0] for seed in range(40)})
    [0, 1, 2, 3]
    """
    found = []
    for axis in (1, 0):
        places = np.flatnonzero((importance > HIGH).any(axis))
        first, extent = (int(places[0]), int(places[-1] - places[0]) + 1) if len(places) else (0, 1)
        found.append(int(rng.integers(importance.shape[1 - axis] - extent + 1)) - first)
    return found[0], found[1]


def moved(pixels: NDArray[np.uint8], by: tuple[int, int]) -> NDArray[np.uint8]:
    """Move a picture or map down and right; what leaves on one side comes in on the other.

    Examples
    --------
    >>> moved(np.array([[1, 2], [3, 4]], np.uint8), (0, 1)).tolist()
    [[2, 1], [4, 3]]
    """
    return np.roll(pixels, by, (0, 1))
