"""Couches."""

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body
from ..shapes.paints import any_colour, scaled, upholstery

Rng = np.random.Generator


def couch(rng: Rng) -> Body:
    """Couch: boxy, rolled arms, chesterfield, or with a chaise; two or three seats."""
    b = Body()
    colour = any_colour(rng)
    leather = rng.random() < 0.3
    cloth = (
        b.material(
            scaled(colour, 0.7), colour, pattern=surfaces.HIDE, scale=9.0, mottle=0.4, specular=0.2, gloss=3, bump=0.35
        )
        if leather
        else upholstery(rng, b, colour)
    )
    seat = cloth if rng.random() < 0.75 else b.material(scaled(colour, 0.8), mottle=0.4, bump=0.4)
    wood = b.material((0.12, 0.065, 0.03), mottle=0.15, specular=0.1)
    n = int(rng.choice([2, 3], p=[0.55, 0.45]))
    w = 0.34 * n
    h = float(rng.uniform(0.34, 0.42))
    make = int(rng.integers(4))
    b.box((0.0, h * 0.58, 0.0), (0.37, h * 0.3, w), "seat", cloth, edge=0.04)
    for i in range(n):
        z = (i - (n - 1) / 2) * 2 * w / n
        b.box((0.05, h, z), (0.34, 0.085, w / n - 0.006), "cushion", seat, edge=0.06)
        b.box((-0.24, h + 0.24, z), (0.12, 0.23, w / n - 0.008), "backrest", seat, edge=0.09, pitch=0.17)
    b.box((-0.34, h + 0.12, 0.0), (0.09, h * 0.75 + 0.1, w + 0.06), "backrest", cloth, edge=0.05, pitch=0.08)
    for side in (1, -1):
        z = side * (w + 0.085)
        if make in (0, 3):
            b.box((0.0, h * 0.72, z), (0.39, h * 0.72, 0.085), "armrest", cloth, edge=0.045)
        else:
            b.box((0.0, h * 0.62, z), (0.38, h * 0.6, 0.07), "armrest", cloth, edge=0.04)
            b.limb(
                [(-0.34, h + 0.12, z + side * 0.02), (0.36, h + 0.1, z + side * 0.02)],
                [0.105, 0.105],
                "armrest",
                cloth,
                0.03,
            )
        for x in (1, -1):
            b.limb(
                [(x * 0.31, h * 0.3, side * w * 0.95), (x * 0.34, 0.02, side * w)],
                [0.035, 0.022],
                "couch foot",
                wood,
                0.0,
            )
    if make == 2:
        b.limb([(-0.37, h + 0.47, -w - 0.04), (-0.37, h + 0.47, w + 0.04)], [0.1, 0.1], "backrest", cloth, 0.05)
    if make == 3:
        side = 1 if rng.random() < 0.5 else -1
        b.box((0.42, h * 0.6, side * (w - w / n)), (0.36, h * 0.3, w / n), "seat", cloth, edge=0.04)
        b.box((0.44, h, side * (w - w / n)), (0.35, 0.085, w / n - 0.006), "cushion", seat, edge=0.06)
    for side in (1, -1):
        if rng.random() < 0.6:
            pillow = upholstery(rng, b, any_colour(rng, 0.15, 0.8))
            b.box(
                (-0.04, h + 0.24, side * (w - 0.2)),
                (0.07, 0.17, 0.17),
                "pillow",
                pillow,
                edge=0.065,
                pitch=0.35,
                yaw=-side * 0.25,
            )
    return b
