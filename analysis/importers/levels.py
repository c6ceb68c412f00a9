"""Levels of other programs: the label as it was written, and a place on the reveal axis only when its unit is per cent."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rapidvision.errors import InputError
from rapidvision.text import decimals

from .answers import Cell
from .axes.bins import binned, edges_of, scale_of
from .axes.units import split_unit
from .source.folding import folded, one_spelling, places, rows, tally
from .source.layouts import Layout
from .source.vocabulary import unit_of_name

_NUMBER = re.compile(r"[-+]?[\d.,]+([eE][-+]?\d+)?")
#: Codes of the authors' files for the intact image, where levels are per cent.
_FULL_CODES = ("200", "-10")


class Levels(NamedTuple):
    """Label, place and reveal fraction of every row's level, what was recognised, and the axis.

    `values` has the number of each label that is one (of a bin: the mean of its levels, geometric on a log axis).
    """

    labels: list[str]
    order: dict[str, int]
    fractions: dict[str, float | None]
    notes: list[str]
    values: Mapping[str, float] = MappingProxyType({})
    unit: str = ""
    scale: str = ""


def levels_of(cells: Sequence[Cell], *, column: str, layout: Layout, decimal: decimals.Decimal) -> Levels:
    """Label every row's level.

    Parameters
    ----------
    cells : sequence of Cell
        As written.
    column : str
        The column's name; one that says a unit ("percent", "soa_ms") names it, as cells do that end in "%" or "dB".
    layout : Layout
        Unit, axis, bins, labels of the intact image, and the largest number of distinct levels.
    decimal : {".", ","}
        Decimal sign.

    Returns
    -------
    Levels
        Numbers ascend, then words by name; the intact image comes last.

    Raises
    ------
    InputError
        When a cell is empty, a number is outside its unit or bins, or there are too many levels.

    Examples
    --------
    >>> found = levels_of([Cell("-3", "row 2"), Cell("0", "row 3")], column="noise_dB", layout=Layout(), decimal=".")
    >>> found.order, found.values, found.unit, found.scale
    ({'-3': 0, '0': 1}, {'-3': -3.0, '0': 0.0}, 'dB', 'linear')
    """
    unit, full = layout.level_unit, layout.full
    notes = []
    marks = {mark for mark in {split_unit(cell.text)[1] for cell in cells} if mark}
    if len(marks) > 1:
        raise InputError(
            f"{_file(cells)}: {column}: levels end in different units ({', '.join(sorted(marks))}); write all in one"
        )
    if not unit and (unit := unit_of_name(column) or next(iter(marks), "")):
        axis = "levels are per cent of the features" if unit == "percent" else f"the unit of levels is {unit}"
        notes.append(f"{column}: {axis} (the file says so)")
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
    first: dict[str, str] = {}
    for cell in cells:
        if cell.text not in number:
            number[cell.text] = _number(cell, column, unit, full_words, decimal)
            first[cell.text] = f"{cell.where}: {column}"
    if not layout.level_unit and layout.level_words == "refuse":
        _refuse_words_among_numbers(number, cells, column, full_words)
    if unit == "percent" and not layout.level_unit and 0 in number.values():
        unit = "%"
        notes.append(
            f"{column}: 0 per cent occurs, so levels are no share of the features and have no place on the reveal axis"
        )
    if unit in ("percent", "share"):
        _check_range(number, cells, column, unit)
    numbers = {text: value for text, value in number.items() if value is not None}
    scale = (
        layout.level_scale
        if layout.level_scale != "auto"
        else "log"
        if unit in ("percent", "share")
        else scale_of(list(numbers.values()))
    )
    if scale == "log" and numbers and min(numbers.values()) <= 0:
        text = min(numbers, key=lambda one: numbers[one])
        raise InputError(f"{first[text]} is {text}; a log axis has numbers above 0 only (level_scale linear)")
    edges = layout.level_edges or (edges_of(list(numbers.values()), layout.n_level_bins) if layout.n_level_bins else ())
    names = _names(set(numbers.values()), unit)
    bins = (
        binned(numbers, edges, wheres=first)
        if edges
        else {text: (names[value], value) for text, value in numbers.items()}
    )
    label_of = {
        text: bins[text][0] if text in bins else "full" if folded(text) in full_words else spelling[text]
        for text in number
    }
    value_of = {label_of[text]: bins[text][1] if text in bins else None for text in number}
    if len(value_of) > layout.max_levels:
        some = ", ".join(sorted(value_of, key=lambda label: value_of[label] or 0)[:4])
        raise InputError(
            f"{_file(cells)}: {column}: {len(value_of)} distinct levels ({some} …); a test per level needs few. Put them into "
            f"bins (n_level_bins 6, or level_edges), or allow them: max_levels {len(value_of)}"
        )
    values = (
        _means(cells, numbers, label_of, scale) if edges else {label_of[text]: value for text, value in numbers.items()}
    )
    if edges:
        counts = Counter(label_of[cell.text] for cell in cells)
        listed = ", ".join(f"{label} ({rows(counts[label])})" for label in sorted(values, key=lambda one: values[one]))
        notes.append(f"{column}: {len(numbers)} distinct levels were put into {len(values)} bins: {listed}")
    order = sorted(value_of, key=lambda label: _order(label, value_of[label]))
    fractions: dict[str, float | None] = {label: _fraction(values.get(label), unit) for label in value_of}
    if not unit and values:
        notes.append(f"{column}: levels are kept as they are written; their unit was not named")
    return Levels(
        [label_of[cell.text] for cell in cells],
        {label: place for place, label in enumerate(order)},
        fractions,
        [*notes, *told],
        values,
        unit,
        scale if values else "",
    )


def _means(
    cells: Sequence[Cell], numbers: Mapping[str, float], label_of: Mapping[str, str], scale: str
) -> dict[str, float]:
    """Mean of each bin's levels over its rows; geometric on a log axis."""
    inside: dict[str, list[float]] = {}
    for cell in cells:
        if cell.text in numbers:
            inside.setdefault(label_of[cell.text], []).append(numbers[cell.text])
    if scale == "log":
        return {label: math.exp(math.fsum(sorted(map(math.log, own))) / len(own)) for label, own in inside.items()}
    return {label: math.fsum(sorted(own)) / len(own) for label, own in inside.items()}


def _file(cells: Sequence[Cell]) -> str:
    """The file of the first row, for messages on a whole column."""
    return cells[0].where.rpartition(": ")[0]


def _number(cell: Cell, column: str, unit: str, full_words: set[str], decimal: decimals.Decimal) -> float | None:
    where = f"{cell.where}: {column}"
    if not cell.text:
        raise InputError(f"{where} is empty; every trial needs a level")
    if folded(cell.text) in full_words:
        return None
    text, _ = split_unit(cell.text)
    if _NUMBER.fullmatch(text):
        return decimals.number_of(text, decimal=decimal, where=where)
    if unit in ("percent", "share"):
        raise InputError(f'{where} is "{cell.text}"; a number is needed where levels are a {unit}, or full')
    return None


def _refuse_mixed_marks(cells: Sequence[Cell], column: str) -> None:
    plain = [cell.where for cell in cells if _NUMBER.fullmatch(cell.text)]
    ends = {split_unit(cell.text)[1]: cell.text for cell in cells}
    marked = [cell.where for cell in cells if split_unit(cell.text)[1]]
    if plain and marked:
        mark = next("%" if one == "percent" else one for one in ends if one)
        raise InputError(
            f"{column}: {rows(len(marked))} end in {mark} ({places(marked)}) and {rows(len(plain))} do not ({places(plain)}); "
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
            "labels keep them (level_words keep), else mend the cells"
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
