"""Convolutions with what follows them in one pass, where PyTorch's oneDNN operators offer that; the same result elsewhere.

On a CPU a residual network spends a sixth of its time on writing activities out, only to read them again for a ReLU or a
sum. The operators are those that torch.compile uses; where a build lacks them, the separate steps are taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_OPERATORS = ("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight")
_AVAILABLE = torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in _OPERATORS)  # type: ignore[no-untyped-call]


_separately = ContextVar("separately", default=False)


@contextmanager
def separate_steps() -> Iterator[None]:
    """Take every step by itself inside the block, as where the operators are missing: those that count work see the steps."""
    token = _separately.set(True)
    try:
        yield
    finally:
        _separately.reset(token)


def _can(x: Tensor) -> bool:
    if _separately.get():
        return False
    if torch.is_grad_enabled() or torch.compiler.is_compiling():  # a compiler and an exporter want the plain steps
        return False
    if torch.is_autocast_enabled("cpu"):  # it would leave the operators' inputs as they are
        return False
    return _AVAILABLE and x.dtype == torch.float32 and x.device.type == "cpu"


class FixedConvolution(nn.Conv2d):
    """A convolution whose weights stay as they are, and are kept a second time in the order that oneDNN reads.

    Every convolution of PyTorch puts its weights into that order anew, which is a twentieth of a residual network's time
    on a CPU. The order depends on the input's size, so it is made again when that or the weights change.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ordered: tuple[tuple[object, ...], Tensor] | None = None

    def ordered(self, x: Tensor) -> Tensor:
        """The weights, as oneDNN wants them for an input of this size."""
        weight = self.weight
        version = None if weight.is_inference() else weight._version  # noqa: SLF001  nothing else tells of changes
        made_for = (x.shape, weight.data_ptr(), version)
        if version is not None and self._ordered is not None and self._ordered[0] == made_for:
            return self._ordered[1]
        sizes = (self.padding, self.stride, self.dilation, self.groups, list(x.shape))
        found: Tensor = torch.ops.mkldnn._reorder_convolution_weight(weight, *sizes)  # noqa: SLF001
        self._ordered = made_for, found
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution."""
        if not _can(x):
            return super().forward(x)
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(*_arguments(self, x), "none", [], "")  # noqa: SLF001
        return out

    def __getstate__(self) -> dict[str, Any]:
        """Without the second copy: it is opaque, and quickly made again."""
        return {**self.__dict__, "_ordered": None}


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
    weight = convolution.ordered(x) if isinstance(convolution, FixedConvolution) else convolution.weight
    return (x, weight, convolution.bias, padding, stride, dilation, convolution.groups)
