"""The GALA module that is put behind a layer: it leaves the layer's output unchanged at the start."""

from typing import Literal

import torch
from torch import Tensor, nn

from ..layers.architecture import GALAOptions
from ..layers.gala import GALA
from .layout import Shape

Form = Literal["gain", "rezero", "level", "small"]
FORMS: tuple[Form, ...] = ("gain", "rezero", "level", "small")
#: Factor on the drawn α and m of ``small``: small enough for the identity, large enough for a gradient in float32.
SMALL = 1e-8
#: Spread below which a channel counts as constant in calibration.
_LEAST_SPREAD = 1e-6


class Attended(nn.Module):
    """GALA in a residual form, for outputs of any layout.

    With z = α(G + S) + m(G·S) of the paper's section 3.1 and A = tanh z:

    ======== ============================== ============== =====================================
    form     output                         its map        at the start
    ======== ============================== ============== =====================================
    gain     U(1 + A)                       ‖1 + A‖        U to the bit (α = m = 0)
    level    U(1 + A) / mean(1 + A)         ‖1 + A‖        U to the bit
    rezero   U(1 + βA), β per channel       ‖A‖            U to the bit (β = 0)
    small    U(1 + A)                       ‖A‖            U within 1e-6 of the largest output
    ======== ============================== ============== =====================================

    Because 1 + tanh z = 2σ(2z), gain and level use the sigmoid gate of :class:`~rapidvision.gala_models.layers.gala.GALA`;
    the factor inside σ is part of α and m.

    Parameters
    ----------
    shape : Shape
        How the layer's output is laid out.
    form : {"gain", "rezero", "level", "small"}
        As above.
    reduction : int, default 4
        r of the paper.
    seed : int, default 0
        Of the weights.

    Examples
    --------
    >>> u = torch.rand(2, 5, 8, 8)
    >>> bool((Attended(Shape("channels_first", 5, (8, 8)))(u) == u).all())
    True
    """

    def __init__(self, shape: Shape, form: Form = "gain", *, reduction: int = 4, seed: int = 0) -> None:
        super().__init__()
        self.shape, self.form, self.reduction = shape, form, reduction
        #: Whether the layer's output passes through unchanged, as without attention.
        self.bypassed = False
        squash: Literal["sigmoid", "tanh"] = "sigmoid" if form in ("gain", "level") else "tanh"
        self.gala = GALA(shape.channels, GALAOptions(reduction=reduction, squash=squash))
        self.gala.reset_parameters(torch.Generator().manual_seed(seed))
        self.beta = nn.Parameter(torch.zeros(1, shape.channels, 1, 1)) if form == "rezero" else None
        with torch.no_grad():
            for vector in (self.gala.alpha, self.gala.m):
                vector.mul_({"gain": 0.0, "level": 0.0, "small": SMALL, "rezero": 1.0}[form])

    def forward(self, output: Tensor) -> Tensor:
        """Return the attended output, in the layout and shape of `output`."""
        if self.bypassed:
            return output
        if self.shape.layout == "tokens":
            attended = self.scaled(self.volume(output)).flatten(2).transpose(1, 2)
            return torch.cat([output[:, : self.shape.prefix], attended], 1)
        if self.shape.layout == "channels_last":
            return self.scaled(self.volume(output)).permute(0, 2, 3, 1)
        return self.scaled(output)

    def scaled(self, u: Tensor) -> Tensor:
        """Scale an activity of shape (batch, C, height, width)."""
        if self.form == "level":
            gate = self.gala.scale(torch.ones_like(u), *self.gala.pathways(u))
            return u * (gate / gate.mean((1, 2, 3), keepdim=True))
        found: Tensor = self.gala(u)
        if self.form == "gain":
            return found * 2
        return u + (found if self.beta is None else self.beta * found)

    def volume(self, output: Tensor) -> Tensor:
        """The places of an output that attention scales, shape (batch, C, height, width)."""
        if self.shape.layout == "tokens":
            tokens = output[:, self.shape.prefix :].transpose(1, 2)
            return tokens.reshape(*tokens.shape[:2], *self.shape.grid)
        return output.permute(0, 3, 1, 2) if self.shape.layout == "channels_last" else output

    @torch.no_grad()
    def calibrate(self, output: Tensor) -> None:
        """Fold each channel's mean and spread into both shrinking layers, so that they start on standard activity.

        Parameters
        ----------
        output : Tensor
            The layer's output for images like those to be trained on, before attention.
        """
        u = self.volume(output).float()
        spread, mean = torch.std_mean(u, (0, 2, 3), correction=0)
        spread = torch.where(spread < _LEAST_SPREAD, 1.0, spread)
        for part in (self.gala.global_shrink, self.gala.local_shrink):
            weight = part.weight.float() / spread[None, :, None, None]
            part.weight.copy_(weight)
            part.bias -= (weight.flatten(1) @ mean).to(part.bias)  # type: ignore[operator]
