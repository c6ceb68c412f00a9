"""Equation 1: classification and, beside it, the distance between attention and importance maps."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe

from ..data.targets import Resize, resized
from ..layers.attention import Maps


class MapLoss(Recipe, frozen=True):
    """The second term of Eq. 1, with every point where text and code differ as a switch.

    Attributes
    ----------
    lam : float
        λ; 6 in the paper, 1e-5 on its TPUs. 0 turns the term off.
    distance : {"l2", "l2_squared", "half_squares"}
        The outer norm: as printed; its square; ½Σ² as in the authors' code.
    column : {"l2", "mean_square"}
        How A is reduced over channels: "column-wise L2 norm", or the code's mean of squares.
    normalize : {"l2", "root_of_sum"}
        Each map divided by its L2 norm, or by √Σx as the code does.
    layers : {"sum", "mean"}
        Over the attended layers: Σ as printed, or the code's mean.
    reduction : {"batch", "supervised", "sum"}
        Over images: divided by the batch (images without a map count 0, so parts of a batch add up exactly), by
        the number that have a map, or not at all (the code).
    resize : {"bicubic", "bilinear-corners"}
        How maps are brought to a layer's size.
    """

    lam: float = 6.0
    distance: Literal["l2", "l2_squared", "half_squares"] = "l2"
    column: Literal["l2", "mean_square"] = "l2"
    normalize: Literal["l2", "root_of_sum"] = "l2"
    layers: Literal["sum", "mean"] = "sum"
    reduction: Literal["batch", "supervised", "sum"] = "batch"
    resize: Resize = "bicubic"

    def __post_init__(self) -> None:
        if not self.lam >= 0:
            raise ValueError(f"lam must be >= 0, got {self.lam}")


#: Name → map loss: ``paper`` is Eq. 1 as printed, ``gala_tpu`` the reference code of the authors.
PRESETS = {
    "paper": MapLoss(),
    "gala_tpu": MapLoss(
        lam=1e-5,
        distance="half_squares",
        column="mean_square",
        normalize="root_of_sum",
        layers="mean",
        reduction="sum",
        resize="bilinear-corners",
    ),
}


def preset(name: str) -> MapLoss:
    """Return ``paper`` (Eq. 1 as printed) or ``gala_tpu`` (the authors' reference code)."""
    if name not in PRESETS:
        raise InputError(f'map loss: no preset "{name}". {did_you_mean(name, PRESETS)}')
    return PRESETS[name]


class Loss(NamedTuple):
    """Scalars: what is minimized, and its two parts (the map distance before λ)."""

    total: Tensor
    classification: Tensor
    maps: Tensor


def loss(
    options: MapLoss, scores: Tensor, labels: Tensor, maps: Maps | None, importance: Tensor, has_map: Tensor
) -> Loss:
    """Compute Eq. 1 in float32.

    Parameters
    ----------
    options : MapLoss
        λ and the switches.
    scores : Tensor, shape (batch, classes)
        Logits.
    labels : Tensor of int64, shape (batch,)
        Classes.
    maps : Maps or None
        The network's maps of this batch; None without supervision.
    importance : Tensor, shape (batch, 1, height, width)
        Maps, ≥ 0; anything where `has_map` is False.
    has_map : Tensor of bool, shape (batch,)
        Images without a map contribute exactly nothing. Neither do maps that are all zero or not finite here.

    Returns
    -------
    Loss
        The classification term is the mean over the batch.
    """
    classification = F.cross_entropy(scores.float(), labels)
    if maps is None or options.lam == 0:
        return Loss(classification, classification, classification.new_zeros(()))
    distance = map_distance(options, maps, maps.n_channels, importance, has_map)
    return Loss(classification + options.lam * distance, classification, distance)


def map_distance(
    options: MapLoss, maps: Mapping[str, Tensor], n_channels: Mapping[str, int], importance: Tensor, has_map: Tensor
) -> Tensor:
    """Distance between a network's maps and importance maps, over layers and images; a scalar."""
    usable = has_map & importance.isfinite().flatten(1).all(1) & (importance.flatten(1).amax(1) > 0)
    importance = torch.where(usable[:, None, None, None], importance.float(), torch.ones_like(importance).float())
    total = importance.new_zeros(())
    for name, attention in maps.items():
        a = attention.float()
        if options.column == "mean_square":
            a = a.square() / n_channels[name]
        r = resized(importance, a.shape[2], a.shape[3], how=options.resize)
        difference = (_unit(r, options.normalize) - _unit(a, options.normalize)).flatten(1)
        if options.distance == "l2":  # its subgradient at 0 is 0, so a perfect match has a finite gradient
            each = torch.linalg.vector_norm(difference, dim=1)
        else:
            each = difference.square().sum(1) * (0.5 if options.distance == "half_squares" else 1.0)
        total = total + torch.where(usable, each, 0.0).sum()
    if options.layers == "mean":
        total = total / max(1, len(maps))
    if options.reduction == "batch":
        return total / max(1, len(usable))
    return total / usable.sum().clamp_min(1) if options.reduction == "supervised" else total


def _unit(maps: Tensor, how: str) -> Tensor:
    flat = maps.flatten(1)
    size = torch.linalg.vector_norm(flat, dim=1) if how == "l2" else flat.sum(1).clamp_min(0).add(1e-24).sqrt()
    return maps / size.clamp_min(1e-12)[:, None, None, None]
