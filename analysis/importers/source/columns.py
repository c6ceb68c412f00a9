"""Columns: which column of a file fills which of our fields, and each row's cell in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidvision.errors import InputError, did_you_mean

from .files import Row, Source
from .folding import folded, given, rows, text_of, unlisted
from .layouts import FIELDS, Layout


@dataclass(frozen=True)
class Column:
    """One column of a file, or the part of its cells that a pattern takes."""

    name: str
    pattern: "re.Pattern[str] | None" = None

    def raw(self, row: Row) -> Any:
        """The cell; None where the row has no such column. A cell that the pattern does not fit is refused."""
        value = row.cells.get(self.name)
        if value is None and self.name not in row.cells:
            nested = [key for key in row.cells if key.startswith(f"{self.name}.")]
            if nested:
                raise InputError(
                    f"{row.where}: {self.name} is nested here ({', '.join(nested)}) and plain in other rows; "
                    "select the rows of the trials (where), or name the nested column"
                )
        if self.pattern is None or value is None or text_of(value) == "":
            return value
        found = self.pattern.fullmatch(text_of(value)) or self.pattern.search(text_of(value))
        if found is None:
            raise InputError(f'{row.where}: {self.name} is "{value}", which {self.pattern.pattern} does not fit')
        return found[1] if self.pattern.groups else found[0]

    def text(self, row: Row) -> str:
        """The cell as text, see :func:`.folding.text_of`."""
        return text_of(self.raw(row))


def columns_of(source: Source, layout: Layout, named: Mapping[str, str]) -> tuple[dict[str, Column], list[str]]:
    """Find each field's column.

    Parameters
    ----------
    source : Source
        The rows.
    layout : Layout
        Names that a column may have.
    named : mapping of str to str
        Our field → column, as the user says; "" for none. These must be there.

    Returns
    -------
    columns : dict of str to Column
        Fields that the file fills.
    notes : list of str
        Which column was taken for what, and which were not used.

    Raises
    ------
    InputError
        When a named column is not there, a nested one is not unique, or two columns fit.
    """
    for field in named:
        if field not in FIELDS:
            raise InputError(f'import: no field "{field}". {did_you_mean(field, FIELDS)}')
    found: dict[str, Column] = {}
    for field in FIELDS:
        if field == "participant" and layout.participant_from_file and field not in named:
            continue
        if field in named:
            if named[field]:
                found[field] = _column(named[field], source, must=field)
            continue
        fitting = [_column(name, source) for name in layout.columns.get(field, ())]
        there = [column for column in fitting if column is not None]
        if len({column.name for column in there}) > 1:
            raise InputError(
                f"{_files(source)}: {' and '.join(column.name for column in there)} can both be {field}; "
                f"say which: {field}={there[0].name}"
            )
        if there:
            found[field] = there[0]
    taken = ", ".join(f"{field} from {column.name}" for field, column in found.items())
    used = {column.name for column in found.values()}
    unused = [name for name in source.columns if name not in used and not name.startswith("@")]
    notes = [f"read {taken}"]
    if unused:
        more = f" and {len(unused) - 12} more" if len(unused) > 12 else ""
        notes.append(f"columns that were not used: {', '.join(unused[:12])}{more}")
    return found, notes


def _column(name: str, source: Source, *, must: str = "") -> Any:
    plain, tilde, pattern = name.partition("~")
    try:
        compiled = re.compile(pattern) if tilde else None
    except re.error as error:
        raise InputError(f"{must}: {pattern} is no regular expression ({error})") from error
    if plain in source.columns:
        return Column(plain, compiled)
    nested = [column for column in source.columns if column.startswith(f"{plain}.")]
    if len(nested) == 1:
        return Column(nested[0], compiled)
    if len(nested) > 1:
        raise InputError(
            f"{_files(source)}: {plain} holds {len(nested)} values ({', '.join(nested)}); name the one: {must or plain}={nested[0]}"
        )
    if not must:
        return None
    known = [column for column in source.columns if not column.startswith("@")]
    raise InputError(f'{_files(source)}: no column "{plain}" for {must}. {did_you_mean(plain, known)}')


def _files(source: Source) -> str:
    names = list(dict.fromkeys(row.where.rpartition(": ")[0] for row in source.rows))
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") if names else "import"


def selected(source: Source, conditions: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Keep the rows that fit ``COLUMN=VALUE`` or ``COLUMN~PATTERN``; several for one column are alternatives.

    Raises
    ------
    InputError
        When a condition cannot be read, its column is not there, or no row fits.
    """
    wanted: dict[str, list[tuple[str, str]]] = {}
    for condition in conditions:
        found = re.fullmatch(r"(.+?)([=~])(.*)", condition)
        if found is None:
            raise InputError(f'where: got "{condition}"; COLUMN=VALUE or COLUMN~PATTERN is needed')
        wanted.setdefault(_column(found[1], source, must="where").name, []).append((found[2], found[3]))
    kept = list(source.rows)
    for name, tests in wanted.items():
        kept = [row for row in kept if any(_fits(text_of(row.cells.get(name)), *test) for test in tests)]
    if not wanted:
        return kept, []
    if not kept:
        raise InputError(f"{_files(source)}: no row fits {' and '.join(conditions)}")
    left = len(source.rows) - len(kept)
    return kept, [f"left out {rows(left)} that do not fit {' and '.join(conditions)}"] if left else []


def _fits(text: str, sign: str, wanted: str) -> bool:
    if sign == "=":
        return folded(text) == folded(text_of(wanted))
    return re.search(wanted, text) is not None


def one_value(row: Row, column: Column, *, several: str, missing: frozenset[str]) -> str:
    """The one value of a cell; "" where it is empty or a word for missing values.

    Raises
    ------
    InputError
        When the cell lists several values and no rule says which counts.
    """
    raw = column.raw(row)
    listed = unlisted(raw)
    if listed is not None:
        if len(listed) > 1 and several == "refuse":
            raise InputError(
                f"{row.where}: {column.name} lists {len(listed)} values ({', '.join(listed)}); "
                "say which counts: several first, or several last"
            )
        text = "" if not listed else listed[0] if several != "last" else listed[-1]
    else:
        text = text_of(raw)
    return text if given(text, missing) else ""
