"""Attributions that captum computes: integrated gradients, guided backpropagation, occlusion."""

import warnings
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import InputError
from rapidvision.system.extras import need

from ..observer.observe import Network
from .evidence import shown
from .grad_cam import BATCH, grad_cam_of
from .smoothgrad import salience


def _captum(purpose: str) -> ModuleType:
    return need("captum.attr", extra="attribution", purpose=purpose)


def integrated_gradients_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    n_steps: int = 32,
) -> Tensor:
    """Integrated gradients (Sundararajan et al., 2017) of the evidence, from the mean colour of the preprocessing.

    Parameters
    ----------
    network : Network
        Any network.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    n_steps : int, default 32
        Steps of the integral.

    Returns
    -------
    Tensor, shape (n, side, side)
        Sum over channels of the absolute values, 0 … 1 per image.
    """
    seen = shown(network, images)
    method = _captum("integrated gradients").IntegratedGradients(seen.evidence)
    parts = [method.attribute(x, target=0, n_steps=n_steps, internal_batch_size=BATCH) for x in torch.split(seen.x, 1)]
    return seen.on_images(torch.cat(parts).abs().sum(1))


def guided_backprop_of(network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = ()) -> Tensor:  # noqa: ARG001
    """Guided backpropagation (Springenberg et al., 2015): only positive gradients pass the rectifiers.

    Parameters and result as of :func:`integrated_gradients_of`; the map is the largest absolute value over channels.

    Raises
    ------
    InputError
        When the network has no ``nn.ReLU`` modules: the result would be its plain gradient.
    """
    seen = shown(network, images)
    rectifiers = [module for module in network.model.modules() if isinstance(module, nn.ReLU)]
    if not rectifiers:
        raise InputError(
            f"guided-backprop: {network.name} has no nn.ReLU modules, so nothing would be guided; "
            "choose smoothgrad or integrated-gradients"
        )
    method = _captum("guided backpropagation").GuidedBackprop(seen.evidence)
    in_place = [module.inplace for module in rectifiers]
    try:
        for module in rectifiers:  # hooks on gradients need the rectifiers' own outputs
            module.inplace = False
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")  # it takes them off again
            parts = [method.attribute(x.detach().requires_grad_(), target=0) for x in torch.split(seen.x, BATCH)]
    finally:
        for module, was in zip(rectifiers, in_place, strict=True):
            module.inplace = was
    return seen.on_images(salience(torch.cat(parts).detach()))


def guided_grad_cam_of(
    network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = (), layer: str | None = None
) -> Tensor:
    """Guided Grad-CAM: the product of :func:`guided_backprop_of` and :func:`~.grad_cam.grad_cam_of`."""
    return guided_backprop_of(network, images, names=names) * grad_cam_of(network, images, names=names, layer=layer)


def occlusion_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    window: float = 0.2,
    stride: float = 0.1,
) -> Tensor:
    """By how much the evidence falls when a square of the mean colour hides a part of the image (Zeiler & Fergus, 2014).

    Parameters
    ----------
    network : Network
        Any network.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    window, stride : float, default 0.2 and 0.1
        Side of the square and its step, as shares of the input's side.

    Returns
    -------
    Tensor, shape (n, side, side)
        The mean fall over the squares that hide a place; a rise counts 0. 0 … 1 per image.
    """
    seen = shown(network, images)
    side = seen.x.shape[2]
    square, step = max(1, round(window * side)), max(1, round(stride * side))
    if not (0 < window <= 1 and 0 < stride <= window):
        raise InputError(f"occlusion: window {window} and stride {stride}; 0 < stride <= window <= 1 is needed")
    method = _captum("occlusion").Occlusion(seen.evidence)
    parts = []
    with torch.no_grad():
        for x in torch.split(seen.x, 1):
            shapes, strides = (x.shape[1], square, square), (x.shape[1], step, step)
            found = method.attribute(
                x, target=0, sliding_window_shapes=shapes, strides=strides, perturbations_per_eval=BATCH
            )
            parts.append(found.mean(1).clamp_min(0))
    return seen.on_images(torch.cat(parts))
