"""What the layers of a network hold about each picture: one vector per layer and picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean

from ..devices import device_of
from .pooling import Pooled, pooled


@dataclass(frozen=True, slots=True)
class LayerFeatures:
    """The pooled activity of one layer.

    Attributes
    ----------
    features : Tensor of float32, shape (n, channels)
        On the CPU.
    layout : str
        How the layer's output was read, one of :data:`rapidvision.gala_models.observer.pooling.MEANING`.
    """

    features: Tensor
    layout: str


def named_layers(model: nn.Module, layers: Sequence[str]) -> dict[str, nn.Module]:
    """Return modules by name; a name that is none is refused with the closest one."""
    modules = dict(model.named_modules())
    for name in layers:
        if name not in modules or not name:
            raise InputError(f'probe: no layer "{name}". {did_you_mean(name, [key for key in modules if key])}')
    return {name: modules[name] for name in layers}


def layer_features(
    model: nn.Module,
    layers: Sequence[str],
    batches: Iterable[Tensor],
    *,
    layouts: Mapping[str, str] | None = None,
) -> dict[str, LayerFeatures]:
    """Run a network over batches and keep the pooled activity of named layers.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    layers : sequence of str
        As in ``model.named_modules()``.
    batches : iterable of Tensor
        Inputs.
    layouts : mapping, optional
        Layer → which axis of its output holds the channels, see :data:`rapidvision.gala_models.observer.pooling.MEANING`; where
        it is not declared it must be certain.

    Returns
    -------
    dict
        Layer → its features, pictures in the order of the batches.

    Raises
    ------
    InputError
        When a layer is unknown, does not run exactly once per batch, or its layout is not certain.
    """
    modules, layouts = named_layers(model, layers), layouts or {}
    found: dict[str, list[Pooled]] = {name: [] for name in layers}
    hooks = [
        modules[name].register_forward_hook(
            lambda module, _inputs, output, name=name: found[name].append(
                pooled(output, module, model=model, name=name, layout=layouts.get(name))
            )
        )
        for name in layers
    ]
    device, n_batches = device_of(model), 0
    try:
        with torch.inference_mode():
            for x in batches:
                model(x.to(device))
                n_batches += 1
                _check_once(found, n_batches, len(x))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: LayerFeatures(torch.cat([part.features for part in parts]), parts[0].layout)
        for name, parts in found.items()
    }


def _check_once(found: Mapping[str, list[Pooled]], n_batches: int, n_pictures: int) -> None:
    for name, parts in found.items():
        if len(parts) != n_batches or len(parts[-1].features) != n_pictures:
            raise InputError(
                f"probe: {name} ran {len(parts) - n_batches + 1} times on {n_pictures} pictures; choose a layer that runs once"
            )
