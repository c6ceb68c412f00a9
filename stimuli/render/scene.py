"""Everything about a picture but its object: camera, light, ground, room, things that lie about.

All of it is drawn from one stream that never learns the category, and things lie where the *frame* says, not where the
object is; so nothing outside the object can tell a target from a distractor.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import surfaces, surroundings
from .body import Body, Colour, Point, placed
from .furniture import _any_colour

Array = NDArray[np.float64]
Rng = np.random.Generator

#: Distance from the camera to the ground below the middle of the frame's lower part, in scene units.
REACH: Final = 5.0


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


def draw_scene(rng: Rng) -> Scene:
    """Draw a scene."""
    indoor = bool(rng.random() < 0.5)
    half_width = float(rng.uniform(0.24, 0.42))
    camera = camera_of(
        half_width=half_width, horizon=float(rng.uniform(0.12, 0.75)), roll=float(rng.normal(0.0, 0.045))
    )
    world = _room(rng) if indoor else _open_air(rng)
    azimuth = float(rng.uniform(-1.2, 1.2))
    height = float(rng.uniform(0.55, 1.15))
    sun = np.array([math.sin(azimuth), math.tan(height) * 0.8, -math.cos(azimuth) * 0.9])
    world[surroundings.SUN : surroundings.SUN + 3] = sun / np.sqrt((sun**2).sum())
    body = Body()
    things = [*_background(rng, body, camera, indoor=indoor), *_clutter(rng, body, camera)]
    return Scene(
        camera=camera,
        surroundings=np.round(world, 9),
        things=[(rows, frame) for rows, frame in things],
        materials=body.materials,
        extent=float(rng.uniform(0.38, 0.64)),
        centre=(float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.44, 0.6))),
        facing=1.0 if rng.random() < 0.5 else -1.0,
        spin=float(rng.uniform(-1, 1)),
        tone=round(math.exp(float(rng.normal(0.1, 0.4))), 9),
        aperture=float(rng.uniform(0.0, 0.02)),
        indoor=indoor,
    )


def _open_air(rng: Rng) -> Array:
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


def _room(rng: Rng) -> Array:
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
    paint = np.array(_any_colour(rng, 0.2, 0.7))
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
    world[surroundings.FRAME + 5 : surroundings.FRAME + 8] = _any_colour(rng, 0.1, 0.6)
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
    base = np.array(_any_colour(rng, 0.15, 0.6))
    base = 0.4 * base + 0.6 * base.mean()
    return np.concatenate([base * 0.75, base * 1.15])


def _background(rng: Rng, body: Body, camera: Array, *, indoor: bool) -> list[tuple[Array, Array]]:
    """Trees, bushes and posts in the open; plants and lamps in rooms: always behind where the object stands."""
    out = []
    for _ in range(int(rng.integers(0, 5))):
        u = float(rng.uniform(-0.1, 1.1))
        depth = float(rng.uniform(1.4, 1.75) if indoor else rng.uniform(1.7, 4.0)) * REACH
        x = (2 * u - 1) * camera[12] * depth
        one = Body([], body.materials)
        (_plant if indoor and rng.random() < 0.6 else _lamp if indoor else _tree)(rng, one)
        scale = float(rng.uniform(0.8, 1.4)) * (1.0 if indoor else 1.7)
        out.append(
            placed(np.array(one.rows), yaw=float(rng.uniform(0, 6.28)), scale=scale, at=(x, 0.0, depth), number=2)
        )
    return out


def _clutter(rng: Rng, body: Body, camera: Array) -> list[tuple[Array, Array]]:
    """Small things beside, behind and now and then in front of the object, at places of the frame."""
    out = []
    for _ in range(int(rng.integers(2, 6))):
        where = rng.random()
        if where < 0.62:  # beside
            u = float(rng.uniform(0.03, 0.24) if rng.random() < 0.5 else rng.uniform(0.76, 0.97))
            v = float(rng.uniform(0.62, 0.9))
        elif where < 0.84:  # behind
            u, v = float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.52, 0.62))
        else:  # in front, low
            u, v = float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.93, 1.08))
        point = on_ground(camera, u, v)
        if point is None or point[2] > 4.0 * REACH:
            continue
        share = float(rng.uniform(0.1, 0.2))  # of the frame's side
        one = Body([], body.materials)
        _thing(rng, one)
        scale = share * 2.0 * camera[12] * point[2]
        out.append(placed(np.array(one.rows), yaw=float(rng.uniform(0, 6.28)), scale=scale, at=point, number=2))
    return out


def _paint(rng: Rng, b: Body) -> int:
    vivid = rng.random() < 0.5
    first: Colour = _any_colour(rng, 0.25, 0.7) if vivid else _any_colour(rng, 0.1, 0.5)
    second = _any_colour(rng, 0.1, 0.85)
    pattern, scale = (
        (surfaces.PLAIN, 1.0), (surfaces.PATCHES, 5.0), (surfaces.CHECKS, 14.0), (surfaces.STRIPES, 16.0), (surfaces.DOTS, 22.0),
        (surfaces.WOOD, 4.0), (surfaces.ZEBRA, 20.0),
    )[int(rng.choice(7, p=[0.4, 0.1, 0.1, 0.12, 0.08, 0.12, 0.08]))]  # fmt: skip
    return b.material(
        first,
        second,
        pattern=pattern,
        scale=scale,
        mottle=0.08,
        specular=float(rng.uniform(0, 0.5)),
        gloss=4,
        phase=float(rng.uniform(0, 9)),
    )


def _thing(rng: Rng, b: Body) -> None:
    """Ball, crate, pot, stones, bottle, books, bucket, cushion; about one unit tall."""
    kind = int(rng.integers(8))
    m = _paint(rng, b)
    if kind == 0:
        b.ball((0.0, 0.45, 0.0), 0.45, "clutter", m)
    elif kind == 1:
        b.box((0.0, 0.4, 0.0), (0.45, 0.4, 0.4), "clutter", m, edge=0.03)
        b.box((0.0, 0.62, 0.0), (0.46, 0.03, 0.41), "clutter", _paint(rng, b), edge=0.01)
    elif kind == 2:
        b.limb([(0.0, 0.05, 0.0), (0.0, 0.4, 0.0)], [0.22, 0.32], "clutter", m)
        _leaves(rng, b, 0.75, 0.35, 5)
    elif kind == 3:
        stone = b.material(_grey(rng), _grey(rng), pattern=surfaces.PATCHES, scale=4.0, mottle=0.3, bump=0.4)
        for _ in range(int(rng.integers(1, 4))):
            r = float(rng.uniform(0.2, 0.42))
            b.ball(
                (float(rng.uniform(-0.4, 0.4)), r * 0.55, float(rng.uniform(-0.4, 0.4))),
                (r * 1.25, r * 0.8, r),
                "clutter",
                stone,
                0.06,
                yaw=float(rng.uniform(0, 3)),
            )
    elif kind == 4:
        b.limb(
            [(0.0, 0.12, 0.0), (0.0, 0.6, 0.0), (0.0, 0.75, 0.0), (0.0, 1.0, 0.0)],
            [0.18, 0.18, 0.08, 0.07],
            "clutter",
            m,
            0.05,
        )
    elif kind == 5:
        for n in range(int(rng.integers(2, 5))):
            b.box(
                (0.0, 0.1 + 0.19 * n, 0.0),
                (0.32, 0.085, 0.45),
                "clutter",
                _paint(rng, b),
                edge=0.015,
                yaw=float(rng.uniform(-0.3, 0.3)),
            )
    elif kind == 6:
        b.limb([(0.0, 0.12, 0.0), (0.0, 0.6, 0.0)], [0.26, 0.36], "clutter", m)
        b.limb(
            [(-0.36, 0.6, 0.0), (-0.2, 0.88, 0.0), (0.2, 0.88, 0.0), (0.36, 0.6, 0.0)],
            [0.025] * 4,
            "clutter",
            _paint(rng, b),
        )
    else:
        b.ball((0.0, 0.25, 0.0), (0.5, 0.24, 0.42), "clutter", m)
        b.ball((0.1, 0.55, 0.0), (0.3, 0.2, 0.3), "clutter", m, 0.12)


def _grey(rng: Rng) -> Colour:
    tone = float(rng.uniform(0.12, 0.45))
    return (tone, tone * 0.96, tone * 0.9)


def _leaves(rng: Rng, b: Body, y: float, spread: float, n: int) -> None:
    tone = float(rng.uniform(0.5, 1.4))
    leaf = b.material(
        (0.07 * tone, 0.19 * tone, 0.05 * tone),
        (0.17 * tone, 0.26 * tone, 0.06 * tone),
        pattern=surfaces.PATCHES,
        scale=7.0,
        mottle=0.4,
        bump=0.7,
    )
    for _ in range(n):
        at = (
            float(rng.uniform(-spread, spread)),
            y + float(rng.uniform(-spread, spread)) * 0.7,
            float(rng.uniform(-spread, spread)),
        )
        b.ball(at, (spread * 0.75, spread * 0.6, spread * 0.75), "clutter", leaf, 0.12)


def _tree(rng: Rng, b: Body) -> None:
    kind = int(rng.integers(4))
    bark = b.material((0.16, 0.11, 0.075), (0.09, 0.06, 0.04), pattern=surfaces.WOOD, scale=5.0, mottle=0.4)
    if kind == 0:
        b.limb([(0.0, 0.0, 0.0), (0.05, 1.2, 0.0)], [0.12, 0.08], "clutter", bark)
        _leaves(rng, b, 1.6, 0.55, 5)
    elif kind == 1:
        _leaves(rng, b, 0.35, 0.45, 4)
    elif kind == 2:
        b.limb([(0.0, 0.0, 0.0), (0.0, 0.6, 0.0)], [0.09, 0.08], "clutter", bark)
        tone = float(rng.uniform(0.6, 1.3))
        needles = b.material((0.05 * tone, 0.13 * tone, 0.06 * tone), mottle=0.5, bump=0.8)
        for n in range(3):
            b.limb(
                [(0.0, 0.45 + 0.55 * n, 0.0), (0.0, 1.15 + 0.55 * n, 0.0)], [0.55 - 0.13 * n, 0.02], "clutter", needles
            )
    else:
        for n in range(3):
            b.limb([(0.9 * (n - 1), 0.0, 0.0), (0.9 * (n - 1), 0.75, 0.0)], [0.06, 0.055], "clutter", bark)
        for y in (0.3, 0.6):
            b.box((0.0, y, 0.0), (1.1, 0.06, 0.03), "clutter", bark, edge=0.01)


def _plant(rng: Rng, b: Body) -> None:
    b.limb([(0.0, 0.1, 0.0), (0.0, 0.42, 0.0)], [0.17, 0.24], "clutter", _paint(rng, b))
    bark = b.material((0.14, 0.1, 0.06), mottle=0.3)
    b.limb([(0.0, 0.4, 0.0), (0.04, 0.95, 0.0)], [0.035, 0.025], "clutter", bark)
    _leaves(rng, b, 1.1, 0.3, 5)


def _lamp(rng: Rng, b: Body) -> None:
    metal = b.material((0.1, 0.1, 0.1), specular=0.4)
    if rng.random() < 0.5:
        b.disc((0.0, 0.02, 0.0), 0.18, 0.02, "clutter", metal)
        b.limb([(0.0, 0.0, 0.0), (0.0, 1.5, 0.0)], [0.022, 0.022], "clutter", metal)
        shade = b.material(_any_colour(rng, 0.4, 0.85), mottle=0.05)
        b.limb([(0.0, 1.45, 0.0), (0.0, 1.7, 0.0)], [0.26, 0.16], "clutter", shade)
    else:
        m = _paint(rng, b)
        for n in range(4):
            b.box((0.0, 0.22 + 0.42 * n, 0.0), (0.16, 0.02, 0.42), "clutter", m, edge=0.005)
        for z in (1, -1):
            b.box((0.0, 0.85, z * 0.42), (0.16, 0.85, 0.02), "clutter", m, edge=0.005)
