"""Smoothed gradients as maps of a network's evidence, for ``models attention-maps --attribution smoothgrad``."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..computing.device import on_cpu
from ..observer.observe import Network
from .smoothgrad import salience, smoothgrad


class _Evidence(nn.Module):
    """A network whose only output is its evidence for "target"."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.readout = network.model, network.readout
        self.train(network.model.training)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout.evidence(self.network(x))[:, None].to(x.dtype)


def smoothgrad_of(network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = ()) -> Tensor:  # noqa: ARG001
    """How much each pixel changes a network's evidence for "target", by smoothed gradients.

    Parameters
    ----------
    network : Network
        Any network; its evidence is differentiated, whatever its classes are.
    images : ndarray of uint8, shape (n, height, width, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.

    Returns
    -------
    Tensor, shape (n, height, width)
        In 0 … 1 over the part of each image that the network saw, 0 outside it.
    """
    from ..observer.overlay import on_image

    (x,) = network.device.move(network.preprocessing(images))
    target = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    with network.device.computing():
        found = on_cpu(salience(smoothgrad(_Evidence(network), x, target)))
    return on_image(found, network, images.shape[1])
