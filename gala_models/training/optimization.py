"""What changes the weights: SGD, weight decay, clipping, the scale of the loss in fp16, and averaged weights."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from rapidvision.errors import CheckFailed

from ..computing.device import Device, state_on_cpu
from ..layers.gala import GALA
from ..layers.se import SqueezeExcite
from .recipe import Training

_NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)  # noqa: SLF001  torch has no public base class


class Optimization:
    """The optimizer of a training run and what goes with it.

    Parameters
    ----------
    recipe : Training
        Momentum, weight decay, clipping, averaging, precision.
    model : Module
        On its device.
    device : Device
        Where it computes.

    Attributes
    ----------
    n_overflows : int
        Steps that were left out, because gradients in fp16 overflowed; the scale of the loss was lowered each time.
    """

    def __init__(self, recipe: Training, model: nn.Module, device: Device) -> None:
        self.recipe, self.model = recipe, model
        self.optimizer = torch.optim.SGD(
            groups(recipe, model),
            recipe.schedule.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.momentum > 0,
        )
        self.scaler = torch.amp.GradScaler(device.where.type, enabled=device.precision == "fp16")
        self.n_overflows = 0
        self._n_averaged = 0
        self._averaged: dict[str, Tensor] = {}
        if recipe.ema:
            self._averaged = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def begin(self, learning_rate: float) -> None:
        """Start a step."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a part of the batch."""
        torch.autograd.backward(self.scaler.scale(loss))

    def step(self, where: str) -> float:
        """Change the weights by the gradients.

        Parameters
        ----------
        where : str
            The step, for messages.

        Returns
        -------
        float
            Norm of the gradient before clipping; 0 where it is not watched, or the step was left out.

        Raises
        ------
        CheckFailed
            When a gradient is watched and not finite (other than by an overflow in fp16): names the parameter.
        """
        self.scaler.unscale_(self.optimizer)
        norm = self._norm(where) if self.recipe.clip_norm or self.recipe.watch_gradients else 0.0
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.scaler.get_scale() < scale:
            self.n_overflows += 1
            return 0.0
        self._average()
        return norm

    def _norm(self, where: str) -> float:
        named = [(name, one) for name, one in self.model.named_parameters() if one.grad is not None]
        norm = nn.utils.get_total_norm([one.grad for _, one in named if one.grad is not None])
        found = float(norm)
        if not isfinite(found) and not self.scaler.is_enabled():
            name = next(name for name, one in named if not bool(torch.isfinite(one.grad).all()))  # type: ignore[arg-type]
            raise CheckFailed(
                f"{where}: the gradient of {name} is not finite; lower schedule.learning_rate or map_loss.lam"
            )
        if self.recipe.clip_norm:
            nn.utils.clip_grads_with_norm_([one for _, one in named], self.recipe.clip_norm, norm)
        return found if isfinite(found) else 0.0

    def _average(self) -> None:
        if not self._averaged:
            return
        self._n_averaged += 1
        decay = min(self.recipe.ema, self._n_averaged / (9 + self._n_averaged))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                kept = self._averaged[name]
                if kept.is_floating_point():
                    kept.lerp_(value, 1 - decay)
                else:
                    kept.copy_(value)

    def weights(self) -> dict[str, Tensor]:
        """Return a copy, on the CPU, of the weights that count: the averaged ones, or the network's own."""
        found: dict[str, Tensor] = state_on_cpu(self._averaged or dict(self.model.state_dict()))
        return found

    def state(self) -> dict[str, Any]:
        """Return what a run needs to resume; on the CPU."""
        found: dict[str, Any] = state_on_cpu(
            {
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "averaged": self._averaged,
                "n_averaged": self._n_averaged,
                "n_overflows": self.n_overflows,
            }
        )
        return found

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state`."""
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        for name, value in state["averaged"].items():
            self._averaged[name].copy_(value)
        self._n_averaged, self.n_overflows = state["n_averaged"], state["n_overflows"]


def groups(recipe: Training, model: nn.Module) -> list[dict[str, Any]]:
    """Return the parameters with and without weight decay, in the order of the network.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> recipe = Training(no_weight_decay=("attention",))
    >>> [len(group["params"]) for group in groups(recipe, build("compact-gala"))]
    [46, 20]
    """
    kinds = {"attention": (GALA, SqueezeExcite), "norm": _NORMS}
    exempt: set[int] = set()
    for kind in recipe.no_weight_decay:
        for module in model.modules():
            if isinstance(module, kinds[kind]):
                exempt |= {id(one) for one in module.parameters()}
    decayed = [one for one in model.parameters() if id(one) not in exempt]
    free = [one for one in model.parameters() if id(one) in exempt]
    found = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return [group for group in found if group["params"]]
