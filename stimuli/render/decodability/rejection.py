"""Which shots are kept: those whose amplitude spectrum and luminance histogram either kind of object could have.

After the print (``finish``) targets and distractors still differ in how peaked their spectra are and how their
histograms are shaped. So each shot is first printed small, and the odds that such statistics come from a
target are read off a model: means and unevenness in bins, and a small convolutional network that sees the lines which
straight edges draw in a spectrum (``proof.json``, fitted by ``calibrate``). A shot whose statistics suggest its own kind is kept with
the inverse of these odds, every other shot always; then the statistics of the images that are kept are those that
both kinds have (rejection sampling on the propensity score: Rosenbaum & Rubin, 1983). No pixel is altered for it.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.system import files

from . import classifiers
from .network import Net, log_odds

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]

MODEL: Final = Path(__file__).with_name("proof.json")
FARTHEST: Final = 3.0
"""Features beyond so many standard deviations count as that far."""


class Model(NamedTuple):
    """Log odds of a target: linear in the standardised features and their squares, and what the network adds."""

    middle: Floats  # (n_features,)
    spread: Floats  # (n_features,)
    weights: Floats  # (2 n_features + 1,): of the features, of their squares, and the constant
    net: Net | None = None  # reads `planes`


def features(images: Images) -> Floats:
    """Return what the model looks at: spectrum, its unevenness within each bin, histogram; shape (n, 160)."""
    return _features(images, classifiers.amplitudes(images))


def _features(images: Images, amplitudes: Floats) -> Floats:
    return np.concatenate(
        [classifiers.binned(amplitudes), _unevenness(amplitudes), classifiers.histogram(images)], axis=1
    )


def unevenness(images: Images) -> Floats:
    """Standard deviation of the log amplitude within each bin of ``chance.spectrum``; shape (n, 64)."""
    return _unevenness(classifiers.amplitudes(images))


def _unevenness(amplitudes: Floats) -> Floats:
    band, orientation, keep = classifiers.spectral_bins(amplitudes.shape[1])
    index = (band * 8 + orientation)[keep]
    count = np.maximum(np.bincount(index, minlength=64), 1)
    out = np.zeros((len(amplitudes), 64))
    for row, amplitude in zip(out, amplitudes, strict=True):
        value = np.log(amplitude[keep] + 1.0)
        away = value - (np.bincount(index, value, minlength=64) / count)[index]
        row[:] = np.sqrt(np.bincount(index, away * away, minlength=64) / count)
    return out


def planes(images: Images) -> Floats:
    """Return what the network looks at: log amplitudes, low frequencies in the middle; shape (n, 64, 33)."""
    return _planes(classifiers.amplitudes(images))


def _planes(amplitudes: Floats) -> Floats:
    return np.log(np.fft.fftshift(amplitudes, axes=1) / 255.0 + 0.05)


def expanded(found: Floats, middle: Floats, spread: Floats) -> Floats:
    """Return standardised features, their squares and a one; shape (n, 2 n_features + 1)."""
    z = np.clip((found - middle) / spread, -FARTHEST, FARTHEST)
    return np.concatenate([z, z * z - 1.0, np.ones((len(z), 1))], axis=1)


@cache
def model() -> Model:
    """The model that comes with the package."""
    content = json.loads(files.read_bytes(MODEL))
    net = content["net"]
    kernels, biases = ([np.array(one) for one in net[name]] for name in ("kernels", "biases"))
    return Model(
        np.array(content["middle"]),
        np.array(content["spread"]),
        np.array(content["weights"]),
        Net(
            np.array(net["middle"]),
            (kernels[0], kernels[1], kernels[2]),
            (biases[0], biases[1], biases[2]),
            np.array(net["last"]),
            net["constant"],
        ),
    )


def kept(image: Images, *, target: bool, judge: Model | None = None) -> float:
    """Return the probability with which a shot is kept.

    Parameters
    ----------
    image : ndarray of uint8, shape (64, 64, 3)
        Its small print.
    target : bool
        What it shows.
    judge : Model, optional
        Another than the shipped one.

    Returns
    -------
    float
        0 … 1: the odds of the other kind, at most 1.
    """
    judge = model() if judge is None else judge
    amplitudes = classifiers.amplitudes(image[None])
    row = expanded(_features(image[None], amplitudes), judge.middle, judge.spread)[0]
    odds = sum(a * b for a, b in zip(row.tolist(), judge.weights.tolist(), strict=True))
    if judge.net is not None:
        odds += log_odds(judge.net, _planes(amplitudes)[0])
    return math.exp(min(0.0, -odds if target else odds))
