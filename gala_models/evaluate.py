"""Evaluation as in the paper's tables: top-1 and top-5 error, and "maps", the fraction of human variability."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rapidvision.ranks import correlations, doubled_ranks
from rapidvision.recipes import Recipe

from .batches import Batches
from .maps import attention_maps, kind_of
from .pixels import Preprocessing
from .store import Store
from .targets import Resize, resized


class Ceiling(Recipe, frozen=True):
    """How well people agree with one another, and by chance (paper, appendix "Inter-rater reliability").

    Attributes
    ----------
    rho : float
        Mean rank correlation between two people's maps of the same picture.
    null : float
        The same between pictures.
    """

    rho: float = 0.58
    null: float = 0.18


@dataclass(frozen=True)
class Evaluation:
    """What came out, per picture and in sum.

    Attributes
    ----------
    ids : list of str
        Pictures.
    labels, predicted : ndarray of int64, shape (n,)
        Classes.
    rank_of_label : ndarray of int64, shape (n,)
        0 where the right class has the highest score.
    rho : ndarray of float64, shape (n,)
        Rank correlation of the deepest layer's map with the picture's map; NaN without a map or for a flat one.
    null : float
        Mean correlation with other pictures' maps.
    grid : tuple of int
        Height and width at which maps were compared: the layer's own.
    ceiling : Ceiling
        What "maps" is a fraction of.
    """

    ids: list[str]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    rank_of_label: NDArray[np.int64]
    rho: NDArray[np.float64]
    null: float
    grid: tuple[int, int]
    ceiling: Ceiling

    @property
    def top1_error(self) -> float:
        """Share of pictures whose class is not the first guess."""
        return float(np.mean(self.rank_of_label > 0))

    @property
    def top5_error(self) -> float:
        """Share of pictures whose class is not among the first five guesses."""
        return float(np.mean(self.rank_of_label > 4))

    def summary(self) -> dict[str, Any]:
        """Numbers of one row of the paper's tables, in per cent where it has per cent.

        ``maps_p`` is the paper's: the share of pictures whose correlation lies below the null between people.
        """
        rho = self.rho[np.isfinite(self.rho)]
        mean = float(rho.mean()) if rho.size else float("nan")
        return {
            "n": len(self.ids),
            "top1_error": round(100 * self.top1_error, 4),
            "top5_error": round(100 * self.top5_error, 4),
            "rho": _rounded(mean),
            "rho_other_pictures": _rounded(self.null),
            "maps": _rounded(100 * mean / self.ceiling.rho),
            "maps_p": _rounded(float(np.mean(rho < self.ceiling.null)) if rho.size else float("nan")),
            "n_maps": int(rho.size),
            "n_maps_left_out": int(np.count_nonzero(~np.isfinite(self.rho))),
            "grid": list(self.grid),
        }


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def evaluate(
    model: nn.Module,
    store: Store,
    preprocessing: Preprocessing,
    *,
    batch_size: int = 128,
    ceiling: Ceiling | None = None,
    resize: Resize = "bicubic",
    clutter: int = 0,
    scatter: bool = False,
) -> Evaluation:
    """Evaluate a network on every picture of a store, centre cut.

    Parameters
    ----------
    model : Module
        Put into evaluation mode for the time being.
    store : Store
        Pictures, labels, maps.
    preprocessing : Preprocessing
        The network's.
    batch_size : int, default 128
        Does not change the result beyond rounding.
    ceiling : Ceiling, optional
        The paper's by default.
    resize : {"bicubic", "bilinear-corners"}
        How maps are brought to the layer's size.
    clutter : int, default 0
        Fragments of other pictures on each, see :mod:`rapidvision.gala_models.clutter`.
    scatter : bool, default False
        Whether they are moved so that their objects lie anywhere, see :mod:`rapidvision.gala_models.scatter`.

    Returns
    -------
    Evaluation
        With a row per picture.
    """
    size = min(batch_size, len(store))
    batches = Batches(store, preprocessing.size_px, size, clutter=clutter, scatter=scatter)
    predicted, ranks, rho, null = [], [], [], []
    was_training = model.training
    model.eval()
    grid = (0, 0)
    with torch.inference_mode(), attention_maps(model, layers="last", kind=kind_of(model)) as maps:
        for batch in batches.in_order():
            x, importance, labels, has_map = batch.tensors(preprocessing)
            scores = model(x).float()
            own = scores.gather(1, labels[:, None])
            predicted.append(scores.argmax(1))
            ranks.append((scores > own).sum(1))
            attention = maps.last[:, 0].float()
            grid = (attention.shape[1], attention.shape[2])
            seen = doubled_ranks(attention.flatten(1).cpu().numpy())
            wanted = doubled_ranks(resized(importance, *grid, how=resize).flatten(1).cpu().numpy())
            usable = has_map.cpu().numpy()
            rho.append(np.where(usable, correlations(seen, wanted), np.nan))
            if len(batch.rows) > 1:
                other = correlations(seen, np.roll(wanted, 1, 0))
                null.append(np.where(usable & np.roll(usable, 1), other, np.nan))
    model.train(was_training)
    chance = np.concatenate(null) if null else np.zeros(0)
    chance = chance[np.isfinite(chance)]
    return Evaluation(
        ids=list(store.ids),
        labels=store.labels,
        predicted=torch.cat(predicted).numpy(),
        rank_of_label=torch.cat(ranks).numpy(),
        rho=np.concatenate(rho),
        null=float(chance.mean()) if chance.size else float("nan"),
        grid=grid,
        ceiling=ceiling or Ceiling(),
    )
