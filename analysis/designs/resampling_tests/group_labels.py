"""Relabellings of three and more groups, and random orders: each a function of the seed and its number.

A relabelling of k groups deals the first group among everybody, the second among those who are left, and so on, each
by the words of :mod:`~rapidvision.analysis.relabelling.permutations`; so that the compiled loops make the same ones.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import hashed_words

from ...relabelling.permutations import as_matrix, label_block
from ...relabelling.random_bits import BLOCK, stream_key

#: Random numbers that are sorted at a time.
_AT_A_TIME = 1 << 18


def keys_of(seed: int, n_groups: int) -> list[int]:
    """Keys of the streams that deal all groups but the last."""
    return [stream_key(seed, "relabel groups", number) for number in range(n_groups - 1)]


def group_labels(seed: int, sizes: Sequence[int], n_resamples: int) -> Iterator[NDArray[np.int8]]:
    """Relabellings, a block at a time: the number of each participant's group, shape (relabellings, n).

    Parameters
    ----------
    seed : int
        They follow from it.
    sizes : sequence of int
        Of the groups.
    n_resamples : int
        Relabellings.

    Examples
    --------
    >>> found = next(group_labels(1, [2, 3, 1], 100))
    >>> found.shape, np.unique(found[7], return_counts=True)[1].tolist()
    ((100, 6), [2, 3, 1])
    """
    n, keys = sum(sizes), keys_of(seed, len(sizes))
    for block in range(-(-n_resamples // BLOCK)):
        rows = min(BLOCK, n_resamples - block * BLOCK)
        labels = np.full((rows, n), len(sizes) - 1, dtype=np.int8)
        left, free = n, np.ones((rows, n), dtype=bool)
        for number, (key, size) in enumerate(zip(keys, sizes[:-1], strict=True)):
            if not 0 < size < left:  # an empty group, or all who are left
                chosen = free if size else np.zeros_like(free)
            else:
                bits = as_matrix(label_block(key, block, left, size))[:rows, :left] > 0
                place = np.maximum(np.cumsum(free, axis=1) - 1, 0)
                chosen = np.take_along_axis(bits, place, axis=1) & free
            labels[chosen] = number
            free, left = free & ~chosen, left - size
        yield labels


def random_orders(key: int, n: int, n_resamples: int, *, sets: int = 1) -> Iterator[NDArray[np.intp]]:
    """Uniformly random orders of n things, some at a time: shape (orders, sets, n).

    Parameters
    ----------
    key : int
        Of the stream.
    n : int
        How many things are ordered.
    n_resamples : int
        Orders.
    sets : int
        Independent orders of each resample: one per participant, for example.

    Examples
    --------
    >>> found = next(random_orders(7, 5, 10))
    >>> found.shape, sorted(found[3, 0].tolist())
    ((10, 1, 5), [0, 1, 2, 3, 4])
    """
    at_once = max(1, _AT_A_TIME // (n * sets))
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        words = hashed_words(key, start * n * sets, rows * n * sets)
        yield np.argsort(words.reshape(rows, sets, n), axis=2, kind="stable")
