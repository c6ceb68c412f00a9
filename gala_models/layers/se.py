"""Squeeze-and-excitation (Hu et al., 2018), with the parameter names that timm uses."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import InputError

from .gala import scaled_normal_


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all channels' means; GALA without its local path.

    Parameters
    ----------
    channels : int
        C.
    reduction : int, default 16
        Ratio of the bottleneck. 16 in the original; the GALA paper says 4 "as in the original work".

    Examples
    --------
    >>> tuple(SqueezeExcite(32)(torch.ones(2, 32, 4, 4)).shape)
    (2, 32, 4, 4)
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        if channels < reduction:
            raise InputError(f"squeeze-and-excitation: {channels} channels cannot be reduced by {reduction}")
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw "scaled normal" weights."""
        for part in (self.fc1, self.fc2):
            scaled_normal_(part.weight, generator=generator)
            nn.init.zeros_(part.bias)  # type: ignore[arg-type]

    def forward(self, u: Tensor) -> Tensor:
        """Return U scaled per channel; shape (batch, C, height, width)."""
        hidden = F.relu(F.linear(u.mean((2, 3)), self.fc1.weight.flatten(1), self.fc1.bias))
        gate = F.linear(hidden, self.fc2.weight.flatten(1), self.fc2.bias).sigmoid()
        return u * gate[:, :, None, None]
