"""Where images with maps come from: the ClickMe release and npz files; folders of images have a module of their own.

A source never ends at an image that cannot be read: it yields why, and the store that is packed stops or keeps a list.
"""

import io
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.formats.game.release_record import decode, whole_number
from rapidvision.images.listing import list_images
from rapidvision.images.load import load_map, load_rgb
from rapidvision.system import files
from rapidvision.system.pools import pool_of

from ..weights.card import Category
from .example import Example, Unreadable

R = TypeVar("R")

#: What makes one example, or says why there is none.
Piece: TypeAlias = Callable[[], Example | Unreadable]

#: Images that a process is given at a time, and such parts that wait for each process.
_PART, _WAITING = 16, 3
_ENCODED = (b"\xff\xd8", b"\x89PNG")


@dataclass(frozen=True)
class Source(ABC):
    """Images with maps, read one at a time.

    Attributes
    ----------
    n : int
        How many there are.
    categories : tuple of Category
        Classes in order, where they have names.
    name : str
        For messages and records.
    ignored : dict
        What lies beside them and was not read → how many.
    first_label : int
        What the first class is called, where classes are numbers.
    """

    n: int
    categories: tuple[Category, ...]
    name: str
    ignored: Mapping[str, int] = field(default_factory=dict)
    first_label: int = 0

    @abstractmethod
    def pieces(self) -> Iterator[Piece]:
        """Yield, in a fixed order, what makes each example; other processes can be given it."""

    @abstractmethod
    def read_from(self) -> Iterable[Path]:
        """Return the files that hold the examples."""

    def __iter__(self) -> Iterator[Example | Unreadable]:
        """Yield the examples in a fixed order, and in their places those that cannot be read."""
        return (piece() for piece in self.pieces())

    def signature(self) -> str:
        """Return a hash of what is read: names, sizes and times of the files, and the classes."""
        found = [(path.as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in self.read_from()]
        return files.canonical_digest([type(self).__name__, self.n, self.categories, self.first_label, found])


def tried(image_id: str, make: Callable[[], Example]) -> Example | Unreadable:
    """Return an example, or why there is none."""
    try:
        return make()
    except InputError as error:
        return Unreadable(image_id, str(error))


@dataclass(frozen=True)
class TFRecords(Source):
    """The ClickMe release: TFRecords with raw float32 or JPEG images; see :func:`tfrecords`."""

    paths: tuple[Path, ...] = ()
    verify: bool = True

    def read_from(self) -> Iterable[Path]:
        """Return the files."""
        return self.paths

    def pieces(self) -> Iterator[Piece]:
        """Yield what makes the examples, file by file."""
        for path in self.paths:
            for record in tfrecord.records(path, verify=self.verify):
                where = f"{path}: record {record.number} at byte {record.offset}"
                make = partial(_example, bytes(record.payload), where, self.first_label)
                yield partial(tried, where.rsplit("/", 1)[-1], make)


def tfrecords(paths: Sequence[Path], *, first_label: int = 0, verify: bool = True) -> TFRecords:
    """Read ClickMe TFRecords; `first_label` is subtracted from the labels."""
    n = sum(1 for path in paths for _ in tfrecord.records(path, verify=False))
    if n == 0:
        raise InputError(f"{', '.join(map(str, paths)) or 'no files'}: no records")
    return TFRecords(n, (), str(paths[0]), paths=tuple(paths), first_label=first_label, verify=verify)


def _example(payload: bytes, where: str, first_label: int) -> Example:
    record = decode(payload, where=where)
    if record.label is None:
        raise InputError(f"{where}: no feature label; networks are trained on labels")
    image = _image(record.image, where)
    flagged = record.click_count is None or record.click_count > 0
    importance, unused, damaged = None, "", ""
    if record.heatmap:
        try:
            found = _map(record.heatmap, where)
        except InputError as error:
            found, damaged = np.zeros((1, 1), np.float32), str(error)
        importance = found if flagged and not damaged else None
        unused = "there, but click_count is 0" if not flagged and found.any() else ""
    return Example(where.rsplit("/", 1)[-1], image, record.label - first_label, importance, unused, damaged)


def _image(blob: bytes, where: str) -> NDArray[np.uint8]:
    if blob.startswith(_ENCODED):
        return load_rgb(blob, name=where)
    return as_bytes(tfrecord.image(blob, n_channels=3, where=where), where)


def _map(blob: bytes, where: str) -> NDArray[np.float32]:
    if blob.startswith(_ENCODED):
        return load_map(blob, name=f"{where}: heatmap").astype(np.float32)
    return np.asarray(tfrecord.image(blob, n_channels=1, where=f"{where}: heatmap"), np.float32)


def as_bytes(image: NDArray[np.generic], where: str) -> NDArray[np.uint8]:
    """Return an image as bytes: numbers must lie in 0 … 255; fractions up to 1 are taken as 0 … 1.

    Raises
    ------
    InputError
        When they lie elsewhere, so that the image was normalized already, and would be twice; or when nothing but 0 and
        1 occurs in floats, which may be black and white or two levels of black.

    Examples
    --------
    >>> as_bytes(np.array([[[0.0, 0.5, 1.0]]], np.float32), "x").tolist()
    [[[0, 128, 255]]]
    """
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if image.dtype.kind not in "uif" or image.size == 0:
        raise InputError(f"{where}: {image.dtype} of shape {image.shape}; pixels are numbers from 0 to 255")
    values = image.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 255:
        raise InputError(
            f"{where}: values from {low:g} to {high:g}; raw pixels lie in 0 to 255, so this was normalized already"
        )
    in_unit = image.dtype.kind == "f" and 0 < high <= 1
    if in_unit and np.all(values == np.rint(values)):
        raise InputError(f"{where}: floats of 0 and 1 only, at a scale of 1 or of 255; store bytes from 0 to 255")
    return np.round(values * (255.0 if in_unit else 1.0)).astype(np.uint8)


@dataclass(frozen=True)
class NpzFiles(Source):
    """One ``.npz`` per image with ``image``, ``label`` and, where there is one, ``map``; see :func:`npz`."""

    paths: tuple[Path, ...] = ()

    def read_from(self) -> Iterable[Path]:
        """Return the files."""
        return self.paths

    def pieces(self) -> Iterator[Piece]:
        """Yield what makes the examples, in the order of their names."""
        for path in self.paths:
            yield partial(tried, path.stem, partial(_read_npz, path, self.first_label))


def _read_npz(path: Path, first_label: int) -> Example:
    content = io.BytesIO(files.read_bytes(path))
    try:
        with np.load(content, allow_pickle=False) as data:
            importance = np.asarray(data["map"], np.float32) if "map" in data else None
            image, label = np.asarray(data["image"]), data["label"]
    except Exception as error:  # zip, header, key and value errors of many kinds
        raise InputError(f"{path}: not an npz with image and label ({error})") from error
    number = whole_number(label, f"{path}: label") - first_label
    return Example(path.stem, as_bytes(image, str(path)), number, importance)


def npz(folder: Path, *, first_label: int = 0) -> NpzFiles:
    """Read a folder of ``.npz`` files; hidden files and those of other suffixes are counted."""
    listing = list_images(folder, suffixes=(".npz",))
    if not listing.paths:
        raise InputError(f"{folder}: no .npz files")
    ignored = {**listing.ignored, **({"hidden": listing.n_hidden} if listing.n_hidden else {})}
    return NpzFiles(len(listing.paths), (), str(folder), ignored, paths=listing.paths, first_label=first_label)


def readied(
    examples: Iterable[Example | Unreadable],
    work: Callable[[Example | Unreadable], R],
    *,
    first: int = 0,
    n_workers: int = 1,
) -> Iterator[R]:
    """Yield the images of a source in the form of a store.

    Parameters
    ----------
    examples : Source or iterable of Example
        Only a source can be shared out among processes.
    work : callable
        Brings one image to its form.
    first : int, default 0
        So many are passed over.
    n_workers : int, default 1
        Processes.
    """
    if not isinstance(examples, Source) or n_workers <= 1:
        if isinstance(examples, Source):
            yield from (work(piece()) for piece in islice(examples.pieces(), first, None))
        else:
            yield from map(work, islice(examples, first, None))
        return
    pieces = islice(examples.pieces(), first, None)
    with pool_of(n_workers) as pool:
        waiting: deque[Future[list[R]]] = deque()
        while part := tuple(islice(pieces, _PART)):
            waiting.append(pool.submit(_part, work, part))
            if len(waiting) > _WAITING * n_workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _part(work: Callable[[Example | Unreadable], R], pieces: tuple[Piece, ...]) -> list[R]:
    return [work(piece()) for piece in pieces]
