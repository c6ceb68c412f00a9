"""What a run writes about itself after every epoch: ``metrics.jsonl``, ``timing.json``, and a log for TensorBoard."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.system import files
from rapidvision.system.extras import need


def write_metrics(out: Path, history: Sequence[Mapping[str, Any]], *, seconds: float, steps_per_s: float) -> None:
    """Write one line per epoch, and how long the last one took.

    Parameters
    ----------
    out : Path
        The run's folder.
    history : sequence of mapping
        One entry per epoch.
    seconds, steps_per_s : float
        Of the last epoch; they stand in a file of their own, because they differ between runs.
    """
    files.write_text(out / "metrics.jsonl", "".join(msgspec.json.encode(one).decode() + "\n" for one in history))
    files.write_json(out / "timing.json", {"last_epoch_s": seconds, "steps_per_s": steps_per_s})


def write_tensorboard(out: Path, entry: Mapping[str, Any]) -> None:
    """Add an epoch to the log in ``out/tensorboard``; numbers only, nested names joined by a slash.

    Raises
    ------
    MissingExtra
        When ``tensorboard`` is not installed.
    """
    need(
        "tensorboard",
        extra="models",
        purpose="a log for TensorBoard (pip install tensorboard), or set tensorboard = false",
    )
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(out / "tensorboard")) as writer:
        for name, value in numbers(entry).items():
            writer.add_scalar(name, value, int(entry["epoch"]))


def numbers(entry: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the finite and other numbers of an entry by name.

    Examples
    --------
    >>> numbers({"epoch": 1, "validation": {"top1_error": 50.0, "grid": [7, 7], "rho": None}})
    {'epoch': 1.0, 'validation/top1_error': 50.0}
    """
    found: dict[str, float] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping):
            found |= numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float):
            found[f"{prefix}{name}"] = float(value)
    return found
