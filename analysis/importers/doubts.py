"""Doubts: damage that spreadsheets do, rows that are there twice, and answers that look exchanged."""

import re
from collections import Counter
from collections.abc import Sequence

from scipy.special import bdtr

from rapidvision.errors import InputError

from .outcomes import Answer
from .reading import Reading
from .source.folding import places, rows, tally, text_of

_ERRORS = re.compile(
    r"#(N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|NV|WERT!|BEZUG!|ZAHL!|VALEUR!|NOMBRE!|¡VALOR!|¡REF!|¡DIV/0!)"
)
#: What a spreadsheet makes of an id such as ``5e12``: many ids become one number.
_ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+?\d{2,}")
#: Below this share of right answers, and beyond chance at one in a thousand, answers are probably exchanged.
_EXCHANGED, _ALPHA = 0.4, 0.001


def refuse_spreadsheet_damage(reading: Reading) -> None:
    """Refuse error cells, and ids that were rounded to numbers.

    Raises
    ------
    InputError
        With values, counts and rows.
    """
    for field, column in reading.columns.items():
        errors: dict[str, list[str]] = {}
        rounded: dict[str, list[str]] = {}
        for row in reading.rows:
            cell = row.cells.get(column.name)
            if field not in ("participant", "session") and not (isinstance(cell, str) and "#" in cell):
                continue
            text = text_of(cell)
            if text[:1] != "#" and field not in ("participant", "session"):
                continue
            if _ERRORS.fullmatch(text):
                errors.setdefault(text, []).append(row.where)
            elif field in ("participant", "session") and _ROUNDED.fullmatch(text):
                rounded.setdefault(text, []).append(row.where)
        if errors:
            raise InputError(
                f"{column.name}: a spreadsheet's errors: {tally(errors)}. Mend the cells, or leave rows out"
            )
        if rounded:
            raise InputError(
                f"{column.name}: {tally(rounded)} looks like an id that a spreadsheet rounded to a number, so that several "
                "may have become one. Export the ids again as text"
            )


def refuse_rows_twice(reading: Reading, people: Sequence[str]) -> None:
    """Refuse a file all of whose rows of a participant stand in another file too, and rows that repeat as a block.

    Raises
    ------
    InputError
        Names both places.
    """
    if "response_ms" not in reading.columns:
        return  # without times, equal rows are ordinary
    found: dict[str, dict[str, list[int]]] = {}
    for place, (row, who) in enumerate(zip(reading.rows, people, strict=True)):
        found.setdefault(who, {}).setdefault(row.file, []).append(place)
    for who, files in found.items():
        several = files if len(files) > 1 else {}
        counted = {name: Counter(_cells(reading, place) for place in at) for name, at in several.items()}
        for name, count in counted.items():
            for other, more in counted.items():
                if name != other and sum(count.values()) >= 3 and count <= more:
                    raise InputError(f'{name}: every row of "{who}" stands in {other} too; name one of the files')
        for at in files.values():
            half = len(at) // 2
            pairs = zip(at[:half], at[half:], strict=False)
            if len(at) < 6 or len(at) % 2 or any(_cells(reading, one) != _cells(reading, two) for one, two in pairs):
                continue
            where = reading.rows[at[half]].where
            raise InputError(f'{where}: from here the rows of "{who}" repeat those before; delete one copy')


def _cells(reading: Reading, place: int) -> tuple[str, ...]:
    row = reading.rows[place]
    return tuple(column.text(row) for column in reading.columns.values() if not column.name.startswith("@"))


def exchanged(answers: Sequence[Answer | None], people: Sequence[str]) -> list[str]:
    """Note participants who are right less often than guessing: their keys may have been exchanged.

    Parameters
    ----------
    answers : sequence of Answer or None
        Of each row.
    people : sequence of str
        Who gave it.
    """
    right: dict[str, list[bool]] = {}
    for answer, who in zip(answers, people, strict=True):
        if answer is not None and answer.target is not None and answer.said is not None:
            right.setdefault(who, []).append(answer.said == answer.target)
    low = {
        who: sum(found) / len(found)
        for who, found in right.items()
        if sum(found) < _EXCHANGED * len(found) and bdtr(sum(found), len(found), 0.5) < _ALPHA
    }
    if not low:
        return []
    some = ", ".join(f"{who} {share:.2f}" for who, share in list(low.items())[:8])
    count = f"{len(low)} of {len(right)} participants are right less often than by guessing ({some})"
    remedy = "Were targets and distractors exchanged, or do keys differ between participants (field target_key)?"
    return [f"WARNING: {count}. {remedy}"]


def incomplete_files(reading: Reading) -> None:
    """Refuse a file that lacks a column which other files have: its cells would all be missing.

    Raises
    ------
    InputError
        Names file and column.
    """
    have: dict[str, set[str]] = {}
    where: dict[str, str] = {}
    for row in reading.rows:
        have.setdefault(row.file, set()).update(row.cells)
        where.setdefault(row.file, row.where)
    for field, column in reading.columns.items():
        lacking = [name for name, names in have.items() if column.name not in names]
        if lacking:
            raise InputError(
                f"{lacking[0]}: no column {column.name} for {field}, which other files have "
                f"({rows(len(lacking)).replace('row', 'file')} without it: {places([where[name] for name in lacking])}). "
                "Import files of one form together"
            )
