"""Convolutions with what follows them in one pass, where PyTorch's oneDNN operators offer that; the same result elsewhere.

On a CPU a residual network spends a sixth of its time on writing activities out, only to read them again for a ReLU or a
sum. The operators are those that torch.compile uses; where a build lacks them, the separate steps are taken.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_AVAILABLE = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")  # type: ignore[no-untyped-call]


def _can(x: Tensor) -> bool:
    if torch.is_grad_enabled() or torch.compiler.is_compiling():  # a compiler and an exporter want the plain steps
        return False
    return _AVAILABLE and x.dtype == torch.float32 and x.device.type == "cpu"


def convolved_relu(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """ReLU of a convolution.

    Examples
    --------
    >>> x, convolution = torch.ones(1, 1, 2, 2), nn.Conv2d(1, 1, 1)
    >>> with torch.inference_mode():
    ...     bool(torch.equal(convolved_relu(convolution, x), F.relu(convolution(x))))
    True
    """
    if not _can(x):
        return F.relu_(convolution(x))
    parts = _arguments(convolution, x)
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(*parts, "relu", [], "")  # noqa: SLF001
    return out


def convolved_sum_relu(convolution: nn.Conv2d, x: Tensor, shortcut: Tensor) -> Tensor:
    """ReLU of a convolution plus a shortcut of its shape; the shortcut may be overwritten."""
    if not _can(x) or not shortcut.is_contiguous(memory_format=torch.channels_last):
        return F.relu_(convolution(x).add_(shortcut))
    parts = _arguments(convolution, x)
    binary = torch.ops.mkldnn._convolution_pointwise_.binary
    out: Tensor = binary(shortcut, *parts, "add", 1.0, "relu", [], None)
    return out


def _arguments(convolution: nn.Conv2d, x: Tensor) -> tuple[object, ...]:
    padding, stride, dilation = convolution.padding, convolution.stride, convolution.dilation
    return (x, convolution.weight, convolution.bias, padding, stride, dilation, convolution.groups)
