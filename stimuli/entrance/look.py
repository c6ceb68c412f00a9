"""What lies in folders: images, maps and tables of points, told apart by their content."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapidvision.errors import InputError
from rapidvision.images.listing import is_hidden
from rapidvision.images.load import IMAGE_SUFFIXES

#: Arrays that may hold a map each.
ARRAY_SUFFIXES = (".npy", ".npz", ".mat")
#: Files that may hold points.
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".asc", ".h5", ".hdf5", ".gz", ".tfrecord", ".tfrecords")
#: Files of a folder that are opened to tell images from maps.
N_LOOKED_AT = 6
#: Mean difference of the channels, in grey levels, from which an image has colours.
_COLOUR_LEVELS = 3.0
_MAP_WORDS = re.compile(r"map|salien|fix|click|gaze|heat|attention|cam|importance", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What folders hold.

    Attributes
    ----------
    images : tuple of Path
        Image files, sorted.
    map_folders : tuple of (Path, tuple of str)
        Folders that hold a file per map, and the files' paths below them.
    tables : tuple of Path
        Files that may hold points, and ``.mat`` and ``.npz`` files that lie alone.
    """

    images: tuple[Path, ...]
    map_folders: tuple[tuple[Path, tuple[str, ...]], ...]
    tables: tuple[Path, ...]


def look(folders: Sequence[Path], *, but: Path) -> Found:
    """Find images, maps and tables in folders.

    Parameters
    ----------
    folders : sequence of Path
        Folders, with all below them.
    but : Path
        A folder that is passed over, because it is written to.

    Raises
    ------
    InputError
        When a folder is missing, or no image is found.
    """
    files = list(dict.fromkeys(path for folder in folders for path in _files(folder, but)))
    by_folder: dict[Path, list[Path]] = {}
    for path in files:
        if path.suffix.lower() in (*IMAGE_SUFFIXES, *ARRAY_SUFFIXES):
            by_folder.setdefault(path.parent, []).append(path)
    pixels = {
        folder: [one for one in some if one.suffix.lower() in IMAGE_SUFFIXES] for folder, some in by_folder.items()
    }
    coloured = {folder for folder, some in pixels.items() if some and _has_colours(some)}
    if not coloured:  # grey photographs: the folders that are not called after maps
        coloured = {folder for folder, some in pixels.items() if some and not _MAP_WORDS.search(folder.name)}
    images = sorted(path for folder in coloured for path in pixels[folder])
    if not images:
        raise InputError(f"{', '.join(map(str, folders))}: no images here ({', '.join(IMAGE_SUFFIXES)})")
    single = [path for path in files if path.suffix.lower() in TABLE_SUFFIXES]
    alone = {folder: some for folder, some in by_folder.items() if folder not in coloured}
    for folder in coloured:
        single += [path for path in by_folder[folder] if path.suffix.lower() in ARRAY_SUFFIXES]
    for folder in [folder for folder, some in alone.items() if len(some) == 1 and some[0].suffix.lower() != ".png"]:
        if alone[folder][0].suffix.lower() in (".mat", ".npz"):
            single += alone.pop(folder)
    categories = {folder.name for folder in coloured} if len(coloured) > 1 else set()
    return Found(tuple(images), tuple(_map_folders(alone, categories)), tuple(sorted(single)))


def _files(folder: Path, but: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: no such file or folder")
    for path in sorted(folder.rglob("*"), key=str):
        below = path.relative_to(folder)
        if path.is_file() and not path.is_relative_to(but) and not any(is_hidden(Path(part)) for part in below.parts):
            yield path


def _has_colours(paths: Sequence[Path]) -> bool:
    """Whether most of some files of a folder are in colour."""
    step = max(1, len(paths) // N_LOOKED_AT)
    looked_at = paths[::step][:N_LOOKED_AT]
    return sum(map(_is_coloured, looked_at)) * 2 >= len(looked_at)


def _is_coloured(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.draft("RGB", (64, 64))
            small = np.asarray(image.convert("RGB").resize((32, 32)), np.float64)
    except Exception:  # whatever is wrong with it is said by the check
        return False
    return float(np.ptp(small, axis=2).mean()) > _COLOUR_LEVELS


def _map_folders(alone: dict[Path, list[Path]], categories: set[str]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield folders of maps; those that are called as the images' folders are parts of one source."""
    parts: dict[Path, list[str]] = {}
    for folder, some in sorted(alone.items()):
        root = folder.parent if folder.name in categories else folder
        parts.setdefault(root, []).extend(path.relative_to(root).as_posix() for path in some)
    for root, names in parts.items():
        yield root, tuple(sorted(names))


def name_pattern(names: Sequence[str], stems: set[str]) -> list[tuple[str, int]]:
    """Return the patterns of map files that belong to images, and how many files have each, most first.

    Parameters
    ----------
    names : sequence of str
        Paths of map files below their folder.
    stems : set of str
        Stems of the images' files.

    Examples
    --------
    >>> name_pattern(["a_fixMap.jpg", "b_fixMap.jpg", "b.txt"], {"a", "b"})
    [('{stem}_fixMap', 2), ('{stem}', 1)]
    """
    found: Counter[str] = Counter()
    by_length = sorted({len(stem) for stem in stems}, reverse=True)
    for name in names:
        path = Path(name)
        folder = "{category}/" * (len(path.parts) - 1)
        stem = path.stem
        own = next((stem[:length] for length in by_length if stem[:length] in stems), None)
        if own is not None:
            found[f"{folder}{{stem}}{stem[len(own) :]}"] += 1
            continue
        end = next((stem[-length:] for length in by_length if stem[-length:] in stems), None)
        if end is not None:
            found[f"{folder}{stem[: len(stem) - len(end)]}{{stem}}"] += 1
    return found.most_common()
