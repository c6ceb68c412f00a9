"""SALICON: the COCO-style JSON, and MATLAB files with one image each.

All count from 1. In the JSON, fixations are [row, column]. In MATLAB files they are [x, y] in ``gaze`` (one struct per
observer with ``fixations``, ``location``, ``timestamp``), and mouse samples in ``fixations.coord`` with
``fixations.subj`` are [row, column]: read so, they agree with the eye fixations on the same images.
"""

from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np

from rapidvision.errors import InputError

from ...input_tables import MapSource
from .base import Points
from .folder import NamedFiles
from .json_stream import elements
from .matlab import field, items, loadmat, numbers, pairs
from .point_store import PointWriter
from .points import PointsReader, Recording, as_points


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct):
    image_id: int
    fixations: list[tuple[float, float]]


def open_salicon_json(path: Path, source: MapSource) -> PointsReader:
    """Open a SALICON annotation file.

    Raises
    ------
    InputError
        When the file is missing, damaged, or no SALICON file.
    """
    images: dict[int, _Image] = {}
    names: set[str] = set()
    for image in elements(path, _Image, key="images", form="SALICON file"):
        if image.width < 1 or image.height < 1:
            raise InputError(f"{path}: {image.file_name} is {image.width} x {image.height} pixels")
        if image.id in images:
            raise InputError(f"{path}: two images have one id")
        if image.file_name in names:
            raise InputError(f"{path}: {image.file_name} appears twice; two images must not have one name")
        names.add(image.file_name)
        images[image.id] = image
    points = PointWriter(path, source.naming)
    strange: dict[int, int] = {}
    for number, annotation in enumerate(elements(path, _Annotation, key="annotations", form="SALICON file")):
        listed = images.get(annotation.image_id)
        if listed is None:
            strange[annotation.image_id] = strange.get(annotation.image_id, 0) + 1
            continue
        places = np.array(annotation.fixations, np.float64).reshape(-1, 2)
        size = listed.width, listed.height
        points.add(listed.file_name, places[:, 1], places[:, 0], person=number, frame_px=size)
    if strange:
        n = sum(strange.values())
        raise InputError(f"{path}: {n} annotations of images that the file does not list (first: {min(strange)})")
    for image in images.values():
        points.number_of(image.file_name)
    return PointsReader(path, points.close(), origin=1, source=source, left_out=points.left_out)


class SaliconFolder(NamedFiles):
    """A folder with a ``.mat`` file per image, read when it is asked for."""

    suffixes: ClassVar[tuple[str, ...]] = (".mat",)

    def read(self, image_id: str) -> Points:
        """Return the points of an image, counted from 0."""
        path = self.path_of(image_id)
        origin = 1 if self.source.frame.origin is None else self.source.frame.origin
        return as_points(salicon_mat(path, samples=self.source.key == "location"), origin, self.source, where=str(path))


def open_salicon_mat(path: Path, source: MapSource) -> SaliconFolder:
    """Open a folder of SALICON MATLAB files; ``key = "location"`` takes all mouse samples instead of fixations.

    Raises
    ------
    InputError
        When there is no such folder, or `key` is something else; a missing or damaged file is refused when it is read.
    """
    if source.key not in ("", "fixations", "location"):
        raise InputError(f'{path}: key is "{source.key}"; "fixations" or "location" (all mouse samples) is needed')
    return SaliconFolder(path, source)


def salicon_mat(path: Path, *, samples: bool = False) -> Recording:
    """Read one MATLAB file of either kind."""
    content = loadmat(path)
    where = str(path)
    if "gaze" in content:
        people = [
            pairs(field(one, "location" if samples else "fixations", where=where), where=where)
            for one in items(content["gaze"], where=where)
        ]
        frame = None
        if "resolution" in content:
            size = numbers(content["resolution"], where=f"{where}: resolution")
            if size.size != 2 or not np.all((size >= 1) & (size <= 100_000)):
                raise InputError(f"{where}: resolution is {size.tolist()[:4]}; height and width are needed")
            height, width = size
            frame = (int(width), int(height))
        points = np.concatenate(people) if people else np.empty((0, 2))
        return Recording(points[:, 0], points[:, 1], len(people), frame)
    if "fixations" in content:
        points = pairs(field(content["fixations"], "coord", where=where), where=where)
        observers = numbers(field(content["fixations"], "subj", where=where), where=where)
        if observers.size != len(points):
            raise InputError(f"{where}: {len(points)} points and {observers.size} observers; is the file cut off?")
        return Recording(points[:, 1], points[:, 0], np.unique(observers).size)
    names = [name for name in content if not name.startswith("__")]
    raise InputError(f'{where}: neither "gaze" nor "fixations" in it, but {", ".join(names)[:80] or "nothing"}')
