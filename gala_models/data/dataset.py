"""The packed store: images, maps and labels as flat files, any one of them found at once.

Neither TFRecords nor shards can be read in random order; flat memory-mapped bytes can. ::

    store/
      store.json     what is inside, its digest, where it came from and what was left out
      images.npy   uint8, n x side x side x 3
      maps.npy       uint8, n x side x side, 255 at each map's maximum
      labels.npy     int64, n
      has_map.npy    bool, n
      ids.json       n names
      skipped.csv    images and maps that could not be read, where that was asked for
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.recipes import Recipe
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ..weights.card import Category
from .example import Example, MapFit, Unreadable, prepared
from .filling import Packed
from .sources import Source, readied

STORE_VERSION = 1


class StoreDescription(Recipe, frozen=True, kw_only=True):
    """``store.json``.

    Attributes
    ----------
    store_version : int
        Version of this form.
    n, side_px, n_maps : int
        Images, their side, and how many have a map.
    categories : tuple of Category
        Classes in order; empty where they are only numbers.
    blur : str
        The kernel that the maps went through.
    left_out : dict
        Reason → number of maps that were treated as missing.
    ignored : dict
        What lay beside the images and was not read (by suffix; hidden files; maps without an image) → how many.
    n_skipped : int
        Images and maps that could not be read and were skipped on request; ``skipped.csv`` names them.
    map_fit : {"same", "resized", "centre"}
        What maps showed of their images before they were scaled.
    digest : str
        SHA-256 over images, maps, labels and flags.
    provenance : Provenance or None
        What made it.
    """

    store_version: int = STORE_VERSION
    n: int
    side_px: int
    n_maps: int
    categories: tuple[Category, ...] = ()
    blur: str = "none"
    left_out: dict[str, int] = msgspec.field(default_factory=dict)
    ignored: dict[str, int] = msgspec.field(default_factory=dict)
    n_skipped: int = 0
    map_fit: MapFit = "same"
    digest: str = ""
    provenance: files.Provenance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A store that is open for reading; the arrays are memory maps.

    Attributes
    ----------
    description : StoreDescription
        What it is.
    images : ndarray of uint8, shape (n, side, side, 3)
    maps : ndarray of uint8, shape (n, side, side)
    labels : ndarray of int64, shape (n,)
    has_map : ndarray of bool, shape (n,)
    ids : list of str
    """

    description: StoreDescription
    images: NDArray[np.uint8]
    maps: NDArray[np.uint8]
    labels: NDArray[np.int64]
    has_map: NDArray[np.bool_]
    ids: list[str]

    def __len__(self) -> int:
        return self.description.n


def pack(
    examples: Iterable[Example | Unreadable],
    out: Path | str,
    *,
    n: int,
    side_px: int,
    categories: Sequence[Category] = (),
    blur: str = "none",
    strict: bool = False,
    skip_bad: bool = False,
    map_fit: MapFit = "same",
    n_workers: int = 1,
    ignored: Mapping[str, int] | None = None,
    provenance: files.Provenance | None = None,
    advance: Advance = silent,
) -> Store:
    """Write examples as a store.

    Parameters
    ----------
    examples : iterable of Example
        `n` of them.
    out : path-like
        The folder; ``store.json`` is written last.
    n : int
        How many come.
    side_px : int
        The shorter side of each image is brought to this, and the centre is cut out; its map goes with it.
    categories : sequence of Category
        Classes in order.
    blur : str
        Kernel for the maps, see :func:`rapidvision.gala_models.data.targets.kernel`.
    strict : bool, default False
        Stop at the first map that cannot be used, instead of treating it as missing and counting it.
    skip_bad : bool, default False
        Leave out images that cannot be read, and treat maps that cannot be read as missing; ``skipped.csv`` names them.
        Otherwise the first one stops the pack.
    map_fit : {"same", "resized", "centre"}
        What a map shows of its image: a map of the image's own size; the whole image at another size; its square centre.
    n_workers : int, default 1
        Processes that read and scale images; the bytes do not depend on it.
    ignored : mapping, optional
        What lay beside the images and was not read → how many, for the record.
    provenance : Provenance, optional
        What made it.
    advance : callable
        Called after every image.

    Returns
    -------
    Store
        Open. A run that was stopped while packing a source is resumed, if files and settings are the same.

    Raises
    ------
    InputError
        When an image or map cannot be read (its file is named), two images have one name, labels do not fit the
        categories, or there are more or fewer images than `n`.
    """
    out = Path(out)
    if (out / "store.json").exists():
        raise InputError(f"{out}: holds a store already; choose another folder or remove it")
    out.mkdir(parents=True, exist_ok=True)
    signature = None
    if isinstance(examples, Source):
        settings = [n, side_px, blur, map_fit, strict, skip_bad]
        signature = files.canonical_digest([STORE_VERSION, examples.signature(), settings])
    packed = Packed(out, n, side_px, strict=strict, skip_bad=skip_bad, signature=signature)
    advance(packed.n_before)
    work = partial(prepared, side_px=side_px, blur=blur, map_fit=map_fit)
    try:
        for place, ready in enumerate(readied(examples, work, first=packed.n_before, n_workers=n_workers)):
            if place + packed.n_before == n:
                raise InputError(f"{out}: more than the {n} images that were announced")
            packed.take(ready)
            advance(1)
    finally:
        packed.flush()
    if len(packed.ids) + packed.n_unreadable != n:
        raise InputError(f"{out}: {len(packed.ids)} images came, {n} were announced")
    if not packed.ids:
        raise InputError(f"{out}: none of the {n} images can be read; the first: {packed.skipped[0][1]}")
    check_labels(packed.labels, n_classes=len(categories) or None, where=str(out))
    packed.write()
    has_map, ids = packed.has_map, packed.ids
    files.write_json(out / "ids.json", ids)
    description = StoreDescription(
        n=len(ids),
        side_px=side_px,
        n_maps=int(has_map.sum()),
        categories=tuple(categories),
        blur=blur,
        left_out=dict(packed.left_out),
        ignored=dict(ignored or {}),
        n_skipped=len(packed.skipped),
        map_fit=map_fit,
        digest=files.canonical_digest([files.sha256_file(out / f"{name}.npy") for name in _ARRAYS]),
        provenance=provenance,
    )
    files.write_json(out / "store.json", description)
    return open_store(out)


_ARRAYS = ("images", "maps", "labels", "has_map")


def check_labels(labels: NDArray[np.int64], *, n_classes: int | None, where: str) -> None:
    """Refuse labels that cannot be classes from 0, and say so when they count from 1."""
    low, high = int(labels.min()), int(labels.max())
    if n_classes is not None and low >= 1 and high == n_classes:
        raise InputError(f"{where}: labels run from {low} to {high}: they count from 1; subtract 1 (--first-label 1)")
    if low < 0 or (n_classes is not None and high >= n_classes):
        raise InputError(
            f"{where}: labels run from {low} to {high}; {n_classes or 'n'} classes are 0 to {(n_classes or 0) - 1}"
        )


def open_store(folder: Path | str) -> Store:
    """Open a store.

    Raises
    ------
    InputError
        When there is none, or a file is not of the size that the description says.
    """
    folder = Path(folder)
    if not (folder / "store.json").is_file():
        raise InputError(
            f"{folder}: no store here (store.json is missing); make one with `rapidvision models pack-dataset`"
        )
    description = recipes.read(folder / "store.json", StoreDescription)
    try:
        arrays: dict[str, NDArray[Any]] = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
        }
        ids = msgspec.json.decode(files.read_bytes(folder / "ids.json"), type=list[str])
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise InputError(f"{folder}: the store is damaged ({error}); pack it again") from error
    n, side_px = description.n, description.side_px
    shapes = {"images": (n, side_px, side_px, 3), "maps": (n, side_px, side_px), "labels": (n,), "has_map": (n,)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InputError(f"{folder}: {name} have the shape {arrays[name].shape}, not {shape}; pack the store again")
    labels, has_map = np.array(arrays["labels"]), np.array(arrays["has_map"])
    silent_maps = has_map & ~arrays["maps"].reshape(n, -1).any(1) if n < _CHECKED else np.zeros(n, bool)
    if silent_maps.any():
        raise InputError(f"{folder}: {int(silent_maps.sum())} maps are flagged as present and are empty; pack it again")
    return Store(description, arrays["images"], arrays["maps"], labels, has_map, ids)


_CHECKED = 20_000  # maps are read through on opening up to this many images
