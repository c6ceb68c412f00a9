"""Everything about an image but its object: camera, light, ground, room, things that lie about.

All of it is drawn from one stream that never learns the category, and things lie where the *frame* says, not where the
object is; so nothing outside the object can tell a target from a distractor.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..shapes.body import Body
from ..shapes.viewpoint import camera_of
from . import surroundings
from .clutter import background, clutter
from .places import open_air, room

Array = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True)
class Scene:
    """What surrounds the object, and where the object is to appear.

    Attributes
    ----------
    camera : ndarray, shape (13,)
        Eye, right, up, forward, half width of the frame at distance one.
    surroundings : ndarray, shape (47,)
        See ``surroundings``.
    things : list of (rows, frame)
        Clutter, ready in the world.
    materials : list of ndarray
        Materials of the clutter.
    extent : float
        Geometric mean of the object's width and height in the frame, as a share of its side.
    centre : (float, float)
        Where the middle of the object's outline is to be, from the left and the top (0 … 1).
    facing : float
        -1 or 1: which way a thing that looks sideways looks.
    spin : float
        -1 … 1: how far the object is turned from its main view.
    tone : float
        How much brighter than its surroundings the object is, as a ratio of mean luminances.
    aperture : float
        Width of the blur that the lens gives to far things, as a share of the frame.
    indoor : bool
        In a room or in the open.
    """

    camera: Array
    surroundings: Array
    things: list[tuple[Array, Array]]
    materials: list[Array]
    extent: float
    centre: tuple[float, float]
    facing: float
    spin: float
    tone: float
    aperture: float
    indoor: bool


def draw_scene(rng: Rng) -> Scene:
    """Draw a scene."""
    indoor = bool(rng.random() < 0.5)
    half_width = float(rng.uniform(0.24, 0.42))
    camera = camera_of(
        half_width=half_width, horizon=float(rng.uniform(0.12, 0.75)), roll=float(rng.normal(0.0, 0.065))
    )
    world = room(rng) if indoor else open_air(rng)
    azimuth = float(rng.uniform(-1.2, 1.2))
    height = float(rng.uniform(0.55, 1.15))
    sun = np.array([math.sin(azimuth), math.tan(height) * 0.8, -math.cos(azimuth) * 0.9])
    world[surroundings.SUN : surroundings.SUN + 3] = sun / np.sqrt((sun**2).sum())
    body = Body()
    things = [*background(rng, body, camera, indoor=indoor), *clutter(rng, body, camera)]
    return Scene(
        camera=camera,
        surroundings=np.round(world, 9),
        things=[(rows, frame) for rows, frame in things],
        materials=body.materials,
        extent=float(rng.uniform(0.33, 0.5)),
        centre=(float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.44, 0.6))),
        facing=1.0 if rng.random() < 0.5 else -1.0,
        spin=float(rng.uniform(-1, 1)),
        tone=round(math.exp(float(rng.normal(0.1, 0.4))), 9),
        aperture=float(rng.uniform(0.0, 0.015)),
        indoor=indoor,
    )
