"""What a reader returns: a dense map in the image's frame, or points recorded on it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import checked_values


@dataclass(frozen=True, slots=True, eq=False)
class DenseMap:
    """Importance for every pixel of some frame.

    Attributes
    ----------
    values : ndarray of float32, shape (height, width)
        Finite, ≥ 0, not all equal.
    n_observers : int
        How many people it pools; 0 where unknown.
    where : str
        The file, for messages.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rv.stimuli.DenseMap(np.eye(8, dtype=np.float32), n_observers=5).values.shape
    (8, 8)
    """

    values: NDArray[np.float32]
    n_observers: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Clicks, bubbles or fixations on an image.

    Attributes
    ----------
    x_px, y_px : ndarray of float64, shape (n,)
        Column and row in the frame; 0 is the centre of the first pixel. In another unit where the recipe's frame says so.
    n_observers : int
        How many people made them.
    frame_px : (int, int) or None
        Width and height of the frame; None means that of the image file.
    weights : ndarray of float64, shape (n,), or None
        For example durations; None means 1 each.
    where : str
        The file, for messages.
    n_missing : int
        Samples without a position (blinks, lost samples), left out of the others.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> clicks = rv.stimuli.Points(np.array([3.0, 7.5]), np.array([2.0, 2.5]), n_observers=1, frame_px=(640, 480))
    >>> clicks.x_px.tolist(), clicks.frame_px
    ([3.0, 7.5], (640, 480))
    """

    x_px: NDArray[np.float64]
    y_px: NDArray[np.float64]
    n_observers: int
    frame_px: tuple[int, int] | None = None
    weights: NDArray[np.float64] | None = None
    where: str = ""
    n_missing: int = 0


class MapReader(Protocol):
    """An opened source."""

    def read(self, image_id: str) -> DenseMap | Points:
        """Return the map of an image; InputError when there is none or it is unusable."""

    def has(self, image_id: str) -> bool:
        """Whether the source knows the image."""

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""


def dense(values: NDArray[np.generic], *, where: str, n_observers: int = 0) -> DenseMap:
    """Check values and wrap them; see :func:`rapidvision.maps.checked_values`."""
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise InputError(f"{where}: values of type {array.dtype}; a map is made of numbers")
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite and are refused as such
        values = checked_values(np.squeeze(array) if array.ndim > 2 else array, where=where)
    return DenseMap(values, n_observers, where)
