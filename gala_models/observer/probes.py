"""Linear probes: how much of the answer each layer holds, and a time limit for networks made from them.

A probe is a logistic regression on one layer's pooled activity, fitted on intact images and always asked about a
image that it was not fitted on. An early-exit network answers at the first probe that is sure enough; the work done
until then, in multiply-accumulates, stands for its response time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import CheckFailed, InputError
from rapidvision.recipes import Recipe
from rapidvision.seeds import stream

from ..computing.device import Device
from ..layers.fused import separate_steps
from .features import named_layers

#: A column whose spread is below this share of its mean differs by the rounding of float32 alone.
_ROUNDING = 1e-6
#: The fit must have settled to this, in units of the standardized weights.
_SETTLED = 1e-6


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted logistic regression: log odds of target = (x - mean) / std @ weights + bias."""

    mean: Tensor
    std: Tensor
    weights: Tensor
    bias: Tensor

    def evidence(self, features: Tensor) -> Tensor:
        """Log odds of target; float64, shape (n,), of features (n, size)."""
        return (features.double() - self.mean) / self.std @ self.weights + self.bias


def fit(features: Tensor, target: Tensor, *, penalty: float = 1.0, n_iterations: int = 50) -> Probe:
    """Fit a logistic regression with a ridge penalty, by Newton's method in float64.

    Parameters
    ----------
    features : Tensor, shape (n, size)
        Finite; standardized here. Columns that vary by no more than rounding stay 0.
    target : Tensor of bool, shape (n,)
        Both values must occur.
    penalty : float, default 1.0
        λ of ½λ‖w‖² beside the summed log loss, on standardized features; the bias is free.
    n_iterations : int, default 50
        At most.

    Returns
    -------
    Probe
        The unique minimum.

    Raises
    ------
    InputError
        When only one of the two values occurs, or a feature is not finite.
    CheckFailed
        When the fit does not settle.

    Examples
    --------
    >>> x = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]])
    >>> probe = fit(x, x[:, 0] > 0)
    >>> (probe.evidence(x) > 0).tolist()
    [False, False, True, True]
    """
    y = target.double()
    if not penalty > 0 or not 0 < float(y.mean()) < 1:
        raise InputError("probe: needs images of targets and of distractors, and a penalty above 0")
    x = features.double()
    if not bool(torch.isfinite(x).all()):
        raise InputError("probe: some features are not finite; such a layer has no answers")
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > _ROUNDING * mean.abs(), std, torch.inf)
    design = torch.cat([(x - mean) / std, torch.ones(len(x), 1, dtype=torch.double)], 1)
    ridge = torch.full((design.shape[1],), penalty, dtype=torch.double)
    ridge[-1] = 1e-9
    w, size = torch.zeros(design.shape[1], dtype=torch.double), 0.0
    for _ in range(n_iterations):
        p = (design @ w).sigmoid()
        gradient = design.T @ (p - y) + ridge * w
        hessian = (design * (p * (1 - p))[:, None]).T @ design + torch.diag(ridge)
        step = torch.linalg.solve(hessian, gradient)
        size = float(step.norm())
        w = w - step * min(1.0, 5.0 / max(size, 1e-12))
        if size < 1e-10:
            break
    if size > _SETTLED:
        raise CheckFailed(f"probe: the fit moved by {size:g} in its last of {n_iterations} steps; use a larger penalty")
    return Probe(mean, std, w[:-1], w[-1])


def cross_validated(
    features: Tensor,
    *,
    target: Tensor,
    image: Sequence[str],
    intact: Tensor,
    seed: int,
    n_folds: int = 5,
    penalty: float = 1.0,
) -> NDArray[np.float64]:
    """Evidence for every stimulus from probes that never saw its image.

    Parameters
    ----------
    features : Tensor, shape (n, size)
        Of all stimuli.
    target : Tensor of bool, shape (n,)
        Whether the stimulus shows a target.
    image : sequence of str
        Which image each stimulus is made from.
    intact : Tensor of bool, shape (n,)
        The stimuli that probes are fitted on; one per image is used.
    seed : int
        Of the folds.
    n_folds : int, default 5
        Images are dealt out to them separately for targets and distractors.
    penalty : float, default 1.0
        See :func:`fit`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Log odds of target.
    """
    kinds = dict(zip(image, target.tolist(), strict=True))
    fold: dict[str, int] = {}
    for kind in (True, False):
        names = sorted(name for name, value in kinds.items() if value == kind)
        if len(names) < n_folds:
            raise InputError(f"probe: {len(names)} images of one kind are too few for {n_folds} folds")
        for place, at in enumerate(stream(seed, "folds", int(kind)).permutation(len(names))):
            fold[names[at]] = place % n_folds
    folds = torch.tensor([fold[name] for name in image])
    first = {name: row for row, name in reversed(list(enumerate(image))) if intact[row]}
    rows = torch.tensor(sorted(first.values()))
    if len(first) < len(kinds):
        raise InputError(f"probe: {len(kinds) - len(first)} images have no intact stimulus to fit on")
    evidence = torch.zeros(len(features), dtype=torch.double)
    for number in range(n_folds):
        train = rows[folds[rows] != number]
        probe = fit(features[train], target[train], penalty=penalty)
        asked = folds == number
        evidence[asked] = probe.evidence(features[asked])
    return evidence.numpy()


def multiply_accumulates(model: nn.Module, layers: Sequence[str], x: Tensor) -> dict[str, float]:
    """Work until each layer has answered, in millions of multiply-accumulates for one image of `x`.

    Convolutions, linear layers and attention are counted, whatever operators compute them on this processor.

    Raises
    ------
    InputError
        When a layer is unknown or does not run.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> work = multiply_accumulates(build("compact-resnet").eval(), ["layer1", "layer2"], torch.zeros(1, 3, 96, 96))
    >>> 0 < work["layer1"] < work["layer2"]
    True
    """
    from torch.utils.flop_counter import FlopCounterMode

    modules = named_layers(model, layers)
    done: dict[str, int] = {}
    with FlopCounterMode(display=False) as counter, torch.no_grad(), _countable():
        hooks = [
            modules[name].register_forward_hook(
                lambda _module, _inputs, _output, name=name: done.__setitem__(name, counter.get_total_flops())
            )
            for name in layers
        ]
        try:
            model(*Device.of(model).move(x))
        finally:
            for hook in hooks:
                hook.remove()
    idle = [name for name in layers if name not in done]
    if idle:
        raise InputError(f"probe: {', '.join(idle)} does not run when the network answers; name other layers")
    return {name: done[name] / 2e6 / len(x) for name in layers}


@contextmanager
def _countable() -> Iterator[None]:
    """Let fused operators of oneDNN and of attention be computed in the steps that a counter knows."""
    from torch.backends import mha
    from torch.nn.attention import SDPBackend, sdpa_kernel

    fast = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        with separate_steps(), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        mha.set_fastpath_enabled(fast)


class EarlyExit(Recipe, frozen=True):
    """When a network answers, and how long that took.

    Attributes
    ----------
    threshold : float
        It answers at the first probe whose log odds are at least this far from 0, and at the last one in any case.
    base_ms, ms_per_million : float
        Response time = base + slope x millions of multiply-accumulates; a free line, to be fitted to people.
    """

    threshold: float = 2.0
    base_ms: float = 200.0
    ms_per_million: float = 1.0

    def __post_init__(self) -> None:
        if not (self.threshold >= 0 and self.base_ms >= 0 and self.ms_per_million >= 0):
            raise ValueError("threshold, base_ms and ms_per_million must be >= 0")

    def decide(
        self, evidence: NDArray[np.float64], work: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Choose the exit of each stimulus.

        Parameters
        ----------
        evidence : ndarray, shape (n_layers, n)
            Log odds of the probes, in the order of the layers.
        work : sequence of float
            Millions of multiply-accumulates until each layer, rising.

        Returns
        -------
        tuple of ndarray, each of shape (n,)
            Log odds at the exit, and the response time in milliseconds.

        Examples
        --------
        >>> EarlyExit(threshold=1.0, base_ms=100.0, ms_per_million=10.0).decide(np.array([[0.5, -3.0], [2.0, 9.0]]), [1, 4])
        (array([ 2., -3.]), array([140., 110.]))
        """
        if list(work) != sorted(work) or len(work) != len(evidence):
            raise InputError(f"early exit: the work until each of {len(evidence)} layers must rise, got {list(work)}")
        sure = np.abs(evidence) >= self.threshold
        sure[-1] = True
        at = sure.argmax(0)
        times_ms = self.base_ms + self.ms_per_million * np.asarray(work, float)[at]
        return evidence[at, np.arange(evidence.shape[1])], times_ms
