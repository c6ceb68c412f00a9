"""Guess a recipe from folders: images, ids, categories, sources, readers and frames, each with its reason."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError
from rapidvision.images.load import size_of
from rapidvision.screen import Screen

from ..maps.readers.table_rows import rows_of
from ..naming import Naming, slug
from ..presets.read import read_preset
from .guess_frame import guess_frame
from .guess_points import CATEGORY_COLUMNS, guess_reader, image_column
from .look import Found, look, name_pattern

#: Share of the images that a source must have maps of.
LEAST_SHARE = 0.2
#: Side of the finished images unless degrees are asked for.
USUAL_PX = 256
#: Blur of points where there is no screen, as a share of the side: SALICON's 19 of 480 pixels.
BLUR_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class GuessedSource:
    """A map source: its keys for the recipe, why they were guessed, and how many images it has maps of."""

    keys: dict[str, Any]
    why: tuple[str, ...]
    n_maps: int


@dataclass(frozen=True, slots=True)
class Guessed:
    """What :func:`guess` found.

    Attributes
    ----------
    rows : tuple of dict
        Rows of ``images.csv``; category and target are empty where they are not known.
    id_pattern : str
        How ids were made of file names.
    sources : tuple of GuessedSource
        Map sources.
    side_px : int
        Side of the finished images, where no degrees were asked for.
    notes : tuple of str
        What could not be used or guessed.
    sizes : dict
        Image id → width and height.
    """

    rows: tuple[dict[str, Any], ...]
    id_pattern: str
    sources: tuple[GuessedSource, ...]
    side_px: int
    notes: tuple[str, ...]
    sizes: dict[str, tuple[int, int]] = field(repr=False)


def guess(folders: Sequence[Path], out: Path, *, targets: Sequence[str] = (), screen: Screen | None = None) -> Guessed:
    """Guess a recipe.

    Parameters
    ----------
    folders : sequence of Path
        Where images, maps and tables are.
    out : Path
        Where the recipe will be; paths are relative to it.
    targets : sequence of str
        Categories that are targets.
    screen : Screen, optional
        Of the participants; points are then blurred in degrees.

    Raises
    ------
    InputError
        When there are no images, two have one name, or none can be read.
    """
    found = look(folders, but=out)
    pattern, ids = _ids(found.images)
    notes: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for image_id, path in ids.items():
        try:
            sizes[image_id] = size_of(path)
        except InputError as error:
            notes.append(f"{error}")
    if not sizes:
        raise InputError(f"none of {len(ids)} images can be read; the first because: {notes[0]}")
    naming = Naming("", pattern)
    categories, why = _categories(ids, found, naming)
    notes.append(why)
    unknown = [name for name in targets if name not in categories.values()]
    if unknown and any(categories.values()):
        raise InputError(
            f'targets: no image of the category "{unknown[0]}"; there are {", ".join(sorted({*categories.values()}))}'
        )
    rows = tuple(
        {
            "image_id": image_id,
            "path": _relative(path, out),
            "category": categories[image_id],
            "target": (categories[image_id] in targets) if targets and categories[image_id] else "",
        }
        for image_id, path in sorted(ids.items())
    )
    shorter = min(min(size) for size in sizes.values())
    side = max(16, min(USUAL_PX, shorter))
    sources = _sources(
        found, ids, naming, sizes, out, notes, "gauss:0.5deg" if screen else f"gauss:{max(1, round(BLUR_SHARE * side))}"
    )
    if not sources:
        notes.append("no map source: no folder of maps and no table of points fits the names of the images")
    return Guessed(rows, pattern, tuple(sources), side, tuple(notes), sizes)


def _ids(images: Sequence[Path]) -> tuple[str, dict[str, Path]]:
    for pattern in ("{stem}", "{folder}-{stem}"):
        naming = Naming("", pattern)
        ids: dict[str, Path] = {}
        folded: set[str] = set()
        for path in images:
            image_id = naming.id_of(path.as_posix())
            assert image_id is not None
            if image_id.casefold() in folded:
                twice = ids.get(image_id, path), path
                break
            folded.add(image_id.casefold())
            ids[image_id] = path
        else:
            return pattern, ids
    raise InputError(f"{twice[0]} and {twice[1]} would have one id; rename or remove one of them")


def _categories(ids: dict[str, Path], found: Found, naming: Naming) -> tuple[dict[str, str], str]:
    """Return a category for each image, empty where none is known, and how it was found."""
    for path in found.tables:
        if path.suffix.lower() not in (".csv", ".tsv"):
            continue
        try:
            table = rows_of(path)
            rows = [row for _, row in table.rows] if "x" not in table.header else []
        except InputError:
            continue
        lower = [name.strip().lower() for name in table.header]
        kind = next((lower.index(name) for name in CATEGORY_COLUMNS if name in lower), None)
        image = image_column(table.header, rows[:200], ids, naming) if rows and kind is not None else None
        if image is not None and kind is not None:
            said = {naming.id_of(row[image]): row[kind].strip() for row in rows}
            known = {image_id: said.get(image_id, "") for image_id in ids}
            return known, f"categories are those of {path.name}, column {table.header[kind]}"
    folders = {image_id: path.parent.name for image_id, path in ids.items()}
    if len({*folders.values()}) > 1:
        return folders, "categories are the names of the images' folders"
    words = {image_id: re.sub(r"[\W_]*\d.*$", "", path.stem) for image_id, path in ids.items()}
    counts = Counter(words.values())
    common = [count for _, count in counts.most_common(2)]
    if len(common) == 2 and common[1] >= 0.1 * len(ids) and len(counts) <= max(2, len(ids) // 3) and "" not in counts:
        return words, "categories are what the files' names begin with"
    return dict.fromkeys(ids, ""), "categories are not known: fill in the column category of images.csv"


def _sources(
    found: Found,
    ids: dict[str, Path],
    naming: Naming,
    sizes: dict[str, tuple[int, int]],
    out: Path,
    notes: list[str],
    blur: str,
) -> list[GuessedSource]:
    sources: list[GuessedSource] = []
    stems = {path.stem for path in ids.values()}
    tables = list(found.tables)

    def add(name: str, keys: dict[str, Any], why: str, *, quiet: bool) -> None:
        frame = guess_frame(keys, out, sizes)
        if frame.n_maps < LEAST_SHARE * len(sizes):
            if not quiet:
                notes.append(
                    f"{keys['path']}: left out, {frame.n_maps} of {len(sizes)} images have a map there ({frame.why})"
                )
            return
        taken = {one.keys["source"] for one in sources} | {"full"}
        base = unique = slug(name).lower()
        while unique in taken:
            unique = f"{base}-{len(taken)}"
        whole = {"source": unique, **keys}
        if _is_points(keys):
            preset = read_preset(keys["preset"]).blur if "preset" in keys else "none"
            whole["blur"] = blur if preset == "none" else preset
        if frame.frame:
            whole["frame"] = frame.frame
        reasons = (f"{keys['path']}: {why}; {frame.n_maps} of {len(sizes)} images have a map", f"frame: {frame.why}")
        sources.append(GuessedSource(whole, reasons, frame.n_maps))

    for folder, names in found.map_folders:
        first = folder / names[0]
        keys: dict[str, Any] = {"path": _relative(folder, out)}
        reader = guess_reader(first, ids, naming) if first.suffix.lower() == ".mat" else None
        if reader is not None and reader.keys.get("preset") in ("osie-mouse", "salicon-mat"):
            add(folder.name, keys | reader.keys, reader.why, quiet=False)
            continue
        patterns = name_pattern(names, stems)
        arrays = [folder / name for name in names if name.lower().endswith((".mat", ".npz"))]
        if not patterns and arrays:
            tables += arrays
        elif not patterns:
            notes.append(f"{keys['path']}: left out, its {len(names)} files are not called as images are")
        for pattern, count in patterns:
            if count < LEAST_SHARE * len(stems) or re.search(r"fixpts|points", pattern, re.IGNORECASE):
                notes.append(f"{keys['path']}: {count} files of the form {pattern} left out")
                continue
            plain = pattern == "{stem}" and naming.id == "{stem}"
            more = {} if plain else {"files": pattern, "id": _id_of_maps(pattern, naming)}
            add(folder.name, keys | {"reader": "folder"} | more, f"{count} files of the form {pattern}", quiet=False)
    done: set[str] = set()
    for path in tables:
        reader = guess_reader(path, ids, naming)
        if reader is None:
            continue
        folder_wide = reader.keys.get("preset") in ("eyelink-asc", "bids-eyetracking", "codecharts")
        place = path.parent if folder_wide and path.suffix.lower() != ".gz" else path
        if reader.keys.get("preset") in ("osie-mouse", "salicon-mat"):
            place = path.parent
        if reader.keys.get("preset") == "bids-eyetracking":
            place = _bids_root(path)
        if str(place) in done:
            continue
        done.add(str(place))
        keys = {"path": _relative(place, out), **reader.keys}
        if naming.id != "{stem}":
            keys["id"] = naming.id
        add(place.stem, keys, reader.why, quiet="preset" not in reader.keys)
    return sources


def _is_points(keys: dict[str, Any]) -> bool:
    reader = read_preset(keys["preset"]).reader if "preset" in keys else keys["reader"]
    return reader not in ("folder", "npz", "clickme-tfrecord")


def _id_of_maps(pattern: str, naming: Naming) -> str:
    return "{category}-{stem}" if "{category}" in pattern and naming.id != "{stem}" else "{stem}"


def _bids_root(path: Path) -> Path:
    subject = next((one for one in path.parents if one.name.startswith("sub-")), path.parent)
    return subject.parent if subject.name.startswith("sub-") else subject


def _relative(path: Path, out: Path) -> str:
    return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
