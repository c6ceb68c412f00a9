"""Where a trials table contradicts itself: one rule per kind of contradiction, each naming its rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rapidvision.trials import NO_RESPONSE

#: A session whose median response is slower than this was recorded in another unit; a single answer may be slow.
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
    people = frame[frame["observer_kind"] != "model"]
    groups = people.groupby("participant_id", sort=True)["group"].nunique()
    return [
        f'participant "{who}" is in {count} groups, {rows_of(frame["participant_id"] == who)}; these tests compare '
        "groups of different participants, so a participant belongs to one. Take one condition (import with --where "
        "COLUMN=VALUE), or take the conditions as levels (--field level=COLUMN --field group=)"
        for who, count in groups[groups > 1].items()
    ][:3]


def _wrong_correct(frame: pd.DataFrame) -> list[str]:
    response, right, given = frame["response"], frame["correct_response"], frame["correct"]
    answered = response.notna() & (response != NO_RESPONSE)
    only_correct = response.isna() & frame["status"].isin(["ok", "late", "early"])
    known = answered & right.notna()
    same = response == right
    # a name that is never the right response may be another word for it, as typed answers have synonyms
    another = response.isin(right.dropna().unique())
    wrong = known & ((same & (given != True)) | (~same & (given.isna() | (another & (given == True)))))  # noqa: E712
    wrong |= ~answered & ~only_correct & given.notna()
    lines = [f"`correct` contradicts `response` and `correct_response`, {rows_of(wrong)}"] if wrong.any() else []
    if (bad := only_correct & given.isna()).any():
        lines.append(f"an answer with neither `response` nor `correct`, {rows_of(bad)}")
    return lines


def _impossible_times(frame: pd.DataFrame) -> list[str]:
    time, answered = frame["response_ms"], frame["response"] != NO_RESPONSE
    lines = []
    if (bad := time <= 0).any():
        lines.append(f"response_ms must be > 0, {rows_of(bad)}")
    typical = time.groupby(frame["session_id"]).transform("median")
    if (bad := typical > SLOWEST_MS).any():
        lines.append(f"sessions with a median response_ms above {SLOWEST_MS:g}; are these microseconds? {rows_of(bad)}")
    if (bad := _untimed(frame)).any():
        lines.append(f"a response without response_ms, {rows_of(bad)}")
    if (bad := ~answered & time.notna()).any():
        lines.append(f"response_ms without a response, {rows_of(bad)}")
    if (bad := (frame["status"] == "none") & answered).any():
        lines.append(f'status "none" with a response, {rows_of(bad)}')
    return lines


def _untimed(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Answers of people without a time, in a session where the same answer has times.

    A session without any times had no clock; in go / no-go tasks the answer by not responding has neither input nor time.
    """
    answered = (frame["response"] != NO_RESPONSE) & (frame["observer_kind"] != "model") & (frame["status"] != "aborted")
    timed = frame["response_ms"].notna()
    same = [frame["session_id"], frame["response"].fillna(""), frame["input"].notna()]
    return answered & ~timed & (timed & answered).groupby(same).transform("any")


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


def odd_times(frame: pd.DataFrame) -> list[str]:
    """Note answers in time that are slower than a late one of the same study, or faster than an early one."""
    main = (frame["phase"] == "main") & (frame["observer_kind"] != "model")
    time = frame["response_ms"]
    late = time.where(frame["status"] == "late").groupby(frame["study_id"]).transform("min")
    early = time.where(frame["status"] == "early").groupby(frame["study_id"]).transform("max")
    in_time = main & (frame["status"] == "ok")
    notes = []
    for odd, than in (
        (in_time & (time > late), "slower than a late"),
        (in_time & (time < early), "faster than an early"),
    ):
        if odd.any():
            count, verb = int(odd.sum()), "answers have" if odd.sum() > 1 else "answer has"
            notes.append(
                f"{count} {verb} status ok, yet {than} one of the study, {rows_of(odd)}; in time all the same, "
                "because the status says so"
            )
    return notes


#: Each returns one line per contradiction, with its rows.
RULES: tuple[Callable[[pd.DataFrame], list[str]], ...] = (
    _duplicate_trials,
    _two_groups,
    _wrong_correct,
    _impossible_times,
    _odd_levels,
)
