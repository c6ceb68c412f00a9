"""Random sign flips counted: how many flipped sums are at least, and at most, the observed one.

The flips are joint over the columns. Flip number r is a function of the key and r, and sums are whole numbers, so
neither chunks nor threads nor the engine change a count.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import Engine, can_compile
from .counter_rng import hashed_words
from .resampling import Counts, row_order

Floats = NDArray[np.float64]

#: Largest number of signs made at a time.
_ENTRIES = 1 << 21
#: Fewer units × flips than this are counted sooner by numpy than a compiled loop starts.
_FEWEST_COMPILED = 50_000_000
#: Flips of a compiled block, at most.
_BLOCK = 5000


def count_flips(whole: Floats, slack: Floats, *, n_resamples: int, key: int, engine: Engine = "auto") -> Counts:
    """Count flips.

    Rows are first put into an order that their content alone decides, and turned so that differences and the same
    differences with the other sign are counted alike: neither names nor which of two conditions is subtracted matter.

    Parameters
    ----------
    whole : ndarray of float64, shape (n, columns)
        Whole numbers whose signed sums are exact; 0 for a missing unit.
    slack : ndarray, shape (columns,)
        Sums that differ by no more are equal.
    n_resamples : int
        Flips.
    key : int
        They follow from it.
    engine : {"auto", "numpy", "numba"}
        Who counts.

    Returns
    -------
    Counts
        The same numbers for any engine.

    Examples
    --------
    >>> d = np.array([[1.0], [2.0], [4.0]])
    >>> counts = count_flips(d, np.zeros(1), n_resamples=800, key=3)
    >>> counts.at_least < counts.at_most
    array([ True])
    """
    chosen, turned = canonical_flips(whole)
    if not len(chosen):
        every = np.full(whole.shape[1], n_resamples, dtype=np.int64)
        return Counts(every, every.copy())
    if engine == "numba" or (engine == "auto" and len(chosen) * n_resamples >= _FEWEST_COMPILED and can_compile()):
        from .compiled_flips import count_flips as compiled

        size = max(256, min(_BLOCK, -(-n_resamples // 16)))
        found = compiled(chosen, slack.astype(float), np.uint64(key), n_resamples, size).sum(axis=0)
        counts = Counts(found[0], found[1])
    else:
        counts = _by_product(chosen, slack, n_resamples=n_resamples, key=key)
    return counts.turned() if turned else counts


def _comes_after(one: Floats, other: Floats) -> bool:
    """Whether the first entry in which two arrays differ is larger in the first."""
    differ = np.flatnonzero(one != other)
    return bool(len(differ)) and bool(one.flat[differ[0]] > other.flat[differ[0]])


def canonical_flips(whole: Floats) -> tuple[Floats, bool]:
    """Rows in the order and with the sign that their content decides, and whether the sign was turned.

    Parameters
    ----------
    whole : ndarray of float64, shape (n, columns)
        As for :func:`count_flips`; rows of zeros, which change no sum, are left out.
    """
    rows = whole[whole.any(axis=1)]
    if not len(rows):
        return rows, False
    ordered, mirrored = rows[row_order(rows)], -rows[row_order(-rows)]
    turned = _comes_after(ordered, mirrored)
    return np.ascontiguousarray(mirrored if turned else ordered), turned


def flipped_parts(d: Floats, *, n_resamples: int, key: int) -> Iterator[Floats]:
    """Sums of the parts that are flipped, some flips at a time: shape (flips, columns); each sum moves by minus twice that.

    Parameters
    ----------
    d : ndarray of float64, shape (n, columns)
        From :func:`canonical_flips`.
    n_resamples, key : int
        As for :func:`count_flips`, which counts the same flips.
    """
    n, columns = d.shape
    n_words = -(-n // 64)
    small = np.abs(d).sum(axis=0).max(initial=0) < 2**24
    dtype: type[np.floating[Any]] = np.float32 if small else np.float64
    matrix = np.zeros((n_words * 64, columns), dtype=dtype)
    matrix[:n] = d
    rows = max(1, min(n_resamples, _ENTRIES // (n_words * 64)))
    for start in range(0, n_resamples, rows):
        count = min(rows, n_resamples - start)
        words = hashed_words(key, start * n_words, count * n_words)
        bits = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), bitorder="little")
        yield bits.reshape(count, n_words * 64).astype(dtype) @ matrix


def _by_product(d: Floats, slack: Floats, *, n_resamples: int, key: int) -> Counts:
    """Count by matrix products."""
    at_least, at_most = np.zeros((2, d.shape[1]), dtype=np.int64)
    for flipped in flipped_parts(d, n_resamples=n_resamples, key=key):
        at_least += np.count_nonzero(flipped <= slack, axis=0)
        at_most += np.count_nonzero(flipped >= -slack, axis=0)
    return Counts(at_least, at_most)
