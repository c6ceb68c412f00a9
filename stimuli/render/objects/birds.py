"""Birds: songbird, duck, wader, owl, hen, gull in flight."""

import math

import numpy as np

from ..shapes import surfaces
from ..shapes.body import Body, Colour, Point
from ..shapes.limbs import BLACK

Rng = np.random.Generator

#: Back, belly, wing, of birds that could be anywhere.
PLUMAGES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((0.05, 0.2, 0.62), (0.72, 0.45, 0.25), (0.03, 0.1, 0.38)),
    ((0.6, 0.05, 0.04), (0.45, 0.08, 0.06), (0.22, 0.03, 0.03)),
    ((0.72, 0.52, 0.05), (0.8, 0.72, 0.3), (0.08, 0.07, 0.06)),
    ((0.2, 0.14, 0.09), (0.68, 0.3, 0.1), (0.13, 0.09, 0.06)),
    ((0.06, 0.32, 0.16), (0.65, 0.7, 0.35), (0.03, 0.18, 0.12)),
    ((0.3, 0.28, 0.26), (0.75, 0.73, 0.7), (0.1, 0.1, 0.1)),
    ((0.03, 0.03, 0.035), (0.04, 0.04, 0.045), (0.015, 0.015, 0.02)),
    ((0.3, 0.36, 0.42), (0.78, 0.76, 0.72), (0.12, 0.14, 0.18)),
)


def bird(rng: Rng) -> Body:
    """Bird of one of six body plans."""
    plan = int(rng.choice(6, p=[0.32, 0.16, 0.14, 0.13, 0.12, 0.13]))
    return (_songbird, _duck, _wader, _owl, _hen, _gull)[plan](rng)


def _feathers(rng: Rng, b: Body, plumage: tuple[Colour, Colour, Colour]) -> tuple[int, int]:
    back, belly, wing = plumage
    lighter: Colour = (wing[0] * 0.4 + back[0] * 0.9, wing[1] * 0.4 + back[1] * 0.9, wing[2] * 0.4 + back[2] * 0.9)
    coat = b.material(
        back, belly, pattern=surfaces.SHADED, scale=0.15, mottle=0.25, bump=0.08, phase=float(rng.uniform(0, 30))
    )
    quill = b.material(lighter, wing, pattern=surfaces.FEATHERS, scale=float(rng.uniform(9, 13)), mottle=0.2)
    return coat, quill


def _face(head: Body, at: Point, radius: float, *, ring: Colour = (0.8, 0.76, 0.66)) -> None:
    white = head.material(ring, mottle=0.05)
    black = head.material(BLACK, specular=0.9, gloss=5)
    x, y, z = at
    for side in (1, -1):
        head.ball((x, y, side * z), (radius * 1.35, radius * 1.35, radius * 0.8), "eye", white, 0.0)
        head.ball((x + radius * 0.2, y, side * (z + radius * 0.45)), radius, "eye", black)


def _feet(b: Body, hip_y: float, x: float, z: float, leg: int, *, thick: float = 0.016, stride: float = 0.0) -> None:
    for side in (1, -1):
        shift = stride * side
        knee = (x - 0.02 + shift * 0.5, hip_y * 0.5, side * z)
        ankle = (x + shift, 0.02, side * z)
        b.limb([(x, hip_y, side * z), knee, ankle], [thick * 1.7, thick, thick * 0.9], "leg", leg, 0.01)
        for way in (-0.5, 0.0, 0.5):
            b.limb(
                [ankle, (ankle[0] + 0.1 * math.cos(way), 0.012, ankle[2] + 0.1 * math.sin(way))],
                [thick * 0.8, thick * 0.5],
                "foot",
                leg,
                0.008,
            )
        b.limb([ankle, (ankle[0] - 0.06, 0.012, ankle[2])], [thick * 0.8, thick * 0.5], "foot", leg, 0.008)


def _beak_colour(rng: Rng) -> Colour:
    return ((0.85, 0.42, 0.04), (0.75, 0.6, 0.12), (0.06, 0.055, 0.05), (0.5, 0.4, 0.3))[int(rng.integers(4))]


def _songbird(rng: Rng) -> Body:
    b = Body()
    coat, quill = _feathers(rng, b, PLUMAGES[int(rng.integers(len(PLUMAGES)))])
    horn = b.material(_beak_colour(rng), specular=0.2, mottle=0.05)
    lean = float(rng.uniform(0.25, 0.65))
    y = 0.42
    b.ball((0.0, y, 0.0), (0.33, 0.23, 0.22), "body", coat, pitch=lean)
    hx, hy = 0.23 * math.cos(lean) + 0.02, y + 0.2 * math.sin(lean) + 0.2
    head = b.frame((hx, hy, 0.0), yaw=float(rng.uniform(-0.6, 0.6)), pitch=float(rng.uniform(-0.15, 0.2)))
    head.ball((0.0, 0.0, 0.0), (0.175, 0.165, 0.16), "head", coat, 0.1)
    size = float(rng.uniform(0.75, 1.25))
    head.limb([(0.12, -0.01, 0.0), (0.15 + 0.16 * size, -0.03, 0.0)], [0.052, 0.006], "beak", horn, 0.01)
    head.limb([(0.12, -0.035, 0.0), (0.15 + 0.12 * size, -0.042, 0.0)], [0.036, 0.006], "beak", horn, 0.0)
    _face(head, (0.085, 0.035, 0.122), 0.028)
    if rng.random() < 0.35:
        head.limb([(0.0, 0.12, 0.0), (-0.09, 0.24, 0.0), (-0.17, 0.3, 0.0)], [0.06, 0.045, 0.008], "crest", coat, 0.04)
    for side in (1, -1):
        b.ball(
            (-0.09, y + 0.02, side * 0.185),
            (0.3, 0.15, 0.055),
            "wing",
            quill,
            0.02,
            pitch=lean * 0.95,
            yaw=-side * 0.12,
        )
    tail = b.frame((-0.28 * math.cos(lean), y - 0.26 * math.sin(lean), 0.0), pitch=lean * float(rng.uniform(0.2, 1.0)))
    tail.ball((-0.2, 0.0, 0.0), (0.26, 0.026, 0.075), "tail", quill, 0.04)
    _feet(b, y - 0.16, 0.03, 0.075, horn)
    return b


def _duck(rng: Rng) -> Body:
    b = Body()
    drake = rng.random() < 0.5
    plumage = PLUMAGES[5] if drake else PLUMAGES[(3, 2, 7)[int(rng.integers(3))]]
    coat, quill = _feathers(rng, b, plumage)
    hood = b.material((0.02, 0.2, 0.09), mottle=0.15, specular=0.2) if drake else coat
    collar = b.material((0.8, 0.8, 0.78), mottle=0.1) if drake else coat
    horn = b.material(((0.8, 0.5, 0.03), (0.8, 0.35, 0.04))[int(rng.integers(2))], specular=0.2, mottle=0.05)
    y = 0.34
    b.ball((0.0, y, 0.0), (0.44, 0.21, 0.24), "body", coat, pitch=0.06)
    b.ball((0.25, y + 0.03, 0.0), (0.2, 0.19, 0.19), "body", coat, 0.1)
    b.limb([(-0.32, y + 0.04, 0.0), (-0.54, y + 0.16, 0.0)], [0.13, 0.03], "tail", quill, 0.06)
    for side in (1, -1):
        b.ball((-0.1, y + 0.06, side * 0.2), (0.34, 0.14, 0.06), "wing", quill, 0.02, pitch=-0.1, yaw=-side * 0.1)
    top = y + float(rng.uniform(0.36, 0.46))
    b.limb(
        [(0.3, y + 0.1, 0.0), (0.37, y + 0.22, 0.0), (0.36, top - 0.04, 0.0)], [0.14, 0.1, 0.09], "neck", collar, 0.06
    )
    head = b.frame((0.39, top + 0.03, 0.0), yaw=float(rng.uniform(-0.7, 0.7)), pitch=float(rng.uniform(-0.15, 0.1)))
    head.ball((0.0, 0.0, 0.0), (0.15, 0.13, 0.12), "head", hood, 0.05)
    head.ball((0.2, -0.035, 0.0), (0.13, 0.028, 0.065), "beak", horn, 0.03)
    head.ball((0.18, -0.06, 0.0), (0.1, 0.016, 0.055), "beak", horn, 0.0)
    _face(head, (0.06, 0.035, 0.09), 0.024)
    _feet(b, y - 0.12, 0.02, 0.1, horn, thick=0.02)
    for side in (1, -1):
        b.ball((0.08, 0.015, side * 0.1), (0.085, 0.015, 0.06), "foot", horn, 0.01)
    return b


def _wader(rng: Rng) -> Body:
    b = Body()
    pink = rng.random() < 0.5
    plumage = (
        ((0.8, 0.32, 0.28), (0.82, 0.45, 0.38), (0.62, 0.14, 0.14)) if pink else PLUMAGES[(5, 7)[int(rng.integers(2))]]
    )
    coat, quill = _feathers(rng, b, plumage)
    horn = b.material((0.7, 0.3, 0.22) if pink else (0.75, 0.5, 0.08), specular=0.2, mottle=0.05)
    tip = b.material((0.03, 0.03, 0.03), specular=0.2)
    y = 0.78
    b.ball((0.0, y, 0.0), (0.29, 0.16, 0.15), "body", coat, pitch=0.12)
    b.ball((-0.25, y - 0.05, 0.0), (0.18, 0.055, 0.08), "tail", quill, 0.05, pitch=0.3)
    for side in (1, -1):
        b.ball((-0.08, y + 0.02, side * 0.115), (0.27, 0.12, 0.05), "wing", quill, 0.02, pitch=0.15)
    bend = float(rng.uniform(0.0, 0.12))
    neck: list[Point] = [
        (0.22, y + 0.06, 0.0),
        (0.38, y + 0.16, 0.0),
        (0.36 - bend, y + 0.32, 0.0),
        (0.28, y + 0.46, 0.0),
        (0.36, y + 0.57, 0.0),
    ]
    b.limb(neck, [0.08, 0.05, 0.042, 0.04, 0.045], "neck", coat, 0.05)
    head = b.frame((0.4, y + 0.58, 0.0), pitch=float(rng.uniform(-0.3, 0.0)))
    head.ball((0.0, 0.0, 0.0), (0.09, 0.065, 0.06), "head", coat, 0.04)
    if pink:
        head.limb([(0.06, -0.01, 0.0), (0.16, -0.04, 0.0)], [0.04, 0.033], "beak", horn, 0.02)
        head.limb([(0.16, -0.04, 0.0), (0.2, -0.13, 0.0)], [0.033, 0.01], "beak", tip, 0.01)
    else:
        head.limb([(0.06, 0.0, 0.0), (0.36, -0.03, 0.0)], [0.034, 0.006], "beak", horn, 0.02)
        head.limb([(-0.02, 0.05, 0.0), (-0.2, 0.06, 0.0)], [0.02, 0.004], "crest", tip, 0.01)
    _face(head, (0.04, 0.012, 0.046), 0.016)
    for side in (1, -1):
        z = side * 0.055
        bent = rng.random() < 0.25 and side == 1
        if bent:
            b.limb([(0.0, y - 0.1, z), (0.04, 0.45, z), (-0.16, 0.5, z)], [0.03, 0.017, 0.014], "leg", horn, 0.01)
            continue
        b.limb([(0.0, y - 0.1, z), (-0.02, 0.38, z), (0.0, 0.02, z)], [0.03, 0.018, 0.015], "leg", horn, 0.01)
        for way in (-0.5, 0.0, 0.5):
            b.limb(
                [(0.0, 0.02, z), (0.1 * math.cos(way), 0.01, z + 0.1 * math.sin(way))],
                [0.014, 0.008],
                "foot",
                horn,
                0.008,
            )
    return b


def _owl(rng: Rng) -> Body:
    whole = Body()
    b = whole.frame((0.0, 0.0, 0.0), yaw=0.75)  # owls look at you
    tone = float(rng.uniform(0.1, 0.3))
    plumage: tuple[Colour, Colour, Colour] = (
        (tone * 1.3, tone, tone * 0.7),
        (0.65, 0.55, 0.42),
        (tone * 0.6, tone * 0.45, tone * 0.3),
    )
    coat = b.material(plumage[0], plumage[2], pattern=surfaces.FEATHERS, scale=13.0, mottle=0.35, bump=0.1)
    chest = b.material(plumage[1], plumage[0], pattern=surfaces.FEATHERS, scale=15.0, mottle=0.25)
    quill = b.material(plumage[0], plumage[2], pattern=surfaces.FEATHERS, scale=9.0, mottle=0.25)
    pale = b.material((0.7, 0.62, 0.5), mottle=0.2)
    gold = b.material((0.85, 0.55, 0.03), specular=0.5, gloss=5)
    black = b.material(BLACK, specular=0.9, gloss=5)
    horn = b.material((0.12, 0.11, 0.1), specular=0.2)
    b.ball((0.0, 0.38, 0.0), (0.23, 0.36, 0.25), "body", coat, pitch=0.1)
    b.ball((0.09, 0.36, 0.0), (0.17, 0.29, 0.19), "body", chest, 0.03, pitch=0.1)
    for side in (1, -1):
        b.ball((-0.04, 0.36, side * 0.22), (0.15, 0.32, 0.07), "wing", quill, 0.03, pitch=0.18)
        for n in range(3):
            b.limb(
                [(0.08, 0.04, side * 0.1), (0.2, 0.02, side * 0.1 + (n - 1) * 0.05)], [0.03, 0.015], "foot", horn, 0.01
            )
    b.ball((-0.18, 0.1, 0.0), (0.08, 0.17, 0.12), "tail", quill, 0.04, pitch=-0.3)
    head = b.frame((0.04, 0.76, 0.0), yaw=float(rng.uniform(-0.6, 0.6)))
    head.ball((0.0, 0.0, 0.0), (0.2, 0.19, 0.235), "head", coat, 0.08)
    tufts = rng.random() < 0.65
    for side in (1, -1):
        disc = head.frame((0.135, 0.01, side * 0.09), yaw=-side * 0.3)
        disc.ball((0.0, 0.0, 0.0), (0.055, 0.115, 0.105), "head", pale, 0.01)
        disc.ball((0.04, 0.01, 0.0), (0.03, 0.056, 0.056), "eye", gold)
        disc.ball((0.056, 0.01, 0.0), (0.022, 0.033, 0.033), "eye", black)
        if tufts:
            head.limb([(0.06, 0.13, side * 0.12), (0.03, 0.29, side * 0.2)], [0.055, 0.008], "crest", coat, 0.03)
    head.limb([(0.19, -0.01, 0.0), (0.22, -0.075, 0.0)], [0.03, 0.008], "beak", horn, 0.01)
    return whole


def _hen(rng: Rng) -> Body:
    b = Body()
    plumage = (
        ((0.5, 0.2, 0.06), (0.42, 0.17, 0.05), (0.25, 0.09, 0.03)),
        ((0.76, 0.74, 0.7), (0.74, 0.72, 0.68), (0.55, 0.52, 0.48)),
        ((0.05, 0.05, 0.05), (0.06, 0.055, 0.05), (0.02, 0.03, 0.03)),
    )[int(rng.integers(3))]
    coat, quill = _feathers(rng, b, plumage)
    red = b.material((0.62, 0.03, 0.025), mottle=0.1, specular=0.1)
    horn = b.material((0.75, 0.5, 0.12), specular=0.15, mottle=0.05)
    y = 0.46
    rooster = rng.random() < 0.4
    b.ball((0.0, y, 0.0), (0.33, 0.24, 0.22), "body", coat, pitch=0.15)
    b.ball((0.2, y + 0.08, 0.0), (0.17, 0.2, 0.17), "body", coat, 0.1)
    b.limb([(0.22, y + 0.15, 0.0), (0.3, y + 0.42, 0.0)], [0.16, 0.08], "neck", coat, 0.08)
    for lift in (-0.15, 0.15, 0.45):
        plume = b.frame((-0.22, y + 0.1, 0.0), pitch=-(0.75 + lift))
        plume.ball((-0.26, 0.0, 0.0), (0.3 if rooster else 0.22, 0.085, 0.035), "tail", quill, 0.04)
    for side in (1, -1):
        b.ball((-0.05, y + 0.03, side * 0.19), (0.25, 0.14, 0.055), "wing", quill, 0.02, pitch=-0.05)
    head = b.frame((0.32, y + 0.46, 0.0), yaw=float(rng.uniform(-0.6, 0.6)), pitch=float(rng.uniform(-0.2, 0.2)))
    head.ball((0.0, 0.0, 0.0), (0.105, 0.1, 0.09), "head", coat, 0.05)
    head.limb([(0.08, -0.005, 0.0), (0.2, -0.035, 0.0)], [0.04, 0.006], "beak", horn, 0.01)
    tall = 1.3 if rooster else 0.9
    for n in range(4):
        head.ball(
            (0.075 - 0.05 * n, 0.105 + 0.018 * math.sin(n), 0.0), (0.034, 0.052 * tall, 0.016), "crest", red, 0.02
        )
    for side in (1, -1):
        head.ball((0.085, -0.11, side * 0.025), (0.03, 0.055 * tall, 0.016), "crest", red, 0.01)
    _face(head, (0.045, 0.025, 0.066), 0.018, ring=(0.62, 0.12, 0.08))
    _feet(b, y - 0.18, 0.02, 0.085, horn, thick=0.02)
    return b


def _gull(rng: Rng) -> Body:
    """In flight: the body hangs at a height, wings out."""
    b = Body()
    coat, quill = _feathers(rng, b, PLUMAGES[(5, 7, 0, 6)[int(rng.integers(4))]])
    tip = b.material((0.04, 0.04, 0.045), mottle=0.2)
    horn = b.material((0.82, 0.5, 0.05), specular=0.2)
    y = 0.75
    fly = b.frame((0.0, y, 0.0), pitch=float(rng.uniform(-0.1, 0.25)), roll=float(rng.uniform(-0.3, 0.3)))
    fly.ball((0.0, 0.0, 0.0), (0.36, 0.135, 0.13), "body", coat)
    fly.ball((0.33, 0.04, 0.0), (0.13, 0.105, 0.1), "head", coat, 0.08)
    fly.limb([(0.43, 0.03, 0.0), (0.58, 0.0, 0.0)], [0.04, 0.008], "beak", horn, 0.01)
    _face(fly.frame((0.33, 0.04, 0.0)), (0.05, 0.03, 0.072), 0.02)
    for spread in (-0.25, 0.0, 0.25):
        fan = fly.frame((-0.3, 0.0, 0.0), yaw=spread)
        fan.ball((-0.18, 0.0, 0.0), (0.2, 0.018, 0.06), "tail", quill, 0.03)
    lift = float(rng.uniform(0.05, 0.6))
    for side in (1, -1):
        inner = fly.frame((0.08, 0.05, side * 0.08), roll=-side * lift)
        inner.ball((0.0, 0.0, side * 0.25), (0.17, 0.03, 0.32), "wing", quill, 0.04)
        outer = inner.frame((0.02, 0.0, side * 0.5), roll=side * lift * 0.75, yaw=side * 0.35)
        outer.ball((-0.02, 0.0, side * 0.22), (0.12, 0.024, 0.3), "wing", quill, 0.05)
        for n in range(4):
            finger = outer.frame((-0.05 + 0.045 * n, 0.0, side * 0.38), yaw=side * (0.42 - 0.14 * n))
            finger.ball((0.0, 0.0, side * 0.12), (0.03, 0.014, 0.16), "wing", tip, 0.02)
    return b
