"""CSV tables whose rows are structs: the columns are the fields, and the first column is the version of the table."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec

from rapidvision.errors import InputError, did_you_mean
from rapidvision.text import csv_text

#: First column of every table of this form, as in the trials table.
VERSION = "schema_version"
_AT = re.compile(r" - at `\$\.(?P<column>\w+)`")

Row = TypeVar("Row", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class TypedTable(Generic[Row]):
    """One table that a package writes and another reads.

    Parameters
    ----------
    row : type
        A struct of str, int, float and bool fields, each of which may also be None (an empty cell).
    version : int
        Of the table's form; it is the first cell of every row.
    what : str
        What the table is, for messages: ``the rounds.csv of a ClickMe export``.
    remedy : str
        What to do when a file does not fit.

    Examples
    --------
    >>> import tempfile
    >>> class Note(msgspec.Struct, frozen=True):
    ...     image_id: str
    ...     score: float | None
    >>> table = TypedTable(Note, version=1, what="a table of notes", remedy="write it again")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table.write(Path(folder) / "a.csv", [Note("cat-01", 0.5), Note("cat-02", None)])
    ...     table.read(Path(folder) / "a.csv")
    [Note(image_id='cat-01', score=0.5), Note(image_id='cat-02', score=None)]
    """

    row: type[Row]
    version: int
    what: str
    remedy: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, the version first."""
        return (VERSION, *(field.name for field in msgspec.structs.fields(self.row)))

    def text(self, rows: Iterable[Row]) -> str:
        """Return the table as CSV text: a header and a line per row."""
        return csv_text.text_of(self.columns, self._cells(rows))

    def write(self, path: Path | str, rows: Iterable[Row]) -> None:
        """Write the table, atomically, row by row."""
        csv_text.write(path, self.columns, self._cells(rows))

    def _cells(self, rows: Iterable[Row]) -> Iterator[list[str]]:
        return ([str(self.version), *map(_cell, msgspec.structs.astuple(row))] for row in rows)

    def read(self, path: Path | str) -> list[Row]:
        """Read the table.

        Parameters
        ----------
        path : path-like
            The CSV file.

        Returns
        -------
        list of struct
            In the order of the file.

        Raises
        ------
        InputError
            When a column is missing or unknown, the version is another one, or a cell does not fit its column; the
            message names file, row and column.
        """
        header = csv_text.header_of(path)
        missing = [name for name in self.columns if name not in header]
        if missing:
            raise InputError(f"{path}: not {self.what}; it lacks {', '.join(missing)}; {self.remedy}")
        unknown = [name for name in header if name not in self.columns]
        if unknown:
            raise InputError(f'{path}: unknown column "{unknown[0]}". {did_you_mean(unknown[0], self.columns)}')
        optional = _optional(self.row)
        rows = enumerate(csv_text.read(path), 2)
        return [self._row(cells, optional, where=f"{path}: row {number}") for number, cells in rows]

    def _row(self, cells: dict[str, str], optional: frozenset[str], *, where: str) -> Row:
        if cells[VERSION] != str(self.version):
            raise InputError(
                f'{where}: {VERSION} is "{cells[VERSION]}", this RapidVision reads {self.version}; {self.remedy}'
            )
        values = {
            name: None if name in optional and cell == "" else cell for name, cell in cells.items() if name != VERSION
        }
        try:
            row = msgspec.convert(values, self.row, strict=False)
        except msgspec.ValidationError as error:
            found = _AT.search(str(error))
            column = found["column"] if found else ""
            raise InputError(f'{where}: {column} is "{cells.get(column, "")}"; {_AT.sub("", str(error))}') from None
        for name, value in msgspec.structs.asdict(row).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f'{where}: {name} is "{cells[name]}"; a finite number is needed')
        return row


def _optional(row: type[msgspec.Struct]) -> frozenset[str]:
    """Fields that may be None."""
    hints = get_type_hints(row)
    return frozenset(
        name for name, hint in hints.items() if isinstance(hint, UnionType) and type(None) in get_args(hint)
    )


def _cell(value: Any) -> str:
    """One cell: nothing for None, ``true`` and ``false``, numbers as short as they can be read back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
