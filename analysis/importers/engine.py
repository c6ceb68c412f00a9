"""The engine of every import: rows of a file become rows of the trials table, as a layout says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rapidvision.errors import InputError
from rapidvision.text import decimals
from rapidvision.trials import TrialRecord

from ..table.trials import Trials, read_trials
from .doubts import exchanged, incomplete_files, refuse_rows_twice, refuse_spreadsheet_damage
from .levels import Levels, levels_of
from .outcomes import Answer, record_of
from .participants import (
    groups_of,
    network_notes,
    participants_of,
    phase_notes,
    practice_of,
    refuse_repeats,
    refuse_two_groups,
    sessions_of,
    slot_of,
)
from .reading import Reading
from .responses import answers_of
from .source.columns import Column, columns_of, selected
from .source.files import Row, Source
from .source.folding import folded, given, rows, text_of
from .source.layouts import Layout


def trials_from(source: Source, layout: Layout, named: Mapping[str, str]) -> Trials:
    """Turn a source's rows into a checked trials table.

    Parameters
    ----------
    source : Source
        Rows of one import.
    layout : Layout
        What columns and values mean.
    named : mapping of str to str
        Our field → column, as the user says.

    Returns
    -------
    Trials
        Its notes say what was recognised, folded, left out and made late, with counts.

    Raises
    ------
    InputError
        When a column is absent, a value has no meaning, or nothing is left.
    """
    kept, told = selected(source, layout.where)
    columns, found = columns_of(source, layout, named)
    notes = [*source.notes, *found, *told]
    _refuse_too_little(columns, layout, source)
    missing = frozenset(map(folded, map(text_of, layout.missing)))
    kept, told = _trial_rows(kept, columns, missing)
    notes += told
    reading = Reading(kept, columns, layout, missing)
    incomplete_files(reading)
    refuse_spreadsheet_damage(reading)
    reading = replace(reading, decimal=_decimal(reading, source.delimiter))
    if reading.decimal == ",":
        notes.append("numbers have decimal commas")
    people, told = participants_of(reading)
    notes += told
    notes += [*network_notes(reading, people), *phase_notes(reading)]
    refuse_rows_twice(reading, people)
    levels, told = _levels(reading)
    notes += told
    groups, told = groups_of(reading)
    notes += told
    answers, told = answers_of(reading, people)
    notes += [*told, *exchanged(answers, people)]
    keep = [place for place, answer in enumerate(answers) if answer is not None]
    refuse_two_groups(reading, people, groups)
    if layout.repeats == "refuse":
        refuse_repeats(reading, people)
    records = _records(reading, people, groups, levels, answers, keep)
    if not records:
        raise InputError(f"import: nothing to import ({'; '.join(notes) or 'the files have no trials'})")
    trials = read_trials(records, name=layout.study, repeats=layout.repeats)
    return replace(trials, notes=(*notes, *trials.notes))


def _refuse_too_little(columns: Mapping[str, Column], layout: Layout, source: Source) -> None:
    if not source.rows:
        raise InputError(f"import: nothing to import ({'; '.join(source.notes) or 'the files have no trials'})")
    lacking = []
    if "participant" not in columns and not layout.participant_from_file:
        lacking.append("participant (who answered; participant-from-file when each file is one participant)")
    pressed = "response" in columns or ("response_ms" in columns and layout.no_answer != "missing")
    if "correct" not in columns and not ("target" in columns and pressed):
        lacking.append("correct, or response and target (what was answered, and whether the image is a target)")
    if "level" not in columns and "group" not in columns:
        lacking.append("level or group (what is compared)")
    if lacking:
        have = ", ".join(name for name in source.columns if not name.startswith("@"))
        raise InputError(f"import: no column for {'; nor for '.join(lacking)}. Name it: FIELD=COLUMN. Columns: {have}")


def _trial_rows(
    kept: Sequence[Row], columns: Mapping[str, Column], missing: frozenset[str]
) -> tuple[list[Row], list[str]]:
    """Rows that are trials: those with an image, or else with a truth, or else with a level or group."""
    marker = next(field for field in ("image", "target", "level", "group") if field in columns)
    column = columns[marker]
    trials = [row for row in kept if given(text_of(row.cells.get(column.name)), missing)]
    left = [row for row in kept if not given(text_of(row.cells.get(column.name)), missing)]
    if not left:
        return trials, []
    answer = columns.get("response") or columns.get("correct")
    answered = sum(answer is not None and given(text_of(row.cells.get(answer.name)), missing) for row in left)
    text = f"left out {rows(len(left))} without {marker} ({column.name} is empty)"
    return trials, [f"{text}, {answered} of them with an answer" if answered else text]


def _decimal(reading: Reading, delimiter: str) -> decimals.Decimal:
    if reading.layout.decimal != "auto":
        return reading.layout.decimal
    numbers = []
    for field in ("level", "response_ms"):
        for text, where in reading.cells(field):
            plain = text.removesuffix("%").strip()
            if re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", plain):
                numbers.append((plain, where))
    return decimals.decimal_of(numbers, delimiter=delimiter)


def _levels(reading: Reading) -> tuple[Levels, list[str]]:
    layout = reading.layout
    column = reading.columns.get("level")
    if column is None:
        found = Levels(["all"] * len(reading.rows), {"all": 0}, {"all": None}, [])
        return found, ["no column of levels: every trial is at one level, all"]
    found = levels_of(
        reading.cells("level", never_missing=layout.full),
        column=column.name,
        unit=layout.level_unit,
        full=layout.full,
        most=layout.max_levels,
        decimal=reading.decimal,
    )
    return found, found.notes


def _records(
    reading: Reading,
    people: Sequence[str],
    groups: Sequence[str],
    levels: Levels,
    answers: Sequence[Answer | None],
    keep: Sequence[int],
) -> list[TrialRecord]:
    layout = reading.layout
    phases = practice_of(reading)
    sessions = sessions_of(reading, people)
    cells = {field: reading.cells(field) for field in ("image", "category", "slot")}
    count: dict[str, int] = {}
    out = []
    for place in keep:
        answer = answers[place]
        assert answer is not None
        session = sessions[place]
        count[session] = count.get(session, -1) + 1
        human = not layout.people or re.fullmatch(layout.people, people[place]) is not None
        label = levels.labels[place]
        values: dict[str, Any] = {
            "study_id": layout.study,
            "session_id": session,
            "participant_id": people[place],
            "observer": layout.observers if human else people[place],
            "observer_kind": layout.observers if human else "model",
            "group": groups[place],
            "slot": slot_of(cells["slot"][place]),
            "phase": "practice" if phases[place] else "main",
            "trial": count[session],
            "image_id": cells["image"][place].text or None,
            "category": cells["category"][place].text or None,
            "level_label": label,
            "level_index": levels.order[label],
            "reveal_fraction": levels.fractions[label],
        }
        out.append(record_of(answer, values, limit_ms=layout.limit_ms, anticipation_ms=layout.anticipation_ms))
    return out
