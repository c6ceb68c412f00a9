"""Importance maps: which pixels of an image matter, according to one source."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.system import files


@dataclass(frozen=True, slots=True, eq=False)
class ImportanceMap:
    """How important each pixel of one image is, from one source (paper, sections 2 and 2.2).

    Parameters
    ----------
    values : array_like of float, shape (height, width)
        Finite, ≥ 0, not all equal. Kept as float32, read-only.
    image_id : str
        The image that the map belongs to.
    source : str
        Where it comes from: ``clickme``, ``salicon``, ``fixations`` …
    n_observers : int, default 0
        How many people it pools; 0 where that is unknown.

    Raises
    ------
    InputError
        When the values are not a usable map; the message names the image and the source.

    Examples
    --------
    >>> import rapidvision as rv
    >>> one = rv.ImportanceMap([[0, 1], [2, 1]], image_id="cat-03", source="clickme", n_observers=4)
    >>> one.shape, one.n_supported_px, one.peak
    ((2, 2), 3, (1, 0))
    >>> rv.ImportanceMap([[0.0, -1.0]], image_id="cat-03", source="clickme")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: map of cat-03 from clickme: 1 of 2 values are negative; importance is counted from 0 up
    """

    values: NDArray[np.float32]
    image_id: str = field(kw_only=True)
    source: str = field(kw_only=True)
    n_observers: int = field(kw_only=True, default=0)

    def __post_init__(self) -> None:
        where = f"map of {self.image_id} from {self.source}"
        values = checked_values(self.values, where=where)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def n_supported_px(self) -> int:
        """How many pixels have any importance at all."""
        return int(np.count_nonzero(self.values))

    @property
    def peak(self) -> tuple[int, int]:
        """Row and column of the most important pixel; the first in raster order where several tie."""
        row, column = np.unravel_index(int(np.argmax(self.values)), self.values.shape)
        return int(row), int(column)

    @property
    def sha256(self) -> str:
        """Hash of shape and values, little-endian float32: equal maps have equal hashes on every machine."""
        head = f"{self.values.shape[0]}x{self.values.shape[1]}:".encode()
        return files.sha256(head + np.ascontiguousarray(self.values, dtype="<f4").tobytes())


def checked_values(values: ArrayLike, *, where: str) -> NDArray[np.float32]:
    """Return `values` as a fresh float32 array that is a usable importance map.

    Parameters
    ----------
    values : array_like
        Shape (height, width).
    where : str
        What to call it in a message.

    Returns
    -------
    ndarray of float32, shape (height, width)
        A copy: finite, ≥ 0, not all equal.

    Raises
    ------
    InputError
        With the reason and the remedy.
    """
    array = np.array(values, dtype=np.float32)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{where}: shape {array.shape}; a map has two dimensions, height and width")
    n_bad = int(array.size - np.count_nonzero(np.isfinite(array)))
    if n_bad:
        raise InputError(f"{where}: {n_bad} of {array.size} values are not finite; repair or leave out this map")
    n_negative = int(np.count_nonzero(array < 0))
    if n_negative:
        raise InputError(f"{where}: {n_negative} of {array.size} values are negative; importance is counted from 0 up")
    if array.max() == array.min():
        kind = "zero" if array.max() == 0 else "the same"
        raise InputError(f"{where}: all values are {kind}; it does not say where to look, so leave the image out")
    return array
