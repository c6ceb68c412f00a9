"""Image folders: the form in which images and their maps go from package to package.

::

    images.csv                 image_id, path, category, target; and, if wanted, phase, credit, licence
    images/…                   the images
    maps/SOURCE/IMAGE_ID.png   importance maps; written so, and read in every form of load_map, in any case of the suffix
    objects/IMAGE_ID.png       0 background, 1 the object; parts/ likewise

The renderer, the ClickMe game and `stimuli import-clickme` write such folders; stimulus sets, the game and the networks' stores
are made from them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rapidvision.errors import InputError, did_you_mean
from rapidvision.images.listing import Listing, list_folders, list_images
from rapidvision.images.load import MAP_SUFFIXES
from rapidvision.system import files, platforms
from rapidvision.text import csv_text

TABLE = "images.csv"
NEEDED = ("image_id", "path", "category")
COLUMNS = (*NEEDED, "target", "phase", "credit", "licence")
SAFE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_LONGEST_NAME = 120
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image of a folder.

    Attributes
    ----------
    image_id, category : str
        The image and what it shows.
    path : Path
        Its file, relative to the table's folder resolved.
    target : bool or None
        Whether the category is a target; None where the table does not say.
    phase : str
        Where it may appear; ``main`` unless the table says otherwise.
    credit, licence : str
        Empty where unknown.
    cells : dict
        The whole row as it stands in the table.
    """

    image_id: str
    path: Path
    category: str
    target: bool | None
    phase: str
    credit: str
    licence: str
    cells: dict[str, str]


def read_table(
    path: Path | str, *, required: Sequence[str] = ("target",), phases: Sequence[str] = ("practice", "main")
) -> list[ImageRow]:
    """Read the table of an image folder.

    Parameters
    ----------
    path : path-like
        The table itself, usually ``FOLDER/images.csv``.
    required : sequence of str
        Columns that must be there besides image_id, path and category.
    phases : sequence of str
        Allowed phases.

    Returns
    -------
    list of ImageRow
        In the order of the table; the files themselves are not looked at.

    Raises
    ------
    InputError
        When a column is missing, a cell is not allowed, or :func:`check` finds something.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     csv_text.write(Path(folder) / TABLE, COLUMNS[:4], [["cat-01", "images/cat-01.png", "cat", "true"]])
    ...     (row,) = read_table(Path(folder) / TABLE)
    >>> row.image_id, row.path.name, row.target, row.phase
    ('cat-01', 'cat-01.png', True, 'main')
    """
    path = Path(path)
    rows = [
        row_of(cells, path.parent, f"{path}: row {number}", phases)
        for number, cells in enumerate(csv_text.read(path, (*NEEDED, *required)), 2)
    ]
    check(rows, name=str(path))
    return rows


def write_table(path: Path | str, rows: Sequence[Mapping[str, object]]) -> None:
    """Write the table of an image folder, atomically.

    Parameters
    ----------
    path : path-like
        Usually ``FOLDER/images.csv``.
    rows : sequence of mapping
        Column → cell; the first row says which columns there are. Those of :data:`COLUMNS` come first in their order.

    Raises
    ------
    InputError
        When a row lacks one of the columns that every table needs.
    """
    names = list(rows[0]) if rows else list(NEEDED)
    columns = [*(name for name in COLUMNS if name in names), *(name for name in names if name not in COLUMNS)]
    for number, row in enumerate(rows, 2):
        missing = [name for name in (*NEEDED, *columns) if name not in row]
        if missing:
            raise InputError(f"{path}: row {number} lacks {missing[0]}; every row of a table has the same columns")
    csv_text.write(path, columns, ([_written(row[name]) for name in columns] for row in rows))


def _written(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def write_recipe(
    folder: Path | str, *, name: str, image_px: int, source: str, seed: int | None = None, blur: str | None = None
) -> None:
    """Write ``recipe.toml`` beside the table: what ``rapidvision stimuli build`` needs to make a set of the folder.

    Parameters
    ----------
    folder : path-like
        The image folder.
    name : str
        Of the set.
    image_px : int
        Side of its images.
    source : str
        Of the maps in ``maps/SOURCE``.
    seed : int, optional
        Of the set; the recipe's own default unless given.
    blur : str, optional
        Of the maps, such as ``paper``; none unless given.
    """
    head = {"name": name, "seed": seed, "image_px": image_px, "images": TABLE}
    maps = {"source": source, "reader": "folder", "path": f"maps/{source}", "blur": blur}
    lines = [f"{key} = {json.dumps(value)}" for key, value in head.items() if value is not None]
    lines += ["", "[[maps]]", *(f"{key} = {json.dumps(value)}" for key, value in maps.items() if value is not None)]
    files.write_text(Path(folder) / "recipe.toml", "\n".join(lines) + "\n")


def row_of(cells: dict[str, str], folder: Path, where: str, phases: Sequence[str] = ("practice", "main")) -> ImageRow:
    """Read one row of the table; InputError says what is not allowed in it."""
    try:
        image_id = checked_name(cells["image_id"], "image_id")
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    for name in ("path", "category"):
        if not cells[name].strip():
            raise InputError(f"{where}: {name} is empty")
    target = cells.get("target")
    if target is not None and target.strip().lower() not in _TRUTH:
        raise InputError(f'{where}: target is "{target}"; true or false is needed')
    phase = cells.get("phase") or "main"
    if phase not in phases:
        raise InputError(f'{where}: phase is "{phase}". {did_you_mean(phase, phases)}')
    return ImageRow(
        image_id=image_id,
        path=folder / cells["path"],
        category=cells["category"],
        target=None if target is None else _TRUTH[target.strip().lower()],
        phase=phase,
        credit=cells.get("credit") or "",
        licence=cells.get("licence") or "",
        cells=cells,
    )


class Named(Protocol):
    """An image with what must not contradict itself between the rows of a table."""

    @property
    def image_id(self) -> str:
        """The image."""
        ...

    @property
    def category(self) -> str:
        """What it shows."""
        ...

    @property
    def target(self) -> bool | None:
        """Whether that is a target."""
        ...


def check(rows: Iterable[Named], *, name: str) -> None:
    """Refuse rows that contradict each other: InputError says the first of :func:`contradictions`."""
    for text in contradictions(rows, name=name):
        raise InputError(text)


def contradictions(rows: Iterable[Named], *, name: str) -> Iterator[str]:
    """Yield what rows say against each other.

    An image has two rows, two ids differ only in capitals, two categories only in capitals or blanks, one category is
    both target and distractor, or there is no row at all.
    """
    spelt: dict[str, str] = {}
    seen: set[str] = set()
    folded: dict[str, str] = {}
    targets: dict[str, bool | None] = {}
    for row in rows:
        if row.image_id in seen:
            yield f"{name}: {row.image_id} appears twice; each image has one row"
        seen.add(row.image_id)
        if targets.setdefault(row.category, row.target) != row.target:
            yield f"{name}: category {row.category} is both target and distractor"
        spelling = spelt.setdefault(" ".join(row.category.casefold().split()), row.category)
        if spelling != row.category:
            both = f'the categories "{spelling}" and "{row.category}"'
            yield f"{name}: {both} differ only in capitals or blanks; write them alike"
        other = folded.setdefault(row.image_id.casefold(), row.image_id)
        if other != row.image_id:
            ids = f"{other} and {row.image_id}"
            yield f"{name}: {ids} differ only in capitals; some file systems cannot keep both"
    if not seen:
        yield f"{name}: no images; the table has only a header"


def checked_name(name: str, what: str) -> str:
    """Return `name` if it can be part of a file name everywhere, else raise ValueError.

    Examples
    --------
    >>> checked_name("../cat", "image_id")
    Traceback (most recent call last):
        ...
    ValueError: image_id "../cat" must be letters, digits, ".", "_" and "-", and begin with a letter or digit
    >>> checked_name("aux", "image_id")
    Traceback (most recent call last):
        ...
    ValueError: image_id "aux" cannot be a file name everywhere: Windows keeps the name AUX for a device; choose another
    """
    if not re.fullmatch(SAFE_NAME, name) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f'{what} "{name[:60]}" must be letters, digits, ".", "_" and "-", and begin with a letter or digit'
        )
    fault = platforms.name_fault(name)
    if fault:
        raise ValueError(f'{what} "{name}" cannot be a file name everywhere: {fault}; choose another')
    return name


def map_path(folder: Path | str, source: str, image_id: str) -> Path:
    """Return where a map is written; to read maps of any writer, use :func:`list_maps`."""
    return Path(folder) / "maps" / source / f"{image_id}.png"


def list_maps(folder: Path | str, source: str) -> Listing:
    """List the maps of a source: every file that :func:`rapidvision.images.load.load_map` reads, named after its image.

    Raises
    ------
    InputError
        When there is no such source, or two files have one name but for suffix and capitals.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat-01.PNG", "cat-02.npy", "notes.txt"):
    ...         (Path(folder) / "maps" / "clickme").mkdir(parents=True, exist_ok=True)
    ...         (Path(folder) / "maps" / "clickme" / name).touch()
    ...     listing = list_maps(folder, "clickme")
    >>> [path.stem for path in listing.paths], listing.left_out
    (['cat-01', 'cat-02'], '1 .txt')
    """
    return list_images(Path(folder) / "maps" / source, suffixes=MAP_SUFFIXES)


def map_sources(folder: Path | str) -> list[str]:
    """Return the sources whose maps an image folder has, sorted; hidden folders are none."""
    maps = Path(folder) / "maps"
    return [path.name for path in list_folders(maps).paths] if maps.is_dir() else []
