"""The engine of every import: rows of a file become rows of the trials table, as a layout says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidvision import texttables
from rapidvision.errors import InputError
from rapidvision.trials import TrialRecord

from ..tables import Trials, from_records
from .answers import NO, RIGHT, WRONG, YES, Cell, decided, refuse_contradictions, refuse_no_match
from .columns import Column, columns_of, one_value, selected
from .folding import folded, given, one_spelling, places, rows, tally, text_of
from .layouts import Layout
from .levels import Levels, levels_of
from .outcomes import Answer, record_of
from .sources import Row, Source
from .times import Time, limit_notes, milliseconds, refuse_untimed


@dataclass(frozen=True)
class Reading:
    """What an import works on: the rows of its trials, each field's column, and the layout."""

    rows: Sequence[Row]
    columns: Mapping[str, Column]
    layout: Layout
    missing: frozenset[str]
    decimal: texttables.Decimal = "."

    def cells(self, field: str) -> list[Cell]:
        """Each row's value of a field; empty text where it is missing or the field has no column."""
        column = self.columns.get(field)
        if column is None:
            return [Cell("", row.where) for row in self.rows]
        several = self.layout.several
        return [Cell(one_value(row, column, several=several, missing=self.missing), row.where) for row in self.rows]


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
    reading = replace(reading, decimal=_decimal(reading, source.delimiter))
    if reading.decimal == ",":
        notes.append("numbers have decimal commas")
    people, told = _participants(reading)
    notes += told
    levels, told = _levels(reading)
    notes += told
    groups, told = _groups(reading)
    notes += told
    answers, told = _answers(reading, people)
    notes += told
    keep = [place for place, answer in enumerate(answers) if answer is not None]
    _refuse_two_groups(reading, people, groups)
    if layout.repeats == "refuse":
        _refuse_repeats(reading, people)
    records = _records(reading, people, groups, levels, answers, keep)
    if not records:
        raise InputError(f"import: nothing to import ({'; '.join(notes) or 'the files have no trials'})")
    trials = from_records(records, name=layout.study, repeats=layout.repeats)
    return replace(trials, notes=(*notes, *trials.notes))


def _refuse_two_groups(reading: Reading, people: Sequence[str], groups: Sequence[str]) -> None:
    seen: dict[str, dict[str, list[str]]] = {}
    for row, who, group in zip(reading.rows, people, groups, strict=True):
        seen.setdefault(who, {}).setdefault(group, []).append(row.where)
    several = {who: found for who, found in seen.items() if len(found) > 1}
    if several:
        who, found = next(iter(several.items()))
        column = reading.columns["group"].name
        raise InputError(
            f'{column}: participant "{who}" is in {len(found)} groups ({tally(found)}), as are {len(several) - 1} others; '
            "these tests compare groups of different participants. Take one condition "
            f"(where {column}=VALUE), or take the conditions as levels (level={column}, group=)"
        )


def _refuse_repeats(reading: Reading, people: Sequence[str]) -> None:
    first: dict[tuple[str, str], str] = {}
    again = []
    for who, practice, (image, where) in zip(people, _phases(reading), reading.cells("image"), strict=True):
        if image and not practice and first.setdefault((who, image), where) != where:
            again.append(where)
    if again:
        raise InputError(
            f"a participant met the same picture twice in {rows(len(again))} ({places(again)}); say repeats first (keep "
            "the first presentation) or repeats keep (keep all)"
        )


def _refuse_too_little(columns: Mapping[str, Column], layout: Layout, source: Source) -> None:
    if not source.rows:
        raise InputError(f"import: nothing to import ({'; '.join(source.notes) or 'the files have no trials'})")
    lacking = []
    if "participant" not in columns and not layout.participant_from_file:
        lacking.append("participant (who answered; participant-from-file when each file is one participant)")
    pressed = "response" in columns or ("response_ms" in columns and layout.no_answer != "missing")
    if "correct" not in columns and not ("target" in columns and pressed):
        lacking.append("correct, or response and target (what was answered, and whether the picture is a target)")
    if "level" not in columns and "group" not in columns:
        lacking.append("level or group (what is compared)")
    if lacking:
        have = ", ".join(name for name in source.columns if not name.startswith("@"))
        raise InputError(f"import: no column for {'; nor for '.join(lacking)}. Name it: FIELD=COLUMN. Columns: {have}")


def _trial_rows(
    kept: Sequence[Row], columns: Mapping[str, Column], missing: frozenset[str]
) -> tuple[list[Row], list[str]]:
    """Rows that are trials: those with a picture, or else with a truth, or else with a level or group."""
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


def _decimal(reading: Reading, delimiter: str) -> texttables.Decimal:
    if reading.layout.decimal != "auto":
        return reading.layout.decimal
    numbers = []
    for field in ("level", "response_ms"):
        for text, where in reading.cells(field):
            plain = text.removesuffix("%").strip()
            if re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", plain):
                numbers.append((plain, where))
    return texttables.decimal_of(numbers, delimiter=delimiter)


def _participants(reading: Reading) -> tuple[list[str], list[str]]:
    if "participant" not in reading.columns:
        names = [text_of(row.cells["@file"]) for row in reading.rows]
        return names, [f"each of {len(set(names))} files is one participant, named after it"]
    column = reading.columns["participant"]
    names = [column.text(row) for row in reading.rows]
    for name, row in zip(names, reading.rows, strict=True):
        if not given(name, reading.missing):
            raise InputError(f"{row.where}: {column.name} is empty; every trial needs its participant")
    notes = []
    padded = sum(
        isinstance(row.cells.get(column.name), str) and row.cells[column.name] != name
        for name, row in zip(names, reading.rows, strict=True)
        if column.pattern is None
    )
    if padded:
        notes.append(f"{column.name}: blanks or decimals at the end of names were removed in {rows(padded)}")
    alike: dict[str, set[str]] = {}
    for name in names:
        alike.setdefault(folded(name), set()).add(name)
    for same in alike.values():
        if len(same) > 1:
            listed = " and ".join(f'"{name}"' for name in sorted(same))
            notes.append(f"participants {listed} differ by case alone; they are kept apart")
    return names, notes


def _levels(reading: Reading) -> tuple[Levels, list[str]]:
    layout = reading.layout
    column = reading.columns.get("level")
    if column is None:
        found = Levels(["all"] * len(reading.rows), {"all": 0}, {"all": None}, [])
        return found, ["no column of levels: every trial is at one level, all"]
    found = levels_of(
        reading.cells("level"),
        column=column.name,
        unit=layout.level_unit,
        full=layout.full,
        most=layout.max_levels,
        decimal=reading.decimal,
    )
    return found, found.notes


def _groups(reading: Reading) -> tuple[list[str], list[str]]:
    column = reading.columns.get("group")
    if column is None:
        return [reading.layout.study] * len(reading.rows), [f'no column of groups: one group, "{reading.layout.study}"']
    words = [column.text(row) for row in reading.rows]
    for word, row in zip(words, reading.rows, strict=True):
        if not given(word, reading.missing):
            raise InputError(f"{row.where}: {column.name} is empty; every trial needs its group")
    spelling, notes = one_spelling(words, what=column.name)
    padded = sum(str(row.cells.get(column.name)) != word for word, row in zip(words, reading.rows, strict=True))
    if padded and column.pattern is None:
        notes.append(f"{column.name}: blanks around names were removed in {rows(padded)}")
    return [spelling[word] for word in words], notes


def _answers(reading: Reading, people: Sequence[str]) -> tuple[list[Answer | None], list[str]]:
    """What each row's participant answered, whether that was right, and when; None for rows that are left out."""
    layout, columns = reading.layout, reading.columns
    notes: list[str] = []
    truth = _truths(reading, notes)
    said = _said(reading, notes)
    correct = _correct(reading, notes)
    raw_times = reading.cells("response_ms")
    pressed = [_pressed(reading, place, said, correct, raw_times) for place in range(len(reading.rows))]
    timed = "response_ms" in columns
    untimed = [place for place, press in enumerate(pressed) if press and timed and _without_time(raw_times[place].text)]
    if layout.untimed == "refuse":
        refuse_untimed(
            [reading.rows[place].where for place in untimed], column=columns["response_ms"].name if timed else ""
        )
    elif untimed:
        word = "read as no answer" if layout.untimed == "missing" else "left out"
        notes.append(f"{rows(len(untimed))} with an answer but no time above 0: {word}")
    gone = set(untimed)
    with_time = [place for place, press in enumerate(pressed) if press and timed and place not in gone]
    ms, told = milliseconds(
        [Time(raw_times[place].text, people[place], raw_times[place].where) for place in with_time],
        unit=layout.time_unit,
        decimal=reading.decimal,
    )
    notes += told
    notes += limit_notes(ms, limit_ms=layout.limit_ms, anticipation_ms=layout.anticipation_ms)
    time_of = dict(zip(with_time, ms, strict=True))
    withheld = None if layout.no_answer == "missing" else layout.no_answer == "target"
    out: list[Answer | None] = []
    for place, press in enumerate(pressed):
        if place in gone and layout.untimed == "leave out":
            out.append(None)
        elif press and place not in gone:
            answer = said[place] if "response" in columns else (None if withheld is None else not withheld)
            out.append(Answer(truth[place], answer, correct[place], time_of.get(place)))
        elif withheld is not None:
            out.append(Answer(truth[place], withheld, correct[place], None))
        else:
            out.append(Answer(truth[place], None, None, None))
    none = sum(answer is not None and not answer.given for answer in out)
    if none:
        notes.append(f"{none:,} of {len(out):,} trials without an answer")
    if withheld is not None:
        count = sum(not press for press in pressed)
        notes.append(f"{count:,} trials without a press mean {layout.no_answer}, as asked")
    _check_contradictions(reading, out, withheld=withheld)
    return out, notes


def _truths(reading: Reading, notes: list[str]) -> list[bool | None]:
    layout = reading.layout
    if "target" not in reading.columns:
        return [None] * len(reading.rows)
    if bool(layout.target_truths) != bool(layout.distractor_truths):
        raise InputError("target_truths and distractor_truths: name both, or neither")
    name = reading.columns["target"].name
    cells = reading.cells("target")
    for text, where in cells:
        if not text:
            raise InputError(f"{where}: {name} is empty; every trial needs to say whether its picture is a target")
    found, told = decided(
        cells,
        layout.target_truths or YES,
        layout.distractor_truths or NO,
        what=name,
        remedy="Name the values that mean target (target_truths) and distractor (distractor_truths)",
    )
    notes += told
    if found and len(set(found)) == 1:
        notes.append(f"{name}: every picture is a {'target' if found[0] else 'distractor'}")
    return found


def _said(reading: Reading, notes: list[str]) -> list[bool | None]:
    layout = reading.layout
    if "response" not in reading.columns:
        return [None] * len(reading.rows)
    column = reading.columns["response"]
    named = {folded(text_of(word)) for word in (*layout.targets, *layout.distractors)}
    reading = replace(reading, missing=reading.missing - named)  # an answer that the user names is no missing value
    cells = reading.cells("response")
    found, told = decided(
        cells,
        layout.targets,
        layout.distractors,
        what=column.name,
        remedy="Name the answers that mean target (targets) and distractor (distractors), or no answer (missing)",
    )
    refuse_no_match(cells, found, layout.targets, what=column.name)
    words: dict[str, int] = {}
    for row, cell in zip(reading.rows, cells, strict=True):
        raw = text_of(column.raw(row))
        if not cell.text and raw:
            words[raw] = words.get(raw, 0) + 1
    told += [f'{column.name}: "{word}" is no answer ({rows(count)})' for word, count in words.items()]
    notes += told
    return found


def _correct(reading: Reading, notes: list[str]) -> list[bool | None]:
    if "correct" not in reading.columns:
        return [None] * len(reading.rows)
    found, told = decided(
        reading.cells("correct"),
        RIGHT,
        WRONG,
        what=reading.columns["correct"].name,
        remedy="One row per trial with 1 or 0 is needed; a share of several trials cannot be imported",
    )
    if "response" not in reading.columns:
        notes += told
    return found


def _pressed(
    reading: Reading, place: int, said: Sequence[bool | None], correct: Sequence[bool | None], times: Sequence[Cell]
) -> bool:
    """Whether there was an answer: one is recorded, or only its correctness, or in go / no-go tasks a time."""
    if "response" in reading.columns:
        return said[place] is not None
    if reading.layout.no_answer != "missing":
        return bool(times[place].text)
    return correct[place] is not None


def _without_time(text: str) -> bool:
    """Whether a cell is empty or holds a number of 0 or less; a word is for :func:`.times.milliseconds` to refuse."""
    if not re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", text):
        return not text
    return text.startswith("-") or not re.search(r"[1-9]", re.sub(r"[eE].*", "", text))


def _check_contradictions(reading: Reading, answers: Sequence[Answer | None], *, withheld: bool | None) -> None:
    if "correct" not in reading.columns or "target" not in reading.columns:
        return
    if "response" not in reading.columns and withheld is None:
        return
    found: dict[str, list[str]] = {}
    for row, answer in zip(reading.rows, answers, strict=True):
        if answer is None or answer.said is None or answer.recorded is None:
            continue
        if (answer.said == answer.target) != answer.recorded:
            found.setdefault(reading.columns["correct"].text(row), []).append(row.where)
    refuse_contradictions(
        found,
        what=reading.columns["correct"].name,
        remedy="Check targets, distractors and the column of truth; or do not read the column (correct=)",
    )


def _records(
    reading: Reading,
    people: Sequence[str],
    groups: Sequence[str],
    levels: Levels,
    answers: Sequence[Answer | None],
    keep: Sequence[int],
) -> list[TrialRecord]:
    layout = reading.layout
    phases = _phases(reading)
    sessions = _sessions(reading, people)
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
            "slot": _slot(cells["slot"][place]),
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


def _slot(cell: Cell) -> int | None:
    if not cell.text:
        return None
    if not re.fullmatch(r"\d+", cell.text):
        raise InputError(f'{cell.where}: slot is "{cell.text}"; a whole number from 0 is needed')
    return int(cell.text)


def _phases(reading: Reading) -> list[bool]:
    if "phase" not in reading.columns:
        return [False] * len(reading.rows)
    words = {folded(text_of(word)) for word in reading.layout.practice}
    cells = reading.cells("phase")
    found = [folded(cell.text) in words for cell in cells]
    if not any(found):
        values = ", ".join(sorted({cell.text for cell in cells})[:8])
        raise InputError(
            f"{reading.columns['phase'].name}: no row is practice ({', '.join(reading.layout.practice)}); its values "
            f"are {values}. Name the one that means practice (practice), or do not read the column (phase=)"
        )
    return found


def _sessions(reading: Reading, people: Sequence[str]) -> list[str]:
    """One session per participant, or per file and participant, or what the file's column says."""
    if "session" in reading.columns:
        names = [cell.text for cell in reading.cells("session")]
        return [f"{who}-{name}" if name else who for who, name in zip(people, names, strict=True)]
    files: dict[str, dict[str, int]] = {}
    out = []
    for row, who in zip(reading.rows, people, strict=True):
        known = files.setdefault(who, {})
        place = known.setdefault(row.file, len(known) + 1)
        out.append(who if place == 1 else f"{who}-{place}")
    return out
