"""Rays to light: which surface each pixel sees, and how bright it is there.

Sphere tracing through signed distances (Hart, 1996). A ray first asks every solid's bounding ball whether it can meet
it at all and then marches among those few only; pixels get more rays where neighbours differ.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arithmetic import noise
from .compiled import compiled
from .solids import (
    ALONG,
    AXES,
    BOUND,
    CANOPY,
    CONE,
    KIND,
    MATERIAL,
    OBJECT,
    PART,
    A,
    B,
    distance,
    nearest_two,
)
from .surfaces import BUMP, GLOSS, SPECULAR, colour_at
from .surroundings import (
    GROUND_A,
    INDOOR,
    ROOM,
    SKY_LOW,
    SKY_TOP,
    SOFTNESS,
    SUN,
    SUN_COLOUR,
    ground,
    haze,
    sky,
    wall,
)

Array = NDArray[np.float64]
Active = NDArray[np.int32]

FAR: Final = 60.0
"""Beyond this distance there is only sky."""
CONTRAST: Final = 0.06
"""Neighbours that differ by more than this share of white get more rays."""

# Camera: eye (3), then right, up and forward (9), then half the frame's width at distance one.
CAMERA_ENTRIES: Final = 13


@compiled
def gather(
    S: Array, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, near: float, far: float, active: Active
) -> tuple[int, float, float]:
    """Put the rows that a ray may meet into `active`; returns how many, and between which distances."""
    n = 0
    first = far
    last = near
    for i in range(S.shape[0]):
        cx = S[i, BOUND] - ox
        cy = S[i, BOUND + 1] - oy
        cz = S[i, BOUND + 2] - oz
        r = S[i, BOUND + 3]
        b = cx * dx + cy * dy + cz * dz
        q = r * r - (cx * cx + cy * cy + cz * cz - b * b)
        if q <= 0.0:
            continue
        q = math.sqrt(q)
        if b + q < near or b - q > far:
            continue
        active[n] = i
        n += 1
        first = min(first, b - q)
        last = max(last, b + q)
    return n, max(first, near), min(last, far)


@compiled
def march(
    S: Array, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, near: float, far: float, active: Active
) -> tuple[float, int]:
    """Distance to the first solid along a ray (-1: none) and how many rows of `active` were in question."""
    n, t, last = gather(S, ox, oy, oz, dx, dy, dz, near, far, active)
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
def shadow(S: Array, E: Array, x: float, y: float, z: float, active: Active) -> float:
    """Share of the sun that reaches a point (0 … 1), with a soft edge."""
    n, t, last = gather(S, x, y, z, E[SUN], E[SUN + 1], E[SUN + 2], 0.01, 12.0, active)
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
def openness(S: Array, x: float, y: float, z: float, nx: float, ny: float, nz: float, active: Active) -> float:
    """Share of the sky that a point can see: ambient occlusion by the solids around."""
    n = 0
    for i in range(S.shape[0]):
        cx = S[i, BOUND] - x
        cy = S[i, BOUND + 1] - y
        cz = S[i, BOUND + 2] - z
        r = S[i, BOUND + 3] + 0.35
        if cx * cx + cy * cy + cz * cz < r * r:
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


@compiled
def surface(
    S: Array, M: Array, T: Array, active: Active, n: int, x: float, y: float, z: float, finest: float
) -> tuple[int, float, float, float, float, float, float]:
    """Row that is hit at a point, its albedo there, and the surface's normal."""
    e = max(finest * 0.5, 0.0008)
    a = distance(S, active, n, x + e, y - e, z - e)
    b = distance(S, active, n, x - e, y - e, z + e)
    c = distance(S, active, n, x - e, y + e, z - e)
    d = distance(S, active, n, x + e, y + e, z + e)
    nx = a - b - c + d
    ny = -a - b + c + d
    nz = -a + b - c + d
    length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
    nx /= length
    ny /= length
    nz /= length
    first, second, share = nearest_two(S, active, n, x, y, z)
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
    S: Array, M: Array, T: Array, E: Array, C: Array, dx: float, dy: float, dz: float, spread: float, active: Active
) -> tuple[float, float, float, float, int]:
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
    t, n = march(S, ox, oy, oz, dx, dy, dz, 0.3, t_far, active)
    hit = -1
    glow = 0.0
    spec = 0.0
    gloss = 0
    if t > 0.0:
        x = ox + dx * t
        y = oy + dy * t
        z = oz + dz * t
        hit, r, g, b, nx, ny, nz = surface(S, M, T, active, n, x, y, z, spread * t)
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
        lit = shadow(S, E, x + nx * 0.012, y + ny * 0.012, z + nz * 0.012, active)
    seen = openness(S, x, y, z, nx, ny, nz, active)
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


@compiled
def render(
    S: Array, M: Array, T: Array, E: Array, C: Array, size: int, n_extra: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw `size` x `size` pixels: linear colour, distance, how much of a pixel object 1 covers, parts, objects.

    `n_extra` more rays are spent on each pixel whose neighbours show another part or differ in brightness.
    """
    colour = np.zeros((size, size, 3), np.float32)
    depth = np.zeros((size, size), np.float32)
    cover = np.zeros((size, size), np.float32)
    parts = np.zeros((size, size), np.uint8)
    objects = np.zeros((size, size), np.uint8)
    active = np.zeros(S.shape[0], np.int32)
    spread = 2.0 * C[12] / size
    for row in range(size):
        for column in range(size):
            dx, dy, dz = direction(C, (column + 0.5) / size, (row + 0.5) / size)
            r, g, b, t, hit = light_along(S, M, T, E, C, dx, dy, dz, spread, active)
            colour[row, column, 0] = r
            colour[row, column, 1] = g
            colour[row, column, 2] = b
            depth[row, column] = t
            if hit >= 0:
                parts[row, column] = int(S[hit, PART])
                objects[row, column] = int(S[hit, OBJECT])
                cover[row, column] = 1.0 if S[hit, OBJECT] == 1.0 else 0.0
    if n_extra == 0:
        return colour, depth, cover, parts, objects
    edge = edges(colour, parts, objects)
    for row in range(size):
        for column in range(size):
            if not edge[row, column]:
                continue
            total_r = colour[row, column, 0] * 1.0
            total_g = colour[row, column, 1] * 1.0
            total_b = colour[row, column, 2] * 1.0
            covered = cover[row, column] * 1.0
            for k in range(n_extra):
                # a rotated grid: no two rays of a pixel share a row or a column
                u = (k + 0.5) / n_extra
                v = (
                    ((k * 2 + 1) % n_extra + 0.5) / n_extra
                    if n_extra % 2 == 1
                    else ((k * 2 + k // 2) % n_extra + 0.5) / n_extra
                )
                dx, dy, dz = direction(C, (column + u) / size, (row + v) / size)
                r, g, b, t, hit = light_along(S, M, T, E, C, dx, dy, dz, spread, active)
                total_r += r
                total_g += g
                total_b += b
                if hit >= 0 and S[hit, OBJECT] == 1.0:
                    covered += 1.0
            colour[row, column, 0] = total_r / (n_extra + 1)
            colour[row, column, 1] = total_g / (n_extra + 1)
            colour[row, column, 2] = total_b / (n_extra + 1)
            cover[row, column] = covered / (n_extra + 1)
    return colour, depth, cover, parts, objects


@compiled
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
def edges(colour: NDArray[np.float32], parts: NDArray[np.uint8], objects: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels with a neighbour (4) that shows another part or object or is much brighter or darker."""
    size = parts.shape[0]
    out = np.zeros((size, size), np.bool_)
    for row in range(size):
        for column in range(size):
            for way in range(2):
                r2 = row + (1 - way)
                c2 = column + way
                if r2 >= size or c2 >= size:
                    continue
                one = (colour[row, column, 0] + 2.0 * colour[row, column, 1] + colour[row, column, 2]) * 0.25
                two = (colour[r2, c2, 0] + 2.0 * colour[r2, c2, 1] + colour[r2, c2, 2]) * 0.25
                differ = abs(one - two) > CONTRAST * (0.35 + 0.65 * max(one, two)) * 2.0
                if differ or parts[row, column] != parts[r2, c2] or objects[row, column] != objects[r2, c2]:
                    out[row, column] = True
                    out[r2, c2] = True
    return out


@compiled
def silhouette(S: Array, C: Array, size: int) -> NDArray[np.bool_]:
    """Which of `size` x `size` pixels the solids cover; quick, without light."""
    out = np.zeros((size, size), np.bool_)
    active = np.zeros(S.shape[0], np.int32)
    for row in range(size):
        for column in range(size):
            dx, dy, dz = direction(C, (column + 0.5) / size, (row + 0.5) / size)
            t, _n = march(S, C[0], C[1], C[2], dx, dy, dz, 0.3, FAR, active)
            out[row, column] = t > 0.0
    return out
