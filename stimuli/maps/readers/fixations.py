"""Eye fixations in the form of OSIE, and clicks or fixations in the form of BubbleView and FIGRIM: one MATLAB file."""

from pathlib import Path
from typing import Any

import numpy as np

from rapidvision.errors import InputError

from ...input_tables import MapSource
from .matlab import Structs, field, items, loadmat, numbers, pairs, text
from .point_store import PointWriter
from .points import PointsReader

#: Variable that holds the images: BubbleView; FIGRIM.
_LISTS = ("bubble", "allImages")


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
    points = PointWriter(path, source.naming)
    seen: set[str] = set()
    for number, one in enumerate(items(content["fixations"], where=str(path)), 1):
        where = f"{path}: fixations({number})"
        name = _once(text(field(one, "img", where=where), where=where), seen, where)
        for slot, person in enumerate(items(field(one, "subjects", where=where), where=where)):
            x, y, durations = (
                numbers(field(person, key, where=where), where=where) for key in ("fix_x", "fix_y", "fix_duration")
            )
            if not x.size == y.size == durations.size:
                raise InputError(
                    f"{where}: {[x.size, y.size, durations.size]} x, y and durations; is the file cut off?"
                )
            points.add(name, x, y, person=slot, durations=durations, where=where)
    return PointsReader(path, points.close(), origin=1, source=source, left_out=points.left_out)


def open_bubbles_mat(path: Path, source: MapSource) -> PointsReader:
    """Open ``bubble(i).filename`` (or ``allImages(i)``) and ``.userdata(j).fixations.enc`` = x, y, counted from 1.

    Raises
    ------
    InputError
        When the file is missing, damaged or of another structure.
    """
    content = loadmat(path)
    variable = next((name for name in _LISTS if name in content), None)
    if variable is None:
        raise InputError(f'{path}: no variable "bubble" or "allImages"; it is not in the form of BubbleView or FIGRIM')
    points = PointWriter(path, source.naming)
    seen: set[str] = set()
    for number, one in enumerate(items(content[variable], where=str(path)), 1):
        where = f"{path}: {variable}({number})"
        name = _once(_name_of(one, where), seen, where)
        for slot, person in enumerate(items(field(one, "userdata", where=where), where=where)):
            clicks = field(person, "fixations", where=where)
            if not isinstance(clicks, Structs):  # participants who did not see the image have an empty array here
                continue
            pairs_ = _one_pair(field(clicks, "enc", where=where), where=where)
            if len(pairs_):
                points.add(name, pairs_[:, 0], pairs_[:, 1], person=slot, where=where)
        points.number_of(name, where=where)
    return PointsReader(path, points.close(), origin=1, source=source, left_out=points.left_out)


def _name_of(one: Structs, where: str) -> str:
    """The image's path where it has one, whose folder tells images of one name apart; else its file name."""
    return text(field(one, "impath" if "impath" in one.names else "filename", where=where), where=where)


def _one_pair(value: Any, *, where: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Read pairs; a single one may have been squeezed to shape (2, 1) or (1, 2) by the program that wrote it."""
    if isinstance(value, np.ndarray) and value.shape == (2, 1):
        value = value.reshape(1, 2)
    return pairs(value, where=where)


def _once(name: str, seen: set[str], where: str) -> str:
    if name in seen:
        raise InputError(f"{where}: {name} appears twice; two images must not have one name")
    seen.add(name)
    return name
