"""Answers by condition: the rows that count, with the condition of each, for measures of any number of conditions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..designs.conditions import combined_words
from ..designs.contrast import find_contrast
from ..table.accuracy import Level, level_codes
from ..table.first_lines import LATE_RULES, LateRule, opening
from ..table.trials import Trials, TrialsSource, as_trials

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: Name of a row that stands on the answers at all levels.
ALL = "all"


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows that count, with codes of participant, condition and level.

    Attributes
    ----------
    frame : DataFrame
        The rows.
    column : str
        Column of the conditions.
    participants, conditions : tuple of str
        In alphabetical order.
    levels : tuple of Level
        In order.
    participant, condition, level : ndarray of int, shape (rows,)
        Codes.
    halves : ndarray of int64, shape (rows,)
        Twice the score: 2 for a correct answer in time, 1 for a late one under the rule ``half``.
    counted : ndarray of bool, shape (rows,)
        Rows that count under the rule for late answers.
    late : {"exclude", "wrong", "half"}
        That rule.
    name : str
        Of the table.
    notes : tuple of str
        What was left out, with counts.
    """

    frame: pd.DataFrame
    column: str
    participants: tuple[str, ...]
    conditions: tuple[str, ...]
    levels: tuple[Level, ...]
    participant: NDArray[np.intp]
    condition: NDArray[np.intp]
    level: NDArray[np.intp]
    halves: Ints
    counted: Bools
    late: LateRule
    name: str
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Participants × conditions × levels."""
        return len(self.participants), len(self.conditions), len(self.levels)

    @property
    def cell(self) -> NDArray[np.intp]:
        """Each row's cell in :attr:`shape`."""
        return np.ravel_multi_index((self.participant, self.condition, self.level), self.shape)

    def total(self, weights: Any = None, *, rows: Bools | None = None) -> Floats:
        """Sum over the rows of every cell, shape participants × conditions × levels; counts where no weights are given."""
        rows = self.counted if rows is None else rows
        some = None if weights is None else np.asarray(weights, dtype=float)[rows]
        sums = np.bincount(self.cell[rows], weights=some, minlength=int(np.prod(self.shape)))
        return sums.reshape(self.shape).astype(float)

    def accuracy(self) -> tuple[Floats, Floats]:
        """Share correct (NaN without trials) and number of trials, participants × conditions × levels."""
        n = self.total()
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total(self.halves) / 2 / n, n

    def pair(self, conditions: Sequence[str] | None = None) -> tuple[str, str]:
        """The two conditions to compare, first minus second; in alphabetical order when not named.

        Raises
        ------
        InputError
            When there are not two, or a name is unknown.
        """
        known = self.conditions
        if conditions is None:
            if len(known) != 2:
                raise InputError(
                    f"conditions: column {self.column} has {len(known)} ({', '.join(known)}); a comparison needs two: name "
                    "them (conditions), or another column (by)"
                )
            return known[0], known[1]
        if len(conditions) != 2 or conditions[0] == conditions[1]:
            raise InputError(f"conditions: got {', '.join(conditions)}; name two different ones")
        for one in conditions:
            if one not in known:
                raise InputError(f'conditions: column {self.column} has no "{one}". {did_you_mean(one, known)}')
        return conditions[0], conditions[1]

    def keys(self) -> Iterator[tuple[int, str, int, str]]:
        """Number and name of every condition and level."""
        for c, condition in enumerate(self.conditions):
            for k, level in enumerate(self.levels):
                yield c, condition, k, level.label


def answers(trials: TrialsSource, *, by: str | None = None, late: LateRule = "exclude") -> Answers:
    """Return the rows that count, with the condition of each.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column that holds the conditions, or several whose combinations are conditions (``group*map_source``); by default
        the one that :func:`~rapidvision.analysis.find_contrast` finds: `group` where it has several values, else the source
        of the maps or the first factor that varies.
    late : {"exclude", "wrong", "half"}
        What an answer outside the response window counts as.

    Returns
    -------
    Answers
        Every row of the main phase; rows without a condition are left out and counted.

    Raises
    ------
    InputError
        When the column is unknown, no row is left, or the rule is unknown.
    """
    if late not in LATE_RULES:
        raise InputError(f'late: got "{late}". {did_you_mean(late, LATE_RULES)}')
    checked = as_trials(trials)
    frame = checked.people()
    if frame.empty:
        why = "; ".join(checked.left_out()) or "check phase, observers and exclusions"
        raise InputError(f"{checked.name}: no main-phase trials of participants are left ({why})")
    column = by or _usual_column(checked)
    words = combined_words(frame, column, checked.name)
    notes = list(opening(checked, late=late))
    empty = (words == "").to_numpy()
    if empty.any():
        notes.append(f"{int(empty.sum()):,} of {len(frame):,} trials have no {column} and are left out")
        frame, words = frame[~empty], words[~empty]
    if frame.empty:
        raise InputError(f"by: column {column} is empty in every row; name a column that holds conditions")
    frame = frame.reset_index(drop=True)
    levels, level = level_codes(frame)
    participant, people = pd.factorize(frame["participant_id"], sort=True)
    condition, values = pd.factorize(words, sort=True)
    in_time = (frame["status"] == "ok").to_numpy()
    right = in_time & (frame["correct"] == True).to_numpy()  # noqa: E712 (None is neither)
    return Answers(
        frame=frame,
        column=column,
        participants=tuple(str(name) for name in people),
        conditions=tuple(str(value) for value in values),
        levels=levels,
        participant=participant,
        condition=condition,
        level=level,
        halves=(2 * right + ((~in_time) if late == "half" else 0)).astype(np.int64),
        counted=in_time if late == "exclude" else np.ones(len(frame), dtype=bool),
        late=late,
        name=checked.name,
        notes=tuple(notes),
    )


def _usual_column(trials: Trials) -> str:
    """The column that a comparison would take; `group` where none can be compared, which a measure does not need."""
    try:
        return find_contrast(trials).column
    except InputError:
        return "group"
