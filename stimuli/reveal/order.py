"""Which pixel appears when: the flood fill, and the other ways of revealing that control experiments ask for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.numerics.counter_rng import hashes

from ..recipe_tables import Reveal
from ..registries import REVEAL_MODES
from .flood import Engine, Growth, fill


def n_revealed_px(maps: list[ImportanceMap], reveal: Reveal) -> int:
    """Return how many pixels 100 % of the features are, the same for every source of an image.

    "The total number of pixels in the attention maps for a given image was equalized between ClickMe and saliency
    maps" (paper, appendix).

    Parameters
    ----------
    maps : list of ImportanceMap
        One per source, all of one image.
    reveal : Reveal
        Its budget: a share of the image's pixels, or ``support``.

    Returns
    -------
    int
        At least 1.
    """
    if reveal.budget == "support":
        return min(one.n_supported_px for one in maps)
    return max(1, int(float(reveal.budget) * maps[0].values.size + 0.5))


def reveal_order(
    importance: ImportanceMap, n_px: int, reveal: Reveal, *, key: int, engine: Engine = "auto"
) -> NDArray[np.int32]:
    """Return the first `n_px` pixels of a map in the order in which they are revealed.

    Parameters
    ----------
    importance : ImportanceMap
        Shape (height, width).
    n_px : int
        How many.
    reveal : Reveal
        The mode and its numbers.
    key : int
        64-bit key of this image and source.
    engine : {"auto", "numba", "portable"}
        For the flood fill.

    Returns
    -------
    ndarray of int32, shape (n_px,)
        Raster indices, none twice.
    """
    order = REVEAL_MODES.get(reveal.mode)(importance, n_px, reveal, key=key, engine=engine)
    if REVEAL_MODES.is_builtin(reveal.mode):
        return np.asarray(order)
    return _checked(np.asarray(order), importance, n_px, reveal.mode)


def _checked(order: NDArray[Any], importance: ImportanceMap, n_px: int, mode: str) -> NDArray[np.int32]:
    """Refuse what a plug-in returned unless it is `n_px` different pixels of the image."""
    where = f"reveal mode {mode}: {importance.image_id} from {importance.source}"
    if order.shape != (n_px,) or order.dtype.kind not in "iu":
        raise InputError(
            f"{where}: got {order.dtype} of shape {order.shape}; {n_px} whole numbers, the raster indices of "
            "pixels, are needed"
        )
    size = importance.values.size
    if order.min() < 0 or order.max() >= size or len(np.unique(order)) < n_px:
        raise InputError(f"{where}: indices must lie from 0 to {size - 1}, and none may appear twice")
    return order.astype(np.int32, copy=False)


def growth(
    importance: ImportanceMap, n_px: int, reveal: Reveal, /, *, key: int, engine: Engine = "auto"
) -> NDArray[np.int32]:
    """The stochastic flood fill, a :class:`~rapidvision.stimuli.plugins.RevealMode`."""
    law = Growth(reveal.gamma, reveal.epsilon, reveal.neighbours, _start(importance, reveal))
    return fill(importance.values, n_px, key=key, growth=law, engine=engine)


def uniform(
    importance: ImportanceMap, n_px: int, reveal: Reveal, /, *, key: int, engine: Engine = "auto"
) -> NDArray[np.int32]:
    """The flood fill that starts where growth does and is blind to importance, a control."""
    start = _start(importance, reveal) or importance.peak
    law = Growth(0.0, reveal.epsilon, reveal.neighbours, start)
    return fill(importance.values, n_px, key=key, growth=law, engine=engine)


def _start(importance: ImportanceMap, reveal: Reveal) -> tuple[int, int] | None:
    height, width = importance.shape
    if isinstance(reveal.start, str):
        return {"peak": None, "centre": (height // 2, width // 2)}[reveal.start]
    return reveal.start


def top(
    importance: ImportanceMap,
    n_px: int,
    _reveal: Reveal,
    /,
    *,
    key: int,
    engine: Engine = "auto",  # noqa: ARG001  (it fills nothing)
) -> NDArray[np.int32]:
    """Most important first; equals in the order of their hash, so that no direction is preferred."""
    if n_px > importance.n_supported_px:
        raise InputError(
            f"map of {importance.image_id} from {importance.source}: {n_px} pixels are to be revealed and only "
            f'{importance.n_supported_px} have importance; use a smaller budget, "support" or mode = "growth"'
        )
    values = importance.values.ravel()
    lots = hashes(np.arange(values.size, dtype=np.uint64), key)
    return np.lexsort((lots, -values))[:n_px].astype(np.int32)


def bubbles(
    importance: ImportanceMap,
    n_px: int,
    reveal: Reveal,
    /,
    *,
    key: int,
    engine: Engine = "auto",  # noqa: ARG001  (it fills nothing)
) -> NDArray[np.int32]:
    """Discs around pixels drawn in proportion to importance, each filled from its middle, until `n_px` are open."""
    height, width = importance.shape
    radius_px = reveal.bubble_radius_px
    if n_px > 0.9 * height * width:
        raise InputError(f"bubbles: {n_px} of {height * width} pixels cannot be opened by discs; use a smaller budget")
    cumulated = np.cumsum(importance.values.ravel().astype(np.float64))
    rows, columns = np.mgrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    inside = rows**2 + columns**2 <= radius_px**2
    by_distance = np.lexsort((columns[inside], rows[inside], (rows**2 + columns**2)[inside]))
    rows, columns = rows[inside][by_distance], columns[inside][by_distance]
    seen = np.zeros(height * width, bool)
    found: list[NDArray[np.int64]] = []
    n_found = 0
    for number in range(1000 * height * width):
        lot = float(hashes(np.array([number], np.uint64), key)[0] >> np.uint64(11)) / 2**53
        centre = min(int(np.searchsorted(cumulated, lot * cumulated[-1], side="right")), seen.size - 1)
        y, x = rows + centre // width, columns + centre % width
        fits = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        pixels = y[fits] * width + x[fits]
        new = pixels[~seen[pixels]]
        seen[new] = True
        found.append(new)
        n_found += new.size
        if n_found >= n_px:
            return np.concatenate(found)[:n_px].astype(np.int32)
        if number > 20 * n_px:
            break
    raise InputError(
        f"map of {importance.image_id} from {importance.source}: bubbles on its few important pixels open only {n_found} of "
        f"{n_px} pixels; use a smaller budget or larger bubbles"
    )


def centring_shift(order: NDArray[np.int32], shape: tuple[int, int], centring: str) -> tuple[int, int]:
    """Return the rows and columns by which the revealed region moves towards the middle of the canvas.

    "The revealed region was set to the center of the image" (paper, appendix): the region's centroid, or its start,
    goes to the middle, but never so far that a revealed pixel would leave the frame.

    Parameters
    ----------
    order : ndarray of int32, shape (n,)
        Revealed pixels as raster indices, the start first.
    shape : (int, int)
        Height and width in pixels.
    centring : {"region", "start", "none"}
        What goes to the middle.

    Returns
    -------
    (int, int)
        Pixels down and to the right.

    Examples
    --------
    >>> centring_shift(np.array([0, 1], np.int32), (5, 5), "region")
    (2, 2)
    """
    if centring == "none":
        return 0, 0
    rows, columns = np.divmod(order.astype(np.int64), shape[1])
    shift = []
    for places, size in ((rows, shape[0]), (columns, shape[1])):
        if centring == "start":
            wanted = (size - 1) // 2 - int(places[0])
        else:  # the nearest whole number to (size - 1) / 2 - mean, in whole numbers only
            wanted = ((size - 1) * places.size - 2 * int(places.sum()) + places.size) // (2 * places.size)
        shift.append(int(min(max(wanted, -int(places.min())), size - 1 - int(places.max()))))
    return shift[0], shift[1]
