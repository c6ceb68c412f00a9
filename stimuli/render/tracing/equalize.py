"""The same mean amplitude spectrum and luminance histogram for targets and distractors, so that neither tells them apart.

Stripes, straight edges and fur put their energy at different frequencies and orientations. The objects of targets and
of distractors are therefore printed through two fixed, smooth filters and two fixed tone curves, mirror images of each
other, that make the images' mean log amplitudes equal in every band of frequency and orientation, and their mean
histograms equal at every luminance. Only the object and its outline are altered, never what surrounds them. The tables
(``balance.json``) were measured by ``calibrate``. Phases, and with them shapes, stay.
"""

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from rapidvision.system import files

Floats = NDArray[np.float64]

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
TABLE: Final = Path(__file__).with_name("balance.json")
N_ORIENTATIONS: Final = 16
BANDS_PER_OCTAVE: Final = 2.0
LOWEST: Final = 1.5  # cycles per image
N_COARSE_BANDS: Final = 4
"""The lowest bands hold few coefficients: they tell four orientations apart, the first none."""


def luminance(colour: Floats) -> Floats:
    """Return the luminance of colours; shape (…, 3), or (…, 1) for greys, to (…); summed in one order on every machine."""
    if colour.shape[-1] == 1:
        return colour[..., 0]
    red, green, blue = (float(weight) for weight in LUMINANCE)
    return np.asarray(colour[..., 0] * red + colour[..., 1] * green + colour[..., 2] * blue)


class Bins(NamedTuple):
    """Where each coefficient of ``rfft2`` lies among the bins."""

    nearest: NDArray[np.int64]  # (height, width // 2 + 1): the nearest bin, -1 outside
    corners: NDArray[np.int64]  # (4, height, width // 2 + 1): two bands x two orientations around it
    weights: Floats  # of the corners
    n_bands: int


@cache
def bins_of(side: int, cycles: float) -> Bins:
    """Bins for a transform of `side` pixels in which one cycle per image is `cycles` coefficients."""
    fy = np.fft.fftfreq(side)[:, None] * side
    fx = np.fft.rfftfreq(side)[None, :] * side
    f = np.maximum(np.sqrt(fy**2 + fx**2) / cycles, 1e-6)
    highest = side / cycles / 2
    n_bands = int(np.floor(np.log2(highest / LOWEST) * BANDS_PER_OCTAVE)) + 1
    place = np.log2(f / LOWEST) * BANDS_PER_OCTAVE
    turn = (np.arctan2(fy, fx) / np.pi * N_ORIENTATIONS) % N_ORIENTATIONS
    band = np.clip(np.floor(place + 0.5), 0, n_bands - 1).astype(int)
    nearest = band * N_ORIENTATIONS
    quarter = np.floor(turn / 4.0 + 0.5).astype(int) % 4 * 4
    fine = np.floor(turn + 0.5).astype(int) % N_ORIENTATIONS
    nearest += np.where(band == 0, 0, np.where(band < N_COARSE_BANDS, quarter, fine))
    nearest[(f < LOWEST / 1.3) | (f > highest)] = -1
    low = np.clip(np.floor(place), 0, n_bands - 1).astype(int)
    high = np.minimum(low + 1, n_bands - 1)
    share = np.clip(place - low, 0.0, 1.0)
    left = np.floor(turn).astype(int) % N_ORIENTATIONS
    right = (left + 1) % N_ORIENTATIONS
    part = turn - np.floor(turn)
    corners = np.stack([band_ * N_ORIENTATIONS + way for band_ in (low, high) for way in (left, right)])
    weights = np.stack([(1 - share) * (1 - part), (1 - share) * part, share * (1 - part), share * part])
    return Bins(nearest, corners, weights, n_bands)


def log_amplitudes(grey: Floats) -> Floats:
    """Log of the mean amplitude in each bin of a Hann-windowed image; shape (n_bands, 16)."""
    side = grey.shape[0]
    bins = bins_of(side, 1.0)
    window = np.hanning(side)
    amplitude = np.abs(fft.rfft2((grey - grey.mean()) * window[:, None] * window[None, :]) / side**2)
    inside = bins.nearest >= 0
    n = bins.n_bands * N_ORIENTATIONS
    count = np.bincount(bins.nearest[inside], minlength=n)
    total = np.bincount(bins.nearest[inside], amplitude[inside], minlength=n)
    out = np.log(total / np.maximum(count, 1) + 1e-7).reshape(bins.n_bands, N_ORIENTATIONS)
    out[0] = out[0, 0]
    ways = np.arange(N_ORIENTATIONS)
    for band in range(1, N_COARSE_BANDS):
        out[band] = np.interp(ways, [0, 4, 8, 12, 16], [*out[band, ::4], out[band, 0]])
    return np.asarray(out)


class Balance(NamedTuple):
    """The tables: what is done to targets; distractors get the opposite."""

    log_gain: Floats  # (n_bands, 16)
    tone: Floats  # added to luminances 0, 1/32 … 1; (33,)


@cache
def balance() -> Balance:
    """The tables that come with the package."""
    content = json.loads(files.read_bytes(TABLE))
    return Balance(np.array(content["log_gain"]), np.array(content["tone"]))


def balanced(display: Floats, cover: Floats, *, target: bool, tables: Balance | None = None) -> Floats:
    """Print an image's object through the filter and the tone curve of its kind.

    Parameters
    ----------
    display : ndarray of float, shape (side, side, 3) or (side, side, 1)
        0 … 1, as displayed.
    cover : ndarray of float, shape (side, side)
        Share of each pixel that the object covers.
    target : bool
        Which of the two kinds.
    tables : Balance, optional
        Others than the shipped ones; bands above the last have its gains.

    Returns
    -------
    ndarray of float, the same shape
        Unchanged away from the object; values may leave 0 … 1 a little.
    """
    tables = balance() if tables is None else tables
    sign = 1.0 if target else -1.0
    side = display.shape[0]
    near = ndimage.gaussian_filter(np.minimum(ndimage.maximum_filter(cover, 2 * (side // 42) + 1), 1.0), side / 85)
    filtered = _filtered(display, sign * tables.log_gain)
    out = display + near[..., None] * (filtered - display)
    curve = np.interp(luminance(out), np.linspace(0.0, 1.0, tables.tone.size), tables.tone)
    return np.asarray(out + (sign * near * curve)[..., None])


@lru_cache(maxsize=8)
def _gain(side: int, shape: tuple[int, int], content: bytes) -> Floats:
    """What each coefficient is multiplied by; kept, for it is asked for every shot anew. `content` are log gains."""
    gains = np.frombuffer(content).reshape(shape)
    wide = side + 2 * (side // 4)
    bins = bins_of(wide, wide / side)
    rows = np.minimum(np.arange(bins.n_bands), gains.shape[0] - 1)
    log_gain = (gains[rows].ravel()[bins.corners] * bins.weights).sum(0)
    log_gain[0, 0] = 0.0
    return np.asarray(np.exp(log_gain))


def _filtered(display: Floats, gains: Floats) -> Floats:
    side = display.shape[0]
    margin = side // 4
    padded = np.pad(display, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    wide = padded.shape[0]
    filtered = fft.rfft2(padded, axes=(0, 1)) * _gain(side, gains.shape, gains.tobytes())[..., None]
    inner = slice(margin, margin + side)
    return np.asarray(fft.irfft2(filtered, s=(wide, wide), axes=(0, 1))[inner, inner])
