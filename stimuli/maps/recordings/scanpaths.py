"""COCO-Search18 and COCO-FreeView: a JSON list with a scanpath of one participant on one image in each element."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rapidvision.errors import InputError

from ...input_tables import MapSource
from ...naming import words_of
from ..readers.json_stream import elements
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader


class _Scanpath(msgspec.Struct):
    name: str
    subject: int | str
    X: list[float]
    Y: list[float]
    T: list[float] | None = None
    task: str = ""
    condition: str = ""


def open_scanpaths(path: Path, source: MapSource) -> PointsReader:
    """Open ``[{"name", "subject", "task", "condition", "X", "Y", "T"}, …]``, counted from 0.

    A name is ``condition/task/name`` where the recipe's `files` has these words, as in
    ``present/{task}/{stem}``; else an image that was searched under several tasks is refused.

    Raises
    ------
    InputError
        When the file is damaged, a scanpath is incomplete, or scanpaths of several tasks would be pooled.
    """
    points = PointWriter(path, source.naming)
    apart = bool({"task", "condition"} & {*words_of(source.files)}) or "/" in source.files
    tasks: dict[str, tuple[str, str]] = {}
    for number, one in enumerate(elements(path, _Scanpath, form="list of scanpaths"), 1):
        where = f"{path}: element {number}"
        if not (len(one.X) == len(one.Y) == len(one.X if one.T is None else one.T)):
            raise InputError(
                f"{where}: {len(one.X)}, {len(one.Y)} and {len(one.T or one.X)} X, Y and T; is it cut off?"
            )
        task = one.condition, one.task
        if not apart and tasks.setdefault(one.name, task) != task:
            raise InputError(
                f"{where}: {one.name} was shown under {' '.join(tasks[one.name])} and {' '.join(task)}; choose, as "
                'files = "present/{task}/{stem}", or tell them apart with id = "{task}-{stem}"'
            )
        name = f"{one.condition or 'all'}/{one.task or 'all'}/{one.name}" if apart else one.name
        durations = None if one.T is None else _floats(one.T)
        points.add(name, _floats(one.X), _floats(one.Y), person=one.subject, durations=durations, where=where)
    return PointsReader(path, points.close(), origin=0, source=source, left_out=points.left_out)


def _floats(values: list[float]) -> Any:
    return np.array(values, np.float64)
