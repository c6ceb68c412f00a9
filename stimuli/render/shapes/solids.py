"""Solids as rows of numbers, and how far a point is from them (signed distance, negative inside)."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arithmetic import angle, sine
from .compiled import compiled, inlined

Array = NDArray[np.float64]

# Kinds of solids.
CONE: Final = 0.0
"""A limb from A to B whose radius goes from R1 to R2."""
BALL: Final = 1.0
"""An ellipsoid with centre A and radii B."""
BOX: Final = 2.0
"""A box with centre A, half sides B and edges rounded by R1."""
DISC: Final = 3.0
"""An upright cylinder with centre A, radius B[0], half height B[1] and edges rounded by R1."""
CANOPY: Final = 4.0
"""An umbrella's cloth: top A, radius B[0], height B[1], thickness R1, N panels."""

# Columns of a row.
KIND: Final = 0
A: Final = 1
B: Final = 4
R1: Final = 7
R2: Final = 8
AXES: Final = 9  # nine numbers: the solid's own axes in the world, row by row
SMOOTH: Final = 18  # width of the blend with the rows before it; 0 is a hard edge
PART: Final = 19
MATERIAL: Final = 20
OBJECT: Final = 21  # 1 is the image's object, 2 … clutter
BOUND: Final = 22  # centre and radius of a ball that holds the solid and its blend
ALONG: Final = 26  # how far along its limb a cone starts, for stripes that run on
N_PANELS: Final = 27
N_COLUMNS: Final = 28


@inlined
def distance_to(S: Array, i: int, x: float, y: float, z: float) -> float:
    """Distance from a point to row `i`."""
    kind = S[i, KIND]
    px = x - S[i, A]
    py = y - S[i, A + 1]
    pz = z - S[i, A + 2]
    if kind == 0.0:
        dx = S[i, B] - S[i, A]
        dy = S[i, B + 1] - S[i, A + 1]
        dz = S[i, B + 2] - S[i, A + 2]
        h = (px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz + 1e-12)
        h = min(max(h, 0.0), 1.0)
        px -= h * dx
        py -= h * dy
        pz -= h * dz
        return float(math.sqrt(px * px + py * py + pz * pz) - (S[i, R1] + h * (S[i, R2] - S[i, R1])))
    qx = S[i, AXES] * px + S[i, AXES + 1] * py + S[i, AXES + 2] * pz
    qy = S[i, AXES + 3] * px + S[i, AXES + 4] * py + S[i, AXES + 5] * pz
    qz = S[i, AXES + 6] * px + S[i, AXES + 7] * py + S[i, AXES + 8] * pz
    if kind == 1.0:
        ax = qx / S[i, B]
        ay = qy / S[i, B + 1]
        az = qz / S[i, B + 2]
        k0 = math.sqrt(ax * ax + ay * ay + az * az)
        ax /= S[i, B]
        ay /= S[i, B + 1]
        az /= S[i, B + 2]
        k1 = math.sqrt(ax * ax + ay * ay + az * az)
        if k1 < 1e-9:
            return -float(min(S[i, B], S[i, B + 1], S[i, B + 2]))
        return float(k0 * (k0 - 1.0) / k1)
    r = S[i, R1]
    if kind == 2.0:
        ux = abs(qx) - S[i, B] + r
        uy = abs(qy) - S[i, B + 1] + r
        uz = abs(qz) - S[i, B + 2] + r
        vx = max(ux, 0.0)
        vy = max(uy, 0.0)
        vz = max(uz, 0.0)
        return float(math.sqrt(vx * vx + vy * vy + vz * vz) + min(max(ux, uy, uz), 0.0) - r)
    if kind == 3.0:
        ux = math.sqrt(qx * qx + qz * qz) - S[i, B] + r
        uy = abs(qy) - S[i, B + 1] + r
        vx = max(ux, 0.0)
        vy = max(uy, 0.0)
        return float(math.sqrt(vx * vx + vy * vy) + min(max(ux, uy), 0.0) - r)
    return _canopy(S, i, qx, qy, qz)


@compiled
def _canopy(S: Array, i: int, x: float, y: float, z: float) -> float:
    radius = S[i, B]
    height = S[i, B + 1]
    out = math.sqrt(x * x + z * z)
    between = abs(sine(0.5 * S[i, N_PANELS] * angle(z, x)))  # 0 on a rib, 1 midway
    share = out / radius
    edge = radius * (1.0 - 0.09 * between)
    cloth = -height * share * share * (1.0 + 0.10 * between * share) + 0.0
    slope = 2.0 * height * share / radius
    off = abs(y - cloth) / math.sqrt(1.0 + slope * slope) - S[i, R1]
    beyond = out - edge
    if beyond > 0.0:
        return math.sqrt(beyond * beyond + max(off, 0.0) * max(off, 0.0)) * 0.8
    return float(max(off, beyond) * 0.75)


@compiled
def balls_of(S: Array) -> Array:
    """The rows' bounding balls, entry by entry as a processor's vectors want them, and how far away each is left out.

    Shape (6, rows): centre (3), radius, and (4, 5) what :func:`away` needs. A cone, a box and a disc are nowhere
    nearer than their ball. An ellipsoid's distance is an estimate, at least the smallest radius times the share by which the
    distance to its centre exceeds the largest one. A canopy is never left out.
    """
    G = np.empty((6, S.shape[0]))
    for i in range(S.shape[0]):
        for q in range(4):
            G[q, i] = S[i, BOUND + q]
        G[4, i] = S[i, BOUND + 3]
        G[5, i] = 1.0
        if S[i, KIND] == 1.0:
            longest = max(S[i, B], S[i, B + 1], S[i, B + 2])
            G[5, i] = longest / min(S[i, B], S[i, B + 1], S[i, B + 2])
            G[4, i] = longest + (S[i, SMOOTH] + 1e-3) * G[5, i]
        elif S[i, KIND] == 4.0:
            G[4, i] = 1e9
    return G


@inlined
def away(G: Array, i: int, x: float, y: float, z: float, near: float) -> bool:
    """Whether row `i` is farther from a point than `near` and the width of its blend, so that it need not be asked."""
    cx = G[0, i] - x
    cy = G[1, i] - y
    cz = G[2, i] - z
    reach = G[4, i] + G[5, i] * max(near, 0.0)
    return bool(cx * cx + cy * cy + cz * cz > reach * reach)


@inlined
def distance(S: Array, active: NDArray[np.int32], n: int, x: float, y: float, z: float) -> float:
    """Distance to the blended union of the first `n` rows named in `active`; objects never blend with each other."""
    best = 1e9
    body = 1e9
    owner = -1.0
    for a in range(n):
        i = active[a]
        if S[i, OBJECT] != owner:
            best = min(best, body)
            body = distance_to(S, i, x, y, z)
            owner = S[i, OBJECT]
            continue
        t = distance_to(S, i, x, y, z)
        k = S[i, SMOOTH]
        h = k - abs(body - t)
        body = min(body, t)
        if h > 0.0:
            body -= h * h / (4.0 * k)
    return min(best, body)


@compiled
def nearest_two(
    S: Array, G: Array, active: NDArray[np.int32], n: int, x: float, y: float, z: float
) -> tuple[int, int, float]:
    """The nearest row, the nearest other row of the same object, and the share of that other one (0 … 0.5)."""
    first = -1
    d1 = 1e9
    for a in range(n):
        if away(G, active[a], x, y, z, d1):
            continue
        t = distance_to(S, active[a], x, y, z)
        if t < d1:
            d1 = t
            first = active[a]
    second = first
    share = 0.0
    for a in range(n):
        i = active[a]
        if i == first or S[i, OBJECT] != S[first, OBJECT]:
            continue
        k = S[first, SMOOTH] * 0.6 if i < first else S[i, SMOOTH] * 0.6
        if k <= 0.0 or away(G, i, x, y, z, d1 + k):
            continue
        here = 0.5 * (1.0 - (distance_to(S, i, x, y, z) - d1) / k)
        if here > share:
            share = here
            second = i
    return first, second, share


def bounded(rows: Array) -> Array:
    """Fill in each row's bounding ball; returns `rows`."""
    kind = rows[:, KIND]
    a, b = rows[:, A : A + 3], rows[:, B : B + 3]
    cone, flat = kind == CONE, (kind == DISC) | (kind == CANOPY)
    centre = np.where(cone[:, None], (a + b) / 2, a)
    across = np.sqrt((np.where(cone[:, None], b - a, b) ** 2).sum(1))
    radius = np.where(cone, across / 2 + np.maximum(rows[:, R1], rows[:, R2]), across)
    radius[kind == BALL] = b[kind == BALL].max(1)
    for i in np.flatnonzero(flat):
        if kind[i] == DISC:
            radius[i] = np.sqrt(b[i, 0] ** 2 + b[i, 1] ** 2)
        else:
            centre[i] += rows[i, AXES + 3 : AXES + 6] * (-0.55 * b[i, 1])
            radius[i] = np.sqrt(b[i, 0] ** 2 + (0.6 * b[i, 1]) ** 2) + rows[i, R1]
    rows[:, BOUND : BOUND + 3] = centre
    rows[:, BOUND + 3] = radius + rows[:, SMOOTH] + 1e-3
    return rows
