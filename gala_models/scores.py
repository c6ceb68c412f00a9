"""Class scores judged against the network: what is not finite is refused, and a tie is an error."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rapidvision.errors import CheckFailed

#: Scores this close are equal: a few units in the last place of float32, relative to the image's largest score.
TIE = 4 * torch.finfo(torch.float32).eps

_SHOWN = 5


def ranks(scores: Tensor, labels: Tensor) -> Tensor:
    """Count, for each image, the other classes whose score is not below that of its own class.

    Parameters
    ----------
    scores : Tensor, shape (n, classes)
        Finite.
    labels : Tensor of int64, shape (n,)
        Own classes.

    Returns
    -------
    Tensor of int64, shape (n,)
        0 only where the own class alone has the highest score; `classes` - 1 where all scores are equal. Scores that
        differ by less than :data:`TIE` are equal.

    Examples
    --------
    >>> ranks(torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]]), torch.tensor([0, 0])).tolist()
    [0, 2]
    """
    scores = scores.float()
    own = scores.gather(1, labels[:, None])
    return (scores >= own - _margin(scores)).sum(1) - 1


def first_guess(scores: Tensor) -> Tensor:
    """Return the class with the highest score, or -1 where several share it; int64, shape (n,).

    Examples
    --------
    >>> first_guess(torch.tensor([[0.0, 3.0], [1.0, 1.0]])).tolist()
    [1, -1]
    """
    scores = scores.float()
    best = scores.amax(1, keepdim=True)
    alone = (scores >= best - _margin(scores)).sum(1) == 1
    return torch.where(alone, scores.argmax(1), -1)


def _margin(scores: Tensor) -> Tensor:
    return TIE * scores.abs().amax(1, keepdim=True)


def check_finite(values: Tensor, images: Sequence[str], *, network: str, model: nn.Module, x: Tensor) -> None:
    """Refuse what a network returned when some of it is NaN or infinite.

    Parameters
    ----------
    values : Tensor, shape (n, ...)
        Scores or maps of `n` images.
    images : sequence of str
        Their names.
    network : str
        For the message.
    model : Module
        The network, run once more on the first such image to find the layer.
    x : Tensor, shape (n, 3, height, width)
        What went in.

    Raises
    ------
    CheckFailed
        Names network, images and the first layer whose output is not finite.
    """
    bad = ~torch.isfinite(values).flatten(1).all(1)
    if not bool(bad.any()):
        return
    rows = bad.nonzero()[:, 0].tolist()
    names = ", ".join(images[row] for row in rows[:_SHOWN]) + (", …" if len(rows) > _SHOWN else "")
    layer = first_bad_layer(model, x[rows[:1]])
    raise CheckFailed(
        f"{network}: {len(rows)} of {len(images)} images give values that are not finite ({names}); the first layer "
        f"whose output is not finite is {layer}. Such a network has no answers: repair or replace its weights"
    )


def first_bad_layer(model: nn.Module, x: Tensor) -> str:
    """Name the first layer, in the order of computing, whose output for `x` is not finite.

    Examples
    --------
    >>> broken = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    >>> _ = nn.init.constant_(broken[1].bias, float("inf"))
    >>> first_bad_layer(broken, torch.zeros(1, 2))
    '1'
    """
    if not bool(torch.isfinite(x).all()):
        return "the input"
    found: list[str] = []

    def looker(name: str) -> object:
        def look(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                found.append(name)

        return look

    handles = [module.register_forward_hook(looker(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else "the network's own output"
