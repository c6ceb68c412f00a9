"""Who sees which image: fewest maps first, never the same one twice, catch images in between; practice last."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from rapidvision.seeds import stream

from .images import Deck, Phase


class Feed:
    """Deals images: those with the fewest maps first, ties at random, none twice to a player.

    Parameters
    ----------
    deck : Deck
        The images.
    seed : int
        The choice among ties follows from it, the player and how many images the player has had.
    practice_rounds : int
        How many rounds a new player plays for practice.
    catch_every : int
        One of so many later rounds, at a place that no player can foresee, is on a catch image, while there are new ones.

    Examples
    --------
    >>> from pathlib import Path
    >>> from rapidvision.experiments.clickme.storage.images import Card
    >>> card = Card("a", Path("a.png"), "cat", "main", {})
    >>> feed = Feed(Deck(Path("."), {"a": card}), seed=1, practice_rounds=0)
    >>> feed.deal("anna"), feed.deal("anna")
    (('a', 'main'), None)
    """

    def __init__(self, deck: Deck, *, seed: int, practice_rounds: int = 1, catch_every: int = 20) -> None:
        self.deck, self.seed, self.practice_rounds, self.catch_every = deck, seed, practice_rounds, catch_every
        self._counts: Counter[str] = Counter(dict.fromkeys(deck.main, 0))
        self._at: dict[int, list[str]] = {0: list(deck.main)}
        self._place: dict[str, int] = {name: place for place, name in enumerate(deck.main)}
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        self._practised: Counter[str] = Counter()
        self._out: set[str] = set()

    def restore(self, dealt: Iterable[tuple[str, str, str, bool]]) -> None:
        """Tell what happened before: (player, image id, phase, whether it counts as a map)."""
        for player, name, phase, counts in dealt:
            self._seen[player].add(name)
            self._practised[player] += phase == "practice"
            if counts and phase == "main":
                self._move(name, 1)

    def remove(self, name: str) -> None:
        """Take an image out of the game (it cannot be decoded, or too many reported it)."""
        self._out.add(name)
        if name in self._place:
            self._take_out(name)

    def deal(self, player: str) -> tuple[str, Phase] | None:
        """Return the player's next image and the phase of its round; None when all have been seen.

        Where practice images are too few, practice rounds are played on those of the others that have most maps, so
        that the round, which is no map, is missed least.
        """
        seen = self._seen[player]
        rng = stream(self.seed, "feed", player, len(seen))
        phase: Phase = "main"
        name = None
        if self._practised[player] < self.practice_rounds:
            phase, name = "practice", self._one_of("practice", seen, rng)
        elif self._catch_is_due(player, len(seen) - self._practised[player]):
            name = self._one_of("catch", seen, rng)
            phase = "catch" if name is not None else "main"
        if name is None:
            name = self._extreme(seen, rng, fewest=phase != "practice")
        if name is None:
            return None
        seen.add(name)
        self._practised[player] += phase == "practice"
        if phase == "main":
            self._move(name, 1)
        return name, phase

    def _catch_is_due(self, player: str, n_played: int) -> bool:
        block, place = divmod(n_played, self.catch_every)
        return place == int(stream(self.seed, "catch", player, block).integers(self.catch_every))

    def give_back(self, name: str, phase: Phase) -> None:
        """Say that a dealt image brought no map (skipped, left)."""
        if phase == "main":
            self._move(name, -1)

    def forget(self, player: str, maps: Iterable[str]) -> None:
        """Say that a player's maps are gone: their images, by id, have one less each."""
        for name in maps:
            self._move(name, -1)
        self._seen.pop(player, None)
        self._practised.pop(player, None)

    def n_maps(self, name: str) -> int:
        """How many maps an image has, those in the making counted."""
        return self._counts[name]

    def _one_of(self, phase: Phase, seen: set[str], rng: np.random.Generator) -> str | None:
        free = [name for name in self.deck.of(phase) if name not in seen and name not in self._out]
        return free[int(rng.integers(len(free)))] if free else None

    def _extreme(self, seen: set[str], rng: np.random.Generator, *, fewest: bool) -> str | None:
        """Return one of the images with the fewest maps, or with the most, that the player has not had."""
        for count in sorted(self._at, reverse=not fewest):
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
