"""Scores of participants as the columns of whole numbers that the relabelling engine sums."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import TIE
from rapidvision.numerics.wholes import wholes_of

from ..table.accuracy import MOST_SUM
from ..table.columns import Columns

Floats = NDArray[np.float64]


def columns_of_scores(scores: ArrayLike | pd.DataFrame) -> Columns:
    """Prepare participants' scores for :func:`~rapidvision.analysis.randomization_test`.

    Parameters
    ----------
    scores : array_like or DataFrame, shape (n,) or (n, levels)
        One row per participant, NaN where a participant has no score. Shares such as 0.3 are read as fractions, so that
        equal means are equal; of other numbers, sums that differ by rounding count as equal.

    Returns
    -------
    Columns
        Means over participants; named after the columns of a data frame.

    Raises
    ------
    InputError
        When the scores are no numbers, infinite, or of another shape.

    Examples
    --------
    >>> columns_of_scores([[0.5, 1.0], [0.25, np.nan]]).sums.tolist()
    [[2, 1], [1, 0]]
    """
    labels = tuple(str(name) for name in scores.columns) if isinstance(scores, pd.DataFrame) else ()
    try:
        values = np.asarray(scores, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores: not numbers ({error}); one row per participant and one column per level") from error
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not len(values):
        raise InputError(f"scores: shape {values.shape}; one row per participant and one column per level are needed")
    if np.isinf(values).any():
        raise InputError(f"scores: {int(np.isinf(values).sum())} are infinite; leave them out as NaN")
    here = np.isfinite(values)
    parts = np.stack([np.zeros(values.shape, dtype=np.int64), here.astype(np.int64)], axis=1)
    scale, rounding = np.ones(values.shape[1]), np.zeros(values.shape[1], dtype=np.int64)
    for level in range(values.shape[1]):
        column = values[here[:, level], level]
        parts[here[:, level], 0, level], scale[level], rounding[level] = _whole(column)

    def value(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0, :] / sums[..., 1, :] / scale)

    return Columns("score", parts, scale, value, is_mean=True, is_ratio=True, rounding=rounding, labels=labels)


def _whole(values: Floats) -> tuple[NDArray[np.int64], float, int]:
    """Whole numbers, by what they divide to be the values, and by how much equal sums of them may differ."""
    largest = int(np.argmax(np.abs(values))) if len(values) else 0
    total = math.fsum(np.abs(values).tolist())
    if total == 0:
        return np.zeros(len(values), dtype=np.int64), 1.0, 0
    found = wholes_of(values)
    if found.exact and sum(map(abs, found.numbers)) < MOST_SUM:
        return np.array(found.numbers, dtype=np.int64), found.numbers[largest] / float(values[largest]), 0
    factor = 2.0 ** (math.floor(math.log2(MOST_SUM)) - 1 - math.ceil(math.log2(total)))
    return np.rint(values * factor).astype(np.int64), factor, math.ceil(TIE * total * factor) + len(values)
