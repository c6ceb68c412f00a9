"""Clicks and fixations in tables: one point per row, or all clicks of a participant in one cell.

One point per row: an image, x, y, and optionally a participant and a duration, under the names of :data:`NAMES` or of
the recipe's `key`. The ClickMe release of 2025: ``image_path``, ``user_id`` and ``clicks``. Coordinates count from 0.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean

from ...input_tables import MapSource
from .point_store import MOST_ROWS, PointWriter
from .points import PointsReader
from .table_rows import Rows, number, rows_of

#: What columns are called; the first name that a table has is taken, capitals aside.
NAMES = {
    "image": (
        *("image_id", "image_path", "image", "image_name", "filename", "file_name", "stimulus", "stim_file", "img"),
        *("stimulus_name", "stimfile", "picture_name", "page_name", "trial_image"),
    ),
    "x": ("x", "fix_x", "x_px", "gaze_x", "x_coordinate", "pixel_x", "current_fix_x", "click_x", "xpos"),
    "y": ("y", "fix_y", "y_px", "gaze_y", "y_coordinate", "pixel_y", "current_fix_y", "click_y", "ypos"),
    "participant": (
        *("participant_id", "user_id", "participant", "subject", "subject_id", "subj", "observer"),
        "recording_session_label",
    ),
    "duration": ("duration_ms", "duration", "fix_duration", "current_fix_duration"),
    "clicks": ("clicks",),
}
_NUMBER = r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?"
_PAIR = re.compile(rf"[(\[]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[)\]]")
_WRAPPED = re.compile(rf"np\.(?:u?int|float)\d*\(({_NUMBER})\)")
_CELL = re.compile(r'[\s\[\](){}"\',]*')


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the columns in a row; None where the table has none."""

    image: int
    x: int | None
    y: int | None
    participant: int | None
    duration: int | None
    clicks: int | None

    @classmethod
    def of(cls, header: Sequence[str], key: str, *, where: str) -> "Columns":
        """Find the columns of a table.

        Parameters
        ----------
        header : sequence of str
            Names of the columns.
        key : str
            From the recipe: ``image=stimulus, x=pixel_x``.
        where : str
            Names the table in messages.

        Raises
        ------
        InputError
            When `key` names a column that is not there, or the image or its points have none.

        Examples
        --------
        >>> Columns.of(["stimulus", "px", "py"], "x=px, y=py", where="a.csv").y
        2
        """
        given = named_columns(key, header, where=where)
        lower = [name.strip().lower() for name in header]

        def place(what: str) -> int | None:
            if what in given:
                return header.index(given[what])
            return next((lower.index(name) for name in NAMES[what] if name in lower), None)

        found = {what: place(what) for what in NAMES}
        if found["image"] is None or (found["clicks"] is None and None in (found["x"], found["y"])):
            raise InputError(
                f"{where}: columns {', '.join(header)[:200] or 'none'}; needed are image_id (or image_path) and x, y "
                '(or clicks); say which they are, as key = "image=stimulus, x=px, y=py"'
            )
        return cls(found["image"], *(found[what] for what in list(NAMES)[1:]))


def named_columns(key: str, header: Sequence[str], *, where: str) -> dict[str, str]:
    """Read the recipe's ``image=stimulus, x=px``; InputError where a word or a column is not known."""
    given: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in key.split(","))):
        what, mark, column = (word.strip() for word in part.partition("="))
        if what not in NAMES or not mark:
            raise InputError(f'{where}: key has "{part}"; pairs like image=stimulus of {", ".join(NAMES)} are needed')
        if column not in header:
            raise InputError(f'{where}: no column "{column}". {did_you_mean(column, list(header))}')
        given[what] = column
    return given


def open_points_csv(path: Path, source: MapSource) -> PointsReader:
    """Open a table of clicks, fixations or gaze samples.

    Rows whose x and y are both missing are samples without a position (blinks); they are counted.

    Raises
    ------
    InputError
        When the file or a column is missing, a cell is blank or no finite number, or two images have one name: says
        file, row and column.
    """
    table = rows_of(path)
    columns = Columns.of(table.header, source.key, where=str(path))
    points = PointWriter(path, source.naming)
    if columns.clicks is not None:
        _read_cells(table, columns, points, path)
    else:
        _read_rows(table, columns, points, path)
    return PointsReader(path, points.close(), origin=0, source=source, left_out=points.left_out)


def _read_cells(table: Rows, columns: Columns, points: PointWriter, path: Path) -> None:
    assert columns.clicks is not None
    for line, row in table.rows:
        where = f"{path}: row {line}"
        place = points.number_of(_filled(row, columns.image, table, where), where=where)
        person = points.person_of(_person(row, columns, table, where))
        clicks = clicks_of(row[columns.clicks], where=where)
        if place is None:
            points.n_unnamed += len(clicks)
        elif not clicks:
            points.add_idle(place, person)
        else:
            x, y = zip(*clicks, strict=True)
            points.add_rows([place] * len(x), x, y, [person] * len(x), None)


def _read_rows(table: Rows, columns: Columns, points: PointWriter, path: Path) -> None:
    numbers: list[int] = []
    people: list[int] = []
    x: list[float] = []
    y: list[float] = []
    durations: list[float] = []
    at_x, at_y, at_duration = columns.x, columns.y, columns.duration
    assert at_x is not None
    assert at_y is not None
    for line, row in table.rows:
        name = row[columns.image]
        try:
            one_x, one_y = float(row[at_x]), float(row[at_y])
            usual = math.isfinite(one_x) and math.isfinite(one_y) and bool(name.strip())
        except ValueError:
            usual = False
        place = points.number_of(name, where=f"{path}: row {line}") if name.strip() else None
        if not usual:
            where = f"{path}: row {line}"
            _filled(row, columns.image, table, where)
            position = _position(row, at_x, at_y, table, where)
            if position is None:
                if place is not None:
                    points.add_missing(place)
                continue
            one_x, one_y = position
        if place is None:
            points.n_unnamed += 1
            continue
        numbers.append(place)
        x.append(one_x)
        y.append(one_y)
        people.append(points.person_of(_person(row, columns, table, f"{path}: row {line}")))
        if at_duration is not None:
            durations.append(_number(row, at_duration, table, f"{path}: row {line}", least=0.0))
        if len(numbers) >= MOST_ROWS:
            points.add_rows(numbers, x, y, people, durations if at_duration is not None else None)
            numbers, people, x, y, durations = [], [], [], [], []
    points.add_rows(numbers, x, y, people, durations if at_duration is not None else None)


def _person(row: list[str], columns: Columns, table: Rows, where: str) -> str:
    return "" if columns.participant is None else _filled(row, columns.participant, table, where)


def _position(row: list[str], at_x: int, at_y: int, table: Rows, where: str) -> tuple[float, float] | None:
    """Return x and y; None where both are missing."""
    try:
        if (
            number(row[at_x], delimiter=table.delimiter) is None
            and number(row[at_y], delimiter=table.delimiter) is None
        ):
            return None
    except ValueError:
        pass  # said below, with the column
    return _number(row, at_x, table, where), _number(row, at_y, table, where)


def clicks_of(cell: str, *, where: str = "clicks") -> list[tuple[float, float]]:
    """Read a cell with all clicks of a participant; an empty one has none.

    Examples
    --------
    >>> clicks_of('{"(12,40)","(13,41.5)"}'), clicks_of("[[12, 40]]"), clicks_of("[(np.int64(12), np.int64(40))]")
    ([(12.0, 40.0), (13.0, 41.5)], [(12.0, 40.0)], [(12.0, 40.0)])
    """
    plain = _WRAPPED.sub(r"\1", cell)
    if not _CELL.fullmatch(_PAIR.sub("", plain)):
        raise InputError(f'{where}: clicks are "{cell[:40]}"; pairs like {{"(12,40)","(13,41)"}} are needed')
    return [(float(x), float(y)) for x, y in _PAIR.findall(plain)]


def _filled(row: list[str], at: int, table: Rows, where: str) -> str:
    if not row[at].strip():
        raise InputError(f"{where}: {table.header[at]} is blank; fill it in, or remove the row")
    return row[at]


def _number(row: list[str], at: int, table: Rows, where: str, *, least: float = -math.inf) -> float:
    cell = _filled(row, at, table, where)
    try:
        value = number(cell, delimiter=table.delimiter)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value) or value < least:
        hint = ", with a decimal point" if "," in cell else ""
        raise InputError(
            f'{where}: {table.header[at]} is "{cell[:40]}"; a number is needed{hint}{" from 0 up" if least == 0 else ""}'
        )
    return value
