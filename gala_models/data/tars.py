"""WebDataset's form: tar files in which an image, its class and its map lie one after another under one name."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.images.load import load_map, load_rgb

from .example import Example
from .sources import Piece, Source, tried

_IMAGES = ("jpg", "jpeg", "png", "webp", "ppm")
_LABELS = ("cls", "json")
_MAPS = ("map.png", "map.npy", "heatmap.png", "heatmap.npy")


@dataclass(frozen=True)
class Tars(Source):
    """Tar files in WebDataset's form; see :func:`tars`."""

    paths: tuple[Path, ...] = ()

    def read_from(self) -> Iterable[Path]:
        """Return the tar files."""
        return self.paths

    def pieces(self) -> Iterator[Piece]:
        """Yield what makes the examples, tar by tar in their order."""
        for path in self.paths:
            for name, parts in samples(path):
                image_id = f"{path.stem}/{name}"
                yield partial(tried, image_id, partial(_example, image_id, f"{path}: {name}", parts, self.first_label))


def tars(paths: Sequence[Path], *, first_label: int = 0) -> Tars:
    """Read WebDataset tars: ``NAME.jpg``, ``NAME.cls`` (or ``NAME.json`` with ``label``), ``NAME.map.png`` or ``.map.npy``.

    Raises
    ------
    InputError
        When a tar is damaged or none holds an image.
    """
    n = 0
    ignored: dict[str, int] = {}
    known = (*_IMAGES, *_LABELS, *_MAPS)
    for path in paths:
        for _, parts in samples(path):
            n += 1
            for suffix in parts:
                if suffix not in known:
                    ignored[f".{suffix}"] = ignored.get(f".{suffix}", 0) + 1
    if n == 0:
        raise InputError(f"{', '.join(map(str, paths))}: no samples; they are NAME.jpg, NAME.cls and NAME.map.png")
    return Tars(n, (), str(paths[0]), ignored, first_label, paths=tuple(paths))


def samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield names and parts (suffix → bytes) of a tar's samples, in its order; hidden files are left out.

    Raises
    ------
    InputError
        When the tar is damaged; names the file.
    """
    name, parts = "", dict[str, bytes]()
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                folder, _, base = member.name.rpartition("/")
                if not member.isfile() or base.startswith("."):
                    continue
                stem, _, suffix = base.partition(".")
                key = f"{folder}/{stem}" if folder else stem
                if key != name and parts:
                    yield name, parts
                    parts = {}
                name = key
                body = archive.extractfile(member)
                parts[suffix.lower()] = body.read() if body is not None else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(f"{path}: not a tar file that can be read ({error}); get it again") from error
    if parts:
        yield name, parts


def _example(image_id: str, where: str, parts: dict[str, bytes], first_label: int) -> Example:
    image = next((parts[suffix] for suffix in _IMAGES if suffix in parts), None)
    if image is None:
        raise InputError(f"{where}: no image ({', '.join(_IMAGES)}) among its parts ({', '.join(sorted(parts))})")
    importance, damaged = None, ""
    suffix = next((one for one in _MAPS if one in parts), None)
    if suffix is not None:
        try:
            importance = _map(parts[suffix], suffix, where)
        except InputError as error:
            damaged = str(error)
    return Example(image_id, load_rgb(image, name=where), _label(parts, where) - first_label, importance, "", damaged)


def _label(parts: dict[str, bytes], where: str) -> int:
    try:
        if "cls" in parts:
            return int(parts["cls"].decode().strip())
        if "json" in parts:
            value = json.loads(parts["json"])["label"]
            if isinstance(value, int):
                return value
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where}: its label cannot be read ({error}); NAME.cls holds a whole number") from error
    raise InputError(f"{where}: no label; NAME.cls holds a whole number, or NAME.json has one as label")


def _map(blob: bytes, suffix: str, where: str) -> NDArray[np.float32]:
    if suffix.endswith(".npy"):
        try:
            return np.asarray(np.load(io.BytesIO(blob), allow_pickle=False), np.float32)
        except (ValueError, OSError, EOFError) as error:
            raise InputError(f"{where}.{suffix}: not an array of numbers ({error})") from error
    return load_map(blob, name=f"{where}.{suffix}").astype(np.float32)
