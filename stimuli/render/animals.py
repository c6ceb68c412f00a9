"""The four target categories: bird, zebra, elephant, cat; several body plans, poses and coats each."""

import math

import numpy as np

from . import surfaces
from .body import Body, Colour, Point

Rng = np.random.Generator

BLACK: Colour = (0.012, 0.012, 0.014)


def _pick(rng: Rng, *weights: float) -> int:
    return int(rng.choice(len(weights), p=np.array(weights) / sum(weights)))


def _swing(hip: Point, points: list[Point], degrees: float) -> list[Point]:
    """Turn a leg's points about its hip, in the plane of the walk."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    return [
        (hip[0] + c * (x - hip[0]) + s * (y - hip[1]), hip[1] - s * (x - hip[0]) + c * (y - hip[1]), z)
        for x, y, z in points
    ]


def _gait(rng: Rng, standing: float = 0.45) -> list[float]:
    """Swing of the four legs (left fore, right fore, left hind, right hind), degrees."""
    if rng.random() < standing:
        return [float(v) for v in rng.uniform(-4, 4, 4)]
    a = float(rng.uniform(12, 24)) * (1 if rng.random() < 0.5 else -1)
    return [a, -a * 0.8, -a * 0.9, a]


def _eyes(head: Body, at: Point, radius: float, material: int, *, white: int | None = None, out: float = 0.35) -> None:
    """A pair of eyes, mirrored at the head's midline; `white` puts a ring behind each."""
    x, y, z = at
    for side in (1, -1):
        if white is not None:
            head.ball((x, y, side * z), (radius * 1.25, radius * 1.25, radius * 0.9), "eye", white)
        head.ball((x + radius * out, y + radius * 0.05, side * (z + radius * 0.32)), radius * 0.92, "eye", material)


def zebra(rng: Rng) -> Body:
    """Zebra: stout or slender, long or short in the leg; standing, walking, grazing, looking at you or lying; foals too."""
    b = Body()
    phase = float(rng.uniform(0, 6.28))
    white = float(rng.uniform(0.72, 0.86))
    pale: Colour = (white, white * float(rng.uniform(0.9, 0.98)), white * float(rng.uniform(0.78, 0.94)))
    brown = float(rng.uniform(0.0, 0.05))
    dark: Colour = (0.02 + brown, 0.018 + 0.6 * brown, 0.02 + 0.3 * brown)
    fine = float(rng.uniform(0.75, 1.35))  # from broad stripes to narrow ones

    def striped(frequency: float) -> int:
        return b.material(pale, dark, pattern=surfaces.ZEBRA, scale=frequency * fine, mottle=0.1, phase=phase)

    barrel, neck_coat, leg_coat, face = striped(42), striped(50), striped(62), striped(80)
    black = b.material((0.03, 0.028, 0.028), mottle=0.2, specular=0.05)
    eye = b.material(BLACK, specular=0.8, gloss=5)
    foal = rng.random() < 0.25
    pose = _pick(rng, 0.46, 0.18, 0.2, 0.16)
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
        crest, nod = (0.32 * length + float(rng.uniform(0.24, 0.34)), y + float(rng.uniform(0.34, 0.46)) * reach, 0.0), -0.62
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


def _standing_legs(
    rng: Rng, b: Body, y: float, long: float, length: float, girth: float, coat: int, hoof: int
) -> None:
    swing = _gait(rng)
    for n, (fore, side) in enumerate(((True, 1), (True, -1), (False, 1), (False, -1))):
        z = side * 0.105 * girth
        if fore:
            x = 0.3 * length
            hip = (x, y - 0.08, z)
            points = [hip, (x + 0.01, 0.42 * long, z), (x + 0.005, 0.1, z), (x + 0.03, 0.035, z)]
        else:
            x = -0.33 * length
            hip = (x, y, z)
            points = [hip, (x + 0.06, 0.53 * long, z), (x - 0.07, 0.38 * long, z), (x - 0.035, 0.1, z), (x - 0.01, 0.035, z)]
        points = _swing(hip, points, swing[n])
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
    _eyes(head, (0.095 * big, 0.045 * big, 0.07 * big), 0.027, eye)


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
    swing = _gait(rng, 0.4)
    for n, (x, side) in enumerate(((0.29, 1), (0.29, -1), (-0.32, 1), (-0.32, -1))):
        z = side * 0.165
        hip = (x, y - 0.1, z)
        points = _swing(hip, [hip, (x + (0.02 if x > 0 else 0.03), 0.3, z), (x, 0.06, z)], swing[n] * 0.75)
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
    _eyes(head, (0.145 * big, 0.04, 0.13 * big), 0.026, eye)
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
    pose = _pick(rng, 0.35, 0.25, 0.2, 0.2)
    bends: list[tuple[float, float]] = [
        [(0.19, -0.02), (0.29, -0.2), (0.32, -0.42), (0.33, -0.6), (0.37, -0.72), (0.45, -0.75)],  # hanging
        [(0.19, -0.02), (0.3, -0.19), (0.34, -0.4), (0.31, -0.58), (0.2, -0.64), (0.13, -0.55)],  # curled in
        [(0.19, -0.02), (0.33, -0.14), (0.48, -0.08), (0.56, 0.1), (0.55, 0.29), (0.63, 0.4)],  # raised
        [(0.19, -0.02), (0.31, -0.2), (0.42, -0.36), (0.56, -0.44), (0.7, -0.42), (0.78, -0.34)],  # reaching
    ][pose]
    sway = float(rng.uniform(-0.08, 0.08))
    points = [(x * big, y, sway * i * i / 25.0) for i, (x, y) in enumerate(bends)]
    head.limb(points, [0.12 * big, 0.1, 0.08, 0.064, 0.052, 0.044], "trunk", skin, 0.05)


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
    plan = _pick(rng, 0.42, 0.3, 0.28)
    coat_kind = _pick(rng, 0.5, 0.2, 0.3)
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
    swing = _gait(rng, 0.3)
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
        points = _swing(hip, points, swing[n] * 0.9)
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
