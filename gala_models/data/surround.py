"""Images as the test shows them: a patch of the image on its own phase-scrambled surround.

A network that was trained on intact images alone meets the test's surrounds for the first time in the test, and answers
by them. People see them in the practice trials; networks may see them in training. The patches lie anywhere and have any
size and a ragged edge, so no source of importance is favoured.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

#: Smallest share of the image that a patch shows; shares are log-uniform from here to the whole image.
SMALLEST_PATCH = 0.02
_RAGGED_PX = 4.0


def scrambled(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return an image with the spectrum of `image` and random phases, the same offset for all channels.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The image.
    rng : numpy.random.Generator
        Draws the phases.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Clipped to 0 … 255.
    """
    height, width = image.shape[:2]
    spectrum = fft.rfft2(image, axes=(0, 1))
    # Phases of a real image are those of a real spectrum; the mean keeps its sign.
    turn = np.exp(1j * np.angle(fft.rfft2(rng.standard_normal((height, width)))))
    turn[0, 0] = 1
    turned = fft.irfft2(spectrum * turn[:, :, None], s=(height, width), axes=(0, 1))
    return np.clip(np.rint(turned), 0, 255).astype(np.uint8)


def patch(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a patch: a ragged disc around a random place, its area log-uniform; bool, `shape`.

    Examples
    --------
    >>> bool(patch((32, 32), np.random.default_rng(1)).any())
    True
    """
    height, width = shape
    n_px = max(1, round(height * width * SMALLEST_PATCH ** rng.random()))
    row, column = rng.random(2) * shape
    rows, columns = np.ogrid[:height, :width]
    ragged = ndimage.gaussian_filter(rng.standard_normal(shape), _RAGGED_PX, mode="wrap")
    ragged *= np.sqrt(n_px / np.pi) / (2 * ragged.std())
    score = np.hypot(rows - row, columns - column) + ragged
    return np.asarray(score <= np.partition(score, n_px - 1, axis=None)[n_px - 1])


def surrounded(
    image: NDArray[np.uint8], importance: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a patch of `image` on its scrambled self, and the importance of what can still be seen.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The image.
    importance : ndarray of uint8, shape (height, width)
        Its map.
    rng : numpy.random.Generator
        Draws phases and patch.

    Returns
    -------
    (ndarray of uint8, ndarray of uint8)
        As the arguments.
    """
    seen = patch((image.shape[0], image.shape[1]), rng)
    return np.where(seen[:, :, None], image, scrambled(image, rng)), np.where(seen, importance, 0).astype(np.uint8)
