"""One ``.npz`` file with an array per picture, named after it."""

from pathlib import Path

import numpy as np

from rapidvision.errors import InputError, did_you_mean

from ...recipe import MapSource
from .base import DenseMap, dense


class NpzReader:
    """Maps in one ``.npz`` file; arrays are read when they are asked for.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                self.names = frozenset(archive.files)
        except Exception as error:  # zip, header and value errors of many kinds
            raise InputError(f"{path}: not an .npz file of arrays ({str(error)[:120]})") from error

    def has(self, image_id: str) -> bool:
        """Whether an array has the picture's name."""
        return image_id in self.names

    def read(self, image_id: str) -> DenseMap:
        """Read the map of a picture."""
        if image_id not in self.names:
            hint = did_you_mean(image_id, sorted(self.names)[:1000]) if self.names else "The file is empty."
            raise InputError(f'{self.path}: no array "{image_id}". {hint[:200]}')
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                values = archive[image_id]
        except Exception as error:  # zip, header and value errors of many kinds
            raise InputError(f"{self.path}: array {image_id} cannot be read ({str(error)[:120]})") from error
        return dense(values, where=f"{self.path}: {image_id}")


def open_npz(path: Path, source: MapSource) -> NpzReader:  # noqa: ARG001
    """Open an ``.npz`` file of maps."""
    return NpzReader(path)
