"""Zebras."""

import math

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour, Point
from ..shapes.limbs import BLACK, eyes, gait, pick, swung

Rng = np.random.Generator


def zebra(rng: Rng) -> Body:
    """Zebra: stout or slender, long or short in the leg; standing, walking, grazing, looking at you or lying; foals too."""
    b = Body()
    phase = float(rng.uniform(0, 6.28))
    white = float(rng.uniform(0.56, 0.84))  # from dusty to bright
    pale: Colour = (white, white * float(rng.uniform(0.9, 0.98)), white * float(rng.uniform(0.78, 0.94)))
    brown = float(rng.uniform(0.02, 0.15))  # from black stripes to faded ones
    dark: Colour = (0.02 + brown, 0.018 + 0.75 * brown, 0.02 + 0.55 * brown)
    fine = float(rng.uniform(0.75, 1.35))  # from broad stripes to narrow ones

    def striped(frequency: float) -> int:
        return b.material(pale, dark, pattern=surfaces.ZEBRA, scale=frequency * fine, mottle=0.1, phase=phase)

    barrel, neck_coat, leg_coat, face = striped(42), striped(50), striped(62), striped(80)
    black = b.material((0.03, 0.028, 0.028), mottle=0.2, specular=0.05)
    eye = b.material(BLACK, specular=0.8, gloss=5)
    foal = rng.random() < 0.25
    pose = pick(rng, 0.46, 0.18, 0.2, 0.16)
    lying = pose == 3
    girth = float(rng.uniform(0.78, 0.92) if foal else rng.uniform(0.86, 1.2))
    length = float(rng.uniform(0.78, 0.9) if foal else rng.uniform(0.9, 1.12))
    long = float(rng.uniform(1.0, 1.18) if foal else rng.uniform(0.84, 1.08))  # legs
    y = 0.24 * girth if lying else 0.8 * long
    sag = 0.03 * float(rng.uniform(0.0, 1.0))  # belly
    b.ball((0.0, y - sag, 0.0), (0.44 * length, 0.225 * girth, 0.2 * girth), "stripes", barrel)
    b.ball((0.27 * length, y + 0.01, 0.0), (0.2, 0.25 * girth, 0.185 * girth), "stripes", barrel, 0.1)
    b.ball((-0.3 * length, y + 0.045, 0.0), (0.22, 0.225 * girth, 0.195 * girth), "stripes", barrel, 0.1)
    if lying:
        _folded_legs(b, y, length, girth, leg_coat, black)
    else:
        _standing_legs(rng, b, y, long, length, girth, leg_coat, black)
    reach = float(rng.uniform(0.9, 1.15))  # of the neck
    if pose == 1:  # grazing
        crest, nod = (0.32 * length + 0.36 * reach, y - 0.28 * reach, 0.0), -1.15
    elif pose == 2:
        crest, nod = (0.32 * length + 0.34 * reach, y + 0.27 * reach, 0.0), -0.55
    else:
        crest, nod = (
            (0.32 * length + float(rng.uniform(0.24, 0.34)), y + float(rng.uniform(0.34, 0.46)) * reach, 0.0),
            -0.62,
        )
    look = float(rng.uniform(-0.7, 0.7)) if pose >= 2 else float(rng.uniform(-0.2, 0.2))
    root = (0.32 * length, y + 0.08, 0.0)
    b.limb([root, crest], [0.185 * girth, 0.105], "neck", neck_coat, 0.1, along=0.3)
    mane = b.material((0.05, 0.045, 0.045), pale, pattern=surfaces.ZEBRA, scale=55 * fine, phase=phase, mottle=0.3)
    rise, run = crest[1] - root[1], crest[0] - root[0]
    up = np.array([-rise, run]) / math.hypot(rise, run)
    tuft = float(rng.uniform(0.055, 0.08))
    for t in np.linspace(0.12, 1.0, 7):
        off = 0.185 * girth * (1.0 - t) + 0.105 * t + 0.025
        at = (root[0] + t * run + up[0] * off, root[1] + t * rise + up[1] * off, 0.0)
        b.ball(at, (tuft, tuft, 0.026), "mane", mane, 0.02)
    big = 1.12 if foal else float(rng.uniform(0.92, 1.08))
    _zebra_head(b.frame(crest, yaw=look, pitch=nod), big, float(rng.uniform(0.8, 1.25)), face, black, eye)
    dock = -0.3 * length - 0.2
    if lying:
        b.limb([(dock, y + 0.06, 0.0), (dock - 0.12, 0.08, 0.1)], [0.032, 0.022], "tail", leg_coat, 0.02)
        b.ball((dock - 0.14, 0.05, 0.16), (0.035, 0.035, 0.1), "tail", black, 0.02)
    else:
        whisk = float(rng.uniform(-0.05, 0.16))
        tail: list[Point] = [(dock, y + 0.1, 0.0), (dock - 0.06, y - 0.1, 0.0), (dock - 0.07 - whisk, y - 0.3, 0.03)]
        b.limb(tail, [0.032, 0.024, 0.018], "tail", leg_coat, 0.02)
        b.ball((dock - 0.075 - 1.3 * whisk, y - 0.38, 0.035), (0.035, 0.11, 0.035), "tail", black, 0.02)
    return b


def _standing_legs(rng: Rng, b: Body, y: float, long: float, length: float, girth: float, coat: int, hoof: int) -> None:
    swing = gait(rng)
    for n, (fore, side) in enumerate(((True, 1), (True, -1), (False, 1), (False, -1))):
        z = side * 0.105 * girth
        if fore:
            x = 0.3 * length
            hip = (x, y - 0.08, z)
            points = [hip, (x + 0.01, 0.42 * long, z), (x + 0.005, 0.1, z), (x + 0.03, 0.035, z)]
        else:
            x = -0.33 * length
            hip = (x, y, z)
            points = [
                hip,
                (x + 0.06, 0.53 * long, z),
                (x - 0.07, 0.38 * long, z),
                (x - 0.035, 0.1, z),
                (x - 0.01, 0.035, z),
            ]
        points = swung(hip, points, swing[n])
        thick = math.sqrt(girth)
        radii = [0.115, 0.055, 0.038, 0.04] if fore else [0.15, 0.085, 0.052, 0.037, 0.04]
        b.limb(points, [r * thick for r in radii], "leg", coat, 0.06)
        foot = points[-1]
        b.ball((foot[0] + 0.012, foot[1] - 0.005, z), (0.05, 0.04, 0.042), "hoof", hoof, 0.01)


def _folded_legs(b: Body, y: float, length: float, girth: float, coat: int, hoof: int) -> None:
    for side in (1, -1):
        z = side * 0.15 * girth
        fore: list[Point] = [(0.3 * length, y - 0.04, z), (0.52 * length, 0.08, z), (0.3 * length, 0.05, z * 1.25)]
        hind: list[Point] = [(-0.3 * length, y, z), (-0.02, 0.13, z * 1.35), (-0.28 * length, 0.05, z * 1.6)]
        b.limb(fore, [0.1, 0.055, 0.04], "leg", coat, 0.05)
        b.limb(hind, [0.14, 0.075, 0.042], "leg", coat, 0.05)
        for foot in (fore[-1], hind[-1]):
            b.ball((foot[0] - 0.03, foot[1], foot[2]), (0.05, 0.042, 0.042), "hoof", hoof, 0.01)


def _zebra_head(head: Body, big: float, ears: float, face: int, black: int, eye: int) -> None:
    head.ball((0.01, 0.02, 0.0), (0.125 * big, 0.115 * big, 0.095 * big), "head", face, 0.06)
    head.limb([(0.06, 0.0, 0.0), (0.32 * big, -0.015, 0.0)], [0.098 * big, 0.062 * big], "head", face, 0.04)
    head.ball((0.35 * big, -0.015, 0.0), (0.085 * big, 0.066 * big, 0.066 * big), "muzzle", black, 0.03)
    for side in (1, -1):
        head.ball((0.41 * big, 0.018, side * 0.035 * big), (0.018, 0.018, 0.014), "nose", eye)
        ear = head.frame((-0.05, 0.11 * big, side * 0.06), pitch=0.55, roll=side * 0.25)
        ear.ball((0.0, 0.065 * ears, 0.0), (0.035, 0.09 * ears, 0.024), "ear", face, 0.015)
        ear.ball((0.016, 0.07 * ears, 0.006 * side), (0.022, 0.06 * ears, 0.018), "ear", black)
    eyes(head, (0.095 * big, 0.045 * big, 0.07 * big), 0.027, eye)
