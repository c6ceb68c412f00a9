"""Ranks of whole maps, ties averaged, many maps at once: the ground of every map correlation (paper, section 3)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError

Floats = NDArray[np.float64]


def doubled_ranks(maps: ArrayLike) -> NDArray[np.int32]:
    """Twice the average rank of every value within its row: whole numbers, so that ties are exact.

    Parameters
    ----------
    maps : array_like, shape (rows, values)
        Finite.

    Returns
    -------
    ndarray of int32, shape (rows, values)
        2, 4, … for distinct values.

    Raises
    ------
    InputError
        When a value is not finite.

    Examples
    --------
    >>> doubled_ranks([[10.0, 30.0, 10.0]])
    array([[3, 6, 3]], dtype=int32)
    """
    values = checked(maps)
    order = np.argsort(values, axis=1)
    rows = np.arange(len(values))[:, None]
    ordered = values[rows, order]
    n = values.shape[1]
    place = np.arange(n, dtype=np.int32)
    begins = np.ones(ordered.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = begins[:, 1:]
    last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=1)[:, ::-1]
    out = np.empty(values.shape, dtype=np.int32)
    out[rows, order] = first + last + 2
    return out


def checked(maps: ArrayLike) -> NDArray[np.generic]:
    """Return `maps` as an array of one finite map per row, or raise InputError."""
    values = np.asarray(maps)
    if values.ndim != 2:
        raise InputError(f"ranks: shape {values.shape}; one row per map is needed")
    if not np.isfinite(values).all():
        raise InputError("ranks: some values are not finite; repair or leave out these maps")
    return values


def units_of(ranks: NDArray[np.int32]) -> Floats:
    """Centre doubled ranks and scale every row to length 1; NaN for rows that rank nothing."""
    centred = ranks.astype(float)
    centred -= centred.shape[1] + 1
    length = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(centred / np.where(length > 0, length, np.nan)[:, None])


def unit_ranks(maps: ArrayLike) -> Floats:
    """Centred ranks of every row, scaled to length 1: dot products are Spearman correlations; NaN for constant rows.

    Examples
    --------
    >>> one, other = unit_ranks([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    >>> round(float(one @ other), 12)
    -1.0
    """
    return units_of(doubled_ranks(maps))


def correlations(first: NDArray[np.int32], second: NDArray[np.int32]) -> Floats:
    """Return the Pearson correlation of each row of doubled ranks with the same row of others; NaN where one is constant."""
    n = first.shape[1]
    x, y = first.astype(float) - (n + 1), second.astype(float) - (n + 1)
    top = np.einsum("ij,ij->i", x, y)
    bottom = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(bottom > 0, top / bottom, np.nan))


def spearman_pairs(a: ArrayLike, b: ArrayLike) -> Floats:
    """Spearman correlation of each row of `a` with the same row of `b`, ties averaged; NaN where a row is constant.

    Parameters
    ----------
    a, b : array_like, shape (n, values)
        Maps, flattened; finite.

    Returns
    -------
    ndarray of float64, shape (n,)
        -1 … 1.

    Raises
    ------
    InputError
        When the shapes differ or a value is not finite.

    Examples
    --------
    >>> spearman_pairs([[1.0, 2.0, 3.0]], [[1.0, 4.0, 9.0]])
    array([1.])
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape:
        raise InputError(f"spearman: shapes {first.shape} and {second.shape}; pairs of maps have one size")
    return correlations(doubled_ranks(first), doubled_ranks(second))
