"""A store while it is filled: image by image, on disk from the start."""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.text import csv_text

from . import targets
from .example import Example, Unreadable

_COPIED_ROWS = 256


class Packed:
    """Arrays of a store that is being written.

    Parameters
    ----------
    out : Path
        The store's folder.
    n, side_px : int
        Images that are announced, and their side.
    blur : str
        Kernel for the maps.
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
    """

    def __init__(self, out: Path, n: int, side_px: int, *, blur: str, strict: bool, skip_bad: bool) -> None:
        self._out, self._side_px, self._blur, self._strict, self._skip_bad = out, side_px, blur, strict, skip_bad
        shapes = {"images": (n, side_px, side_px, 3), "maps": (n, side_px, side_px)}
        self._arrays = {
            name: np.lib.format.open_memmap(out / f"{name}.npy.part", "w+", np.uint8, shape)
            for name, shape in shapes.items()
        }
        self._labels, self._has_map = np.zeros(n, np.int64), np.zeros(n, bool)
        self.ids: list[str] = []
        self._seen: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.skipped: list[tuple[str, str]] = []
        self.n_unreadable = 0

    @property
    def labels(self) -> NDArray[np.int64]:
        """Classes so far."""
        return self._labels[: len(self.ids)]

    @property
    def has_map(self) -> NDArray[np.bool_]:
        """Which images so far have a map."""
        return self._has_map[: len(self.ids)]

    def add(self, example: Example | Unreadable) -> None:
        """Take the next image.

        Raises
        ------
        InputError
            When it cannot be read or its map cannot be used, unless that is allowed; or its name came before.
        """
        if isinstance(example, Unreadable):
            self._skip(example.image_id, example.reason)
            self.n_unreadable += 1
            return
        if example.image_id in self._seen:
            raise InputError(f"{example.image_id}: two images have this name; rename one of them")
        if example.damaged:
            self._skip(f"map of {example.image_id}", example.damaged)
        row = len(self.ids)
        self._arrays["images"][row], importance = fitted(example, self._side_px)
        self._labels[row] = example.label
        self._add_map(row, example, importance)
        self.ids.append(example.image_id)
        self._seen.add(example.image_id)

    def _skip(self, name: str, reason: str) -> None:
        if not self._skip_bad:
            raise InputError(f"{reason} (--skip-bad leaves out what cannot be read, and lists it)")
        self.skipped.append((name, reason))

    def _add_map(self, row: int, example: Example, importance: NDArray[np.float32] | None) -> None:
        wrong = (example.unused or None) if importance is None else targets.check_map(importance)
        if example.importance is not None:
            wrong = targets.check_map(example.importance, shape=example.image.shape[:2]) or wrong
        if wrong and self._strict:
            raise InputError(
                f"map of {example.image_id}: {wrong}; repair or leave out this map, or pack without --strict"
            )
        if wrong:
            self.left_out[wrong] += 1
        elif importance is not None:
            soft = targets.blur(importance, self._blur) if self._blur != "none" else importance
            self._arrays["maps"][row] = np.round(255 * (soft / soft.max()))
            self._has_map[row] = True

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


def fitted(example: Example, side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """Bring the shorter side of an image and its map to `side_px` and cut out the centre; None for a map that cannot be used."""
    from PIL import Image

    image = example.image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            f"{example.image_id}: {image.dtype} of shape {image.shape}; bytes (height, width, 3) are needed"
        )
    importance = example.importance
    if importance is not None and targets.check_map(importance, shape=image.shape[:2]):
        importance = None
    height, width = image.shape[:2]
    scale = side_px / min(height, width)
    size = (max(side_px, round(width * scale)), max(side_px, round(height * scale)))
    left, top = (size[0] - side_px) // 2, (size[1] - side_px) // 2
    window = np.s_[top : top + side_px, left : left + side_px]
    if size != (width, height):
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        if importance is not None:
            importance = np.asarray(Image.fromarray(importance).resize(size, Image.Resampling.BILINEAR))
    return image[window], None if importance is None else importance[window].astype(np.float32)
