"""torch.compile where it can work, and a word where it cannot."""

import os
import shutil

import torch
from torch import nn

_COMPILERS = ("g++", "clang++", "c++")


def compiled(model: nn.Module, *, wanted: bool = True) -> tuple[nn.Module, str]:
    """Return the network compiled, or unchanged with the reason.

    Parameters
    ----------
    model : Module
        Any network; it is compiled at its first call.
    wanted : bool, default True
        Whether to compile at all.

    Returns
    -------
    (Module, str)
        What to call, and a note for the reader: empty unless compiling was wanted and cannot be done.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> compiled(model, wanted=False) == (model, "")
    True
    """
    if not wanted:
        return model, ""
    names = (os.environ["CXX"],) if os.environ.get("CXX") else _COMPILERS
    if not any(shutil.which(name) for name in names):
        return model, (
            f"compile: no C++ compiler found ({', '.join(names)}), so the network runs uncompiled; install one or set "
            "compile = false"
        )
    return torch.compile(model), ""  # type: ignore[return-value]
