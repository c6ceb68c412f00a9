"""From bubbles to maps: counts, and pooling over players."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..game.rules import span


def counts(xy: Iterable[Sequence[int]], *, side_px: int, bubble_px: int) -> NDArray[np.float64]:
    """Return how many bubbles cover each pixel.

    Parameters
    ----------
    xy : iterable of (x, y)
        Bubble centres in pixels.
    side_px : int
        Side of the image.
    bubble_px : int
        Side of a bubble; 1 marks the centres only.

    Returns
    -------
    ndarray of float64, shape (side_px, side_px)
        Whole numbers ≥ 0.

    Examples
    --------
    >>> counts([(2, 1), (2, 1)], side_px=4, bubble_px=1).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    corners = np.zeros((side_px + 1, side_px + 1))
    for x, y in xy:
        (left, right), (top, bottom) = span(int(x), bubble_px, side_px), span(int(y), bubble_px, side_px)
        corners[top, left] += 1
        corners[bottom, right] += 1
        corners[top, right] -= 1
        corners[bottom, left] -= 1
    return np.asarray(corners.cumsum(0).cumsum(1)[:side_px, :side_px])


def pooled(maps: Sequence[NDArray[np.float64]], *, pool: str = "players") -> NDArray[np.float64]:
    """Return the map of several players of one image.

    Parameters
    ----------
    maps : sequence of ndarray, shape (height, width)
        Counts per player.
    pool : {"players", "bubbles"}
        ``players``: the share of players who covered a pixel, 0 … 1, so that no player counts more than once.
        ``bubbles``: the share of all bubbles that covered it.

    Examples
    --------
    >>> pooled([np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]])]).tolist()
    [[1.0, 0.5]]
    >>> pooled([np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]])], pool="bubbles").tolist()
    [[0.8, 0.2]]
    """
    stack = np.stack(maps)
    if pool == "players":
        return np.asarray((stack > 0).mean(axis=0))
    if pool != "bubbles":
        raise InputError(f'pool: got "{pool}"; allowed are players, bubbles')
    total = stack.sum(axis=0)
    return np.asarray(total / total.sum())
