"""Levels of other programs: the label as it was written, and a place on the reveal axis only when its unit is per cent."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidvision.errors import InputError
from rapidvision.text import decimals

from .answers import Cell
from .source.folding import folded, one_spelling, places, rows, tally

_NUMBER = re.compile(r"[-+]?[\d.,]+([eE][-+]?\d+)?")
#: Codes of the authors' files for the intact image, where levels are per cent.
_FULL_CODES = ("200", "-10")
_PERCENT = re.compile(r"per ?cent|pct|%", re.IGNORECASE)


class Levels(NamedTuple):
    """Label, place and reveal fraction of every row, and what was recognised."""

    labels: list[str]
    order: dict[str, int]
    fractions: dict[str, float | None]
    notes: list[str]


def levels_of(
    cells: Sequence[Cell], *, column: str, unit: str, full: Sequence[str], most: int, decimal: decimals.Decimal
) -> Levels:
    """Label every row's level.

    Parameters
    ----------
    cells : sequence of Cell
        As written.
    column : str
        The column's name; one that holds "percent" or "%" names the unit, as cells do that end in "%".
    unit : str
        See :class:`~.layouts.Layout`.
    full : sequence of str
        Labels of the intact image.
    most : int
        Largest number of distinct levels.
    decimal : {".", ","}
        Decimal sign.

    Returns
    -------
    Levels
        Numbers ascend, then words by name; the intact image comes last.

    Raises
    ------
    InputError
        When a cell is empty, a number is outside its unit, or there are too many levels.

    Examples
    --------
    >>> found = levels_of([Cell("-3", "row 2"), Cell("0", "row 3")], column="dB", unit="dB", full=(), most=30, decimal=".")
    >>> found.order, found.fractions
    ({'-3': 0, '0': 1}, {'-3': None, '0': None})
    """
    notes = []
    marked = sum(cell.text.endswith("%") for cell in cells)
    if not unit and (_PERCENT.search(column) or marked):
        unit = "percent"
        notes.append(f"{column}: levels are per cent of the features (the file says so)")
    full_words = {folded(word) for word in (*full, *(_FULL_CODES if unit == "percent" else ()))}
    if codes := sorted({cell.text for cell in cells} & set(_FULL_CODES)) if unit == "percent" else []:
        count = sum(cell.text in codes for cell in cells)
        notes.append(
            f"{column}: {' and '.join(codes)} is read as the intact image ({rows(count)}); in per cent it is a code"
        )
    spelling, told = one_spelling([cell.text for cell in cells], what=column)
    told = [note for note in told if not _NUMBER.match(note.partition('"')[2])]
    _refuse_mixed_marks(cells, column)
    number: dict[str, float | None] = {}
    for cell in cells:
        if cell.text not in number:
            number[cell.text] = _number(cell, column, unit, full_words, decimal)
    if not unit:
        _refuse_words_among_numbers(number, cells, column, full_words)
    if unit in ("percent", "share"):
        _check_range(number, cells, column, unit)
    names = _names({value for value in number.values() if value is not None}, unit)
    label_of = {
        text: "full"
        if value is None and folded(text) in full_words
        else spelling[text]
        if value is None
        else names[value]
        for text, value in number.items()
    }
    value_of = {label_of[text]: value for text, value in number.items()}
    if len(value_of) > most:
        some = ", ".join(sorted(value_of, key=lambda label: value_of[label] or 0)[:4])
        raise InputError(
            f"{_file(cells)}: {column}: {len(value_of)} distinct levels ({some} …); a test per level needs few. Put a column of binned "
            f"levels into the file, or allow them: max_levels {len(value_of)}"
        )
    order = sorted(value_of, key=lambda label: _order(label, value_of[label]))
    fractions = {label: _fraction(value, unit) for label, value in value_of.items()}
    if not unit and any(value is not None for value in value_of.values()):
        notes.append(f"{column}: levels are kept as they are written; their unit was not named")
    return Levels(
        [label_of[cell.text] for cell in cells],
        {label: place for place, label in enumerate(order)},
        fractions,
        [*notes, *told],
    )


def _file(cells: Sequence[Cell]) -> str:
    """The file of the first row, for messages on a whole column."""
    return cells[0].where.rpartition(": ")[0]


def _number(cell: Cell, column: str, unit: str, full_words: set[str], decimal: decimals.Decimal) -> float | None:
    where = f"{cell.where}: {column}"
    if not cell.text:
        raise InputError(f"{where} is empty; every trial needs a level")
    if folded(cell.text) in full_words:
        return None
    text = cell.text.removesuffix("%").strip()
    if _NUMBER.fullmatch(text):
        return decimals.number_of(text, decimal=decimal, where=where)
    if unit in ("percent", "share"):
        raise InputError(f'{where} is "{cell.text}"; a number is needed where levels are a {unit}, or full')
    return None


def _refuse_mixed_marks(cells: Sequence[Cell], column: str) -> None:
    plain = [cell.where for cell in cells if _NUMBER.fullmatch(cell.text)]
    marked = [cell.where for cell in cells if cell.text.endswith("%")]
    if plain and marked:
        raise InputError(
            f"{column}: {rows(len(marked))} end in % ({places(marked)}) and {rows(len(plain))} do not ({places(plain)}); "
            "write all levels in one unit"
        )


def _refuse_words_among_numbers(
    number: dict[str, float | None], cells: Sequence[Cell], column: str, full_words: set[str]
) -> None:
    """A word among numbers is often a number that a spreadsheet took for a date (2.5 became 02 May)."""
    words: dict[str, list[str]] = {}
    for cell in cells:
        if number[cell.text] is None and folded(cell.text) not in full_words:
            words.setdefault(cell.text, []).append(cell.where)
    if words and any(value is not None for value in number.values()):
        raise InputError(
            f"{column}: words among numbers: {tally(words)}. If a word names the intact image say so (full), if all are "
            "labels name a unit (level_unit), else mend the cells"
        )


def _check_range(number: dict[str, float | None], cells: Sequence[Cell], column: str, unit: str) -> None:
    high = 100.0 if unit == "percent" else 1.0
    values = {text: value for text, value in number.items() if value is not None}
    for text, value in values.items():
        if not 0 < value <= high:
            where = next(cell.where for cell in cells if cell.text == text)
            raise InputError(
                f"{where}: {column} is {text}; a {unit} lies above 0 and up to {high:g} (the intact image is "
                "called full). Name another unit with level_unit, and labels stay as they are"
            )
    if unit == "percent" and len(values) > 1 and max(values.values()) <= 1:
        raise InputError(
            f"{_file(cells)}: {column}: levels go from {min(values.values()):g} to {max(values.values()):g}: shares, not per cent? "
            "Say level_unit share, or another unit"
        )


def _names(values: set[float], unit: str) -> dict[float, str]:
    scale = 100.0 if unit == "share" else 1.0
    for digits in (3, 6, 12):
        names = {value: f"{value * scale:.{digits}g}" for value in values}
        if len(set(names.values())) == len(values) and (unit in ("percent", "share") or digits == 12):
            return names
    return {value: repr(value * scale) for value in values}


def _fraction(value: float | None, unit: str) -> float | None:
    if value is None or unit not in ("percent", "share"):
        return None
    return value / 100 if unit == "percent" else value


def _order(label: str, value: float | None) -> tuple[int, float, str]:
    if value is not None:
        return 0, value, label
    return (2 if label == "full" else 1), math.inf, label
