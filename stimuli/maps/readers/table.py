"""Clicks and fixations in CSV tables: one point per row, or all clicks of a participant in one cell.

One point per row: columns ``image_id`` (or ``image_path``), ``x``, ``y``, and optionally ``participant_id`` (or
``user_id``) and ``duration_ms``. The ClickMe release of 2025: ``image_path``, ``user_id`` and ``clicks``, the last
as ``{"(x,y)","(x,y)"}``. Coordinates count from 0.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapidvision.errors import InputError
from rapidvision.text import csv_text

from ...recipe_tables import MapSource
from .points import PointsReader, Recording

_PAIR = re.compile(r"\(\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*\)")
_CELL = re.compile(r'[\s\[\]{}"\',]*')


class _Collected:
    """Points of one image while rows are read."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.durations: list[float] = []
        self.people: set[str] = set()

    def recording(self) -> Recording:
        durations = np.array(self.durations) if len(self.durations) == len(self.x) and self.x else None
        return Recording(np.array(self.x), np.array(self.y), len(self.people), None, durations)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column holds what; `person` is None where no column says who clicked."""

    image: str
    person: str | None
    clicks: bool
    durations: bool

    @classmethod
    def of(cls, header: Collection[str], path: Path) -> "_Columns":
        name = next((one for one in ("image_id", "image_path") if one in header), None)
        if name is None or not ({"x", "y"} <= set(header) or "clicks" in header):
            raise InputError(
                f"{path}: columns {', '.join(sorted(header)) or 'none'}; "
                f"needed are image_id (or image_path) and x, y (or clicks)"
            )
        person = next((one for one in ("participant_id", "user_id") if one in header), None)
        return cls(name, person, "clicks" in header, "duration_ms" in header)


def open_points_csv(path: Path, source: MapSource) -> PointsReader:
    """Open a table of clicks or fixations.

    Raises
    ------
    InputError
        When the file or a column is missing, a cell is blank or no finite number, or two images have one name: says
        file, row and column.
    """
    _check_separator(path)
    rows = csv_text.read(path)
    columns = _Columns.of(rows[0] if rows else {}, path)
    found: dict[str, _Collected] = {}
    paths: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}: row {number}"
        image_id = cell = _filled(row, columns.image, where)
        if columns.image == "image_path":
            image_id = Path(cell).stem
            if paths.setdefault(image_id, cell) != cell:
                raise InputError(
                    f"{where}: {cell} and {paths[image_id]} are both called {image_id}; rename one of them"
                )
        one = found.setdefault(image_id, _Collected())
        one.people.add(_filled(row, columns.person, where) if columns.person else "")
        if columns.clicks:
            for x, y in clicks_of(_filled(row, "clicks", where), where=where):
                one.x.append(x)
                one.y.append(y)
            continue
        one.x.append(_number(row, "x", where))
        one.y.append(_number(row, "y", where))
        if columns.durations:
            one.durations.append(_number(row, "duration_ms", where, least=0.0))
    return PointsReader(path, {image_id: one.recording() for image_id, one in found.items()}, origin=0, source=source)


def _check_separator(path: Path) -> None:
    header = csv_text.read_text(path).partition("\n")[0]
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in header and "," not in header:
            raise InputError(f"{path}: its cells are set apart by {name}; save it with commas and decimal points")


def clicks_of(cell: str, *, where: str = "clicks") -> list[tuple[float, float]]:
    """Read a cell with all clicks of a participant.

    Examples
    --------
    >>> clicks_of('{"(12,40)","(13,41.5)"}')
    [(12.0, 40.0), (13.0, 41.5)]
    """
    if not _CELL.fullmatch(_PAIR.sub("", cell)):
        raise InputError(f'{where}: clicks are "{cell[:40]}"; pairs like {{"(12,40)","(13,41)"}} are needed')
    return [(float(x), float(y)) for x, y in _PAIR.findall(cell)]


def _filled(row: dict[str, str], name: str, where: str) -> str:
    if not row[name].strip():
        raise InputError(f"{where}: {name} is blank; fill it in, or remove the row")
    return row[name]


def _number(row: dict[str, str], name: str, where: str, *, least: float = -math.inf) -> float:
    cell = _filled(row, name, where)
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        hint = ", with a decimal point" if "," in cell else ""
        raise InputError(
            f'{where}: {name} is "{cell[:40]}"; a number is needed{hint}{" from 0 up" if least == 0 else ""}'
        )
    return value
