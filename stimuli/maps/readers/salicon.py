"""SALICON: the COCO-style JSON, and MATLAB files with one image each.

All count from 1. In the JSON, fixations are [row, column]. In MATLAB files they are [x, y] in ``gaze`` (one struct per
observer with ``fixations``, ``location``, ``timestamp``), and mouse samples in ``fixations.coord`` with
``fixations.subj`` are [row, column]: read so, they agree with the eye fixations on the same images.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec
import numpy as np

from rapidvision.errors import InputError
from rapidvision.images.listing import list_images
from rapidvision.system import files, json_text

from ...recipe_tables import MapSource
from .base import Points
from .matlab import field, items, loadmat, numbers, pairs
from .points import PointsReader, Recording, as_points, check, only_once


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct):
    image_id: int
    fixations: list[tuple[float, float]]


class _Salicon(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]


def open_salicon_json(path: Path, source: MapSource) -> PointsReader:
    """Open a SALICON annotation file.

    Raises
    ------
    InputError
        When the file is missing, damaged, or no SALICON file.
    """
    try:
        found = json_text.decode(files.read_bytes(path), _Salicon, name=str(path))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not a SALICON file ({error})") from error
    people: dict[int, list[list[tuple[float, float]]]] = {}
    for annotation in found.annotations:
        people.setdefault(annotation.image_id, []).append(annotation.fixations)
    strange = sorted(people.keys() - {image.id for image in found.images})
    if strange:
        n = sum(len(people[one]) for one in strange)
        raise InputError(f"{path}: {n} annotations of images that the file does not list (first: {strange[0]})")
    if len({image.id for image in found.images}) < len(found.images):
        raise InputError(f"{path}: two images have one id")
    recordings: dict[str, Recording] = {}
    for image in found.images:
        name = Path(image.file_name).stem
        only_once(recordings, name, where=str(path))
        all_points = [pair for person in people.get(image.id, []) for pair in person]
        points = np.array(all_points, np.float64).reshape(-1, 2)
        if image.width < 1 or image.height < 1:
            raise InputError(f"{path}: {image.file_name} is {image.width} x {image.height} pixels")
        recordings[name] = Recording(
            points[:, 1], points[:, 0], len(people.get(image.id, [])), (image.width, image.height)
        )
    return PointsReader(path, recordings, origin=1, source=source)


class SaliconFolder:
    """A folder with a ``.mat`` file per image, read when it is asked for.

    Parameters
    ----------
    folder : Path
        The folder.
    source : MapSource
        Frame, origin and weights.

    Attributes
    ----------
    left_out : str
        What lies in the folder besides such files, counted by suffix; empty if nothing does.
    """

    def __init__(self, folder: Path, source: MapSource) -> None:
        listing = list_images(folder, suffixes=(".mat",))
        self.folder, self.source, self.left_out = folder, source, listing.left_out
        self._names = {path.stem: path.name for path in listing.paths}

    def has(self, image_id: str) -> bool:
        """Whether there is a file for the image."""
        return image_id in self._names

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self._names.keys()

    def read(self, image_id: str) -> Points:
        """Return the points of an image, counted from 0."""
        path = self.folder / self._names.get(image_id, f"{image_id}.mat")
        recording = salicon_mat(path)
        origin = 1 if self.source.origin is None else self.source.origin
        check(recording, origin, self.source.frame_px or recording.frame_px, where=str(path))
        return as_points(recording, origin, self.source, where=str(path))


def open_salicon_mat(path: Path, source: MapSource) -> SaliconFolder:
    """Open a folder of SALICON MATLAB files.

    Raises
    ------
    InputError
        When there is no such folder; a missing or damaged file is refused when it is read.
    """
    if not path.is_dir():
        raise InputError(f'{path}: not a folder; reader = "salicon-mat" wants one with a .mat file per image')
    return SaliconFolder(path, source)


def salicon_mat(path: Path) -> Recording:
    """Read one MATLAB file of either kind."""
    content = loadmat(path)
    where = str(path)
    if "gaze" in content:
        people = [
            pairs(field(one, "fixations", where=where), where=where) for one in items(content["gaze"], where=where)
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
