"""Folders of images with maps beside them: image folders with a table, and a folder per class."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats import image_folder
from rapidvision.images.listing import Listing, list_folders, list_images
from rapidvision.images.load import IMAGE_SUFFIXES, MAP_SUFFIXES, load_map, load_rgb

from ..weights.card import Category
from .example import Example
from .sources import Piece, Source, tried


@dataclass(frozen=True, slots=True)
class Item:
    """One image file: its name, where it lies, its class, and its map's file where there is one."""

    image_id: str
    path: Path
    label: int
    map_path: Path | None


@dataclass(frozen=True)
class ImageFiles(Source):
    """Image files with maps in parallel files; see :func:`images_in_folder` and :func:`class_folders`."""

    items: tuple[Item, ...] = ()

    def read_from(self) -> Iterable[Path]:
        """Return images and maps."""
        return (path for item in self.items for path in (item.path, item.map_path) if path is not None)

    def pieces(self) -> Iterator[Piece]:
        """Yield what makes the examples, in the order of their names."""
        for item in self.items:
            yield partial(tried, item.image_id, partial(_read, item))


def _read(item: Item) -> Example:
    image, importance, damaged = load_rgb(item.path), None, ""
    if item.map_path is not None:
        try:
            importance = load_map(item.map_path).astype("float32")
        except InputError as error:
            damaged = str(error)
    return Example(item.image_id, image, item.label, importance, damaged=damaged)


def images_in_folder(folder: Path, *, maps: str = "clickme", phase: str | None = None) -> ImageFiles:
    """Read an image folder: ``images.csv`` and ``maps/<source>/<image_id>``, in any form of map.

    Parameters
    ----------
    folder : Path
        As `rapidvision demo render` makes it.
    maps : str
        Which source's maps.
    phase : str, optional
        Only images of this phase.
    """
    rows = image_folder.read_table(folder / image_folder.TABLE, phases=("practice", "main", "catch"))
    sources = image_folder.map_sources(folder)
    if maps not in sources:
        raise InputError(f'{folder}: no maps from "{maps}". {did_you_mean(maps, sources)}')
    there = image_folder.list_maps(folder, maps)
    beside = {path.stem: path for path in there.paths}
    strangers = len(beside.keys() - {row.image_id for row in rows})
    ignored = _left_out(there, "maps: ") + Counter({"maps without an image": strangers})
    rows = [row for row in rows if phase is None or row.phase == phase]
    targets = {row.category: bool(row.target) for row in rows}
    names = sorted(targets, key=lambda name: (not targets[name], name))
    categories = tuple(Category(name=name, target=targets[name]) for name in names)
    items = tuple(Item(row.image_id, row.path, names.index(row.category), beside.get(row.image_id)) for row in rows)
    return ImageFiles(len(items), categories, str(folder), +ignored, items=items)


def class_folders(folder: Path, *, maps: Path | None = None) -> ImageFiles:
    """Read ``folder/<class>/<image>`` with maps of the same names in ``maps/<class>/``.

    Parameters
    ----------
    folder : Path
        A folder per class, in the order of their names; hidden folders are none.
    maps : Path, optional
        Images or ``.npy`` files, a folder per class too.

    Raises
    ------
    InputError
        When a class has no images, two files have one name, or no map has an image of its name.
    """
    classes = list_folders(folder)
    ignored, items = _left_out(classes), []
    beside = _maps_of(maps, ignored) if maps is not None else {}
    for label, path in enumerate(classes.paths):
        listing = list_images(path)
        ignored.update(_left_out(listing))
        if not listing.paths:
            found = f"; it holds {listing.left_out}" if listing.left_out else ""
            raise InputError(f"{path}: a class without images ({', '.join(IMAGE_SUFFIXES)}){found}; fill or remove it")
        for image in listing.paths:
            image_id = f"{path.name}/{image.stem}"
            items.append(Item(image_id, image, label, beside.pop(image_id, None)))
    if not items:
        raise InputError(f"{folder}: no <class>/<image> files ({', '.join(IMAGE_SUFFIXES)})")
    if maps is not None and not any(item.map_path for item in items):
        raise InputError(
            f"{maps}: none of its {len(beside)} maps has an image of its name in {folder}; maps are <class>/<image>"
        )
    ignored["maps without an image"] += len(beside)
    categories = tuple(Category(name=path.name, target=False) for path in classes.paths)
    return ImageFiles(len(items), categories, str(folder), +ignored, items=tuple(items))


def _maps_of(folder: Path, ignored: Counter[str]) -> dict[str, Path]:
    """Find the maps by class and name, and count what lies beside them."""
    classes = list_folders(folder)
    found: dict[str, Path] = {}
    ignored.update(_left_out(classes, "maps: "))
    for path in classes.paths:
        listing = list_images(path, suffixes=MAP_SUFFIXES)
        ignored.update(_left_out(listing, "maps: "))
        found |= {f"{path.name}/{one.stem}": one for one in listing.paths}
    return found


def _left_out(listing: Listing, of: str = "") -> Counter[str]:
    counts = Counter({f"{of}{suffix}": n for suffix, n in listing.ignored.items()})
    counts[f"{of}hidden"] += listing.n_hidden
    return counts
