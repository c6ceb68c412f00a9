"""The rows of a BIDS run: one per trial, what its columns mean, and the answers that belong to no trial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.plan import Plan
from rapidvision.system import files
from rapidvision.task.trial import Trial
from rapidvision.trials import Column, TrialRecord

from ..interfaces import END_CODE, RESPONSE_CODE, TrialData
from ..recording.answers import MEANINGS, AnswerRecord

#: Columns of a run behind onset and duration, and what they mean.
EVENT_COLUMNS = {
    "trial_type": "The option that is right; the category where nothing is scored",
    "stim_file": "The image that the trial asks about",
    "response_time": "Input from time zero, late ones too",
    "value": "Trigger code at the onset of the image; 0 is none",
    "trial": "Number within the session from 0, practice included",
    "phase": "practice or main",
    "block": "Block from 0; practice is -1, its further rounds -2, -3, ...",
    "image_id": "The image, at any level",
    "category": "What the image shows",
    "level_label": "Per cent of the features, or full",
    "response": "The option that was chosen, or none",
    "input": "The key, button or area of the response",
    "correct": "1 where the response is the right one",
    "status": "ok, early, late, none or aborted",
    "attempt": "1, or more when the trial was interrupted after its image had come up",
    "timing_ok": "1 where every phase was shown as planned and the times can be relied upon",
    "late_refreshes": "Refreshes that came late during the trial",
    "flags": "What was unusual, names separated by blanks",
}


def as_shown(trial: Trial, data: TrialData) -> Trial:
    """Return a planned trial with the value of the adaptive factor that was shown."""
    return trial.chosen(next((choice for choice in trial.choices if choice.value == data.chosen), None))


def files_shown(trial: Trial, data: TrialData) -> dict[str, str]:
    """Return path → SHA-256 of the images and masks that a trial showed."""
    return msgspec.structs.replace(as_shown(trial, data), choices=()).files()


def event(trial: Trial, row: TrialRecord, data: TrialData, begin_s: float, added: Sequence[Column]) -> list[str]:
    """Return a trial's cells: onset and duration of its first image in seconds from `begin_s`, then its columns.

    Parameters
    ----------
    trial, row, data : Trial, TrialRecord, TrialData
        As planned, as a row of the trials table, and as measured.
    begin_s : float
        First refresh of the run, on the screen's clock.
    added : sequence of Column
        The protocol's own columns; they come last.
    """
    images = {phase.name for phase in trial.phases if phase.kind == "stimulus"}
    shown = next((phase for phase in data.phases if phase.name in images), data.phases[0])
    return [
        f"{data.zero_s + shown.onset_ms / 1000 - begin_s:.6f}",
        f"{shown.shown_ms / 1000:.6f}",
        row.correct_response or row.category or "n/a",
        as_shown(trial, data).image.path,
        "n/a" if row.response_ms is None else f"{row.response_ms / 1000:.6f}",
        str(next((phase.trigger for phase in as_shown(trial, data).phases if phase.name == shown.name), 0)),
        *(_cell(getattr(row, name)) for name in list(EVENT_COLUMNS)[4:]),
        *(_cell(row.more.get(column.name)) for column in added),
    ]


def _cell(value: object) -> str:
    if value is None or value == "":
        return "n/a"
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def codes_of(plan: Plan) -> dict[str, str]:
    """Return every trigger code of a session's recording, in order, and what it says, for the levels of ``value``.

    A code that several phases share names them all.
    """
    meanings: dict[int, dict[str, None]] = {RESPONSE_CODE: {"response": None}, END_CODE: {"end of the session": None}}
    for planned in plan.trials():
        for trial in (planned.chosen(choice) for choice in planned.choices or (None,)):
            for phase in trial.phases:
                words = f"{phase.name} ({phase.kind})"
                if phase.kind == "stimulus":
                    image = trial.images[phase.content]
                    words = f"{phase.name}: {'target' if image.target else 'other'}, level {image.level_label}"
                if phase.trigger:
                    meanings.setdefault(phase.trigger, {})[words] = None
    return {str(code): "; ".join(words) for code, words in sorted(meanings.items())}


def described(plan: Plan, added: Sequence[Column]) -> dict[str, Any]:
    """Return what a sidecar says of the columns of a run, with the meaning of each trigger code."""
    more: dict[str, dict[str, Any]] = {"response_time": {"Units": "s"}, "value": {"Levels": codes_of(plan)}}
    known = {name: {"Description": text} | more.get(name, {}) for name, text in EVENT_COLUMNS.items()}
    return known | {column.name: _described(column) for column in added}


def _described(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"Description": column.meaning}
    if column.unit:
        found["Units"] = column.unit
    if column.allowed:
        found["Levels"] = {value: value for value in column.allowed}
    return found


def write_answers(answers: Sequence[AnswerRecord], stem: Path) -> None:
    """Write the answers to questions of blocks and of the session beside the runs; nothing where none was asked."""
    if not answers:
        return
    names = ("question", "ask", "block", "answer", "response_time")
    lines = [[a.question, a.ask, _cell(a.block), _cell(a.answer), f"{a.response_ms / 1000:.6f}"] for a in answers]
    write_tsv(stem.with_name(f"{stem.name}.tsv"), names, lines)
    meanings = {name: {"Description": MEANINGS[name]} for name in names[:-1]}
    time = {"Description": "From the question's first refresh", "Units": "s"}
    files.write_json(stem.with_name(f"{stem.name}.json"), {**meanings, "response_time": time})


def write_tsv(path: Path, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write a table; BIDS has no quotes, so that line breaks and tabs within a cell become blanks."""
    clean = ["\t".join(" ".join(cell.split()) for cell in line) for line in [columns, *lines]]
    files.write_text(path, "\n".join(clean) + "\n")
