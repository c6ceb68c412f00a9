"""Several processes on one task, as torchrun starts them; one process is the case of a world of size 1.

No process leaves alone. What fails in one is told to the others before anything is waited for, so that each ends with the
message; and the processes take leave of one another before the first one closes its connections, because a process whose
peer has vanished in the middle of a call is ended by a signal instead.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from rapidvision.errors import CheckFailed, InputError, RapidVisionError

from ..computing.device import Device

T = TypeVar("T")

#: Written on an error that every process raises.
_SHARED = "every process stops"
#: Longest wait for the other processes before connections are closed, and between two looks whether they are ready.
_FAREWELL_S, _LOOK_S = 60.0, 0.05


@dataclass(frozen=True)
class World:
    """One process among the others.

    Attributes
    ----------
    rank, size : int
        Its number and how many there are.
    device : Device
        What it computes on.
    """

    rank: int = 0
    size: int = 1
    device: Device = field(default_factory=Device)

    @property
    def first(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """Let the processes share gradients."""
        return nn.parallel.DistributedDataParallel(model) if self.size > 1 else model

    def gathered(self, value: T) -> list[T]:
        """Return every process's `value`, in the order of their ranks."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def together(self, work: Callable[[], T]) -> T:
        """Do `work` in every process; where it fails in one, it fails in all.

        Raises
        ------
        Exception
            This process's own; or CheckFailed with the message of the first process that failed.
        """
        result, failure = _tried(work)
        for rank, message in enumerate(self.gathered(_message(failure))):
            if message is not None:
                found = failure or CheckFailed(f"process {rank} of {self.size} stopped: {message}")
                found.add_note(_SHARED)
                raise found
        return result  # type: ignore[return-value]

    def led(self, work: Callable[[], None]) -> None:
        """Let the first process do `work` while the others wait; where it fails, all fail with its message."""
        self.together(work if self.first else lambda: None)

    def agree(self, what: str, value: object) -> None:
        """Stop, before anything is trained, when the processes do not have the same `value`."""
        values = self.gathered(value)
        if any(other != values[0] for other in values):
            found = CheckFailed(
                f"processes disagree on {what}: {values}; give every process the same recipe and stores"
            )
            found.add_note(_SHARED)
            raise found

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Mean over the processes; `value` lies on this process's device, as nccl requires."""
        if self.size > 1:
            dist.all_reduce(value)
            value = value / self.size
        return value


def _tried(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # it is told to the others, then raised
        return None, error


def _message(failure: BaseException | None) -> str | None:
    if failure is None:
        return None
    return str(failure) if isinstance(failure, RapidVisionError) else f"{type(failure).__name__}: {failure}"


@contextmanager
def world(device: str = "auto") -> Iterator[World]:
    """Join the processes that torchrun started, or be alone.

    Parameters
    ----------
    device : str, default "auto"
        As :meth:`Device.named` takes it. With several processes, ``cuda`` and ``auto`` mean a GPU for each.

    Yields
    ------
    World
        With nccl between GPUs, else with gloo.

    Raises
    ------
    InputError
        When there is no such device, or not one for each process.
    CheckFailed
        When another process stopped: with its message.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    here = _own_device(device, local, size)
    if size == 1:
        yield World(rank, size, here)
        return
    store, rank, size = next(rendezvous("env://"))
    dist.init_process_group("nccl" if here.where.type == "cuda" else "gloo", store=store, rank=rank, world_size=size)
    farewell = _Farewell(PrefixStore("rapidvision", store), rank, size)
    try:
        yield World(rank, size, here)
    except BaseException as error:
        _ignore_termination()
        if _SHARED in getattr(error, "__notes__", ()):
            farewell.together()
            raise
        told = farewell.alone(error)
        if told and isinstance(error, RuntimeError):  # the call in which the other process was lost
            raise CheckFailed(f"another process stopped: {told}") from error
        raise
    farewell.together()


def _own_device(name: str, local: int, size: int) -> Device:
    """The device of this process; `local` is its number on this computer."""
    if name in ("auto", "cuda") and torch.cuda.is_available():
        if local >= torch.cuda.device_count():
            raise InputError(
                f"{local + 1} processes for {torch.cuda.device_count()} GPUs; start torchrun with --nproc-per-node "
                f"{torch.cuda.device_count()}, or use --device cpu"
            )
        torch.cuda.set_device(local)
        return Device.named(f"cuda:{local}")
    found = Device.named(name)
    if size > 1 and found.where.type == "mps":
        raise InputError("device mps: one process only; start without torchrun, or use --device cpu")
    if size > 1 and found.where.type == "cuda":
        raise InputError(f"device {name}: one GPU for {size} processes; write --device cuda, which is one for each")
    return found


@dataclass(frozen=True, slots=True)
class _Farewell:
    """How processes part: through the store in which they found one another, which the first process may hold."""

    store: Any
    rank: int
    size: int

    def together(self) -> None:
        """Close connections only when every process is ready to."""
        self._count("ready", self.size)
        self._close()

    def alone(self, error: BaseException) -> str:
        """Say why this process stops, close its connections, which wakes the others; return why another stopped."""
        reason = f"{self.rank} {_message(error)}"
        with _store_may_be_gone():
            reason = self.store.compare_set("stopped", "", reason).decode()
        self._close()
        rank, _, message = reason.partition(" ")
        return "" if int(rank) == self.rank else f"process {rank} of {self.size}: {message}"

    def _close(self) -> None:
        dist.destroy_process_group()
        # The first process may hold the store, so it is the last to go.
        self._count("gone", self.size if self.rank == 0 else 0)

    def _count(self, what: str, n: int) -> None:
        with _store_may_be_gone():
            found, until = self.store.add(what, 1), time.perf_counter() + _FAREWELL_S
            while found < n and time.perf_counter() < until:
                time.sleep(_LOOK_S)
                found = self.store.add(what, 0)


def _store_may_be_gone() -> AbstractContextManager[None]:
    """The process that held the store may have been killed; then there is no one left to wait for."""
    return suppress(dist.DistError, RuntimeError)


def _ignore_termination() -> None:
    """Keep this process's message and exit code: torchrun terminates the others as soon as the first one has left."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
