"""Images moved around their borders, so that what matters in them lies anywhere.

Drawn images, like photographs, have their objects near the middle. Any image's map then says something about every
other image, and a network gains from maps that belong to other images. Where every place is as likely as any other,
only an image's own map says where. Objects may be cut by the border: keeping them whole would favour the middle again.
"""

import numpy as np
from numpy.typing import NDArray


def offset(side_px: int, rng: np.random.Generator) -> tuple[int, int]:
    """Draw how far down and right an image is moved, each from 0 to `side_px` - 1 alike.

    Examples
    --------
    >>> sorted({offset(3, np.random.default_rng(seed)) for seed in range(99)})[:4]
    [(0, 0), (0, 1), (0, 2), (1, 0)]
    """
    down, right = rng.integers(side_px, size=2)
    return int(down), int(right)


def moved(pixels: NDArray[np.uint8], by: tuple[int, int]) -> NDArray[np.uint8]:
    """Move an image or map down and right; what leaves on one side comes in on the other.

    Examples
    --------
    >>> moved(np.array([[1, 2], [3, 4]], np.uint8), (0, 1)).tolist()
    [[2, 1], [4, 3]]
    """
    return np.roll(pixels, by, (0, 1))
