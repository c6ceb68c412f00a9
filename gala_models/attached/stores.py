"""A packed store as input, maps and labels for attached attention."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..data.dataset import open_store

if TYPE_CHECKING:
    from ..observer.observe import Network


@dataclass(frozen=True, eq=False)
class Supervision:
    """What a network is shown and what it is trained on.

    Attributes
    ----------
    images : Tensor, shape (n, 3, size, size)
        Network input.
    maps : Tensor, shape (n, 1, size, size)
        Importance, 0 … 1, cut like the images; all zero where an image has no map.
    labels : Tensor of int64, shape (n,)
        The store's classes.
    targets : Tensor of int64, shape (n,), or None
        Whether each class is a target; None where the store does not say.
    """

    images: Tensor
    maps: Tensor
    labels: Tensor
    targets: Tensor | None


def read(folder: Path, network: "Network") -> Supervision:
    """Read a store as a network sees it.

    Raises
    ------
    InputError
        When there is no store, or its images have another side than the network's preprocessing wants.
    """
    store = open_store(folder)
    shown = network.preprocessing
    shown.check_side(store.description.side_px, where=str(folder))
    first = (store.description.side_px - shown.size_px) // 2
    cut = slice(first, first + shown.size_px)
    importance = np.where(store.has_map[:, None, None], store.maps[:, cut, cut], 0).astype(np.float32) / 255
    images = torch.cat([shown(np.asarray(store.images[at : at + 64])) for at in range(0, len(store), 64)])
    targets = None
    if store.description.categories:
        is_target = torch.tensor([category.target for category in store.description.categories])
        targets = is_target[torch.from_numpy(store.labels)].long()
    x, maps = network.device.move(images, torch.from_numpy(importance)[:, None])
    return Supervision(x, maps, torch.from_numpy(store.labels), targets)
