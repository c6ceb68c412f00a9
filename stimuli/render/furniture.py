"""The four distractor categories: table, couch, refrigerator, umbrella; several makes each."""

import math

import numpy as np

from . import surfaces
from .body import Body, Colour, Point

Rng = np.random.Generator


def _any_colour(rng: Rng, low: float = 0.06, high: float = 0.75) -> Colour:
    """A cloth or paint: any hue, mostly muted."""
    base = float(rng.uniform(low, high))
    tint = rng.dirichlet((1.2, 1.2, 1.2)) * 3.0
    strength = float(rng.uniform(0.1, 0.85))
    r, g, b = (float(v) for v in base * (1.0 - strength + strength * tint))
    return (min(r, 0.9), min(g, 0.9), min(b, 0.9))


def _scaled(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def _timber(rng: Rng, b: Body) -> int:
    """Wood, painted wood or stone-coloured laminate."""
    kind = rng.random()
    if kind < 0.65:
        tone = float(rng.uniform(0.12, 0.6))
        first: Colour = (tone, tone * float(rng.uniform(0.5, 0.68)), tone * float(rng.uniform(0.22, 0.42)))
        return b.material(
            first,
            _scaled(first, 0.62),
            pattern=surfaces.WOOD,
            scale=float(rng.uniform(4, 7)),
            mottle=0.4,
            bump=0.2,
            specular=0.1,
            gloss=4,
            phase=float(rng.uniform(0, 30)),
        )
    phase = float(rng.uniform(0, 30))
    if kind < 0.85:  # stone
        first = _any_colour(rng, 0.15, 0.7)
        return b.material(
            first,
            _scaled(first, float(rng.uniform(0.5, 0.8))),
            pattern=surfaces.PATCHES,
            scale=float(rng.uniform(5, 14)),
            mottle=0.35,
            specular=0.15,
            gloss=4,
            phase=phase,
        )
    return b.material(_any_colour(rng, 0.1, 0.8), mottle=0.35, bump=0.1, specular=0.12, gloss=4)


def table(rng: Rng) -> Body:
    """Table: four legs, round on a pedestal, trestle, low with a shelf, or round with three splayed legs."""
    b = Body()
    wood = _timber(rng, b)
    legs = wood if rng.random() < 0.7 else _timber(rng, b)
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


#: Patterns of cloth with their scales, and how common each is.
CLOTHS = (
    (surfaces.WEAVE, 70.0), (surfaces.CHECKS, 26.0), (surfaces.DOTS, 40.0), (surfaces.STRIPES, 34.0),
    (surfaces.ZEBRA, 40.0), (surfaces.PATCHES, 6.0), (surfaces.HIDE, 7.0),
)  # fmt: skip
CLOTH_SHARES = (0.34, 0.1, 0.12, 0.1, 0.14, 0.12, 0.08)


def _cloth(rng: Rng, b: Body, colour: Colour) -> int:
    kind = int(rng.choice(len(CLOTHS), p=CLOTH_SHARES))
    pattern, scale = CLOTHS[kind]
    other = _scaled(colour, 0.6) if kind == 0 else _any_colour(rng, 0.1, 0.8)
    phase = float(rng.uniform(0, 30))
    return b.material(colour, other, pattern=pattern, scale=scale, mottle=0.4, bump=0.4, phase=phase)


def couch(rng: Rng) -> Body:
    """Couch: boxy, rolled arms, chesterfield, or with a chaise; two or three seats."""
    b = Body()
    colour = _any_colour(rng)
    leather = rng.random() < 0.3
    cloth = (
        b.material(
            _scaled(colour, 0.7), colour, pattern=surfaces.HIDE, scale=9.0, mottle=0.4, specular=0.2, gloss=3, bump=0.35
        )
        if leather
        else _cloth(rng, b, colour)
    )
    seat = cloth if rng.random() < 0.75 else b.material(_scaled(colour, 0.8), mottle=0.4, bump=0.4)
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
            pillow = _cloth(rng, b, _any_colour(rng, 0.15, 0.8))
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


def refrigerator(rng: Rng) -> Body:
    """Refrigerator: freezer on top, retro single door, side by side, or double doors over a drawer."""
    b = Body()
    kind = rng.random()
    if kind < 0.4:
        tone = float(rng.uniform(0.55, 0.8))
        colour: Colour = (tone, tone, tone * float(rng.uniform(0.94, 1.02)))
        paint = b.material(colour, mottle=0.2, bump=0.12, specular=0.25, gloss=4)
    elif kind < 0.7:
        tone = float(rng.uniform(0.14, 0.42))
        colour = (tone, tone * 1.01, tone * 1.03)
        paint = b.material(colour, mottle=0.3, bump=0.16, specular=0.45, gloss=3)
    else:
        colour = _any_colour(rng, 0.2, 0.6)
        paint = b.material(colour, mottle=0.25, bump=0.12, specular=0.3, gloss=4)
    side = b.material(_scaled(colour, 0.85), mottle=0.04, specular=0.15)
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
    for _ in range(int(rng.integers(1, 8))):
        paper = b.material(
            _any_colour(rng, 0.35, 0.85),
            _any_colour(rng, 0.1, 0.6),
            pattern=surfaces.PATCHES,
            scale=14.0,
            mottle=0.2,
            phase=float(rng.uniform(0, 30)),
        )
        z, y = float(rng.uniform(-0.7, 0.7)) * w, float(rng.uniform(0.85, 1.75)) * h
        b.box(
            (front + 0.042, y, z),
            (0.006, float(rng.uniform(0.025, 0.06)), float(rng.uniform(0.025, 0.05))),
            "note",
            paper,
            edge=0.003,
            roll=float(rng.uniform(-0.6, 0.6)),
        )
    return b


def umbrella(rng: Rng) -> Body:
    """Umbrella: upright with a hooked grip, lying open on its rim, a parasol on a pole, or closed and stood on its tip."""
    b = Body()
    first = _any_colour(rng, 0.1, 0.8)
    second = _any_colour(rng, 0.1, 0.8) if rng.random() < 0.55 else _scaled(first, 0.88)
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
    strap = b.material(_scaled(first, 0.55), mottle=0.1)
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
