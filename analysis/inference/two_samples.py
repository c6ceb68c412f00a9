"""The permutation test of two samples for a statistic of the user's own."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.resampling import SIDED, TIE, Alternative, Counts, p_values, row_order
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream
from rapidvision.text.result_repr import ShownAsTable

Floats = NDArray[np.float64]
#: A statistic of two samples along an axis, as :func:`scipy.stats.permutation_test` calls it.
TwoSampleStatistic = Callable[..., Any]
#: Numbers that are permuted at once.
_MOST_NUMBERS = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class PermutationTest(ShownAsTable):
    """Result of :func:`permutation_test`; arrays have one entry per column.

    Attributes
    ----------
    statistic : ndarray of float64, shape (columns,)
        Observed.
    p : ndarray of float64, shape (columns,)
        Share of relabellings at least as extreme: of all of them where `exact`, else (b + 1) / (n_resamples + 1).
    p_low, p_high : ndarray of float64, shape (columns,)
        95 % Clopper-Pearson interval of a Monte-Carlo p; p itself where `exact`.
    null_distribution : ndarray of float64, shape (n_resamples, columns)
        The statistic under relabelling.
    exact : bool
        Whether every relabelling was computed.
    n_first, n_second, n_resamples, seed : int
        Sizes of the samples, relabellings, and their seed.
    alternative : {"two-sided", "greater", "less"}
        Two-sided p is twice the smaller tail.
    labels : tuple of str
        Names of the columns.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.permutation_test([8.1, 9.0, 8.7], [6.2, 7.1, 6.9], alternative="greater")
    >>> found.to_frame()["p"].tolist(), found.n_resamples
    ([0.05], 20)
    """

    statistic: Floats
    p: Floats
    p_low: Floats
    p_high: Floats
    null_distribution: Floats
    exact: bool
    n_first: int
    n_second: int
    n_resamples: int
    seed: int
    alternative: Alternative
    labels: tuple[str, ...]

    def opening(self) -> tuple[str, ...]:
        """What was computed."""
        what = "all" if self.exact else "random"
        seed = "" if self.exact else f", seed {self.seed}"
        return (
            f"{self.n_first} against {self.n_second}, {self.alternative}, {self.n_resamples:,} {what} relabellings{seed}",
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per column."""
        return pd.DataFrame(
            {
                "column": self.labels,
                "statistic": self.statistic,
                "p": self.p,
                "p_low": self.p_low,
                "p_high": self.p_high,
            }
        )


def mean_difference(first: Floats, second: Floats, axis: int = 0) -> Floats:
    """Mean of the first sample minus mean of the second, along an axis.

    Examples
    --------
    >>> float(mean_difference(np.array([3.0, 5.0]), np.array([1.0])))
    3.0
    """
    return np.asarray(first.mean(axis=axis) - second.mean(axis=axis))


def permutation_test(
    first: ArrayLike,
    second: ArrayLike,
    statistic: TwoSampleStatistic = mean_difference,
    *,
    n_resamples: int = N_RELABELLINGS,
    alternative: Alternative = "two-sided",
    seed: int | None = None,
) -> PermutationTest:
    """Test whether two independent samples differ, for any statistic: relabel their rows.

    Parameters
    ----------
    first, second : array_like, Series or DataFrame, shape (n, …)
        One row per participant (or another unit that is exchangeable under the null hypothesis), one column per
        measure. All columns of a row move together.
    statistic : callable, default: difference of the means
        ``statistic(first, second, axis=…)`` returns one number per column; the arrays that it gets have the units along
        `axis` and float64 values.
    n_resamples : int, default 10,000
        Random relabellings. Where there are no more than this in all, each is computed once and p is exact.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the statistic is larger than under the null hypothesis. Two-sided p is twice the smaller tail.
    seed : int, optional
        Of the relabellings; drawn and stored in the result when absent.

    Returns
    -------
    PermutationTest
        With the null distribution.

    Raises
    ------
    InputError
        When a sample is empty, values are missing, columns differ, or the statistic does not return one number per
        column.

    See Also
    --------
    randomization_test : the paper's test over reveal levels, much faster and corrected for their number.
    sign_flip_test : paired differences.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> found = rv.analysis.permutation_test([8.1, 9.0, 8.7], [6.2, 7.1, 6.9], alternative="greater")
    >>> float(found.p[0]), found.exact, found.null_distribution.shape
    (0.05, True, (20, 1))

    Medians of two measures, jointly:

    >>> def medians(first, second, axis):
    ...     return np.median(first, axis=axis) - np.median(second, axis=axis)
    >>> rng = np.random.default_rng(1)
    >>> found = rv.analysis.permutation_test(rng.normal(1, 1, (20, 2)), rng.normal(0, 1, (30, 2)), medians, seed=1)
    >>> bool((found.p < 0.05).all())
    True
    """
    if alternative not in SIDED:
        raise InputError(f'alternative: got "{alternative}". {did_you_mean(alternative, SIDED)}')
    if n_resamples < 1:
        raise InputError(f"n_resamples: got {n_resamples}, at least 1 is needed")
    labels = _labels(first, second)
    a, b = _sample(first, "first"), _sample(second, "second")
    if a.shape[1] != b.shape[1]:
        raise InputError(f"samples: {a.shape[1]} and {b.shape[1]} columns; both need the same measures")
    labels = labels or tuple(str(number) for number in range(a.shape[1]))
    seed = fresh_seed() if seed is None else seed
    observed = _values(statistic, a[None], b[None])[0]
    pooled = np.concatenate([a, b])
    pooled = pooled[row_order(pooled)]  # by content, so that the order of the rows changes no random draw
    # drawn is the sample that content puts first, so that it does not matter which of them is named first
    keys = [(len(one), one[row_order(one)].astype(">f8").tobytes()) for one in (a, b)]
    turned = keys[0] > keys[1]
    drawn, n_all = len(b if turned else a), math.comb(len(pooled), len(a))
    exact = n_all <= n_resamples
    rows = _all(len(pooled), drawn) if exact else _random(len(pooled), n_resamples, seed, width=pooled.size)
    parts = ((pooled[order[:, :drawn]], pooled[order[:, drawn:]]) for order in rows)
    null = np.concatenate([_values(statistic, *(two[::-1] if turned else two)) for two in parts], axis=0)
    with np.errstate(invalid="ignore"):
        slack = TIE * np.maximum(np.abs(observed), np.abs(np.nan_to_num(null)).max(axis=0))
        counts = Counts((null >= observed - slack).sum(axis=0), (null <= observed + slack).sum(axis=0))
    if exact:
        tails = {"greater": counts.at_least, "less": counts.at_most, "two-sided": 2 * np.minimum(*counts)}
        p = low = high = np.minimum(tails[alternative] / n_all, 1.0)
    else:
        p, low, high = p_values(counts, n_resamples, alternative)
    blank = ~np.isfinite(observed) | ~np.isfinite(null).all(axis=0)
    p, low, high = (np.where(blank, np.nan, value) for value in (p, low, high))
    return PermutationTest(observed, p, low, high, null, exact, len(a), len(b), len(null), seed, alternative, labels)


def _labels(first: Any, second: Any) -> tuple[str, ...]:
    """Names of the columns, which two data frames must share."""
    names = [tuple(str(name) for name in one.columns) for one in (first, second) if isinstance(one, pd.DataFrame)]
    if len(names) == 2 and names[0] != names[1]:
        raise InputError(
            f"samples: columns {', '.join(names[0])} and {', '.join(names[1])}; both need the same columns"
        )
    return names[0] if names else ()


def _sample(values: Any, name: str) -> Floats:
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not numbers ({error}); choose the columns to test") from error
    if found.ndim == 0 or not found.size:
        raise InputError(f"{name}: no values; one row per participant is needed")
    found = found.reshape(len(found), -1)
    if n_bad := int((~np.isfinite(found)).any(axis=1).sum()):
        raise InputError(f"{name}: {n_bad} rows have missing or infinite values; leave these rows out")
    return found


def _values(statistic: TwoSampleStatistic, first: Floats, second: Floats) -> Floats:
    """The statistic of every relabelling, shape (relabellings, columns)."""
    found = np.asarray(statistic(first, second, axis=1), dtype=float)
    wanted = (first.shape[0], first.shape[2])
    if found.shape != wanted:
        raise InputError(
            f"statistic: returned shape {found.shape} for samples of shapes {first.shape} and {second.shape} with axis=1; "
            f"{wanted} is needed, one number for each relabelling and column"
        )
    return found


def _all(n: int, n_first: int) -> Iterator[NDArray[np.intp]]:
    """Every division of n rows into two samples of the given sizes."""
    first = np.array(list(combinations(range(n), n_first)), dtype=np.intp)
    rest = np.ones((len(first), n), dtype=bool)
    np.put_along_axis(rest, first, False, axis=1)
    yield np.concatenate([first, np.nonzero(rest)[1].reshape(len(first), n - n_first)], axis=1)


def _random(n: int, n_resamples: int, seed: int, *, width: int) -> Iterator[NDArray[np.intp]]:
    """Random orders of n rows, some at a time; the same ones whatever their number at a time."""
    rng = stream(seed, "analysis", "permutation test")
    at_once = max(1, _MOST_NUMBERS // width)
    for start in range(0, n_resamples, at_once):
        k = min(at_once, n_resamples - start)
        yield rng.permuted(np.tile(np.arange(n), (k, 1)), axis=1)
