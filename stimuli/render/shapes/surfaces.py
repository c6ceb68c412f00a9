"""What colour a surface has: plain and patterned coats, cloth, wood, paint."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arithmetic import angle, hashed, layers, noise, sine, step
from .compiled import compiled

Array = NDArray[np.float64]

# Patterns.
PLAIN: Final = 0.0
ZEBRA: Final = 1.0
TABBY: Final = 2.0
PATCHES: Final = 3.0
WOOD: Final = 4.0
PANELS: Final = 5.0
SHADED: Final = 6.0  # back and belly differ
WEAVE: Final = 7.0
FEATHERS: Final = 8.0
CHECKS: Final = 9.0
DOTS: Final = 10.0
STRIPES: Final = 11.0
HIDE: Final = 12.0  # wrinkles

# Columns of a material row.
FIRST: Final = 0
SECOND: Final = 3
PATTERN: Final = 6
SCALE: Final = 7
MOTTLE: Final = 8  # how much the colour wavers
SPECULAR: Final = 9
GLOSS: Final = 10  # log2 of the highlight's exponent
PHASE: Final = 11
BUMP: Final = 12  # how much the surface wavers
N_COLUMNS: Final = 13


@compiled
def second_share(M: Array, m: int, x: float, y: float, z: float, along: float, ny: float, finest: float) -> float:
    """How much of the material's second colour shows at a point of the object (0 … 1)."""
    pattern = M[m, PATTERN]
    scale = M[m, SCALE]
    phase = M[m, PHASE]
    if pattern == 0.0:
        return 0.0
    if pattern == 1.0:
        warp = layers(x * 3.0 + phase, y * 3.0, z * 3.0, 2, finest * 3.0) - 0.5
        wave = sine((along + 0.16 * warp) * scale + phase)
        soft = min(0.12 + finest * scale * 0.5, 1.2)
        return step(-soft, soft, wave + 0.1)
    if pattern == 2.0:
        warp = layers(x * 4.0 + phase, y * 4.0, z * 4.0, 2, finest * 4.0) - 0.5
        wave = sine((along + 0.3 * warp) * scale + phase)
        return 0.85 * step(-0.1, 0.75, wave) * step(-0.75, 0.2, ny)
    if pattern == 3.0:
        return step(0.5, 0.56, layers(x * scale + phase, y * scale, z * scale, 3, finest * scale))
    if pattern == 4.0:
        ring = math.sqrt((y * 5.0) * (y * 5.0) + (z * 5.0 + 1.0) * (z * 5.0 + 1.0))
        ring += layers(x * 2.0 + phase, y * 9.0, z * 9.0, 3, finest * 9.0) * 1.5
        return 0.5 + 0.5 * sine(ring * scale)
    if pattern == 5.0:
        return 1.0 if sine(angle(z, x) * scale * 0.5 + 1e-3) > 0.0 else 0.0
    if pattern == 6.0:
        waver = 0.5 * (noise(x * 9.0 + phase, y * 9.0, z * 9.0) - 0.5)
        return step(0.1, 0.65, -ny + waver + scale)
    if pattern == 7.0:
        if finest * scale > 1.5:
            return 0.5
        return 0.5 + 0.25 * (sine(x * scale) * sine(y * scale) + sine(z * scale) * sine(y * scale))
    if pattern == 8.0:
        row = along * scale
        cell = math.floor(row)
        across = (y + z) * scale * 0.8 + 0.5 * cell
        rib = row - cell
        arc = across - math.floor(across) - 0.5
        return step(0.45, 0.8, rib + 1.2 * arc * arc)
    if pattern == 9.0:
        a = 0.5 if sine(x * scale + phase) > 0.0 else 0.0
        return a + (0.5 if sine(y * scale + z * scale * 0.7) > 0.0 else 0.0)
    if pattern == 10.0:
        u = x * scale * 0.16
        v = (y + 0.6 * z) * scale * 0.16
        u = u - math.floor(u) - 0.5
        v = v - math.floor(v) - 0.5
        return 1.0 - step(0.06, 0.09, u * u + v * v)
    if pattern == 11.0:
        return step(-0.15, 0.15, sine(x * scale + phase))
    crack = layers(x * scale + phase, y * scale * 1.6, z * scale, 3, finest * scale)
    return step(0.0, 0.09, abs(crack - 0.5)) * -0.75 + 0.75 + 0.4 * (noise(x * 2.0, y * 2.0, z * 2.0) - 0.5)


@compiled
def colour_at(
    M: Array, m: int, x: float, y: float, z: float, along: float, ny: float, finest: float
) -> tuple[float, float, float]:
    """Albedo of material `m` at a point in the object's own coordinates; `finest` is the size of a pixel there."""
    t = min(max(second_share(M, m, x, y, z, along, ny, finest), 0.0), 1.0)
    g = 1.0 + M[m, MOTTLE] * 2.0 * (layers(x * 16.0, y * 16.0, z * 16.0, 3, finest * 16.0) - 0.5)
    return (
        (M[m, FIRST] * (1.0 - t) + M[m, SECOND] * t) * g,
        (M[m, FIRST + 1] * (1.0 - t) + M[m, SECOND + 1] * t) * g,
        (M[m, FIRST + 2] * (1.0 - t) + M[m, SECOND + 2] * t) * g,
    )


@compiled
def brick(u: float, v: float) -> float:
    """1 in the joints of a brick wall, 0 in the bricks; `u`, `v` in bricks."""
    row = math.floor(v)
    u += 0.5 * (row - 2.0 * math.floor(row * 0.5))
    a = abs(u - math.floor(u) - 0.5)
    b = abs(v - row - 0.5)
    return max(step(0.44, 0.47, a), step(0.38, 0.44, b))


@compiled
def plank(u: float, v: float, phase: float, finest: float) -> float:
    """Shade of a board floor, 0 … 1; boards run along `u` and are one unit wide."""
    row = math.floor(v)
    shift = hashed(int(row), 7, 3)
    board = math.floor(u * 0.22 + shift)
    tone = hashed(int(row), int(board), 11)
    gap = step(0.47, 0.495, abs(v - row - 0.5))
    grain = layers(u * 0.8 + phase, v * 7.0, tone * 9.0, 3, finest * 7.0)
    return min(max(0.35 * tone + 0.65 * grain - 0.5 * gap, 0.0), 1.0)
