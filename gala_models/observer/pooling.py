"""From a layer's output to one vector per image: which axis holds the channels is known, or it is refused.

Averaging over the wrong axis gives numbers of a plausible form and no error, so nothing is guessed: a layout is either
declared, or follows from the channels of the layer's own parts without a second reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean

from ..computing.device import on_cpu
from ..layers.fold import FoldedResNet
from ..layers.resnet import ResNet

#: Layout → shape of the layer's output, and what is averaged.
MEANING: dict[str, tuple[str, str]] = {
    "vector": ("(batch, channels)", "nothing"),
    "channels-first": ("(batch, channels, height, width)", "all places"),
    "channels-last": ("(batch, height, width, channels)", "all places"),
    "tokens": ("(batch, tokens, channels)", "all tokens"),
    "patch-tokens": ("(batch, tokens, channels)", "all tokens but the first, the class token"),
    "patch-tokens-N": ("(batch, tokens, channels)", "all tokens but the first N: class token, distillation, registers"),
    "class-token": ("(batch, tokens, channels)", "nothing: the first token is kept"),
}
_N_DIMENSIONS = {name: shape.count(",") + 1 for name, (shape, _) in MEANING.items()}
_PATCHES = re.compile(r"patch-tokens(?:-([1-9][0-9]?))?")
_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_MAPS, _TOKENS = 4, 3


@dataclass(frozen=True, slots=True)
class Pooled:
    """One vector per image.

    Attributes
    ----------
    features : Tensor of float32, shape (batch, channels)
    layout : str
        How the layer's output was read, one of :data:`MEANING`.
    """

    features: Tensor
    layout: str


def pooled(output: object, layer: nn.Module, *, model: nn.Module, name: str, layout: str | None = None) -> Pooled:
    """Average a layer's output over everything but images and channels.

    Parameters
    ----------
    output : Tensor
        What the layer returned.
    layer, model : Module
        The layer and the network that it belongs to.
    name : str
        The layer's.
    layout : str, optional
        One of :data:`MEANING`, ``patch-tokens-2`` for two tokens before those of patches; found where it is certain.

    Returns
    -------
    Pooled
        On the CPU.

    Raises
    ------
    InputError
        When the output is no tensor, the declared layout does not fit its shape (patches do not fill a square), or none
        is certain.

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
        raise InputError(f"probe: {name} returns {shape}; choose a layer that returns one tensor of features per image")
    if layout is not None:
        _check_declared(layout, tuple(output.shape), name)
    found = layout or _certain(output, layer, model, name)
    return Pooled(on_cpu(_averaged(output.detach().float(), found)).clone(), found)


def check_layout(layout: str, *, name: str) -> None:
    """Refuse a word that is no layout.

    Raises
    ------
    InputError
        Names the layer and the closest layout.
    """
    if layout == "patch-tokens-N" or (layout not in MEANING and not _PATCHES.fullmatch(layout)):
        raise InputError(f'{name}: no layout "{layout}". {did_you_mean(layout, MEANING)}')


def _n_prefix(layout: str) -> int | None:
    """How many tokens stand before those of patches; None for other layouts."""
    found = _PATCHES.fullmatch(layout)
    return int(found[1] or 1) if found else None


def _check_declared(layout: str, shape: tuple[int, ...], name: str) -> None:
    check_layout(layout, name=f"probe: {name}")
    n_prefix = _n_prefix(layout)
    known = layout if n_prefix is None else "patch-tokens"
    if _N_DIMENSIONS[known] != len(shape):
        raise InputError(f"probe: {name} gives {shape}, the layout {layout} is {MEANING[known][0]}; declare another")
    if n_prefix is None:
        return
    n_patches = shape[1] - n_prefix
    if n_patches < 1 or isqrt(n_patches) ** 2 != n_patches:
        before = shape[1] - isqrt(shape[1]) ** 2
        hint = f"; patch-tokens-{before} leaves {isqrt(shape[1])} x {isqrt(shape[1])}" if before else ""
        raise InputError(
            f"probe: {name} gives {shape[1]} tokens, and without the first {n_prefix} the other {n_patches} fill no "
            f"square of patches; declare how many tokens stand before them (class, distillation, registers){hint}"
        )


def _averaged(x: Tensor, layout: str) -> Tensor:
    if layout == "channels-first":
        return x.flatten(2).mean(2)
    if layout in ("channels-last", "tokens"):
        return x.flatten(1, -2).mean(1)
    if (n_prefix := _n_prefix(layout)) is not None:
        return x[:, n_prefix:].mean(1)
    return x[:, 0] if layout == "class-token" else x


def _certain(output: Tensor, layer: nn.Module, model: nn.Module, name: str) -> str:
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
