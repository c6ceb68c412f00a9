"""Writing ``.npz`` files array by array, so that their bytes depend on their content alone."""

import pickle
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

    def add_ragged(self, name: str, rows: Iterable[list[int]], n_rows: int) -> None:
        """Write rows of unequal length as an array of lists, as ``np.load(..., allow_pickle=True)`` reads it.

        Parameters
        ----------
        name : str
            Of the array.
        rows : iterable of list of int
            Taken one by one: memory does not grow with their number.
        n_rows : int
            How many there are.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with open_npz(Path(folder) / "a.npz") as out:
        ...         out.add_ragged("x", iter([[1, 2], [3]]), 2)
        ...     np.load(Path(folder) / "a.npz", allow_pickle=True)["x"].tolist()
        [[1, 2], [3]]
        """
        info = zipfile.ZipInfo(f"{name}.npy")
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=True) as body:
            head = {"descr": "|O", "fortran_order": False, "shape": (n_rows,)}
            np.lib.format.write_array_header_1_0(body, head)
            pickler = pickle.Pickler(body, protocol=4)
            pickler.fast = True  # no memory of what was written: nothing occurs twice
            pickler.dump(_ObjectArray(rows, n_rows))


class _ObjectArray:
    """Pickles as numpy's array of objects does, its items taken from an iterator."""

    def __init__(self, rows: Iterable[Any], n_rows: int) -> None:
        self._rows, self._n_rows = rows, n_rows

    def __reduce__(self) -> tuple[Any, ...]:
        empty: Any = np.empty(0, dtype=object).__reduce__()
        return empty[0], empty[1], (1, (self._n_rows,), np.dtype(object), False, _Items(self._rows))


class _Items:
    """Pickles as a list."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, iter(self._rows)


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
