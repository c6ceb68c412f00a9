"""Light along a ray: the surface that it meets, the ground, the walls or the sky, and how bright they are there."""

import math

import numpy as np
from numpy.typing import NDArray

from ..scene.surroundings import GROUND_A, INDOOR, ROOM, SKY_LOW, SKY_TOP, SUN, SUN_COLOUR, ground, haze, sky, wall
from ..shapes.arithmetic import noise
from ..shapes.compiled import compiled
from ..shapes.solids import ALONG, AXES, CANOPY, CONE, KIND, MATERIAL, OBJECT, A, B, distance, nearest_two
from ..shapes.surfaces import BUMP, GLOSS, SPECULAR, colour_at
from .rays import FAR, march, openness, shadow

Array = NDArray[np.float64]
Active = NDArray[np.int32]


@compiled
def surface(
    S: Array, G: Array, M: Array, T: Array, active: Active, n: int, x: float, y: float, z: float, finest: float
) -> tuple[int, float, float, float, float, float, float]:
    """Row that is hit at a point, its albedo there, and the surface's normal."""
    e = max(finest * 0.5, 0.0008)
    a = b = c = d = 0.0
    for corner in range(4):  # of a tetrahedron
        below = -e if corner < 2 else e
        across = -e if corner == 1 or corner == 2 else e
        behind = -e if corner == 0 or corner == 2 else e
        there = distance(S, active, n, x + across, y + below, z + behind)
        if corner == 0:
            a = there
        elif corner == 1:
            b = there
        elif corner == 2:
            c = there
        else:
            d = there
    nx = a - b - c + d
    ny = -a - b + c + d
    nz = -a + b - c + d
    length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
    nx /= length
    ny /= length
    nz /= length
    first, second, share = nearest_two(S, G, active, n, x, y, z)
    o = int(S[first, OBJECT])
    px = (x - T[o, 2]) / T[o, 5]
    py = (y - T[o, 3]) / T[o, 5]
    pz = (z - T[o, 4]) / T[o, 5]
    qx = T[o, 0] * px - T[o, 1] * pz
    qz = T[o, 1] * px + T[o, 0] * pz
    fine = finest / T[o, 5]
    if S[first, KIND] == CANOPY:  # panels follow the ribs, however the umbrella lies
        lx = x - S[first, A]
        ly = y - S[first, A + 1]
        lz = z - S[first, A + 2]
        qx = (S[first, AXES] * lx + S[first, AXES + 1] * ly + S[first, AXES + 2] * lz) / T[o, 5]
        py = (S[first, AXES + 3] * lx + S[first, AXES + 4] * ly + S[first, AXES + 5] * lz) / T[o, 5]
        qz = (S[first, AXES + 6] * lx + S[first, AXES + 7] * ly + S[first, AXES + 8] * lz) / T[o, 5]
    r, g, bl = colour_at(M, int(S[first, MATERIAL]), qx, py, qz, along(S, first, x, y, z, qx, T[o, 5]), ny, fine)
    if share > 0.02:
        r2, g2, b2 = colour_at(
            M, int(S[second, MATERIAL]), qx, py, qz, along(S, second, x, y, z, qx, T[o, 5]), ny, fine
        )
        r = r * (1.0 - share) + r2 * share
        g = g * (1.0 - share) + g2 * share
        bl = bl * (1.0 - share) + b2 * share
    bump = M[int(S[first, MATERIAL]), BUMP]
    if bump > 0.0 and fine < 0.05:
        f = 34.0
        nx += bump * (noise(qx * f, py * f, qz * f) - 0.5)
        ny += bump * (noise(qx * f + 9.0, py * f, qz * f) - 0.5)
        nz += bump * (noise(qx * f, py * f + 7.0, qz * f) - 0.5)
        length = math.sqrt(nx * nx + ny * ny + nz * nz)
        nx /= length
        ny /= length
        nz /= length
    return first, r, g, bl, nx, ny, nz


@compiled
def along(S: Array, i: int, x: float, y: float, z: float, qx: float, scale: float) -> float:
    """How far along its limb a point lies, in the object's units; on other solids the object's own x."""
    if S[i, KIND] != CONE:
        return float(qx + S[i, ALONG])
    dx = S[i, B] - S[i, A]
    dy = S[i, B + 1] - S[i, A + 1]
    dz = S[i, B + 2] - S[i, A + 2]
    length = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-12
    on = ((x - S[i, A]) * dx + (y - S[i, A + 1]) * dy + (z - S[i, A + 2]) * dz) / (length * scale)
    return float(S[i, ALONG] + on)


@compiled
def _room(E: Array, ox: float, oz: float, dx: float, dz: float) -> tuple[float, float, float, float]:
    """Distance to the nearest wall, how far along it the ray meets it, and its normal (x, z)."""
    c = E[ROOM + 3]
    s = E[ROOM + 4]
    a = c * ox - s * oz
    b = s * ox + c * oz
    da = c * dx - s * dz
    db = s * dx + c * dz
    t = FAR
    u = 0.0
    na = 0.0
    nb = -1.0
    if db > 1e-9:
        t = (E[ROOM] - b) / db
        u = a + da * t
    if da > 1e-9 and (E[ROOM + 1] - a) / da < t:
        t = (E[ROOM + 1] - a) / da
        u = b + db * t + 40.0
        na = -1.0
        nb = 0.0
    if da < -1e-9 and (-E[ROOM + 2] - a) / da < t:
        t = (-E[ROOM + 2] - a) / da
        u = b + db * t + 80.0
        na = 1.0
        nb = 0.0
    return max(t, 0.0), u, c * na + s * nb, -s * na + c * nb


@compiled
def light_along(
    S: Array, G: Array, W: Array, M: Array, T: Array, E: Array, C: Array, dx: float, dy: float, dz: float,
    spread: float, active: Active,
) -> tuple[float, float, float, float, int]:  # fmt: skip
    """Light that arrives along a ray from the camera (red, green, blue), the distance, and the row hit (-1: none)."""
    ox = C[0]
    oy = C[1]
    oz = C[2]
    t_far = FAR
    on_ground = False
    if dy < -1e-6:
        t_far = min(-oy / dy, FAR)
        on_ground = t_far < FAR
    u = 0.0
    wx = 0.0
    wz = 0.0
    on_wall = False
    if E[INDOOR] > 0.0:
        t_wall, u, wx, wz = _room(E, ox, oz, dx, dz)
        if t_wall < t_far:
            t_far = t_wall
            on_wall = True
            on_ground = False
    t, n = march(S, G, W, ox, oy, oz, dx, dy, dz, 0.3, t_far, active)
    hit = -1
    glow = 0.0
    spec = 0.0
    gloss = 0
    if t > 0.0:
        x = ox + dx * t
        y = oy + dy * t
        z = oz + dz * t
        hit, r, g, b, nx, ny, nz = surface(S, G, M, T, active, n, x, y, z, spread * t)
        spec = M[int(S[hit, MATERIAL]), SPECULAR]
        gloss = int(M[int(S[hit, MATERIAL]), GLOSS])
    elif on_wall or on_ground:
        t = t_far
        x = ox + dx * t
        y = oy + dy * t
        z = oz + dz * t
        if on_wall:
            r, g, b, glow = wall(E, u, y, spread * t)
            nx = wx
            ny = 0.0
            nz = wz
        else:
            r, g, b, bump = ground(E, x, z, spread * t / max(-dy, 0.15))
            f = 9.0
            nx = bump * (noise(x * f, 0.5, z * f) - 0.5)
            nz = bump * (noise(x * f + 31.0, 0.5, z * f) - 0.5)
            ny = 1.0 / math.sqrt(1.0 + nx * nx + nz * nz)
            nx *= ny
            nz *= ny
    else:
        r, g, b = sky(E, dx, dy, dz)
        return r, g, b, FAR, -1
    facing = nx * E[SUN] + ny * E[SUN + 1] + nz * E[SUN + 2]
    lit = 0.0
    if facing > 0.0:
        lit = shadow(S, G, W, E, x + nx * 0.012, y + ny * 0.012, z + nz * 0.012, active)
    seen = openness(S, G, W, x, y, z, nx, ny, nz, active)
    direct = max(facing, 0.0) * lit
    up = 0.5 + 0.5 * ny
    view = min(max(-(nx * dx + ny * dy + nz * dz), 0.0), 1.0)
    rim = (1.0 - view) * (1.0 - view) * (1.0 - view)
    hx = E[SUN] - dx
    hy = E[SUN + 1] - dy
    hz = E[SUN + 2] - dz
    shine = max((nx * hx + ny * hy + nz * hz) / (math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9), 0.0)
    for _ in range(gloss):
        shine *= shine
    shine *= spec * lit * 1.6
    mirror = spec * (0.12 + 0.6 * rim) * seen
    air = haze(E, t) if E[INDOOR] == 0.0 else 0.0
    bounce = (1.0 - up) * 0.45
    out_r = _channel(E, 0, r, direct, up, seen, bounce, rim, shine, mirror, glow, air)
    out_g = _channel(E, 1, g, direct, up, seen, bounce, rim, shine, mirror, glow, air)
    out_b = _channel(E, 2, b, direct, up, seen, bounce, rim, shine, mirror, glow, air)
    return out_r, out_g, out_b, t, hit


@compiled
def _channel(
    E: Array,
    q: int,
    albedo: float,
    direct: float,
    up: float,
    seen: float,
    bounce: float,
    rim: float,
    shine: float,
    mirror: float,
    glow: float,
    air: float,
) -> float:
    ambient = (0.12 + 0.4 * up) * E[SKY_TOP + q] + bounce * E[GROUND_A + q]
    value = albedo * (1.7 * direct * E[SUN_COLOUR + q] + ambient * seen + glow * 1.4)
    value += shine * E[SUN_COLOUR + q] + (mirror + 0.06 * rim * seen) * E[SKY_TOP + q]
    return float(value * (1.0 - air) + E[SKY_LOW + q] * air)
