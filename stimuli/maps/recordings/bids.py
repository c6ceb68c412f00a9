"""BIDS eye-tracking: gaze samples in ``*_physio.tsv.gz``, images in ``*_events.tsv``, the display in ``*_events.json``."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import json_text

from ...input_tables import MapSource
from ..readers.folder import names_in
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader
from ..readers.table_rows import number, rows_of

_PHYSIO = re.compile(r"(?P<run>.*?)(_recording-[^_]+)?_physio\.tsv(\.gz)?$", re.IGNORECASE)
_NEEDED = ("timestamp", "x_coordinate", "y_coordinate")
_AXES = {"top": (1, 0), "bottom": (1, 2), "left": (0, 0), "right": (0, 2), "center": (-1, 1)}


def open_bids(path: Path, source: MapSource) -> PointsReader:
    """Open every recording of a data set whose JSON says ``"PhysioType": "eyetrack"``.

    A sample belongs to the image of the event during which it fell: event times and ``StartTime`` are in seconds, and
    samples follow one another at ``SamplingFrequency``.

    Raises
    ------
    InputError
        When there is no recording, or a file that belongs to one is missing or lacks a needed key.
    """
    points = PointWriter(path, source.naming)
    column = source.key or "stim_file"
    n_files = n_beside = 0
    for name in names_in(path, deep=True) if path.is_dir() else ():
        match = _PHYSIO.fullmatch(name)
        if match is None:
            continue
        about = _about(path, name, "physio")
        if about.get("PhysioType") != "eyetrack":
            continue
        n_files += 1
        n_beside += _read(path, name, match["run"], about, column, points)
    if not n_files:
        raise InputError(f'{path}: no *_physio.tsv.gz with "PhysioType": "eyetrack" here; is it a BIDS data set?')
    beside = f"{n_beside} samples while no image was shown" if n_beside else ""
    return PointsReader(
        path, points.close(), origin=0, source=source, left_out=", ".join(filter(None, (points.left_out, beside)))
    )


def _read(root: Path, name: str, run: str, about: dict[str, Any], column: str, points: PointWriter) -> int:
    where = f"{root / name}"
    lacking = [key for key in ("SamplingFrequency", "Columns", "SampleCoordinateSystem") if key not in about]
    if lacking or tuple(about["Columns"][:3]) != _NEEDED:
        raise InputError(f"{where}: its JSON lacks {lacking[0] if lacking else f'Columns that begin {_NEEDED}'}")
    if about["SampleCoordinateSystem"] != "gaze-on-screen":
        raise InputError(f'{where}: {about["SampleCoordinateSystem"]}; only "gaze-on-screen" can be laid on images')
    events = f"{run}_events.tsv"
    size, origin = _screen(_about(root, events, "events"), where=f"{root / events}")
    shown = list(_events(root / events, column))
    person = Path(name).name.partition("_")[0]
    x, y = _samples(root / name, about["Columns"])
    if about.get("x_coordinate", {}).get("Units", "pixel") not in ("pixel", "px"):
        raise InputError(f"{where}: coordinates in {about['x_coordinate']['Units']}; pixels are needed")
    x, y = (
        values + (0, (extent - 1) / 2, extent - 1)[place]
        for values, extent, place in zip((x, y), size, origin, strict=True)
    )
    times = float(about.get("StartTime") or 0) + np.arange(x.size) / float(about["SamplingFrequency"])
    used = np.zeros(x.size, bool)
    for onset, duration, image in shown:
        during = (times >= onset) & (times < onset + duration)
        there = during & np.isfinite(x) & np.isfinite(y)
        used |= during
        n_missing = int(np.count_nonzero(during & ~there))
        points.add(image, x[there], y[there], person=person, frame_px=size, n_missing=n_missing, where=where)
    return int(np.count_nonzero(~used))


def _samples(path: Path, columns: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x: list[float] = []
    y: list[float] = []
    for line, row in rows_of(path, header=columns).rows:
        try:
            for values, cell in ((x, row[1]), (y, row[2])):
                found = number(cell)
                values.append(np.nan if found is None else found)
        except ValueError:
            raise InputError(
                f'{path}: row {line}: coordinates "{row[1]}", "{row[2]}"; numbers or n/a are needed'
            ) from None
    return np.array(x), np.array(y)


def _events(path: Path, column: str) -> Iterator[tuple[float, float, str]]:
    table = rows_of(path)
    for name in ("onset", "duration", column):
        if name not in table.header:
            raise InputError(f'{path}: no column "{name}"; key names the column with the image, stim_file if left out')
    onset, duration, image = (table.header.index(name) for name in ("onset", "duration", column))
    for line, row in table.rows:
        try:
            times = number(row[onset]), number(row[duration])
        except ValueError:
            times = (None, None)
        if number_or_name := row[image].strip():
            if number_or_name == "n/a":
                continue
            if times[0] is None or times[1] is None:
                raise InputError(f"{path}: row {line}: onset and duration must be numbers where an image is shown")
            yield times[0], times[1], number_or_name


def _about(root: Path, name: str, kind: str) -> dict[str, Any]:
    """Return what the JSON files say that belong to a file, those of folders above it first, as BIDS inherits."""
    entities = {*Path(name).name.split(".")[0].split("_")}
    found: dict[str, Any] = {}
    folder = root
    for part in ("", *Path(name).parent.parts):
        folder = folder / part
        for path in sorted(folder.glob(f"*{kind}.json"), key=lambda one: (len(one.name), one.name)):
            if {*path.stem.split("_")} <= entities:
                read = json_text.read(path)
                found |= read if isinstance(read, dict) else {}
    return found


def _screen(about: dict[str, Any], *, where: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the display's size, and for x and y where 0 is: 0 at the first pixel, 1 in the middle, 2 at the last."""
    shown = about.get("StimulusPresentation", {})
    try:
        width, height = (int(value) for value in shown["ScreenResolution"])
        words = shown.get("ScreenOrigin", ["top", "left"])
        if words == ["center", "center"]:
            return (width, height), (1, 1)
        places = dict(_AXES[word] for word in words)
        return (width, height), (places[0], places[1])
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f'{where}: its JSON needs StimulusPresentation with ScreenResolution, and ScreenOrigin like ["top", "left"]'
        ) from None
