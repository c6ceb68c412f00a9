"""Smoothed gradients (Smilkov et al., 2017) that do not depend on the batch, and what two networks see differently."""

import torch
from torch import Tensor, nn

from rapidvision.errors import InputError
from rapidvision.seeds import key64

from ..scores import check_finite

#: Noisy copies per forward pass. A constant, because convolutions of another size round differently in float32.
COPIES_PER_PASS = 32


def smoothgrad(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    n_samples: int = 50,
    noise_fraction: float = 0.15,
    seed: int = 0,
    batch_size: int = 64,
) -> Tensor:
    """Average the gradient of a class score over noisy copies of each image.

    The noise of a sample follows from the seed, the image's place and the sample's number alone, the network always
    sees the same copies together, 32 at a time, and gradients are added in the order of the samples in float64: the
    result is the same to the bit for any `batch_size`. The network's memory is that of 32 images, whatever
    `batch_size` is.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    x : Tensor, shape (n, channels, height, width)
        Network input.
    target : Tensor of int64, shape (n,)
        Whose score is derived.
    n_samples : int, default 50
        Noisy copies per image.
    noise_fraction : float, default 0.15
        Standard deviation of the noise as a share of each image's range.
    seed : int, default 0
        Of the noise.
    batch_size : int, default 64
        Copies whose noise and gradients are held at once, rounded up to whole passes of 32.

    Returns
    -------
    Tensor, shape (n, channels, height, width)
        Signed mean gradient.

    Raises
    ------
    InputError
        When the model is in training mode (batch norm would mix images), or shapes do not fit.
    CheckFailed
        When a gradient is not finite; names the image's place and the layer.
    """
    if model.training:
        raise InputError("smoothgrad: the model is in training mode; call model.eval() first")
    if x.ndim != 4 or target.shape != (len(x),) or n_samples < 1 or batch_size < 1:
        raise InputError(f"smoothgrad: input {tuple(x.shape)} and target {tuple(target.shape)}; one target per image")
    spread = noise_fraction * (x.amax((1, 2, 3)) - x.amin((1, 2, 3)))
    total = torch.zeros_like(x, dtype=torch.float64)
    jobs = [(row, sample) for row in range(len(x)) for sample in range(n_samples)]
    held = -(-batch_size // COPIES_PER_PASS) * COPIES_PER_PASS
    for start in range(0, len(jobs), held):
        part = jobs[start : start + held]
        rows = torch.tensor([row for row, _ in part], device=x.device)
        noise = torch.stack([_noise(x, seed, row, sample) for row, sample in part])
        noisy = torch.addcmul(x[rows], noise, spread[rows][:, None, None, None])
        passes = [slice(first, first + COPIES_PER_PASS) for first in range(0, len(part), COPIES_PER_PASS)]
        gradients = torch.cat([_gradient(model, noisy[one], target[rows[one]]) for one in passes])
        for (row, _), gradient in zip(part, gradients, strict=True):
            total[row] += gradient
    check_finite(total, [f"image {row}" for row in range(len(x))], network="smoothgrad", model=model, x=x)
    return (total / n_samples).to(x)


def _gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model(x).gather(1, target[:, None]).sum(), x)
    return gradient


def _noise(x: Tensor, seed: int, row: int, sample: int) -> Tensor:
    generator = torch.Generator().manual_seed(key64(seed, "smoothgrad", row, sample) & (2**63 - 1))
    return torch.randn(x.shape[1:], generator=generator, dtype=x.dtype).to(x.device)


def salience(gradient: Tensor) -> Tensor:
    """Largest absolute value over channels, each image brought to 0 … 1; shape (n, height, width).

    Examples
    --------
    >>> salience(torch.tensor([[[[1.0, -4.0]], [[2.0, 0.0]]]])).tolist()
    [[[0.5, 1.0]]]
    """
    if not bool(torch.isfinite(gradient).all()):
        raise InputError("salience: the gradient is not finite; there is nothing to rank")
    strongest = gradient.abs().amax(1)
    return strongest / strongest.amax((1, 2), keepdim=True).clamp_min(1e-12)


def difference(first: Tensor, second: Tensor) -> Tensor:
    """Normalized difference of two networks' salience (Fig. 8, "Gradient Δ").

    Parameters
    ----------
    first, second : Tensor, shape (n, channels, height, width)
        Gradients of the same images.

    Returns
    -------
    Tensor, shape (n, height, width)
        In -1 … 1: above 0 where the first network cares more.
    """
    if first.shape != second.shape:
        raise InputError(
            f"difference: gradients of {tuple(first.shape)} and {tuple(second.shape)}; the same images are needed"
        )
    raw = salience(first) - salience(second)
    return raw / raw.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
