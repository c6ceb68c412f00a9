"""Numbers that other programs wrote: with a decimal point or a decimal comma, never both."""

import re
from collections.abc import Iterable
from typing import Literal

from rapidvision.errors import InputError

Decimal = Literal[".", ","]
_WHOLE = re.compile(r"[-+]?\d+")
_POINT = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?(\d+,\d*|,\d+)([eE][-+]?\d+)?")
#: ``1,234``: twelve hundred or one and a bit.
_THREE_AFTER_COMMA = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")


def decimal_of(cells: Iterable[tuple[str, str]], *, delimiter: str) -> Decimal:
    """Return the decimal sign of a table's numbers.

    A comma is the decimal sign where numbers are written with commas and none with a point. ``1,234`` alone in a table
    with commas or tabs between cells can mean 1234 and is refused.

    Parameters
    ----------
    cells : iterable of (str, str)
        Text of each number, and where it stands.
    delimiter : str
        Between the table's cells; with semicolons, as European spreadsheets write them, a comma is always decimal.

    Returns
    -------
    {".", ","}
        The sign.

    Raises
    ------
    InputError
        When both signs occur, or the comma can mean thousands.

    Examples
    --------
    >>> decimal_of([("2,5", "row 2"), ("10", "row 3")], delimiter=";")
    ','
    """
    points: list[tuple[str, str]] = []
    commas: list[tuple[str, str]] = []
    for text, where in cells:
        if "," in text and "." in text and any(mark.isdigit() for mark in text):
            raise InputError(f'{where}: "{text}" has a comma and a point; write numbers without thousands signs')
        if _COMMA.fullmatch(text):
            commas.append((text, where))
        elif _POINT.fullmatch(text) and not _WHOLE.fullmatch(text):
            points.append((text, where))
    if commas and points:
        raise InputError(
            f'{commas[0][1]}: "{commas[0][0]}" has a decimal comma, {points[0][1]}: "{points[0][0]}" a decimal point; '
            "write all numbers alike, or say which sign is decimal"
        )
    if commas and delimiter != ";" and all(_THREE_AFTER_COMMA.fullmatch(text) for text, _ in commas):
        raise InputError(
            f'{commas[0][1]}: "{commas[0][0]}" can be {commas[0][0].replace(",", "")} or '
            f"{commas[0][0].replace(',', '.')}; say which sign is decimal"
        )
    return "," if commas else "."


def number_of(text: str, *, decimal: Decimal, where: str) -> float:
    """Return the number that a cell holds.

    Raises
    ------
    InputError
        When it holds none; the place is named.

    Examples
    --------
    >>> number_of("232,5", decimal=",", where="a.csv: row 2")
    232.5
    """
    pattern = _COMMA if decimal == "," else _POINT
    if pattern.fullmatch(text) or _WHOLE.fullmatch(text):
        return float(text.replace(",", "."))
    sign = "comma" if decimal == "," else "point"
    raise InputError(f'{where} is "{text}"; a number with a decimal {sign} is needed')
