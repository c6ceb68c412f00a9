"""The pictures of a game and who sees which: fewest maps first, never the same one twice."""

import csv
import io
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from rapidvision import files
from rapidvision.errors import InputError
from rapidvision.seeds import stream

_NEEDED = ("image_id", "path", "category")
_MOST_PX = 100_000_000


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of the game: its id, file, category (the word above it), and whether it is for practice."""

    image_id: str
    path: Path
    category: str
    practice: bool
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
        """Ids of the pictures that are not for practice."""
        return tuple(name for name, card in self.cards.items() if not card.practice)

    @property
    def practice(self) -> tuple[str, ...]:
        """Ids of the practice pictures."""
        return tuple(name for name, card in self.cards.items() if card.practice)


def read_deck(folder: Path | str) -> Deck:
    """Read a picture folder.

    Parameters
    ----------
    folder : path-like
        Holds ``images.csv`` with the columns image_id, path, category and, if wanted, phase (main or practice).

    Raises
    ------
    InputError
        When the table is missing, lacks a column, names a picture twice, a file that is not there or outside the
        folder, or no picture to play with.
    """
    folder = Path(folder)
    table = folder / "images.csv"
    text = files.read_bytes(table).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{table}: no column {', '.join(missing)}; needed are {', '.join(_NEEDED)}")
    cards: dict[str, Card] = {}
    root = folder.resolve()
    for number, row in enumerate(reader, start=2):
        name, category = row["image_id"] or "", row["category"] or ""
        if not name or not category or "/" in name or name.startswith("."):
            raise InputError(f"{table}, line {number}: an image_id (without slashes) and a category are needed")
        if name in cards:
            raise InputError(f"{table}, line {number}: {name} is listed twice")
        path = (folder / (row["path"] or "")).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise InputError(f"{table}, line {number}: no file {row['path']} in {folder}")
        cards[name] = Card(name, path, category, row.get("phase") == "practice", dict(row))
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


def png(array: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Return an array (height, width[, 3]) of uint8 or uint16 as PNG."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


class Feed:
    """Deals pictures: those with the fewest maps first, ties at random, none twice to a player.

    Parameters
    ----------
    deck : Deck
        The pictures.
    seed : int
        The choice among ties follows from it, the player and how many pictures the player has had.
    practice_rounds : int
        How many rounds a new player plays for practice.

    Examples
    --------
    >>> card = Card("a", Path("a.png"), "cat", False, {})
    >>> feed = Feed(Deck(Path("."), {"a": card}), seed=1, practice_rounds=0)
    >>> feed.deal("anna"), feed.deal("anna")
    (('a', False), None)
    """

    def __init__(self, deck: Deck, *, seed: int, practice_rounds: int = 1) -> None:
        self.deck, self.seed, self.practice_rounds = deck, seed, practice_rounds
        self._counts: Counter[str] = Counter(dict.fromkeys(deck.main, 0))
        self._at: dict[int, list[str]] = {0: list(deck.main)}
        self._place: dict[str, int] = {name: place for place, name in enumerate(deck.main)}
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        self._practised: Counter[str] = Counter()
        self._out: set[str] = set()

    def restore(self, dealt: Iterable[tuple[str, str, bool, bool]]) -> None:
        """Tell what happened before: (player, image id, practice, whether it counts as a map)."""
        for player, name, practice, counts in dealt:
            self._seen[player].add(name)
            self._practised[player] += practice
            if counts and not practice:
                self._move(name, 1)

    def remove(self, name: str) -> None:
        """Take a picture out of the game (it cannot be decoded, or too many reported it)."""
        self._out.add(name)
        if name in self._place:
            self._take_out(name)

    def deal(self, player: str) -> tuple[str, bool] | None:
        """Return the player's next picture and whether it is for practice; None when all have been seen."""
        seen = self._seen[player]
        rng = stream(self.seed, "feed", player, len(seen))
        practice = self._practised[player] < self.practice_rounds
        name = self._practice(seen, rng) if practice else None
        if name is None:
            name = self._fewest(seen, rng)
        if name is None:
            return None
        seen.add(name)
        self._practised[player] += practice
        if not practice:
            self._move(name, 1)
        return name, practice

    def give_back(self, name: str, *, practice: bool) -> None:
        """Say that a dealt picture brought no map (skipped, left)."""
        if not practice:
            self._move(name, -1)

    def n_maps(self, name: str) -> int:
        """How many maps a picture has, those in the making counted."""
        return self._counts[name]

    def _practice(self, seen: set[str], rng: np.random.Generator) -> str | None:
        free = [name for name in self.deck.practice if name not in seen and name not in self._out]
        return free[int(rng.integers(len(free)))] if free else None

    def _fewest(self, seen: set[str], rng: np.random.Generator) -> str | None:
        for count in sorted(self._at):
            names = self._at[count]
            for place in map(int, rng.integers(len(names), size=8)) if names else ():
                if names[place] not in seen:
                    return names[place]
            free = [name for name in names if name not in seen]
            if free:
                return free[int(rng.integers(len(free)))]
        return None

    def _move(self, name: str, by: int) -> None:
        if name not in self._counts:
            return
        present = name in self._place
        if present:
            self._take_out(name)
        self._counts[name] += by
        if present:
            bucket = self._at.setdefault(self._counts[name], [])
            self._place[name] = len(bucket)
            bucket.append(name)

    def _take_out(self, name: str) -> None:
        """Remove from its bucket in constant time: the last one takes its place."""
        bucket = self._at[self._counts[name]]
        place, last = self._place.pop(name), bucket.pop()
        if last != name:
            bucket[place] = last
            self._place[last] = place
        if not bucket:
            del self._at[self._counts[name]]
