"""Readers: whatever holds importance becomes dense maps or recorded points, one per image."""

from pathlib import Path

from rapidvision.errors import InputError

from ...input_tables import MapSource
from ...registries import READERS
from .base import DenseMap, MapReader, Points

__all__ = ["DenseMap", "MapReader", "Points", "open_source"]


def open_source(source: MapSource, root: Path) -> MapReader:
    """Open the files of a map source.

    Parameters
    ----------
    source : MapSource
        From the recipe.
    root : Path
        What relative paths are relative to.

    Returns
    -------
    MapReader
        Maps image ids to dense maps or points.

    Raises
    ------
    InputError
        When file or folder are missing or not of that format.
    """
    path = root / source.path
    if not path.exists():
        raise InputError(f"{path}: no such file or folder (map source {source.source})")
    opened: MapReader = READERS.get(source.reader)(path, source)
    return opened
