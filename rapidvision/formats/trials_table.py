"""The trials table as a file and as a data frame: written by every runner, read by exports and the analysis."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rapidvision.errors import InputError, did_you_mean
from rapidvision.system import files
from rapidvision.task.response import Scalar
from rapidvision.text import csv_text
from rapidvision.trials import COLUMNS, SCHEMA_VERSION, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

#: A number without digits that a conversion would lose: ``007`` is a text.
_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?")
#: Names of columns that depend on the protocol.
_MORE = re.compile(r"[a-z][a-z0-9_-]*")

_BY_NAME = {column.name: column for column in COLUMNS}
#: Data frame types of columns that may be empty; empty cells are missing values, never zeros.
_NULLABLE: dict[str, Any] = {"int": "Int64", "float": "float64", "bool": "boolean", "str": "object"}
_FULL: dict[str, Any] = {"int": "int64", "float": "float64", "bool": "bool", "str": "object"}


def more_of(records: Iterable[TrialRecord]) -> tuple[str, ...]:
    """Names of the columns that depend on the protocol, in the order in which the records first have them."""
    return tuple(dict.fromkeys(name for record in records for name in record.more))


def to_csv(records: Iterable[TrialRecord]) -> str:
    """Return the trials table as CSV text: header, then a row per trial; empty where there is no value.

    The columns of :data:`~rapidvision.trials.COLUMNS` come first, then those that depend on the protocol.
    """
    records = list(records)
    names, more = [column.name for column in COLUMNS], more_of(records)
    rows = (
        [*(_cell(getattr(record, name)) for name in names), *(_cell(record.more.get(name)) for name in more)]
        for record in records
    )
    return csv_text.text_of((*names, *more), rows)


def write_table(path: Path | str, records: Iterable[TrialRecord]) -> None:
    """Write the trials table as CSV, atomically."""
    files.write_text(path, to_csv(records))


def read_table(path: Path | str) -> list[TrialRecord]:
    """Read a trials table written by any runner.

    Parameters
    ----------
    path : path-like
        CSV with the columns of :data:`~rapidvision.trials.COLUMNS`; others are read as columns of the protocol, by
        the rule of :func:`parse_more`.

    Returns
    -------
    list of TrialRecord
        In the order of the file.

    Raises
    ------
    InputError
        Names the file, the row and the column.
    """
    rows = csv.reader(io.StringIO(csv_text.read_text(path), newline=""))
    header = next(rows, [])
    check_header(header, name=str(path))
    table = list(rows)
    for number, row in enumerate(table, 2):
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(row)} cells, the header {len(header)}; is the file cut off?"
            )
    more = {
        name: parse_more([row[place] for row in table]) for place, name in enumerate(header) if name not in _BY_NAME
    }
    records = []
    for number, row in enumerate(table, 2):
        values = {
            name: parse_cell(name, cell, where=f"{path}: row {number}")
            for name, cell in zip(header, row, strict=True)
            if name in _BY_NAME
        }
        own = {name: cells[number - 2] for name, cells in more.items()}
        records.append(msgspec.convert(values | {"more": own}, TrialRecord))
    return records


def parse_more(cells: Sequence[str]) -> list[Scalar | None]:
    """Return the cells of a column that depends on the protocol, typed by what they all are.

    Parameters
    ----------
    cells : sequence of str
        The whole column; empty cells are missing values.

    Returns
    -------
    list of bool, int, float, str or None
        Truth values where every cell is ``true`` or ``false``, whole numbers, numbers, else text. ``007`` is a text.

    Examples
    --------
    >>> parse_more(["3", "", "4"]), parse_more(["3", "4.5"]), parse_more(["true", "false"]), parse_more(["007", "1"])
    ([3, None, 4], [3.0, 4.5], [True, False], ['007', '1'])
    """
    full = [cell for cell in cells if cell != ""]
    read: Callable[[str], Scalar] = str
    if full and all(cell in ("true", "false") for cell in full):
        read = "true".__eq__
    elif full and all(_WHOLE.fullmatch(cell) for cell in full):
        read = int
    elif full and all(_NUMBER.fullmatch(cell) for cell in full):
        read = float
    return [None if cell == "" else read(cell) for cell in cells]


def check_header(header: Sequence[str], *, name: str) -> None:
    """Refuse a header that is not the trials table's, naming what is missing and what cannot be a column of it."""
    csv_text.refuse_repeats(header, name=name)
    missing = [column.name for column in COLUMNS if column.name not in header]
    wrong = [word for word in header if word not in _BY_NAME and not _MORE.fullmatch(word)]
    if missing:
        raise InputError(
            f"{name}: not a trials table; it lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        )
    if wrong:
        raise InputError(
            f'{name}: a column is named "{wrong[0]}"; columns that depend on the protocol have small letters (a-z), '
            f"digits, - and _, a letter first. {did_you_mean(wrong[0], _BY_NAME)}"
        )


def parse_cell(name: str, cell: str, *, where: str) -> Any:
    """Turn one CSV cell into its column's type, or say which cell is wrong and what is allowed."""
    column = _BY_NAME[name]
    if cell == "":
        if column.nullable:
            return None
        raise InputError(f"{where}: {name} is empty; it must have a value")
    try:
        if column.dtype == "bool":
            return {"true": True, "false": False}[cell.lower()]
        if column.dtype == "int":
            return _known_version(int(cell), where) if name == "schema_version" else int(cell)
        if column.dtype == "float":
            number = float(cell)
            if not math.isfinite(number):
                raise ValueError(cell)
            return number
    except (KeyError, ValueError):
        raise InputError(f'{where}: {name} is "{cell}"; a {column.dtype} is needed') from None
    if column.allowed and cell not in column.allowed:
        raise InputError(f'{where}: {name} is "{cell}". {did_you_mean(cell, column.allowed)}')
    return cell


def _known_version(version: int, where: str) -> int:
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{where}: schema_version {version}, this RapidVision reads {SCHEMA_VERSION}; read the table with the version that wrote it"
        )
    return version


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(round(value, 6))
    return str(value)


def to_frame(records: Iterable[TrialRecord]) -> "pd.DataFrame":
    """Return trial records as a data frame.

    Parameters
    ----------
    records : iterable of TrialRecord
        Rows of any runner.

    Returns
    -------
    DataFrame
        One row per record and one column per entry of :data:`rapidvision.trials.COLUMNS`, typed; columns that may be
        empty have types with missing values (``Int64``, ``boolean``, NaN). Columns that depend on the protocol follow.

    Examples
    --------
    >>> to_frame([]).shape
    (0, 34)
    """
    import pandas as pd

    rows = list(records)
    columns = {
        column.name: pd.array(
            [getattr(row, column.name) for row in rows],
            dtype=(_NULLABLE if column.nullable else _FULL)[column.dtype],
        )
        for column in COLUMNS
    }
    more = {name: more_array([row.more.get(name) for row in rows]) for name in more_of(rows)}
    return pd.DataFrame(columns | more)


def more_array(values: Sequence[Scalar | None]) -> Any:
    """Return a column that depends on the protocol as an array of the type that its values have."""
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    dtype = (
        "bool"
        if kinds == {bool}
        else "int"
        if kinds == {int}
        else "float"
        if kinds and kinds <= {int, float}
        else "str"
    )
    return pd.array(list(values), dtype=_NULLABLE[dtype])
