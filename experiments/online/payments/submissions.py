"""Prolific's export of submissions: who submitted what, and its status."""

import math
from pathlib import Path
from typing import NamedTuple

from rapidvision.errors import InputError, did_you_mean
from rapidvision.text import csv_text

from .decisions import STATUSES

_NAMES = {
    "submission_id": ("submission id",),
    "participant_id": ("participant id",),
    "status": ("status", "submission status"),
    "taken_s": ("time taken", "time taken seconds"),
}
_OPTIONAL = ("taken_s",)


class Submission(NamedTuple):
    """A row of the export; `taken_s` is None where the service has no time yet."""

    submission_id: str
    participant_id: str
    status: str
    taken_s: float | None


def read_submissions(path: Path) -> list[Submission]:
    """Read Prolific's export, of the old or the new header.

    Raises
    ------
    InputError
        When a column is missing, a submission stands twice, or a status or time is none.
    """
    rows = csv_text.read(path)
    header = csv_text.header_of(path)
    plain = {" ".join(name.lower().replace("_", " ").split()): name for name in header}
    columns: dict[str, str] = {}
    for field, names in _NAMES.items():
        found = next((plain[name] for name in names if name in plain), None)
        if found is not None:
            columns[field] = found
        elif field not in _OPTIONAL:
            raise InputError(
                f'{path}: no column "{names[0]}"; it has {", ".join(header)}. Export the submissions of the study from Prolific'
            )
    made: list[Submission] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}: row {number}"
        submission = _submission(row, columns, where=where)
        if submission.submission_id in seen:
            raise InputError(f"{where}: the submission stands in row {seen[submission.submission_id]} too; remove one")
        seen[submission.submission_id] = number
        made.append(submission)
    return made


def _submission(row: dict[str, str], columns: dict[str, str], *, where: str) -> Submission:
    given = {field: row[name].strip() for field, name in columns.items()}
    for field in ("submission_id", "participant_id"):
        if not given[field]:
            raise InputError(f'{where}: column "{columns[field]}" is empty; every submission has an id')
    status = given["status"].upper().replace("_", " ")
    status = "TIMED-OUT" if status == "TIMED OUT" else status
    if status not in STATUSES:
        raise InputError(
            f'{where}, column "{columns["status"]}": got "{given["status"]}". {did_you_mean(status, STATUSES)}'
        )
    taken = given.get("taken_s", "")
    try:
        taken_s = float(taken) if taken else None
    except ValueError:
        taken_s = math.nan
    if taken_s is not None and not (math.isfinite(taken_s) and taken_s >= 0):
        raise InputError(f'{where}, column "{columns["taken_s"]}": got "{taken}"; seconds are needed, or an empty cell')
    return Submission(given["submission_id"], given["participant_id"], status, taken_s)
