"""Where the object stands: ground, sky, hills, rooms. Nothing in here knows what the object is."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..shapes.arithmetic import exponential, layers, noise, sine, step
from ..shapes.compiled import compiled
from ..shapes.surfaces import brick, plank

Array = NDArray[np.float64]

# Entries of the surroundings' vector.
SUN: Final = 0  # direction to the light (3)
SUN_COLOUR: Final = 3
SKY_TOP: Final = 6
SKY_LOW: Final = 9  # sky near the horizon, or the walls' paint
GROUND_A: Final = 12
GROUND_B: Final = 15
INDOOR: Final = 18
GROUND_KIND: Final = 19  # 0 grass, 1 sand, 2 gravel, 3 slabs, 4 boards, 5 carpet, 6 tiles
GROUND_SCALE: Final = 20
PHASE: Final = 21
WALL_KIND: Final = 22  # 0 paint, 1 bricks, 2 stripes, 3 panelling, 4 tiles
WALL_B: Final = 23  # second colour of the wall (3)
ROOM: Final = 26  # distance of the back wall, of the right wall, of the left wall; cosine and sine of the turn (5)
HILL: Final = 31  # colour of the hills (3), height, roughness
HAZE: Final = 36
SOFTNESS: Final = 37  # of the shadows
CLOUDS: Final = 38
FRAME: Final = 39  # an image or window on the wall: centre u, v, half width, half height, kind, colour (3)
N_ENTRIES: Final = 47


@compiled
def ground(E: Array, x: float, z: float, finest: float) -> tuple[float, float, float, float]:
    """Albedo of the ground at (x, z) and the height of its bumps."""
    kind = E[GROUND_KIND]
    s = E[GROUND_SCALE]
    p = E[PHASE]
    u = x * s
    v = z * s
    fine = finest * s
    bump = 0.0
    broad = layers(u * 0.7 + p, v * 0.7, 1.7, 3, fine)
    if kind == 0.0:
        blades = layers(u * 9.0 + p, v * 9.0, 2.7, 3, fine * 9.0)
        w = step(0.25, 0.75, 0.55 * broad + 0.45 * blades)
        bump = 0.5
    elif kind == 1.0:
        ripple = sine((v + 0.8 * broad) * 7.0) * 0.5 + 0.5 if fine < 0.3 else 0.5
        w = 0.6 * step(0.3, 0.7, broad) + 0.25 * ripple + 0.15 * noise(u * 30.0, v * 30.0, p)
        bump = 0.15
    elif kind == 2.0:
        stones = layers(u * 7.0 + p, v * 7.0, 0.3, 2, fine * 7.0)
        w = step(0.3, 0.7, 0.35 * broad + 0.65 * stones)
        bump = 0.45
    elif kind == 3.0 or kind == 6.0:
        du = abs(u * 1.3 - math.floor(u * 1.3) - 0.5)
        dv = abs(v * 1.3 - math.floor(v * 1.3) - 0.5)
        joint = max(step(0.46, 0.49, du), step(0.46, 0.49, dv)) * (1.0 - step(0.05, 0.4, fine))
        tone = noise(math.floor(u * 1.3) * 3.7 + p, math.floor(v * 1.3) * 5.1, 0.5)
        if kind == 6.0 and sine(math.pi * (math.floor(u * 1.3) + math.floor(v * 1.3)) + 1.5707963) > 0.0:
            tone = 1.0 - 0.2 * tone
        w = min(0.6 * tone + 0.3 * broad + 0.5 * joint, 1.0)
        bump = 0.05
    elif kind == 4.0:
        w = plank(u * 3.0, v * 3.0, p, fine * 3.0)
        bump = 0.03
    else:
        w = 0.6 * broad + 0.4 * noise(u * 22.0, v * 22.0, p)
        bump = 0.25
    return (
        E[GROUND_A] * (1.0 - w) + E[GROUND_B] * w,
        E[GROUND_A + 1] * (1.0 - w) + E[GROUND_B + 1] * w,
        E[GROUND_A + 2] * (1.0 - w) + E[GROUND_B + 2] * w,
        bump,
    )


@compiled
def wall(E: Array, u: float, v: float, finest: float) -> tuple[float, float, float, float]:
    """Albedo of a wall at `u` along and `v` up, and how much light it gives by itself (a window does)."""
    kind = E[WALL_KIND]
    p = E[PHASE]
    du = abs(u - E[FRAME])
    dv = abs(v - E[FRAME + 1])
    if E[FRAME + 4] > 0.0 and du < E[FRAME + 2] and dv < E[FRAME + 3]:
        rim = min(E[FRAME + 2] - du, E[FRAME + 3] - dv)
        if rim < 0.07:
            return 0.75, 0.72, 0.66, 0.0
        if E[FRAME + 4] == 1.0:  # a window: bright sky, glazing bars
            if du < 0.025 or dv < 0.025:
                return 0.75, 0.72, 0.66, 0.0
            c = layers(u * 1.5 + p, v * 1.5, 4.0, 3, finest)
            return 0.75 + 0.4 * c, 0.85 + 0.3 * c, 1.0, 0.8
        w = step(0.42, 0.6, layers(u * 3.0 + p, v * 3.0, 8.0, 3, finest * 3.0))
        return (
            E[FRAME + 5] * w + 0.8 * (1.0 - w),
            E[FRAME + 6] * w + 0.78 * (1.0 - w),
            E[FRAME + 7] * w + 0.7 * (1.0 - w),
            0.0,
        )
    stain = 0.92 + 0.16 * layers(u * 0.9 + p, v * 0.9, 3.3, 3, finest)
    w = 0.0
    if kind == 1.0:
        w = brick(u * 2.6, v * 6.5) * (1.0 - step(0.03, 0.2, finest))
        stain *= 0.8 + 0.4 * noise(math.floor(u * 2.6 + 0.5 * math.floor(v * 6.5)) * 1.7, math.floor(v * 6.5) * 2.3, p)
    elif kind == 2.0:
        w = step(-0.1, 0.1, sine(u * 11.0 + p))
    elif kind == 3.0:
        if v < 1.05:
            w = 1.0 - 0.5 * step(0.44, 0.47, abs(u * 1.7 - math.floor(u * 1.7) - 0.5))
        elif v < 1.12:
            w = 0.5
    elif kind == 4.0:
        a = abs(u * 3.0 - math.floor(u * 3.0) - 0.5)
        b = abs(v * 3.0 - math.floor(v * 3.0) - 0.5)
        w = max(step(0.45, 0.48, a), step(0.45, 0.48, b)) * (1.0 - step(0.03, 0.15, finest))
    if v < 0.16:
        w = 0.0
        stain = 1.25 if v < 0.145 else 0.6
    return (
        (E[SKY_LOW] * (1.0 - w) + E[WALL_B] * w) * stain,
        (E[SKY_LOW + 1] * (1.0 - w) + E[WALL_B + 1] * w) * stain,
        (E[SKY_LOW + 2] * (1.0 - w) + E[WALL_B + 2] * w) * stain,
        0.0,
    )


@compiled
def sky(E: Array, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Light that comes from the open: sky, clouds, and two ranges of hills."""
    p = E[PHASE]
    slope = dx / max(dz, 0.05)
    for far in range(2):
        rough = E[HILL + 4]
        top = layers(slope * (2.2 + 2.0 * far) + p + 9.0 * far, 0.5, 2.5, 2, 0.0)
        top += rough * 0.35 * (layers(slope * 26.0 + p, 3.5, far + 0.5, 3, 0.05) - 0.5)
        height = E[HILL + 3] * (1.0 - 0.4 * (1 - far)) * (2.0 * top - 0.45)
        if far == 0 and dy < height * 0.8:
            mix = 0.35
        elif far == 1 and dy < height:
            mix = 0.65
        else:
            continue
        leaf = 0.75 + 0.5 * layers(slope * 30.0, dy * 40.0, p, 3, 0.05)
        return (
            E[HILL] * leaf * (1.0 - mix) + E[SKY_LOW] * mix,
            E[HILL + 1] * leaf * (1.0 - mix) + E[SKY_LOW + 1] * mix,
            E[HILL + 2] * leaf * (1.0 - mix) + E[SKY_LOW + 2] * mix,
        )
    h = min(max(dy * 2.0, 0.0), 1.0)
    c = layers(dx / (dy + 0.25) * 1.6 + p, dz / (dy + 0.25) * 1.6, 1.5, 4, 0.05)
    c = step(0.48, 0.72, c) * E[CLOUDS] * min(h * 4.0, 1.0)
    return (
        (E[SKY_LOW] * (1.0 - h) + E[SKY_TOP] * h) * (1.0 - c) + 0.95 * c,
        (E[SKY_LOW + 1] * (1.0 - h) + E[SKY_TOP + 1] * h) * (1.0 - c) + 0.95 * c,
        (E[SKY_LOW + 2] * (1.0 - h) + E[SKY_TOP + 2] * h) * (1.0 - c) + 0.96 * c,
    )


@compiled
def haze(E: Array, t: float) -> float:
    """Share of a far point's light that the air replaces."""
    return 1.0 - exponential(-E[HAZE] * t)
