"""A folder with one file per image: grey images, ``.npy``, ``.npz`` and MATLAB files, found by a pattern of their names."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

import numpy as np

from rapidvision.errors import InputError
from rapidvision.images.listing import is_hidden
from rapidvision.images.load import MAP_SUFFIXES, load_map

from ...input_tables import MapSource
from ...naming import words_of
from .base import DenseMap, dense
from .matlab import loadmat
from .npz import NpzReader

#: The `key` with which an array (participants, height, width) is averaged; without it such arrays are refused.
PARTICIPANTS = "participants"


class NamedFiles:
    """Files of a folder by image id.

    Parameters
    ----------
    folder : Path
        The folder.
    source : MapSource
        Its `files` is a pattern of their paths below the folder; without one, those directly in it. Its `id` makes ids.

    Attributes
    ----------
    left_out : str
        What lies in the folder besides them, counted by suffix; empty if nothing does.

    Raises
    ------
    InputError
        When there is no such folder, or two of its files have one id.
    """

    #: Suffixes that are read, in lower case.
    suffixes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, source: MapSource) -> None:
        if not folder.is_dir():
            raise InputError(f'{folder}: not a folder; reader = "{source.reader}" wants one with a file per image')
        self.folder, self.source = folder, source
        self._names: dict[str, str] = {}
        folded: dict[str, str] = {}
        ignored: Counter[str] = Counter()
        for name in names_in(folder, deep="/" in source.files):
            path = Path(name)
            if any(is_hidden(Path(part)) for part in path.parts):
                ignored["hidden"] += 1
                continue
            if name.endswith("/") or path.suffix.lower() not in self.suffixes:
                ignored["folder" if name.endswith("/") else path.suffix.lower() or "no suffix"] += 1
                continue
            image_id = source.naming.id_of(name)
            if image_id is None:
                ignored[f"not {source.files}"] += 1
                continue
            other = folded.setdefault(image_id.casefold(), name)
            if other != name:
                raise InputError(
                    f"{folder}: {other} and {name} have one name; rename or remove one of them, or give the map source "
                    f"an id of more than {', '.join(words_of(source.id))}"
                )
            self._names[image_id] = name
        self.left_out = ", ".join(
            f"{n} {what}" for what, n in sorted(ignored.items(), key=lambda one: (one[0] == "hidden", one[0]))
        )

    def has(self, image_id: str) -> bool:
        """Whether there is a file for the image."""
        return image_id in self._names

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self._names.keys()

    def path_of(self, image_id: str) -> Path:
        """Return an image's file.

        Raises
        ------
        InputError
            When there is none.
        """
        if image_id not in self._names:
            hint = f"a file {image_id}{self.suffixes[0]}"
            if self.source.files or self.source.id != "{stem}":
                hint = f"a file of the form {self.source.files or '{stem}'} whose id {self.source.id} is that"
            raise InputError(f"{self.folder}: no map for {image_id}; {hint} is looked for")
        return self.folder / self._names[image_id]


def names_in(folder: Path, *, deep: bool) -> list[str]:
    """Return the paths of a folder's files below it, with ``/``, sorted; with `deep` those of its subfolders, too.

    Without `deep` its subfolders are named, with ``/`` at the end.
    """
    try:
        paths = folder.rglob("*") if deep else folder.iterdir()
        return sorted(
            path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
            for path in paths
            if not (deep and path.is_dir())
        )
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror})") from error


class FolderReader(NamedFiles):
    """Dense maps in a folder; one file per image."""

    suffixes: ClassVar[tuple[str, ...]] = (".png", *(suffix for suffix in MAP_SUFFIXES if suffix != ".png"), ".mat")

    def read(self, image_id: str) -> DenseMap:
        """Read the map of an image."""
        path = self.path_of(image_id)
        if path.suffix.lower() == ".mat":
            return mat_map(path, self.source.key)
        if self.source.key and path.suffix.lower() == ".npz":
            return NpzReader(path).read(self.source.key)
        if self.source.key == PARTICIPANTS and path.suffix.lower() == ".npy":
            return _pooled(path)
        return dense(load_map(path), where=str(path))


def _pooled(path: Path) -> DenseMap:
    """Read an array; several maps of one size, one per participant, are averaged."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        several = stored.ndim == 3 and stored.shape[0] > 1 and stored.shape[2] > 3 and stored.dtype.kind in "buif"
    except Exception:  # a damaged head, of many kinds; load_map says which
        several = False
    if several:
        return dense(np.mean(stored, axis=0, dtype=np.float64), where=str(path), n_observers=stored.shape[0])
    return dense(load_map(path), where=str(path))


def mat_map(path: Path, key: str) -> DenseMap:
    """Read a dense map of a MATLAB file: the variable `key`, or the only one of two dimensions."""
    content = {name: value for name, value in loadmat(path).items() if isinstance(value, np.ndarray) and value.size > 1}
    if key and key not in content:
        raise InputError(f'{path}: no map "{key}" in it, but {", ".join(content)[:80] or "nothing"}')
    names = [key] if key else [name for name, value in content.items() if value.ndim == 2 and min(value.shape) > 1]
    if len(names) != 1:
        raise InputError(f'{path}: {len(names)} maps in it ({", ".join(names)[:80]}); say which, as key = "fixLocs"')
    return dense(content[names[0]], where=f"{path}: {names[0]}")


def open_folder(path: Path, source: MapSource) -> FolderReader:
    """Open a folder of maps.

    Raises
    ------
    InputError
        When there is no such folder, or two maps have one id; an unusable map is refused when it is read.
    """
    return FolderReader(path, source)
