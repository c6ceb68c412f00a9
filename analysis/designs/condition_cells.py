"""Participants' scores under each condition: a row per participant and condition, for any statistic of the registry."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..table.accuracy import Cells
from ..table.columns import Columns
from ..table.first_lines import LateRule
from ..table.statistics import columns_of
from ..table.trials import Trials
from .conditions import as_words
from .contrast import SEPARATOR, Contrast, recoded


@dataclass(frozen=True, eq=False)
class ConditionCells:
    """Scores of every unit under every condition.

    Attributes
    ----------
    columns : Columns
        A row per unit and condition that it has.
    cells : Cells
        The counts of these rows; its groups are the conditions.
    units : tuple of str
        Participants, or images.
    rows : ndarray of int, shape (units, conditions)
        Row of each unit under each condition; -1 where it has none.
    between : ndarray of str, shape (units,)
        Group of each unit in a mixed design, else empty.
    """

    columns: Columns
    cells: Cells
    units: tuple[str, ...]
    rows: NDArray[np.intp]
    between: NDArray[np.str_]

    def whole(self) -> "ConditionCells":
        """Only units that have every condition."""
        kept = (self.rows >= 0).all(axis=1)
        return replace(
            self,
            units=tuple(np.array(self.units, dtype=object)[kept]),
            rows=self.rows[kept],
            between=self.between[kept],
        )


def condition_cells(
    trials: Trials, contrast: Contrast, statistic: str, *, late: LateRule = "exclude", unit: str = "participant_id"
) -> ConditionCells:
    """Count every unit's trials under every condition.

    Parameters
    ----------
    trials : Trials
        The table.
    contrast : Contrast
        Its conditions.
    statistic : str
        Name of the statistic.
    late : {"exclude", "wrong", "half"}
        What late answers count as.
    unit : str
        Column of the units: ``participant_id`` or ``image_id``.

    Raises
    ------
    InputError
        When the statistic does not fit the table.
    """
    frame = trials.frame
    words = as_words(frame, contrast.column, trials.name)
    kept = words.isin(contrast.conditions).to_numpy() & frame[unit].notna().to_numpy()
    names = frame[unit].astype(str)
    coded = recoded(trials, participant_id=names + SEPARATOR + words, group=words)
    coded = replace(coded, frame=coded.frame[kept].reset_index(drop=True))
    columns, cells = columns_of(coded, statistic, late=late)
    pairs = [name.rsplit(SEPARATOR, 1) for name in cells.participants]
    codes, units = pd.factorize(np.array([one for one, _ in pairs], dtype=object), sort=True)
    rows = np.full((len(units), len(contrast.conditions)), -1, dtype=np.intp)
    place = {condition: at for at, condition in enumerate(contrast.conditions)}
    for row, (code, (_, condition)) in enumerate(zip(codes.tolist(), pairs, strict=True)):
        rows[code, place[condition]] = row
    between = np.full(len(units), "", dtype=object)
    if contrast.design == "mixed":
        group_of = dict(zip(names, as_words(frame, contrast.between, trials.name), strict=True))
        between = np.array([group_of[name] for name in units], dtype=object)
    columns = replace(columns, labels=tuple(level.label for level in cells.levels))
    return ConditionCells(columns, cells, tuple(str(one) for one in units), rows, between.astype(str))
