"""CSV tables: one way to write them, and one way to read them that says what is wrong with a file."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.system import files


def text_of(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    r"""Return a table as CSV text: a header, a line per row, lines that end with a line feed.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of iterable
        Cells in the order of the header; None is empty, everything else as ``str`` has it.

    Examples
    --------
    >>> text_of(["image_id", "note"], [["cat-01", "sits, looks"], ["cat-02", None]])
    'image_id,note\ncat-01,"sits, looks"\ncat-02,\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def write(path: Path | str, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table as :func:`text_of` makes it and :func:`rapidvision.system.files.atomic` writes it."""
    files.write_text(path, text_of(header, rows))


def read_text(path: Path | str) -> str:
    """Return the text of a file, a byte order mark removed.

    Raises
    ------
    InputError
        When the file cannot be read or is not UTF-8.
    """
    try:
        return files.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read(path: Path | str, required: Sequence[str] = (), *, delimiter: str = ",") -> list[dict[str, str]]:
    """Read a table with a header: a dict per row, every cell of the header there.

    Parameters
    ----------
    path : path-like
        CSV, UTF-8 with or without a byte order mark, any line ends.
    required : sequence of str
        Columns that must be there; others may be.
    delimiter : str, default ","
        What stands between cells.

    Returns
    -------
    list of dict
        Row ``i`` of the list is row ``i + 2`` of the file, the header being row 1.

    Raises
    ------
    InputError
        When a column is missing, or a row has more or fewer cells than the header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.csv", ["image_id"], [["cat-01"]])
    ...     read(Path(folder) / "a.csv", ["image_id"])
    [{'image_id': 'cat-01'}]
    """
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True, delimiter=delimiter)
        header = list(reader.fieldnames or ())
        for name in required:
            if name not in header:
                raise InputError(
                    f'{path}: no column "{name}". {did_you_mean(name, header) if header else "It is empty."}'
                )
        rows = []
        for number, row in enumerate(reader, 2):
            if None in row or any(row[name] is None for name in header):
                raise InputError(f"{path}: row {number} has not the {len(header)} cells of the header; is it cut off?")
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV table ({error})") from error
    return rows


def header_of(path: Path | str) -> list[str]:
    """Return the names of a table's columns, in order; none for an empty file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.csv", ["image_id", "note"], [])
    ...     header_of(Path(folder) / "a.csv")
    ['image_id', 'note']
    """
    return next(csv.reader(io.StringIO(read_text(path), newline="")), [])
