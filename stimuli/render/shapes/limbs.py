"""What four-legged animals share: how legs swing, and eyes."""

import math

import numpy as np

from .body import Body, Colour, Point

Rng = np.random.Generator


BLACK: Colour = (0.012, 0.012, 0.014)


def pick(rng: Rng, *weights: float) -> int:
    """Draw an index with these weights."""
    return int(rng.choice(len(weights), p=np.array(weights) / sum(weights)))


def swung(hip: Point, points: list[Point], degrees: float) -> list[Point]:
    """Turn a leg's points about its hip, in the plane of the walk."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    return [
        (hip[0] + c * (x - hip[0]) + s * (y - hip[1]), hip[1] - s * (x - hip[0]) + c * (y - hip[1]), z)
        for x, y, z in points
    ]


def gait(rng: Rng, standing: float = 0.45) -> list[float]:
    """Swing of the four legs (left fore, right fore, left hind, right hind), degrees."""
    if rng.random() < standing:
        return [float(v) for v in rng.uniform(-4, 4, 4)]
    a = float(rng.uniform(12, 24)) * (1 if rng.random() < 0.5 else -1)
    return [a, -a * 0.8, -a * 0.9, a]


def eyes(head: Body, at: Point, radius: float, material: int, *, white: int | None = None, out: float = 0.35) -> None:
    """A pair of eyes, mirrored at the head's midline; `white` puts a ring behind each."""
    x, y, z = at
    for side in (1, -1):
        if white is not None:
            head.ball((x, y, side * z), (radius * 1.25, radius * 1.25, radius * 0.9), "eye", white)
        head.ball((x + radius * out, y + radius * 0.05, side * (z + radius * 0.32)), radius * 0.92, "eye", material)
