"""Does a map look mirrored or turned? Told by the maps that other sources have of the same image.

Files of maps are easily transposed or mirrored on their way, and nothing in them says so. Where an image has maps
from several sources, a map that agrees much better with the others after a turn is worth a look. A hint, no more:
people and algorithms may well differ in where they look.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The eight ways in which a square can lie; the first is upright.
TURNS: dict[str, Callable[[Array], Array]] = {
    "upright": lambda x: x,
    "mirrored": lambda x: x[:, ::-1],
    "upside down": lambda x: x[::-1],
    "turned by 180 degrees": lambda x: x[::-1, ::-1],
    "transposed": lambda x: x.T,
    "turned by 90 degrees": np.rot90,
    "turned by 270 degrees": lambda x: np.rot90(x, 3),
    "transposed the other way": lambda x: x[::-1, ::-1].T,
}

#: Cells per side in which maps are compared; fixations are not known better than that.
CELLS = 16


def agreement(maps: Mapping[str, NDArray[np.float32]]) -> dict[str, tuple[float, ...]]:
    """Return each source's correlation with the mean of the other sources' maps, for each of :data:`TURNS`.

    Parameters
    ----------
    maps : mapping
        Source → map, ndarray of shape (side, side); all of one image.

    Returns
    -------
    dict
        Source → eight correlations in the order of :data:`TURNS`; empty where there is one source only.

    Examples
    --------
    >>> corner = np.zeros((32, 32), np.float32)
    >>> corner[2:6, 2:6] = 1
    >>> agreement({"a": corner, "b": corner.T, "c": corner})["b"][0]
    1.0
    >>> agreement({"a": corner, "b": corner[:, ::-1]})["b"][:2]
    (-0.016, 1.0)
    """
    if len(maps) < 2:
        return dict.fromkeys(maps, ())
    small = {name: _standardised(cells(values)) for name, values in maps.items()}
    out = {}
    for name, own in small.items():
        others = _standardised(np.sum([one for other, one in small.items() if other != name], axis=0))
        out[name] = tuple(round(float((turn(own) * others).mean()), 3) + 0.0 for turn in TURNS.values())
    return out


def cells(values: NDArray[np.float32]) -> Array:
    """Return the mean of a map in :data:`CELLS` x :data:`CELLS` cells (of nearly equal size)."""
    edges = np.arange(CELLS) * values.shape[0] // CELLS
    sums = np.add.reduceat(np.add.reduceat(values, edges, axis=0, dtype=np.float64), edges, axis=1)
    widths = np.diff(edges, append=values.shape[0])
    return np.asarray(sums / np.outer(widths, widths))


def _standardised(values: Array) -> Array:
    spread = values.std()
    return np.asarray((values - values.mean()) / spread if spread > 0 else np.zeros_like(values))
