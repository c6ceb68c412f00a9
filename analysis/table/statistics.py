"""What is compared between groups: each named statistic of the trials table as columns of sums."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError

from .accuracy import Cells, cells, level_codes
from .columns import Columns, mean_columns
from .first_lines import LateRule, target_response
from .statistic_registry import STATISTICS
from .trials import Trials

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def columns_of(
    trials: Trials, statistic: str = "participant_mean", *, late: LateRule = "exclude"
) -> tuple[Columns, Cells]:
    """Columns of a named statistic, with the cells that they belong to.

    Parameters
    ----------
    trials : Trials
        Participants' trials.
    statistic : str
        ``participant_mean`` (each person weighs the same), ``pooled`` (each trial does), ``dprime`` and ``criterion``
        (pooled within the group, log-linear correction), ``response_ms`` (mean of the participants' median time of
        correct answers in time), ``late_share`` (late, early and missing answers), or the name of a plug-in.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as; no matter for the last two.

    Raises
    ------
    InputError
        When the statistic is unknown, or what a plug-in returned does not fit the table.
    """
    maker = STATISTICS.get(statistic)
    table = cells(trials, late=late)
    columns = maker(trials, table)
    if columns.parts.shape[::2] != table.n_trials.shape:
        raise InputError(
            f"statistic {statistic}: gives {columns.parts.shape[0]} participants x {columns.parts.shape[2]} levels; the "
            f"table has {table.n_trials.shape[0]} x {table.n_trials.shape[1]}"
        )
    return replace(columns, name=statistic), table


def participant_mean(_trials: Trials, table: Cells, /) -> Columns:
    """Mean of the participants' accuracies: each person weighs the same."""
    return mean_columns(table.halves, 2 * table.n_trials)


def pooled(_trials: Trials, table: Cells, /) -> Columns:
    """Share of correct trials: each trial weighs the same."""
    parts = np.stack([table.halves, 2 * table.n_trials], axis=1)
    return Columns("pooled", parts, np.ones(1), _ratio, is_mean=False, is_ratio=True)


def late_share(_trials: Trials, table: Cells, /) -> Columns:
    """Mean of the participants' shares of late, early and missing answers."""
    return mean_columns(table.n_untimely, table.n_shown, name="late_share")


def dprime(trials: Trials, table: Cells, /) -> Columns:
    """Sensitivity, pooled within the group, log-linear correction."""
    said = target_response(trials, what="dprime")
    return Columns("dprime", _detection(trials, table, said), np.ones(1), _dprime, is_mean=False)


def criterion(trials: Trials, table: Cells, /) -> Columns:
    """Criterion, pooled within the group, log-linear correction."""
    said = target_response(trials, what="criterion")
    return Columns("criterion", _detection(trials, table, said), np.ones(1), _criterion, is_mean=False)


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
    frame = trials.people()
    row, _ = pd.factorize(frame["participant_id"], sort=True)
    _, column = level_codes(frame)
    return frame, row * len(table.levels) + column


def response_ms(trials: Trials, table: Cells, /) -> Columns:
    """Mean of the participants' median times of correct answers in time, in ms."""
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

    # medians of whole milliseconds are multiples of a half
    coarse = int(np.gcd.reduce(thousandths[here], initial=0)) % 500 == 0
    scale = np.full(shape[1], 1000)
    return Columns("response_ms", parts, scale, value, is_mean=True, is_ratio=True, few_sums=coarse)


def _detection(trials: Trials, table: Cells, yes_word: str) -> Ints:
    """Twice the hits, targets, twice the false alarms, distractors per participant and level."""
    frame, cell = _people(trials, table)
    in_time = (frame["status"] == "ok").to_numpy()
    target = frame["target"].to_numpy(dtype=bool)
    said = in_time & (frame["response"] == yes_word).to_numpy()
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
