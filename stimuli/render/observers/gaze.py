"""SALICON-like maps: where simulated observers look without a task.

Saliency is centre-surround contrast of intensity, colour and orientation (Itti, Koch & Niebur, 1998) with the usual
pull to the middle; each observer weighs the channels in an own way, and where one has looked, that one looks less again.
Nothing in here knows parts or categories: clutter attracts the eye as the object does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rapidvision import seeds

from .players import resized

Floats = NDArray[np.float64]
Rng = np.random.Generator

N_OBSERVERS: Final = 20
N_FIXATIONS: Final = 9
GRID: Final = 64  # saliency is computed on a grid of this side
SPREAD: Final = 0.034  # standard deviation of a fixation's blur, as a share of the frame
RETURN: Final = 0.07  # radius within which a second look is unlikely
SHARPNESS: Final = 2.2
MIDDLE: Final = 0.42  # standard deviation of the pull to the middle


def channels(image: NDArray[np.uint8]) -> Floats:
    """Return normalised conspicuity of intensity, red-green, blue-yellow and orientation; shape (4, 64, 64)."""
    small = np.stack([_to_grid(image[..., c].astype(np.float64) / 255.0) for c in range(3)])
    r, g, b = small
    intensity = (r + g + b) / 3.0
    strong = np.maximum(intensity, 0.1)
    yellow = (r + g) / 2.0
    maps = [_contrast(intensity), _contrast((r - g) / strong), _contrast((b - yellow) / strong)]
    smooth = ndimage.gaussian_filter(intensity, 0.8)
    dy, dx = np.gradient(smooth)
    turned = [
        np.abs(c * dx + s * dy)
        for c, s in ((1.0, 0.0), (0.70710678, 0.70710678), (0.0, 1.0), (0.70710678, -0.70710678))
    ]
    maps.append(sum((_contrast(one) for one in turned), np.zeros_like(intensity)))
    return np.stack([one / max(float(one.max()), 1e-9) for one in maps])


def _to_grid(values: Floats) -> Floats:
    size = values.shape[0]
    if size >= GRID:
        return resized(values, GRID)
    return np.asarray(ndimage.zoom(values, GRID / size, order=1, grid_mode=True, mode="nearest"))


def _contrast(channel: Floats) -> Floats:
    total = np.zeros_like(channel)
    for centre, surround in ((0.8, 3.2), (1.6, 6.4), (2.4, 9.6)):
        difference = np.abs(ndimage.gaussian_filter(channel, centre) - ndimage.gaussian_filter(channel, surround))
        peak = float(difference.max())
        if peak > 1e-6:
            difference = difference / peak
            total += difference * (1.0 - difference.mean()) ** 2  # few peaks count more than many
    return total


def look(image: NDArray[np.uint8], *, rng: Rng, n_observers: int = N_OBSERVERS) -> Floats:
    """Return fixations of observers; shape (n_observers, N_FIXATIONS, 2), row and column as shares of the frame."""
    conspicuity = channels(image)
    at = (np.arange(GRID) + 0.5) / GRID
    fall = -((at - 0.5) ** 2) / (2 * MIDDLE**2)
    middle = np.exp(fall[:, None] + fall[None, :])
    fixations = np.zeros((n_observers, N_FIXATIONS, 2))
    for observer in range(n_observers):
        weights = rng.gamma(4.0, 0.25, 4)
        saliency = np.tensordot(weights, conspicuity, 1)
        pull = (saliency / saliency.max()) ** SHARPNESS * middle + 2e-3
        for n in range(N_FIXATIONS):
            summed = np.cumsum(pull.ravel())
            cell = min(int(np.searchsorted(summed, rng.random() * summed[-1])), GRID * GRID - 1)
            row, column = (cell // GRID + rng.random()) / GRID, (cell % GRID + rng.random()) / GRID
            fixations[observer, n] = row, column
            away = (at[:, None] - row) ** 2 + (at[None, :] - column) ** 2
            pull = pull * np.where(away < RETURN**2, 0.15, 1.0)
    return fixations


def salicon_map(
    image: NDArray[np.uint8], *, category: str, seed: int, number: int, n_observers: int = N_OBSERVERS
) -> NDArray[np.uint8]:
    """Return the blurred density of fixations, 0 … 255 in 64 steps, at the image's own size."""
    size = image.shape[0]
    fixations = look(image, rng=seeds.stream(seed, "gaze", category, number), n_observers=n_observers).reshape(-1, 2)
    density = np.zeros((size, size))
    rows, columns = (fixations * size).astype(int).clip(0, size - 1).T
    np.add.at(density, (rows, columns), 1.0)
    blurred = ndimage.gaussian_filter(density, SPREAD * size, mode="constant")
    level = np.floor(blurred / blurred.max() * 63.0 + 0.5).astype(np.int64)
    return np.asarray(level * 4 + level // 16, np.uint8)
