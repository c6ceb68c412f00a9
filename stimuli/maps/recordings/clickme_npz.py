"""ClickMe 2025 as ``.npz``: arrays of Python lists, read without running what a pickle may hold."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ...input_tables import MapSource
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader

#: Rows whose participant passed fewer of the catch trials are left out, as the release's own code does.
LEAST_CATCH = 0.95
_NEEDED = ("file_pointer", "clickmap_x", "clickmap_y")
#: What a pickle of arrays of lists is made of; anything else is refused.
_ALLOWED = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("builtins", "list"), ("builtins", "int"), ("builtins", "float")}


class _Plain(pickle.Unpickler):  # noqa: S301  (only what arrays of lists are made of is allowed)
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it wants {module}.{name}")


def open_clickme_npz(path: Path, source: MapSource) -> PointsReader:
    """Open ``file_pointer``, ``clickmap_x``, ``clickmap_y`` and, if there, ``user_id`` and ``user_catch_trial``.

    Raises
    ------
    InputError
        When an array is missing or damaged, holds something else than lists of numbers, or they differ in length.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                raise InputError(f"{path}: no array {missing[0]}; needed are {', '.join(_NEEDED)}")
            wanted = [name for name in (*_NEEDED, "user_id", "user_catch_trial") if name in names]
            arrays = {name: _array(archive.read(f"{name}.npy"), f"{path}: {name}") for name in wanted}
    except InputError:
        raise
    except Exception as error:  # zip and system errors of many kinds
        raise InputError(f"{path}: not an .npz file of arrays ({str(error)[:120]})") from error
    if len({one.shape for one in arrays.values()}) != 1 or arrays["file_pointer"].ndim != 1:
        shapes = ", ".join(f"{name} {one.shape}" for name, one in arrays.items())
        raise InputError(f"{path}: arrays of different shapes ({shapes}); is it cut off?")
    n_rows = arrays["file_pointer"].size
    catch = np.asarray(arrays.get("user_catch_trial", np.ones(n_rows)), np.float64)
    users = arrays.get("user_id", np.zeros(n_rows))
    points, n_failed = PointWriter(path, source.naming), 0
    for row in range(n_rows):
        where = f"{path}: row {row}"
        if not catch[row] >= LEAST_CATCH:
            n_failed += 1
            continue
        x, y = (_floats(arrays[name][row], f"{where}: {name}") for name in ("clickmap_x", "clickmap_y"))
        if x.size != y.size:
            raise InputError(f"{where}: {x.size} x and {y.size} y; is it cut off?")
        points.add(str(arrays["file_pointer"][row]), x, y, person=str(users[row]), where=where)
    failed = f"{n_failed} trials of participants with catch trials below {LEAST_CATCH}" if n_failed else ""
    left_out = ", ".join(filter(None, (points.left_out, failed)))
    return PointsReader(path, points.close(), origin=0, source=source, left_out=left_out)


def _array(data: bytes, where: str) -> NDArray[Any]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = head(file)
        if dtype.hasobject:
            return np.asarray(_Plain(file).load(), object).reshape(shape)
        return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))
    except Exception as error:  # headers, pickles and values of many kinds
        raise InputError(f"{where}: cannot be read ({str(error)[:120]})") from error


def _floats(values: Any, where: str) -> NDArray[np.float64]:
    try:
        return np.atleast_1d(np.asarray(values, np.float64)).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: not a list of numbers ({str(error)[:80]})") from error
