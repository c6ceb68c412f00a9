"""Class scores kept on disk, by network and stimulus: a second run, or one that was stopped, computes what is missing only."""

import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from rapidvision.system import files
from rapidvision.system.npz import write_npz

from ..preprocessing import Preprocessing
from ..weights.state import state_sha256
from .device import Device

_FORM = 1


def network_key(model: nn.Module, preprocessing: Preprocessing, device: Device, *, file_sha256: str = "") -> str | None:
    """Return what a network's scores depend on besides the stimuli, as one hash.

    Parameters
    ----------
    model : Module
        Its parameters, buffers, structure, and the source files of its classes enter.
    preprocessing : Preprocessing
        What happens to pixels.
    device : Device
        Kind of device and precision.
    file_sha256 : str
        Of its file of weights.

    Returns
    -------
    str or None
        None where the scores may depend on something else, so that they must not be kept: hooks, or classes without a
        source file.

    Examples
    --------
    >>> network_key(nn.Sequential(nn.Linear(2, 2)), Preprocessing(), Device()) is None
    False
    """
    code = set()
    for module in model.modules():
        if module._forward_hooks or module._forward_pre_hooks:  # noqa: SLF001  nothing else tells of hooks
            return None
        source = getattr(sys.modules.get(type(module).__module__), "__file__", None)
        if source is None or "forward" in vars(module):
            return None
        code.add(source)
    parts = {
        "form": _FORM,
        "torch": str(torch.__version__),
        "weights": state_sha256(model),
        "file": file_sha256,
        "structure": str(model),
        "code": sorted(files.sha256_file(path) for path in code),
        "preprocessing": msgspec.to_builtins(preprocessing),
        "device": device.where.type,
        "precision": device.precision,
    }
    return files.canonical_digest(parts)


@dataclass(frozen=True, slots=True)
class ScoreCache:
    """A folder with one file per network.

    Attributes
    ----------
    folder : Path
        Made when the first scores are kept.
    """

    folder: Path

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"

    def known(self, key: str | None) -> dict[str, Tensor]:
        """Return stimulus hash → class scores; empty where nothing was kept, or the file is damaged.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = ScoreCache(Path(folder))
        ...     cache.keep("a network", {"a stimulus": torch.tensor([1.0, 2.0])})
        ...     cache.known("a network")["a stimulus"].tolist(), cache.known("another")
        ([1.0, 2.0], {})
        """
        if key is None or not self._path(key).is_file():
            return {}
        try:
            with np.load(io.BytesIO(files.read_bytes(self._path(key))), allow_pickle=False) as data:
                hashes, scores, of = data["hashes"], data["scores"], str(data["key"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}
        if of != key or len(hashes) != len(scores) or not np.isfinite(scores).all():
            return {}
        return dict(zip(map(str, hashes), torch.from_numpy(scores.copy()), strict=True))

    def keep(self, key: str | None, scores: Mapping[str, Tensor]) -> None:
        """Keep a network's scores, sorted by the stimuli's hashes; the file is the old one or the new one."""
        if key is None or not scores:
            return
        hashes = sorted(scores)
        arrays = {
            "hashes": np.array(hashes),
            "scores": torch.stack([scores[one] for one in hashes]).numpy(),
            "key": np.array(key),
        }
        write_npz(self._path(key), arrays.items())
