"""Elephants."""

import math

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour
from ..shapes.limbs import BLACK, eyes, gait, pick, swung

Rng = np.random.Generator


def elephant(rng: Rng) -> Body:
    """Elephant: African or Asian, grown or calf, trunk hanging, curled, raised or reaching."""
    b = Body()
    tone = float(rng.uniform(0.16, 0.42))
    warm = float(rng.uniform(-0.02, 0.1))
    grey: Colour = (tone * (1 + warm), tone * (1 + 0.2 * warm), tone * (1 - 0.9 * warm))
    skin = b.material(
        (grey[0] * 0.72, grey[1] * 0.72, grey[2] * 0.72), grey, pattern=surfaces.HIDE, scale=7.0, mottle=0.2, bump=0.22,
        phase=float(rng.uniform(0, 50)),
    )  # fmt: skip
    ear_skin = b.material(
        (grey[0] * 0.85, grey[1] * 0.8, grey[2] * 0.79), grey, pattern=surfaces.HIDE, scale=5.0, mottle=0.25, bump=0.15
    )
    ivory = b.material((0.82, 0.77, 0.62), mottle=0.08, specular=0.25, gloss=4)
    eye = b.material(BLACK, specular=0.8, gloss=5)
    nail = b.material((tone * 1.5 + 0.1, tone * 1.45 + 0.09, tone * 1.3 + 0.06), mottle=0.1)
    african, calf = rng.random() < 0.6, rng.random() < 0.25
    thick = 0.86 if calf else 1.0
    y = 0.68
    b.ball((0.0, y, 0.0), (0.5, 0.32, 0.29), "body", skin)
    b.ball((0.26, y + 0.05, 0.0), (0.27, 0.3, 0.25), "body", skin, 0.12)
    b.ball((-0.3, y + (0.03 if african else -0.01), 0.0), (0.28, 0.3, 0.265), "body", skin, 0.12)
    if not african:
        b.ball((0.0, y + 0.14, 0.0), (0.36, 0.22, 0.2), "body", skin, 0.12)
    swing = gait(rng, 0.4)
    for n, (x, side) in enumerate(((0.29, 1), (0.29, -1), (-0.32, 1), (-0.32, -1))):
        z = side * 0.165
        hip = (x, y - 0.1, z)
        points = swung(hip, [hip, (x + (0.02 if x > 0 else 0.03), 0.3, z), (x, 0.06, z)], swing[n] * 0.75)
        b.limb(points, [0.17 * thick, 0.115 * thick, 0.105 * thick], "leg", skin, 0.08)
        foot = points[-1]
        b.ball((foot[0] + 0.015, 0.04, z), (0.118 * thick, 0.055, 0.115 * thick), "foot", skin, 0.04)
        for turn in (-0.5, 0.0, 0.5):
            b.ball(
                (foot[0] + 0.015 + 0.11 * thick * math.cos(turn), 0.035, z + 0.11 * thick * math.sin(turn)),
                (0.02, 0.026, 0.026),
                "foot",
                nail,
            )
    big = 1.12 if calf else 1.0
    head = b.frame((0.56, y + 0.2, 0.0), yaw=float(rng.uniform(-0.35, 0.35)), pitch=float(rng.uniform(-0.12, 0.12)))
    b.limb([(0.3, y + 0.1, 0.0), (0.52, y + 0.17, 0.0)], [0.26, 0.2], "neck", skin, 0.12)
    head.ball((0.02, 0.03, 0.0), (0.2 * big, 0.235 * big, 0.19 * big), "head", skin, 0.1)
    if not african:
        for side in (1, -1):
            head.ball((-0.0, 0.2, side * 0.075), (0.11, 0.11, 0.09), "head", skin, 0.08)
    _trunk(rng, head, skin, big)
    head.ball((0.14, -0.2, 0.0), (0.1, 0.07, 0.07), "muzzle", skin, 0.08)
    spread, tall = (0.285, 0.33) if african else (0.19, 0.24)
    flap = float(rng.uniform(0.35, 0.95))
    for side in (1, -1):
        ear = head.frame((-0.04, 0.06, side * 0.165), yaw=side * flap)
        ear.ball((-spread * 0.78, 0.01, 0.0), (spread, tall * 0.86, 0.035), "ear", ear_skin, 0.03)
        ear.ball((-spread * 0.62, -tall * 0.55, 0.0), (spread * 0.62, tall * 0.6, 0.032), "ear", ear_skin, 0.05)
        ear.ball((-spread * 0.8, tall * 0.45, 0.0), (spread * 0.75, tall * 0.45, 0.034), "ear", ear_skin, 0.05)
    eyes(head, (0.145 * big, 0.04, 0.13 * big), 0.026, eye)
    if not calf and rng.random() < 0.85:
        reach = float(rng.uniform(0.7, 1.15))
        for side in (1, -1):
            z = side * 0.1
            points = [
                (0.15, -0.15, z),
                (0.26, -0.3, z * 1.15),
                (0.26 + 0.14 * reach, -0.36, z * 1.3),
                (0.26 + 0.26 * reach, -0.32, z * 1.25),
            ]
            head.limb(points, [0.036, 0.034, 0.026, 0.008], "tusk", ivory, 0.01)
    b.limb(
        [(-0.55, y + 0.12, 0.0), (-0.62, y - 0.12, 0.02), (-0.6, y - 0.34, 0.04)],
        [0.035, 0.022, 0.014],
        "tail",
        skin,
        0.03,
    )
    b.ball((-0.6, y - 0.39, 0.04), (0.025, 0.06, 0.025), "tail", eye, 0.01)
    return b


def _trunk(rng: Rng, head: Body, skin: int, big: float) -> None:
    pose = pick(rng, 0.35, 0.25, 0.2, 0.2)
    bends: list[tuple[float, float]] = [
        [(0.19, -0.02), (0.29, -0.2), (0.32, -0.42), (0.33, -0.6), (0.37, -0.72), (0.45, -0.75)],  # hanging
        [(0.19, -0.02), (0.3, -0.19), (0.34, -0.4), (0.31, -0.58), (0.2, -0.64), (0.13, -0.55)],  # curled in
        [(0.19, -0.02), (0.33, -0.14), (0.48, -0.08), (0.56, 0.1), (0.55, 0.29), (0.63, 0.4)],  # raised
        [(0.19, -0.02), (0.31, -0.2), (0.42, -0.36), (0.56, -0.44), (0.7, -0.42), (0.78, -0.34)],  # reaching
    ][pose]
    sway = float(rng.uniform(-0.08, 0.08))
    points = [(x * big, y, sway * i * i / 25.0) for i, (x, y) in enumerate(bends)]
    head.limb(points, [0.12 * big, 0.1, 0.08, 0.064, 0.052, 0.044], "trunk", skin, 0.05)
