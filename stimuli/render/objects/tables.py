"""Tables."""

import math

import numpy as np

from ..shapes.body import Body, Point
from ..shapes.paints import timber

Rng = np.random.Generator


def table(rng: Rng) -> Body:
    """Table: four legs, round on a pedestal, trestle, low with a shelf, or round with three splayed legs."""
    b = Body()
    wood = timber(rng, b)
    legs = wood if rng.random() < 0.7 else timber(rng, b)
    make = int(rng.choice(5, p=[0.36, 0.2, 0.14, 0.16, 0.14]))
    w, d = float(rng.uniform(0.55, 0.75)), float(rng.uniform(0.33, 0.45))
    if make == 0:
        h = float(rng.uniform(0.62, 0.76))
        b.box((0.0, h, 0.0), (d, 0.032, w), "top", wood, edge=0.012)
        b.box((0.0, h - 0.085, 0.0), (d - 0.06, 0.055, w - 0.07), "apron", legs, edge=0.005)
        turned = rng.random() < 0.4
        for x in (1, -1):
            for z in (1, -1):
                foot: Point = (x * (d - 0.06), 0.0, z * (w - 0.07))
                if turned:
                    b.limb(
                        [(foot[0], h, foot[2]), (foot[0], h * 0.55, foot[2]), foot],
                        [0.045, 0.052, 0.026],
                        "table leg",
                        legs,
                        0.01,
                    )
                else:
                    b.box((foot[0], h / 2, foot[2]), (0.04, h / 2, 0.04), "table leg", legs, edge=0.006)
    elif make == 1:
        h, r = float(rng.uniform(0.66, 0.78)), float(rng.uniform(0.48, 0.6))
        b.disc((0.0, h, 0.0), r, 0.03, "top", wood)
        b.limb([(0.0, h, 0.0), (0.0, h * 0.5, 0.0), (0.0, 0.08, 0.0)], [0.05, 0.065, 0.05], "table leg", legs, 0.02)
        for n in range(4):
            a = math.pi * (n / 2 + 0.25)
            b.limb(
                [(0.0, 0.13, 0.0), (0.32 * math.cos(a), 0.03, 0.32 * math.sin(a))],
                [0.045, 0.03],
                "table leg",
                legs,
                0.03,
            )
    elif make == 2:
        h = float(rng.uniform(0.66, 0.76))
        b.box((0.0, h, 0.0), (d, 0.035, w * 1.1), "top", wood, edge=0.008)
        for z in (1, -1):
            for x in (1, -1):
                b.limb(
                    [(x * 0.05, h, z * w * 0.72), (x * (d - 0.02), 0.02, z * w * 0.82)],
                    [0.036, 0.036],
                    "table leg",
                    legs,
                    0.01,
                )
        b.limb([(0.0, h * 0.45, w * 0.76), (0.0, h * 0.45, -w * 0.76)], [0.028, 0.028], "apron", legs, 0.01)
    elif make == 3:
        h = float(rng.uniform(0.4, 0.48))
        b.box((0.0, h, 0.0), (d, 0.035, w), "top", wood, edge=0.015)
        b.box((0.0, h * 0.35, 0.0), (d - 0.05, 0.018, w - 0.06), "shelf", legs, edge=0.006)
        for x in (1, -1):
            for z in (1, -1):
                b.box((x * (d - 0.05), h / 2, z * (w - 0.06)), (0.036, h / 2, 0.036), "table leg", legs, edge=0.006)
    else:
        h, r = float(rng.uniform(0.6, 0.72)), float(rng.uniform(0.42, 0.52))
        b.disc((0.0, h, 0.0), r, 0.026, "top", wood)
        n_legs = int(rng.integers(3, 5))
        for n in range(n_legs):
            a = 2.0 * math.pi * n / n_legs + 0.5
            b.limb(
                [
                    (0.5 * r * math.cos(a), h - 0.02, 0.5 * r * math.sin(a)),
                    (0.95 * r * math.cos(a), 0.015, 0.95 * r * math.sin(a)),
                ],
                [0.038, 0.022],
                "table leg",
                legs,
                0.01,
            )
        b.disc((0.0, h - 0.06, 0.0), r * 0.62, 0.03, "apron", legs)
    return b
