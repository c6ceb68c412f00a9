"""From which sum on a relabelling is as extreme as what was observed: whole numbers, so that ties are ties.

For a ratio such as a mean over those who have a score, the answer depends on how many of them fall into the first
group. With s and c the group's sums of scores and of presence, S and C the totals, o and a the observed ones,

    s / c - (S - s) / (C - c)  >=  o / a - (S - o) / (C - a)

is  s >= ((o C - S a) c (C - c) + S c a (C - a)) / (C a (C - a)):  one limit per level and c.
"""

import numpy as np
from numpy.typing import NDArray

from ..table.columns import Columns

Ints = NDArray[np.int64]


def twice_the_limit(columns: Columns, first: "NDArray[np.bool_]") -> Ints | None:
    """Twice the observed sum per level and c, or an odd number where no sum meets it.

    Parameters
    ----------
    columns : Columns
        A ratio.
    first : ndarray of bool, shape (n,)
        Who is in the first group.

    Returns
    -------
    ndarray of int64, shape (levels, most c + 1), or None
        A relabelling is at least as large when ``2 s >=`` it, at most as large when ``2 s <=`` it. None when the
        statistic is no ratio, scores are rounded, a relabelling can empty a group, or the numbers are too large for 64 bits.

    Examples
    --------
    Three of four images right against one of four, everybody present: the first group's sum was 3.

    >>> from rapidvision.analysis.table.columns import mean_columns
    >>> both = mean_columns(np.array([[3], [1], [2]]), np.array([[4], [4], [0]]))
    >>> twice_the_limit(both, np.array([True, False, False])) is None  # the third may empty the first group
    True
    """
    if not columns.is_ratio or not columns.exact.all():
        return None
    every = columns.parts.sum(axis=0)
    mine = columns.parts[first].sum(axis=0)
    total, many = every[0], every[1]
    observed, a = mine[0], mine[1]
    if _can_empty(columns, first) or _too_large(total, many):
        return None
    c = np.arange(int(many.max(initial=0)) + 1)[None]
    S, C, o, a = (x[:, None] for x in (total, many, observed, a))
    inside = (c > 0) & (c < C)
    numerator = np.where(inside, (o * C - S * a) * c * (C - c) + S * c * a * (C - a), 0)
    denominator = C * a * (C - a)
    lowest = -(-numerator // denominator)
    return np.asarray(2 * lowest - (lowest * denominator != numerator))


def _can_empty(columns: Columns, first: "NDArray[np.bool_]") -> bool:
    """Whether a relabelling exists that leaves a group without data at some level."""
    absent = (columns.parts[:, 1] == 0).sum(axis=0)
    return bool((absent >= min(int(first.sum()), int((~first).sum()))).any())


def _too_large(total: Ints, many: Ints) -> bool:
    return any(float(s) * float(c) ** 3 >= 2**61 for s, c in zip(total, many, strict=True))
