"""Random crops and left-right flips of training images (paper, appendix "GALA-ResNet-50 training")."""

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
