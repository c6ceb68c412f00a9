"""psiTurk, jsPsych and PsychoPy: one row per trial under names of the experimenter's choice, which `Fields` maps to ours."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats import csv_text
from rapidvision.system import files
from rapidvision.trials import TrialRecord

from ..table.trials import Trials
from .common import finished, level_indices, level_label, make_row, share_of

#: psiTurk's codes of participants whose data are complete: completed, submitted, credited, bonused.
PSITURK_COMPLETE = (3, 4, 5, 7)
_TRUE = {"true", "1", "yes", "target", "animal"}
_FALSE = {"false", "0", "no", "distractor", "non-animal", "nonanimal"}


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What the columns (or keys) of a file are called.

    Attributes
    ----------
    image, category, target, response, response_ms, level, group : str
        Picture, what it shows, whether that is a target, the answer, its time, reveal level, group.
    participant : str
        Who; psiTurk and file names know it by themselves.
    phase : str
        Rows whose value there is ``practice`` or ``training`` are practice; empty when there is no such column.
    times_in_seconds : bool
        PsychoPy writes seconds.
    target_responses : tuple of str
        Answers that mean target; every other non-empty answer means distractor.
    """

    image: str = "image_id"
    category: str = "category"
    target: str = "target"
    response: str = "response"
    response_ms: str = "rt"
    level: str = "level"
    group: str = "group"
    participant: str = "participant"
    phase: str = ""
    times_in_seconds: bool = False
    target_responses: tuple[str, ...] = ("target", "animal")


#: Names that PsychoPy's Builder gives, in seconds; the key s means target.
PSYCHOPY = Fields(response="key_resp.keys", response_ms="key_resp.rt", times_in_seconds=True, target_responses=("s",))


def read_jspsych(paths: Iterable[Path | str], fields: Fields | None = None) -> Trials:
    """Read jsPsych data, JSON or CSV, one file per participant or all in one.

    Parameters
    ----------
    paths : iterable of path-like
        Files; a participant without a column is named after the file.
    fields : Fields, optional
        What the columns are called.

    Returns
    -------
    Trials
        Rows without a picture (instructions, fixations) are left out, with a count.
    """
    names = fields or Fields()
    rows = []
    for path in sorted(map(Path, paths)):
        rows += [({names.participant: path.stem} | row, f"{path}: row {line}") for line, row in _rows_of(path)]
    return _import(rows, names, name="jsPsych")


def read_psychopy(paths: Iterable[Path | str], fields: Fields | None = None) -> Trials:
    """Read PsychoPy's wide CSV files, one per participant; times are seconds unless `fields` says otherwise.

    Parameters
    ----------
    paths : iterable of path-like
        Files.
    fields : Fields, optional
        What the columns are called; Builder's defaults are ``key_resp.keys`` and ``key_resp.rt``.

    Returns
    -------
    Trials
        Rows without a picture (routines that are no trials) are left out, with a count.
    """
    names = fields or PSYCHOPY
    rows = []
    for path in sorted(map(Path, paths)):
        rows += [({names.participant: path.stem} | row, f"{path}: row {line}") for line, row in _rows_of(path)]
    return _import(rows, names, name="PsychoPy")


def read_psiturk(
    path: Path | str,
    fields: Fields | None = None,
    *,
    table: str = "participants",
    complete: tuple[int, ...] = PSITURK_COMPLETE,
) -> Trials:
    """Read a psiTurk SQLite database.

    Parameters
    ----------
    path : path-like
        The database.
    fields : Fields, optional
        What the keys of `trialdata` are called.
    table : str
        Table of participants; psiTurk's configuration names it.
    complete : tuple of int
        Statuses that are kept.

    Returns
    -------
    Trials
        Participants of other statuses, or without a datastring, are left out, with counts.

    Raises
    ------
    InputError
        When it is no psiTurk database, or a datastring is no JSON.
    """
    names = fields or Fields()
    files.sha256_file(path)  # speaks when the file is missing
    if not table.isidentifier():
        raise InputError(f'{path}: "{table}" cannot be a table\'s name')
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            people = connection.execute(f"SELECT uniqueid, status, datastring FROM {table}").fetchall()
        connection.close()
    except sqlite3.Error as error:
        raise InputError(f"{path}: not a psiTurk database with a table {table} ({error})") from error
    unfinished = sum(status not in complete for _, status, _ in people)
    empty = sum(status in complete and not data for _, status, data in people)
    rows: list[tuple[dict[str, Any], str]] = []
    for who, status, data in people:
        if status not in complete or not data:
            continue
        try:
            entries = json.loads(data)["data"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"{path}: the datastring of {who} cannot be read ({error!r})") from error
        for number, entry in enumerate(entries, 1):
            trial = entry.get("trialdata")
            if isinstance(trial, dict):
                rows.append(({names.participant: who} | trial, f"{path}: {who}, entry {number}"))
    notes = [
        f"left out {unfinished} of {len(people)} participants whose status is not one of {', '.join(map(str, complete))}"
    ]
    if empty:
        notes.append(f"left out {empty} complete participants without a datastring")
    return _import(rows, names, name="psiTurk", notes=notes)


def _rows_of(path: Path) -> list[tuple[int, dict[str, Any]]]:
    text = csv_text.read_text(path)
    if path.suffix == ".json":
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}: not JSON ({error})") from error
        return [(line, row) for line, row in enumerate(data, 1) if isinstance(row, dict)]
    return list(enumerate(csv.DictReader(io.StringIO(text, newline="")), 2))


def _import(
    rows: list[tuple[dict[str, Any], str]], names: Fields, *, name: str, notes: list[str] | None = None
) -> Trials:
    notes = list(notes or [])
    trials = [(row, where) for row, where in rows if _given(row.get(names.image))]
    if len(trials) < len(rows):
        notes.append(f"left out {len(rows) - len(trials)} rows without a picture ({names.image} is empty)")
    for row, where in trials:
        for field in (names.category, names.target, names.response, names.response_ms, names.level, names.group):
            if field not in row:
                raise InputError(f'{where}: no column "{field}". {did_you_mean(field, row)}')
    labels = [level_label(row[names.level]) for row, _ in trials]
    index = level_indices(labels)
    count: dict[str, int] = {}
    records: list[TrialRecord] = []
    for (row, where), label in zip(trials, labels, strict=True):
        who = str(row[names.participant])
        count[who] = count.get(who, -1) + 1
        records.append(_record(row, where, names, label, index[label], count[who], who, study=name))
    return finished(records, name=name, notes=notes)


def _record(
    row: Mapping[str, Any], where: str, names: Fields, label: str, level_index: int, trial: int, who: str, *, study: str
) -> TrialRecord:
    answer = str(row[names.response]).strip() if _given(row[names.response]) else ""
    time = _number(row[names.response_ms], f"{where}: {names.response_ms}") if answer else None
    practice = bool(names.phase) and str(row.get(names.phase, "")).lower() in ("practice", "training")
    return make_row(
        study=study,
        participant=who,
        session=who,
        trial=trial,
        image_id=str(row[names.image]),
        category=str(row[names.category]),
        target=_flag(row[names.target], f"{where}: {names.target}"),
        said_target=answer in names.target_responses if answer else None,
        response_ms=None if time is None else time * (1000 if names.times_in_seconds else 1),
        group=str(row[names.group]),
        level=label,
        level_index=level_index,
        reveal_fraction=share_of(label),
        phase="practice" if practice else "main",
    )


def _given(value: Any) -> bool:
    return value is not None and str(value).strip() not in ("", "None", "null", "NaN", "nan")


def _number(value: Any, where: str) -> float | None:
    if not _given(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f'{where} is "{value}"; a number is needed') from None


def _flag(value: Any, where: str) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InputError(f'{where} is "{value}"; allowed are {", ".join(sorted(_TRUE | _FALSE))}')
