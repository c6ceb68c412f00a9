"""GALA, global-and-local attention: the paper's section 3.1 as a module that costs little.

The paper's integration tanh(α(G + S) + m(G·S)) is, per channel, a straight line in S: tanh(o + k·s) with o = αg and
k = α + mg. Nothing of size H × W × C but the input has to be stored, and the map is made only when it is asked for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import InputError

from .architecture import GALAOptions
from .fused import convolved_relu
from .gating import HALF, attended, scaled_with_gradient, spatial_mean


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
        Whether forward keeps the attention map; set it through :func:`rapidvision.gala_models.layers.attention.attention_maps`.
    captured : Tensor of float32, shape (batch, 1, height, width), or None
        The column-wise L2 norm of the attention volume A.

    Raises
    ------
    InputError
        When there are fewer channels than the reduction ratio.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> module = rv.models.GALA(8)
    >>> tuple(module(torch.ones(2, 8, 5, 5)).shape)
    (2, 8, 5, 5)
    >>> sum(parameter.numel() for parameter in rv.models.GALA(1024).parameters())
    790273
    >>> rv.models.GALA(3)
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
        return F.linear(spatial_mean(u), self.global_shrink.weight.flatten(1), self.global_shrink.bias)

    def global_path(self, shrunk: Tensor) -> Tensor:
        """W_expand δ(·) of the shrunk summary statistics."""
        g = F.linear(F.relu(shrunk), self.global_expand.weight.flatten(1), self.global_expand.bias)[:, :, None, None]
        return F.relu(g) if self.options.global_relu else g

    def local_path(self, z: Tensor) -> Tensor:
        """V_collapse * of the shrunk, rectified activity."""
        if self.local_extra is not None:
            z = F.relu(self.local_extra(z))
        if z.dtype not in HALF:
            s: Tensor = self.local_collapse(z)
            return s
        last = self.local_collapse
        bias = None if last.bias is None else last.bias.float()
        with torch.autocast(z.device.type, enabled=False):  # one number per place decides the map: it keeps float32
            return F.conv2d(z.float(), last.weight.float(), bias)

    def forward(self, u: Tensor) -> Tensor:
        """Return U' = U ⊙ A; shape and memory layout as `u`, (batch, C, height, width) with more than one place."""
        if u.shape[2] * u.shape[3] < 2:
            raise InputError(
                f"GALA: got {u.shape[2]} x {u.shape[3]} places; local attention needs more than one, "
                "so use larger images or an earlier stage"
            )
        return self.scale(u, *self.pathways(u))

    def scale(self, u: Tensor, g: Tensor, s: Tensor) -> Tensor:
        """Integrate g and s and scale `u`; shared with the folded form."""
        o, k = self.alpha * g, self.alpha + self.m * g
        if not (self.capture and u.dtype in HALF):  # a map of half precision would have few different values
            o, k, s = o.to(u.dtype), k.to(u.dtype), s.to(u.dtype)
        if torch.is_grad_enabled():
            scaled, norm = scaled_with_gradient(u, o, k, s, self.options.squash, self.capture)
        else:
            scaled, norm = attended(u, o, k, s, self.options.squash, self.capture)
        if self.capture:
            self.captured = norm
        return scaled


def scaled_normal_(weight: Tensor, scale: float = 1.0, *, generator: torch.Generator | None = None) -> Tensor:
    """Fill `weight` from a normal cut at two standard deviations, with variance `scale` / fan-in after the cut."""
    std = (scale / weight[0].numel()) ** 0.5 / 0.87962566103423978  # standard deviation of a unit normal cut at ±2
    return nn.init.trunc_normal_(weight, 0.0, std, -2 * std, 2 * std, generator=generator)
