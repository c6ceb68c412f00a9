"""The randomization test of a pairing: do maps of the same image correlate better than maps paired at random."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import TIE, row_order
from rapidvision.seeds import stream

Floats = NDArray[np.float64]


def pairing_p(table: Floats, *, n_resamples: int, seed: int) -> float:
    """(b + 1) / (n_resamples + 1) for the mean of the diagonal against randomly permuted columns.

    Parameters
    ----------
    table : ndarray, shape (n, n)
        ``[i, j]``: correlation of map i of one set with map j of the other.
    n_resamples, seed : int
        Permutations, and their seed.

    Returns
    -------
    float
        The same whatever the images are called, and whichever set is first.
    """
    table = _by_content(table)
    n = len(table)
    rng = stream(seed, "analysis", "pairing")
    least = np.trace(table) - TIE * float(np.abs(table).sum()) / n
    extreme = 0
    for start in range(0, n_resamples, 1000):
        rows = min(1000, n_resamples - start)
        order = rng.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
        extreme += int(np.count_nonzero(table[np.arange(n), order].sum(axis=1) >= least))
    return (extreme + 1) / (n_resamples + 1)


def _by_content(table: Floats) -> Floats:
    """The table with its images, and its two sets, in an order that its values decide; values to nine digits."""

    def ordered(one: Floats) -> Floats:
        content = np.concatenate([np.diagonal(one)[:, None], np.sort(one, axis=1), np.sort(one.T, axis=1)], axis=1)
        order = row_order(content)
        return one[np.ix_(order, order)]

    rounded = np.round(table, 9)
    one, other = ordered(rounded), ordered(rounded.T)
    return one if one.tobytes() <= other.tobytes() else other
