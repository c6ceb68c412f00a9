"""From bubbles to maps: counts, pooling over players, and the named blurs."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from .rules import span

#: "blurred with a 49x49 kernel (the square of the bubble radius)"; the paper gives no shape, so it is a box.
PAPER_KERNEL_PX = 49


def counts(xy: Iterable[Sequence[int]], *, side_px: int, bubble_px: int) -> NDArray[np.float64]:
    """Return how many bubbles cover each pixel.

    Parameters
    ----------
    xy : iterable of (x, y)
        Bubble centres in pixels.
    side_px : int
        Side of the picture.
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
    """Return the map of several players of one picture.

    Parameters
    ----------
    maps : sequence of ndarray, shape (height, width)
        Counts per player.
    pool : {"players", "bubbles"}
        ``players``: the share of players who covered a pixel, 0 … 1, so that nobody counts more than once.
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


def blurred(values: NDArray[np.float64], blur: str) -> NDArray[np.float64]:
    """Return a map blurred; outside the picture there is nothing.

    Parameters
    ----------
    values : ndarray of float, shape (height, width)
        A map.
    blur : str
        ``none``, ``paper`` (a box of 49 x 49 pixels) or ``gauss:SIGMA`` (pixels).

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> blurred(np.eye(3), "gauss:nine")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: blur: got "gauss:nine"; allowed are none, paper, gauss:SIGMA (pixels)
    """
    from scipy import ndimage

    if blur == "none":
        return values
    if blur == "paper":
        out = ndimage.uniform_filter(values, PAPER_KERNEL_PX, mode="constant")
        return np.where(out > 1e-12 * max(float(out.max()), 1e-300), out, 0.0)  # the running sum leaves crumbs
    match = re.fullmatch(r"gauss:([0-9]*\.?[0-9]+)", blur)
    if match is None or not 0 < float(match[1]) < 1000:
        raise InputError(f'blur: got "{blur}"; allowed are none, paper, gauss:SIGMA (pixels)')
    return np.asarray(ndimage.gaussian_filter(values, float(match[1]), mode="constant"))


def spearman(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the rank correlation of two maps with average ties; nan where one is constant.

    Examples
    --------
    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    1.0
    """
    from scipy.stats import rankdata

    a, b = rankdata(one.ravel()), rankdata(other.ravel())
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return round(float((a * b).sum()) / scale, 12) if scale else float("nan")
