"""Eye fixations in the form of OSIE, and bubble clicks in the form of BubbleView: one MATLAB file for all images."""

from pathlib import Path

import numpy as np

from rapidvision.errors import InputError

from ...recipe_tables import MapSource
from .matlab import Structs, field, items, loadmat, numbers, pairs, text
from .points import PointsReader, Recording, only_once


def open_fixations_mat(path: Path, source: MapSource) -> PointsReader:
    """Open ``fixations(i).img`` and ``.subjects{j}.fix_x, fix_y, fix_duration``, counted from 1.

    Raises
    ------
    InputError
        When the file is missing, damaged or of another structure.
    """
    content = loadmat(path)
    if "fixations" not in content:
        raise InputError(f'{path}: no variable "fixations"; it is not in the form of OSIE')
    recordings: dict[str, Recording] = {}
    for number, one in enumerate(items(content["fixations"], where=str(path)), 1):
        where = f"{path}: fixations({number})"
        name = Path(text(field(one, "img", where=where), where=where)).stem
        only_once(recordings, name, where=where)
        columns: list[list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]] = [[], [], []]
        people = items(field(one, "subjects", where=where), where=where)
        for person in people:
            values = [
                numbers(field(person, key, where=where), where=where) for key in ("fix_x", "fix_y", "fix_duration")
            ]
            if len({value.size for value in values}) != 1:
                raise InputError(
                    f"{where}: {[value.size for value in values]} x, y and durations; is the file cut off?"
                )
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        x, y, durations = (np.concatenate(column) if column else np.empty(0) for column in columns)
        recordings[name] = Recording(x, y, len(people), None, durations)
    return PointsReader(path, recordings, origin=1, source=source)


def open_bubbles_mat(path: Path, source: MapSource) -> PointsReader:
    """Open ``bubble(i).filename`` and ``.userdata(j).fixations.enc`` = x, y of each click, counted from 1.

    Raises
    ------
    InputError
        When the file is missing, damaged or of another structure.
    """
    content = loadmat(path)
    if "bubble" not in content:
        raise InputError(f'{path}: no variable "bubble"; it is not in the form of BubbleView')
    recordings: dict[str, Recording] = {}
    for number, one in enumerate(items(content["bubble"], where=str(path)), 1):
        where = f"{path}: bubble({number})"
        name = Path(text(field(one, "filename", where=where), where=where)).stem
        only_once(recordings, name, where=where)
        people = []
        for person in items(field(one, "userdata", where=where), where=where):
            clicks = field(person, "fixations", where=where)
            if isinstance(clicks, Structs):  # participants who did not see the image have an empty array here
                people.append(pairs(field(clicks, "enc", where=where), where=where))
        people = [points for points in people if len(points)]
        points = np.concatenate(people) if people else np.empty((0, 2))
        recordings[name] = Recording(points[:, 0], points[:, 1], len(people))
    return PointsReader(path, recordings, origin=1, source=source)
