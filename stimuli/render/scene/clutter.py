"""What lies and stands about: small things, plants, lamps, trees."""

import numpy as np
from numpy.typing import NDArray

from ..shapes import surfaces
from ..shapes.body import Body, Colour, placed
from ..shapes.paints import any_colour
from ..shapes.viewpoint import REACH, on_ground

Array = NDArray[np.float64]
Rng = np.random.Generator


def background(rng: Rng, body: Body, camera: Array, *, indoor: bool) -> list[tuple[Array, Array]]:
    """Trees, bushes and posts in the open; plants and lamps in rooms: always behind where the object stands."""
    out = []
    for _ in range(int(rng.integers(0, 5))):
        u = float(rng.uniform(-0.1, 1.1))
        depth = float(rng.uniform(1.4, 1.75) if indoor else rng.uniform(1.7, 4.0)) * REACH
        x = (2 * u - 1) * camera[12] * depth
        one = Body([], body.materials)
        (_plant if indoor and rng.random() < 0.6 else _lamp if indoor else _tree)(rng, one)
        scale = float(rng.uniform(0.8, 1.4)) * (1.0 if indoor else 1.7)
        out.append(
            placed(np.array(one.rows), yaw=float(rng.uniform(0, 6.28)), scale=scale, at=(x, 0.0, depth), number=2)
        )
    return out


def clutter(rng: Rng, body: Body, camera: Array) -> list[tuple[Array, Array]]:
    """Small things beside, behind and now and then in front of the object, at places of the frame."""
    out = []
    for _ in range(int(rng.integers(2, 6))):
        where = rng.random()
        if where < 0.62:  # beside
            u = float(rng.uniform(0.03, 0.24) if rng.random() < 0.5 else rng.uniform(0.76, 0.97))
            v = float(rng.uniform(0.62, 0.9))
        elif where < 0.84:  # behind
            u, v = float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.52, 0.62))
        else:  # in front, low
            u, v = float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.93, 1.08))
        point = on_ground(camera, u, v)
        if point is None or point[2] > 4.0 * REACH:
            continue
        share = float(rng.uniform(0.1, 0.2))  # of the frame's side
        one = Body([], body.materials)
        _thing(rng, one)
        scale = share * 2.0 * camera[12] * point[2]
        out.append(placed(np.array(one.rows), yaw=float(rng.uniform(0, 6.28)), scale=scale, at=point, number=2))
    return out


def _paint(rng: Rng, b: Body) -> int:
    vivid = rng.random() < 0.5
    first: Colour = any_colour(rng, 0.25, 0.7) if vivid else any_colour(rng, 0.1, 0.5)
    second = any_colour(rng, 0.1, 0.85)
    pattern, scale = (
        (surfaces.PLAIN, 1.0), (surfaces.PATCHES, 5.0), (surfaces.CHECKS, 14.0), (surfaces.STRIPES, 16.0), (surfaces.DOTS, 22.0),
        (surfaces.WOOD, 4.0), (surfaces.ZEBRA, 20.0),
    )[int(rng.choice(7, p=[0.4, 0.1, 0.1, 0.12, 0.08, 0.12, 0.08]))]  # fmt: skip
    return b.material(
        first,
        second,
        pattern=pattern,
        scale=scale,
        mottle=0.08,
        specular=float(rng.uniform(0, 0.5)),
        gloss=4,
        phase=float(rng.uniform(0, 9)),
    )


def _thing(rng: Rng, b: Body) -> None:
    """Ball, crate, pot, stones, bottle, books, bucket, cushion; about one unit tall."""
    kind = int(rng.integers(8))
    m = _paint(rng, b)
    if kind == 0:
        b.ball((0.0, 0.45, 0.0), 0.45, "clutter", m)
    elif kind == 1:
        b.box((0.0, 0.4, 0.0), (0.45, 0.4, 0.4), "clutter", m, edge=0.03)
        b.box((0.0, 0.62, 0.0), (0.46, 0.03, 0.41), "clutter", _paint(rng, b), edge=0.01)
    elif kind == 2:
        b.limb([(0.0, 0.05, 0.0), (0.0, 0.4, 0.0)], [0.22, 0.32], "clutter", m)
        _leaves(rng, b, 0.75, 0.35, 5)
    elif kind == 3:
        stone = b.material(_grey(rng), _grey(rng), pattern=surfaces.PATCHES, scale=4.0, mottle=0.3, bump=0.4)
        for _ in range(int(rng.integers(1, 4))):
            r = float(rng.uniform(0.2, 0.42))
            b.ball(
                (float(rng.uniform(-0.4, 0.4)), r * 0.55, float(rng.uniform(-0.4, 0.4))),
                (r * 1.25, r * 0.8, r),
                "clutter",
                stone,
                0.06,
                yaw=float(rng.uniform(0, 3)),
            )
    elif kind == 4:
        b.limb(
            [(0.0, 0.12, 0.0), (0.0, 0.6, 0.0), (0.0, 0.75, 0.0), (0.0, 1.0, 0.0)],
            [0.18, 0.18, 0.08, 0.07],
            "clutter",
            m,
            0.05,
        )
    elif kind == 5:
        for n in range(int(rng.integers(2, 5))):
            b.box(
                (0.0, 0.1 + 0.19 * n, 0.0),
                (0.32, 0.085, 0.45),
                "clutter",
                _paint(rng, b),
                edge=0.015,
                yaw=float(rng.uniform(-0.3, 0.3)),
            )
    elif kind == 6:
        b.limb([(0.0, 0.12, 0.0), (0.0, 0.6, 0.0)], [0.26, 0.36], "clutter", m)
        b.limb(
            [(-0.36, 0.6, 0.0), (-0.2, 0.88, 0.0), (0.2, 0.88, 0.0), (0.36, 0.6, 0.0)],
            [0.025] * 4,
            "clutter",
            _paint(rng, b),
        )
    else:
        b.ball((0.0, 0.25, 0.0), (0.5, 0.24, 0.42), "clutter", m)
        b.ball((0.1, 0.55, 0.0), (0.3, 0.2, 0.3), "clutter", m, 0.12)


def _grey(rng: Rng) -> Colour:
    tone = float(rng.uniform(0.12, 0.45))
    return (tone, tone * 0.96, tone * 0.9)


def _leaves(rng: Rng, b: Body, y: float, spread: float, n: int) -> None:
    tone = float(rng.uniform(0.5, 1.4))
    leaf = b.material(
        (0.07 * tone, 0.19 * tone, 0.05 * tone),
        (0.17 * tone, 0.26 * tone, 0.06 * tone),
        pattern=surfaces.PATCHES,
        scale=7.0,
        mottle=0.4,
        bump=0.7,
    )
    for _ in range(n):
        at = (
            float(rng.uniform(-spread, spread)),
            y + float(rng.uniform(-spread, spread)) * 0.7,
            float(rng.uniform(-spread, spread)),
        )
        b.ball(at, (spread * 0.75, spread * 0.6, spread * 0.75), "clutter", leaf, 0.12)


def _tree(rng: Rng, b: Body) -> None:
    kind = int(rng.integers(4))
    bark = b.material((0.16, 0.11, 0.075), (0.09, 0.06, 0.04), pattern=surfaces.WOOD, scale=5.0, mottle=0.4)
    if kind == 0:
        b.limb([(0.0, 0.0, 0.0), (0.05, 1.2, 0.0)], [0.12, 0.08], "clutter", bark)
        _leaves(rng, b, 1.6, 0.55, 5)
    elif kind == 1:
        _leaves(rng, b, 0.35, 0.45, 4)
    elif kind == 2:
        b.limb([(0.0, 0.0, 0.0), (0.0, 0.6, 0.0)], [0.09, 0.08], "clutter", bark)
        tone = float(rng.uniform(0.6, 1.3))
        needles = b.material((0.05 * tone, 0.13 * tone, 0.06 * tone), mottle=0.5, bump=0.8)
        for n in range(3):
            b.limb(
                [(0.0, 0.45 + 0.55 * n, 0.0), (0.0, 1.15 + 0.55 * n, 0.0)], [0.55 - 0.13 * n, 0.02], "clutter", needles
            )
    else:
        for n in range(3):
            b.limb([(0.9 * (n - 1), 0.0, 0.0), (0.9 * (n - 1), 0.75, 0.0)], [0.06, 0.055], "clutter", bark)
        for y in (0.3, 0.6):
            b.box((0.0, y, 0.0), (1.1, 0.06, 0.03), "clutter", bark, edge=0.01)


def _plant(rng: Rng, b: Body) -> None:
    b.limb([(0.0, 0.1, 0.0), (0.0, 0.42, 0.0)], [0.17, 0.24], "clutter", _paint(rng, b))
    bark = b.material((0.14, 0.1, 0.06), mottle=0.3)
    b.limb([(0.0, 0.4, 0.0), (0.04, 0.95, 0.0)], [0.035, 0.025], "clutter", bark)
    _leaves(rng, b, 1.1, 0.3, 5)


def _lamp(rng: Rng, b: Body) -> None:
    metal = b.material((0.1, 0.1, 0.1), specular=0.4)
    if rng.random() < 0.5:
        b.disc((0.0, 0.02, 0.0), 0.18, 0.02, "clutter", metal)
        b.limb([(0.0, 0.0, 0.0), (0.0, 1.5, 0.0)], [0.022, 0.022], "clutter", metal)
        shade = b.material(any_colour(rng, 0.4, 0.85), mottle=0.05)
        b.limb([(0.0, 1.45, 0.0), (0.0, 1.7, 0.0)], [0.26, 0.16], "clutter", shade)
    else:
        m = _paint(rng, b)
        for n in range(4):
            b.box((0.0, 0.22 + 0.42 * n, 0.0), (0.16, 0.02, 0.42), "clutter", m, edge=0.005)
        for z in (1, -1):
            b.box((0.0, 0.85, z * 0.42), (0.16, 0.85, 0.02), "clutter", m, edge=0.005)
