"""Ranks of thousands of maps at once: compiled where that pays, else by numpy, with the same numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics import ranks as plain
from rapidvision.numerics.compiled import can_compile

Floats = NDArray[np.float64]
#: Below this many values in all, numpy ranks sooner than a compiled loop starts.
FEWEST_COMPILED = 2_000_000
#: Maps smaller than this are ranked faster by numpy's sort in any case.
_SMALLEST_COMPILED = 64


def doubled_ranks(maps: ArrayLike, *, engine: str = "auto") -> NDArray[np.int32]:
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
    values = plain.rows_of(maps)
    bits = _bits(values, engine)
    if bits is None:
        return plain.doubled_ranks(values)
    from . import compiled_ranks as compiled

    found, finite = compiled.doubled_ranks(bits)
    plain.check_finite(finite)
    return np.asarray(found)


def _bits(values: NDArray[Any], engine: str) -> NDArray[np.uint32] | None:
    """Values as the bits of float32, for the compiled sort; None where numpy should rank (or values would be rounded)."""
    if values.ndim != 2:
        return None  # the other path says what is wrong
    large = values.size >= FEWEST_COMPILED and values.shape[1] >= _SMALLEST_COMPILED
    fits = values.dtype == np.float32 or np.array_equal(values, values.astype(np.float32))
    if not (engine == "numba" or (engine == "auto" and large and fits and can_compile())):
        return None
    return np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)


def unit_ranks(maps: ArrayLike, *, engine: str = "auto") -> Floats:
    """Centred ranks of every row, scaled to length 1: dot products are Spearman correlations; NaN for constant rows."""
    return plain.units_of(doubled_ranks(maps, engine=engine))


def spearman_pairs(a: ArrayLike, b: ArrayLike, *, engine: str = "auto") -> Floats:
    """Spearman correlation of each row of `a` with the same row of `b`; NaN where a row is constant.

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
        from . import compiled_ranks as compiled

        found, finite = compiled.rank_correlations(*both)
        plain.check_finite(finite)
        return np.asarray(found)
    return plain.correlations(doubled_ranks(first, engine=engine), doubled_ranks(second, engine=engine))
