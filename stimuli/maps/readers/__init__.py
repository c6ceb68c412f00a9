"""Readers: whatever holds importance becomes dense maps or recorded points, one per picture."""

import importlib
from collections.abc import Callable
from pathlib import Path

from rapidvision.errors import InputError

from ...recipe import MapSource
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
        Maps picture ids to dense maps or points.

    Raises
    ------
    InputError
        When file or folder are missing or not of that format.
    """
    path = root / source.path
    if not path.exists():
        raise InputError(f"{path}: no such file or folder (map source {source.source})")
    return _opener(source.reader)(path, source)


#: Reader → module and function that open it; modules are imported when they are needed.
_OPENERS = {
    "folder": ("folder", "open_folder"),
    "npz": ("npz", "open_npz"),
    "clickme-tfrecord": ("clickme", "open_clickme"),
    "points-csv": ("table", "open_points_csv"),
    "salicon-json": ("salicon", "open_salicon_json"),
    "salicon-mat": ("salicon", "open_salicon_mat"),
    "fixations-mat": ("fixations", "open_fixations_mat"),
    "bubbles-mat": ("fixations", "open_bubbles_mat"),
}


def _opener(name: str) -> Callable[[Path, MapSource], MapReader]:
    module, function = _OPENERS[name]
    opener: Callable[[Path, MapSource], MapReader] = getattr(
        importlib.import_module(f".{module}", __package__), function
    )
    return opener
