"""A network as the partner of the ClickMe game: views in, probabilities of the categories out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rapidvision.errors import InputError

from .layers.fold import fold
from .layers.resnet import ResNet
from .observer.networks import bundled_paths
from .scores import check_finite
from .weights.card import read_card
from .weights.load import load_model

Partner = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def build_partner(
    categories: Sequence[str],
    *,
    model: str | None = None,
    n_threads: int | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
) -> Partner:
    """Return a partner that knows `categories`.

    Parameters
    ----------
    categories : sequence of str
        What the images show; the order of the answers.
    model : str, optional
        A file of weights with named categories; by default the bundled network that names most images rightly.
    n_threads : int, optional
        Threads of this process's networks; torch's own choice by default, which leaves no core to anybody else.
    precision : {"float32", "bfloat16"}
        ``bfloat16`` halves the time of a large network where the processor computes in it, and keeps about three
        digits of a probability.

    Returns
    -------
    callable
        uint8 (n, height, width, 3) → float64 (n, n_categories): the network's probabilities of those categories,
        which sum to one only where they are all that it knows.

    Raises
    ------
    LookupError
        When the network does not know one of the categories.
    InputError
        When there is no such network, or its classes have no names.
    CheckFailed
        When its scores are not finite, now or for a later view.
    """
    path = Path(model) if model else _best_bundled()
    trained, card = load_model(path)
    known = {category.name: index for index, category in enumerate(card.categories)}
    if not known:
        raise InputError(f"{path}: its classes have no names; a partner needs a network that was trained on named ones")
    unknown = [name for name in categories if name not in known]
    if unknown:
        raise LookupError(f"{path.name} does not know {', '.join(unknown)}; it knows {', '.join(known)}")
    columns = torch.tensor([known[name] for name in categories])
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    network = for_inference(trained).to(dtype)
    blank = np.full((1, card.preprocessing.size_px, card.preprocessing.size_px, 3), 128, np.uint8)
    if n_threads is not None:
        torch.set_num_threads(n_threads)

    def answer(views: NDArray[np.uint8]) -> NDArray[np.float64]:
        with torch.inference_mode():
            x = card.preprocessing(views).to(dtype)
            scores = network(x)
            check_finite(scores, [f"view {row}" for row in range(len(views))], network=path.name, model=network, x=x)
            return np.asarray(scores.double().softmax(1)[:, columns].numpy())

    answer(blank)  # a network without answers is refused before anybody plays
    return answer


def for_inference(model: nn.Module) -> nn.Module:
    """Return the network folded where it can be: post-activation networks."""
    return fold(model) if isinstance(model, ResNet) and model.bn1 is not None else model.eval()


def _best_bundled() -> Path:
    paths = bundled_paths()
    if not paths:
        raise InputError("no bundled networks in this installation; make some with `rapidvision models train-demo`")
    return min(paths, key=_errors)


def _errors(path: Path) -> tuple[float, float]:
    """Share of unseen images that a network names wrongly, and how little its attention is like people's."""
    test = read_card(path).results.get("test", {})
    return _or_worst(test.get("top1_error")), _or_worst(test.get("maps"), sign=-1)


def _or_worst(value: float | None, *, sign: int = 1) -> float:
    """A result to be as small as possible; one that is missing or not finite is the worst."""
    return np.inf if value is None or not np.isfinite(value) else sign * float(value)
