"""Files of the trials table: CSV as it was written or as a spreadsheet saved it again, and Parquet."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rapidvision.errors import InputError
from rapidvision.formats.trials_table import check_header, more_array, parse_cell, parse_more
from rapidvision.text import decimals, text_tables
from rapidvision.trials import COLUMNS, TrialRecord

NAMES = frozenset(column.name for column in COLUMNS)
_DECIMAL_COMMA = r"^(-?\d+),(\d+)$"
_DTYPES = {"int": "int64", "bool": "bool", "float": "float64", "str": "object"}


def is_own(header: Sequence[str]) -> bool:
    """Whether columns are those of the trials table, of which some may be missing.

    Examples
    --------
    >>> is_own(["subj", "acc"])
    False
    """
    return len(NAMES & set(header)) > len(NAMES) // 2


def header_of(data: bytes, *, name: str) -> list[str]:
    """Names in the first row of a text table; none where it is no text table."""
    if data[:2] == b"PK" or data.startswith(b"SQLite format 3"):
        return []
    try:
        text, _ = text_tables.decode(_start(data), name=name)
        if text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{"):
            return []
        delimiter = text_tables.delimiter_of(text, name=name)
        head = pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, header=None, nrows=1, na_filter=False)
    except (InputError, pd.errors.ParserError, pd.errors.EmptyDataError):
        return []
    return [str(cell) for cell in head.iloc[0]]


#: Bytes at the start of a file that hold its first rows.
_START = 1 << 20


def _start(data: bytes) -> bytes:
    """The first lines of a long file; the whole of a packed one, and of one whose first line is longer."""
    if len(data) <= _START or data.startswith(b"\x1f\x8b"):
        return data
    cut = data.rfind(b"\n", 0, _START)
    if 0 in data[:4000]:  # letters of two bytes, none of which is cut apart
        cut -= cut % 2
    return data[:cut] if cut > 0 else data


def from_csv(data: bytes, *, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read the table as it was written, or as a spreadsheet saved it again (other delimiter, encoding, decimal sign)."""
    text, note = text_tables.decode(data, name=name)
    notes = [note] if note else []
    delimiter = text_tables.delimiter_of(text, name=name)
    if delimiter != ",":
        notes.append(f"{text_tables.DELIMITERS[delimiter]} between cells")
    try:
        last = text[text.rstrip("\n").rfind("\n") + 1 :].rstrip("\n")
        coded = text.encode()  # as pandas reads it: StringIO would hold four bytes for each letter
        del text
        coded = data if coded == data else coded
        head = pd.read_csv(io.BytesIO(coded), sep=delimiter, dtype=str, header=None, nrows=1, na_filter=False)
        # as objects, equal cells of a column are one object; text would be copied for each
        raw = pd.read_csv(io.BytesIO(coded), sep=delimiter, dtype=object, keep_default_na=False, na_filter=False)
        del coded
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{name}: not a table of equally long rows ({str(error).strip()})") from error
    _check_columns([str(cell) for cell in head.iloc[0]], name=name)
    if len(raw) and last.count(delimiter) < len(raw.columns) - 1:
        raise InputError(f"{name}: row {len(raw) + 1} has too few cells; is the file cut off?")
    if delimiter != ",":
        raw, told = _as_written(raw.astype(str), delimiter=delimiter, name=name)
        notes += told
    # a column of text is given up once parsed
    frame = pd.DataFrame({column.name: _parsed(raw.pop(column.name), column.name, name) for column in COLUMNS})
    return frame.assign(**_more(raw)), tuple(notes)


def _more(cells: pd.DataFrame) -> dict[str, Any]:
    """Columns that depend on the protocol, typed by what all their cells are."""
    own = [str(column) for column in cells.columns if column not in NAMES]
    return {column: more_array(parse_more(list(cells[column]))) for column in own}


def _check_columns(header: list[str], *, name: str) -> None:
    twice = sorted({word for word in header if header.count(word) > 1})
    if twice:
        raise InputError(f'{name}: row 1: two columns are named "{twice[0]}"; delete one')
    check_header(header, name=name)


#: How spreadsheets of other languages write what they took for a truth value.
_SPREADSHEET = {
    "WAHR": "true",
    "FALSCH": "false",
    "VRAI": "true",
    "FAUX": "false",
    "VERDADERO": "true",
    "FALSO": "false",
}


def _as_written(raw: pd.DataFrame, *, delimiter: str, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Undo what a spreadsheet of another language did to numbers and truth values."""
    floats = [column.name for column in COLUMNS if column.dtype == "float"]
    numbers = [
        (cell, f"{name}: row {row}: {column}")
        for column in (*floats, "level_label")
        for row, cell in enumerate(raw[column], 2)
        if "," in cell or "." in cell
    ]
    notes = []
    if decimals.decimal_of(numbers, delimiter=delimiter) == ",":
        raw = raw.assign(**{column: raw[column].str.replace(",", ".") for column in (*floats, "level_label")})
        notes.append("numbers have decimal commas")
        own = [column for column in raw.columns if column not in NAMES]
        raw = raw.assign(**{column: raw[column].str.replace(_DECIMAL_COMMA, r"\1.\2", regex=True) for column in own})
    truths = [column.name for column in COLUMNS if column.dtype == "bool"]
    truths += [column for column in raw.columns if column not in NAMES and set(raw[column]) <= {"", *_SPREADSHEET}]
    words = {column: raw[column].replace(_SPREADSHEET) for column in truths}
    return raw.assign(**words), notes


def _parsed(cells: "pd.Series[Any]", column: str, name: str, *, first_row: int = 2) -> Any:
    """Parse each distinct cell once, by the rule of the core, and name the first row that breaks it."""
    codes, distinct = pd.factorize(cells)
    values = []
    for code, cell in enumerate(distinct):
        try:
            values.append(parse_cell(column, cell, where=""))
        except InputError:
            row = int(np.argmax(codes == code)) + first_row
            parse_cell(column, cell, where=f"{name}: row {row}")
    kind = next(c.dtype for c in COLUMNS if c.name == column)
    nullable = None in values
    dtype = "object" if nullable and kind != "float" else _DTYPES[kind]
    if nullable and kind == "int":
        dtype, kind = "float64", "float"
    if kind == "str" and (column_of_texts := pd.Series(np.array(values, dtype=object))).dtype != object:
        return column_of_texts.array.take(codes)  # as text: a column of Python's objects would be converted again
    table = np.empty(len(values), dtype=dtype)
    table[:] = [np.nan if value is None and kind == "float" else value for value in values]
    return table[codes]


def typed(values: list[Any], column: str) -> Any:
    """Return values of a column as an array of its type; None stays None, or becomes NaN among numbers."""
    kind = next(c.dtype for c in COLUMNS if c.name == column)
    if None in values:
        if kind in ("int", "float"):
            return np.array([np.nan if value is None else value for value in values], dtype=float)
        return np.array(values, dtype=object)
    return np.array(values, dtype=_DTYPES[kind])


def from_parquet(path: Path | str) -> pd.DataFrame:
    """Read the table from Parquet."""
    frame = read_parquet(path)
    check_header(list(frame.columns), name=str(path))
    columns = {c.name: typed([_plain(v) for v in frame[c.name]], c.name) for c in COLUMNS}
    own = [str(column) for column in frame.columns if column not in NAMES]
    return pd.DataFrame(columns | {column: more_array([scalar(v) for v in frame[column]]) for column in own})


def read_parquet(path: Path | str) -> pd.DataFrame:
    """Read any table from Parquet."""
    from rapidvision.system.extras import need

    need("pyarrow", extra="fast", purpose="reading Parquet")
    return pd.read_parquet(path)


def from_frame(frame: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Check a data frame cell by cell, by the rules of the files; its rows are counted from 0, as in the frame."""
    check_header([str(column) for column in frame.columns], name=name)
    columns = {}
    for column in COLUMNS:
        cells = pd.Series([_as_text(value, column.dtype) for value in frame[column.name]], dtype=object)
        columns[column.name] = _parsed(cells, column.name, name, first_row=0)
    own = [str(column) for column in frame.columns if column not in NAMES]
    return pd.DataFrame(columns | {column: more_array([scalar(v) for v in frame[column]]) for column in own})


def _as_text(value: Any, kind: str) -> str:
    """A cell of a data frame as a file holds it; whole numbers that pandas made floats are whole again."""
    plain = _plain(value)
    if plain is None or plain is pd.NaT:
        return ""
    if isinstance(plain, float | np.floating) and kind in ("int", "str") and float(plain).is_integer():
        return str(int(plain))
    return repr(float(plain)) if isinstance(plain, float | np.floating) else str(plain)


def scalar(value: Any) -> Any:
    """Return a cell as Python has it: None where there is no value, and no type of NumPy's."""
    plain = _plain(value)
    return plain.item() if isinstance(plain, np.generic) else plain


def _plain(value: Any) -> Any:
    return None if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value


def records_of(frame: pd.DataFrame) -> Iterator[TrialRecord]:
    """Rows of a checked table as records."""
    names = [column.name for column in COLUMNS]
    whole = [column.dtype == "int" for column in COLUMNS]
    own = [str(column) for column in frame.columns if column not in NAMES]
    more = frame[own].astype(object)
    for place, row in enumerate(frame[names].itertuples(index=False, name=None)):
        cells = [None if value is None or value != value else value for value in row]  # NaN differs from itself
        cells_by_name: dict[str, Any] = {
            name: int(cell) if is_whole and cell is not None else cell
            for name, is_whole, cell in zip(names, whole, cells, strict=True)
        }
        values = dict(zip(own, more.iloc[place], strict=True))
        yield TrialRecord(**cells_by_name, more={name: scalar(value) for name, value in values.items()})
