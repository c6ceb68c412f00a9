"""From a layer's output to one vector per picture: which axis holds the channels is known, or it is refused.

Averaging over the wrong axis gives numbers of a plausible form and no error, so nothing is guessed: a layout is either
declared, or follows from the channels of the layer's own parts without a second reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from typing import Literal, get_args

from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean

from ..layers.fold import FoldedResNet
from ..layers.resnet import ResNet

Layout = Literal["vector", "channels-first", "channels-last", "tokens", "patch-tokens", "class-token"]

#: Layout → shape of the layer's output, and what is averaged.
MEANING: dict[str, tuple[str, str]] = {
    "vector": ("(batch, channels)", "nothing"),
    "channels-first": ("(batch, channels, height, width)", "all places"),
    "channels-last": ("(batch, height, width, channels)", "all places"),
    "tokens": ("(batch, tokens, channels)", "all tokens"),
    "patch-tokens": ("(batch, tokens, channels)", "all tokens but the first, the class token"),
    "class-token": ("(batch, tokens, channels)", "nothing: the first token is kept"),
}
_N_DIMENSIONS = {name: shape.count(",") + 1 for name, (shape, _) in MEANING.items()}
_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_MAPS, _TOKENS = 4, 3


@dataclass(frozen=True, slots=True)
class Pooled:
    """One vector per picture.

    Attributes
    ----------
    features : Tensor of float32, shape (batch, channels)
    layout : str
        How the layer's output was read, one of :data:`MEANING`.
    """

    features: Tensor
    layout: str


def pooled(output: object, layer: nn.Module, *, model: nn.Module, name: str, layout: str | None = None) -> Pooled:
    """Average a layer's output over everything but pictures and channels.

    Parameters
    ----------
    output : Tensor
        What the layer returned.
    layer, model : Module
        The layer and the network that it belongs to.
    name : str
        The layer's.
    layout : str, optional
        One of :data:`MEANING`; found where it is certain.

    Returns
    -------
    Pooled
        On the CPU.

    Raises
    ------
    InputError
        When the output is no tensor, the declared layout does not fit its shape, or none is certain.

    Examples
    --------
    >>> import torch
    >>> layer = nn.Conv2d(3, 5, 1)
    >>> found = pooled(layer(torch.zeros(2, 3, 4, 4)), layer, model=layer, name="conv")
    >>> tuple(found.features.shape), found.layout
    ((2, 5), 'channels-first')
    """
    if not isinstance(output, Tensor) or output.ndim < 2:
        shape = f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise InputError(
            f"probe: {name} returns {shape}; choose a layer that returns one tensor of features per picture"
        )
    if layout is not None and layout not in get_args(Layout):
        raise InputError(f'probe: no layout "{layout}". {did_you_mean(layout, get_args(Layout))}')
    if layout is not None and _N_DIMENSIONS[layout] != output.ndim:
        raise InputError(
            f"probe: {name} gives {tuple(output.shape)}, the layout {layout} is {MEANING[layout][0]}; declare another"
        )
    found = layout or _certain(output, layer, model, name)
    return Pooled(_averaged(output.detach().float(), found).cpu().clone(), found)


def _averaged(x: Tensor, layout: str) -> Tensor:
    if layout == "channels-first":
        return x.flatten(2).mean(2)
    if layout in ("channels-last", "tokens"):
        return x.flatten(1, -2).mean(1)
    if layout == "patch-tokens":
        return x[:, 1:].mean(1)
    return x[:, 0] if layout == "class-token" else x


def _certain(output: Tensor, layer: nn.Module, model: nn.Module, name: str) -> Layout:
    """The only layout that shape and parts allow."""
    shape = tuple(output.shape)
    if output.ndim == 2:
        return "vector"
    widths = set(_widths(layer))
    if output.ndim == _MAPS:
        if isinstance(model, ResNet | FoldedResNet) or isinstance(layer, _POOLS):
            return "channels-first"
        first, last = shape[1] in widths, shape[3] in widths
        if first != last:
            return "channels-first" if first else "channels-last"
    if output.ndim == _TOKENS and shape[2] in widths and shape[1] not in widths and isqrt(shape[1]) ** 2 == shape[1]:
        return "tokens"  # a whole square of places, so no class token is among them
    fitting = [layout for layout, n in _N_DIMENSIONS.items() if n == output.ndim]
    options = "; or ".join(f"{name}={layout} {MEANING[layout][0]}, averages {MEANING[layout][1]}" for layout in fitting)
    raise InputError(
        f"probe: {name} gives {shape}, and which axis holds the channels, or whether a class token is among the tokens, is "
        f"not certain; declare it with --probe {options or 'a layer with another output'}"
    )


def _widths(layer: nn.Module) -> Iterator[int]:
    """How many channels the parts of a layer put out."""
    for part in layer.modules():
        if isinstance(part, nn.Linear):
            yield part.out_features
        elif isinstance(part, nn.Conv2d):
            yield part.out_channels
        elif isinstance(part, nn.BatchNorm2d):
            yield part.num_features
        elif isinstance(part, nn.LayerNorm):
            yield int(part.normalized_shape[-1])
        elif isinstance(part, nn.GroupNorm):
            yield part.num_channels
