"""Evaluation as in the paper's tables: top-1 and top-5 error, and "maps", the fraction of human variability.

Whatever is doubtful counts against the network: a class that shares the highest score is not the first guess, and
scores or maps that are not finite are refused.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import correlations, doubled_ranks
from rapidvision.recipes import Recipe

from ..computing.device import Device, Precision, on_cpu
from ..computing.forward import class_scores
from ..data.batches import Batches
from ..data.dataset import Store, open_store
from ..data.targets import Resize, resized
from ..layers.attention import attention_maps, kind_of
from ..preprocessing import Preprocessing
from ..scores import check_finite, first_guess, ranks
from .null import null_of

if TYPE_CHECKING:
    import pandas as pd


class Ceiling(Recipe, frozen=True):
    """How well people agree with one another, and by chance (paper, appendix "Inter-rater reliability").

    Attributes
    ----------
    rho : float
        Mean rank correlation between two people's maps of the same image.
    null : float
        The same between images.
    """

    rho: float = 0.58
    null: float = 0.18


@dataclass(frozen=True)
class Evaluation:
    """How a network classifies and where it looks, per image and in sum.

    Attributes
    ----------
    ids : list of str
        Images.
    labels, predicted : ndarray of int64, shape (n,)
        Classes; `predicted` is -1 where several share the highest score.
    rank_of_label : ndarray of int64, shape (n,)
        How many other classes score as high as the right one or higher; 0 where it alone has the highest score.
    rho : ndarray of float64, shape (n,)
        Rank correlation of the deepest layer's map with the image's map; NaN without a map or for a flat one.
    n_flat : int
        Images with a map whose attention is the same everywhere, so that no correlation exists.
    null : float
        Mean correlation with the maps of images of other classes, see :func:`rapidvision.gala_models.evaluation.null.null_of`.
    grid : tuple of int
        Height and width at which maps were compared: the layer's own.
    ceiling : Ceiling
        What "maps" is a fraction of.

    Examples
    --------
    Two images; the network recognizes the first, and neither has a map:

    >>> import numpy as np
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.evaluation.evaluate import Ceiling
    >>> found = rv.models.Evaluation(
    ...     ids=["cat", "dog"],
    ...     labels=np.array([0, 1]),
    ...     predicted=np.array([0, 0]),
    ...     rank_of_label=np.array([0, 1]),
    ...     rho=np.array([np.nan, np.nan]),
    ...     n_flat=0,
    ...     null=np.nan,
    ...     grid=(14, 14),
    ...     ceiling=Ceiling(),
    ... )
    >>> found.top1_error, found.top5_error
    (0.5, 0.0)
    """

    ids: list[str]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    rank_of_label: NDArray[np.int64]
    rho: NDArray[np.float64]
    n_flat: int
    null: float
    grid: tuple[int, int]
    ceiling: Ceiling

    def to_frame(self) -> "pd.DataFrame":
        """One row per image: its label, the network's guess, the label's rank and the correlation of the maps."""
        import pandas as pd

        return pd.DataFrame(
            {
                "image_id": self.ids,
                "label": self.labels,
                "predicted": self.predicted,
                "rank_of_label": self.rank_of_label,
                "rho": self.rho,
            }
        )

    @property
    def top1_error(self) -> float:
        """Share of images whose class is not the first guess."""
        return float(np.mean(self.rank_of_label > 0))

    @property
    def top5_error(self) -> float:
        """Share of images whose class is not among the first five guesses."""
        return float(np.mean(self.rank_of_label > 4))

    def summary(self) -> dict[str, Any]:
        """Numbers of one row of the paper's tables, in per cent where it has per cent.

        ``maps_p`` is the paper's: the share of images whose correlation lies below the null between people.
        """
        rho = self.rho[np.isfinite(self.rho)]
        mean = float(rho.mean()) if rho.size else float("nan")
        return {
            "n": len(self.ids),
            "top1_error": round(100 * self.top1_error, 4),
            "top5_error": round(100 * self.top5_error, 4),
            "rho": _rounded(mean),
            "rho_other_classes": _rounded(self.null),
            "maps": _rounded(100 * mean / self.ceiling.rho),
            "maps_p": _rounded(float(np.mean(rho < self.ceiling.null)) if rho.size else float("nan")),
            "n_maps": int(rho.size),
            "n_maps_left_out": int(np.count_nonzero(~np.isfinite(self.rho))),
            "n_flat": self.n_flat,
            "n_ties": int(np.count_nonzero(self.predicted < 0)),
            "grid": list(self.grid),
        }


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def evaluate(
    model: nn.Module | Path | str,
    store: Store | Path | str,
    preprocessing: Preprocessing | None = None,
    *,
    name: str = "",
    batch_size: int = 128,
    ceiling: Ceiling | None = None,
    resize: Resize = "bicubic",
    clutter: int = 0,
    scatter: bool = False,
    precision: Precision = "float32",
) -> Evaluation:
    """Evaluate a network on every image of a store, centre cut, on the device that holds the network.

    Parameters
    ----------
    model : Module or path-like
        The network, put into evaluation mode for the time being; or its file of weights.
    store : Store or path-like
        Images, labels, maps, from :func:`rapidvision.gala_models.pack_images`. Its side must be what the preprocessing brings images to before it cuts the centre.
    preprocessing : Preprocessing, optional
        The network's; a file of weights has its own.
    name : str, optional
        The network's, for messages; its type by default.
    batch_size : int, default 128
        Does not change the result beyond the rounding of the network's own activity.
    ceiling : Ceiling, optional
        The paper's by default.
    resize : {"bicubic", "bilinear-corners"}
        How maps are brought to the layer's size.
    clutter : int, default 0
        Fragments of other images on each, see :mod:`rapidvision.gala_models.data.clutter`.
    scatter : bool, default False
        Whether they are moved so that their objects lie anywhere, see :mod:`rapidvision.gala_models.data.augmentation`.
    precision : {"float32", "bf16", "fp16"}
        In which numbers the network computes.

    Returns
    -------
    Evaluation
        With a row per image.

    Raises
    ------
    CheckFailed
        When scores or maps are not finite; names network, images and layer.
    InputError
        When the store's images are not of the size that the preprocessing asks for, or a label is no class of the
        network.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label in ("cat", "dog"):
    ...         (Path(folder) / "images" / label).mkdir(parents=True)
    ...         pixels = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    ...         Image.fromarray(pixels).save(Path(folder) / "images" / label / "one.png")
    ...     _ = rv.models.pack_images(folder + "/images", folder + "/store", side_px=96)
    ...     network = rv.models.load("compact-gala")
    ...     found = rv.models.evaluate(network.model, folder + "/store", network.preprocessing)
    >>> len(found.to_frame()), 0 <= found.top1_error <= 1
    (2, True)
    """
    if isinstance(store, str | Path):
        store = open_store(store)
    if isinstance(model, str | Path):
        from ..weights.load import load_model

        model, card = load_model(model)
        preprocessing, name = preprocessing or card.preprocessing, name or card.name
    name = name or type(model).__name__
    if preprocessing is None:
        raise InputError(f"{name}: say how it sees images: give preprocessing, or a file of weights that has its own")
    preprocessing.check_side(store.description.side_px, where=f"{name}: the store")
    size = min(batch_size, len(store))
    batches = Batches(store, preprocessing.size_px, size, clutter=clutter, scatter=scatter)
    parts: list[_Part] = []
    device = Device.of(model, precision=precision)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), attention_maps(model, layers="last", kind=kind_of(model)) as maps:
            for batch in batches.in_order():
                images = [store.ids[row] for row in batch.rows]
                x, importance, labels, has_map = batch.tensors(preprocessing)
                scores = class_scores(model, x, name=name, images=images, device=device)
                _check_labels(scores, labels, name=name)
                attention = on_cpu(maps.last)
                check_finite(attention, images, network=f"{name}: attention", model=model, x=device.move(x)[0])
                wanted = resized(importance, *attention.shape[2:], how=resize)
                parts.append(_part(scores, labels, attention, wanted, has_map))
    finally:
        model.train(was_training)
    seen, targets = np.concatenate([part.seen for part in parts]), np.concatenate([part.wanted for part in parts])
    usable = np.concatenate([part.usable for part in parts])
    rho = np.where(usable, correlations(seen, targets), np.nan)
    return Evaluation(
        ids=list(store.ids),
        labels=store.labels,
        predicted=np.concatenate([part.predicted for part in parts]),
        rank_of_label=np.concatenate([part.rank for part in parts]),
        rho=rho,
        n_flat=int(np.count_nonzero(usable & (seen == seen[:, :1]).all(1))),
        null=null_of(seen, targets, np.where(np.isfinite(rho), store.labels, -1)),
        grid=parts[-1].grid,
        ceiling=ceiling or Ceiling(),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What came out of one batch; doubled ranks of both maps, shape (batch, places)."""

    predicted: NDArray[np.int64]
    rank: NDArray[np.int64]
    seen: NDArray[np.int32]
    wanted: NDArray[np.int32]
    usable: NDArray[np.bool_]
    grid: tuple[int, int]


def _check_labels(scores: Tensor, labels: Tensor, *, name: str) -> None:
    if int(labels.max()) >= scores.shape[1]:
        raise InputError(f"{name}: has {scores.shape[1]} outputs, the store has labels up to {int(labels.max())}")


def _part(scores: Tensor, labels: Tensor, attention: Tensor, importance: Tensor, has_map: Tensor) -> _Part:
    seen, wanted = (doubled_ranks(maps.flatten(1).numpy()) for maps in (attention, importance))
    return _Part(
        first_guess(scores).numpy(),
        ranks(scores, labels).numpy(),
        seen,
        wanted,
        has_map.numpy(),
        (attention.shape[2], attention.shape[3]),
    )
