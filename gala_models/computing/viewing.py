"""Several networks look at the same images, each decoded once; one that fails does not cost the others' results."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import RapidVisionError

from ..preprocessing import Preprocessing
from .score_cache import ScoreCache


class Viewer(Protocol):
    """A network that can look: how it sees pixels, and its class scores of inputs."""

    @property
    def preprocessing(self) -> Preprocessing:
        """Pixels → input."""

    def scores(self, x: Tensor, names: Sequence[str] = ()) -> Tensor:
        """Class scores of inputs."""


@dataclass(slots=True)
class Sight:
    """What one network has seen.

    Attributes
    ----------
    viewer : Viewer
        The network.
    scores : dict
        Hash of a stimulus → class scores.
    error : RapidVisionError or None
        Why it stopped looking.
    n_new : int
        Stimuli that it was shown now.
    """

    viewer: Viewer
    scores: dict[str, Tensor] = field(default_factory=dict)
    error: RapidVisionError | None = None
    n_new: int = 0
    _cache: ScoreCache | None = None
    _key: str | None = None

    def recall(self, cache: ScoreCache, key: str | None, stimuli: Collection[str]) -> None:
        """Take what a cache knows of the stimuli, by their hashes."""
        self._cache, self._key = cache, key
        known = cache.known(key)
        self.scores = {sha256: known[sha256] for sha256 in stimuli if sha256 in known}

    def remember(self) -> None:
        """Add what was seen now to the cache, if there is one."""
        if self._cache is not None and self.n_new:
            self._cache.keep(self._key, {**self._cache.known(self._key), **self.scores})

    def attempt(self, work: Callable[[], None]) -> None:
        """Do some of the network's work; an error ends its work, and is kept."""
        if self.error is None:
            try:
                work()
            except RapidVisionError as error:
                self.error = error


def missing(sights: Sequence[Sight], stimuli: dict[str, str]) -> dict[str, str]:
    """Return path → hash of the stimuli that some network still has to see."""
    looking = [sight for sight in sights if sight.error is None]
    return {path: sha256 for path, sha256 in stimuli.items() if any(sha256 not in one.scores for one in looking)}


def look(
    sights: Sequence[Sight],
    batches: Iterable[NDArray[np.uint8]],
    stimuli: dict[str, str],
    seen: Callable[[int], object],
) -> None:
    """Show batches of images to all networks.

    Parameters
    ----------
    sights : sequence of Sight
        Filled here.
    batches : iterable of ndarray of uint8, shape (n, height, width, 3)
        The images of `stimuli`, in their order.
    stimuli : dict
        Path → hash.
    seen : callable
        Called with the number of images of each batch.

    Notes
    -----
    What was seen is kept in the sights' caches, also when an error or Ctrl-C ends the loop.
    """
    paths = list(stimuli)
    try:
        _look(sights, batches, stimuli, paths, seen)
    finally:
        for sight in sights:
            sight.remember()


def _look(
    sights: Sequence[Sight],
    batches: Iterable[NDArray[np.uint8]],
    stimuli: dict[str, str],
    paths: Sequence[str],
    seen: Callable[[int], object],
) -> None:
    for images in batches:
        names, paths = paths[: len(images)], paths[len(images) :]
        hashes = [stimuli[name] for name in names]
        ready: dict[Preprocessing, Tensor] = {}
        for sight in sights:
            sight.attempt(partial(_show, sight, images, names, hashes, ready))
        seen(len(images))


def _show(
    sight: Sight,
    images: NDArray[np.uint8],
    names: Sequence[str],
    hashes: Sequence[str],
    ready: dict[Preprocessing, Tensor],
) -> None:
    rows = [row for row, sha256 in enumerate(hashes) if sha256 not in sight.scores]
    if not rows:
        return
    shown = sight.viewer.preprocessing
    if shown not in ready:
        ready[shown] = shown(images)
    x = ready[shown] if len(rows) == len(images) else ready[shown][rows]
    found = sight.viewer.scores(x, [names[row] for row in rows])
    sight.scores |= {hashes[row]: one for row, one in zip(rows, found, strict=True)}
    sight.n_new += len(rows)
