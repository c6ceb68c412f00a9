"""TurkEyes CodeCharts: a JSON file per assignment, or a list of them, with the place that each participant remembered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rapidvision.errors import InputError
from rapidvision.system import files, json_text

from ...input_tables import MapSource
from ..readers.folder import names_in
from ..readers.json_stream import elements
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader

#: A code's height as a share of the chart's height, and its middle in such heights from its left upper corner.
FONT_SHARE, MIDDLE = 0.0185, (1.5, 0.5)


class _Task(msgspec.Struct):
    image: str
    flag: str = "real"


class _Inputs(msgspec.Struct):
    tasks: list[_Task]


class _Answer(msgspec.Struct, rename={"is_valid": "isValidCode"}):
    is_valid: bool
    coordinate: tuple[float, float] | bool = False


class _Outputs(msgspec.Struct):
    tasks: dict[str, _Answer]


class _Results(msgspec.Struct):
    inputs: _Inputs
    outputs: _Outputs


class _Assignment(msgspec.Struct):
    results: _Results


def open_codecharts(path: Path, source: MapSource) -> PointsReader:
    """Open assignments of CodeCharts; only real images with a valid code count.

    Raises
    ------
    InputError
        When a file is damaged or of another form, or the recipe does not say how large the charts were.
    """
    if source.frame.size_px is None:
        raise InputError(f"{path}: CodeCharts have places on the padded image; give its frame.size_px, as [1920, 1340]")
    font = FONT_SHARE * source.frame.size_px[1]
    points = PointWriter(path, source.naming)
    none = np.empty(0)
    for person, (name, one) in enumerate(_assignments(path)):
        for place, task in enumerate(one.results.inputs.tasks):
            answer = one.results.outputs.tasks.get(str(place))
            if task.flag != "real" or answer is None:
                continue
            if answer.is_valid and not isinstance(answer.coordinate, bool):
                x, y = (np.array([value + font * off]) for value, off in zip(answer.coordinate, MIDDLE, strict=True))
            else:
                x = y = none
            points.add(task.image, x, y, person=person, where=name)
    return PointsReader(path, points.close(), origin=0, source=source, left_out=points.left_out)


def _assignments(path: Path) -> Iterator[tuple[str, _Assignment]]:
    form = "CodeCharts assignment"
    if path.is_dir():
        for name in names_in(path, deep=True):
            if name.lower().endswith(".json"):
                yield f"{path / name}", _decoded(path / name, form)
        return
    if files.read_bytes(path).lstrip()[:1] == b"[":
        for number, one in enumerate(elements(path, _Assignment, form=form), 1):
            yield f"{path}: assignment {number}", one
        return
    yield str(path), _decoded(path, form)


def _decoded(path: Path, form: str) -> Any:
    try:
        return json_text.decode(files.read_bytes(path), _Assignment, name=str(path))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not a {form} ({error})") from error
