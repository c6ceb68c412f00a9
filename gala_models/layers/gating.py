"""The arithmetic of the gate tanh(o + k·s) or σ(o + k·s): little memory, the input's layout, and a map in float32."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .architecture import Squash

#: Types whose two or three digits are too few for a map.
HALF = (torch.bfloat16, torch.float16)


def gate_of(u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash) -> Tensor:
    """A, in the layout of `u`: the broadcast of o and s alone would come out in the other layout, ten times slower.

    A tanh is 1 - 2σ(-2z): the same to rounding, and several times faster than torch.tanh on a CPU.
    """
    gate = torch.empty_like(u)
    if squash == "sigmoid":
        return torch.addcmul(o, k, s, out=gate).sigmoid_()
    torch.addcmul(o * -2, k * -2, s, out=gate).sigmoid_()
    return torch.add(gate.new_ones(()), gate, alpha=-2, out=gate)


def attended(
    u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash, want_norm: bool
) -> tuple[Tensor, Tensor | None]:
    """U ⊙ A and, if wanted, the column norm of A; without it A itself is never made: u tanh z = u - 2uσ(-2z)."""
    if want_norm and u.dtype in HALF:
        wide = gate_of(u.float(), o.float(), k.float(), s.float(), squash)
        return wide.to(u.dtype).mul_(u), column_norm(wide)
    if want_norm or squash == "sigmoid":
        gate = gate_of(u, o, k, s, squash)
        norm = column_norm(gate) if want_norm else None
        return gate.mul_(u), norm
    gate = torch.empty_like(u)
    torch.addcmul(o * -2, k * -2, s, out=gate).sigmoid_()
    return torch.addcmul(u, u, gate, value=-2, out=gate), None


def column_norm(volume: Tensor) -> Tensor:
    """L2 norm over channels, float32 at least: a map in half precision would have a few dozen different values.

    Parameters
    ----------
    volume : Tensor, shape (batch, channels, height, width)
        Of any floating type.

    Returns
    -------
    Tensor, shape (batch, 1, height, width)
        float64 where the volume is, else float32.

    Examples
    --------
    >>> column_norm(torch.ones(1, 4, 1, 1, dtype=torch.bfloat16))
    tensor([[[[2.]]]])
    """
    if volume.dtype in HALF:
        norm: Tensor = torch.linalg.vector_norm(volume, dim=1, keepdim=True, dtype=torch.float32)
        return norm
    with torch.autocast(volume.device.type, enabled=False):  # it would compute the products in half precision
        squares: Tensor = torch.linalg.vecdot(volume, volume, dim=1)
    return squares.unsqueeze(1).clamp_min(1e-24).sqrt()  # the slope at 0 is infinite


class _Scale(torch.autograd.Function):
    """U ⊙ ζ(o + k·s) and, if wanted, the column norm of ζ(·); ζ is computed again in backward instead of stored."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash, want: bool
    ) -> tuple[Tensor, Tensor | None]:
        scaled, norm = attended(u, o, k, s, squash, want)
        ctx.squash = squash
        ctx.save_for_backward(u, o, k, s, norm)
        return scaled, norm

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_norm: Tensor | None) -> tuple[Tensor | None, ...]:
        u, o, k, s, norm = ctx.saved_tensors
        o, k, s = o.to(u.dtype), k.to(u.dtype), s.to(u.dtype)
        tanh = ctx.squash == "tanh"
        factor, slope = (-2, 4) if tanh else (1, 1)
        # All of it follows from one sigmoid: tanh z = 1 - 2σ(-2z), and its derivative is 4σ(1 - σ).
        sigma = torch.empty_like(u)
        torch.addcmul(o * factor, k * factor, s, out=sigma).sigmoid_()
        grad_u = torch.addcmul(grad, grad, sigma, value=-2) if tanh else grad * sigma
        if norm is None or grad_norm is None:
            inner = grad * u
        elif tanh:
            through = (grad_norm / norm.clamp_min(1e-12)).to(grad.dtype)
            inner = torch.addcmul(through, grad, u, out=torch.empty_like(u)).addcmul_(sigma, through, value=-2)
        else:
            inner = (grad * u).addcmul_(sigma, (grad_norm / norm.clamp_min(1e-12)).to(grad.dtype))
        inner.mul_(sigma.addcmul_(sigma, sigma, value=-1))
        grad_o = inner.sum((2, 3), keepdim=True).mul_(slope)
        grad_s = torch.linalg.vecdot(inner, k.expand_as(inner), dim=1).unsqueeze(1).mul_(slope)
        grad_k = inner.mul_(s).sum((2, 3), keepdim=True).mul_(slope)
        return grad_u, grad_o, grad_k, grad_s, None, None


class _Mean(torch.autograd.Function):
    """Mean over places, whose gradient has the layout of its input.

    PyTorch's own divides after spreading, over the whole volume, and comes out in the other layout, so that adding it to the
    other gradients of the input is slow too.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor) -> Tensor:
        last = u.is_contiguous(memory_format=torch.channels_last)
        ctx.shape, ctx.layout = u.shape, torch.channels_last if last else torch.contiguous_format
        return u.mean((2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        spread = torch.empty(ctx.shape, dtype=grad.dtype, device=grad.device, memory_format=ctx.layout)
        return spread.copy_((grad / (ctx.shape[2] * ctx.shape[3]))[:, :, None, None])


def spatial_mean(u: Tensor) -> Tensor:
    """Mean over places, shape (batch, C), of an activity (batch, C, height, width)."""
    if not torch.is_grad_enabled():
        return u.mean((2, 3))
    found: Tensor = _Mean.apply(u)  # type: ignore[no-untyped-call]
    return found


def scaled_with_gradient(
    u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash, want_norm: bool
) -> tuple[Tensor, Tensor | None]:
    """:func:`attended` with a gradient that computes the gate again instead of storing it."""
    found: tuple[Tensor, Tensor | None] = _Scale.apply(u, o, k, s, squash, want_norm)  # type: ignore[no-untyped-call]
    return found
