"""What is compared between groups: each statistic as columns of sums, so that one engine serves them all.

A relabelling only changes who is summed. So each participant contributes integers per level, a matrix product sums
them for thousands of relabellings at once, and the statistic is a function of the first group's sums and the totals.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from .accuracy import Cells, LateRule, cells, integer_scores, level_codes
from .tables import PARTICIPANTS, Trials

Statistic = Literal["participant_mean", "pooled", "dprime", "criterion", "response_ms", "late_share"]
STATISTICS: tuple[Statistic, ...] = (
    "participant_mean",
    "pooled",
    "dprime",
    "criterion",
    "response_ms",
    "late_share",
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """What each participant contributes to a statistic.

    Attributes
    ----------
    name : str
        The statistic.
    parts : ndarray of int64, shape (n, parts, levels)
        Integers to sum. A mean has two parts: the score on a common scale, and whether there is one.
    scale : ndarray, shape (levels,)
        Divides the first part of a mean.
    value : callable
        Group sums, shape (…, parts, levels) → the statistic of that group, shape (…, levels).
    is_mean : bool
        Whether the statistic is a mean over participants, for which exact p exists.
    few_sums : bool
        Whether the sums are few enough to be tabled for an exact p; times in thousandths of a millisecond are not.
    exact : bool
        Whether the integers are exact (see :func:`~rapidvision.analysis.accuracy.integer_scores`).
    """

    name: str
    parts: Ints
    scale: NDArray[Any]
    value: Callable[[Floats], Floats]
    is_mean: bool
    few_sums: bool = True
    exact: bool = True

    def rows(self, members: "NDArray[np.bool_]") -> "Columns":
        """The same for some participants only."""
        return replace(self, parts=self.parts[members])

    def individual(self, members: "NDArray[np.bool_]", table: Cells) -> Floats:
        """The statistic of each participant, shape (n, levels), for curves and their S.E.M.; NaN for missing cells.

        Statistics that are pooled within a group have no value per participant: their curves show accuracy.
        """
        if not self.is_mean:
            return table.accuracy[members]
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.value(self.parts[members].astype(float))

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return int(self.parts.shape[2])

    @property
    def sums(self) -> Ints:
        """Scores of a mean, shape (n, levels)."""
        return self.parts[:, 0]

    @property
    def present(self) -> "NDArray[np.bool_]":
        """Who has a score at each level, shape (n, levels)."""
        return self.parts[:, 1] > 0

    @property
    def is_complete_mean(self) -> bool:
        """Whether nobody misses a level, so that comparing sums is comparing means."""
        return self.is_mean and bool(self.present.all())

    @property
    def slack(self) -> float:
        """How far below the observed value still counts as equal: nothing for whole numbers, rounding for ratios.

        Distinct ratios of the paper's design differ by more than 1e-10, so 1e-12 never merges two of them.
        """
        return 0.0 if self.is_complete_mean else 1e-12

    def matrix(self, place: NDArray[np.intp]) -> tuple[NDArray[np.floating[Any]], type[np.floating[Any]]]:
        """Parts as rows for the matrix product, in the smallest float type that holds every sum exactly."""
        parts = self.parts[:, :1] if self.is_complete_mean else self.parts
        bound = np.abs(parts).sum(axis=0).max(initial=0)
        dtype: type[np.floating[Any]] = np.float32 if bound < 2**24 else np.float64
        if bound >= 2**53:
            raise InputError(
                f"{self.name}: sums up to {bound:.3g} are too large to be exact; use fewer trials per cell"
            )
        out = np.zeros((len(place), parts.shape[1] * parts.shape[2]), dtype=dtype)
        out[place >= 0] = parts.reshape(len(parts), -1)[place[place >= 0]]
        return out, dtype

    def sums_of(self, members: "NDArray[np.bool_]") -> Floats:
        """Sums over some participants, shape (parts, levels); one part where comparing sums is enough."""
        parts = self.parts[:, :1] if self.is_complete_mean else self.parts
        return np.asarray(parts[members].sum(axis=0), dtype=float)

    def compared(self, sums: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """The number that is compared, shape (relabellings, levels), from the first group's sums.

        Relabellings that leave a group without data become infinite in neither direction: they are NaN, and a level
        that is observed NaN is not tested; see :meth:`difference`.
        """
        if self.is_complete_mean:
            return sums[:, 0]
        total = self.parts.sum(axis=0)
        mine = sums.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.value(mine) - self.value(total - mine)

    def difference(self, first: "NDArray[np.bool_]") -> Floats:
        """Observed statistic of the first group minus that of the second, per level; NaN where one has no data."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mine = self.value(np.asarray(self.parts[first].sum(axis=0), dtype=float))
            theirs = self.value(np.asarray(self.parts[~first].sum(axis=0), dtype=float))
            return np.asarray(mine - theirs)

    def standard(
        self, values: NDArray[np.floating[Any]], first: "NDArray[np.bool_]"
    ) -> Callable[[NDArray[np.floating[Any]]], Floats]:
        """Return the function that standardises compared values by their mean and spread under relabelling.

        For complete means both are known exactly; otherwise they are those of the first chunk of relabellings. Either
        way they do not depend on the observed labels, so the joint test stays valid.
        """
        if self.is_complete_mean:
            x = self.sums.astype(float)
            n, a = len(first), int(first.sum())
            centre = x.mean(axis=0) * a
            spread = np.sqrt(a * (n - a) / n * x.var(axis=0, ddof=1)) if n > 1 else np.ones(self.n_levels)
        else:
            with np.errstate(invalid="ignore"):
                here = np.isfinite(values)
                count = np.maximum(here.sum(axis=0), 1)
                centre = np.where(here, values, 0).sum(axis=0) / count
                spread = np.sqrt((np.where(here, values - centre, 0) ** 2).sum(axis=0) / count)
        blank = ~np.isfinite(self.difference(first))
        centre = np.where(blank, np.nan, centre)
        inverse = np.where(spread > 1e-15, 1 / np.where(spread > 1e-15, spread, 1.0), 0.0)

        def standardise(block: NDArray[np.floating[Any]]) -> Floats:
            return np.asarray((block - centre) * inverse, dtype=float)

        return standardise

    def notes(self, first: "NDArray[np.bool_]") -> tuple[str, ...]:
        """What a reader should know: levels that cannot be tested, missing cells, inexact scales."""
        blank = np.flatnonzero(~np.isfinite(self.difference(first)))
        notes = [f"level {level}: a group has no data there, so it is not tested (p is empty)" for level in blank]
        if self.is_mean and not self.is_complete_mean:
            notes.append(f"{int((~self.present).sum())} of {self.present.size} participant x level cells are empty")
        if not self.exact:
            notes.append("scores have no small common denominator; ties are exact on a grid of 2**36 steps")
        return tuple(notes)


def mean_columns(numerator: Ints, denominator: Ints, *, name: str = "participant_mean") -> Columns:
    """Columns of a mean over participants of each one's ratio; denominator 0 marks a missing cell.

    Parameters
    ----------
    numerator, denominator : ndarray of int64, shape (n, levels)
        For accuracy: correct answers and trials.

    Examples
    --------
    >>> both = mean_columns(np.array([[3], [1]]), np.array([[4], [4]]))
    >>> both.difference(np.array([True, False]))
    array([0.5])
    """
    scores, scale, exact = integer_scores(numerator, denominator)
    parts = np.stack([scores, (denominator > 0).astype(np.int64)], axis=1)

    def value(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0, :] / sums[..., 1, :] / scale)

    return Columns(name, parts, scale, value, is_mean=True, exact=exact)


def columns_of(
    trials: Trials, statistic: Statistic = "participant_mean", *, late: LateRule = "exclude"
) -> tuple[Columns, Cells]:
    """Columns of a named statistic, with the cells that they belong to.

    Parameters
    ----------
    trials : Trials
        Participants' trials.
    statistic : str
        ``participant_mean`` (each person weighs the same), ``pooled`` (each trial does), ``dprime`` and ``criterion``
        (pooled within the group, log-linear correction), ``response_ms`` (mean of the participants' median time of
        correct answers in time), ``late_share`` (late, early and missing answers).
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as; no matter for the last two.

    Raises
    ------
    InputError
        When the statistic is unknown.
    """
    if statistic not in STATISTICS:
        raise InputError(f'statistic: got "{statistic}". {did_you_mean(statistic, STATISTICS)}')
    table = cells(trials, late=late)
    if statistic == "participant_mean":
        return mean_columns(table.halves, 2 * table.n_trials), table
    if statistic == "late_share":
        return mean_columns(table.n_untimely, table.n_shown, name=statistic), table
    if statistic == "pooled":
        parts = np.stack([table.halves, 2 * table.n_trials], axis=1)
        return Columns(statistic, parts, np.ones(1), _ratio, is_mean=False), table
    if statistic == "response_ms":
        return _median_times(trials, table), table
    parts = _detection(trials, table)
    return Columns(statistic, parts, np.ones(1), _dprime if statistic == "dprime" else _criterion, is_mean=False), table


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0, :] / sums[..., 1, :])


def _rates(sums: Floats) -> tuple[Floats, Floats]:
    """Return z of hit and false-alarm rate with the log-linear correction (+ ½ / + 1); NaN without trials of both kinds."""
    from scipy.special import ndtri

    hits, targets, alarms, distractors = (sums[..., part, :] for part in range(4))
    usable = (targets > 0) & (distractors > 0)
    hit = ndtri((hits / 2 + 0.5) / (targets + 1))
    alarm = ndtri((alarms / 2 + 0.5) / (distractors + 1))
    return np.where(usable, hit, np.nan), np.where(usable, alarm, np.nan)


def _dprime(sums: Floats) -> Floats:
    hit, alarm = _rates(sums)
    return hit - alarm


def _criterion(sums: Floats) -> Floats:
    hit, alarm = _rates(sums)
    return -0.5 * (hit + alarm)


def _people(trials: Trials, table: Cells) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Main-phase rows of participants, and each row's cell in participants × levels."""
    frame = trials.main()
    frame = frame[frame["observer"].isin(PARTICIPANTS)]
    row, _ = pd.factorize(frame["participant_id"], sort=True)
    _, column = level_codes(frame)
    return frame, row * len(table.levels) + column


def _median_times(trials: Trials, table: Cells) -> Columns:
    frame, cell = _people(trials, table)
    right = ((frame["status"] == "ok") & (frame["correct"] == True)).to_numpy()  # noqa: E712 (None is neither)
    medians = pd.Series(frame["response_ms"].to_numpy()[right]).groupby(cell[right]).median()
    shape = table.n_trials.shape
    times = np.full(shape[0] * shape[1], np.nan)
    times[medians.index.to_numpy()] = medians.to_numpy()
    times = times.reshape(shape)
    here = np.isfinite(times)
    thousandths = np.rint(np.where(here, times, 0) * 1000).astype(np.int64)
    parts = np.stack([thousandths, here.astype(np.int64)], axis=1)

    def value(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0, :] / sums[..., 1, :] / 1000)

    return Columns("response_ms", parts, np.full(shape[1], 1000), value, is_mean=True, few_sums=False)


def _detection(trials: Trials, table: Cells) -> Ints:
    """Twice the hits, targets, twice the false alarms, distractors per participant and level."""
    frame, cell = _people(trials, table)
    in_time = (frame["status"] == "ok").to_numpy()
    target = frame["target"].to_numpy(dtype=bool)
    said = in_time & (frame["response"] == "target").to_numpy()
    correct = in_time & (frame["correct"] == True).to_numpy()  # noqa: E712 (None is neither)
    if table.late == "exclude":
        counted, yes = in_time, 2 * said
    elif table.late == "wrong":  # a miss for a target, a false alarm for a distractor
        counted, yes = np.ones_like(in_time), 2 * np.where(in_time, said, ~target & ~correct)
    else:
        counted, yes = np.ones_like(in_time), np.where(in_time, 2 * said, 1)
    shape = table.n_trials.shape

    def total(weights: Any) -> Ints:
        return np.bincount(cell, weights=weights, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)

    return np.stack(
        [
            total(counted * target * yes),
            total(counted & target),
            total(counted * ~target * yes),
            total(counted & ~target),
        ],
        axis=1,
    )
