"""What a training recipe requires of its stores and of the processes that share the work."""

import msgspec

from rapidvision.errors import InputError

from ..data.dataset import Store
from ..preprocessing import Preprocessing
from .recipe import Training


def check_fit(recipe: Training, train: Store, validation: Store, *, n_processes: int) -> None:
    """Refuse a recipe that does not fit its stores, or cannot be shared out over the processes.

    Raises
    ------
    InputError
        Says what does not fit, and what to change.
    """
    for name, store in (("train", train), ("validation", validation)):
        highest = int(store.labels.max())
        if highest >= recipe.model.n_classes:
            raise InputError(f"{name}: labels up to {highest}, but model.n_classes is {recipe.model.n_classes}")
    if train.description.categories != validation.description.categories:
        raise InputError("train and validation have different categories; pack them from the same source")
    if recipe.supervised and not train.has_map.any():
        raise InputError('train: no image has a map to supervise with; use annotation = "none" or another store')
    if recipe.batch_size % (n_processes * recipe.n_accumulate):
        raise InputError(
            f"batch_size {recipe.batch_size} cannot be shared equally by {n_processes} processes x {recipe.n_accumulate}"
        )
    if n_processes > 1 and recipe.map_loss.reduction == "supervised":
        raise InputError('map_loss.reduction "supervised" depends on how images are shared out; use "batch"')


def seen_as(preprocessing: Preprocessing, train: Store, validation: Store) -> Preprocessing:
    """Return what the network will have been trained on: cuts of images whose shorter side is the store's.

    Raises
    ------
    InputError
        When the recipe states another side, or the two stores have different ones.
    """
    side_px = train.description.side_px
    seen = msgspec.structs.replace(preprocessing, resize_px=preprocessing.resize_px or side_px)
    for name, store in (("train", train), ("validation", validation)):
        seen.check_side(store.description.side_px, where=f"{name}: the store")
    return seen
