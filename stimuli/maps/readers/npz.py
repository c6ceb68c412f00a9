"""One ``.npz`` file with an array per image, named after it."""

import zipfile
from collections.abc import Collection
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.map_stacks import check_version
from rapidvision.images.load import load_map

from ...input_tables import MapSource
from ...naming import slug
from .base import DenseMap, dense

_SUFFIX = ".npy"


class NpzReader:
    """Maps in one ``.npz`` file; an array is read, and its checksum compared, when it is asked for.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        When it is no such file, or two arrays have one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                check_version(archive, path)
                members = [name for name in archive.namelist() if name.endswith(_SUFFIX)]
        except InputError:
            raise
        except Exception as error:  # zip and system errors of many kinds
            raise InputError(f"{path}: not an .npz file of arrays ({str(error)[:120]})") from error
        twice = next((name for name in members if members.count(name) > 1), None) if _repeats(members) else None
        if twice is not None:
            raise InputError(f"{path}: array {twice.removesuffix(_SUFFIX)} is there twice; write the file again")
        self.names: dict[str, str] = {}
        for name in (member.removesuffix(_SUFFIX) for member in members):
            other = self.names.setdefault(slug(name), name)
            if other != name:
                raise InputError(f"{path}: arrays {other} and {name} are both called {slug(name)}; rename one of them")

    def has(self, image_id: str) -> bool:
        """Whether an array has the image's name."""
        return image_id in self.names

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self.names.keys()

    def read(self, image_id: str) -> DenseMap:
        """Read the map of an image."""
        if image_id not in self.names:
            hint = did_you_mean(image_id, sorted(self.names)[:1000]) if self.names else "The file is empty."
            raise InputError(f'{self.path}: no array "{image_id}". {hint[:200]}')
        try:
            with zipfile.ZipFile(self.path) as archive:
                data = archive.read(self.names[image_id] + _SUFFIX)
        except Exception as error:  # zip and checksum errors of many kinds
            raise InputError(f"{self.path}: array {image_id} cannot be read ({str(error)[:120]})") from error
        where = f"{self.path}: {image_id}"
        return dense(load_map(data, name=where), where=where)


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def open_npz(path: Path, source: MapSource) -> NpzReader:  # noqa: ARG001
    """Open an ``.npz`` file of maps."""
    return NpzReader(path)
