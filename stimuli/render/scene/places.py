"""Where an image is taken: in the open or in a room, with its ground, sky, walls and light."""

import math

import numpy as np
from numpy.typing import NDArray

from ..shapes.paints import any_colour
from ..shapes.viewpoint import REACH
from . import surroundings

Array = NDArray[np.float64]
Rng = np.random.Generator


def open_air(rng: Rng) -> Array:
    """Draw ground, sky, hills and sun."""
    world = np.zeros(surroundings.N_ENTRIES)
    kind = int(rng.choice([0, 1, 2, 3, 4, 5], p=[0.36, 0.18, 0.18, 0.14, 0.1, 0.04]))
    world[surroundings.GROUND_A : surroundings.GROUND_A + 6] = _ground_colours(rng, kind)
    world[surroundings.GROUND_KIND] = kind
    world[surroundings.GROUND_SCALE] = rng.uniform(0.8, 1.6)
    warm = float(rng.uniform(-0.06, 0.16))
    power = float(rng.uniform(0.7, 1.35))
    world[surroundings.SUN_COLOUR : surroundings.SUN_COLOUR + 3] = (
        np.array([1 + warm, 1.0, 1 - 1.3 * warm]) * power * 1.3
    )
    blue = float(rng.uniform(0.0, 1.0))
    grey = float(rng.uniform(0.5, 0.75))
    world[surroundings.SKY_TOP : surroundings.SKY_TOP + 3] = np.array([0.25, 0.5, 1.0]) * blue + grey * (1 - blue)
    world[surroundings.SKY_LOW : surroundings.SKY_LOW + 3] = np.array([0.75, 0.92, 1.1]) * blue + (grey + 0.25) * (
        1 - blue
    )
    green = float(rng.uniform(0, 1))
    leaf = np.array([0.1, 0.17, 0.06]) * green + np.array([0.2, 0.17, 0.12]) * (1 - green)
    world[surroundings.HILL : surroundings.HILL + 3] = leaf
    world[surroundings.HILL + 3] = rng.uniform(0.05, 0.22)
    world[surroundings.HILL + 4] = rng.uniform(0.1, 1.2)
    world[surroundings.HAZE] = rng.uniform(0.002, 0.02)
    world[surroundings.SOFTNESS] = rng.uniform(6.0, 18.0)
    world[surroundings.CLOUDS] = rng.uniform(0.0, 1.0)
    world[surroundings.PHASE] = rng.uniform(0, 90)
    return world


def room(rng: Rng) -> Array:
    """Draw floor, walls, what hangs on them, and lamps."""
    world = np.zeros(surroundings.N_ENTRIES)
    kind = int(rng.choice([3, 4, 5, 6], p=[0.1, 0.42, 0.26, 0.22]))
    world[surroundings.INDOOR] = 1.0
    world[surroundings.GROUND_A : surroundings.GROUND_A + 6] = _ground_colours(rng, kind)
    world[surroundings.GROUND_KIND] = kind
    world[surroundings.GROUND_SCALE] = rng.uniform(0.7, 1.5)
    warm = float(rng.uniform(0.0, 0.22))
    world[surroundings.SUN_COLOUR : surroundings.SUN_COLOUR + 3] = np.array([1 + warm, 1.0, 1 - warm]) * float(
        rng.uniform(0.8, 1.4)
    )
    lamp = float(rng.uniform(0.6, 0.85))
    world[surroundings.SKY_TOP : surroundings.SKY_TOP + 3] = np.array(
        [lamp * (1 + 0.3 * warm), lamp, lamp * (1 - 0.3 * warm)]
    )
    paint = np.array(any_colour(rng, 0.2, 0.7))
    world[surroundings.SKY_LOW : surroundings.SKY_LOW + 3] = 0.65 * paint + 0.35 * paint.mean()
    world[surroundings.WALL_KIND] = int(rng.choice([0, 1, 2, 3, 4], p=[0.42, 0.16, 0.14, 0.16, 0.12]))
    other = world[surroundings.SKY_LOW : surroundings.SKY_LOW + 3] * float(rng.uniform(0.65, 1.3))
    world[surroundings.WALL_B : surroundings.WALL_B + 3] = np.minimum(other, 0.85)
    turn = float(rng.uniform(-0.4, 0.4))
    aside = abs(math.sin(turn)) * 1.4 * REACH  # the walls stay clear of the place where the object stands
    world[surroundings.ROOM : surroundings.ROOM + 5] = (
        REACH * float(rng.uniform(1.9, 2.5)), aside + float(rng.uniform(2.2, 4.5)), aside + float(rng.uniform(2.2, 4.5)), math.cos(turn), math.sin(turn),
    )  # fmt: skip
    world[surroundings.SOFTNESS] = rng.uniform(3.0, 9.0)
    world[surroundings.PHASE] = rng.uniform(0, 90)
    frame = int(rng.choice([0, 1, 2], p=[0.3, 0.35, 0.35]))
    world[surroundings.FRAME : surroundings.FRAME + 5] = (
        float(rng.uniform(-2.2, 2.2)), float(rng.uniform(1.5, 2.2)), float(rng.uniform(0.35, 0.8)), float(rng.uniform(0.35, 0.7)), frame,
    )  # fmt: skip
    world[surroundings.FRAME + 5 : surroundings.FRAME + 8] = any_colour(rng, 0.1, 0.6)
    return world


def _ground_colours(rng: Rng, kind: int) -> Array:
    tone = float(rng.uniform(0.7, 1.25))
    if kind == 0:
        dry = float(rng.uniform(0, 1))
        a = np.array([0.1, 0.19, 0.04]) * (1 - dry) + np.array([0.34, 0.28, 0.12]) * dry
        return np.concatenate([a * 0.7, a * 1.5]) * tone
    if kind == 1:
        return np.concatenate([[0.5, 0.4, 0.26], [0.62, 0.52, 0.36]]) * tone * 0.9
    if kind == 2:
        return np.concatenate([[0.2, 0.18, 0.16], [0.42, 0.39, 0.35]]) * tone
    if kind == 4:
        wood = np.array([0.36, 0.2, 0.1]) * float(rng.uniform(0.5, 1.5))
        return np.concatenate([wood * 0.6, wood * 1.25])
    base = np.array(any_colour(rng, 0.15, 0.6))
    base = 0.4 * base + 0.6 * base.mean()
    return np.concatenate([base * 0.75, base * 1.15])
