"""Ranks of whole maps, ties averaged, many maps at once: the base of every map correlation (paper, section 3)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError

from .compiled import Engine, can_compile

Floats = NDArray[np.float64]
#: Below this many values in all, numpy ranks sooner than a compiled loop starts.
_FEWEST_COMPILED = 2_000_000
#: Maps smaller than this are ranked faster by numpy's sort in any case.
_SMALLEST_COMPILED = 64


def doubled_ranks(maps: ArrayLike, *, engine: Engine = "auto") -> NDArray[np.int32]:
    """Twice the average rank of every value within its row: whole numbers, so that ties are exact.

    Parameters
    ----------
    maps : array_like, shape (rows, values)
        Finite.
    engine : {"auto", "numpy", "numba"}
        Who sorts; the numbers are the same. The compiled sort reads values as float32, which maps are.

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
    values = _rows_of(maps)
    bits = _bits(values, engine)
    if bits is not None:
        from . import compiled_ranks

        found, finite = compiled_ranks.doubled_ranks(bits)
        _check_finite(finite)
        return np.asarray(found)
    _check_finite(np.isfinite(values))
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


def _bits(values: NDArray[Any], engine: Engine) -> NDArray[np.uint32] | None:
    """Values as the bits of float32, for the compiled sort; None where numpy should rank (or values would be rounded)."""
    if values.ndim != 2:
        return None  # the other path says what is wrong
    large = values.size >= _FEWEST_COMPILED and values.shape[1] >= _SMALLEST_COMPILED
    if not (engine == "numba" or (engine == "auto" and large and _fits(values) and can_compile())):
        return None
    return np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)


def _fits(values: NDArray[Any]) -> bool:
    """Whether float32 holds every value exactly."""
    return values.dtype == np.float32 or np.array_equal(values, values.astype(np.float32))


def _rows_of(maps: ArrayLike) -> NDArray[Any]:
    """Return `maps` as an array of one map per row, or raise InputError."""
    values = np.asarray(maps)
    if values.ndim != 2:
        raise InputError(f"ranks: shape {values.shape}; one row per map is needed")
    return values


def _check_finite(finite: "NDArray[np.bool_] | bool") -> None:
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


def unit_ranks(maps: ArrayLike, *, engine: Engine = "auto") -> Floats:
    """Centred ranks of every row, scaled to length 1: dot products are Spearman correlations; NaN for constant rows.

    Examples
    --------
    >>> one, other = unit_ranks([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    >>> round(float(one @ other), 12)
    -1.0
    """
    return units_of(doubled_ranks(maps, engine=engine))


def correlations(first: NDArray[np.int32], second: NDArray[np.int32]) -> Floats:
    """Return the Pearson correlation of each row of doubled ranks with the same row of others; NaN where one is constant."""
    n = first.shape[1]
    x, y = first.astype(float) - (n + 1), second.astype(float) - (n + 1)
    top = np.einsum("ij,ij->i", x, y)
    bottom = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(bottom > 0, top / bottom, np.nan))


def spearman_pairs(a: ArrayLike, b: ArrayLike, *, engine: Engine = "auto") -> Floats:
    """Spearman correlation of each row of `a` with the same row of `b`, ties averaged; NaN where a row is constant.

    Parameters
    ----------
    a, b : array_like, shape (n, values)
        Maps, flattened; finite.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same.

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
    both = _bits(first, engine), _bits(second, engine)
    if both[0] is not None and both[1] is not None:
        from . import compiled_ranks

        found, finite = compiled_ranks.rank_correlations(*both)
        _check_finite(finite)
        return np.asarray(found)
    return correlations(doubled_ranks(first, engine=engine), doubled_ranks(second, engine=engine))
