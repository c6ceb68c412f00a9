"""Clicks and fixations in CSV tables: one point per row, or all clicks of a participant in one cell.

One point per row: columns ``image_id`` (or ``image_path``), ``x``, ``y``, and optionally ``participant_id`` (or
``user_id``) and ``duration_ms``. The ClickMe release of 2025: ``image_path``, ``user_id`` and ``clicks``, the last
as ``{"(x,y)","(x,y)"}``. Coordinates count from 0.
"""

import re
from pathlib import Path

import numpy as np

from rapidvision.errors import InputError
from rapidvision.formats import csv_text

from ...recipe import MapSource
from .points import PointsReader, Recording

_PAIR = re.compile(r"\(\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*\)")
_CELL = re.compile(r'[\s\[\]{}"\',]*')


class _Collected:
    """Points of one picture while rows are read."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.durations: list[float] = []
        self.people: set[str] = set()

    def recording(self) -> Recording:
        durations = np.array(self.durations) if len(self.durations) == len(self.x) and self.x else None
        return Recording(np.array(self.x), np.array(self.y), len(self.people), None, durations)


def open_points_csv(path: Path, source: MapSource) -> PointsReader:
    """Open a table of clicks or fixations.

    Raises
    ------
    InputError
        When the file is missing or a column or number is: names the row.
    """
    rows = csv_text.read(path)
    header = set(rows[0]) if rows else set()
    name = next((one for one in ("image_id", "image_path") if one in header), None)
    if name is None or not ({"x", "y"} <= header or "clicks" in header):
        raise InputError(
            f"{path}: columns {', '.join(sorted(header)) or 'none'}; needed are image_id (or image_path) and x, y (or clicks)"
        )
    person = next((one for one in ("participant_id", "user_id") if one in header), None)
    found: dict[str, _Collected] = {}
    for number, row in enumerate(rows, 2):
        image_id = Path(row[name]).stem if name == "image_path" else row[name]
        one = found.setdefault(image_id, _Collected())
        one.people.add(row[person] if person else "")
        where = f"{path}: row {number}"
        if "clicks" in header:
            for x, y in clicks_of(row["clicks"], where=where):
                one.x.append(x)
                one.y.append(y)
            continue
        one.x.append(_number(row, "x", where))
        one.y.append(_number(row, "y", where))
        if "duration_ms" in header:
            one.durations.append(_number(row, "duration_ms", where))
    return PointsReader(path, {image_id: one.recording() for image_id, one in found.items()}, origin=0, source=source)


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


def _number(row: dict[str, str], name: str, where: str) -> float:
    try:
        return float(row[name])
    except ValueError:
        raise InputError(f'{where}: {name} is "{row[name][:40]}"; a number is needed') from None
