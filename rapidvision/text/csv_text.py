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
    """Write the table that :func:`text_of` returns, atomically, row by row: memory does not grow with the table."""
    with files.atomic(path) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(out, lineterminator="\n")
        try:
            writer.writerow(header)
            writer.writerows(rows)
        except UnicodeEncodeError as error:
            raise files.not_a_name(path, error) from error
        finally:
            out.detach()


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
        When a column is missing or stands twice, or a row has more or fewer cells than the header or repeats it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.csv", ["image_id"], [["cat-01"]])
    ...     read(Path(folder) / "a.csv", ["image_id"])
    [{'image_id': 'cat-01'}]
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True, delimiter=delimiter)
    rows: list[dict[str, str]] = []
    blank = 0
    try:
        header = next(reader, [])
        refuse_repeats(header, name=str(path))
        for name in required:
            if name not in header:
                hint = did_you_mean(name, header) if header else "It is empty."
                raise InputError(f'{path}: no column "{name}". {hint}')
        for number, row in enumerate(reader, 2):
            if not row:
                blank = blank or number
                continue
            _check_row(row, header, where=f"{path}: row {number}")
            if blank:
                raise InputError(f"{path}: row {blank} is blank, and others follow; remove it")
            rows.append(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV table ({error})") from error
    return rows


def _check_row(row: list[str], header: list[str], *, where: str) -> None:
    if len(row) != len(header):
        raise InputError(
            f"{where} has {len(row)} cells, the header {len(header)}; is the row cut off, or is a cell with a delimiter "
            "not in quotation marks?"
        )
    if row == header:
        raise InputError(f"{where} is the header again; were two tables joined? Remove that row")


def refuse_repeats(header: Sequence[str], *, name: str) -> None:
    """Refuse two columns of one name, blanks at the ends aside: which of both is meant cannot be known.

    Raises
    ------
    InputError
        Names the file, the column and both places, counted from 1.

    Examples
    --------
    >>> refuse_repeats(["image_id", "x", "x"], name="points.csv")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: points.csv: columns 2 and 3 are both named "x"; rename or remove one of them
    """
    places: dict[str, int] = {}
    for place, word in enumerate(header, 1):
        first = places.setdefault(word.strip(), place)
        if first != place:
            raise InputError(
                f'{name}: columns {first} and {place} are both named "{word.strip()}"; rename or remove one of them'
            )


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
