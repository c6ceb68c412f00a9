"""Text tables of other programs: encoding, delimiter and decimal sign are found by a stated rule, or the file is refused.

The suite's own tables are read by :mod:`rapidvision.text.csv_text`, which accepts one form only.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.system import files

#: Delimiters that are tried, and their names in messages.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class TextTable:
    """A table as text.

    Attributes
    ----------
    name : str
        The file.
    header : tuple of str
        Names of the columns without blanks at their ends; every one once.
    rows : tuple of dict
        A dict per row that has text.
    numbers : tuple of int
        Number of each row in the file, the header being row 1.
    delimiter : str
        What stands between cells.
    notes : tuple of str
        What was found that is not plain UTF-8 with commas.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    delimiter: str
    notes: tuple[str, ...]


def decode(data: bytes, *, name: str, encoding: str | None = None) -> tuple[str, str]:
    r"""Return the text of a file and a note on its encoding.

    A gzipped file is unpacked. A byte order mark decides; then zero bytes in every other place (UTF-16 without a
    mark); then UTF-8; what is not UTF-8 is read as Windows-1252 (Excel's in western Europe), with a note.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        The file's name, for messages.
    encoding : str, optional
        Read in this encoding and no other.

    Returns
    -------
    text, note : str
        The note is empty for UTF-8.

    Raises
    ------
    InputError
        When the bytes are no text in the encoding that the rule or the user names.

    Examples
    --------
    >>> decode("Jos\u00e9".encode("cp1252"), name="a.csv")[0] == "Jos\u00e9"
    True
    """
    unpacked = ""
    if data[:2] == b"\x1f\x8b":
        try:
            data, unpacked = gzip.decompress(data), "gzipped, "
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{name}: a gzipped file that cannot be unpacked ({error}); copy it again") from error
    if data[:2] == b"PK":
        raise InputError(f"{name}: a spreadsheet or zip file, not text; export the sheet as CSV (UTF-8)")
    chosen = encoding or next((code for mark, code in _BOMS if data.startswith(mark)), None) or _unmarked(data)
    try:
        text = data.decode(chosen)
    except LookupError:
        raise InputError(f'{name}: encoding "{encoding}" is unknown; use utf-8, utf-16, cp1252, mac-roman …') from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not {chosen} text (byte {error.start}); name its encoding or save it as UTF-8"
        ) from error
    if "\x00" in text:
        raise InputError(f"{name}: holds zero bytes, so it is no text in {chosen}; export it as CSV (UTF-8)")
    words = "" if chosen in ("utf-8", "utf-8-sig") else f"read as {chosen}"
    if words and encoding is None and chosen == "cp1252":
        words += " (Windows-1252), because it is not UTF-8; name another encoding if letters look wrong"
    return text, unpacked + words if words else unpacked.removesuffix(", ")


def _unmarked(data: bytes) -> str:
    start = data[:4000]
    even, odd = (start[first::2].count(0) / max(len(start) // 2, 1) for first in (0, 1))
    if len(start) >= 4 and max(even, odd) > 0.2 and min(even, odd) < 0.02:
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


#: Letters at the start of a file that hold its first two rows.
_START = 1_000_000


def delimiter_of(text: str, *, name: str, delimiter: str | None = None) -> str:
    r"""Return what stands between the cells: of the known delimiters the one that splits the header into most cells.

    Parameters
    ----------
    text : str
        The table.
    name : str
        The file's name, for messages.
    delimiter : str, optional
        This one and no other.

    Raises
    ------
    InputError
        When two delimiters split the header equally and both fit the second row.

    Examples
    --------
    >>> delimiter_of("level;rt\n2,5;232,5\n", name="a.csv")
    ';'
    """
    if delimiter is not None:
        return delimiter
    text = text[:_START]
    head = _records(text, ",", rows=1)
    if not head:
        raise InputError(f"{name}: the file is empty; export it again")
    counts = {one: [len(row) for row in _records(text, one, rows=2)] for one in DELIMITERS}
    most = max(found[0] for found in counts.values())
    best = [one for one, found in counts.items() if found[0] == most]
    if most > 1 and len(best) > 1:
        best = [one for one in best if len(set(counts[one])) == 1]
    if most > 1 and len(best) != 1:
        raise InputError(f"{name}: more than one delimiter fits the header; name it (comma, semicolon, tab or bar)")
    return best[0]


def _records(text: str, delimiter: str, *, rows: int | None = None) -> list[list[str]]:
    # OpenSesame writes \" for a quotation mark inside quotes, everybody else ""
    escaped = re.search(r'\\"[^"\r\n]*"', text) is not None and '""' not in text
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        escapechar="\\" if escaped else None,
        doublequote=not escaped,
    )
    found: list[list[str]] = []
    for row in reader:
        if rows is not None and len(found) == rows:
            break
        found.append(row)
    return found


def read(path: Path | str, *, encoding: str | None = None, delimiter: str | None = None) -> TextTable:
    r"""Read a text table that another program wrote.

    Parameters
    ----------
    path : path-like
        Comma, semicolon, tab or bar between cells; UTF-8, UTF-16 or Windows-1252; gzipped or not.
    encoding, delimiter : str, optional
        Instead of what the rules find.

    Returns
    -------
    TextTable
        Rows without any text are left out. A column without a name is left out: other programs end each line with
        a delimiter, or number the rows.

    Raises
    ------
    InputError
        Names the file and the row: two columns of one name, a row of another length, no text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("who;level\nJo;2,5\n", encoding="utf-16")
    ...     read(path).rows
    ({'who': 'Jo', 'level': '2,5'},)
    """
    text, note = decode(files.read_bytes(path), name=str(path), encoding=encoding)
    return parse(text, name=str(path), delimiter=delimiter, notes=(note,) if note else ())


def parse(text: str, *, name: str, delimiter: str | None = None, notes: Sequence[str] = ()) -> TextTable:
    """Split the text of a table into cells, as :func:`read` does."""
    first, _, rest = text.partition("\n")
    if (declared := re.fullmatch(r"sep=(.)\r?", first)) is not None:  # Excel's own line
        text, delimiter = rest, delimiter or declared[1]
    delimiter = delimiter_of(text, name=name, delimiter=delimiter)
    try:
        records = _records(text, delimiter)
    except csv.Error as error:
        raise InputError(f"{name}: not a table of text ({error})") from error
    if text.replace('\\"', "").count('"') % 2 and any("\n" in cell for row in records for cell in row):
        raise InputError(f"{name}: a quotation mark is opened and never closed, so rows would be lost; close it")
    header = [" ".join(word.split()) for word in records[0]]
    _refuse_twins(header, name=name)
    rows, numbers = [], []
    for number, cells in enumerate(records[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            extra = cells[len(header) :]
            if len(cells) < len(header) or any(cell.strip() for cell in extra):
                raise InputError(
                    f"{name}: row {number} has {len(cells)} cells, the header {len(header)} "
                    f"({DELIMITERS.get(delimiter, delimiter)} between them); is the file cut off or a cell unquoted?"
                )
        rows.append({column: cell for column, cell in zip(header, cells, strict=False) if column})
        numbers.append(number)
    found = list(notes)
    if delimiter != ",":
        found.append(f"{DELIMITERS.get(delimiter, delimiter)} between cells")
    unnamed = [at for at, column in enumerate(header) if not column]
    if any(cells[at].strip() for cells in records[1:] for at in unnamed if at < len(cells)):
        found.append(f"left out column {unnamed[0] + 1}, which has no name")
    return TextTable(name, tuple(filter(None, header)), tuple(rows), tuple(numbers), delimiter, tuple(found))


def _refuse_twins(header: Sequence[str], *, name: str) -> None:
    for column, many in Counter(header).items():
        if many > 1 and column:
            places = ", ".join(str(at) for at, other in enumerate(header, 1) if other == column)
            raise InputError(
                f'{name}: row 1: {many} columns are named "{column}" (columns {places}); rename or delete all but one'
            )
