"""Batches: every random choice has an address, so workers, ranks and resumed work never change the data."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from ..preprocessing import Preprocessing
from .augmentation import moved, offset, random_crop_and_flip
from .clutter import cluttered
from .dataset import Store
from .surround import surrounded
from .targets import Annotation, bounding_box

_BOX_THRESHOLD = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a training step sees.

    Attributes
    ----------
    rows : ndarray of int64, shape (batch,)
        Where the images lie in the store.
    images : ndarray of uint8, shape (batch, side, side, 3)
    importance : ndarray of uint8, shape (batch, side, side)
        Cut and flipped together with the image.
    labels : ndarray of int64, shape (batch,)
    has_map : ndarray of bool, shape (batch,)
    """

    rows: NDArray[np.int64]
    images: NDArray[np.uint8]
    importance: NDArray[np.uint8]
    labels: NDArray[np.int64]
    has_map: NDArray[np.bool_]

    def tensors(self, preprocessing: Preprocessing) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Input, importance (batch, 1, side, side) in 0 … 1, labels, flags."""
        x = torch.from_numpy(self.images).permute(0, 3, 1, 2).float() / 255
        importance = torch.from_numpy(self.importance)[:, None].float() / 255
        return (
            preprocessing.normalized(x),
            importance,
            torch.from_numpy(self.labels),
            torch.from_numpy(self.has_map),
        )


def order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """Rows in the order of an epoch."""
    return stream(seed, "order", epoch).permutation(n).astype(np.int64)


@dataclass(frozen=True)
class Batches:
    """Batches of a store, made by threads ahead of their use.

    Attributes
    ----------
    store : Store
        Where from.
    side_px : int
        Side of the input; the store's side or less. Training cuts at random, evaluation cuts the centre.
    batch_size : int
        Over all ranks.
    seed : int
        Order and augmentation follow from it.
    annotation : {"maps", "boxes", "shuffled", "none"}
        What stands in for the map: itself, its bounding box, another image's map, nothing.
    surround : float
        Share of training images that are shown as a patch on their scrambled selves, 0 … 1.
    clutter : int
        Fragments of other images on every other image, in evaluation too (the same ones every time).
    scatter : bool
        Whether images are moved around their borders, so that objects lie anywhere, in evaluation too.
    n_workers : int
        Threads; 0 makes each batch when it is asked for. The bytes are the same.
    rank, world_size : int
        This process takes every `world_size`-th image of each batch, from `rank`.
    """

    store: Store
    side_px: int
    batch_size: int
    seed: int = 0
    annotation: Annotation = "maps"
    surround: float = 0.0
    clutter: int = 0
    scatter: bool = False
    n_workers: int = 0
    rank: int = 0
    world_size: int = 1

    def __post_init__(self) -> None:
        side_px = self.store.description.side_px
        if self.side_px > side_px:
            raise InputError(f"batches: input of {self.side_px} px from a store of {side_px} px; pack larger images")
        if self.batch_size % self.world_size or self.batch_size < 1:
            raise InputError(
                f"batches: {self.batch_size} images cannot be shared equally by {self.world_size} processes"
            )
        if len(self.store) < self.batch_size:
            raise InputError(f"batches: {len(self.store)} images are fewer than one batch of {self.batch_size}")

    @property
    def n_steps(self) -> int:
        """Full batches in an epoch; what is left over waits for the next epoch's order."""
        return len(self.store) // self.batch_size

    def epoch(self, epoch: int, *, first_step: int = 0) -> Iterator[Batch]:
        """Yield the training batches of an epoch, from `first_step` on."""
        rows = order(self.seed, epoch, len(self.store))
        starts = range(first_step * self.batch_size, self.n_steps * self.batch_size, self.batch_size)
        chunks = (rows[start + self.rank : start + self.batch_size : self.world_size] for start in starts)
        yield from self._ahead(chunks, epoch)

    def in_order(self) -> Iterator[Batch]:
        """Yield every image once, centre cut, not flipped; the last batch may be smaller."""
        rows = np.arange(self.rank, len(self.store), self.world_size)
        size = self.batch_size // self.world_size
        yield from self._ahead((rows[start : start + size] for start in range(0, len(rows), size)), None)

    def _ahead(self, chunks: Iterator[NDArray[np.int64]], epoch: int | None) -> Iterator[Batch]:
        if self.n_workers == 0:
            for rows in chunks:
                yield self.make(rows, epoch)
            return
        with ThreadPoolExecutor(self.n_workers) as pool:
            waiting: list[Future[Batch]] = []
            for rows in chunks:
                waiting.append(pool.submit(self.make, rows, epoch))
                if len(waiting) > 2 * self.n_workers:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

    def make(self, rows: NDArray[np.int64], epoch: int | None) -> Batch:
        """Cut images and maps; `epoch` None means the centre, not flipped."""
        side_px, slack_px = self.side_px, self.store.description.side_px - self.side_px
        images = np.empty((len(rows), side_px, side_px, 3), np.uint8)
        importance = np.empty((len(rows), side_px, side_px), np.uint8)
        has_map = np.zeros(len(rows), bool)
        for at, row in enumerate(rows):
            top, left, flip = (slack_px // 2, slack_px // 2, False)
            if epoch is not None:
                top, left, flip = random_crop_and_flip(self.seed, epoch, int(row), slack_px=slack_px)
            cut = np.s_[top : top + side_px, left : left + side_px]
            source, has_map[at] = self._map_of(int(row))
            seen = self.store.images[row][cut], source[cut], self.store.maps[row][cut]
            image, target, own = (one[:, ::-1] for one in seen) if flip else seen
            if self.scatter:
                image, target, own = self._scattered(image, target, own, epoch, int(row))
            images[at], shown = self._harder(image, target, own, epoch, int(row))
            # Where things are in the image must not show in another image's map: that control has to know nothing.
            importance[at] = target if self.annotation == "shuffled" else shown
            has_map[at] &= importance[at].any()
        return Batch(rows, images, importance, self.store.labels[rows], has_map)

    def _scattered(
        self,
        image: NDArray[np.uint8],
        target: NDArray[np.uint8],
        own: NDArray[np.uint8],
        epoch: int | None,
        row: int,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        """Move an image with its map; another image's map is moved by a draw of its own."""
        draw = stream(self.seed, "scatter", "evaluation" if epoch is None else epoch, row)
        by = offset(self.side_px, draw)
        targets_by = offset(self.side_px, draw) if self.annotation == "shuffled" else by
        return moved(image, by), moved(target, targets_by), moved(own, by)

    def _harder(
        self,
        image: NDArray[np.uint8],
        importance: NDArray[np.uint8],
        own: NDArray[np.uint8],
        epoch: int | None,
        row: int,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Put an image on its scrambled self or among fragments, where that is wanted; map and image together."""
        if epoch is not None and self.surround:
            draw = stream(self.seed, "surround", epoch, row)
            if draw.random() < self.surround:
                return surrounded(image, importance, draw)
        if not self.clutter:
            return image, importance
        draw = stream(self.seed, "clutter", "evaluation" if epoch is None else epoch, row)
        return cluttered(image, importance, own=own, donor=self._donor, n_fragments=self.clutter, rng=draw)

    def _donor(self, draw: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        row = int(draw.integers(len(self.store)))
        return np.asarray(self.store.images[row]), np.asarray(self.store.maps[row])

    def _map_of(self, row: int) -> tuple[NDArray[np.uint8], bool]:
        if self.annotation == "none":
            return self.store.maps[row], False
        if self.annotation == "shuffled" and self.store.has_map[row]:
            return self.store.maps[partner(self.store, self.seed)[row]], True
        if self.annotation == "boxes" and self.store.has_map[row]:
            return (bounding_box(np.asarray(self.store.maps[row], np.float32), threshold=_BOX_THRESHOLD) * 255).astype(
                np.uint8
            ), True
        return self.store.maps[row], bool(self.store.has_map[row])


@lru_cache(maxsize=4)
def partner(store: Store, seed: int) -> NDArray[np.int64]:
    """Whose map each image is shown with in the shuffled control: a fixed cycle through all images with a map."""
    rows = np.flatnonzero(store.has_map)
    shuffled = stream(seed, "shuffled maps").permutation(rows)
    partners = np.arange(len(store))
    partners[shuffled] = np.roll(shuffled, 1)
    return partners
