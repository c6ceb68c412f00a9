"""Refrigerators."""

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour, Point
from ..shapes.paints import any_colour, scaled

Rng = np.random.Generator

#: Patterns of decorated doors, with their scales.
DECORS = (
    (surfaces.WOOD, 5.0),
    (surfaces.PATCHES, 6.0),
    (surfaces.CHECKS, 22.0),
    (surfaces.DOTS, 30.0),
    (surfaces.STRIPES, 26.0),
)


def refrigerator(rng: Rng) -> Body:
    """Refrigerator: freezer on top, retro single door, side by side, or double doors over a drawer."""
    b = Body()
    kind = rng.random()
    if kind < 0.25:
        tone = float(rng.uniform(0.55, 0.8))
        colour: Colour = (tone, tone, tone * float(rng.uniform(0.94, 1.02)))
        paint = b.material(colour, mottle=0.2, bump=0.12, specular=0.25, gloss=4)
    elif kind < 0.44:
        tone = float(rng.uniform(0.14, 0.42))
        colour = (tone, tone * 1.01, tone * 1.03)
        paint = b.material(colour, mottle=0.3, bump=0.16, specular=0.45, gloss=3)
    elif kind < 0.6:
        colour = any_colour(rng, 0.2, 0.6)
        paint = b.material(colour, mottle=0.25, bump=0.12, specular=0.3, gloss=4)
    else:
        colour = any_colour(rng, 0.2, 0.7)
        paint = _decorated(rng, b, colour)
    side = b.material(scaled(colour, 0.85), mottle=0.04, specular=0.15)
    chrome = (
        b.material((0.55, 0.56, 0.58), mottle=0.02, specular=0.9, gloss=4)
        if rng.random() < 0.6
        else b.material((0.08, 0.08, 0.085), specular=0.4, gloss=4)
    )
    dark = b.material((0.02, 0.02, 0.022), mottle=0.05)
    make = int(rng.choice(4, p=[0.36, 0.2, 0.22, 0.22]))
    w = 0.3 if make < 2 else 0.38
    d, h, edge = 0.26, 0.62, (0.1 if make == 1 else 0.02)
    front = d + 0.035
    b.box((0.0, h + 0.05, 0.0), (d, h, w), "cabinet", side, edge=edge)
    b.box((-0.02, 0.03, 0.0), (d - 0.03, 0.04, w - 0.03), "couch foot", dark, edge=0.01)
    b.box((0.02, h + 0.05, 0.0), (d - 0.005, h - 0.03, w - 0.012), "seam", dark, edge=edge)

    def door(y: float, z: float, half_y: float, half_z: float) -> None:
        b.box((front, y, z), (0.04, half_y - 0.006, half_z - 0.006), "door", paint, edge=0.055 if make == 1 else 0.018)

    def bar(y: float, z: float, half: float, *, level: bool = False) -> None:
        x = front + 0.075
        ends: list[Point] = [(x, y, z - half), (x, y, z + half)] if level else [(x, y - half, z), (x, y + half, z)]
        b.limb(ends, [0.018, 0.018], "handle", chrome, 0.0)
        for end in ends:
            b.limb([end, (front + 0.03, end[1], end[2])], [0.014, 0.014], "handle", chrome, 0.0)

    hinge = 1 if rng.random() < 0.5 else -1
    if make in (0, 1):
        split = h * 1.42 if rng.random() < 0.7 else h * 0.75
        if make == 1:
            split = h * 2.0
        lower, upper = (split - 0.07) / 2, (2 * h + 0.04 - split) / 2
        door(0.07 + lower, 0.0, lower, w)
        bar(0.07 + lower * 1.35, hinge * (w - 0.055), min(lower * 0.42, 0.2))
        if upper > 0.05:
            door(split + upper, 0.0, upper, w)
            bar(split + upper * 0.85, hinge * (w - 0.055), upper * 0.5)
        if make == 1:
            b.box((front + 0.035, h * 1.75, 0.0), (0.014, 0.02, 0.1), "note", chrome, edge=0.008)
    elif make == 2:
        door(h + 0.06, w * 0.55, h - 0.01, w * 0.45)
        door(h + 0.06, -w * 0.45, h - 0.01, w * 0.55)
        bar(h * 1.15, w * 0.1 + 0.05, h * 0.45)
        bar(h * 1.15, w * 0.1 - 0.05, h * 0.45)
        if rng.random() < 0.75:
            b.box((front + 0.034, h * 1.3, w * 0.58), (0.012, 0.13, 0.09), "dispenser", dark, edge=0.008)
            b.box((front + 0.04, h * 1.47, w * 0.58), (0.012, 0.03, 0.075), "dispenser", chrome, edge=0.006)
    else:
        low = h * 0.62
        door(0.06 + low / 2, 0.0, low / 2, w)
        bar(low - 0.02, 0.0, w * 0.6, level=True)
        for s in (1, -1):
            half = (2 * h + 0.05 - low - 0.06) / 2
            door(low + 0.06 + half, s * w * 0.5, half, w * 0.5)
            bar(low + half * 0.8, s * 0.045, half * 0.5)
    for _ in range(int(rng.integers(2, 11))):
        paper = b.material(
            any_colour(rng, 0.35, 0.85),
            any_colour(rng, 0.1, 0.6),
            pattern=surfaces.PATCHES,
            scale=14.0,
            mottle=0.2,
            phase=float(rng.uniform(0, 30)),
        )
        z, y = float(rng.uniform(-0.7, 0.7)) * w, float(rng.uniform(0.85, 1.75)) * h
        b.box(
            (front + 0.042, y, z),
            (0.006, float(rng.uniform(0.025, 0.08)), float(rng.uniform(0.025, 0.07))),
            "note",
            paper,
            edge=0.003,
            roll=float(rng.uniform(-0.6, 0.6)),
        )
    return b


def _decorated(rng: Rng, b: Body, colour: Colour) -> int:
    """Doors with veneer, stripes, checks, dots or blots."""
    pattern, scale = DECORS[int(rng.integers(len(DECORS)))]
    other = scaled(colour, float(rng.uniform(0.45, 0.8)))
    phase = float(rng.uniform(0, 30))
    return b.material(
        colour, other, pattern=pattern, scale=scale, mottle=0.25, bump=0.12, specular=0.25, gloss=4, phase=phase
    )
