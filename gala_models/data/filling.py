"""A store while it is filled: image by image, on disk from the start, with a journal from which a stopped run resumes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.text import csv_text

from .example import Ready

_COPIED_ROWS = 256
#: Images between two lines of the journal: so many are packed again after a run was killed.
_JOURNAL_EVERY = 64


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A line of the journal: what became of one place of the source."""

    image_id: str
    label: int
    there: bool
    has_map: bool
    wrong: str
    skipped: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """What a run that is under way has brought to the disk, line by line; a line that is cut off does not count.

    Attributes
    ----------
    path : Path
        The file; it is gone when the store is whole.
    signature : str
        What is packed and how, as a hash, in its first line.
    """

    path: Path
    signature: str

    def entries(self) -> list[Entry]:
        """Return what an earlier run of the same has dealt with; empty where there was none."""
        if not self.path.is_file():
            return []
        lines = files.read_bytes(self.path).split(b"\n")[:-1]
        if not lines or lines[0].decode("ascii", "replace") != self.signature:
            return []
        found = []
        for line in lines[1:]:
            try:
                found.append(msgspec.json.decode(line, type=Entry))
            except msgspec.DecodeError:
                break
        files.write_bytes(self.path, b"".join(line + b"\n" for line in lines[: len(found) + 1]))
        return found

    def begin(self) -> None:
        """Start anew."""
        files.write_text(self.path, f"{self.signature}\n")

    def add(self, entries: Sequence[Entry]) -> None:
        """Note what is on the disk."""
        with self.path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
            file.flush()

    def end(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


class Packed:
    """Arrays of a store that is being written.

    Parameters
    ----------
    out : Path
        The store's folder.
    n, side_px : int
        Images that are announced, and their side.
    signature : str, optional
        What is packed and how, as a hash; where an earlier run of the same was stopped, it is resumed.
    strict, skip_bad : bool
        Whether a map that cannot supervise stops the work, and whether files that cannot be read are skipped.

    Attributes
    ----------
    ids : list of str
        Images so far.
    left_out : Counter
        Reason → number of maps treated as missing.
    skipped : list of tuple
        Name and reason of each image or map that could not be read.
    n_unreadable : int
        Images among them.
    n_before : int
        Places of the source that an earlier run, which was stopped, has dealt with.
    """

    def __init__(
        self, out: Path, n: int, side_px: int, *, strict: bool, skip_bad: bool, signature: str | None = None
    ) -> None:
        self._out, self._strict, self._skip_bad = out, strict, skip_bad
        self._labels, self._has_map = np.zeros(n, np.int64), np.zeros(n, bool)
        self.ids: list[str] = []
        self._seen: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.skipped: list[tuple[str, str]] = []
        self.n_unreadable = 0
        self._journal = None if signature is None else Journal(out / "packing.jsonl", signature)
        before = self._journal.entries() if self._journal is not None else []
        shapes = {"images": (n, side_px, side_px, 3), "maps": (n, side_px, side_px)}
        parts = {name: out / f"{name}.npy.part" for name in shapes}
        if not all(path.is_file() for path in parts.values()):
            before = []
        if self._journal is not None and not before:
            self._journal.begin()
        self._arrays = {
            name: np.lib.format.open_memmap(parts[name], "r+" if before else "w+", np.uint8, shape)
            for name, shape in shapes.items()
        }
        self._waiting: list[Entry] = []
        for entry in before:
            self._count(entry)
        self.n_before = len(before)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Classes so far."""
        return self._labels[: len(self.ids)]

    @property
    def has_map(self) -> NDArray[np.bool_]:
        """Which images so far have a map."""
        return self._has_map[: len(self.ids)]

    def take(self, ready: Ready) -> None:
        """Take the next image.

        Raises
        ------
        InputError
            When it cannot be read or its map cannot be used, unless that is allowed; or its name came before.
        """
        if ready.skipped and not self._skip_bad:
            reason = ready.skipped[0][1]
            raise InputError(f"{reason} (--skip-bad leaves out what cannot be read, and lists it)")
        if ready.image is not None:
            if ready.image_id in self._seen:
                raise InputError(f"{ready.image_id}: two images have this name; rename one of them")
            if ready.wrong and self._strict:
                raise InputError(
                    f"map of {ready.image_id}: {ready.wrong}; repair or leave out this map, or pack without --strict"
                )
            row = len(self.ids)
            self._arrays["images"][row] = ready.image
            if ready.importance is not None:
                self._arrays["maps"][row] = ready.importance
        has_map = ready.importance is not None
        entry = Entry(ready.image_id, ready.label, ready.image is not None, has_map, ready.wrong, ready.skipped)
        self._count(entry)
        self._waiting.append(entry)
        if len(self._waiting) == _JOURNAL_EVERY:
            self.flush()

    def _count(self, entry: Entry) -> None:
        self.skipped += entry.skipped
        if not entry.there:
            self.n_unreadable += 1
            return
        row = len(self.ids)
        self._labels[row], self._has_map[row] = entry.label, entry.has_map
        if entry.wrong:
            self.left_out[entry.wrong] += 1
        self.ids.append(entry.image_id)
        self._seen.add(entry.image_id)

    def flush(self) -> None:
        """Bring what was taken to the disk, then note that it is there."""
        if self._journal is not None and self._waiting:
            for array in self._arrays.values():
                array.flush()
            self._journal.add(self._waiting)
        self._waiting = []

    def write(self) -> None:
        """Bring every array to its place, without the rows of images that were skipped."""
        n = len(self.ids)
        for name, array in self._arrays.items():
            part, path = self._out / f"{name}.npy.part", self._out / f"{name}.npy"
            array.flush()
            if n == len(array):
                part.replace(path)
                continue
            shorter = np.lib.format.open_memmap(path, "w+", np.uint8, (n, *array.shape[1:]))
            for start in range(0, n, _COPIED_ROWS):
                shorter[start : start + _COPIED_ROWS] = array[start : min(n, start + _COPIED_ROWS)]
            shorter.flush()
            part.unlink()
        for name, values in (("labels", self.labels), ("has_map", self.has_map)):
            with files.atomic(self._out / f"{name}.npy") as file:
                np.save(file, values)
        if self.skipped:
            csv_text.write(self._out / "skipped.csv", ["name", "reason"], [list(one) for one in self.skipped])
        if self._journal is not None:
            self._journal.end()
