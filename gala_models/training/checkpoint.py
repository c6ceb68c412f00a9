"""Checkpoints: everything that a training run needs to resume as if it had not stopped."""

import io
import pickle
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from rapidvision.errors import InputError
from rapidvision.recipes import Recipe
from rapidvision.system import files

from ..weights.state import not_finite

CHECKPOINT_VERSION = 1
#: What must be the same for a run to be resumed: field of :class:`Progress` → its name in messages.
DIGESTS = {"recipe_digest": "recipe", "data_digest": "data", "plugin_sha256": "source of the plug-in"}


class Progress(Recipe, frozen=True, kw_only=True):
    """Where a run is.

    Attributes
    ----------
    checkpoint_version : int
        Version of this form.
    recipe_digest, data_digest : str
        What is trained on what; another recipe or store cannot resume from here.
    epoch, step : int
        Epochs done, and steps done within the current one.
    sums : tuple of float
        Loss, its two parts, right answers, and the gradient's norm, summed over the current epoch's steps.
    history : tuple of dict
        One entry per epoch.
    best_top1_error : float
        Of the validation images, in per cent.
    plugin_sha256 : str
        Source of the plug-in that built the network; empty where the architecture is built in.
    """

    checkpoint_version: int = CHECKPOINT_VERSION
    recipe_digest: str
    data_digest: str
    epoch: int = 0
    step: int = 0
    sums: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    history: tuple[dict[str, Any], ...] = ()
    best_top1_error: float = 100.0
    plugin_sha256: str = ""


def save(
    path: Path,
    progress: Progress,
    *,
    model: dict[str, Tensor],
    optimization: dict[str, Any],
    best: dict[str, Tensor],
) -> None:
    """Write a checkpoint; the file is the old one or the new one, never half of each."""
    out = io.BytesIO()
    torch.save(
        {
            "progress": msgspec.json.encode(progress).decode(),
            "model": model,
            "optimization": optimization,
            "best": best,
        },
        out,
    )
    files.write_bytes(path, out.getvalue())


def load(path: Path) -> tuple[Progress, dict[str, Any]]:
    """Read a checkpoint: where the run is, and its tensors.

    Raises
    ------
    InputError
        When the file is damaged, unsafe, of another version, or holds a parameter that is not finite.
    """
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
        progress = msgspec.json.decode(data["progress"], type=Progress)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not a checkpoint that can be read ({str(error).splitlines()[0]}); remove it to start anew"
        ) from error
    if progress.checkpoint_version != CHECKPOINT_VERSION:
        raise InputError(
            f"{path}: checkpoint version {progress.checkpoint_version}, this RapidVision reads {CHECKPOINT_VERSION}"
        )
    for what in ("model", "best"):
        wrong = not_finite(data[what])
        if wrong:
            raise InputError(f"{path}: {what}: {wrong}; remove this checkpoint to start anew")
    return progress, data
