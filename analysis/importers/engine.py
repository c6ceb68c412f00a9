"""The engine of every import: rows of a file become rows of the trials table, as a layout says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidvision.errors import InputError
from rapidvision.formats.trials_table import parse_more
from rapidvision.text import decimals
from rapidvision.trials import TrialRecord

from .answer_sets import column_notes, with_answer_sets
from .doubts import exchanged, incomplete_files, refuse_rows_twice, refuse_spreadsheet_damage
from .levels import Levels, levels_of
from .outcomes import Answer, record_of
from .participants import (
    Conditions,
    conditions_of,
    groups_of,
    network_notes,
    numbers_of,
    participants_of,
    phase_notes,
    practice_of,
    refuse_repeats,
    sessions_of,
    slot_of,
)
from .reading import Reading
from .responses import answers_of
from .source.columns import Column, columns_of, selected, trial_rows
from .source.folding import folded, given, rows, text_of
from .source.layouts import Layout
from .source.rows import Row, Source
from .source.words import kept_columns


@dataclass(frozen=True, eq=False)
class Imported:
    """What an import found: the rows of the trials table, and how they were read.

    Attributes
    ----------
    records : list of TrialRecord
        Sessions in the order of their names; trials in the order of the file, or of the column `trial`.
    notes : tuple of str
        What was recognised, folded, left out and made late, with counts.
    source : Source
        The rows that were read.
    layout : Layout
        As it was used: answer sets, units and decimal sign are those that were found.
    columns : mapping of str to Column
        Each field's column.
    kept : tuple of str
        Other columns that became columns of the table.
    within : bool
        Whether conditions change within participants.
    levels : Levels
        The levels and their axis.
    """

    records: list[TrialRecord]
    notes: tuple[str, ...]
    source: Source
    layout: Layout
    columns: Mapping[str, Column]
    kept: tuple[str, ...]
    within: bool
    levels: Levels


def imported_from(source: Source, layout: Layout, named: Mapping[str, str]) -> Imported:
    """Turn a source's rows into rows of the trials table.

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
    Imported
        The rows and what was done.

    Raises
    ------
    InputError
        When a column is absent, a value has no meaning, or nothing is left.
    """
    kept, told = selected(source, layout.where)
    kept, left = trial_rows(kept, source, layout)
    columns, found = columns_of(replace(source, rows=tuple(kept)), layout, named)
    if "participant" not in columns and not layout.participant_from_file and len({row.file for row in kept}) > 1:
        layout = replace(layout, participant_from_file=True)
    notes = [*source.notes, *found, *told, *left]
    _refuse_too_little(columns, layout, source)
    missing = frozenset(map(folded, map(text_of, layout.missing)))
    kept, told = _trial_rows(kept, columns, missing)
    notes += told
    reading = Reading(kept, columns, layout, missing)
    incomplete_files(reading)
    refuse_spreadsheet_damage(reading)
    reading, told = with_answer_sets(reading)
    notes += [*column_notes(columns, reading.columns), *told]
    layout = reading.layout
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
    conditions, told = conditions_of(reading, people, groups)
    notes += told
    answers, told = answers_of(reading, people)
    notes += [*told, *exchanged(answers, people)]
    if layout.repeats == "refuse":
        refuse_repeats(reading, people)
    used = {column.name for column in reading.columns.values()}
    if conditions.within:
        used.remove(reading.columns["group"].name)
    more = kept_columns(replace(source, rows=tuple(kept)), used, layout)
    notes += _other_columns(source, used, more)
    records = _records(reading, people, conditions, levels, answers, more)
    if not records:
        raise InputError(f"import: nothing to import ({'; '.join(notes) or 'the files have no trials'})")
    return Imported(records, tuple(notes), source, layout, reading.columns, tuple(more), conditions.within, levels)


def _other_columns(source: Source, used: set[str], more: Sequence[str]) -> list[str]:
    """Say which other columns are kept, and which are not used."""
    notes = [f"kept as columns of the table: {', '.join(more)}"] if more else []
    unused = [name for name in source.columns if name not in used and name not in more and not name.startswith("@")]
    if unused:
        end = f" and {len(unused) - 12} more" if len(unused) > 12 else ""
        notes.append(f"columns that were not used: {', '.join(unused[:12])}{end}")
    return notes


def _refuse_too_little(columns: Mapping[str, Column], layout: Layout, source: Source) -> None:
    if not source.rows:
        raise InputError(f"import: nothing to import ({'; '.join(source.notes) or 'the files have no trials'})")
    lacking = []
    if "participant" not in columns and not layout.participant_from_file:
        lacking.append("participant (who answered; participant-from-file when each file is one participant)")
    pressed = "response" in columns or ("response_ms" in columns and layout.no_answer != "missing")
    told = {"target", "truth", "category"} & set(columns)
    if "correct" not in columns and not (told and pressed):
        lacking.append(
            "correct, or response and target (what was answered, and whether the image is a target) or truth"
        )
    if "level" not in columns and "group" not in columns:
        lacking.append("level or group (what is compared)")
    if lacking:
        have = ", ".join(name for name in source.columns if not name.startswith("@"))
        raise InputError(f"import: no column for {'; nor for '.join(lacking)}. Name it: FIELD=COLUMN. Columns: {have}")


def _trial_rows(
    kept: Sequence[Row], columns: Mapping[str, Column], missing: frozenset[str]
) -> tuple[list[Row], list[str]]:
    """Rows that are trials: those with an image, or else with a truth, or else with a level or group."""
    marker = next(field for field in ("image", "target", "truth", "level", "group") if field in columns)
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
    numbers: dict[str, str] = {}
    for field in ("level", "response_ms"):
        for text, where in reading.cells(field):
            if text not in numbers:
                numbers[text] = where
    plain = [(text.removesuffix("%").strip(), where) for text, where in numbers.items()]
    found = [(text, where) for text, where in plain if re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", text)]
    return decimals.decimal_of(found, delimiter=delimiter)


def _levels(reading: Reading) -> tuple[Levels, list[str]]:
    layout = reading.layout
    column = reading.columns.get("level")
    if column is None:
        found = Levels(["all"] * len(reading.rows), {"all": 0}, {"all": None}, [])
        return found, ["no column of levels: every trial is at one level, all"]
    found = levels_of(
        reading.cells("level", never_missing=layout.full), column=column.name, layout=layout, decimal=reading.decimal
    )
    return found, found.notes


def _records(
    reading: Reading,
    people: Sequence[str],
    conditions: Conditions,
    levels: Levels,
    answers: Sequence[Answer | None],
    more: Sequence[str],
) -> list[TrialRecord]:
    layout = reading.layout
    phases = practice_of(reading)
    sessions = sessions_of(reading, people)
    cells = {field: reading.cells(field) for field in ("image", "category", "slot")}
    numbers, blocks = numbers_of(reading, "trial"), numbers_of(reading, "block")
    first_block = min(blocks) if blocks else 0
    others = {name: parse_more([text_of(row.cells.get(name)) for row in reading.rows]) for name in more}
    keep = [place for place, answer in enumerate(answers) if answer is not None]
    keep.sort(key=lambda place: (sessions[place], numbers[place] if numbers else 0))
    count: dict[str, int] = {}
    out = []
    for place in keep:
        answer = answers[place]
        assert answer is not None
        session = sessions[place]
        count[session] = count.get(session, -1) + 1
        human = not layout.people or re.fullmatch(layout.people, people[place]) is not None
        label = levels.labels[place]
        own: dict[str, Any] = {name: values[place] for name, values in others.items()}
        if levels.values:
            own |= {
                "level_value": levels.values.get(label),
                "level_scale": levels.scale,
                "level_unit": levels.unit or None,
            }
        values: dict[str, Any] = {
            "study_id": layout.study,
            "session_id": session,
            "participant_id": people[place],
            "observer": layout.observers if human else people[place],
            "observer_kind": layout.observers if human else "model",
            "group": conditions.groups[place],
            "map_source": conditions.conditions[place],
            "slot": slot_of(cells["slot"][place]),
            "phase": "practice" if phases[place] else "main",
            "block": -1 if phases[place] else blocks[place] - first_block if blocks else 0,
            "trial": count[session],
            "image_id": cells["image"][place].text or None,
            "category": cells["category"][place].text or None,
            "level_label": label,
            "level_index": levels.order[label],
            "reveal_fraction": levels.fractions[label],
            "more": own,
        }
        out.append(record_of(answer, values, limit_ms=layout.limit_ms, anticipation_ms=layout.anticipation_ms))
    return out
