"""Rank-order correlation per picture, exact with ties, many at once."""

import torch
from torch import Tensor


def ranks(values: Tensor) -> Tensor:
    """Return average ranks along the last dimension, doubled so that ties stay whole numbers; float64.

    Examples
    --------
    >>> ranks(torch.tensor([[3.0, 1.0, 3.0]])).tolist()
    [[5.0, 2.0, 5.0]]
    """
    ordered, values = values.sort(dim=-1).values, values.contiguous()
    below = torch.searchsorted(ordered, values)
    return (below + torch.searchsorted(ordered, values, right=True) + 1).double()


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Return Spearman's correlation of each row of `a` with the same row of `b`.

    Parameters
    ----------
    a, b : Tensor, shape (n, size)
        Maps, flattened.

    Returns
    -------
    Tensor of float64, shape (n,)
        NaN where a row is constant: it ranks nothing.

    Examples
    --------
    >>> spearman(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, 3.0, 2.0]])).round(decimals=9).tolist()
    [0.5]
    """
    first, second = ranks(a), ranks(b)
    first = first - first.mean(1, keepdim=True)
    second = second - second.mean(1, keepdim=True)
    size = first.norm(dim=1) * second.norm(dim=1)
    return torch.where(size > 0, (first * second).sum(1) / size.clamp_min(1e-300), torch.nan)
