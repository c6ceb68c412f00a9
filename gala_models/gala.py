"""GALA, global-and-local attention: the paper's section 3.1 as a module that costs little.

The paper's integration tanh(α(G + S) + m(G·S)) is, per channel, a straight line in S: tanh(o + k·s) with o = αg and
k = α + mg. Nothing of size H × W × C but the input has to be stored, and the map is made only when it is asked for.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe

from .fused import convolved_relu

Squash = Literal["tanh", "sigmoid"]


class GALAOptions(Recipe, frozen=True):
    """Every point where the paper's text and the authors' code (`gala_tpu`) differ, as a named switch.

    Attributes
    ----------
    reduction : int
        r of both bottlenecks; 4 in both.
    squash : {"tanh", "sigmoid"}
        ζ; the code used a sigmoid.
    global_relu : bool
        Whether a ReLU ends the global path, so that g ≥ 0; the code's did.
    local_kernel_px : int
        Side of one more convolution (with ReLU) between shrink and collapse, 0 for none; 5 in the code.
    apply_to : {"output", "input"}
        Whether the end of the dense path is attended ("final activity in a dense path") or the block's input, before
        the shortcut is taken, as in the code.
    """

    reduction: int = 4
    squash: Squash = "tanh"
    global_relu: bool = False
    local_kernel_px: int = 0
    apply_to: Literal["output", "input"] = "output"

    def __post_init__(self) -> None:
        if self.reduction < 1:
            raise ValueError(f"reduction must be >= 1, got {self.reduction}")
        if self.local_kernel_px < 0 or (self.local_kernel_px and self.local_kernel_px % 2 == 0):
            raise ValueError(f"local_kernel_px must be 0 or odd, got {self.local_kernel_px}")


PRESETS = {
    "paper": GALAOptions(),
    "gala_tpu": GALAOptions(squash="sigmoid", global_relu=True, local_kernel_px=5, apply_to="input"),
}


def preset(name: str) -> GALAOptions:
    """Return ``paper`` (the equations as printed) or ``gala_tpu`` (the authors' reference code).

    Examples
    --------
    >>> preset("gala_tpu").squash
    'sigmoid'
    """
    if name not in PRESETS:
        raise InputError(f'GALA: no preset "{name}". {did_you_mean(name, PRESETS)}')
    return PRESETS[name]


class GALA(nn.Module):
    """Scale an activity by an attention volume that joins global and local attention (paper, section 3.1).

    Parameters
    ----------
    channels : int
        C, at least `options.reduction`.
    options : GALAOptions, optional
        The paper's equations by default.

    Attributes
    ----------
    capture : bool
        Whether forward keeps the attention map; set it through :func:`rapidvision.gala_models.maps.attention_maps`.
    captured : Tensor or None
        Shape (batch, 1, height, width): the column-wise L2 norm of the attention volume A.

    Raises
    ------
    InputError
        When there are fewer channels than the reduction ratio.

    Examples
    --------
    >>> module = GALA(8)
    >>> tuple(module(torch.ones(2, 8, 5, 5)).shape)
    (2, 8, 5, 5)
    >>> sum(parameter.numel() for parameter in GALA(1024).parameters())
    790273
    >>> GALA(3)
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: GALA: 3 channels cannot be reduced by 4; use at least 4 channels or a smaller reduction
    """

    def __init__(self, channels: int, options: GALAOptions | None = None) -> None:
        super().__init__()
        self.options = options = options or GALAOptions()
        if channels < options.reduction:
            raise InputError(
                f"GALA: {channels} channels cannot be reduced by {options.reduction}; "
                f"use at least {options.reduction} channels or a smaller reduction"
            )
        narrow, kernel_px = channels // options.reduction, options.local_kernel_px
        self.global_shrink = nn.Conv2d(channels, narrow, 1)
        self.global_expand = nn.Conv2d(narrow, channels, 1)
        self.local_shrink = nn.Conv2d(channels, narrow, 1)
        self.local_extra = nn.Conv2d(narrow, narrow, kernel_px, padding=kernel_px // 2) if kernel_px else None
        self.local_collapse = nn.Conv2d(narrow, 1, 1)
        self.alpha = nn.Parameter(torch.empty(1, channels, 1, 1))
        self.m = nn.Parameter(torch.empty(1, channels, 1, 1))
        self.capture = False
        self.captured: Tensor | None = None
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw "scaled normal" weights; α and m have a fan-in of 1, so they come from a normal cut at ±2."""
        for part in (self.global_shrink, self.global_expand, self.local_shrink, self.local_extra, self.local_collapse):
            if part is not None:
                scaled_normal_(part.weight, generator=generator)
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]
        for vector in (self.alpha, self.m):
            nn.init.trunc_normal_(vector, 0.0, 1.0, -2.0, 2.0, generator=generator)

    def pathways(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Global attention g, shape (batch, C, 1, 1), and local attention s, shape (batch, 1, height, width)."""
        return self.global_path(self.narrow_mean(u)), self.local_path(convolved_relu(self.local_shrink, u))

    def narrow_mean(self, u: Tensor) -> Tensor:
        """W_shrink p: the pooled activity after the shrinking layer, shape (batch, C / r)."""
        return F.linear(_mean(u), self.global_shrink.weight.flatten(1), self.global_shrink.bias)

    def global_path(self, shrunk: Tensor) -> Tensor:
        """W_expand δ(·) of the shrunk summary statistics."""
        g = F.linear(F.relu(shrunk), self.global_expand.weight.flatten(1), self.global_expand.bias)[:, :, None, None]
        return F.relu(g) if self.options.global_relu else g

    def local_path(self, z: Tensor) -> Tensor:
        """V_collapse * of the shrunk, rectified activity."""
        if self.local_extra is not None:
            z = F.relu(self.local_extra(z))
        s: Tensor = self.local_collapse(z)
        return s

    def forward(self, u: Tensor) -> Tensor:
        """Return U' = U ⊙ A; shape and memory layout as `u`, (batch, C, height, width) with more than one place."""
        if u.shape[2] * u.shape[3] < 2:
            raise InputError(
                f"GALA: got {u.shape[2]} x {u.shape[3]} places; local attention needs more than one, "
                "so use larger pictures or an earlier stage"
            )
        return self.scale(u, *self.pathways(u))

    def scale(self, u: Tensor, g: Tensor, s: Tensor) -> Tensor:
        """Integrate g and s and scale `u`; shared with the folded form."""
        o, k = self.alpha * g, self.alpha + self.m * g
        o, k, s = o.to(u.dtype), k.to(u.dtype), s.to(u.dtype)
        if torch.is_grad_enabled():
            scaled, norm = _scale(u, o, k, s, self.options.squash, self.capture)
        else:
            scaled, norm = _attended(u, o, k, s, self.options.squash, self.capture)
        if self.capture:
            self.captured = norm
        return scaled


def scaled_normal_(weight: Tensor, scale: float = 1.0, *, generator: torch.Generator | None = None) -> Tensor:
    """Fill `weight` from a normal cut at two standard deviations, with variance `scale` / fan-in after the cut."""
    std = (scale / weight[0].numel()) ** 0.5 / 0.87962566103423978  # standard deviation of a unit normal cut at ±2
    return nn.init.trunc_normal_(weight, 0.0, std, -2 * std, 2 * std, generator=generator)


def _gate(u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash) -> Tensor:
    """A, in the layout of `u`: the broadcast of o and s alone would come out in the other layout, ten times slower.

    A tanh is 1 - 2σ(-2z): the same to rounding, and several times faster than torch.tanh on a CPU.
    """
    gate = torch.empty_like(u)
    if squash == "sigmoid":
        return torch.addcmul(o, k, s, out=gate).sigmoid_()
    torch.addcmul(o * -2, k * -2, s, out=gate).sigmoid_()
    return torch.add(gate.new_ones(()), gate, alpha=-2, out=gate)


def _attended(
    u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash, want_norm: bool
) -> tuple[Tensor, Tensor | None]:
    """U ⊙ A and, if wanted, the column norm of A; without it A itself is never made: u tanh z = u - 2uσ(-2z)."""
    if want_norm or squash == "sigmoid":
        gate = _gate(u, o, k, s, squash)
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
    if volume.dtype in (torch.bfloat16, torch.float16):
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
        scaled, norm = _attended(u, o, k, s, squash, want)
        ctx.squash = squash
        ctx.save_for_backward(u, o, k, s, norm)
        return scaled, norm

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_norm: Tensor | None) -> tuple[Tensor | None, ...]:
        u, o, k, s, norm = ctx.saved_tensors
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


def _mean(u: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        return u.mean((2, 3))
    found: Tensor = _Mean.apply(u)  # type: ignore[no-untyped-call]
    return found


def _scale(u: Tensor, o: Tensor, k: Tensor, s: Tensor, squash: Squash, want_norm: bool) -> tuple[Tensor, Tensor | None]:
    found: tuple[Tensor, Tensor | None] = _Scale.apply(u, o, k, s, squash, want_norm)  # type: ignore[no-untyped-call]
    return found
