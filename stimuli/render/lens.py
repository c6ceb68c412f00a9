"""From light to a photograph: depth of field, exposure, tone, grain, eight bits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .finish import LUMINANCE, balanced
from .scene import Scene

Floats = NDArray[np.float32]
Rng = np.random.Generator

VIVID: Final = 1.15
"""How much colour film adds."""
GRAIN: Final = 0.0013
"""Standard deviation of the film's grain, of 1."""


def exposed(colour: Floats, depth: Floats, cover: Floats, scene: Scene, rng: Rng) -> NDArray[np.float64]:
    """Return a lit scene as the film shows it: out of focus where it is, exposed, sRGB-encoded.

    Parameters
    ----------
    colour : ndarray of float32, shape (size, size, 3)
        Linear light.
    depth : ndarray of float32, shape (size, size)
        Distance along the ray.
    cover : ndarray of float32, shape (size, size)
        Share of each pixel that the object covers.
    scene : Scene
        Its tone and aperture.
    rng : Generator
        Exposure, white balance, contrast.

    Returns
    -------
    ndarray of float, shape (size, size, 3)
        About 0 … 1.
    """
    size = colour.shape[0]
    light = colour.astype(np.float64)
    luminance = light @ LUMINANCE
    inside, outside = cover, 1.0 - cover
    on = (luminance * inside).sum() / max(float(inside.sum()), 1.0)
    off = (luminance * outside).sum() / max(float(outside.sum()), 1.0)
    gain = scene.tone * off / max(on, 1e-6)
    light *= (1.0 + inside * (np.clip(gain, 0.45, 2.2) - 1.0))[..., None]
    focus = float((depth * (cover > 0.5)).sum() / max(int((cover > 0.5).sum()), 1))
    light = defocused(light, depth.astype(np.float64), focus, scene.aperture * size)
    mean = float(((light @ LUMINANCE) * outside).sum() / outside.sum())
    light *= 0.25 * float(np.exp(rng.normal(0.0, 0.2))) / mean
    light *= 1.0 + np.array([1.0, 0.0, -1.0]) * float(rng.normal(0.0, 0.04))
    grey = (light @ LUMINANCE)[..., None]
    light = np.maximum(grey + (light - grey) * VIVID, 0.0)
    film = light * (1.0 + light / 9.0) / (1.0 + light * 0.62) * 1.3  # shoulders off gently
    return np.asarray(0.45 + (_srgb(np.clip(film, 0.0, 1.0)) - 0.45) * float(rng.uniform(1.0, 1.25)))


def printed(display: NDArray[np.float64], cover: Floats, rng: Rng, *, target: bool) -> NDArray[np.uint8]:
    """Return the picture: balanced for its kind, with grain, in eight bits."""
    size = display.shape[0]
    display = balanced(display, cover.astype(np.float64), target=target)
    grain = rng.normal(0.0, 1.0, (size, size)) * GRAIN
    return np.floor(np.clip(display + grain[..., None], 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light; the power is taken by roots and products, which round alike everywhere."""
    # x ** (1 / 2.4) = x ** (5 / 12) = fourth root of x, times the sixth root of it: by square roots and one cube root
    fourth = np.sqrt(np.sqrt(linear))
    sixth = np.cbrt(np.sqrt(linear))
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * fourth * sixth - 0.055)


@compiled
def defocused(
    light: NDArray[np.float64], depth: NDArray[np.float64], focus: float, width: float
) -> NDArray[np.float64]:
    """Blur what lies before or behind the plane of focus; sharp things keep their edges.

    `width` is the diameter, in pixels, of the blur of a thing at twice the distance of focus.
    """
    size = light.shape[0]
    radius = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            off = abs(depth[row, column] - focus) / max(depth[row, column], 1e-3)
            off = max(off - 0.14, 0.0)  # the object itself has depth, and a small stop forgives it
            radius[row, column] = min(off * width, width * 0.75)
    out = np.empty_like(light)
    for row in range(size):
        for column in range(size):
            own = radius[row, column]
            reach = int(own + 1.0) if own > 0.3 else 0
            if reach == 0:
                for q in range(3):
                    out[row, column, q] = light[row, column, q]
                continue
            total = 0.0
            r = 0.0
            g = 0.0
            b = 0.0
            for dy in range(-reach, reach + 1):
                y = min(max(row + dy, 0), size - 1)
                for dx in range(-reach, reach + 1):
                    x = min(max(column + dx, 0), size - 1)
                    away = float(dx * dx + dy * dy)
                    if away > (own + 0.5) * (own + 0.5):
                        continue
                    # a neighbour lends its light if it is as blurred as that, or lies behind
                    lend = min(max(radius[y, x] * radius[y, x] - away + 1.0, 0.0), 1.0)
                    if away == 0.0:
                        lend = 1.0
                    total += lend
                    r += lend * light[y, x, 0]
                    g += lend * light[y, x, 1]
                    b += lend * light[y, x, 2]
            out[row, column, 0] = r / total
            out[row, column, 1] = g / total
            out[row, column, 2] = b / total
    return out
