"""Writing ``.npz`` files array by array, so that their bytes depend on their content alone."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import files


class NpzWriter:
    """An ``.npz`` that is written array by array; numpy's own writer stores the time of day, this one does not.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Open for writing.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Write an array under a name."""
        info = zipfile.ZipInfo(f"{name}.npy")
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=True) as body:
            np.lib.format.write_array(body, array, allow_pickle=array.dtype == object)


@contextmanager
def open_npz(path: Path | str, *, comment: bytes = b"") -> Iterator[NpzWriter]:
    """Open an ``.npz`` for writing; it appears whole or not at all.

    Parameters
    ----------
    path : path-like
        The file.
    comment : bytes
        Comment of the archive, which readers of ``.npz`` files pass over.
    """
    with files.atomic(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        yield NpzWriter(archive)


def write_npz(path: Path | str, arrays: Iterable[tuple[str, NDArray[Any]]], *, comment: bytes = b"") -> None:
    """Write an ``.npz`` from names and arrays, one at a time in memory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_npz(Path(folder) / "a.npz", [("cat-01", np.arange(3))])
    ...     np.load(Path(folder) / "a.npz")["cat-01"].tolist()
    [0, 1, 2]
    """
    with open_npz(path, comment=comment) as out:
        for name, array in arrays:
            out.add(name, array)
