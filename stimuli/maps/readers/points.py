"""Recorded points: what all readers of clicks and fixations share."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ...input_tables import MapSource
from .base import Points


class Recordings(Protocol):
    """Recordings by image id; see :class:`.point_store.PointStore`."""

    def ids(self) -> Collection[str]:
        """Every image."""

    def __contains__(self, image_id: str) -> bool: ...

    def recording(self, image_id: str) -> "Recording":
        """Return what was recorded on an image."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """All points of one image as the file has them.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        Column and row in the file's own counting.
    n_observers : int
        How many people.
    frame_px : (int, int) or None
        Width and height that the file names.
    durations : ndarray of float64, shape (n,), or None
        How long each lasted.
    n_missing : int
        Samples without a position, which are not among the points.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    n_observers: int
    frame_px: tuple[int, int] | None = None
    durations: NDArray[np.float64] | None = None
    n_missing: int = 0


class PointsReader:
    """Recordings of a file or folder.

    Parameters
    ----------
    path : Path
        For messages.
    recordings : Recordings
        By image id.
    origin : int
        Coordinate of the first pixel in the format.
    source : MapSource
        May say otherwise.
    left_out : str
        What the source holds besides, in words; empty if nothing.
    """

    def __init__(
        self, path: Path, recordings: Recordings, *, origin: int, source: MapSource, left_out: str = ""
    ) -> None:
        self.path, self.recordings, self.source, self.left_out = path, recordings, source, left_out
        self.origin = origin if source.frame.origin is None else source.frame.origin

    def has(self, image_id: str) -> bool:
        """Whether there are points on the image."""
        return image_id in self.recordings

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self.recordings.ids()

    def read(self, image_id: str) -> Points:
        """Return the points of an image, counted from 0.

        Raises
        ------
        InputError
            When there are none, or the coordinates cannot be meant so: a 0 where counting starts at 1, exchanged axes.
        """
        if image_id not in self.recordings:
            raise InputError(f"{self.path}: no points on {image_id} (map source {self.source.source})")
        return as_points(
            self.recordings.recording(image_id), self.origin, self.source, where=f"{self.path}: {image_id}"
        )


def as_points(one: Recording, origin: int, source: MapSource, *, where: str) -> Points:
    """Return a recording's points counted from 0, with the weights that the recipe asks for.

    Raises
    ------
    InputError
        As :func:`check` does, and when weights are asked for and the recording has no durations.
    """
    frame = source.frame
    size = frame.size_px or one.frame_px
    x, y = (one.y, one.x) if frame.axes == "row-column" else (one.x, one.y)
    counted = frame.unit in (None, "px") and not frame.middle
    first = origin if counted else 0
    check(Recording(x, y, one.n_observers, None, one.durations), first, size if counted else None, where=where)
    weights = None
    if source.weights == "duration":
        if one.durations is None:
            raise InputError(f'{where}: no durations; use weights = "none"')
        weights = one.durations
    return Points(x - first, y - first, one.n_observers, size, weights, where, one.n_missing)


def check(one: Recording, origin: int, frame_px: tuple[int, int] | None, *, where: str) -> None:
    """Refuse coordinates that contradict their counting or their frame.

    Raises
    ------
    InputError
        When coordinates are not finite, are counted from another number than `origin`, or look exchanged; when a
        duration is no number from 0 up.
    """
    if one.x.size == 0:
        return
    if one.durations is not None and not (np.isfinite(one.durations).all() and one.durations.min() >= 0):
        raise InputError(f"{where}: durations that are negative or not finite; repair or remove them")
    if not (np.isfinite(one.x).all() and np.isfinite(one.y).all()):
        raise InputError(f"{where}: coordinates that are not finite; repair or remove them")
    whole = bool(np.all(one.x == np.rint(one.x)) and np.all(one.y == np.rint(one.y)))
    if origin == 1 and whole and min(one.x.min(), one.y.min()) == 0:
        raise InputError(
            f"{where}: a coordinate 0, but counting starts at 1 in this format; say frame.origin = 0 if it is so"
        )
    if frame_px is None:
        return
    width, height = frame_px
    most_x, most_y = one.x.max() - origin, one.y.max() - origin
    if origin == 0 and whole and (most_x == width or most_y == height):
        raise InputError(
            f"{where}: a coordinate {int(max(most_x, most_y))} in a frame of {width} x {height}; say frame.origin = 1"
        )
    if width != height and (most_y > height - 0.5 or most_x > width - 0.5) and most_y <= width and most_x <= height:
        raise InputError(
            f"{where}: x reaches {most_x:.0f} and y {most_y:.0f} in {width} x {height}; they look exchanged (frame.axes)"
        )
