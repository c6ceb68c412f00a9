"""Cells: what each participant scored at each reveal level, as exact integers, under a rule for late answers."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from .first_lines import LATE_RULES, LateRule, opening
from .guess_rate import known_guess, shown_guess, stated_notes
from .trials import Trials

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """A reveal level: its index and label, and its per cent of the features (NaN for the intact image) and pixels."""

    index: int
    label: str
    percent: float
    image_percent: float

    @property
    def full(self) -> bool:
        """Whether this is the intact image."""
        return self.label == "full"


@dataclass(frozen=True, eq=False)
class Cells:
    """Participants × levels.

    Attributes
    ----------
    participants : tuple of str, length n
        Sorted, so that the order of the rows in the table changes nothing.
    groups : ndarray of str, shape (n,)
        Group of each participant.
    levels : tuple of Level, length k
        In order, the intact image last.
    halves : ndarray of int64, shape (n, k)
        Twice the score: 2 for a correct answer, 1 for a late one under the rule ``half``.
    n_trials : ndarray of int64, shape (n, k)
        Trials that count; 0 where a participant has none at a level.
    n_untimely, n_shown : ndarray of int64, shape (n, k)
        Late, early and missing answers, and all trials.
    late : {"exclude", "wrong", "half"}
        The rule.
    notes : tuple of str
        What every rule leaves out or counts as wrong, with counts: the first lines of each result.
    guess : float or None
        Share of answers that guessing gets right; None where the table does not show it and the user does not state
        it. See :mod:`~rapidvision.analysis.table.guess_rate`.
    """

    participants: tuple[str, ...]
    groups: NDArray[np.str_]
    levels: tuple[Level, ...]
    halves: Ints
    n_trials: Ints
    n_untimely: Ints
    n_shown: Ints
    late: LateRule
    notes: tuple[str, ...] = ()
    guess: float | None = None

    @property
    def accuracy(self) -> Floats:
        """Share correct per participant and level, shape (n, k); NaN where there is no trial."""
        with np.errstate(invalid="ignore"):
            return np.where(self.n_trials > 0, self.halves / (2 * np.maximum(self.n_trials, 1)), np.nan)

    def of(self, group: str) -> "NDArray[np.bool_]":
        """Which participants belong to a group."""
        return np.asarray(self.groups == group)

    def pair(self, groups: tuple[str, str] | None = None) -> tuple[str, str]:
        """The two groups to compare, first minus second; in alphabetical order when not named.

        Raises
        ------
        InputError
            When there are not two, or a name is unknown.
        """
        known = sorted({str(group) for group in self.groups})
        if len(known) < 2:
            raise InputError(
                f"groups: the table has one group ({known[0]}); a comparison needs two. Against chance one group can be "
                "tested: rapidvision analyse chance"
            )
        if groups is None:
            if len(known) != 2:
                raise InputError(f"groups: the table has {len(known)} ({', '.join(known)}); name the two to compare")
            return known[0], known[1]
        for group in groups:
            if group not in known:
                raise InputError(f'groups: no group "{group}". {did_you_mean(group, known)}')
        if groups[0] == groups[1]:
            raise InputError(f'groups: "{groups[0]}" is named twice; name two different groups')
        return groups

    def known_guess(self, what: str) -> float:
        """The guess rate, for `what` needs it.

        Raises
        ------
        InputError
            When it is unknown; the message says how to state it.
        """
        return known_guess(self.guess, what=what)


class Curve(NamedTuple):
    """A group's accuracy over the levels: mean of participant means, S.E.M., and how many participants it stands on."""

    mean: Floats
    sem: Floats
    n: Ints


def cells(trials: Trials, *, late: LateRule = "exclude") -> Cells:
    """Count every participant's trials and correct answers per level.

    Parameters
    ----------
    trials : Trials
        With observers of one kind, or a choice of one: :meth:`~rapidvision.analysis.table.trials.Trials.select`.
    late : {"exclude", "wrong", "half"}
        What an answer outside the response window (late, early or none) counts as: nothing, a wrong answer, or half
        a correct one.

    Returns
    -------
    Cells
        Of the main phase, aborted trials left out.

    Raises
    ------
    InputError
        When there are several kinds of observers, no trial of a participant is left, or the rule is unknown.
    """
    if late not in LATE_RULES:
        raise InputError(f'late: got "{late}". {did_you_mean(late, LATE_RULES)}')
    frame = trials.people()
    if frame.empty:
        why = "; ".join(trials.left_out()) or "check phase, observers and exclusions"
        raise InputError(f"{trials.name}: no main-phase trials of participants are left ({why})")
    levels, column = level_codes(frame)
    row, names = pd.factorize(frame["participant_id"], sort=True)
    shape = (len(names), len(levels))
    cell = row * shape[1] + column
    in_time = (frame["status"] == "ok").to_numpy()
    correct = in_time & (frame["correct"] == True).to_numpy()  # noqa: E712 (None is neither)
    halves = 2 * correct + ((~in_time) if late == "half" else 0)
    counted = in_time if late == "exclude" else np.ones(len(frame), dtype=bool)

    def total(weights: Any) -> Ints:
        return np.bincount(cell, weights=weights, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)

    shown = shown_guess(frame, trials.options)
    one_row = frame.drop_duplicates("participant_id", keep="last")
    group_of = dict(zip(one_row["participant_id"], one_row["group"], strict=True))
    return Cells(
        participants=tuple(str(name) for name in names),
        groups=np.array([group_of[name] for name in names], dtype=str),
        levels=levels,
        halves=total(halves),
        n_trials=total(counted),
        n_untimely=total(~in_time),
        n_shown=total(None),
        late=late,
        notes=(*opening(trials, late=late), *stated_notes(trials.guess, shown)),
        guess=shown if trials.guess is None else trials.guess,
    )


def level_codes(frame: pd.DataFrame) -> tuple[tuple[Level, ...], NDArray[np.intp]]:
    """The levels of a table in order, and each row's place among them."""
    codes, indices = pd.factorize(frame["level_index"], sort=True)
    first = frame.drop_duplicates("level_index").set_index("level_index")
    pixels = frame.groupby("level_index")["revealed_px"].mean()
    most = max(float(pixels.max()), 1.0) if pixels.notna().any() else float("nan")
    levels = tuple(
        Level(
            int(index),
            str(first.loc[index, "level_label"]),
            float(first.loc[index, "reveal_fraction"]) * 100,
            float(pixels[index]) / most * 100,
        )
        for index in indices
    )
    return levels, codes


def curve(table: Cells, group: str) -> Curve:
    """A group's curve: every participant weighs the same, as in the authors' script; S.E.M. over participants.

    Examples
    --------
    >>> import numpy as np
    >>> table = Cells(("a", "b"), np.array(["x", "x"]), (Level(0, "full", float("nan"), 100.0),), np.array([[2], [4]]),
    ...               np.array([[2], [2]]), np.array([[0], [0]]), np.array([[2], [2]]), "exclude")
    >>> curve(table, "x").mean, curve(table, "x").sem.round(2)
    (array([0.75]), array([0.25]))
    """
    return curve_of(table.accuracy[table.of(group)])


def curve_of(accuracy: Floats) -> Curve:
    """Mean, S.E.M. and count per column of a participants × levels array with NaN for missing cells."""
    present = np.isfinite(accuracy)
    n = present.sum(axis=0)
    values = np.where(present, accuracy, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = values.sum(axis=0) / n
        squares = (np.where(present, accuracy - mean, 0.0) ** 2).sum(axis=0)
        sem = np.sqrt(squares / (n - 1) / n)
    return Curve(mean, np.where(n > 1, sem, np.nan), n)


#: Sums of scores stay below this, so that float64 holds them exactly.
MOST_SUM = 2**50


def integer_scores(numerator: Ints, denominator: Ints) -> tuple[Ints, Ints, Ints]:
    """Turn the ratios of each column into integers over one common denominator, so that ties are ties.

    Parameters
    ----------
    numerator, denominator : ndarray of int64, shape (n, k)
        Denominator 0 marks a missing cell.

    Returns
    -------
    scores : ndarray of int64, shape (n, k)
        ``numerator / denominator * scale``; 0 for missing cells.
    scale : ndarray of int64, shape (k,)
        The least common multiple of each column's denominators, reduced by the common divisor.
    rounding : ndarray of int64, shape (k,)
        0 where that multiple was small enough. Where it was not, scores are rounded, and two sums that are equal in
        mathematics may differ by up to this many units; equal ratios stay equal.

    Examples
    --------
    >>> integer_scores(np.array([[1], [2]]), np.array([[2], [3]]))
    (array([[3],
           [4]]), array([6]), array([0]))
    """
    scores = np.zeros_like(numerator)
    scale, rounding = np.ones((2, numerator.shape[1]), dtype=np.int64)
    for column in range(numerator.shape[1]):
        below = denominator[:, column]
        here = below > 0
        multiple = math.lcm(*(int(value) for value in np.unique(below[here]))) if here.any() else 1
        largest = int(np.ceil((np.abs(numerator[here, column]) / below[here]).max(initial=1)))
        rounding[column] = 0
        if multiple * largest * max(len(below), 1) < MOST_SUM:
            values = numerator[here, column] * (multiple // below[here])
        else:
            multiple, rounding[column] = MOST_SUM // (largest * len(below)), len(below)
            values = np.rint(numerator[here, column] / below[here] * multiple).astype(np.int64)
        divisor = math.gcd(multiple, *(int(value) for value in np.unique(values)))
        scores[here, column] = values // divisor
        scale[column] = multiple // divisor
        rounding[column] = -(-rounding[column] // divisor)
    return scores, scale, rounding
