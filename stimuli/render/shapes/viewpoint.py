"""The camera: where it stands, and where on the ground a place of the frame is."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .body import Point

Array = NDArray[np.float64]


#: Distance from the camera to the ground below the middle of the frame's lower part, in scene units.
REACH: Final = 5.0


def camera_of(*, half_width: float, horizon: float, roll: float = 0.0) -> Array:
    """Return a camera whose horizon lies `horizon` half frames above the middle and who sees the ground at REACH.

    `roll` turns it about its own axis, radians: hands are not tripods.
    """
    tilt = math.atan(half_width * horizon)
    down = tilt - math.atan(half_width * -0.42)  # angle below the horizontal of the row where things stand
    height = REACH * math.tan(down)
    c, s = math.cos(tilt), math.sin(tilt)
    right, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, c, s])
    turned = math.cos(roll) * right + math.sin(roll) * up, math.cos(roll) * up - math.sin(roll) * right
    return np.round(np.array([0.0, height, 0.0, *turned[0], *turned[1], 0.0, -s, c, half_width]), 9)


def on_ground(camera: Array, u: float, v: float) -> Point | None:
    """Return the point of the ground seen at (u, v) of the frame, or None above the horizon."""
    a, b = (2.0 * u - 1.0) * camera[12], (1.0 - 2.0 * v) * camera[12]
    ray = camera[9:12] + a * camera[3:6] + b * camera[6:9]
    if ray[1] > -1e-3:
        return None
    t = -camera[1] / ray[1]
    point = camera[:3] + t * ray
    return (float(point[0]), 0.0, float(point[2]))
