"""A folder with one map per image: grey images, ``.npy`` or ``.npz``, named after the image."""

from collections.abc import Collection
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.images.listing import list_images
from rapidvision.images.load import MAP_SUFFIXES, load_map

from ...recipe_tables import MapSource
from .base import DenseMap, dense


class FolderReader:
    """Maps that lie in a folder as ``<image_id><suffix>``; the suffix in any case.

    Parameters
    ----------
    folder : Path
        The folder.

    Attributes
    ----------
    left_out : str
        What lies in the folder besides maps, counted by suffix; empty if nothing does.

    Raises
    ------
    InputError
        When two files of the folder have one name but for suffix and capitals.
    """

    def __init__(self, folder: Path) -> None:
        listing = list_images(folder, suffixes=MAP_SUFFIXES)
        self.folder, self.left_out = folder, listing.left_out
        self._names = {path.stem: path.name for path in listing.paths}

    def has(self, image_id: str) -> bool:
        """Whether a file with that name exists."""
        return image_id in self._names

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self._names.keys()

    def read(self, image_id: str) -> DenseMap:
        """Read the map of an image."""
        if image_id not in self._names:
            raise InputError(f"{self.folder}: no map for {image_id}; a file {image_id}.png is looked for")
        path = self.folder / self._names[image_id]
        return dense(load_map(path), where=str(path))


def open_folder(path: Path, source: MapSource) -> FolderReader:
    """Open a folder of maps.

    Raises
    ------
    InputError
        When there is no such folder, or two maps have one name; an unusable map is refused when it is read.
    """
    if not path.is_dir():
        raise InputError(f'{path}: not a folder; reader = "{source.reader}" wants one with a map per image')
    return FolderReader(path)
