"""Points of many images, sorted by image in a temporary file: memory does not grow with their number."""

import shutil
import tempfile
import weakref
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ...naming import Naming
from .points import Recording

_ROW = np.dtype([("x", "<f8"), ("y", "<f8"), ("duration", "<f8"), ("person", "<u4"), ("image", "<u4")])
#: Rows that are held in memory.
MOST_ROWS = 1 << 16
_UNSORTED = "unsorted"


class PointStore:
    """Recordings by image id, read from the file when they are asked for; may be sent to other processes.

    Parameters
    ----------
    path : Path
        Of the rows, sorted by image; the file is removed with the store that made it.
    ids : dict
        Image id → its number.
    starts : ndarray of int64, shape (n + 1,)
        Row at which each image begins.
    frames, missing : dict
        Image number → size of its frame; → samples without a position.
    idle : dict
        Image number → people who saw it and made no point.
    durations : bool
        Whether points have durations.
    """

    def __init__(
        self,
        path: Path,
        ids: dict[str, int],
        starts: NDArray[np.int64],
        frames: dict[int, tuple[int, int]],
        missing: dict[int, int],
        idle: dict[int, set[int]],
        *,
        durations: bool,
    ) -> None:
        self._path, self._ids, self._starts, self._durations = path, ids, starts, durations
        self._frames, self._missing, self._idle = frames, missing, idle

    def ids(self) -> Collection[str]:
        """Every image, in the order of the source."""
        return self._ids.keys()

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._ids

    def recording(self, image_id: str) -> Recording:
        """Return what was recorded on an image."""
        number = self._ids[image_id]
        start, end = int(self._starts[number]), int(self._starts[number + 1])
        rows = np.fromfile(self._path, _ROW, count=end - start, offset=start * _ROW.itemsize)
        return Recording(
            rows["x"].copy(),
            rows["y"].copy(),
            len({*np.unique(rows["person"]).tolist(), *self._idle.get(number, ())}),
            self._frames.get(number),
            rows["duration"].copy() if self._durations else None,
            self._missing.get(number, 0),
        )


class PointWriter:
    """Collects the points of a source, however many, and sorts them by image.

    Parameters
    ----------
    path : Path
        The source, for messages.
    naming : Naming
        How its names of images become ids.

    Attributes
    ----------
    n_unnamed : int
        Points under names that have not the pattern of the recipe.
    """

    def __init__(self, path: Path, naming: Naming) -> None:
        self.path, self.naming, self.n_unnamed = path, naming, 0
        self._numbers: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._people: dict[Any, int] = {}
        self._frames: dict[int, tuple[int, int]] = {}
        self._missing: dict[int, int] = {}
        self._idle: dict[int, set[int]] = {}
        self._counts: list[int] = []
        self._with_durations: set[bool] = set()
        self._folder = Path(tempfile.mkdtemp(prefix="rapidvision-points-"))
        self._removal = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        (self._folder / _UNSORTED).touch()
        self._waiting: list[NDArray[Any]] = []
        self._n_waiting = 0

    @property
    def left_out(self) -> str:
        """What had no name of the recipe's pattern, in words; empty if nothing."""
        return f"{self.n_unnamed} points under names other than {self.naming.files}" if self.n_unnamed else ""

    def number_of(self, name: str, *, where: str = "") -> int | None:
        """Return the number of the image that a name belongs to; None where the name has not the pattern.

        Raises
        ------
        InputError
            When another name has the same id.
        """
        if name in self._numbers:
            return self._numbers[name]
        image_id = self.naming.id_of(name)
        if image_id is None:
            return None
        other = self._names.setdefault(image_id, name)
        if other != name:
            raise InputError(
                f"{where or self.path}: {other} and {name} are both called {image_id}; give the map source an id "
                'of more parts, as id = "{folder}-{stem}"'
            )
        self._numbers[name] = len(self._counts)
        self._counts.append(0)
        return self._numbers[name]

    def add(
        self,
        name: str,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        *,
        person: Any = "",
        durations: NDArray[np.float64] | None = None,
        frame_px: tuple[int, int] | None = None,
        n_missing: int = 0,
        where: str = "",
    ) -> None:
        """Add the points of one person on one image; x, y and durations of shape (n,)."""
        number = self.number_of(name, where=where)
        if number is None:
            self.n_unnamed += x.size
            return
        if frame_px is not None and self._frames.setdefault(number, frame_px) != frame_px:
            raise InputError(f"{where or self.path}: {name} has frames of {self._frames[number]} and {frame_px}")
        if n_missing:
            self._missing[number] = self._missing.get(number, 0) + n_missing
        if not x.size:
            self.add_idle(number, self.person_of(person))
            return
        rows = np.empty(x.size, _ROW)
        rows["image"], rows["person"], rows["x"], rows["y"] = number, self.person_of(person), x, y
        rows["duration"] = np.nan if durations is None else durations
        self._counts[number] += x.size
        self._keep(rows, durations is not None)

    def person_of(self, person: Any) -> int:
        """Return the number of a person."""
        return self._people.setdefault(person, len(self._people))

    def add_missing(self, number: int) -> None:
        """Count one sample without a position."""
        self._missing[number] = self._missing.get(number, 0) + 1

    def add_idle(self, number: int, person: int) -> None:
        """Note a person who saw an image and made no point."""
        self._idle.setdefault(number, set()).add(person)

    def add_rows(
        self,
        numbers: Sequence[int] | NDArray[Any],
        x: Sequence[float] | NDArray[np.float64],
        y: Sequence[float] | NDArray[np.float64],
        people: Sequence[int] | NDArray[Any],
        durations: Sequence[float] | NDArray[np.float64] | None,
    ) -> None:
        """Add points of any images, by the numbers of images and people."""
        if not len(numbers):
            return
        rows = np.empty(len(numbers), _ROW)
        rows["image"], rows["person"], rows["x"], rows["y"] = numbers, people, x, y
        rows["duration"] = np.nan if durations is None else durations
        for number, count in zip(*np.unique(rows["image"], return_counts=True), strict=True):
            self._counts[number] += int(count)
        self._keep(rows, durations is not None)

    def _keep(self, rows: NDArray[Any], with_durations: bool) -> None:
        self._with_durations.add(with_durations)
        self._waiting.append(rows)
        self._n_waiting += rows.size
        if self._n_waiting >= MOST_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            with (self._folder / _UNSORTED).open("ab") as file:
                np.concatenate(self._waiting).tofile(file)
        self._waiting, self._n_waiting = [], 0

    def close(self) -> PointStore:
        """Sort what was added, and return it."""
        self._flush()
        starts = np.concatenate([[0], np.cumsum(np.array(self._counts, np.int64))]).astype(np.int64)
        path = self._folder / "points"
        places = starts[:-1].copy()
        with path.open("wb") as sorted_file, (self._folder / _UNSORTED).open("rb") as file:
            while (rows := np.fromfile(file, _ROW, count=MOST_ROWS)).size:
                rows = rows[np.argsort(rows["image"], kind="stable")]
                numbers, first = np.unique(rows["image"], return_index=True)
                for number, start, end in zip(numbers, first, [*first[1:], rows.size], strict=True):
                    sorted_file.seek(int(places[number]) * _ROW.itemsize)
                    rows[start:end].tofile(sorted_file)
                    places[number] += end - start
        (self._folder / _UNSORTED).unlink()
        ids = {image_id: self._numbers[name] for image_id, name in self._names.items()}
        durations = self._with_durations == {True}
        store = PointStore(path, ids, starts, self._frames, self._missing, self._idle, durations=durations)
        weakref.finalize(store, shutil.rmtree, self._folder, ignore_errors=True)
        self._removal.detach()
        return store
