"""Phase scrambling against the usual recipe, and what the gamut-aware canvas keeps of real photographs."""

import statistics
from functools import cache

import numpy as np

from benchmarks.harness import Suite, at_least, at_most
from benchmarks.stimuli_inputs import SIDE, inputs, photographs
from benchmarks.stimuli_peers import processor_times
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.background.scramble import scramble
from rapidvision.stimuli.image.load import load
from rapidvision.stimuli.recipe_tables import Canvas

suite = Suite()


def lab_scramble(image):
    """The usual recipe: one random phase added to every layer, through numpy's complex FFT."""
    shift = np.angle(np.fft.fft2(np.random.default_rng(0).random(image.shape[:2])))
    out = np.empty(image.shape)
    for layer in range(3):
        spectrum = np.fft.fft2(image[..., layer])
        out[..., layer] = np.real(np.fft.ifft2(np.abs(spectrum) * np.exp(1j * (np.angle(spectrum) + shift))))
    return out


@suite.figure("plain scramble: against the usual lab recipe", unit="x", bar=at_least(5))
def scramble_against_lab():
    images = [one.pixels.astype(float) for one in inputs()]
    return processor_times(
        lambda: [scramble(one, key=1, edges="raw", gamut_iterations=0) for one in images],
        lambda: [lab_scramble(one) for one in images],
    )


@suite.figure("plain scramble: auto- and cross-spectra, relative error", unit="", bar=at_most(1e-12))
def scramble_spectra():
    worst = 0.0
    for one in inputs():
        before = np.fft.fft2(one.pixels.astype(float), axes=(0, 1))
        after = np.fft.fft2(scramble(one.pixels.astype(float), key=1, edges="raw").values, axes=(0, 1))
        a, b = (np.einsum("yxa,yxb->abyx", spectrum, spectrum.conj()) for spectrum in (before, after))
        worst = max(worst, float((np.abs(a - b) / np.abs(a).max(axis=(2, 3), keepdims=True)).max()))
    return worst


@cache
def canvas_quality():
    return [
        make_canvas(load(path, SIDE, upscale=True).pixels, Canvas(), key=number, where=str(path)).quality
        for number, path in enumerate(photographs())
    ]


@suite.figure("gamut-aware, 5 iterations, photographs: median mean error", unit="grey level", bar=at_most(0.4))
def gamut_mean():
    return statistics.median(abs(one.mean_error) for one in canvas_quality())


@suite.figure("gamut-aware, 5 iterations, photographs: median contrast", unit="ratio", bar=at_least(0.98))
def gamut_contrast():
    return statistics.median(min(one.contrast_ratio, 1 / one.contrast_ratio) for one in canvas_quality())


@suite.figure("gamut-aware, 5 iterations, photographs: median spectrum error", unit="", bar=at_most(0.04))
def gamut_spectrum():
    return statistics.median(one.spectrum_error for one in canvas_quality())
