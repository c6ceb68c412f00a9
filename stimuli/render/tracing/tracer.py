"""Pixels from rays: one ray each, and more where neighbours differ."""

import numpy as np
from numpy.typing import NDArray

from ..shapes.compiled import compiled
from ..shapes.solids import OBJECT, PART, balls_of
from .rays import direction
from .shading import light_along

Array = NDArray[np.float64]


@compiled
def render(
    S: Array, M: Array, T: Array, E: Array, C: Array, size: int, n_extra: int, contrast: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw `size` x `size` pixels: linear colour, distance, how much of a pixel object 1 covers, parts, objects.

    `n_extra` more rays are spent on each pixel whose neighbours show another part or differ in brightness by more than
    `contrast`, a share of white.
    """
    colour, depth, cover, parts, objects = first(S, M, T, E, C, size)
    if n_extra > 0:
        refine(S, M, T, E, C, colour, cover, parts, objects, n_extra, contrast)
    return colour, depth, cover, parts, objects


@compiled
def first(
    S: Array, M: Array, T: Array, E: Array, C: Array, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw with one ray for each pixel."""
    colour = np.zeros((size, size, 3), np.float32)
    depth = np.zeros((size, size), np.float32)
    cover = np.zeros((size, size), np.float32)
    parts = np.zeros((size, size), np.uint8)
    objects = np.zeros((size, size), np.uint8)
    active = np.zeros(S.shape[0], np.int32)
    G = balls_of(S)
    W = np.empty((2, S.shape[0]))
    spread = 2.0 * C[12] / size
    for row in range(size):
        for column in range(size):
            dx, dy, dz = direction(C, (column + 0.5) / size, (row + 0.5) / size)
            r, g, b, t, hit = light_along(S, G, W, M, T, E, C, dx, dy, dz, spread, active)
            colour[row, column, 0] = r
            colour[row, column, 1] = g
            colour[row, column, 2] = b
            depth[row, column] = t
            if hit >= 0:
                parts[row, column] = int(S[hit, PART])
                objects[row, column] = int(S[hit, OBJECT])
                cover[row, column] = 1.0 if S[hit, OBJECT] == 1.0 else 0.0
    return colour, depth, cover, parts, objects


@compiled
def refine(
    S: Array, M: Array, T: Array, E: Array, C: Array,
    colour: NDArray[np.float32], cover: NDArray[np.float32], parts: NDArray[np.uint8], objects: NDArray[np.uint8],
    n_extra: int, contrast: float,
) -> None:  # fmt: skip
    """Spend `n_extra` more rays on each pixel whose neighbours differ; changes `colour` and `cover`."""
    size = parts.shape[0]
    active = np.zeros(S.shape[0], np.int32)
    G = balls_of(S)
    W = np.empty((2, S.shape[0]))
    spread = 2.0 * C[12] / size
    edge = edges(colour, parts, objects, contrast)
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
                turned = (k * 2 + 1) % (n_extra + 1 - n_extra % 2)
                v = (turned + 0.5) / n_extra
                dx, dy, dz = direction(C, (column + u) / size, (row + v) / size)
                r, g, b, _t, hit = light_along(S, G, W, M, T, E, C, dx, dy, dz, spread, active)
                total_r += r
                total_g += g
                total_b += b
                if hit >= 0 and S[hit, OBJECT] == 1.0:
                    covered += 1.0
            colour[row, column, 0] = total_r / (n_extra + 1)
            colour[row, column, 1] = total_g / (n_extra + 1)
            colour[row, column, 2] = total_b / (n_extra + 1)
            cover[row, column] = covered / (n_extra + 1)


@compiled
def edges(
    colour: NDArray[np.float32], parts: NDArray[np.uint8], objects: NDArray[np.uint8], contrast: float
) -> NDArray[np.bool_]:
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
                differ = abs(one - two) > contrast * (0.35 + 0.65 * max(one, two)) * 2.0
                if differ or parts[row, column] != parts[r2, c2] or objects[row, column] != objects[r2, c2]:
                    out[row, column] = True
                    out[r2, c2] = True
    return out
