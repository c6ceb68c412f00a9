"""Where a trials table contradicts itself: one rule per kind of contradiction, each naming its rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rapidvision.protocol import Protocol

#: Observers that are participants; every other name in the column `observer` is a network's id.
PARTICIPANTS = ("human", "simulated")
#: A response slower than this is a broken clock, not a slow participant.
SLOWEST_MS = 10_000.0
_ROWS_SHOWN = 8


def rows_of(flags: Any) -> str:
    """Name rows: ``rows 3, 4, 9`` of the file (the header is row 1), at most eight of them and a count."""
    found = np.flatnonzero(np.asarray(flags)) + 2
    shown = ", ".join(str(row) for row in found[:_ROWS_SHOWN])
    more = f" and {len(found) - _ROWS_SHOWN} more" if len(found) > _ROWS_SHOWN else ""
    return f"row{'s' * (len(found) > 1)} {shown}{more}"


def _duplicate_trials(frame: pd.DataFrame) -> list[str]:
    double = frame.duplicated(["session_id", "trial"], keep=False)
    if not double.any():
        return []
    equal = frame.duplicated(keep=False)
    hint = "they are equal, so `dedupe first` keeps one of each" if equal[double].all() else "they differ: find out why"
    return [f"(session_id, trial) must be unique, {rows_of(double)}; {hint}"]


def _two_groups(frame: pd.DataFrame) -> list[str]:
    people = frame[frame["observer"].isin(PARTICIPANTS)]
    groups = people.groupby("participant_id", sort=True)["group"].nunique()
    return [
        f'participant "{who}" is in {count} groups, {rows_of(frame["participant_id"] == who)}; a participant sees one'
        for who, count in groups[groups > 1].items()
    ][:3]


def _wrong_correct(frame: pd.DataFrame) -> list[str]:
    answered = frame["response"] != "none"
    should = (frame["response"] == "target") == frame["target"]
    given = frame["correct"]
    wrong = (answered & (given != should)) | (~answered & given.notna())
    return [f"`correct` contradicts `response` and `target`, {rows_of(wrong)}"] if wrong.any() else []


def _impossible_times(frame: pd.DataFrame) -> list[str]:
    people = frame["observer"].isin(PARTICIPANTS)
    time, answered = frame["response_ms"], frame["response"] != "none"
    lines = []
    if (bad := time <= 0).any():
        lines.append(f"response_ms must be > 0, {rows_of(bad)}")
    if (bad := time > SLOWEST_MS).any():
        lines.append(f"response_ms above {SLOWEST_MS:g}; are these microseconds? {rows_of(bad)}")
    if (bad := people & answered & time.isna()).any():
        lines.append(f"a response without response_ms, {rows_of(bad)}")
    if (bad := ~answered & time.notna()).any():
        lines.append(f"response_ms without a response, {rows_of(bad)}")
    if (bad := (frame["status"] == "none") & answered).any():
        lines.append(f'status "none" with a response, {rows_of(bad)}')
    return lines


def _odd_levels(frame: pd.DataFrame) -> list[str]:
    fraction = frame["reveal_fraction"]
    lines = []
    if (bad := (fraction <= 0) | (fraction > 1)).any():
        lines.append(f"reveal_fraction must lie in (0, 1]; divide per cent by 100, {rows_of(bad)}")
    labels = frame.drop_duplicates(["level_index", "level_label"])["level_index"]
    if (twice := labels[labels.duplicated()]).size:
        index = twice.iloc[0]
        lines.append(f"level_index {index} has more than one level_label, {rows_of(frame['level_index'] == index)}")
    shares = pd.to_numeric(frame["level_label"], errors="coerce")
    if shares.notna().any() and shares.max() <= 1 and fraction.max() > 0.01:
        lines.append(
            f"level_label goes from {shares.min():g} to {shares.max():g}; write per cent (40), not shares (0.4)"
        )
    return lines


def outside_window(frame: pd.DataFrame) -> list[str]:
    """Note answers that count as in time although the paper's task would not: no contradiction, but not silent either."""
    task = Protocol()
    low, high = task.anticipation_ms, task.timing.response_limit_ms
    time = frame["response_ms"]
    odd = (
        frame["observer"].isin(PARTICIPANTS)
        & (frame["phase"] == "main")
        & (frame["status"] == "ok")
        & ((time < low) | (time > high))
    )
    if not odd.any():
        return []
    count, verb = int(odd.sum()), "answers have" if odd.sum() > 1 else "answer has"
    text = f"{count} {verb} status ok outside {low:g} to {high:g} ms, the paper's window, {rows_of(odd)}"
    return [f"{text}; in time all the same, because the status says so"]


#: Each returns one line per contradiction, with its rows.
RULES: tuple[Callable[[pd.DataFrame], list[str]], ...] = (
    _duplicate_trials,
    _two_groups,
    _wrong_correct,
    _impossible_times,
    _odd_levels,
)
