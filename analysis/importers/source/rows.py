"""Rows of other programs' files, each with the place where it stands, before anything is interpreted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapidvision.system import json_text


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its cells under their names, where it stands, and in which file."""

    cells: dict[str, Any]
    where: str
    file: str


@dataclass(frozen=True)
class Source:
    """Rows of one import.

    Attributes
    ----------
    rows : tuple of Row
        In the order of the files' names.
    columns : tuple of str
        Every name that a row has, in order of appearance.
    delimiter : str
        Of the text tables; empty for other files.
    notes : tuple of str
        What was found or left out.
    name : str
        The files, for messages and summaries.
    sha256 : str
        Hash of the files' bytes; empty for tables in memory.
    """

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    delimiter: str
    notes: tuple[str, ...]
    name: str = "table"
    sha256: str = ""


def columns_in(rows: Sequence[Row]) -> tuple[str, ...]:
    """Every name that a row has, in order of appearance."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row.cells))
    return tuple(names)


def flat(cells: dict[str, Any]) -> dict[str, Any]:
    """Give what is nested a name of its own: ``{"response": {"Q0": "yes"}}`` has the column ``response.Q0``; what has nothing nested is returned itself."""
    if not any(isinstance(value, dict) or (isinstance(value, str) and value[:1] == "{") for value in cells.values()):
        return cells
    out: dict[str, Any] = {}
    for key, value in cells.items():
        inner = value
        if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
            try:
                inner = json.loads(value, object_pairs_hook=json_text.keys_once(f"the cell {key}"))
            except json.JSONDecodeError:
                inner = value
        if isinstance(inner, dict) and inner:
            out |= {f"{key}.{below}": entry for below, entry in flat(inner).items()}
        else:
            out[key] = value
    return out
