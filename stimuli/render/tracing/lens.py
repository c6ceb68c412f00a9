"""From light to a photograph: depth of field, exposure, tone, grain, eight bits."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..scene.scene import Scene
from ..shapes.compiled import compiled
from .equalize import balanced, luminance

Floats = NDArray[np.float32]
Rng = np.random.Generator

VIVID: Final = 1.15
"""How much colour film adds."""
GRAIN: Final = (1.0, 3.0)
"""Standard deviation of the sensor's noise in grey levels at middle grey: each image's is drawn from this range."""


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
    bright = luminance(light)
    inside = cover.astype(np.float64)
    outside = 1.0 - inside
    on = (bright * inside).sum() / max(float(inside.sum()), 1.0)
    off = (bright * outside).sum() / max(float(outside.sum()), 1.0)
    gain = round(min(max(float(scene.tone * off / max(on, 1e-6)), 0.45), 2.2), 9)
    light *= (1.0 + inside * (gain - 1.0))[..., None]
    focus = float((depth * (cover > 0.5)).sum() / max(int((cover > 0.5).sum()), 1))
    light = defocused(light, depth.astype(np.float64), focus, scene.aperture * size)
    mean = float((luminance(light) * outside).sum() / outside.sum())
    light *= round(0.25 * math.exp(float(rng.normal(0.0, 0.2))) / mean, 9)
    light *= 1.0 + np.array([1.0, 0.0, -1.0]) * float(rng.normal(0.0, 0.04))
    grey = luminance(light)[..., None]
    light = np.maximum(grey + (light - grey) * VIVID, 0.0)
    film = light * (1.0 + light / 9.0) / (1.0 + light * 0.62) * 1.3  # shoulders off gently
    return np.asarray(0.45 + (_srgb(np.clip(film, 0.0, 1.0)) - 0.45) * float(rng.uniform(1.0, 1.25)))


def printed(display: NDArray[np.float64], cover: Floats, rng: Rng, *, target: bool) -> NDArray[np.uint8]:
    """Return the figure: balanced for its kind, with the sensor's noise, in eight bits."""
    return developed(np.clip(balanced(display, cover.astype(np.float64), target=target), 0.0, 1.0), rng)


def developed(display: NDArray[np.float64], rng: Rng) -> NDArray[np.uint8]:
    """Return display values (0 … 1) with the sensor's noise in eight bits.

    The noise is the same in all channels and grows with the light, as that of photons does.
    """
    level = float(rng.uniform(*GRAIN)) / 255.0
    noise = rng.normal(0.0, 1.0, display.shape[:2]) * level * np.sqrt(0.3 + 1.4 * luminance(display))
    return np.floor(np.clip(display + noise[..., None], 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


@compiled
def _srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light, 0 … 1; the power is taken by roots and products, which round alike everywhere."""
    # x ** (1 / 2.4) = x ** (5 / 12): the fourth root of x times its sixth, which is the cube root of its square root
    values = linear.ravel()
    out = np.empty(values.size)
    for i in range(values.size):
        half = math.sqrt(values[i])
        safe = max(half, 0.05)  # below, the encoding is a straight line
        sixth = 0.4 + 0.6 * safe
        for _ in range(6):  # Newton's steps, from the start within 1e-15
            sixth = (2.0 * sixth + safe / (sixth * sixth)) / 3.0
        out[i] = 12.92 * values[i] if values[i] <= 0.0031308 else 1.055 * math.sqrt(half) * sixth - 0.055
    return out.reshape(linear.shape)


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
