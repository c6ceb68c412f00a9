"""What the partner sees: patches of the image around the bubbles, on a background that tells nothing or little."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.seeds import stream

from .rules import Rules, span

#: The blank background: mid-grey, which networks with centred input see as nothing.
BLANK = 128


class PartnerView:
    """The partner's view of one round; it only ever grows.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The image, sRGB.
    rules : Rules
        Size of the patches and kind of background.
    seed : int
        Fixes the noise of the ``noise`` background.
    round_id : str
        Part of the noise's address.

    Examples
    --------
    >>> view = PartnerView(np.zeros((256, 256, 3), np.uint8), Rules(), seed=1)
    >>> view.show(100, 100)
    >>> int((view.pixels[..., 0] == 0).sum())
    441
    """

    def __init__(self, image: NDArray[np.uint8], rules: Rules, *, seed: int, round_id: str = "") -> None:
        side = (rules.image_px, rules.image_px, 3)
        if image.shape != side or image.dtype != np.uint8:
            raise ValueError(f"image: got {image.dtype} {image.shape}, needed is uint8 {side}")
        self.image, self.rules = image, rules
        self.pixels = background(image, rules, seed=seed, round_id=round_id)

    def show(self, x: int, y: int) -> None:
        """Uncover the patch around a bubble's centre."""
        rows = slice(*span(y, self.rules.patch_px, self.rules.image_px))
        columns = slice(*span(x, self.rules.patch_px, self.rules.image_px))
        self.pixels[rows, columns] = self.image[rows, columns]


def background(image: NDArray[np.uint8], rules: Rules, *, seed: int, round_id: str = "") -> NDArray[np.uint8]:
    """Return the view before the first bubble, shape of `image`.

    ``noise`` is the original's: half of the range subtracted from the image plus Gaussian noise, clipped to the
    range, a share of the range as `Rules.noise_sd` says.
    """
    if rules.background == "blank":
        return np.full_like(image, BLANK)
    rng = stream(seed, "partner-view", round_id)
    noise = rng.normal(0.0, rules.noise_sd, image.shape)
    return np.rint(np.clip(image / 255 + noise - 0.5, 0, 1) * 255).astype(np.uint8)
