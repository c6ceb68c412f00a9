"""Files of weights: ours (safetensors with a card), and other people's by path with a report of what matched."""

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from rapidvision import recipes
from rapidvision.errors import CheckFailed, InputError
from rapidvision.recipes import Recipe
from rapidvision.system import files

from ..layers.resnet import Architecture, ResNet, build
from ..preprocessing import Preprocessing
from . import naming

CARD_VERSION = 1
_CARD = "rapidvision"


class Category(Recipe, frozen=True, kw_only=True):
    """One class of a network: its name, and whether it is a target of the task."""

    name: str
    target: bool


class Card(Recipe, frozen=True, kw_only=True):
    """Description of a file of weights, stored in its header.

    Attributes
    ----------
    card_version : int
        Version of this form.
    name : str
        The network's id in trials tables.
    architecture : Architecture
        Enough to build it.
    preprocessing : Preprocessing
        What it expects.
    categories : tuple of Category
        Its classes in order; empty where they are ImageNet's.
    recipe : dict
        The resolved training recipe.
    results : dict
        What was measured on pictures it was not trained on.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.observer.networks import bundled_paths
    >>> _, card = rv.models.load_model(bundled_paths()[0])
    >>> card.name, card.preprocessing.size_px, len(card.categories)
    ('compact-gala-maps', 88, 8)
    """

    card_version: int = CARD_VERSION
    name: str
    architecture: Architecture
    preprocessing: Preprocessing = Preprocessing()
    categories: tuple[Category, ...] = ()
    recipe: dict[str, Any] = msgspec.field(default_factory=dict)
    results: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a file of weights had for a network, and what not.

    Attributes
    ----------
    matched, missing, unexpected, mismatched : tuple of str
        Names of parameters: taken, absent from the file, unknown to the network, of another shape.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.matched)} parameters taken"]
        for word in ("missing", "unexpected", "mismatched"):
            names: tuple[str, ...] = getattr(self, word)
            if names:
                more = ", …" if len(names) > 3 else ""
                parts.append(f"{len(names)} {word} ({', '.join(names[:3])}{more})")
        return "; ".join(parts)


def save_model(
    path: Path | str, model: ResNet, card: Card, *, dtype: Literal["float32", "float16"] = "float32"
) -> None:
    """Write weights and card as one safetensors file, atomically; float16 halves it, and is read back as float32.

    Raises
    ------
    CheckFailed
        When a parameter is not finite, or too large for float16.
    """
    from safetensors.torch import save

    state = {}
    for name, value in model.state_dict().items():
        value = value.detach().cpu().contiguous()
        state[name] = value.to(getattr(torch, dtype)) if value.is_floating_point() else value
    wrong = not_finite(state)
    if wrong:
        raise CheckFailed(f"{path}: as {dtype}, {wrong}; nothing was written")
    files.write_bytes(path, save(state, {_CARD: msgspec.json.encode(card).decode()}))


def load_model(path: Path | str) -> tuple[ResNet, Card]:
    """Read a network that :func:`save_model` wrote, ready for inference.

    Parameters
    ----------
    path : path-like
        ``.safetensors`` with a card.

    Returns
    -------
    ResNet, Card
        The network in evaluation mode, and what it is.

    Raises
    ------
    InputError
        When the file is missing, damaged, or has no card.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.observer.networks import bundled_paths
    >>> model, card = rv.models.load_model(bundled_paths()[0])
    >>> card.name, model.training
    ('compact-gala-maps', False)
    """
    card = read_card(path)
    model = build(card.architecture)
    load_weights(model, path)
    return model.eval(), card


def read_card(path: Path | str) -> Card:
    """Read the card in the head of one of our files."""
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise InputError(
            f"{path}: not a safetensors file ({error}); name the architecture to load a checkpoint"
        ) from error
    if _CARD not in metadata:
        raise InputError(f"{path}: safetensors without a RapidVision card; name the architecture to load it")
    return recipes.convert(msgspec.json.decode(metadata[_CARD]), Card, name=f"{path}: card")


def load_weights(model: nn.Module, path: Path | str, *, allow_missing: Sequence[str] = ()) -> LoadReport:
    """Fill a network from a checkpoint of torchvision, timm, TensorFlow (as npz) or ours.

    Parameters
    ----------
    model : Module
        Changed only when the checkpoint fits.
    path : path-like
        ``.safetensors``; a PyTorch file that holds weights only; or ``.npz`` with the variables of the authors'
        TensorFlow code by name (see :mod:`rapidvision.gala_models.weights.naming`).
    allow_missing : sequence of str
        Parts of names that may be absent, for example ``["gala"]`` to start a GALA-ResNet-50 from a ResNet-50.

    Returns
    -------
    LoadReport
        What was taken.

    Raises
    ------
    InputError
        When the file is missing or unsafe, or anything is missing, unexpected, of another shape or not finite.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(build("compact-resnet", seed=1).state_dict(), f"{folder}/w.pth")
    ...     print(load_weights(build("compact-gala"), f"{folder}/w.pth", allow_missing=["gala"]))
    86 parameters taken; 20 missing (layer3.0.gala.alpha, layer3.0.gala.m, layer3.0.gala.global_shrink.weight, …)
    """
    own = model.state_dict()
    state = _under_our_names(read_state(path), model, path)
    # Batch counters are bookkeeping that old checkpoints lack.
    excused = (*allow_missing, "num_batches_tracked")
    absent = [name for name in own if name not in state]
    missing = tuple(sorted(absent, key=lambda name: any(part in name for part in excused)))  # what matters first
    unexpected = tuple(name for name in state if name not in own)
    mismatched = tuple(name for name in own if name in state and state[name].shape != own[name].shape)
    matched = tuple(name for name in own if name in state and name not in mismatched)
    report = LoadReport(matched, missing, unexpected, mismatched)
    if unexpected or mismatched or any(not any(part in name for part in excused) for name in missing):
        raise InputError(f"{path}: does not fit {type(model).__name__}: {report}; nothing was loaded")
    with torch.no_grad():
        for name in matched:
            own[name].copy_(state[name])
    return report


def _under_our_names(state: dict[str, Tensor], model: nn.Module, path: Path | str) -> dict[str, Tensor]:
    if not isinstance(model, ResNet):
        return state
    preactivation = model.architecture.preactivation
    kind = "TensorFlow's" if any("/" in name for name in state) else "timm's" if "stem.conv.weight" in state else None
    if kind is None:
        return state
    if not preactivation:
        raise InputError(
            f"{path}: has {kind} names of a pre-activation network; choose an architecture with batch norm before its "
            'convolutions, such as "resnetv2-50" or "gala-tpu-resnet50"'
        )
    return naming.from_timm(state, model) if kind == "timm's" else naming.from_tensorflow(state, model)


def read_state(path: Path | str) -> dict[str, Tensor]:
    """Read name → tensor from ``.safetensors``, ``.npz`` or a weights-only PyTorch file, without ``module.`` in front."""
    path = Path(path)
    data: Any
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            data = load_file(str(path))
        except SafetensorError as error:
            raise InputError(f"{path}: damaged safetensors file ({error}); get it again") from error
    elif path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as arrays:
                data = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not an npz of plain arrays ({error}); export the variables again") from error
    else:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about pickle protocols; what matters is refused below
                data = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            raise InputError(
                f"{path}: not a weights-only PyTorch file ({_unreadable(error)}); it could run code when read, so it is refused: "
                "save model.state_dict() as safetensors"
            ) from error
    for key in ("state_dict", "model"):
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
    if not isinstance(data, dict) or not all(isinstance(value, Tensor) for value in data.values()):
        raise InputError(f"{path}: holds no parameters by name; save model.state_dict()")
    state = {str(name).removeprefix("module."): value for name, value in data.items()}
    wrong = not_finite(state)
    if wrong:
        raise InputError(f"{path}: {wrong}; such a network has no answers, so nothing was loaded")
    return state


def not_finite(state: Mapping[str, Tensor]) -> str:
    """Say which parameters hold NaN or infinite values; empty when none does.

    Examples
    --------
    >>> not_finite({"fc.bias": torch.tensor([0.0, float("nan")]), "fc.weight": torch.zeros(2)})
    'fc.bias holds values that are not finite (1 of 2)'
    """
    bad = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if not bad:
        return ""
    n_bad = int((~torch.isfinite(state[bad[0]])).sum())
    more = f"; so do {len(bad) - 1} more" if len(bad) > 1 else ""
    return f"{bad[0]} holds values that are not finite ({n_bad} of {state[bad[0]].numel()}){more}"


def state_sha256(model: nn.Module) -> str:
    """Hash a network's parameters and buffers: their names, types, shapes and bytes, in the order of the names.

    Examples
    --------
    >>> one, other = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = other.load_state_dict(one.state_dict())
    >>> state_sha256(one) == state_sha256(other)
    True
    """
    state, digest = model.state_dict(), hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _unreadable(error: Exception) -> str:
    """What PyTorch found in a file, without its advice to read it all the same."""
    found = re.search(r"unsupported (?:global: )?(?:global|class|operand) [\w.]+", str(error), re.IGNORECASE)
    if found:
        return found[0]
    lines = str(error).strip().splitlines()
    return lines[0] if lines and not lines[0].startswith("Weights only") else "damaged, or a pickle of something else"
