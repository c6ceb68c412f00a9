"""A network whose only output is its evidence for "target", and its input: what every attribution starts from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import InputError

from ..computing.device import on_cpu
from ..observer.observe import Network
from ..observer.overlay import on_image


class Evidence(nn.Module):
    """A network whose only output is its evidence for "target", shape (n, 1).

    Parameters
    ----------
    network : Network
        Its readout turns class scores into log odds.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.readout, self.device = network.model, network.readout, network.device
        self.train(network.model.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return the log odds of "target", of the type of `x`."""
        with self.device.computing():
            scores = self.network(x)
        return self.readout.evidence(scores)[:, None].to(x.dtype)


@dataclass(frozen=True, eq=False)
class Shown:
    """Images as a network sees them.

    Attributes
    ----------
    network : Network
        Which.
    evidence : Evidence
        Its evidence.
    x : Tensor, shape (n, 3, size, size)
        Input.
    side : int
        Of the images, in pixels.
    """

    network: Network
    evidence: Evidence
    x: Tensor
    side: int

    def on_images(self, maps: Tensor) -> Tensor:
        """Lay maps of the input, shape (n, h, w), on the images: 0 … 1 per image, 0 outside what was seen."""
        return on_image(on_cpu(maps), self.network, self.side)


def shown(network: Network, images: NDArray[np.uint8]) -> Shown:
    """Prepare square images of one size for a network.

    Raises
    ------
    InputError
        When the images are not square.
    """
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise InputError(f"attribution: images of shape {images.shape}; square ones, (n, side, side, 3), are needed")
    (x,) = network.device.move(network.preprocessing(images))
    return Shown(network, Evidence(network), x, images.shape[1])
