"""A network run on images: what it raises, and what it returns instead of scores, becomes an error that says what to do."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn

from rapidvision.errors import CheckFailed, InputError, RapidVisionError

from ..scores import check_finite
from .device import Device, on_cpu

_SHOWN = 3


def class_scores(
    model: nn.Module, x: Tensor, *, name: str, images: Sequence[str] = (), device: Device | None = None
) -> Tensor:
    """Return a network's class scores of images.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    x : Tensor, shape (n, 3, height, width)
        Its input, on any device.
    name : str
        The network's, for messages.
    images : sequence of str, optional
        The images', for messages.
    device : Device, optional
        Where it computes and in which numbers; that of its parameters in float32 by default.

    Returns
    -------
    Tensor of float32, shape (n, classes)
        On the CPU.

    Raises
    ------
    InputError
        When the network returns something else than scores.
    CheckFailed
        When it raises an error (names layer, input and images), or some scores are not finite.

    Examples
    --------
    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> class_scores(network, torch.zeros(4, 3, 8, 8), name="mine").shape
    torch.Size([4, 2])
    """
    device = device or Device.of(model)
    (x,) = device.move(x)
    images = images or [f"image {number}" for number in range(len(x))]
    found = output_of(model, x, name=name, images=images, device=device)
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(x):
        raise InputError(
            f"{name}: returned {_what(found)} for {len(x)} images; it must return scores of shape (batch, classes); wrap it in "
            "a function that does"
        )
    with device.computing():
        check_finite(found, images, network=name, model=model, x=x)
    return on_cpu(found)


def output_of(model: nn.Module, x: Tensor, *, name: str, images: Sequence[str], device: Device) -> object:
    """Return what a network returns; `x` lies on its device.

    Raises
    ------
    CheckFailed
        When it raises an error: names the network, the layer, the input, the images, and what to do.
    """
    try:
        with device.computing():
            return model(x)
    except RapidVisionError:
        raise
    except Exception as error:  # a network is anybody's code
        line = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
        shown = ", ".join(images[:_SHOWN]) + (", …" if len(images) > _SHOWN else "")
        short = isinstance(error, torch.OutOfMemoryError)
        layer = "" if short else _failing_layer(model, x[:1], device)
        raise CheckFailed(
            f"{name}: {type(error).__name__}{f' in layer {layer}' if layer else ''} on an input of shape {tuple(x.shape)} "
            f"({x.dtype}, {device}; {shown}): {line}. {_remedy(error)}"
        ) from error


def _failing_layer(model: nn.Module, x: Tensor, device: Device) -> str:
    """Name the innermost layer that was at work when the error came; the network runs on one image once more."""
    at_work: list[str] = []
    handles = []
    with suppress(Exception):  # the error is known; a network that fails otherwise now has no layer to name
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(lambda *_, name=name: at_work.append(name)))
                handles.append(module.register_forward_hook(lambda *_: at_work.pop() and None))
        with device.computing():
            model(x)
        at_work.clear()
    for handle in handles:
        handle.remove()
    return at_work[-1] if at_work else ""


def _what(found: object) -> str:
    if isinstance(found, Tensor):
        return f"a tensor of shape {tuple(found.shape)}"
    if isinstance(found, Mapping):
        return f"{type(found).__name__} with {', '.join(map(str, list(found)[:5]))}"
    return type(found).__name__


def _remedy(error: Exception) -> str:
    if isinstance(error, torch.OutOfMemoryError):
        return "The device has too little memory: use a smaller --batch-size, or --device cpu"
    text = str(error).lower()
    if "half" in text or "bfloat16" in text or "same dtype" in text or "input type" in text:
        return "Use --precision float32, and a network whose weights are float32"
    if "device" in text:
        return "Some of it lies on another device: register its tensors as buffers, so that they move with it"
    if "size" in text or "shape" in text or "height" in text or "dimension" in text:
        return "Set --size to the side that it takes (a card states it as size_px), or repair its forward function"
    return "Repair the network, or leave it out"
