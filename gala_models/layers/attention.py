"""Attention maps on demand: what a network looks at, as one map per layer and image."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean

from .gala import GALA
from .gating import column_norm
from .resnet import Block
from .se import SqueezeExcite

Kind = Literal["attention", "features"]


class Maps(Mapping[str, Tensor]):
    """Layer name → map of the last forward pass, shape (batch, 1, height, width), in the order of the layers."""

    def __init__(self, n_channels: dict[str, int]) -> None:
        self.n_channels = n_channels
        self._found: dict[str, Tensor] = {}
        self._gala: dict[str, GALA] = {}

    def __getitem__(self, name: str) -> Tensor:
        gala = self._gala.get(name)
        found = gala.captured if gala is not None else self._found.get(name)
        if found is None:
            raise InputError(f"maps: {name} has not run yet; call the network inside `with attention_maps(...)`")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.n_channels)

    def __len__(self) -> int:
        return len(self.n_channels)

    @property
    def last(self) -> Tensor:
        """The map of the deepest layer."""
        return self[list(self.n_channels)[-1]]


@contextmanager
def attention_maps(
    model: nn.Module, *, layers: Literal["all", "last"] | Sequence[str] = "all", kind: Kind = "attention"
) -> Iterator[Maps]:
    """Keep the attention maps of every forward pass made inside the block; outside it they cost nothing.

    A map is a column-wise L2 norm over channels (paper, section 4): of the attention volume A for GALA, of the scaled
    activity for squeeze-and-excitation (its gate is the same everywhere), and, with ``kind="features"``, of a block's
    output. A network without attention modules has only the latter.

    Parameters
    ----------
    model : Module
        A network with attention, or any network of this package for ``kind="features"``.
    layers : {"all", "last"} or sequence of str
        Which modules; names as in ``model.named_modules()``.
    kind : {"attention", "features"}
        What is mapped.

    Yields
    ------
    Maps
        Filled by each forward pass; differentiable where that pass is.

    Raises
    ------
    InputError
        When there is no such layer.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> network = build("compact-gala")
    >>> with rv.models.attention_maps(network) as maps:
    ...     _ = network(torch.zeros(2, 3, 96, 96))
    ...     {name: tuple(found.shape) for name, found in maps.items()}
    {'layer3.0.gala': (2, 1, 12, 12), 'layer3.1.gala': (2, 1, 12, 12)}
    """
    modules = _chosen(model, layers, kind)
    maps = Maps({name: _n_channels(module) for name, module in modules.items()})
    captured_before = {name: module.capture for name, module in modules.items() if isinstance(module, GALA)}
    handles = []
    for name, module in modules.items():
        if isinstance(module, GALA):
            maps._gala[name] = module  # noqa: SLF001
            module.capture = True
        else:
            handles.append(module.register_forward_hook(_keeper(maps._found, name)))  # noqa: SLF001
    try:
        yield maps
    finally:
        for handle in handles:
            handle.remove()
        for name, module in modules.items():
            if isinstance(module, GALA):  # an outer block may still want its maps
                module.capture, module.captured = captured_before[name], None


def kind_of(model: nn.Module) -> Kind:
    """``attention`` where the network has attention modules, else ``features``."""
    carries = any(isinstance(module, GALA | SqueezeExcite) for module in model.modules())
    return "attention" if carries else "features"


def _chosen(model: nn.Module, layers: str | Sequence[str], kind: Kind) -> dict[str, nn.Module]:
    types: tuple[type[nn.Module], ...] = (GALA, SqueezeExcite) if kind == "attention" else (Block,)
    found = {name: module for name, module in model.named_modules() if isinstance(module, types)}
    if kind == "features":  # the stage that carries attention in its siblings
        stages = {f"layer{stage}" for stage in _stages(model)}
        found = {name: module for name, module in found.items() if name.split(".")[-2] in stages} or found
    if not found:
        raise InputError(f'maps: {type(model).__name__} has no {kind} layers; use kind="features" or another network')
    if layers == "all":
        return found
    if layers == "last":
        name = list(found)[-1]
        return {name: found[name]}
    for name in layers:
        if name not in found:
            raise InputError(f'maps: no layer "{name}". {did_you_mean(name, found)}')
    return {name: found[name] for name in layers}


def _stages(model: nn.Module) -> tuple[int, ...]:
    architecture = getattr(getattr(model, "module", model), "architecture", None)
    return architecture.attention_stages if architecture is not None else (3,)


def _n_channels(module: nn.Module) -> int:
    if isinstance(module, GALA):
        return module.alpha.shape[1]
    if isinstance(module, SqueezeExcite):
        return module.fc2.out_channels
    return [part.out_channels for part in module.children() if isinstance(part, nn.Conv2d)][-1]


def _keeper(found: dict[str, Tensor], name: str) -> Any:
    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        found[name] = column_norm(output)

    return keep
