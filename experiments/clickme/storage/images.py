"""The pictures of a game: the picture folder, pictures as players see them, masks of objects, and given maps."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from rapidvision.errors import InputError
from rapidvision.formats import image_folder

from .tables import LONGEST_TEXT

#: What a picture is for: maps; a new player's first rounds; or finding players who do not look, since its object is
#: known and cannot be missed.
Phase: TypeAlias = Literal["main", "practice", "catch"]
PHASES = get_args(Phase)

#: Folder of the object masks beside the pictures.
OBJECTS = "objects"
_MOST_PX = 100_000_000


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of the game: its id, file, category (the word above it), phase and the table's whole row."""

    image_id: str
    path: Path
    category: str
    phase: Phase
    row: dict[str, str]


@dataclass(frozen=True, slots=True)
class Deck:
    """The picture folder: ``images.csv`` and what it names.

    Attributes
    ----------
    folder : Path
        Where it is.
    cards : dict
        Image id → card, in the order of the table.
    """

    folder: Path
    cards: dict[str, Card]

    @property
    def categories(self) -> tuple[str, ...]:
        """Every category, sorted."""
        return tuple(sorted({card.category for card in self.cards.values()}))

    @property
    def main(self) -> tuple[str, ...]:
        """Ids of the pictures that get maps."""
        return self.of("main")

    def of(self, phase: Phase) -> tuple[str, ...]:
        """Return the ids of the pictures of a phase."""
        return tuple(name for name, card in self.cards.items() if card.phase == phase)


def read_deck(folder: Path | str) -> Deck:
    """Read a picture folder.

    Parameters
    ----------
    folder : path-like
        Holds ``images.csv`` with the columns image_id, path, category and, if wanted, phase (main, practice, catch).
        Catch pictures need ``objects/IMAGE.png`` (1 = the object).

    Raises
    ------
    InputError
        When the table is missing, lacks a column, names a picture twice, a file that is not there or outside the
        folder, another phase, a catch picture without its object, or no picture to play with.
    """
    folder = Path(folder)
    table = folder / image_folder.TABLE
    cards: dict[str, Card] = {}
    root = folder.resolve()
    for number, row in enumerate(image_folder.read_table(table, required=(), phases=PHASES), start=2):
        where, name = f"{table}: row {number}", row.image_id
        if len(row.category) > LONGEST_TEXT:
            raise InputError(f"{where}: category may have at most {LONGEST_TEXT} characters")
        path = row.path.resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise InputError(f"{where}: no file {row.cells['path']} in {folder}")
        if row.phase == "catch" and not (folder / OBJECTS / f"{name}.png").is_file():
            raise InputError(f"{where}: a catch picture needs {OBJECTS}/{name}.png (1 = the object)")
        cards[name] = Card(name, path, row.category, cast(Phase, row.phase), row.cells)
    deck = Deck(folder, cards)
    if not deck.main:
        raise InputError(f"{table}: no picture to play with")
    return deck


@lru_cache(maxsize=512)
def pixels(path: Path, side_px: int) -> NDArray[np.uint8]:
    """Return a picture as the game shows it: uint8 (side_px, side_px, 3), scaled to the shorter side, centre cut out.

    Raises
    ------
    InputError
        When the file is no picture, or too large to decode.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                if opened.width * opened.height > _MOST_PX:
                    raise InputError(f"{path}: {opened.width} x {opened.height} pixels are too many; scale it down")
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path}: not a picture that can be decoded ({error})") from error
    flat = Image.new("RGB", upright.size, (255, 255, 255))
    flat.paste(upright, mask=upright.getchannel("A"))
    fitted = (
        flat if flat.size == (side_px, side_px) else ImageOps.fit(flat, (side_px, side_px), Image.Resampling.LANCZOS)
    )
    array = np.asarray(fitted, dtype=np.uint8).copy()
    array.setflags(write=False)
    return array


def read_objects(deck: Deck, side_px: int) -> dict[str, NDArray[np.bool_]]:
    """Return the object masks of a picture folder (``objects/IMAGE.png``, 1 = the object) for its square pictures."""
    masks: dict[str, NDArray[np.bool_]] = {}
    for name in deck.cards:
        path = deck.folder / OBJECTS / f"{name}.png"
        if path.is_file():
            with Image.open(path) as opened:
                if opened.width == opened.height:
                    masks[name] = np.asarray(opened.resize((side_px, side_px), Image.Resampling.NEAREST)) == 1
    return masks


def read_maps(deck: Deck, source: str, side_px: int) -> dict[str, NDArray[np.float64]]:
    """Return the maps of a picture folder (``maps/SOURCE/IMAGE.png``) for simulated players.

    Raises
    ------
    InputError
        When the folder has none of that source.
    """
    maps: dict[str, NDArray[np.float64]] = {}
    for name in deck.cards:
        path = image_folder.map_path(deck.folder, source, name)
        if path.is_file():
            with Image.open(path) as opened:
                grey = opened if opened.mode in ("I", "F", "I;16") else opened.convert("L")
                array = np.asarray(grey, dtype=np.float64)
                if array.shape != (side_px, side_px):
                    resized = Image.fromarray(array.astype(np.float32)).resize((side_px, side_px))
                    array = np.asarray(resized, dtype=np.float64)
            maps[name] = array
    if not maps:
        found = ", ".join(image_folder.map_sources(deck.folder)) or "none"
        raise InputError(f'{deck.folder}: no maps from "{source}"; the folder has {found}')
    return maps
