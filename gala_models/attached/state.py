"""Attached attention as a file of its own: its weights, and a card that says which network it fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from rapidvision import recipes
from rapidvision.errors import CheckFailed, InputError
from rapidvision.recipes import Recipe
from rapidvision.system import files, json_text

from ..weights.state import not_finite, read_state, sha256_of
from .hooks import PART, attended_layers, put
from .layout import Shape, layers_named
from .module import Attended, Form

CARD_VERSION = 1
#: Key of the card in the head of the safetensors file.
KEY = "rapidvision-attached"


class AttachedLayer(Recipe, frozen=True):
    """One layer that carries attention.

    Attributes
    ----------
    shape : Shape
        How its output is laid out.
    form : {"gain", "rezero", "level", "small"}
        How its output is scaled.
    reduction : int
        r of the paper.
    """

    shape: Shape
    form: Form
    reduction: int


class AttachedCard(Recipe, frozen=True, kw_only=True):
    """What a file of attached attention is.

    Attributes
    ----------
    card_version : int
        Version of this form.
    name : str
        The network's, for people.
    layers : dict
        Layer → what it carries.
    backbone_sha256 : str
        Digest of the network's own parameters and buffers: names, types, shapes and bytes.
    recipe : dict
        How it was trained.
    results : dict
        What was measured.
    """

    card_version: int = CARD_VERSION
    name: str
    layers: dict[str, AttachedLayer]
    backbone_sha256: str
    recipe: dict[str, Any] = msgspec.field(default_factory=dict)
    results: dict[str, Any] = msgspec.field(default_factory=dict)


def split_state(model: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the state of a network's own part, and that of what is attached to it.

    Parameters
    ----------
    model : Module
        With or without attached attention.

    Returns
    -------
    dict, dict
        Both name → tensor; the names of the first are those that the network has without attention.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> own, attached = rv.models.split_state(torch.nn.Conv2d(3, 4, 1))
    >>> list(own), attached
    (['weight', 'bias'], {})
    """
    state = model.state_dict()
    prefixes = tuple(f"{name}.{PART}." for name in attended_layers(model))
    mine = {name: value for name, value in state.items() if prefixes and name.startswith(prefixes)}
    return {name: value for name, value in state.items() if name not in mine}, mine


def card_of(
    model: nn.Module, *, name: str, recipe: Recipe | None = None, results: Mapping[str, Any] | None = None
) -> AttachedCard:
    """Describe what is attached to a network; InputError where nothing is."""
    parts = attended_layers(model)
    if not parts:
        raise InputError(f"{name}: carries no attached attention; call attach first")
    layers = {where: AttachedLayer(part.shape, part.form, part.reduction) for where, part in parts.items()}
    built = {} if recipe is None else msgspec.to_builtins(recipe)
    digest = sha256_of(split_state(model)[0])
    return AttachedCard(name=name, layers=layers, backbone_sha256=digest, recipe=built, results=dict(results or {}))


def save_attached(
    path: Path | str,
    model: nn.Module,
    *,
    name: str = "",
    recipe: Recipe | None = None,
    results: Mapping[str, Any] | None = None,
) -> AttachedCard:
    """Write what is attached to a network, without the network itself, as a safetensors file with a card.

    Parameters
    ----------
    path : path-like
        The file; replaced at once when it exists.
    model : Module
        With attached attention.
    name : str, optional
        The network's; that of its class by default.
    recipe : CoTraining, optional
        How it was trained, for the card.
    results : mapping, optional
        What was measured, for the card.

    Returns
    -------
    AttachedCard
        As written.

    Raises
    ------
    InputError
        When nothing is attached.
    CheckFailed
        When a parameter is not finite; nothing is written then.

    Examples
    --------
    >>> import tempfile, torch
    >>> import rapidvision as rv
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    >>> _ = rv.models.attach(network, "0", torch.rand(4, 3, 16, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = rv.models.save_attached(f"{folder}/attention.safetensors", network)
    ...     _ = rv.models.detach(network)
    ...     rv.models.load_attached(network, f"{folder}/attention.safetensors").layers["0"].form
    'gain'
    """
    from safetensors.torch import save

    card = card_of(model, name=name or type(model).__name__, recipe=recipe, results=results)
    state = {key: value.detach().cpu().contiguous() for key, value in split_state(model)[1].items()}
    wrong = not_finite(state)
    if wrong:
        raise CheckFailed(f"{path}: {wrong}; nothing was written")
    files.write_bytes(path, save(state, {KEY: msgspec.json.encode(card).decode()}))
    return card


def read_attached_card(path: Path | str) -> AttachedCard:
    """Read the card of a file that :func:`save_attached` wrote.

    Raises
    ------
    InputError
        When the file is missing, damaged or has no such card.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file ({error}); get it again") from error
    if KEY not in metadata:
        raise InputError(f"{path}: holds no attached attention; files of whole networks are read by load_model")
    return recipes.convert(json_text.loads(metadata[KEY], name=f"{path}: card"), AttachedCard, name=f"{path}: card")


def load_attached(model: nn.Module, path: Path | str) -> AttachedCard:
    """Attach what :func:`save_attached` wrote to the network that it was trained with.

    Parameters
    ----------
    model : Module
        The same network: its own parameters and buffers have the digest of the card. It carries no attention yet.
    path : path-like
        The file.

    Returns
    -------
    AttachedCard
        What was attached.

    Raises
    ------
    InputError
        When the file is missing or damaged, the network is another one, or a layer is missing or carries attention
        already; nothing is attached then.

    Examples
    --------
    >>> import tempfile, torch
    >>> import rapidvision as rv
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    >>> _ = rv.models.attach(network, "0", torch.rand(4, 3, 16, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = rv.models.save_attached(f"{folder}/attention.safetensors", network, name="mine")
    ...     _ = rv.models.detach(network)
    ...     rv.models.load_attached(network, f"{folder}/attention.safetensors").name
    'mine'
    """
    card = read_attached_card(path)
    if attended_layers(model):
        raise InputError(f"{path}: {', '.join(attended_layers(model))} carry attention already; call detach first")
    digest = sha256_of(model.state_dict())
    if digest != card.backbone_sha256:
        raise InputError(
            f"{path}: was trained with a {card.name} whose parameters have the digest {card.backbone_sha256[:12]}, this "
            f"{type(model).__name__} has {digest[:12]}; load the same weights in the same type before attaching"
        )
    modules, state = layers_named(model, list(card.layers)), read_state(path)
    like = next(iter(model.state_dict().values()), torch.zeros(()))
    parts: dict[str, Attended] = {}
    for name, layer in card.layers.items():
        part = Attended(layer.shape, layer.form, reduction=layer.reduction)
        prefix = f"{name}.{PART}."
        mine = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        try:
            part.load_state_dict(mine)
        except RuntimeError as error:
            raise InputError(f"{path}: layer {name} does not fit its card ({error}); get the file again") from error
        dtype = next(iter(mine.values())).dtype
        parts[name] = part.to(like.device, dtype).eval()
    for name, part in parts.items():
        put(modules[name], part)
    return card
