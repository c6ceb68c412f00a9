"""Parameters by name: read from a file, checked for values that are not finite, and hashed."""

import argparse
import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rapidvision.errors import InputError


def read_state(path: Path | str, *, ema: bool = False, own: Collection[str] = ()) -> dict[str, Tensor]:
    """Read name → tensor from ``.safetensors``, ``.npz`` or a weights-only PyTorch file.

    Parameters
    ----------
    path : path-like
        The file.
    ema : bool, default False
        Take the averaged weights of a checkpoint that has both kinds.
    own : collection of str
        The network's names; see :func:`without_prefixes`.

    Raises
    ------
    InputError
        When the file is missing, unsafe, damaged, or holds no parameters, or some that are not finite.
    """
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
                with torch.serialization.safe_globals([argparse.Namespace]):  # options of a training script: plain data
                    data = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            raise InputError(
                f"{path}: not a weights-only PyTorch file ({_unreadable(error)}); it could run code when read, so it is refused: "
                "save model.state_dict() as safetensors"
            ) from error
    try:
        data = parameters_in(data, ema=ema)
    except KeyError as error:
        raise InputError(f"{path}: holds no averaged weights (state_dict_ema, model_ema); leave out ema") from error
    if not isinstance(data, dict) or not all(isinstance(value, Tensor) for value in data.values()):
        raise InputError(f"{path}: holds no parameters by name; save model.state_dict()")
    state = without_prefixes({str(name): value for name, value in data.items()}, own)
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
    return sha256_of(model.state_dict())


def sha256_of(state: Mapping[str, Tensor]) -> str:
    """Hash parameters and buffers by name, as :func:`state_sha256` does.

    Examples
    --------
    >>> sha256_of({})[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
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


#: Where programs put parameters in a checkpoint: weights first, averaged weights after them.
_WEIGHTS = ("state_dict", "model", "model_state_dict", "module")
_AVERAGED = ("state_dict_ema", "model_ema", "ema", "ema_state_dict", "averaged")
#: What DistributedDataParallel, torch.compile, Lightning and wrappers put in front of every name.
_PREFIXES = ("module.", "_orig_mod.", "model.", "ema.", "ema_model.")


def parameters_in(data: Any, *, ema: bool = False) -> Any:
    """Return the parameters of a checkpoint: the weights, or with `ema` the averaged ones, wherever they lie in it.

    Raises
    ------
    KeyError
        When averaged weights are asked for and there are none.

    Examples
    --------
    >>> parameters_in({"epoch": 3, "state_dict_ema": {"w": 1}})
    {'w': 1}
    """
    while isinstance(data, Mapping):
        order = (*_AVERAGED, *_WEIGHTS) if ema else (*_WEIGHTS, *_AVERAGED)
        key = next((key for key in order if isinstance(data.get(key), Mapping)), None)
        if ema and key not in _AVERAGED:
            raise KeyError("averaged weights")
        if key is None:
            return data
        data, ema = data[key], False
    return data


def without_prefixes(state: Mapping[str, Tensor], own: Collection[str] = ()) -> dict[str, Tensor]:
    """Return parameters without what programs put in front of all of their names.

    Parameters
    ----------
    state : mapping
        Name → parameter.
    own : collection of str
        The network's names; a prefix that they have too is kept.

    Examples
    --------
    >>> list(without_prefixes({"module._orig_mod.fc.bias": 1, "module._orig_mod.fc.weight": 2}))
    ['fc.bias', 'fc.weight']
    >>> list(without_prefixes({"model.fc.bias": 1}, ["model.fc.bias"]))
    ['model.fc.bias']
    """
    found = dict(state)
    while found and not set(own) & set(found):
        prefix = next((one for one in _PREFIXES if all(name.startswith(one) for name in found)), None)
        if prefix is None:
            break
        found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found
