"""Ranks of whole maps, ties averaged, many maps at once: the base of every map correlation (paper, section 3)."""

from typing import Any

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
    order, begins = _sorted(values)
    starts = np.flatnonzero(begins)  # of runs of equal values, all rows in one line
    sizes = np.diff(starts, append=begins.size)
    n = values.shape[1]
    out = np.empty(values.size, dtype=np.int32)
    order += np.arange(0, values.size, max(n, 1))[:, None]
    out[order.reshape(-1)] = np.repeat((2 * (starts % n) + sizes + 1).astype(np.int32), sizes)
    return out.reshape(values.shape)


def _sorted(values: NDArray[Any]) -> tuple[NDArray[np.int64], "NDArray[np.bool_]"]:
    """Where each row's values come from in ascending order, and where a new value begins.

    Values that are float32 are sorted together with their places, as one whole number each: sorting numbers is several
    times faster than sorting places.
    """
    begins = np.ones(values.shape, dtype=bool)
    if values.dtype == np.float32 and values.shape[1]:
        bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
        # negative numbers grow with falling bits, the others with rising ones
        keys = (bits ^ np.where(bits >> np.uint32(31), np.uint32(2**32 - 1), np.uint32(2**31))).astype(np.uint64)
        keys <<= np.uint64(32)
        keys |= np.arange(values.shape[1], dtype=np.uint64)
        keys.sort(axis=1)
        np.not_equal(keys[:, 1:] >> np.uint64(32), keys[:, :-1] >> np.uint64(32), out=begins[:, 1:])
        return (keys & np.uint64(2**32 - 1)).view(np.int64), begins
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=begins[:, 1:])
    return order, begins


def checked(maps: ArrayLike) -> NDArray[Any]:
    """Return `maps` as an array of one finite map per row, or raise InputError."""
    values = rows_of(maps)
    check_finite(np.isfinite(values))
    return values


def rows_of(maps: ArrayLike) -> NDArray[Any]:
    """Return `maps` as an array of one map per row, or raise InputError."""
    values = np.asarray(maps)
    if values.ndim != 2:
        raise InputError(f"ranks: shape {values.shape}; one row per map is needed")
    return values


def check_finite(finite: "NDArray[np.bool_] | bool") -> None:
    """Raise InputError where something is not finite."""
    if not np.all(finite):
        raise InputError("ranks: some values are not finite; repair or leave out these maps")


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
