"""Umbrellas."""

import math

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour, Point
from ..shapes.paints import any_colour, scaled

Rng = np.random.Generator


def umbrella(rng: Rng) -> Body:
    """Umbrella: upright with a hooked grip, lying open on its rim, a parasol on a pole, or closed and stood on its tip."""
    b = Body()
    first = any_colour(rng, 0.1, 0.8)
    second = any_colour(rng, 0.1, 0.8) if rng.random() < 0.55 else scaled(first, 0.88)
    n = int(rng.choice([6, 8, 8, 10]))
    cloth = b.material(first, second, pattern=surfaces.PANELS, scale=float(n), mottle=0.4, bump=0.3, specular=0.06)
    steel = b.material((0.35, 0.35, 0.37) if rng.random() < 0.6 else (0.05, 0.05, 0.055), specular=0.5, gloss=4)
    wood = (
        b.material((0.2, 0.1, 0.045), mottle=0.2, specular=0.15)
        if rng.random() < 0.6
        else b.material((0.03, 0.03, 0.03), specular=0.2)
    )
    make = int(rng.choice(4, p=[0.42, 0.2, 0.2, 0.18]))
    if make == 0:
        open_ = b.frame((0.0, 0.0, 0.0), pitch=float(rng.uniform(-0.22, 0.22)), roll=float(rng.uniform(-0.22, 0.22)))
        _opened(open_, 1.0, float(rng.uniform(0.5, 0.6)), float(rng.uniform(0.24, 0.34)), n, cloth, steel)
        grip: list[Point] = [
            (0.0, 0.16, 0.0),
            (0.0, 0.06, 0.0),
            (0.025, 0.02, 0.0),
            (0.07, 0.012, 0.0),
            (0.11, 0.035, 0.0),
            (0.12, 0.08, 0.0),
        ]
        open_.limb(grip, [0.024, 0.025, 0.025, 0.025, 0.025, 0.022], "grip", wood, 0.01)
    elif make == 1:
        lean = float(rng.uniform(0.85, 1.15)) * (1 if rng.random() < 0.5 else -1)
        open_ = b.frame((0.0, 0.52, 0.0), roll=lean).frame((0.0, -0.72, 0.0))
        _opened(open_, 1.0, 0.58, 0.3, n, cloth, steel)
        hook: list[Point] = [(0.0, 0.2, 0.0), (0.0, 0.1, 0.0), (0.03, 0.06, 0.0), (0.08, 0.06, 0.0), (0.1, 0.1, 0.0)]
        open_.limb(hook, [0.024, 0.025, 0.025, 0.025, 0.022], "grip", wood, 0.01)
    elif make == 3:
        lean = float(rng.uniform(0.15, 0.65)) * (1 if rng.random() < 0.5 else -1)
        closed = b.frame((0.0, 0.0, 0.0), roll=lean, pitch=float(rng.uniform(-0.2, 0.2)))
        _closed(closed, float(rng.uniform(0.1, 0.15)), n, first, second, steel, wood)
    else:
        open_ = b.frame((0.0, 0.0, 0.0), pitch=float(rng.uniform(-0.1, 0.1)), roll=float(rng.uniform(-0.15, 0.15)))
        _opened(open_, 1.0, 0.62, float(rng.uniform(0.16, 0.24)), n, cloth, steel)
        b.disc((0.0, 0.03, 0.0), 0.16, 0.03, "grip", wood)
    return b


def _opened(b: Body, height: float, radius: float, rise: float, n: int, cloth: int, steel: int) -> None:
    """An open canopy whose top is at `height` above the frame's origin, with shaft, ribs, stretchers and tip."""
    b.canopy((0.0, height, 0.0), radius, rise, n, "canopy", cloth)
    b.limb([(0.0, height + 0.1, 0.0), (0.0, height, 0.0)], [0.008, 0.018], "tip", steel, 0.0)
    b.limb([(0.0, height, 0.0), (0.0, 0.02, 0.0)], [0.015, 0.015], "shaft", steel, 0.0)
    for i in range(n):
        a = 2.0 * math.pi * i / n
        c, s = math.cos(a), math.sin(a)
        at = [
            (share * radius * c, height - rise * share * share - 0.022, share * radius * s)
            for share in (0.05, 0.55, 0.99)
        ]
        b.limb(at, [0.007, 0.007, 0.006], "rib", steel, 0.0)
        b.limb([at[1], (0.0, height - rise - 0.08, 0.0)], [0.006, 0.006], "rib", steel, 0.0)


def _closed(b: Body, loose: float, n: int, first: Colour, second: Colour, steel: int, wood: int) -> None:
    """A closed umbrella on its tip: cloth in folds, held by a strap, the crook of its grip on top."""
    folds = [b.material(colour, mottle=0.4, bump=0.3, specular=0.06) for colour in (first, second)]
    b.limb([(0.0, 0.0, 0.0), (0.0, 0.12, 0.0)], [0.008, 0.018], "tip", steel, 0.0)
    b.limb([(0.0, 0.1, 0.0), (0.0, 1.0, 0.0)], [0.016, 0.016], "shaft", steel, 0.0)
    for i in range(n):
        a = 2.0 * math.pi * i / n
        c, s = loose * math.cos(a), loose * math.sin(a)
        fold: list[Point] = [
            (0.1 * c, 0.11, 0.1 * s),
            (0.5 * c, 0.34, 0.5 * s),
            (0.62 * c, 0.56, 0.62 * s),
            (1.0 * c, 0.78, 1.0 * s),
        ]
        b.limb(fold, [0.014, 0.3 * loose, 0.32 * loose, 0.24 * loose], "canopy", folds[i % 2], 0.012)
        b.limb([fold[-1], (0.96 * c, 0.83, 0.96 * s)], [0.008, 0.005], "rib", steel, 0.0)
    strap = b.material(scaled(first, 0.55), mottle=0.1)
    b.disc((0.0, 0.56, 0.0), 0.98 * loose, 0.02, "canopy", strap, edge=0.008)
    crook: list[Point] = [
        (0.0, 0.93, 0.0),
        (0.0, 1.12, 0.0),
        (0.03, 1.18, 0.0),
        (0.09, 1.2, 0.0),
        (0.15, 1.17, 0.0),
        (0.17, 1.09, 0.0),
    ]
    b.limb(crook, [0.026, 0.028, 0.028, 0.028, 0.028, 0.024], "grip", wood, 0.01)
