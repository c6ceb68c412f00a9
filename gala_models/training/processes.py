"""Several processes on one task, as torchrun starts them; one process is the case of a world of size 1."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import nn

from rapidvision.errors import CheckFailed


@dataclass(frozen=True)
class World:
    """One process among the others.

    Attributes
    ----------
    rank, size : int
        Its number and how many there are.
    device : torch.device
        What it computes on.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """Let the processes share gradients."""
        return nn.parallel.DistributedDataParallel(model) if self.size > 1 else model

    def agree(self, what: str, value: object) -> None:
        """Stop, before anything is trained, when the processes do not have the same `value`."""
        if self.size == 1:
            return
        values: list[object] = [None] * self.size
        dist.all_gather_object(values, value)
        if any(other != values[0] for other in values):
            raise CheckFailed(f"processes disagree on {what}: {values}; give every process the same recipe and stores")

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Mean over the processes."""
        if self.size > 1:
            dist.all_reduce(value)
            value = value / self.size
        return value

    def wait(self) -> None:
        """Wait for the others."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def world() -> Iterator[World]:
    """Join the processes that torchrun started, or be alone.

    Yields
    ------
    World
        With CUDA and nccl where there is a GPU per process, else the CPU and gloo.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if size > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(rank, size, device)
    finally:
        if size > 1:
            dist.destroy_process_group()
