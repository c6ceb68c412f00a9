"""Bins: continuous levels, as adaptive methods choose them, become few levels that are named after their edges."""

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from rapidvision.errors import InputError


def edges_of(values: Sequence[float], n: int) -> tuple[float, ...]:
    """Return edges, of three digits, that put about equally many distinct values into each of `n` bins.

    Raises
    ------
    InputError
        When there are too few distinct values, or they lie too close for edges of three digits.

    Examples
    --------
    >>> edges_of([1, 2, 3, 4, 5, 6.5], 3)
    (1.0, 3.0, 5.0, 6.5)
    """
    distinct = sorted(set(values))
    if not 2 <= n <= len(distinct) // 2 + 1:
        raise InputError(
            f"n_level_bins: got {n} for {len(distinct)} distinct levels; 2 to {len(distinct) // 2 + 1} are possible"
        )
    inner = [_rounded(distinct[round(at * len(distinct) / n)]) for at in range(1, n)]
    edges = (_down(distinct[0]), *inner, _up(distinct[-1]))
    if any(low >= high for low, high in itertools.pairwise(edges)):
        raise InputError(
            f"n_level_bins: {n} bins of these levels are narrower than three digits; name their edges (level_edges)"
        )
    return edges


def binned(
    values: Mapping[str, float], edges: Sequence[float], *, wheres: Mapping[str, str]
) -> dict[str, tuple[str, float]]:
    """Put each level into its bin: it holds its lower edge, the last one its upper edge too.

    Parameters
    ----------
    values : mapping of str to float
        Level as text → number.
    edges : sequence of float
        Ascending.
    wheres : mapping of str to str
        Where each text stands first, for messages.

    Returns
    -------
    dict
        Text → name of its bin, and the bin's lower edge.

    Raises
    ------
    InputError
        When edges do not ascend, or a level lies outside all bins.

    Examples
    --------
    >>> binned({"3": 3.0, "10": 10.0}, [0, 5, 10], wheres={})
    {'3': ('0 to 5', 0), '10': ('5 to 10', 5)}
    """
    if len(edges) < 2 or any(low >= high for low, high in itertools.pairwise(edges)):
        raise InputError(
            f"level_edges: got {', '.join(f'{edge:g}' for edge in edges)}; two or more ascending numbers are needed"
        )
    out = {}
    for text, value in values.items():
        at = len(edges) - 2 if value == edges[-1] else bisect_right(edges, value) - 1
        if not 0 <= at < len(edges) - 1:
            raise InputError(
                f"{wheres.get(text, 'levels')} is {text}, outside the bins from {edges[0]:g} to {edges[-1]:g}; widen level_edges"
            )
        out[text] = (f"{edges[at]:g} to {edges[at + 1]:g}", edges[at])
    return out


def scale_of(values: Sequence[float]) -> str:
    """Return ``log`` where numbers above 0 have steps that are more even as ratios than as differences, else ``linear``.

    Examples
    --------
    >>> scale_of([1, 3, 10, 30, 100]), scale_of([10, 20, 30]), scale_of([-3, 0, 3]), scale_of([0.5])
    ('log', 'linear', 'linear', 'linear')
    """
    found = sorted(set(values))
    if len(found) < 3 or found[0] <= 0:
        return "linear"
    return "log" if _unevenness([math.log(value) for value in found]) < _unevenness(found) - 1e-9 else "linear"


def _unevenness(values: Sequence[float]) -> float:
    """Standard deviation of the steps over their mean."""
    steps = [high - low for low, high in itertools.pairwise(values)]
    mean = sum(steps) / len(steps)
    return math.sqrt(sum((step - mean) ** 2 for step in steps) / len(steps)) / mean


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _down(value: float) -> float:
    rounded = _rounded(value)
    return rounded if rounded <= value else rounded - _unit(value)


def _up(value: float) -> float:
    rounded = _rounded(value)
    return rounded if rounded >= value else float(f"{rounded + _unit(value):.6g}")


def _unit(value: float) -> float:
    """One in the third digit."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 0.0
