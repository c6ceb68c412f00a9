"""One image on its way from a source into a store."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One image on its way into a store.

    Attributes
    ----------
    image_id : str
        Its name.
    image : ndarray of uint8, shape (height, width, 3)
        Its pixels.
    label : int
        Its class, from 0.
    importance : ndarray of float32, shape (height, width), or None
        Its map, of the same size.
    unused : str
        Why a map that is there does not count, for the record of what was left out.
    damaged : str
        Why a map that is there cannot be read, with its file; stops the pack unless bad files are skipped.
    """

    image_id: str
    image: NDArray[np.uint8]
    label: int
    importance: NDArray[np.float32] | None = None
    unused: str = ""
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that cannot be read.

    Attributes
    ----------
    image_id : str
        Its name.
    reason : str
        Names the file, what is wrong and what to do.
    """

    image_id: str
    reason: str
