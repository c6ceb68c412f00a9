"""Fixations that pysaliency stored as HDF5, and the file of stimuli that gives their images names."""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system.extras import need

from ...input_tables import MapSource
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader


def open_pysaliency(path: Path, source: MapSource) -> PointsReader:
    """Open ``Fixations``, ``FixationTrains``, ``Scanpaths`` or ``ScanpathFixations``, counted from 0.

    A fixation has the number of its image only. `key` names the file of the stimuli beside it, ``stimuli.hdf5`` if left
    out.

    Raises
    ------
    MissingExtra
        When h5py is not installed.
    InputError
        When a file is another one, or a number has no image.
    """
    h5py = need("h5py", extra="hdf5", purpose="an HDF5 file of pysaliency")
    names, sizes = _stimuli(h5py, path.parent / (source.key or "stimuli.hdf5"))
    points = PointWriter(path, source.naming)
    x, y, images, people = _fixations(h5py, path)
    outside = images[(images < 0) | (images >= len(names))]
    if outside.size:
        raise InputError(f"{path}: a fixation on image {outside[0]}; the file of stimuli has {len(names)}")
    for number in np.unique(images):
        for person in np.unique(people[images == number]):
            mine = (images == number) & (people == person)
            points.add(names[number], x[mine], y[mine], person=int(person), frame_px=sizes.get(int(number)))
    return PointsReader(path, points.close(), origin=0, source=source, left_out=points.left_out)


def _opened(h5py: Any, path: Path) -> Any:
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; key names the file of the stimuli") from None
    except OSError as error:
        raise InputError(f"{path}: not an HDF5 file ({str(error)[:100]})") from error


def _kind(file: Any) -> str:
    kind = file.attrs.get("type", "")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _stimuli(h5py: Any, path: Path) -> tuple[list[str], dict[int, tuple[int, int]]]:
    """Return the names of the images in their order, and sizes (width, height) where they are known."""
    with _opened(h5py, path) as file:
        kind = _kind(file)
        if kind == "FileStimuli":
            found = [one.decode() if isinstance(one, bytes) else str(one) for one in file["filenames"][()]]
            shapes = file["shapes"][()] if "shapes" in file else []
            return found, {number: (int(shape[1]), int(shape[0])) for number, shape in enumerate(shapes)}
        if kind == "Stimuli":
            numbers = sorted((name for name in file if name.isdigit()), key=int)
            return numbers, {int(name): (file[name].shape[1], file[name].shape[0]) for name in numbers}
    raise InputError(f'{path}: of type "{kind}"; FileStimuli or Stimuli are needed')


def _fixations(
    h5py: Any, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    with _opened(h5py, path) as file:
        kind = _kind(file)
        try:
            if kind in ("Fixations", "FixationTrains") and "x" in file:
                people = next((name for name in ("subject", "subjects") if name in file), None)
                n = np.asarray(file["n"][()], np.int64)
                who = np.zeros_like(n) if people is None else np.asarray(file[people][()], np.int64)
                return np.asarray(file["x"][()], float), np.asarray(file["y"][()], float), n, who
            if kind in ("Scanpaths", "ScanpathFixations", "FixationTrains"):
                return _scanpaths(file["scanpaths"] if kind == "ScanpathFixations" else file)
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: damaged, or of a form that is not known ({str(error)[:100]})") from error
    raise InputError(f'{path}: of type "{PurePosixPath(kind)}"; Fixations or scanpaths are needed')


def _scanpaths(
    group: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Flatten scanpaths (n × longest, padded with NaN)."""
    old = "train_xs" in group
    xs, ys = (np.asarray(group[("train_" if old else "") + name][()], float) for name in ("xs", "ys"))
    n = np.asarray(group["train_ns" if old else "n"][()], np.int64)
    attributes = group.get("scanpath_attributes", {})
    name = "train_subjects" if old else "subject"
    holder = group if old else attributes
    who = np.asarray(holder[name][()], np.int64) if name in holder else np.arange(n.size)
    there = np.isfinite(xs) & np.isfinite(ys)
    rows = np.nonzero(there)[0]
    return xs[there], ys[there], n[rows], who[rows]
