"""Smoothed gradients as maps of a network's evidence, for ``models attention-maps --attribution smoothgrad``."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..observer.observe import Network
from .evidence import shown
from .smoothgrad import salience, smoothgrad


def smoothgrad_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    n_samples: int = 50,
    seed: int = 0,
) -> Tensor:
    """How much each pixel changes a network's evidence for "target", by smoothed gradients.

    Parameters
    ----------
    network : Network
        Any network; its evidence is differentiated, whatever its classes are.
    images : ndarray of uint8, shape (n, height, width, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    n_samples : int, default 50
        Noisy copies per image.
    seed : int, default 0
        Of the noise.

    Returns
    -------
    Tensor, shape (n, height, width)
        In 0 … 1 over the part of each image that the network saw, 0 outside it.
    """
    seen = shown(network, images)
    target = torch.zeros(len(seen.x), dtype=torch.int64, device=seen.x.device)
    return seen.on_images(salience(smoothgrad(seen.evidence, seen.x, target, n_samples=n_samples, seed=seed)))
