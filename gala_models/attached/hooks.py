"""Attention put behind layers of a network, and taken out again, by forward hooks: the network's own names stay."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError

from .layout import Shape, Wanted, layers_named, outputs_of, shape_of, tensor_of, told_by_half
from .module import FORMS, Attended, Form

#: Name of the submodule and of the hook's handle that are set on an attended layer.
PART, HANDLE = "attended", "attended_handle"


def attach(
    model: nn.Module,
    layers: str | Sequence[str],
    images: Tensor,
    *,
    form: Form = "gain",
    layout: Wanted = "auto",
    reduction: int = 4,
    calibrated: bool = True,
    freeze: bool = True,
    seed: int = 0,
) -> dict[str, Attended]:
    """Put a GALA module behind layers of any convolutional network or vision transformer, in place.

    The output of each layer U becomes U(1 + A), where A is the attention volume of the paper's section 3.1; at the start
    A is 0 and the network answers as before: to the bit in float32 and bfloat16 for all forms but ``small``. The module
    is a submodule ``<layer>.attended`` behind a forward hook, so the names in the network's own state dict do not change,
    and copies and pickles of the network keep it. :func:`attention_maps` finds it, :func:`cotrain` trains it with
    importance maps, :func:`save_attached` stores it, and :func:`detach` takes it out.

    Parameters
    ----------
    model : Module
        Images in, class scores out.
    layers : str or sequence of str
        Names as in ``model.named_modules()``. Their outputs are (batch, C, height, width), (batch, height, width, C), or
        tokens (batch, tokens, C) whose grid follows class, distillation and register tokens.
    images : Tensor, shape (n, 3, height, width)
        Network input that is run through the network once: it tells the layers' layouts and, with `calibrated`, the mean
        and spread of their channels. Images like those to be trained on; 16 suffice.
    form : {"gain", "rezero", "level", "small"}
        See :class:`~rapidvision.gala_models.attached.module.Attended`.
    layout : {"auto", "channels_first", "channels_last", "tokens"}
        For outputs whose layout cannot be told from their shape.
    reduction : int, default 4
        r of the paper.
    calibrated : bool, default True
        Fold each channel's mean and spread over `images` into the shrinking layers.
    freeze : bool, default True
        Switch the gradients of the network's own parameters off.
    seed : int, default 0
        Of the weights; the layers of one call have different ones.

    Returns
    -------
    dict
        Layer → its attention module.

    Raises
    ------
    InputError
        When there is no such layer, it has attention already, its output has no grid, it does not run exactly once, or
        its output is no tensor; names the layer. Nothing is attached then.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    >>> images = torch.rand(4, 3, 16, 16)
    >>> before = network(images)
    >>> list(rv.models.attach(network, "0", images)), bool((network(images) == before).all())
    (['0'], True)
    >>> rv.models.detach(network)
    ['0']
    """
    if form not in FORMS:
        raise InputError(f'attach: form "{form}"; choose {", ".join(FORMS)}')
    names = [layers] if isinstance(layers, str) else list(layers)
    modules = layers_named(model, names)
    for name, module in modules.items():
        if hasattr(module, PART):
            raise InputError(f"attach: layer {name} has attention already; call detach first")
    outputs = outputs_of(model, names, images)
    told = {
        name: told_by_half(model, name, out, images) if layout == "auto" else layout for name, out in outputs.items()
    }
    shapes = {name: shape_of(name, output, model, told[name]) for name, output in outputs.items()}
    made = {
        name: fitted(shapes[name], form, reduction, seed * 1000 + at, outputs[name]) for at, name in enumerate(names)
    }
    if freeze:
        model.requires_grad_(False)
    for name, attended in made.items():
        if calibrated:
            attended.calibrate(outputs[name])
        put(modules[name], attended)
    return made


def fitted(shape: Shape, form: Form, reduction: int, seed: int, like: Tensor) -> Attended:
    """Make the attention module of one layer, on the device and of the type of its output."""
    return Attended(shape, form, reduction=reduction, seed=seed).to(like.device, like.dtype).eval()


def put(module: nn.Module, attended: Attended) -> None:
    """Set an attention module behind a layer."""
    setattr(module, PART, attended)
    setattr(module, HANDLE, module.register_forward_hook(_hook))


def _hook(module: nn.Module, _inputs: object, output: object) -> object:
    """Scale a layer's output; at module level and without a closure, so that copies and pickles keep working."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
        raise InputError("attach: torch.jit.trace cannot record attached attention; use torch.export, or detach first")
    u = tensor_of(output, type(module).__name__)
    attended = module.attended(u)  # type: ignore[operator]
    return (attended, *output[1:]) if isinstance(output, tuple) else attended


def attended_layers(model: nn.Module) -> dict[str, Attended]:
    """Return the layers that carry attached attention, in the model's order: name → attention module.

    Examples
    --------
    >>> attended_layers(nn.ReLU())
    {}
    """
    found = {name: getattr(module, PART, None) for name, module in model.named_modules()}
    return {name: part for name, part in found.items() if isinstance(part, Attended)}


def detach(model: nn.Module) -> list[str]:
    """Take all attached attention out of a network again.

    Parameters
    ----------
    model : Module
        Changed in place; parameters that :func:`attach` froze stay frozen.

    Returns
    -------
    list of str
        The layers that carried attention; empty where none did.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> rv.models.detach(torch.nn.ReLU())
    []
    """
    modules, names = dict(model.named_modules()), list(attended_layers(model))
    for name in names:
        getattr(modules[name], HANDLE).remove()
        delattr(modules[name], HANDLE)
        delattr(modules[name], PART)
    return names


@contextmanager
def bypassed(model: nn.Module) -> Iterator[None]:
    """Let the network answer as without attached attention, inside the block."""
    parts = attended_layers(model).values()
    before = [part.bypassed for part in parts]
    try:
        for part in parts:
            part.bypassed = True
        yield
    finally:
        for part, was in zip(parts, before, strict=True):
            part.bypassed = was
