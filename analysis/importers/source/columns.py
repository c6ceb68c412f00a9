"""Columns: which column of a file fills which of our fields, and each row's cell in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidvision.errors import InputError, did_you_mean

from .folding import folded, given, rows, text_of, unlisted
from .layouts import FIELDS, Layout
from .rows import Row, Source
from .vocabulary import candidates, plain
from .words import component_of, values_fit


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
    """Find each field's column: as the user names it, else as the program names it, else by the vocabulary.

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
        Which column was taken for what.

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
        if field in named:
            if named[field]:
                found[field] = _column(named[field], source, must=field)
        elif field != "participant" or not layout.participant_from_file:
            fitting = [_column(name, source) for name in layout.columns.get(field, ()) if not name.startswith("*")]
            there = [column for column in fitting if column is not None]
            if len({column.name for column in there}) > 1:
                raise InputError(_both([column.name for column in there], field, source))
            if there and any(text_of(row.cells.get(there[0].name)) for row in source.rows):
                found[field] = there[0]
    for field, name in component_of(source, layout, {field: column.name for field, column in found.items()}).items():
        if field not in named:
            found.setdefault(field, Column(name))
    if layout.vocabulary:
        for field in FIELDS:
            if (
                field not in named
                and field not in found
                and (field != "participant" or not layout.participant_from_file)
            ):
                name = _by_vocabulary(field, source, {column.name for column in found.values()}, layout)
                if name:
                    found[field] = Column(name)
        if "level" not in found and "level" not in named and "group" not in named:
            _level_for_group(source, found)
    return found, [f"read {', '.join(f'{field} from {column.name}' for field, column in found.items())}"]


def _both(names: Sequence[str], field: str, source: Source) -> str:
    return f"{_files(source)}: {' and '.join(names)} can both be {field}; say which: {field}={names[0]}"


def _by_vocabulary(field: str, source: Source, used: set[str], layout: Layout) -> str:
    """The column whose name and cells fit a field; "" where there is none. Two that say different things are refused."""
    columns = [name for name in source.columns if name not in used]
    for tier in candidates(field, columns):
        fitting = [name for name in tier if values_fit(field, name, source, layout)]
        if len(fitting) > 1 and field == "target":
            continue  # several answers to yes-or-no questions, of which none is named the truth
        if fitting and all(_same_partition(source, fitting[0], other) for other in fitting[1:]):
            return fitting[0]
        if field in ("group", "level", "session", "trial", "block", "phase", "category") and fitting:
            return fitting[0]
        if fitting:
            raise InputError(_both(fitting, field, source))
    nested = {name.rpartition(".")[0] for name in columns if "." in name} if field == "response" else set()
    for tier in candidates(field, sorted(nested)):
        if tier:
            return str(_column(tier[0], source, must=field).name)
    return ""


def _same_partition(source: Source, one: str, other: str) -> bool:
    pairs = {(text_of(row.cells.get(one)), text_of(row.cells.get(other))) for row in source.rows}
    return len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})


def _level_for_group(source: Source, found: dict[str, Column]) -> None:
    """A condition of three or more numbers that change within participants is a level, where no column is named so."""
    if "group" not in found or "participant" not in found or plain(found["group"].name).startswith("gr"):
        return
    own: dict[str, set[str]] = {}
    for row in source.rows:
        if text := found["group"].text(row):
            own.setdefault(found["participant"].text(row), set()).add(text)
    values = set().union(*own.values()) if own else set()
    numbers = all(re.fullmatch(r"[-+]?[\d.,]+ ?(%|[A-Za-z]{1,3})?", text) for text in values)
    if len(values) >= 3 and numbers and all(len(few) > 1 for few in own.values()):
        found["level"] = found.pop("group")


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


def trial_rows(kept: Sequence[Row], source: Source, layout: Layout) -> tuple[list[Row], list[str]]:
    """Keep the rows that a program's trials have, by each rule whose column is there and which some row fits."""
    notes = []
    found = list(kept)
    for condition in layout.trial_rows:
        split = re.fullmatch(r"(.+?)([=~])(.*)", condition)
        assert split is not None, condition
        if split[1] not in source.columns:
            continue
        fitting = [row for row in found if _fits(text_of(row.cells.get(split[1])), split[2], split[3])]
        if fitting and len(fitting) < len(found):
            notes.append(f"left out {rows(len(found) - len(fitting))} that are no trials (they do not fit {condition})")
            found = fitting
    return found, notes


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
