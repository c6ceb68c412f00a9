"""Files of weights: ours (safetensors with a card), and other people's by path with a report of what matched."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import Tensor, nn

from rapidvision.errors import CheckFailed, InputError
from rapidvision.system import files

from ..layers.resnet import ResNet, build
from ..registries import ARCHITECTURES
from . import naming
from .card import KEY, Card, read_card
from .state import not_finite, read_state


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
    path: Path | str, model: nn.Module, card: Card, *, dtype: Literal["float32", "float16"] = "float32"
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
    files.write_bytes(path, save(state, {KEY: msgspec.json.encode(card).decode()}))


def load_model(path: Path | str) -> tuple[nn.Module, Card]:
    """Read a network that :func:`save_model` wrote, ready for inference.

    Parameters
    ----------
    path : path-like
        ``.safetensors`` with a card.

    Returns
    -------
    Module, Card
        The network in evaluation mode, and what it is.

    Warns
    -----
    UserWarning
        When the plug-in that built the network has changed since it was trained.

    Raises
    ------
    InputError
        When the file is missing, damaged, or has no card, or the plug-in that built the network was not imported.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.observer.networks import bundled_paths
    >>> model, card = rv.models.load_model(bundled_paths()[0])
    >>> card.name, model.training
    ('compact-gala-maps', False)
    """
    card = read_card(path)
    for one in card.plugins or ():
        if (now := ARCHITECTURES.source_of(one.name)).sha256 != one.sha256:
            warnings.warn(
                f"{path}: trained with the {one} (sha256 {one.sha256[:12]}), whose source is now another "
                f"({now.sha256[:12]}); its answers may differ",
                UserWarning,
                stacklevel=2,
            )
    model = build(card.architecture)
    load_weights(model, path)
    return model.eval(), card


def load_weights(
    model: nn.Module, path: Path | str, *, allow_missing: Sequence[str] = (), ema: bool = False
) -> LoadReport:
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
    ema : bool, default False
        Take the averaged weights of a checkpoint that holds both.

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
    state = _under_our_names(read_state(path, ema=ema, own=own), model, path)
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
