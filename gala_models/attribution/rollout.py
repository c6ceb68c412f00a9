"""Attention rollout of vision transformers (Abnar & Zuidema, 2020)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import InputError

from ..attached.layout import Shape, shape_of
from ..observer.observe import Network
from .evidence import shown
from .grad_cam import BATCH


def rollout_of(network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = ()) -> Tensor:  # noqa: ARG001
    """How much of each patch reaches the output of a transformer, through all of its attention and shortcuts.

    Parameters
    ----------
    network : Network
        A transformer whose blocks attend over all tokens: timm's attention (an ``attn_drop`` behind the weights), or
        ``nn.MultiheadAttention`` as torchvision uses it.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.

    Returns
    -------
    Tensor, shape (n, side, side)
        From the prefix tokens (class, distillation) to the patches; the mean over patches where there are none. 0 … 1 per
        image.

    Raises
    ------
    InputError
        When the network has no such attention, or attends within windows.
    """
    seen, parts, model = shown(network, images), [], network.model
    for x in torch.split(seen.x, BATCH):
        with torch.no_grad(), attention_weights(model) as weights:
            model(x)
        if not weights:
            raise InputError(f"rollout: {network.name} has no attention over tokens that can be read; choose grad-cam")
        sizes = {tuple(one.shape) for one in weights}
        if sizes != {(len(x), *weights[0].shape[1:])}:
            raise InputError(f"rollout: {network.name} attends within windows or over changing tokens; choose grad-cam")
        shape = shape_of("attention", weights[0].new_zeros(1, weights[0].shape[1], 4), model)
        parts.append(rolled(weights, shape))
    return seen.on_images(torch.cat(parts))


def rolled(weights: Sequence[Tensor], shape: Shape) -> Tensor:
    """Multiply attention, averaged over heads and with the shortcut, from the first block to the last.

    Parameters
    ----------
    weights : sequence of Tensor, shape (n, tokens, tokens)
        Rows sum to 1.
    shape : Shape
        Which tokens are the grid.

    Returns
    -------
    Tensor, shape (n, grid height, grid width)

    Examples
    --------
    >>> rolled([torch.eye(5)[None]], Shape("tokens", 4, (2, 2), 1))
    tensor([[[0., 0.],
             [0., 0.]]])
    """
    joined = torch.eye(weights[0].shape[-1], dtype=torch.float64, device=weights[0].device).expand(
        len(weights[0]), -1, -1
    )
    for one in weights:
        joined = (one.double() + torch.eye(one.shape[-1], dtype=torch.float64, device=one.device)) / 2 @ joined
    reading = joined[:, : shape.prefix] if shape.prefix else joined
    return reading.mean(1)[:, shape.prefix :].reshape(-1, *shape.grid).float()


@contextmanager
def attention_weights(model: nn.Module) -> Iterator[list[Tensor]]:
    """Keep every attention's weights, averaged over heads, of the passes made inside the block."""
    found: list[Tensor] = []

    def keep_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0].mean(1))

    def ask(
        _module: nn.Module, inputs: tuple[object, ...], options: dict[str, object]
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        return inputs, {**options, "need_weights": True, "average_attn_weights": True}

    def keep_output(_module: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        found.append(output[1])

    handles, fused = [], []
    for module in model.modules():
        if isinstance(module, nn.MultiheadAttention):
            handles.append(module.register_forward_pre_hook(ask, with_kwargs=True))
            handles.append(module.register_forward_hook(keep_output))
        elif isinstance(getattr(module, "attn_drop", None), nn.Module) and hasattr(module, "fused_attn"):
            fused.append((module, module.fused_attn))
            module.fused_attn = False  # type: ignore[assignment]  # the fused kernel never makes the weights
            handles.append(module.attn_drop.register_forward_pre_hook(keep_input))  # type: ignore[union-attr]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
        for module, was in fused:
            module.fused_attn = was
