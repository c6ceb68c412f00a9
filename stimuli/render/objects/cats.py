"""Cats."""

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour, Point
from ..shapes.limbs import BLACK, gait, pick, swung

Rng = np.random.Generator


COATS: tuple[tuple[Colour, Colour], ...] = (
    ((0.62, 0.33, 0.12), (0.3, 0.12, 0.035)),  # ginger
    ((0.3, 0.27, 0.23), (0.07, 0.06, 0.055)),  # brown tabby
    ((0.42, 0.42, 0.42), (0.14, 0.14, 0.145)),  # silver
    ((0.62, 0.5, 0.36), (0.34, 0.22, 0.12)),  # cream
    ((0.035, 0.032, 0.033), (0.02, 0.02, 0.02)),  # black
    ((0.2, 0.21, 0.23), (0.14, 0.145, 0.16)),  # blue
    ((0.78, 0.76, 0.72), (0.6, 0.57, 0.52)),  # white
)


def cat(rng: Rng) -> Body:
    """Cat: sitting, standing or lying; tabby, plain, bicolour, calico or pointed."""
    b = Body()
    first, second = COATS[int(rng.integers(len(COATS)))]
    plan = pick(rng, 0.42, 0.3, 0.28)
    coat_kind = pick(rng, 0.5, 0.2, 0.3)
    pattern = (surfaces.TABBY, surfaces.PATCHES, surfaces.PLAIN)[coat_kind]
    white: Colour = (0.8, 0.78, 0.74)
    if coat_kind == 1:
        first, second = white, first
    scale = 3.2 if coat_kind == 1 else float(rng.uniform(42, 56))
    phase = float(rng.uniform(0, 40))
    fur = b.material(first, second, pattern=pattern, scale=scale, mottle=0.5, bump=0.35, phase=phase)
    legs = b.material(first, second, pattern=pattern, scale=scale * 0.9, mottle=0.45, bump=0.3, phase=phase + 1)
    bib = b.material(white, mottle=0.3, bump=0.3) if rng.random() < 0.55 or coat_kind == 1 else fur
    colours = {"fur": fur, "legs": legs, "bib": bib}
    if plan == 0:
        place = _sitting(rng, b, colours)
    elif plan == 1:
        place = _standing(rng, b, colours)
    else:
        place = _lying(rng, b, colours)
    look = float(rng.uniform(-0.45, 0.45))
    _cat_head(
        rng,
        b.frame(place, yaw=look, pitch=float(rng.uniform(-0.1, 0.12)), roll=float(rng.uniform(-0.12, 0.12))),
        colours,
    )
    return b


def _cat_head(rng: Rng, head: Body, colours: dict[str, int]) -> None:
    fur, bib = colours["fur"], colours["bib"]
    iris = ((0.45, 0.55, 0.08), (0.65, 0.42, 0.05), (0.2, 0.42, 0.6), (0.3, 0.5, 0.2))[int(rng.integers(4))]
    eye = head.material(iris, specular=0.5, gloss=5, mottle=0.05)
    slit = head.material(BLACK, specular=0.9, gloss=5)
    rim = head.material((0.03, 0.025, 0.025), mottle=0.1)
    pink = head.material((0.62, 0.3, 0.27), mottle=0.1, specular=0.1)
    hair = head.material((0.85, 0.85, 0.83), mottle=0.0)
    head.ball((0.0, 0.0, 0.0), (0.16, 0.15, 0.178), "head", fur, 0.06)
    for side in (1, -1):
        head.ball((0.07, -0.055, side * 0.1), (0.085, 0.075, 0.08), "head", fur, 0.05)
        head.ball((0.145, -0.062, side * 0.038), (0.052, 0.045, 0.05), "muzzle", bib, 0.025)
        ear = head.frame((-0.005, 0.105, side * 0.105), roll=side * 0.3)
        ear.limb([(0.0, 0.0, 0.028), (0.0, 0.15, 0.012 * side)], [0.052, 0.01], "ear", fur, 0.02)
        ear.limb([(0.0, 0.0, -0.028), (0.0, 0.15, 0.012 * side)], [0.052, 0.01], "ear", fur, 0.03)
        ear.limb([(0.038, 0.012, 0.0), (0.014, 0.115, 0.01 * side)], [0.036, 0.006], "ear", pink)
        spot = head.frame((0.122, 0.022, side * 0.073), yaw=-side * 0.42)
        spot.ball((0.0, 0.0, 0.0), (0.026, 0.04, 0.046), "eye", rim)
        spot.ball((0.01, 0.0, 0.0), (0.024, 0.034, 0.039), "eye", eye)
        wide = float(rng.uniform(0.009, 0.02))
        spot.ball((0.022, 0.0, 0.0), (0.014, 0.03, wide), "eye", slit)
        for lift in (-0.01, 0.012, 0.034):
            head.limb(
                [(0.17, -0.055 + lift * 0.4, side * 0.055), (0.16, -0.06 + lift * 2.0, side * 0.25)],
                [0.0035, 0.002],
                "whiskers",
                hair,
                0.0,
            )
    head.ball((0.165, -0.088, 0.0), (0.04, 0.03, 0.04), "muzzle", bib, 0.02)
    head.ball((0.188, -0.03, 0.0), (0.018, 0.016, 0.024), "nose", pink, 0.006)


def _sitting(rng: Rng, b: Body, c: dict[str, int]) -> Point:
    b.ball((-0.1, 0.25, 0.0), (0.25, 0.25, 0.215), "body", c["fur"])
    b.ball((0.06, 0.45, 0.0), (0.155, 0.29, 0.155), "body", c["fur"], 0.12, pitch=0.22)
    b.ball((0.13, 0.47, 0.0), (0.1, 0.19, 0.11), "body", c["bib"], 0.04, pitch=0.2)
    for side in (1, -1):
        b.limb(
            [(0.13, 0.42, side * 0.085), (0.19, 0.2, side * 0.085), (0.2, 0.06, side * 0.085)],
            [0.075, 0.053, 0.05],
            "leg",
            c["legs"],
            0.05,
        )
        b.ball((0.235, 0.04, side * 0.088), (0.075, 0.042, 0.055), "paw", c["bib"], 0.03)
        b.ball((-0.06, 0.17, side * 0.17), (0.19, 0.16, 0.09), "leg", c["legs"], 0.06)
        b.ball((0.1, 0.038, side * 0.2), (0.1, 0.04, 0.055), "paw", c["bib"], 0.03)
    side = 1 if rng.random() < 0.5 else -1
    wrap: list[Point] = [
        (-0.3, 0.1, 0.03 * side),
        (-0.32, 0.06, 0.22 * side),
        (-0.1, 0.05, 0.34 * side),
        (0.14, 0.05, 0.32 * side),
    ]
    b.limb(wrap, [0.055, 0.052, 0.048, 0.035], "tail", c["fur"], 0.04)
    return (0.17, 0.82, 0.0)


def _standing(rng: Rng, b: Body, c: dict[str, int]) -> Point:
    b.ball((0.0, 0.48, 0.0), (0.36, 0.15, 0.13), "body", c["fur"])
    b.ball((0.23, 0.49, 0.0), (0.15, 0.16, 0.125), "body", c["fur"], 0.1)
    b.ball((-0.25, 0.5, 0.0), (0.16, 0.16, 0.13), "body", c["fur"], 0.1)
    swing = gait(rng, 0.3)
    for n, (fore, side) in enumerate(((True, 1), (True, -1), (False, 1), (False, -1))):
        z = side * 0.075
        if fore:
            hip: Point = (0.25, 0.43, z)
            points: list[Point] = [hip, (0.24, 0.24, z), (0.26, 0.05, z)]
            radii = [0.085, 0.048, 0.043]
        else:
            hip = (-0.27, 0.46, z)
            points = [hip, (-0.22, 0.3, z), (-0.34, 0.2, z), (-0.3, 0.05, z)]
            radii = [0.11, 0.07, 0.045, 0.043]
        points = swung(hip, points, swing[n] * 0.9)
        b.limb(points, radii, "leg", c["legs"], 0.05)
        foot = points[-1]
        b.ball((foot[0] + 0.035, max(foot[1] - 0.012, 0.036), z), (0.065, 0.036, 0.048), "paw", c["bib"], 0.03)
    b.limb([(0.29, 0.54, 0.0), (0.4, 0.64, 0.0)], [0.12, 0.1], "neck", c["fur"], 0.06)
    b.ball((0.36, 0.52, 0.0), (0.09, 0.12, 0.09), "body", c["bib"], 0.04)
    if rng.random() < 0.6:
        tail: list[Point] = [
            (-0.38, 0.55, 0.0),
            (-0.5, 0.66, 0.0),
            (-0.54, 0.84, 0.02),
            (-0.49, 1.0, 0.05),
            (-0.42, 1.06, 0.07),
        ]
    else:
        tail = [(-0.38, 0.53, 0.0), (-0.55, 0.48, 0.02), (-0.68, 0.36, 0.05), (-0.8, 0.33, 0.07), (-0.9, 0.4, 0.09)]
    b.limb(tail, [0.052, 0.048, 0.046, 0.044, 0.03], "tail", c["fur"], 0.04)
    return (0.48, 0.7, 0.0)


def _lying(rng: Rng, b: Body, c: dict[str, int]) -> Point:
    b.ball((-0.06, 0.19, 0.0), (0.38, 0.185, 0.2), "body", c["fur"])
    b.ball((-0.26, 0.2, 0.0), (0.2, 0.19, 0.2), "body", c["fur"], 0.08)
    b.ball((0.2, 0.22, 0.0), (0.16, 0.18, 0.16), "body", c["fur"], 0.08)
    b.ball((0.29, 0.2, 0.0), (0.09, 0.14, 0.11), "body", c["bib"], 0.04)
    for side in (1, -1):
        b.limb(
            [(0.22, 0.1, side * 0.12), (0.42, 0.06, side * 0.1), (0.5, 0.05, side * 0.09)],
            [0.075, 0.052, 0.05],
            "leg",
            c["legs"],
            0.04,
        )
        b.ball((0.54, 0.042, side * 0.09), (0.07, 0.042, 0.055), "paw", c["bib"], 0.03)
        b.ball((-0.22, 0.14, side * 0.17), (0.19, 0.14, 0.085), "leg", c["legs"], 0.06)
        b.ball((-0.04, 0.04, side * 0.22), (0.1, 0.038, 0.05), "paw", c["bib"], 0.03)
    side = 1 if rng.random() < 0.5 else -1
    tail: list[Point] = [
        (-0.42, 0.1, 0.0),
        (-0.5, 0.06, 0.18 * side),
        (-0.34, 0.05, 0.36 * side),
        (-0.06, 0.05, 0.4 * side),
    ]
    b.limb(tail, [0.055, 0.052, 0.048, 0.032], "tail", c["fur"], 0.04)
    return (0.34, 0.47, 0.0)
