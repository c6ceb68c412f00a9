"""Harder images: fragments of other images pasted where the image's own map is low.

On easy images any part tells the class, and a network does not have to find the right one. Among fragments of other
images, which show what is important in those, it does.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

#: Sides of the square fragments, as shares of the image's side.
SMALLEST, LARGEST = 1 / 7, 3 / 10
#: Pixels of the map above this (of 255) are never covered.
KEPT = 100


def cluttered(
    image: NDArray[np.uint8],
    importance: NDArray[np.uint8],
    *,
    own: NDArray[np.uint8],
    donor: Callable[[np.random.Generator], tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    n_fragments: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paste fragments of other images onto an image, and take the covered places out of its map.

    Parameters
    ----------
    image : ndarray of uint8, shape (side, side, 3)
        The image; it is not changed.
    importance : ndarray of uint8, shape (side, side)
        The map that supervises.
    own : ndarray of uint8, shape (side, side)
        The image's own map; fragments keep off its high places.
    donor : callable
        Draws another image, at least as large, and its map from a generator. Fragments are cut around places drawn in
        proportion to that map, or anywhere where it is flat.
    n_fragments : int
        How many are tried; one that would cover a high place is left out.
    rng : numpy.random.Generator
        Draws sizes, places and donors.

    Returns
    -------
    (ndarray of uint8, ndarray of uint8)
        As the first two arguments.

    Examples
    --------
    >>> grey, map_ = np.full((20, 20, 3), 9, np.uint8), np.zeros((20, 20), np.uint8)
    >>> white = lambda rng: (np.full((20, 20, 3), 255, np.uint8), map_)
    >>> found, _ = cluttered(grey, map_, own=map_, donor=white, n_fragments=2, rng=np.random.default_rng(0))
    >>> sorted(set(found.ravel().tolist()))
    [9, 255]
    """
    image, importance, side = image.copy(), importance.copy(), image.shape[0]
    for _ in range(n_fragments):
        size = int(rng.integers(max(1, round(SMALLEST * side)), max(2, round(LARGEST * side)) + 1))
        source, its_map = donor(rng)
        y, x = _corner(its_map, size, rng)
        top, left = rng.integers(0, side - size + 1, 2)
        place = np.s_[top : top + size, left : left + size]
        if own[place].max() > KEPT:
            continue
        image[place] = source[y : y + size, x : x + size]
        importance[place] = 0
    return image, importance


def _corner(importance: NDArray[np.uint8], size: int, rng: np.random.Generator) -> tuple[int, int]:
    """Upper left corner of a fragment around a place drawn in proportion to its importance."""
    weights = np.cumsum(importance, dtype=np.int64)
    if not weights[-1]:
        weights = np.arange(1, importance.size + 1)
    place = int(np.searchsorted(weights, rng.integers(weights[-1]), side="right"))
    row, column = divmod(place, importance.shape[1])
    top, left = (min(max(at - size // 2, 0), n - size) for at, n in zip((row, column), importance.shape, strict=True))
    return top, left
