"""Where a network computes, and in which numbers: the one place that moves tensors between devices."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError

Precision = Literal["float32", "bf16", "fp16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a network computes, and in which numbers.

    Attributes
    ----------
    where : torch.device
        The device.
    precision : {"float32", "bf16", "fp16"}
        Of products and convolutions. Weights stay float32, and what needs the range (norms, sums, losses) is computed
        in float32, as by ``torch.autocast``.

    Examples
    --------
    >>> device = Device.named("cpu", precision="bf16")
    >>> model = device.place(nn.Linear(2, 2))
    >>> with device.computing():
    ...     model(*device.move(torch.ones(1, 2))).dtype
    torch.bfloat16
    """

    where: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "float32"

    @classmethod
    def named(cls, name: str = "auto", *, precision: Precision = "float32") -> "Device":
        """Return a device that exists here.

        Parameters
        ----------
        name : str
            ``cpu``, ``cuda``, ``cuda:1``, ``mps``; ``auto`` is CUDA where there is a GPU, else Apple's, else the CPU.
        precision : {"float32", "bf16", "fp16"}
            Of products and convolutions.

        Raises
        ------
        InputError
            When there is no such device on this computer, or it does not compute in this precision.

        Examples
        --------
        >>> Device.named("cpu").where
        device(type='cpu')
        """
        if precision not in PRECISIONS:
            raise InputError(f'precision: "{precision}"; choose {", ".join(PRECISIONS)}')
        try:
            device = torch.device(_automatic() if name == "auto" else name)
            found = torch.zeros(1, device=device).cpu()
            if precision != "float32":
                found.to(device, _DTYPES[precision]).add(1).cpu()
        except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
            line = str(error).strip().splitlines()[0]
            raise InputError(
                f'device: "{name}" cannot be used here in {precision} ({line}); choose cpu, or a GPU that PyTorch sees'
            ) from error
        return cls(device, precision)

    @classmethod
    def of(cls, model: nn.Module, *, precision: Precision = "float32") -> "Device":
        """Return the device of a network's parameters; the CPU where it has none.

        Raises
        ------
        InputError
            When they lie on several devices.

        Examples
        --------
        >>> Device.of(nn.Linear(1, 1)).where
        device(type='cpu')
        """
        found = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
        if len(found) > 1:
            raise InputError(
                f"{type(model).__name__}: its parameters lie on {', '.join(sorted(map(str, found)))}; move it to one device"
            )
        return cls(found.pop() if found else torch.device("cpu"), precision)

    @property
    def dtype(self) -> torch.dtype:
        """The type of products and convolutions."""
        return _DTYPES[self.precision]

    def place(self, model: M) -> M:
        """Move a network here; it is the same object."""
        model.to(self.where)
        return model

    def move(self, *tensors: Tensor) -> list[Tensor]:
        """Return tensors that lie here."""
        return [tensor.to(self.where, non_blocking=True) for tensor in tensors]

    def computing(self) -> AbstractContextManager[Any]:
        """Compute in this precision inside the block."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.where.type, self.dtype)

    def __str__(self) -> str:
        return f"{self.where} in {self.precision}"


def on_cpu(values: Tensor) -> Tensor:
    """Return a result as float32 on the CPU, without its gradient; whole numbers keep their type.

    Examples
    --------
    >>> on_cpu(torch.ones(1, dtype=torch.bfloat16))
    tensor([1.])
    """
    values = values.detach()
    return (values.float() if values.is_floating_point() else values).cpu()


def _automatic() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def state_on_cpu(state: Any) -> Any:
    """Return a copy, on the CPU, of a state that may hold tensors in dicts, lists and tuples; numbers keep their types.

    Examples
    --------
    >>> state_on_cpu({"weights": [torch.zeros(1)], "step": 3})
    {'weights': [tensor([0.])], 'step': 3}
    """
    if isinstance(state, Tensor):
        return state.detach().cpu().clone()
    if isinstance(state, Mapping):
        return {key: state_on_cpu(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(state_on_cpu(value) for value in state)
    return state
