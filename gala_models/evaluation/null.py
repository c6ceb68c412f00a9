"""The null of map agreement: how well attention fits the maps of images that show something else."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.ranks import units_of


def null_of(seen: NDArray[np.int32], wanted: NDArray[np.int32], labels: NDArray[np.int64]) -> float:
    """Return the mean correlation of each image's attention with the maps of all images of other classes.

    All pairs enter, so the result has no seed and depends neither on the order of the images nor on batches.

    Parameters
    ----------
    seen, wanted : ndarray of int32, shape (n, places)
        Doubled ranks of attention and of importance.
    labels : ndarray of int64, shape (n,)
        Classes; -1 where an image does not take part.

    Returns
    -------
    float
        -1 … 1. Every image that has a partner weighs the same; NaN where all images are of one class.

    Examples
    --------
    >>> from rapidvision.numerics.ranks import doubled_ranks
    >>> maps = doubled_ranks([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    >>> round(null_of(maps, maps, np.array([0, 1])), 12), null_of(maps, maps, np.array([0, 0]))
    (-1.0, nan)
    """
    used = labels >= 0
    classes, place, n_of = np.unique(labels[used], return_inverse=True, return_counts=True)
    if len(classes) < 2:
        return float("nan")
    attention, importance = units_of(seen[used]), units_of(wanted[used])
    sums = np.zeros((len(classes), importance.shape[1]))
    np.add.at(sums, place, importance)
    n_others = len(place) - n_of[place]
    others = np.einsum("ij,ij->i", attention, (sums.sum(0) - sums[place]))
    return float(np.mean(others / n_others))
