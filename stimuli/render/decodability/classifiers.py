"""Can an image be told from what is not its object? Simple statistics, simple classifiers, held-out accuracy.

The images are of use only if nothing but the object's shape, parts and surface tells a target from a distractor.
These functions measure what the border, the mean colour, the amplitude spectrum and the histogram of luminance tell.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rapidvision import seeds
from rapidvision.errors import InputError

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
BORDER: Final = 1 / 8
"""Width of the border, as a share of the side."""


def border(images: Images) -> Floats:
    """Pixels of the frame's border, averaged over squares a sixteenth of the side wide; shape (n, 336)."""
    n, side = images.shape[:2]
    blocks = 16
    if side % blocks:
        raise InputError(f"border: got images of {side} px; the side must be a multiple of {blocks}")
    k = side // blocks
    small = images.astype(np.float64).reshape(n, blocks, k, blocks, k, 3).mean((2, 4))
    rim = np.ones((blocks, blocks), bool)
    inner = int(blocks * BORDER)
    rim[inner:-inner, inner:-inner] = False
    return np.asarray(small[:, rim].reshape(n, -1))


def mean_colour(images: Images) -> Floats:
    """Mean red, green and blue; shape (n, 3)."""
    return np.asarray(images.mean((1, 2), dtype=np.float64))


def histogram(images: Images) -> Floats:
    """Histogram of luminance in 32 bins; shape (n, 32)."""
    bins = ((images @ LUMINANCE) / 8.0).astype(int).clip(0, 31)
    return np.asarray(np.stack([np.bincount(one.ravel(), minlength=32) for one in bins]) / bins[0].size)


def spectrum(images: Images) -> Floats:
    """Log amplitude of luminance in 8 bands of an octave's half x 8 orientations, Hann-windowed; shape (n, 64)."""
    return binned(amplitudes(images))


def binned(amplitude: Floats) -> Floats:
    """Log of the mean amplitude in each bin; from shape (n, side, side // 2 + 1) to (n, 64)."""
    band, orientation, keep = spectral_bins(amplitude.shape[1])
    index = (band * 8 + orientation)[keep]
    count = np.maximum(np.bincount(index, minlength=64), 1)
    return np.stack([np.log(np.bincount(index, one[keep], minlength=64) / count + 1e-3) for one in amplitude])


def amplitudes(images: Images) -> Floats:
    """Amplitude spectrum of luminance, Hann-windowed, as ``rfft2`` lays it out; shape (n, side, side // 2 + 1)."""
    window = np.hanning(images.shape[1])
    grey = images @ LUMINANCE
    grey = (grey - grey.mean((1, 2), keepdims=True)) * window[:, None] * window[None, :]
    return np.asarray(np.abs(np.fft.rfft2(grey)))


@cache
def spectral_bins(side: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Band and orientation (0 … 7 each) of every coefficient of ``rfft2``, and which of them count."""
    fy = np.fft.fftfreq(side)[:, None] * side
    fx = np.fft.rfftfreq(side)[None, :] * side
    radius = np.sqrt(fy**2 + fx**2)
    keep = (radius >= 1.5) & (radius < side / 2)
    position = np.log(np.maximum(radius, 1.5) / 1.5) / np.log(side / 2 / 1.5)
    band = np.minimum((position * 8).astype(int), 7)
    orientation = np.floor(np.arctan2(fy, fx) / np.pi * 8.0 + 0.5).astype(int) % 8
    return band, np.broadcast_to(orientation, band.shape), keep


#: What is asked: name → function from images to numbers.
STATISTICS: Final[dict[str, Callable[[Images], Floats]]] = {
    "border pixels": border,
    "mean colour": mean_colour,
    "amplitude spectrum": spectrum,
    "luminance histogram": histogram,
}


def held_out_accuracy(
    features: Floats, target: NDArray[np.bool_], *, seed: int, n_folds: int = 10, ridge: float = 0.1
) -> float:
    """Return how often a linear classifier tells targets from distractors in images it was not fitted to.

    Parameters
    ----------
    features : ndarray of float, shape (n, n_features)
        Standardised on the fitted part of each fold.
    target : ndarray of bool, shape (n,)
        What each image shows.
    seed : int
        Decides the folds, which hold equal shares of both.
    n_folds : int, default 10
        Parts that are held out in turn.
    ridge : float, default 0.1
        Penalty on the weights, in units of the number of fitted images.

    Returns
    -------
    float
        Share correct, 0 … 1; one half is chance when both kinds are equally many.

    Raises
    ------
    InputError
        With fewer than `n_folds` images of a kind.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = np.arange(200) % 2 == 0
    >>> held_out_accuracy(np.where(target, 1.0, 0.0)[:, None], target, seed=1)
    1.0
    """
    if min(target.sum(), (~target).sum()) < n_folds:
        raise InputError(
            f"chance test: {target.sum()} targets and {(~target).sum()} distractors; {n_folds} of each are needed"
        )
    rng = seeds.stream(seed, "folds")
    fold = np.zeros(target.size, int)
    for kind in (True, False):
        members = np.nonzero(target == kind)[0]
        fold[rng.permutation(members)] = np.arange(members.size) % n_folds
    right = 0
    sign = np.where(target, 1.0, -1.0)
    for held in range(n_folds):
        fit = fold != held
        middle, spread = features[fit].mean(0), features[fit].std(0) + 1e-9
        x = (features - middle) / spread
        gram = x[fit].T @ x[fit] + ridge * fit.sum() * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, x[fit].T @ (sign[fit] - sign[fit].mean()))
        guess = x[~fit] @ weights + sign[fit].mean() > 0
        right += int((guess == target[~fit]).sum())
    return right / target.size
