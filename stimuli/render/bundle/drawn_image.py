"""One image from a seed: the scene, the object that is put into it, the light, the lens."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision import seeds
from rapidvision.errors import InputError, did_you_mean

from ..objects.birds import bird
from ..objects.cats import cat
from ..objects.couches import couch
from ..objects.elephants import elephant
from ..objects.refrigerators import refrigerator
from ..objects.tables import table
from ..objects.umbrellas import umbrella
from ..objects.zebras import zebra
from ..scene.scene import Scene, draw_scene
from ..shapes.body import Body, mirrored, placed
from ..shapes.viewpoint import REACH, on_ground

Array = NDArray[np.float64]
Rng = np.random.Generator

#: Category → (is it a target, its builder, main view, how far from that it may turn (radians), may it face left).
CATEGORIES: Final[dict[str, tuple[bool, Callable[[Rng], Body], float, float, bool]]] = {
    "bird": (True, bird, 0.45, 0.65, True),
    "zebra": (True, zebra, 0.3, 0.7, True),
    "elephant": (True, elephant, 0.5, 0.7, True),
    "cat": (True, cat, 0.95, 0.6, True),
    "table": (False, table, math.pi / 2, 0.75, False),
    "couch": (False, couch, math.pi / 2, 0.7, False),
    "refrigerator": (False, refrigerator, math.pi / 2, 0.7, False),
    "umbrella": (False, umbrella, 0.8, 3.0, True),
}
OBJECT: Final = 1
PROOF_PX: Final = 64
"""Side of the print on which it is decided whether a shot is kept, whatever size is asked for."""
FINE_PX: Final = 160
"""From this side on images are drawn finely."""
FINE: Final = (4, 0.06)
"""Finely drawn, a pixel gets so many more rays when its neighbours differ by this share of white …"""
COARSE: Final = (2, 0.2)
"""… and in smaller images so many."""
ATTEMPTS: Final = 40
"""So often a scene and its object are drawn anew; after that the likeliest of them is kept."""
MAX_SIDE: Final = 0.8
"""No object is wider or taller than this share of the frame."""
FARTHEST: Final = 1.3 * REACH
"""No object stands farther away than this."""
MARGIN: Final = 0.06
"""No object comes nearer to the frame than this."""


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """A drawn image and all that is known about it.

    Attributes
    ----------
    image : ndarray of uint8, shape (size, size, 3)
        sRGB.
    parts : ndarray of uint8, shape (size, size)
        Index into ``body.PARTS``.
    objects : ndarray of uint8, shape (size, size)
        0 background, 1 the object, 2 … clutter, one number per thing.
    category : str
        A key of :data:`CATEGORIES`.
    seed, number : int
        What it was drawn from.
    indoor : bool
        In a room or in the open.
    """

    image: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    objects: NDArray[np.uint8]
    category: str
    seed: int
    number: int
    indoor: bool

    @property
    def target(self) -> bool:
        """Whether it shows an animal."""
        return CATEGORIES[self.category][0]


def draw(category: str, *, seed: int, number: int = 0, size: int = 256) -> DrawnImage:
    """Draw image `number` of a category.

    Parameters
    ----------
    category : str
        A key of :data:`CATEGORIES`.
    seed : int
        With `category` and `number` it decides everything; the scene does not know the category.
    number : int, default 0
        Which of the category's images.
    size : int, default 256
        Side in pixels, 16 … 2048. Other sizes show the same scene.

    Returns
    -------
    Image
        The same bytes for the same arguments, on every machine.

    Raises
    ------
    InputError
        For an unknown category or a size out of range.
    MissingExtra
        Without Numba.
    """
    if category not in CATEGORIES:
        raise InputError(f'category: got "{category}". {did_you_mean(category, CATEGORIES)}')
    check_size(size)
    from ..decodability.rejection import kept

    target = CATEGORIES[category][0]
    best = (-1.0, 0)
    for attempt in range(ATTEMPTS):
        shot = composed(category, seed=seed, number=number, attempt=attempt)
        image, light = taken(shot, PROOF_PX)
        chance = kept(image, target=target)
        best = max(best, (chance, -attempt))
        if seeds.stream(seed, "kept", category, number, attempt).random() < chance:
            break
    else:
        shot = composed(category, seed=seed, number=number, attempt=-best[1])
        image, light = taken(shot, PROOF_PX)
    if size != PROOF_PX:
        image, light = taken(shot, size)
    return DrawnImage(image, light.parts, light.objects, category, seed, number, shot.scene.indoor)


class Shot(NamedTuple):
    """A scene with its object, before any light falls on it."""

    scene: Scene
    rows: Array
    materials: Array
    frames: Array
    address: tuple[int, str, int, int]  # seed, category, number, attempt


class Exposure(NamedTuple):
    """What the lens saw: display values 0 … 1, the object's cover, parts, objects, and the stream for further draws."""

    display: Array
    cover: NDArray[np.float32]
    parts: NDArray[np.uint8]
    objects: NDArray[np.uint8]
    rng: Rng


def composed(category: str, *, seed: int, number: int, attempt: int = 0) -> Shot:
    """Draw a scene and put an object of the category into it."""
    address = (category, number, attempt)
    scene = draw_scene(seeds.stream(seed, "scene", *address))
    rows, materials, frames = compose(category, scene, seeds.stream(seed, "object", *address))
    return Shot(scene, rows, materials, frames, (seed, *address))


def taken(shot: Shot, size: int) -> tuple[NDArray[np.uint8], Exposure]:
    """Take an image of a shot, and print it."""
    from ..tracing.lens import printed

    light = exposure(shot, size)
    _seed, category, _number, _attempt = shot.address
    return printed(light.display, light.cover, light.rng, target=CATEGORIES[category][0]), light


def exposure(shot: Shot, size: int) -> Exposure:
    """Light a shot and let the lens see it, up to the print."""
    from ..tracing import tracer
    from ..tracing.lens import exposed

    scene = shot.scene
    n_extra, contrast = FINE if size >= FINE_PX else COARSE
    colour, depth, cover, parts, objects = tracer.render(
        shot.rows, shot.materials, shot.frames, scene.surroundings, scene.camera, size, n_extra, contrast
    )
    seed, category, number, attempt = shot.address
    rng = seeds.stream(seed, "lens", category, number, attempt)
    return Exposure(exposed(colour, depth, cover, scene, rng), cover, parts, objects, rng)


def check_size(size: int) -> None:
    """Refuse sizes that cannot be drawn."""
    if not 16 <= size <= 2048:
        raise InputError(f"size: got {size} px, allowed are 16 to 2048")


def compose(category: str, scene: Scene, rng: Rng) -> tuple[Array, Array, Array]:
    """Put an object of a category into a scene; returns solids, materials and frames for ``tracer.render``."""
    from ..shapes.solids import MATERIAL, bounded
    from ..shapes.solids import OBJECT as NUMBER

    _target, build, view, slack, mirrors = CATEGORIES[category]
    body = build(rng)
    lead = len(body.materials)
    own, yaw = np.array(body.rows), view + slack * scene.spin
    if mirrors and scene.facing < 0:
        own, yaw = mirrored(own), math.pi - yaw
    solid, frame = _fitted(own, scene, yaw)
    groups, frames = [solid], [np.zeros(6), frame]
    for number, (rows, where) in enumerate(scene.things, OBJECT + 1):
        thing = rows.copy()
        thing[:, MATERIAL] += lead
        thing[:, NUMBER] = number
        groups.append(thing)
        frames.append(where)
    materials = np.array(body.materials + scene.materials, dtype=np.float64).round(9)
    return bounded(np.concatenate(groups)), materials, np.array(frames)


def _fitted(own: Array, scene: Scene, yaw: float) -> tuple[Array, Array]:
    """Scale and place the object so that its outline has the extent and the middle that the scene asks for."""
    from ..shapes.solids import bounded
    from ..tracing.rays import silhouette

    scale, u, v = 1.6, scene.centre[0], scene.centre[1] + 0.22
    for side in (16, 24, 32, 40):  # the first corrections are coarse anyway
        at = on_ground(scene.camera, u, min(v, 0.97))
        assert at is not None  # the horizon is above every place where an object may stand
        solid, _frame = placed(own, yaw=yaw, scale=scale, at=at, number=OBJECT)
        seen = silhouette(bounded(solid.copy()), scene.camera, side)
        if not seen.any():
            break
        rows, columns = np.nonzero(seen.any(1))[0], np.nonzero(seen.any(0))[0]
        top, bottom = rows[0] / side, (rows[-1] + 1) / side
        left, right = columns[0] / side, (columns[-1] + 1) / side
        width, height = right - left, bottom - top
        share = math.sqrt(math.sqrt(width * height) * math.sqrt(float(seen.mean())) * 1.25)
        grow = min(scene.extent / share, MAX_SIDE / width, MAX_SIDE / height)
        if left == 0.0 or right == 1.0 or top == 0.0 or bottom == 1.0:
            grow = min(grow, 0.75)  # cut off by the frame, it is larger than it looks
        u += _inside(scene.centre[0], grow * width) - (left + right) / 2
        v += (_inside(scene.centre[1], grow * height) + grow * height / 2) - bottom
        v = min(v, 0.97)
        after = on_ground(scene.camera, u, v)
        while after is None or after[2] > FARTHEST:  # rooms end behind it
            v += 0.01
            after = on_ground(scene.camera, u, v)
        scale *= grow * after[2] / at[2]
    at = on_ground(scene.camera, u, v)
    assert at is not None
    return placed(own, yaw=yaw, scale=scale, at=at, number=OBJECT)


def _inside(centre: float, side: float) -> float:
    """The place nearest to `centre` at which something `side` wide stays in the frame."""
    return min(max(centre, side / 2 + MARGIN), 1.0 - MARGIN - side / 2)
