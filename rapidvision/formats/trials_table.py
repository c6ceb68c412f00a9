"""The trials table as a file and as a data frame: written by every runner, read by exports and the analysis."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rapidvision.errors import InputError, did_you_mean
from rapidvision.system import files
from rapidvision.text import csv_text
from rapidvision.trials import COLUMNS, SCHEMA_VERSION, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

_BY_NAME = {column.name: column for column in COLUMNS}
#: Data frame types of columns that may be empty; empty cells are missing values, never zeros.
_NULLABLE: dict[str, Any] = {"int": "Int64", "float": "float64", "bool": "boolean", "str": "object"}
_FULL: dict[str, Any] = {"int": "int64", "float": "float64", "bool": "bool", "str": "object"}


def to_csv(records: Iterable[TrialRecord]) -> str:
    """Return the trials table as CSV text: header, then a row per trial; empty where there is no value."""
    names = [column.name for column in COLUMNS]
    return csv_text.text_of(names, ([_cell(getattr(record, name)) for name in names] for record in records))


def write_table(path: Path | str, records: Iterable[TrialRecord]) -> None:
    """Write the trials table as CSV, atomically."""
    files.write_text(path, to_csv(records))


def read_table(path: Path | str) -> list[TrialRecord]:
    """Read a trials table written by any runner.

    Parameters
    ----------
    path : path-like
        CSV with the columns of :data:`COLUMNS`; others are refused.

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
    records = []
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(row)} cells, the header {len(header)}; is the file cut off?"
            )
        values = {
            name: parse_cell(name, cell, where=f"{path}: row {number}") for name, cell in zip(header, row, strict=True)
        }
        records.append(msgspec.convert(values, TrialRecord))
    return records


def check_header(header: Sequence[str], *, name: str) -> None:
    """Refuse a header that is not the trials table's, naming what is missing and what is unknown."""
    csv_text.refuse_repeats(header, name=name)
    missing = [column.name for column in COLUMNS if column.name not in header]
    unknown = [word for word in header if word not in _BY_NAME]
    if missing:
        raise InputError(
            f"{name}: not a trials table; it lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        )
    if unknown:
        raise InputError(f'{name}: unknown column "{unknown[0]}". {did_you_mean(unknown[0], _BY_NAME)}')


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
        empty have types with missing values (``Int64``, ``boolean``, NaN).

    Examples
    --------
    >>> to_frame([]).shape
    (0, 35)
    """
    import pandas as pd

    rows = list(records)
    return pd.DataFrame(
        {
            column.name: pd.array(
                [getattr(row, column.name) for row in rows],
                dtype=(_NULLABLE if column.nullable else _FULL)[column.dtype],
            )
            for column in COLUMNS
        }
    )
