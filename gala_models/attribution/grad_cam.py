"""Grad-CAM and activity of a layer of any layout: channels first, channels last or tokens."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import InputError

from ..attached.layout import Shape, layers_named, shape_of, told_by_half
from ..observer.observe import Network
from .evidence import Shown, shown

#: Images per pass.
BATCH = 16


def grad_cam_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    layer: str | None = None,
) -> Tensor:
    """Gradient-weighted class activation maps (Selvaraju et al., 2017) of the evidence for "target".

    Parameters
    ----------
    network : Network
        Any network that has a layer with a grid, tokens included.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    layer : str, optional
        By default the last layer with a grid whose places the evidence depends on; of a transformer, the last one as
        wide as its tokens.

    Returns
    -------
    Tensor, shape (n, side, side)
        The positive part of the channels' sum, each weighted by its mean gradient; 0 … 1 per image.
    """
    seen = shown(network, images)
    name, shape = _layer(seen, layer)
    parts = []
    for x in torch.split(seen.x, BATCH):
        u, slope = (volume(one, shape) for one in _activity(seen, name, x))
        parts.append((u * slope.mean((2, 3), keepdim=True)).sum(1).relu())
    return seen.on_images(torch.cat(parts))


def activity_of(
    network: Network,
    images: NDArray[np.uint8],
    *,
    names: Sequence[str] = (),  # noqa: ARG001
    layer: str | None = None,
) -> Tensor:
    """The L2 norm over channels of a layer's activity; parameters and result as of :func:`grad_cam_of`."""
    seen = shown(network, images)
    name, shape = _layer(seen, layer)
    parts = [volume(_activity(seen, name, x)[0], shape).norm(dim=1) for x in torch.split(seen.x, BATCH)]
    return seen.on_images(torch.cat(parts))


def volume(output: Tensor, shape: Shape) -> Tensor:
    """The grid of a layer's output as (batch, C, height, width)."""
    if shape.layout == "tokens":
        tokens = output[:, shape.prefix :].transpose(1, 2)
        return tokens.reshape(*tokens.shape[:2], *shape.grid)
    return output.permute(0, 3, 1, 2) if shape.layout == "channels_last" else output


def _activity(seen: Shown, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Output of a layer, and the gradient of the evidence with respect to it."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor):
            kept.append(first)

    handle = layers_named(seen.network.model, [name])[name].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            evidence = seen.evidence(x.detach().requires_grad_()).sum()
            if len(kept) != 1:
                raise InputError(
                    f"grad-cam: layer {name} gave {len(kept)} tensors in one pass; choose a layer that runs once"
                )
            (slope,) = torch.autograd.grad(evidence, kept[0], allow_unused=True, materialize_grads=True)
    finally:
        handle.remove()
    return kept[0].detach(), slope


def _layer(seen: Shown, wanted: str | None) -> tuple[str, Shape]:
    """The layer that is named, or the last one with a grid that the evidence depends on, and how it is laid out."""
    model, x = seen.network.model, seen.x[:1]
    if wanted is not None:
        output = _activity(seen, wanted, x)[0]
        return wanted, shape_of(wanted, output, model, told_by_half(model, wanted, output, x))
    outputs: list[tuple[str, Tensor]] = []

    def keeper(name: str) -> Callable[[nn.Module, object, object], None]:
        def keep(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.requires_grad and output.ndim in (3, 4):
                outputs.append((name, output))

        return keep

    named = [(name, module) for name, module in model.named_modules() if name and not list(module.children())]
    handles = [module.register_forward_hook(keeper(name)) for name, module in named]
    try:
        with torch.enable_grad():
            evidence = seen.evidence(x.detach().requires_grad_()).sum()
            tensors = [output for _, output in outputs]
            slopes = (
                torch.autograd.grad(evidence, tensors, allow_unused=True, materialize_grads=True) if tensors else ()
            )
    finally:
        for handle in handles:
            handle.remove()
    ran = [name for name, _ in outputs]
    width = next((output.shape[2] for _, output in outputs if output.ndim == 3), None)
    for (name, output), slope in list(zip(outputs, slopes, strict=True))[::-1]:
        if ran.count(name) != 1 or (output.ndim == 3 and output.shape[2] != width):
            continue
        try:
            shape = shape_of(name, output, model, told_by_half(model, name, output, x))
        except InputError:
            continue
        if bool(volume(slope, shape).any()):
            return name, shape
    raise InputError(
        f"grad-cam: {seen.network.name} has no layer with a grid that its evidence depends on; name one with layer="
    )
