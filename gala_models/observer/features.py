"""What the layers of a network hold about each image: one vector per layer and image."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean

from ..computing.device import Device, on_cpu
from ..computing.forward import output_of
from .pooling import Pooled, pooled

#: Largest difference between scores and what the last layer makes of its input, relative to the largest score.
_SAME_SCORES = 1e-4


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
    name: str = "",
    device: Device | None = None,
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
    name : str, optional
        The network's, for messages; its type by default.
    device : Device, optional
        Where it computes and in which numbers; that of its parameters in float32 by default.

    Returns
    -------
    dict
        Layer → its features, images in the order of the batches.

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
    name, device, n_batches = name or type(model).__name__, device or Device.of(model), 0
    try:
        with torch.inference_mode():
            for x in batches:
                (moved,) = device.move(x)
                numbers = [f"image {number}" for number in range(len(x))]
                output_of(model, moved, name=name, images=numbers, device=device)
                n_batches += 1
                _check_once(found, n_batches, len(x))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: LayerFeatures(torch.cat([part.features for part in parts]), parts[0].layout)
        for name, parts in found.items()
    }


def _check_once(found: Mapping[str, list[Pooled]], n_batches: int, n_images: int) -> None:
    for name, parts in found.items():
        if len(parts) != n_batches or len(parts[-1].features) != n_images:
            raise InputError(
                f"probe: {name} ran {len(parts) - n_batches + 1} times on {n_images} images; choose a layer that runs once"
            )


def last_linear(model: nn.Module, *, name: str) -> nn.Linear:
    """The last of a network's linear layers."""
    found = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not found:
        raise InputError(f"{name}: has no linear layer at its end, so there are no readout features to drop")
    return found[-1]


def keep_input(model: nn.Module, kept: list[Tensor], *, name: str) -> torch.utils.hooks.RemovableHandle:
    """Append the input of the last linear layer to `kept` on every forward pass, until the handle is removed."""
    return last_linear(model, name=name).register_forward_pre_hook(
        lambda _module, inputs: kept.append(on_cpu(inputs[0]).clone())
    )


def check_readout(model: nn.Module, scores: Tensor, features: Tensor, *, name: str) -> None:
    """Refuse features from which the last linear layer does not make the network's own scores of every stimulus."""
    linear = last_linear(model, name=name)
    layer = next(path for path, module in model.named_modules() if module is linear)
    found = scores_of(linear, features) if features.ndim == 2 else None
    if found is not None and found.shape == scores.shape:
        largest = float((found - scores).abs().max())
        if largest <= _SAME_SCORES * max(1.0, float(scores.abs().max())):
            return
        what = f"its scores and the network's differ by up to {largest:.2g}"
    else:
        what = f"its input is {tuple(features.shape)}, the network's scores are {tuple(scores.shape)}"
    raise InputError(
        f"{name}: the last linear layer, {layer}, does not make the network's scores ({what}), so dropping its "
        "features would be another network; choose another policy, or wrap the network so that it ends with that layer"
    )


def scores_of(linear: nn.Linear, features: Tensor) -> Tensor:
    """What a linear layer makes of features, float32 on the CPU."""
    with torch.inference_mode():
        return on_cpu(linear(features.to(linear.weight)))
