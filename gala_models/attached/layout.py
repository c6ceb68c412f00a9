"""How a layer's output is laid out: channels first, channels last, or tokens with a prefix."""

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Literal

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe

Layout = Literal["channels_first", "channels_last", "tokens"]
Wanted = Literal["auto", "channels_first", "channels_last", "tokens"]
#: Tokens before the grid that are tried when the network does not say: none, class, class + distillation, class + 4 registers.
PREFIXES = (0, 1, 2, 5)
#: Fewest channels that attention can be made of.
FEWEST_CHANNELS = 4


class Shape(Recipe, frozen=True):
    """How a layer's output is laid out.

    Attributes
    ----------
    layout : {"channels_first", "channels_last", "tokens"}
        (batch, C, height, width), (batch, height, width, C) or (batch, tokens, C).
    channels : int
        C.
    grid : two int
        Height and width in places.
    prefix : int
        Tokens before those of the grid (class, distillation, registers), which attention leaves as they are.

    Examples
    --------
    >>> Shape("tokens", 192, (14, 14), 1).n_tokens
    197
    """

    layout: Layout
    channels: int
    grid: tuple[int, int]
    prefix: int = 0

    @property
    def n_tokens(self) -> int:
        """Tokens in all, where the output is tokens."""
        return self.prefix + self.grid[0] * self.grid[1]


def layers_named(model: nn.Module, layers: Sequence[str]) -> dict[str, nn.Module]:
    """Return the layers of these names; refuse names that the model does not have.

    Raises
    ------
    InputError
        When no layer is named, one is named twice, or the model has none of the name.

    Examples
    --------
    >>> list(layers_named(nn.Sequential(nn.ReLU()), ["0"]))
    ['0']
    """
    if not layers:
        raise InputError("attach: no layer named; name at least one, as in model.named_modules()")
    if len(set(layers)) != len(layers):
        raise InputError(f"attach: got {', '.join(layers)}; name each layer once")
    known = dict(model.named_modules())
    known.pop("", None)
    for name in layers:
        if name not in known:
            raise InputError(f'attach: {type(model).__name__} has no layer "{name}". {did_you_mean(name, known)}')
    return {name: known[name] for name in layers}


@torch.no_grad()
def outputs_of(model: nn.Module, layers: Sequence[str], x: Tensor) -> dict[str, Tensor]:
    """Run the model once in evaluation mode and keep the named layers' outputs.

    Parameters
    ----------
    model : Module
        Left in the mode that it was in.
    layers : sequence of str
        Names as in ``model.named_modules()``.
    x : Tensor, shape (n, channels, height, width)
        Network input.

    Returns
    -------
    dict
        Layer → output.

    Raises
    ------
    InputError
        When a layer runs more or less than once, or its output is no tensor; names the layer.
    """
    found: dict[str, list[object]] = {name: [] for name in layers}

    def keeper(name: str) -> Callable[[nn.Module, object, object], None]:
        def keep(_module: nn.Module, _inputs: object, output: object) -> None:
            found[name].append(output)

        return keep

    handles = [module.register_forward_hook(keeper(name)) for name, module in layers_named(model, layers).items()]
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()(x)
    finally:
        for module, mode in modes.items():
            module.training = mode
        for handle in handles:
            handle.remove()
    for name, kept in found.items():
        if len(kept) != 1:
            raise InputError(
                f"attach: layer {name} ran {len(kept)} times in one forward pass; choose a layer that runs once"
            )
    return {name: tensor_of(kept[0], name) for name, kept in found.items()}


def tensor_of(output: object, name: str) -> Tensor:
    """Return a layer's output, or the first entry of a tuple of outputs; refuse anything else."""
    first = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(first, Tensor):
        raise InputError(
            f"attach: layer {name} returns {type(output).__name__}; a tensor, or a tuple that begins with one, is needed: "
            "choose a layer inside it"
        )
    if not first.is_floating_point():
        raise InputError(f"attach: layer {name} returns {first.dtype}; activities of a floating type are needed")
    return first


def shape_of(name: str, output: Tensor, model: nn.Module, layout: Wanted = "auto") -> Shape:
    """Say how a layer's output is laid out; refuse what cannot be told.

    Parameters
    ----------
    name : str
        The layer's, for messages.
    output : Tensor
        What it returned.
    model : Module
        Its ``num_prefix_tokens`` and ``patch_embed.grid_size`` (timm's names) are used where it has them.
    layout : {"auto", "channels_first", "channels_last", "tokens"}
        ``auto``: three axes are tokens; of four axes, the two equal neighbours are the grid.

    Returns
    -------
    Shape
        At least 2 places and 4 channels.

    Raises
    ------
    InputError
        When the output has no grid or the layout is ambiguous; names the layer.

    Examples
    --------
    >>> shape_of("blocks.6", torch.zeros(1, 197, 192), nn.Identity())
    Shape(layout='tokens', channels=192, grid=(14, 14), prefix=1)
    >>> shape_of("stage", torch.zeros(1, 7, 7, 768), nn.Identity()).layout
    'channels_last'
    """
    size = tuple(output.shape)
    axes = {"channels_first": 4, "channels_last": 4, "tokens": 3}
    if len(size) not in (3, 4) or (layout != "auto" and axes[layout] != len(size)):
        wanted = "three axes (tokens) or four (a grid)" if layout == "auto" else f'layout "{layout}"'
        raise InputError(f"attach: layer {name} gives {size}, which does not fit {wanted}; choose another layer")
    shape = _tokens(name, size, model) if len(size) == 3 else _volume(name, size, layout)
    if shape.grid[0] * shape.grid[1] < 2 or shape.channels < FEWEST_CHANNELS:
        raise InputError(
            f"attach: layer {name} gives {size}: {shape.grid[0]} x {shape.grid[1]} places of {shape.channels} channels; "
            f"attention needs 2 places and {FEWEST_CHANNELS} channels, so choose an earlier layer"
        )
    return shape


def told_by_half(model: nn.Module, name: str, output: Tensor, x: Tensor) -> Wanted:
    """Tell the layout of an ambiguous output by a second pass over the upper half of the input: the height follows it.

    Parameters
    ----------
    model : Module
        The network.
    name : str
        The layer.
    output : Tensor
        What it returned for `x`.
    x : Tensor, shape (n, channels, height, width)
        Network input.

    Returns
    -------
    {"auto", "channels_first", "channels_last"}
        ``auto`` where the shape alone tells, or the network does not take half of an image.
    """
    size = output.shape
    if len(size) != 4 or (size[2] == size[3]) != (size[1] == size[2]):
        return "auto"
    try:
        half = outputs_of(model, [name], x[:1, :, : x.shape[2] // 2]).get(name)
    except (InputError, RuntimeError, ValueError, AssertionError):  # a network with a fixed input
        return "auto"
    changed = [axis for axis in (1, 2, 3) if half is not None and half.shape[axis] != size[axis]]
    if changed == [2]:
        return "channels_first"
    return "channels_last" if changed == [1] else "auto"


def _volume(name: str, size: tuple[int, ...], layout: Wanted) -> Shape:
    if layout == "auto":
        first, last = size[2] == size[3], size[1] == size[2]
        if first == last:
            raise InputError(
                f'attach: layer {name} gives {size}, whose layout is ambiguous; say layout="channels_first" or "channels_last"'
            )
        layout = "channels_first" if first else "channels_last"
    if layout == "channels_first":
        return Shape("channels_first", size[1], (size[2], size[3]))
    return Shape("channels_last", size[3], (size[1], size[2]))


def _tokens(name: str, size: tuple[int, ...], model: nn.Module) -> Shape:
    n_tokens, channels = size[1:]
    stated = getattr(model, "num_prefix_tokens", None)
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    for prefix in PREFIXES if stated is None else (int(stated),):
        places = n_tokens - prefix
        if grid is not None and grid[0] * grid[1] == places:
            return Shape("tokens", channels, (int(grid[0]), int(grid[1])), prefix)
        side = isqrt(max(places, 0))
        if places > 0 and side * side == places:
            return Shape("tokens", channels, (side, side), prefix)
    tried = ", ".join(map(str, PREFIXES)) if stated is None else str(stated)
    raise InputError(
        f"attach: layer {name} gives {n_tokens} tokens, which are no square grid after a prefix of {tried}; "
        "choose a layer whose tokens are a grid"
    )
