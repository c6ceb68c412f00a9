"""From counts of resampled statistics to p: what every randomization test shares.

A resampled statistic that equals the observed one counts as extreme. Two numbers that are equal in mathematics may
differ in their last digits when they were summed in another order, so tests either sum whole numbers, whose sums are
exact, or count a difference below :data:`TIE` of the statistic's scale as none, as ``scipy.stats.permutation_test``
does. The tolerance can only add to a count: p never falls below its exact value.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Alternative = Literal["two-sided", "greater", "less"]
SIDED: dict[str, int] = {"two-sided": 0, "greater": 1, "less": -1}
#: The same alternative of the statistic with the other sign.
OTHER_WAY: dict[Alternative, Alternative] = {"two-sided": "two-sided", "greater": "less", "less": "greater"}

#: Statistics closer than this share of their scale are equal.
TIE = 1e-9

Floats = NDArray[np.float64]


class Counts(NamedTuple):
    """How many resamples were at least, and at most, as large as observed; arrays with one entry per column."""

    at_least: NDArray[np.int64]
    at_most: NDArray[np.int64]

    def turned(self) -> "Counts":
        """The counts of the statistic with the other sign."""
        return Counts(self.at_most, self.at_least)


def p_values(counts: Counts, n_resamples: int, alternative: Alternative) -> tuple[Floats, Floats, Floats]:
    """Return p = (b + 1) / (n_resamples + 1) with its 95 % Clopper-Pearson interval.

    The two-sided p is twice the smaller tail.

    Examples
    --------
    >>> p, low, high = p_values(Counts(np.array([4]), np.array([96])), 99, "greater")
    >>> float(p[0]), float(low[0].round(4)), float(high[0].round(4))
    (0.05, 0.0111, 0.1002)
    """
    from scipy.special import betaincinv

    b = {
        "greater": counts.at_least,
        "less": counts.at_most,
        "two-sided": np.minimum(counts.at_least, counts.at_most),
    }[alternative]
    times = 2 if alternative == "two-sided" else 1
    with np.errstate(invalid="ignore"):
        low = np.where(b > 0, betaincinv(np.maximum(b, 1), n_resamples - b + 1, 0.025), 0.0)
        high = np.where(b < n_resamples, betaincinv(b + 1, np.maximum(n_resamples - b, 1), 0.975), 1.0)
    return tuple(np.minimum(times * value, 1.0) for value in ((b + 1) / (n_resamples + 1), low, high))  # type: ignore[return-value]


def sided_p(greater: float, less: float, alternative: Alternative) -> float:
    """Exact p of an alternative from the two exact tails; two-sided p is twice the smaller tail, NaN stays NaN.

    Examples
    --------
    >>> sided_p(0.02, 0.99, "two-sided"), sided_p(0.02, 0.99, "less")
    (0.04, 0.99)
    """
    # numpy's minimum keeps NaN, which min(1, NaN) would turn into 1
    both = float(np.minimum(1.0, 2 * np.minimum(greater, less)))
    return {"greater": greater, "less": less, "two-sided": both}[alternative]


def row_order(*columns: NDArray[np.number]) -> NDArray[np.intp]:
    """The order that sorts rows by their content alone, so that names and file order change nothing.

    Rows that are equal are interchangeable, so their order among each other does not matter.

    Parameters
    ----------
    *columns : ndarray, shape (n,) or (n, k)
        Numbers of each row, without NaN.

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> row_order(np.array([[2, 1], [1, 5], [2, 0]])).tolist()
    [1, 2, 0]
    """
    table = np.concatenate([column.reshape(len(column), -1) for column in columns], axis=1)
    if not table.shape[1]:
        return np.arange(len(table))
    table = np.ascontiguousarray(table + 0, dtype=">f8" if table.dtype.kind == "f" else ">i8")  # + 0: -0 becomes 0
    # rows as strings of bytes: any order will do that equal rows share
    return np.argsort(table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0], kind="stable")
