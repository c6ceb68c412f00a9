"""A network as the partner of the ClickMe game: views in, probabilities of the categories out."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rapidvision.errors import InputError

from .networks import bundled_paths
from .weights import load_model, read_card

Partner = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def make(categories: Sequence[str], *, model: str | None = None) -> Partner:
    """Return a partner that knows `categories`.

    Parameters
    ----------
    categories : sequence of str
        What the pictures show; the order of the answers.
    model : str, optional
        A file of weights with named categories; by default the bundled network that names most pictures rightly.

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
    """
    path = Path(model) if model else _best_bundled()
    network, card = load_model(path)
    known = {category.name: index for index, category in enumerate(card.categories)}
    if not known:
        raise InputError(f"{path}: its classes have no names; a partner needs a network that was trained on named ones")
    unknown = [name for name in categories if name not in known]
    if unknown:
        raise LookupError(f"{path.name} does not know {', '.join(unknown)}; it knows {', '.join(known)}")
    columns = torch.tensor([known[name] for name in categories])

    def answer(views: NDArray[np.uint8]) -> NDArray[np.float64]:
        with torch.inference_mode():
            scores = network(card.preprocessing(views))
            return np.asarray(scores.double().softmax(1)[:, columns].numpy())

    return answer


def _best_bundled() -> Path:
    paths = bundled_paths()
    if not paths:
        raise InputError("no bundled networks in this installation; make some with `rapidvision models train-demo`")
    return min(paths, key=_errors)


def _errors(path: Path) -> tuple[float, float]:
    """Share of unseen pictures that a network names wrongly, and how little its attention is like people's."""
    test = read_card(path).results.get("test", {})
    return float(test.get("top1_error", np.inf)), -float(test.get("maps", 0.0))
