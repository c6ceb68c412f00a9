"""Tables of points row by row, whatever stands between their cells: memory does not grow with the table."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from rapidvision.errors import InputError
from rapidvision.text.csv_text import refuse_repeats

#: What programs write where a number is missing.
MISSING = frozenset({"", ".", "nan", "na", "n/a", "null", "none", "inf", "-inf"})


class Rows(NamedTuple):
    """A table: names of its columns, what stands between cells, and its rows with their numbers in the file."""

    header: list[str]
    delimiter: str
    rows: Iterator[tuple[int, list[str]]]


def rows_of(path: Path, *, header: Sequence[str] | None = None) -> Rows:
    r"""Open a table: commas, semicolons or tabs between cells, UTF-8, packed by gzip or not.

    Parameters
    ----------
    path : Path
        The table.
    header : sequence of str, optional
        Names of the columns of a table that does not have them itself.

    Raises
    ------
    InputError
        When it cannot be read, or a row has more or fewer cells than the header: names file and row.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("image;x;y\na;1,5;2\n")
    >>> table = rows_of(path)
    >>> table.header, table.delimiter, list(table.rows)
    (['image', 'x', 'y'], ';', [(2, ['a', '1,5', '2'])])
    """
    with _opened(path) as file:
        try:
            first = file.readline()
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from error
    delimiter = _delimiter(first)
    if header is not None:
        return Rows(list(header), delimiter, _rows(path, len(header), delimiter, start=1))
    names = next(csv.reader([first], delimiter=delimiter), [])
    refuse_repeats(names, name=str(path))
    return Rows(names, delimiter, _rows(path, len(names), delimiter, start=2))


def _opened(path: Path) -> IO[str]:
    try:
        if path.suffix.lower() == ".gz":
            return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _delimiter(line: str) -> str:
    counts = {mark: line.count(mark) for mark in "\t;,"}
    return "," if not any(counts.values()) else ("\t" if counts["\t"] else max(";,", key=lambda mark: counts[mark]))


def _rows(path: Path, n_cells: int, delimiter: str, *, start: int) -> Iterator[tuple[int, list[str]]]:
    with _opened(path) as file:
        if start == 2:
            file.readline()
        lines = csv.reader(file, strict=True, delimiter=delimiter)
        blank = 0
        try:
            for number, row in enumerate(lines, start):
                if not row:
                    blank = blank or number
                    continue
                if len(row) != n_cells:
                    raise InputError(
                        f"{path}: row {number} has {len(row)} cells, the header {n_cells}; is the row cut off, or is a "
                        "cell with a delimiter not in quotation marks?"
                    )
                if blank:
                    raise InputError(f"{path}: row {blank} is blank, and others follow; remove it")
                yield number, row
        except csv.Error as error:
            raise InputError(f"{path}: not a table ({error})") from error
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path}: not UTF-8 text ({error}); save it as UTF-8, or get the file again") from error


def number(cell: str, *, delimiter: str = ",") -> float | None:
    """Return a cell's number; None where it is missing.

    A decimal comma is read where cells are not set apart by commas.

    Raises
    ------
    ValueError
        When it is neither a number nor a mark of a missing one.

    Examples
    --------
    >>> number("300,5", delimiter=";"), number("n/a"), number("12")
    (300.5, None, 12.0)
    """
    text = cell.strip()
    if text.lower() in MISSING:
        return None
    return float(text.replace(",", ".") if delimiter != "," else text)
