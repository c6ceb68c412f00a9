"""Sign-flip tests: paired differences of participants or pictures, and accuracy against chance.

"Constructed by randomly flipping the signs of the per-image difference scores over 10,000 iterations" (appendix,
Interpretable attention). Flips are joint over columns, so neighbouring levels keep their correlation. Differences are
put on an integer grid first: sums are then exact in any order, and ties are ties.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..relabelling.counter_rng import hashed_words, stream_key
from ..relabelling.permutations import as_matrix
from ..resampling.counting import Counts, Engine
from .permutation import SIDED, Alternative, p_values

Floats = NDArray[np.float64]
#: Largest number of label entries made at a time.
_ENTRIES = 1 << 21
#: Above this range of sums the exact p is not computed.
_MOST_SUMS = 20_000_000
#: Fewer units × flips than this are counted sooner by numpy than a compiled loop starts.
_FEWEST_COMPILED = 50_000_000


@dataclass(frozen=True, eq=False)
class SignFlipTest:
    """Result of :func:`sign_flip_test`; arrays have one entry per column.

    Attributes
    ----------
    mean : ndarray
        Mean difference over the units that have one.
    n : ndarray of int
        How many these are.
    p, p_low, p_high : ndarray
        (b + 1) / (m + 1) and its 95 % Clopper-Pearson interval.
    m, seed : int
        Flips, and the seed that they follow from.
    alternative : str
        ``greater``: the mean difference is above 0.
    """

    mean: Floats
    n: NDArray[np.int64]
    p: Floats
    p_low: Floats
    p_high: Floats
    m: int
    seed: int
    alternative: Alternative


def sign_flip_test(
    differences: ArrayLike,
    *,
    m: int = N_RELABELLINGS,
    seed: int | None = None,
    alternative: Alternative = "two-sided",
    engine: Engine = "auto",
) -> SignFlipTest:
    """Test whether differences are centred on 0.

    Parameters
    ----------
    differences : array_like, shape (n,) or (n, columns)
        One row per participant or picture; NaN where a unit has no difference.
    m : int
        Flips; 10,000 in the paper.
    seed : int, optional
        Drawn and stored in the result when absent.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: above 0.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same.

    Returns
    -------
    SignFlipTest
        NaN for columns without any difference.

    Raises
    ------
    InputError
        When there is no unit, or an argument is not allowed.

    Examples
    --------
    >>> result = sign_flip_test([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], seed=1)
    >>> round(float(result.mean[0]), 2), bool(0.04 < result.p[0] < 0.065)
    (20.93, True)
    """
    if alternative not in SIDED:
        raise InputError(f'alternative: got "{alternative}". {did_you_mean(alternative, SIDED)}')
    d = np.asarray(differences, dtype=float)
    d = d[:, None] if d.ndim == 1 else d
    if d.ndim != 2 or not len(d):
        raise InputError(f"sign flips: shape {np.shape(differences)}; one row per unit is needed, at least one")
    seed = fresh_seed() if seed is None else seed
    here = np.isfinite(d)
    n = here.sum(axis=0)
    counts = _count(on_grid(np.where(here, d, 0.0)), m=m, key=stream_key(seed, "flip"), engine=engine)
    p, low, high = p_values(counts, m, alternative)
    for values in (p, low, high):
        values[n == 0] = np.nan
    with np.errstate(invalid="ignore"):
        mean = np.where(here, d, 0.0).sum(axis=0) / np.where(n > 0, n, np.nan)
    return SignFlipTest(mean, n, p, low, high, m, seed, alternative)


def on_grid(values: Floats) -> Floats:
    """Round each column to multiples of a power of two so coarse that every sum of it is exact in float64.

    The grid is fine: a column of 17,581 values keeps 38 bits each. Returned as whole numbers.
    """
    total = np.abs(values).sum(axis=0)
    with np.errstate(divide="ignore"):
        bits = np.where(total > 0, 51 - np.ceil(np.log2(np.where(total > 0, total, 1.0))), 0)
    scaled = np.rint(values * np.exp2(bits))
    divisor = (
        [math.gcd(*(int(v) for v in column)) or 1 for column in np.unique(scaled, axis=0).T]
        if len(values) < 4096
        else 1
    )
    return np.asarray(scaled / np.asarray(divisor, dtype=float))


def _count(d: Floats, *, m: int, key: int, engine: Engine) -> Counts:
    """Flips whose sum is at least, and at most, the observed one: those whose flipped part is ≤ 0, and ≥ 0."""
    n, columns = d.shape
    if engine == "numba" or (engine == "auto" and n * m >= _FEWEST_COMPILED):
        from ..resampling import kernels

        if engine == "numba" or kernels.has_numba():
            return Counts(*kernels.count_flips(d, key=key, m=m))
    n_words = -(-n // 64)
    dtype: type[np.floating[Any]] = np.float32 if np.abs(d).sum(axis=0).max(initial=0) < 2**24 else np.float64
    matrix = np.zeros((n_words * 64, columns), dtype=dtype)
    matrix[:n] = d
    rows = max(1, min(m, _ENTRIES // (n_words * 64)))
    at_least, at_most = np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
    for start in range(0, m, rows):
        count = min(rows, m - start)
        words = hashed_words(key, start * n_words, count * n_words).reshape(count, n_words)
        flipped = as_matrix(words.T, dtype=dtype) @ matrix
        at_least += np.count_nonzero(flipped <= 0, axis=0)
        at_most += np.count_nonzero(flipped >= 0, axis=0)
    return Counts(at_least, at_most)


def exact_sign_flip_p(differences: ArrayLike) -> tuple[float, float]:
    """P(sum ≥ observed) and P(sum ≤ observed) over all 2**n flips of whole-number differences.

    Parameters
    ----------
    differences : array_like of int, shape (n,)
        Whole numbers (scale ratios to their common denominator first).

    Returns
    -------
    greater, less : float
        Exact but for rounding in the last digits.

    Raises
    ------
    InputError
        When the differences are not whole numbers or their sum is too large to be tabled.

    Examples
    --------
    Fisher's reading of Darwin's maize: 1,726 of 32,768 flips are as extreme, half of them above.

    >>> greater, _ = exact_sign_flip_p([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    >>> round(greater * 2**15)
    863
    """
    d = np.asarray(differences)
    if not np.array_equal(d, np.rint(d)):
        raise InputError("exact sign flips: whole numbers are needed; scale ratios to their common denominator")
    sizes = np.abs(d).astype(np.int64)
    sizes = sizes // max(math.gcd(*(int(v) for v in sizes)), 1) if len(sizes) else sizes
    if sizes.sum() > _MOST_SUMS:
        raise InputError(f"exact sign flips: sums up to {sizes.sum()} are too many; use sign_flip_test")
    share = np.zeros(int(sizes.sum()) + 1)
    share[0] = 1.0
    for size in sizes.tolist():
        moved = np.zeros_like(share)
        moved[size:] = share[: len(share) - size]
        share = 0.5 * (share + moved)
    positive = int(sizes[d > 0].sum())
    return float(share[positive:].sum()), float(share[: positive + 1].sum())
