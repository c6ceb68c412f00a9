"""An order of participants, groups and strata that their data alone decide.

Relabellings are drawn by place, so p would depend on names and on which group is subtracted if places followed them.
Here rows are sorted by what they contribute, relabellings are drawn for one of the two groups chosen by content, and
the counts are turned round afterwards. Rows that are equal are interchangeable, and so are strata.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import row_order

from ..table.columns import Columns

Ints = NDArray[np.int64]


class Canonical(NamedTuple):
    """Participants in their order by content.

    Attributes
    ----------
    columns : Columns
        With sorted rows.
    first : ndarray of bool, shape (n,)
        Who is in the group for which relabellings are drawn.
    strata : ndarray of int64, shape (n,), or None
        Numbered by content, from 0.
    turned : bool
        Whether that group is the second of the two, so that the statistic has the other sign.
    """

    columns: Columns
    first: "NDArray[np.bool_]"
    strata: Ints | None
    turned: bool


def canonical(columns: Columns, first: "NDArray[np.bool_]", strata: Ints | None = None) -> Canonical:
    """Put participants, groups and strata into their order by content.

    Parameters
    ----------
    columns : Columns
        What each participant contributes.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    strata : ndarray of int, shape (n,), optional
        Who is relabelled with whom.

    Examples
    --------
    >>> from rapidvision.analysis.table.columns import mean_columns
    >>> one = mean_columns(np.array([[3], [1], [2]]), np.array([[4], [4], [4]]))
    >>> found = canonical(one, np.array([True, True, False]))
    >>> found.columns.sums[:, 0].tolist(), found.first.tolist(), found.turned
    ([1, 2, 3], [False, True, False], True)
    """
    rows = columns.parts[:, 0] if columns.is_complete_mean else columns.parts.reshape(len(first), -1)
    order, turned = pair_order(rows, first)
    if strata is None:
        return Canonical(columns.rows(order), first[order] != turned, None, turned)
    rows, first = rows[order], first[order]
    numbers = strata[order]
    members = [numbers == name for name in np.unique(numbers)]
    one, other = ([_key(rows[where], group[where]) for where in members] for group in (first, ~first))
    turned = sorted(one) > sorted(other)
    keys = other if turned else one
    numbered = np.zeros(len(first), dtype=np.int64)
    for number, place in enumerate(sorted(range(len(keys)), key=lambda place: keys[place])):
        numbered[members[place]] = number
    return Canonical(columns.rows(order), ~first if turned else first, numbered, turned)


def pair_order(rows: Ints, first: "NDArray[np.bool_]") -> tuple[NDArray[np.intp], bool]:
    """The order of the rows, and whether resamples are drawn for the second group instead of the first.

    Parameters
    ----------
    rows : ndarray of int, shape (n, k)
        What each participant contributes.
    first : ndarray of bool, shape (n,)
        Who is in the first group.

    Examples
    --------
    >>> order, turned = pair_order(np.array([[3], [1], [2]]), np.array([True, True, False]))
    >>> order.tolist(), turned
    ([1, 2, 0], True)
    """
    order = row_order(rows)
    return order, _key(rows[order], first[order]) > _key(rows[order], ~first[order])


def _key(rows: Ints, members: "NDArray[np.bool_]") -> tuple[int, bytes, bytes]:
    """Size and content of a group, and the content of the other one; rows are sorted."""
    return int(members.sum()), rows[members].astype(">i8").tobytes(), rows[~members].astype(">i8").tobytes()
