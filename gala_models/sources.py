"""Where pictures with maps come from: the ClickMe release, npz files, picture folders, class folders."""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision import files, picturefolder, tfrecord
from rapidvision.errors import InputError, did_you_mean

from .store import Example
from .weights import Category

_PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Source(ABC):
    """Pictures with maps, read one at a time.

    Attributes
    ----------
    n : int
        How many there are.
    categories : tuple of Category
        Classes in order, where they have names.
    name : str
        For messages and records.
    """

    n: int
    categories: tuple[Category, ...]
    name: str

    @abstractmethod
    def __iter__(self) -> Iterator[Example]:
        """Yield the examples in a fixed order."""


@dataclass(frozen=True)
class TFRecords(Source):
    """The ClickMe release: TFRecords with raw float32 or JPEG pictures; see :func:`tfrecords`."""

    paths: tuple[Path, ...] = ()
    first_label: int = 0
    verify: bool = True

    def __iter__(self) -> Iterator[Example]:
        """Yield the examples file by file."""
        for path in self.paths:
            for record in tfrecord.records(path, verify=self.verify):
                where = f"{path}: record {record.number} at byte {record.offset}"
                yield _from_features(tfrecord.example(record.payload), where, self.first_label)


def tfrecords(paths: Sequence[Path], *, first_label: int = 0, verify: bool = True) -> TFRecords:
    """Read ClickMe TFRecords; `first_label` is subtracted from the labels."""
    n = sum(1 for path in paths for _ in tfrecord.records(path, verify=False))
    if n == 0:
        raise InputError(f"{', '.join(map(str, paths)) or 'no files'}: no records")
    return TFRecords(n, (), str(paths[0]), tuple(paths), first_label, verify)


def _from_features(features: dict[str, tfrecord.Feature], where: str, first_label: int) -> Example:
    missing = [name for name in ("image", "label") if name not in features]
    if missing:
        raise InputError(f"{where}: no feature {missing[0]}; it has {', '.join(sorted(features))}")
    blobs, heat = features["image"], features.get("heatmap", [b""])
    picture = as_bytes(tfrecord.picture(bytes(blobs[0]), n_channels=3, where=where), where)
    blob = bytes(heat[0]) if len(heat) else b""
    count = features.get("click_count")
    flagged = count is None or int(count[0]) > 0
    importance, unused = None, ""
    if blob:
        found = np.asarray(tfrecord.picture(blob, n_channels=1, where=where), np.float32)
        importance = found if flagged else None
        unused = "there, but click_count is 0" if not flagged and found.any() else ""
    label = int(features["label"][0]) - first_label
    return Example(where.rsplit("/", 1)[-1], picture, label, importance, unused)


def as_bytes(picture: NDArray[np.float32] | NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
    """Return a picture as bytes; floats must lie in 0 … 255, or in 0 … 1.

    Raises
    ------
    InputError
        When they lie elsewhere: the picture was normalized already, and would be twice.

    Examples
    --------
    >>> as_bytes(np.array([[[0.0, 0.5, 1.0]]], np.float32), "x").tolist()
    [[[0, 128, 255]]]
    """
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    low, high = float(picture.min()), float(picture.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 255:
        raise InputError(
            f"{where}: values from {low:g} to {high:g}; raw pixels lie in 0 to 255, so this was normalized already"
        )
    return np.round(picture * (255.0 if high <= 1 else 1.0)).astype(np.uint8)


@dataclass(frozen=True)
class NpzFiles(Source):
    """One ``.npz`` per picture with ``image``, ``label`` and, where there is one, ``map``; see :func:`npz`."""

    paths: tuple[Path, ...] = ()
    first_label: int = 0

    def __iter__(self) -> Iterator[Example]:
        """Yield the examples in the order of their names."""
        for path in self.paths:
            try:
                with np.load(path, allow_pickle=False) as data:
                    importance = np.asarray(data["map"], np.float32) if "map" in data else None
                    picture, label = data["image"], int(data["label"])
            except (OSError, ValueError, KeyError) as error:
                raise InputError(f"{path}: not an npz with image and label ({error})") from error
            yield Example(path.stem, as_bytes(picture, str(path)), label - self.first_label, importance)


def npz(folder: Path, *, first_label: int = 0) -> NpzFiles:
    """Read a folder of ``.npz`` files."""
    paths = tuple(sorted(folder.glob("*.npz"), key=Path.as_posix))
    if not paths:
        raise InputError(f"{folder}: no .npz files")
    return NpzFiles(len(paths), (), str(folder), paths, first_label)


@dataclass(frozen=True)
class PictureFiles(Source):
    """Picture files with maps in parallel files; see :func:`picture_folder` and :func:`class_folders`."""

    items: tuple[tuple[str, Path, int, Path], ...] = ()

    def __iter__(self) -> Iterator[Example]:
        """Yield the examples in the order of their names."""
        for image_id, path, label, map_path in self.items:
            importance = _grey(map_path) if map_path.is_file() else None
            yield Example(image_id, _colour(path), label, importance)


def picture_folder(folder: Path, *, maps: str = "clickme", phase: str | None = None) -> PictureFiles:
    """Read a picture folder: ``images.csv`` and ``maps/<source>/<image_id>.png``.

    Parameters
    ----------
    folder : Path
        As `rapidvision demo render` makes it.
    maps : str
        Which source's maps.
    phase : str, optional
        Only pictures of this phase.
    """
    rows = picturefolder.read_table(folder / picturefolder.TABLE, phases=("practice", "main", "catch"))
    sources = picturefolder.map_sources(folder)
    if maps not in sources:
        raise InputError(f'{folder}: no maps from "{maps}". {did_you_mean(maps, sources)}')
    rows = [row for row in rows if phase is None or row.phase == phase]
    targets = {row.category: bool(row.target) for row in rows}
    names = sorted(targets, key=lambda name: (not targets[name], name))
    categories = tuple(Category(name=name, target=targets[name]) for name in names)
    items = tuple(
        (row.image_id, row.path, names.index(row.category), picturefolder.map_path(folder, maps, row.image_id))
        for row in rows
    )
    return PictureFiles(len(items), categories, str(folder), items)


def class_folders(folder: Path, *, maps: Path | None = None) -> PictureFiles:
    """Read ``folder/<class>/<picture>`` with maps in ``maps/<class>/<picture>.png``; classes in the order of their names."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    items = []
    for label, name in enumerate(names):
        for path in sorted(
            (path for path in (folder / name).iterdir() if path.suffix.lower() in _PICTURES), key=Path.as_posix
        ):
            beside = (maps / name if maps is not None else folder / name / "none") / f"{path.stem}.png"
            items.append((f"{name}/{path.stem}", path, label, beside))
    if not items:
        raise InputError(f"{folder}: no <class>/<picture> files ({', '.join(_PICTURES)})")
    categories = tuple(Category(name=name, target=False) for name in names)
    return PictureFiles(len(items), categories, str(folder), tuple(items))


def _colour(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        return np.asarray(Image.open(io.BytesIO(files.read_bytes(path))).convert("RGB"))
    except OSError as error:
        raise InputError(f"{path}: not a picture that can be read ({error})") from error


def _grey(path: Path) -> NDArray[np.float32]:
    from PIL import Image

    try:
        values = np.asarray(Image.open(io.BytesIO(files.read_bytes(path))))
    except OSError as error:
        raise InputError(f"{path}: not a map that can be read ({error})") from error
    return np.asarray(values if values.ndim == 2 else values[..., 0], np.float32)
