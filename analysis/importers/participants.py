"""Participants: who answered each row, in which group and session, and what a participant must not do twice."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidvision.errors import InputError

from .answers import Cell
from .reading import Reading
from .source.folding import folded, given, one_spelling, places, rows, tally, text_of
from .source.words import YES, is_practice


def participants_of(reading: Reading) -> tuple[list[str], list[str]]:
    """Return each row's participant, and what was tidied in their names."""
    if "participant" not in reading.columns:
        names = [text_of(row.cells["@file"]) for row in reading.rows]
        files = {
            name: {row.file for row, own in zip(reading.rows, names, strict=True) if own == name} for name in set(names)
        }
        for name, same in files.items():
            if len(same) > 1:
                raise InputError(
                    f'{" and ".join(sorted(same))}: two files of the name "{name}"; rename one participant\'s file'
                )
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
    files_of: dict[str, set[str]] = {}
    for name, row in zip(names, reading.rows, strict=True):
        files_of.setdefault(name, set()).add(row.file)
    if several := [name for name, files in files_of.items() if len(files) > 1]:
        notes.append(
            f"{len(several)} participants have several files, taken as sessions of one person: {', '.join(several[:8])}"
        )
    alike: dict[str, set[str]] = {}
    for name in names:
        alike.setdefault(folded(name), set()).add(name)
    for same in alike.values():
        if len(same) > 1:
            listed = " and ".join(f'"{name}"' for name in sorted(same))
            notes.append(f"participants {listed} differ by case alone; they are kept apart")
    return names, notes


def groups_of(reading: Reading) -> tuple[list[str], list[str]]:
    """Return each row's group, and which spellings were folded."""
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


def practice_of(reading: Reading) -> list[bool]:
    """Whether each row is practice."""
    if "phase" not in reading.columns:
        return [False] * len(reading.rows)
    words = {folded(text_of(word)) for word in reading.layout.practice}
    if is_practice(reading.columns["phase"].name):
        words |= {*YES}
    cells = reading.cells("phase")
    found = [folded(cell.text) in words for cell in cells]
    if not any(found):
        values = ", ".join(sorted({cell.text for cell in cells})[:8])
        raise InputError(
            f"{reading.columns['phase'].name}: no row is practice ({', '.join(reading.layout.practice)}); its values "
            f"are {values}. Name the one that means practice (practice), or do not read the column (phase=)"
        )
    return found


def phase_notes(reading: Reading) -> list[str]:
    """Say which values of the phase were read as practice, and which as the main phase."""
    if "phase" not in reading.columns:
        return []
    counts: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for practice, cell in zip(practice_of(reading), reading.cells("phase"), strict=True):
        counts[practice][cell.text] = counts[practice].get(cell.text, 0) + 1
    column = reading.columns["phase"].name
    return [
        f"{column}: "
        + ", ".join(f'"{value}" ({rows(count)})' for value, count in counts[practice].items())
        + f" is the {'practice' if practice else 'main'} phase"
        for practice in (True, False)
        if counts[practice]
    ]


def network_notes(reading: Reading, people: Sequence[str]) -> list[str]:
    """Say how many observers were read as networks because their names are no person's."""
    pattern = reading.layout.people
    networks = sorted({who for who in people if pattern and re.fullmatch(pattern, who) is None})
    if not networks:
        return []
    some = ", ".join(networks[:8]) + (f" and {len(networks) - 8} more" if len(networks) > 8 else "")
    return [f"{len(networks)} of {len(set(people))} observers are networks ({some}): their names do not fit {pattern}"]


def sessions_of(reading: Reading, people: Sequence[str]) -> list[str]:
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


class Conditions(NamedTuple):
    """Each row's group of participants, and the condition whose effect is compared within participants."""

    groups: list[str]
    conditions: list[str]
    within: bool


def conditions_of(reading: Reading, people: Sequence[str], groups: Sequence[str]) -> tuple[Conditions, list[str]]:
    """Tell groups of different participants from conditions that each participant has.

    Raises
    ------
    InputError
        When few participants are in two groups and most in one; names rows of both.
    """
    seen: dict[str, dict[str, list[str]]] = {}
    for row, who, group in zip(reading.rows, people, groups, strict=True):
        seen.setdefault(who, {}).setdefault(group, []).append(row.where)
    several = {who: found for who, found in seen.items() if len(found) > 1}
    if not several:
        return Conditions(list(groups), list(groups), within=False), []
    column = reading.columns["group"].name
    if len(several) < len(seen) / 2:
        who, found = next(iter(several.items()))
        raise InputError(
            f'{column}: participant "{who}" is in {len(found)} groups ({tally(found)}), as are {len(several) - 1} others, '
            f"while {len(seen) - len(several)} are in one. Mend the cells, or give different people different names; to read "
            f"conditions that everybody has, leave out who has one (where {column}=VALUE takes one condition)"
        )
    note = (
        f"{column}: {len(several)} of {len(seen)} participants have more than one of {', '.join(sorted(set(groups)))}: conditions "
        f'within participants, in map_source and {column}; everybody is of one group, "{reading.layout.study}"'
    )
    return Conditions([reading.layout.study] * len(groups), list(groups), within=True), [note]


def refuse_repeats(reading: Reading, people: Sequence[str]) -> None:
    """Refuse an image that a participant met twice in the main phase, naming the rows."""
    first: dict[tuple[str, str], str] = {}
    again = []
    for who, practice, (image, where) in zip(people, practice_of(reading), reading.cells("image"), strict=True):
        if image and not practice and first.setdefault((who, image), where) != where:
            again.append(where)
    if again:
        raise InputError(
            f"a participant met the same image twice in {rows(len(again))} ({places(again)}); say repeats first (keep "
            "the first presentation) or repeats keep (keep all)"
        )


def numbers_of(reading: Reading, field: str) -> list[int] | None:
    """Each row's number of a trial or block; None where the table has none.

    Raises
    ------
    InputError
        When a cell is no whole number.
    """
    if field not in reading.columns:
        return None
    out = []
    for text, where in reading.cells(field):
        if not re.fullmatch(r"\d+", text):
            raise InputError(
                f'{where}: {reading.columns[field].name} is "{text}"; a whole number from 0 is needed, or do not read the '
                f"column ({field}=)"
            )
        out.append(int(text))
    return out


def slot_of(cell: Cell) -> int | None:
    """Return the number of the plan; None where the cell is empty."""
    if not cell.text:
        return None
    if not re.fullmatch(r"\d+", cell.text):
        raise InputError(f'{cell.where}: slot is "{cell.text}"; a whole number from 0 is needed')
    return int(cell.text)
