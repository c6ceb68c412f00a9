"""Where a network computes: the one place that says so, for everything that hands it images."""

import torch
from torch import nn

from rapidvision.errors import InputError


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a network's parameters; the CPU where it has none.

    Raises
    ------
    InputError
        When they lie on several devices.

    Examples
    --------
    >>> device_of(nn.Linear(1, 1))
    device(type='cpu')
    """
    found = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    if len(found) > 1:
        raise InputError(
            f"{type(model).__name__}: its parameters lie on {', '.join(sorted(map(str, found)))}; move it to one device"
        )
    return found.pop() if found else torch.device("cpu")


def device_named(name: str) -> torch.device:
    """Return a device that exists here, such as ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises
    ------
    InputError
        When there is no such device on this computer.

    Examples
    --------
    >>> device_named("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        line = str(error).strip().splitlines()[0]
        raise InputError(
            f'device: "{name}" cannot be used here ({line}); choose cpu, or a GPU that PyTorch sees'
        ) from error
    return device
