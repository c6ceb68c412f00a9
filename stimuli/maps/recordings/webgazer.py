"""WebGazer samples as jsPsych writes them: JSON in a column of the trial table, and the image's place on the page."""

import re
from pathlib import Path

import msgspec
import numpy as np

from rapidvision.errors import InputError

from ...input_tables import MapSource
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader
from ..readers.table import NAMES
from ..readers.table_rows import rows_of

_SRC = re.compile(r"""src\s*=\s*["']([^"']+)["']""")


class _Sample(msgspec.Struct):
    x: float | None
    y: float | None


class _Target(msgspec.Struct):
    left: float
    top: float
    width: float
    height: float


def open_webgazer(path: Path, source: MapSource) -> PointsReader:
    """Open a trial table with ``webgazer_data`` and ``webgazer_targets``; places become shares of the target's box.

    `key` names the target (its CSS selector) where a trial has several. Rows without samples are other trials.

    Raises
    ------
    InputError
        When a column is missing, or a row's samples or target cannot be read: names file and row.
    """
    table = rows_of(path)
    lower = [name.strip().lower() for name in table.header]
    image = next((lower.index(name) for name in ("stimulus", *NAMES["image"]) if name in lower), None)
    if image is None or "webgazer_data" not in lower or "webgazer_targets" not in lower:
        raise InputError(f"{path}: needed are the columns stimulus, webgazer_data and webgazer_targets")
    samples, targets = lower.index("webgazer_data"), lower.index("webgazer_targets")
    who = next((lower.index(name) for name in NAMES["participant"] if name in lower), None)
    points = PointWriter(path, source.naming)
    for line, row in table.rows:
        if row[samples].strip() in ("", "null", "[]"):
            continue
        where = f"{path}: row {line}"
        box = _box(row[targets], source.key, where)
        try:
            found = msgspec.json.decode(row[samples], type=list[_Sample])
        except msgspec.DecodeError as error:
            raise InputError(f"{where}: webgazer_data is no list of x, y ({error})") from error
        there = [(one.x, one.y) for one in found if one.x is not None and one.y is not None]
        x, y = (np.array(values, np.float64) for values in zip(*there, strict=True)) if there else (np.empty(0),) * 2
        match = _SRC.search(row[image])
        points.add(
            match[1] if match else row[image],
            (x - box.left) / box.width,
            (y - box.top) / box.height,
            person=row[who] if who is not None else str(path),
            n_missing=len(found) - len(there),
            where=where,
        )
    return PointsReader(path, points.close(), origin=0, source=source, left_out=points.left_out)


def _box(cell: str, key: str, where: str) -> _Target:
    try:
        found = msgspec.json.decode(cell or "{}", type=dict[str, _Target])
    except msgspec.DecodeError as error:
        raise InputError(f"{where}: webgazer_targets is no box with left, top, width and height ({error})") from error
    if key and key in found:
        box = found[key]
    elif len(found) == 1 and not key:
        box = next(iter(found.values()))
    else:
        raise InputError(
            f"{where}: targets {', '.join(found) or 'none'}; record the image's box (targets of the extension), and say "
            'which it is, as key = "#jspsych-image-keyboard-response-stimulus"'
        )
    if not (box.width > 0 and box.height > 0):
        raise InputError(f"{where}: the target's box is empty")
    return box
