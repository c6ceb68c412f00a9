"""RISE: the probability of "target" while random parts of an image are hidden (Petsiuk, Das & Saenko, 2018)."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from ..observer.observe import Network
from .evidence import shown
from .grad_cam import BATCH


def rise_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    n_masks: int = 500,
    n_cells: int = 7,
    share: float = 0.5,
    seed: int = 0,
) -> Tensor:
    """Mean probability of "target" over random masks, by place.

    Parameters
    ----------
    network : Network
        Any network.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    n_masks : int, default 500
        Masks; the same ones for all images. The authors use 4,000 and more.
    n_cells : int, default 7
        Cells along a mask's side.
    share : float, default 0.5
        Probability that a cell is shown.
    seed : int, default 0
        Of the masks.

    Returns
    -------
    Tensor, shape (n, side, side)
        Mean of the probability of "target" over the masks that show a place, 0 … 1 per image. What is hidden has the
        mean colour of the preprocessing.
    """
    if n_masks < 1 or n_cells < 1 or not 0 < share < 1:
        raise InputError(
            f"rise: {n_masks} masks of {n_cells} cells, share {share}; whole numbers >= 1 and 0 < share < 1 are needed"
        )
    seen = shown(network, images)
    masks = random_masks(n_masks, n_cells, seen.x.shape[2], share, seed).to(seen.x.device)
    weight = masks.double().sum(0).clamp_min(1e-12)
    out = []
    with torch.no_grad():
        for x in seen.x:
            total = torch.zeros_like(weight)
            for part in torch.split(masks, BATCH):
                p = seen.evidence(x[None] * part[:, None]).double().sigmoid()
                total += (p[:, :, None] * part).sum(0)
            out.append(total / weight)
    return seen.on_images(torch.stack(out))


def random_masks(n: int, n_cells: int, side: int, share: float, seed: int) -> Tensor:
    """Masks of random cells, enlarged bilinearly and moved by up to a cell; shape (n, side, side), 0 … 1.

    Examples
    --------
    >>> random_masks(3, 4, 16, 0.5, 0).shape
    torch.Size([3, 16, 16])
    """
    cell = -(-side // n_cells)
    out = []
    for number in range(n):
        rng = stream(seed, "rise", number)
        cells = torch.from_numpy((rng.random((1, 1, n_cells + 1, n_cells + 1)) < share).astype(np.float32))
        top, left = rng.integers(0, cell, 2)
        whole = F.interpolate(cells, size=((n_cells + 1) * cell,) * 2, mode="bilinear", align_corners=False)
        out.append(whole[0, 0, top : top + side, left : left + side])
    return torch.stack(out)
