"""The one writer of CSV texts with words that participants' browsers sent: in none of them is a cell a formula."""

from collections.abc import Sequence
from typing import Any

from rapidvision.text import csv_text

#: Spreadsheets take a cell that begins so for a formula, the wide forms too; a leading apostrophe makes it a text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guarded_csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    r"""Return CSV text in which no cell is a formula.

    Examples
    --------
    >>> guarded_csv(["a", "b"], [["=1+1", -2.5]])
    "a,b\n'=1+1,-2.5\n"
    """
    return csv_text.text_of(header, [[_cell(cell) for cell in cells] for cells in rows])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return str(guarded(str(value)))


def guarded(value: str | float | None) -> str | float | None:
    """Return a value that a participant gave, a text so that no spreadsheet takes it for a formula.

    Examples
    --------
    >>> guarded("@SUM(1)"), guarded("an owl"), guarded(-3.0)
    ("'@SUM(1)", 'an owl', -3.0)
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
