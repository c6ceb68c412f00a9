"""Random crops and left-right flips of training images (paper, appendix "GALA-ResNet-50 training"); and images moved about.

Images moved around their borders, so that what matters in them lies anywhere.

Drawn images, like photographs, have their objects near the middle. Any image's map then says something about every
other image, and a network gains from maps that belong to other images. Where every place is as likely as any other,
only an image's own map says where. Objects may be cut by the border: keeping them whole would favour the middle again.
"""

import numpy as np
from numpy.typing import NDArray

from rapidvision.seeds import stream


def random_crop_and_flip(seed: int, epoch: int, row: int, *, slack_px: int) -> tuple[int, int, bool]:
    """Draw where an image is cut in one epoch and whether it is flipped; the map is cut and flipped alike.

    Parameters
    ----------
    seed, epoch, row : int
        The draw is a function of the three; `row` is the image's place in the store.
    slack_px : int
        Side of the stored image minus side of the cut.

    Returns
    -------
    top, left : int
        First row and column of the cut, 0 … `slack_px`.
    flip : bool
        Whether left and right are exchanged.

    Examples
    --------
    >>> random_crop_and_flip(1, 0, 5, slack_px=8) == random_crop_and_flip(1, 0, 5, slack_px=8)
    True
    """
    draw = stream(seed, "augment", epoch, int(row))
    top, left, flip = int(draw.integers(slack_px + 1)), int(draw.integers(slack_px + 1)), bool(draw.integers(2))
    return top, left, flip


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
