"""The images of a game: the image folder, masks of objects, and given maps."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.images.listing import Listing, list_images
from rapidvision.images.load import MAP_SUFFIXES, load_map

from .displayed import warning_about
from .tables import LONGEST_TEXT

_log = logging.getLogger("rapidvision.clickme")

#: What an image is for: maps; a new player's first rounds; or finding players who do not look, since its object is
#: known and cannot be missed.
Phase: TypeAlias = Literal["main", "practice", "catch"]
PHASES = get_args(Phase)

#: Folder of the object masks beside the images.
OBJECTS = "objects"
#: Things in a mask, each with its number; larger values are grey levels or an object of 255.
_MOST_LABELS = 64


@dataclass(frozen=True, slots=True)
class Card:
    """One image of the game: its id, file, category (the word above it), phase and the table's whole row."""

    image_id: str
    path: Path
    category: str
    phase: Phase
    row: dict[str, str]


@dataclass(frozen=True, slots=True)
class Deck:
    """The image folder: ``images.csv`` and what it names.

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
        """Ids of the images that get maps."""
        return self.of("main")

    def of(self, phase: Phase) -> tuple[str, ...]:
        """Return the ids of the images of a phase."""
        return tuple(name for name, card in self.cards.items() if card.phase == phase)


def read_deck(folder: Path | str) -> Deck:
    """Read an image folder.

    Parameters
    ----------
    folder : path-like
        Holds ``images.csv`` with the columns image_id, path, category and, if wanted, phase (main, practice, catch).
        Catch images need ``objects/IMAGE.png`` (1 = the object).

    Raises
    ------
    InputError
        When the table is missing, lacks a column, names an image twice, a file that is not there or outside the
        folder, another phase, a catch image without its object, or no image to play with.
    """
    folder = Path(folder)
    table = folder / image_folder.TABLE
    cards: dict[str, Card] = {}
    root = folder.resolve()
    masked = {path.stem for path in _objects(folder).paths}
    for number, row in enumerate(image_folder.read_table(table, required=(), phases=PHASES), start=2):
        where, name = f"{table}: row {number}", row.image_id
        if len(row.category) > LONGEST_TEXT:
            raise InputError(f"{where}: category may have at most {LONGEST_TEXT} characters")
        path = row.path.resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise InputError(f"{where}: no file {row.cells['path']} in {folder}")
        if row.phase == "catch" and name not in masked:
            raise InputError(f"{where}: a catch image needs {OBJECTS}/{name}.png (1 = the object)")
        cards[name] = Card(name, path, row.category, cast(Phase, row.phase), row.cells)
    deck = Deck(folder, cards)
    if not deck.main:
        raise InputError(f"{table}: no image to play with")
    return deck


def read_objects(deck: Deck, side_px: int) -> dict[str, NDArray[np.bool_]]:
    """Return the object masks of an image folder (``objects/IMAGE.png``), in the frame of the game.

    Raises
    ------
    InputError
        When a mask has no pixel of 1, or values that are no labels (0 background, 1 the object, 2 … other things); the
        message names the file.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    for name, path in _named(_objects(deck.folder), deck.folder / OBJECTS, deck).items():
        values = load_map(path)
        labels = np.unique(values)
        if 1 not in labels or labels[-1] > _MOST_LABELS:
            got = ", ".join(f"{one:g}" for one in labels[-3:])
            raise InputError(
                f"{path}: a mask has 0 for the background, 1 for the object and up to {_MOST_LABELS} for other things; "
                f"its largest values are {got}; write it anew"
            )
        masks[name] = _framed(values, side_px, Image.Resampling.NEAREST) == 1
    return masks


def read_maps(deck: Deck, source: str, side_px: int) -> dict[str, NDArray[np.float64]]:
    """Return the maps of an image folder (``maps/SOURCE/IMAGE.png``) for simulated players, in the frame of the game.

    Raises
    ------
    InputError
        When the folder has none of that source, or a map is none; the message names the file.
    """
    maps: dict[str, NDArray[np.float64]] = {}
    sources = image_folder.map_sources(deck.folder)
    if source in sources:
        listing = image_folder.list_maps(deck.folder, source)
        for name, path in _named(listing, deck.folder / "maps" / source, deck).items():
            maps[name] = np.clip(_framed(load_map(path), side_px, Image.Resampling.BICUBIC), 0, None)
    if not maps:
        raise InputError(f'{deck.folder}: no maps from "{source}"; the folder has {", ".join(sources) or "none"}')
    return maps


def _objects(folder: Path) -> Listing:
    """List the masks of objects, in every form and case of suffix that is read."""
    there = folder / OBJECTS
    return list_images(there, suffixes=MAP_SUFFIXES) if there.is_dir() else Listing((), 0, {})


def _named(listing: Listing, folder: Path, deck: Deck) -> dict[str, Path]:
    """Return the files of the deck's images, in its order, and say what else lies in their folder."""
    beside = {path.stem: path for path in listing.paths}
    own = {name: beside[name] for name in deck.cards if name in beside}
    n_strangers = len(beside) - len(own)
    parts = [listing.left_out, f"{n_strangers} without an image of their name" if n_strangers else ""]
    if said := ", ".join(part for part in parts if part):
        _log.warning("%s: passed over %s", folder, said)
    return own


def _framed(values: NDArray[np.float64], side_px: int, how: Image.Resampling) -> NDArray[np.float64]:
    """Return a map as the game frames its image: scaled to the shorter side, the middle square cut out."""
    if values.shape == (side_px, side_px):
        return values
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(ImageOps.fit(image, (side_px, side_px), how), dtype=np.float64)


def doubtful(deck: Deck, side_px: int) -> dict[str, str]:
    """Return the images of doubtful size, by image id: small ones, and long ones of which most is cut off."""
    found = {name: warning_about(card.path, side_px) for name, card in deck.cards.items()}
    return {name: text for name, text in found.items() if text}
