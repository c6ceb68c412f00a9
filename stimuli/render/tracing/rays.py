"""Rays among solids: what a ray meets first, how much sun and sky reach a point, what outline is seen.

Sphere tracing through signed distances (Hart, 1996). A ray first asks every solid's bounding ball whether it can meet
it at all and then marches among those few only.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..scene.surroundings import SOFTNESS, SUN
from ..shapes.compiled import compiled, inlined
from ..shapes.solids import balls_of, distance

Array = NDArray[np.float64]
Active = NDArray[np.int32]


FAR: Final = 60.0
"""Beyond this distance there is only sky."""
# Camera: eye (3), then right, up and forward (9), then half the frame's width at distance one.
CAMERA_ENTRIES: Final = 13


@inlined
def gather(
    G: Array, W: Array, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, near: float, far: float,
    active: Active,
) -> tuple[int, float, float]:  # fmt: skip
    """Put the rows that a ray may meet into `active`; returns how many, and between which distances.

    `G` are the rows' balls, `W` (2, rows) is working memory. Few balls are met, so all are asked without a branch first.
    """
    for i in range(G.shape[1]):
        cx = G[0, i] - ox
        cy = G[1, i] - oy
        cz = G[2, i] - oz
        b = cx * dx + cy * dy + cz * dz
        W[0, i] = b
        W[1, i] = G[3, i] * G[3, i] - (cx * cx + cy * cy + cz * cz - b * b)
    n = 0
    first = far
    last = near
    for i in range(G.shape[1]):
        q = W[1, i]
        if q <= 0.0:
            continue
        q = math.sqrt(q)
        b = W[0, i]
        if b + q < near or b - q > far:
            continue
        active[n] = i
        n += 1
        first = min(first, b - q)
        last = max(last, b + q)
    return n, max(first, near), min(last, far)


@compiled
def march(
    S: Array, G: Array, W: Array, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, near: float, far: float,
    active: Active,
) -> tuple[float, int]:  # fmt: skip
    """Distance to the first solid along a ray (-1: none) and how many rows of `active` were in question."""
    n, t, last = gather(G, W, ox, oy, oz, dx, dy, dz, near, far, active)
    if n == 0:
        return -1.0, 0
    for _ in range(96):
        d = distance(S, active, n, ox + dx * t, oy + dy * t, oz + dz * t)
        if d < 0.0006 * t:
            return t, n
        t += d * 0.9
        if t > last:
            return -1.0, n
    return -1.0, n


@compiled
def shadow(S: Array, G: Array, W: Array, E: Array, x: float, y: float, z: float, active: Active) -> float:
    """Share of the sun that reaches a point (0 … 1), with a soft edge."""
    n, t, last = gather(G, W, x, y, z, E[SUN], E[SUN + 1], E[SUN + 2], 0.01, 12.0, active)
    if n == 0:
        return 1.0
    light = 1.0
    t = max(t, 0.02)
    for _ in range(40):
        d = distance(S, active, n, x + E[SUN] * t, y + E[SUN + 1] * t, z + E[SUN + 2] * t)
        light = min(light, 0.5 + 0.5 * d * E[SOFTNESS] / t)
        if light < 0.02:
            return 0.0
        t += min(max(d, 0.015), 0.5)
        if t > last:
            break
    light = max(light, 0.0)
    return light * light * (3.0 - 2.0 * light)


@compiled
def openness(
    S: Array, G: Array, W: Array, x: float, y: float, z: float, nx: float, ny: float, nz: float, active: Active
) -> float:
    """Share of the sky that a point can see: ambient occlusion by the solids around."""
    for i in range(G.shape[1]):
        cx = G[0, i] - x
        cy = G[1, i] - y
        cz = G[2, i] - z
        r = G[3, i] + 0.35
        W[0, i] = cx * cx + cy * cy + cz * cz
        W[1, i] = r * r
    n = 0
    for i in range(G.shape[1]):
        if W[0, i] < W[1, i]:
            active[n] = i
            n += 1
    if n == 0:
        return 1.0
    seen = 1.0
    h = 0.05
    weight = 1.1
    for _ in range(3):
        d = distance(S, active, n, x + nx * h, y + ny * h, z + nz * h)
        seen -= max(h - max(d, 0.0), 0.0) / h * 0.28 * weight
        h *= 2.1
        weight *= 0.85
    return max(seen, 0.12)


@inlined
def direction(C: Array, u: float, v: float) -> tuple[float, float, float]:
    """Unit direction of the ray through a place in the frame, `u` from the left and `v` from the top (0 … 1)."""
    a = (2.0 * u - 1.0) * C[12]
    b = (1.0 - 2.0 * v) * C[12]
    dx = C[9] + a * C[3] + b * C[6]
    dy = C[10] + a * C[4] + b * C[7]
    dz = C[11] + a * C[5] + b * C[8]
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    return dx / length, dy / length, dz / length


@compiled
def silhouette(S: Array, C: Array, size: int) -> NDArray[np.bool_]:
    """Which of `size` x `size` pixels the solids cover; quick, without light."""
    out = np.zeros((size, size), np.bool_)
    active = np.zeros(S.shape[0], np.int32)
    G = balls_of(S)
    W = np.empty((2, S.shape[0]))
    for row in range(size):
        for column in range(size):
            dx, dy, dz = direction(C, (column + 0.5) / size, (row + 0.5) / size)
            t, _n = march(S, G, W, C[0], C[1], C[2], dx, dy, dz, 0.3, FAR, active)
            out[row, column] = t > 0.0
    return out
