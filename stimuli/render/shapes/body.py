"""How a thing is put together: solids with parts and materials, in frames that turn and shift."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import solids, surfaces

Array = NDArray[np.float64]
Point = tuple[float, float, float]
Colour = tuple[float, float, float]

#: Every part that a pixel can show; the index is what part maps hold.
PARTS: Final = (
    "background", "body", "stripes", "head", "eye", "ear", "muzzle", "nose", "neck", "mane", "leg", "hoof", "paw",
    "tail", "trunk", "tusk", "beak", "wing", "crest", "whiskers", "foot", "top", "table leg", "apron", "shelf", "seat",
    "cushion", "backrest", "armrest", "pillow", "couch foot", "cabinet", "door", "handle", "seam", "note", "dispenser",
    "canopy", "rib", "shaft", "grip", "tip", "clutter",
)  # fmt: skip
PART_INDEX: Final = {name: index for index, name in enumerate(PARTS)}


STRAIGHT: Final = np.eye(3)
"""No turn at all; most solids have it."""
STRAIGHT.flags.writeable = False


def turn(*, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Rotation matrix, radians: `yaw` about the upright y axis, then `pitch` (x up) about z, then `roll` about x."""
    if yaw == pitch == roll == 0.0:
        return STRAIGHT
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_z = np.array([[cp, -sp, 0.0], [sp, cp, 0.0], [0.0, 0.0, 1.0]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    return np.asarray(about_y @ about_z @ about_x)


@dataclass
class Body:
    """A thing under construction: +x is its front, +y is up, the ground is y = 0, one unit is about its height."""

    rows: list[Array] = field(default_factory=list)
    materials: list[Array] = field(default_factory=list)
    at: Array = field(default_factory=lambda: np.zeros(3))
    axes: Array = field(default_factory=lambda: np.eye(3))

    def frame(self, origin: Point, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> "Body":
        """Return a frame with its own origin and axes that builds into the same body."""
        place = self.at + self.axes @ np.array(origin)
        return Body(self.rows, self.materials, place, self.axes @ turn(yaw=yaw, pitch=pitch, roll=roll))

    def material(
        self,
        first: Colour,
        second: Colour | None = None,
        *,
        pattern: float = surfaces.PLAIN,
        scale: float = 1.0,
        mottle: float = 0.12,
        specular: float = 0.03,
        gloss: int = 3,
        phase: float = 0.0,
        bump: float = 0.0,
    ) -> int:
        """Add a material; returns its index."""
        row = np.zeros(surfaces.N_COLUMNS)
        row[:3], row[3:6] = first, second or first
        row[6:] = pattern, scale, mottle, specular, gloss, phase, bump
        self.materials.append(row)
        return len(self.materials) - 1

    def ball(
        self, centre: Point, radii: Point | float, part: str, material: int, k: float = 0.0,
        *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0,
    ) -> None:  # fmt: skip
        """Add an ellipsoid."""
        size = (radii, radii, radii) if isinstance(radii, float) else radii
        self._add(solids.BALL, centre, size, part, material, k, turn(yaw=yaw, pitch=pitch, roll=roll))

    def box(
        self, centre: Point, half: Point, part: str, material: int, k: float = 0.0,
        *, edge: float = 0.02, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0,
    ) -> None:  # fmt: skip
        """Add a box with rounded edges."""
        edge = min(edge, *half)
        self._add(solids.BOX, centre, half, part, material, k, turn(yaw=yaw, pitch=pitch, roll=roll), r1=edge)

    def disc(
        self, centre: Point, radius: float, half_height: float, part: str, material: int, k: float = 0.0,
        *, edge: float = 0.01, pitch: float = 0.0, roll: float = 0.0,
    ) -> None:  # fmt: skip
        """Add an upright cylinder."""
        edge = min(edge, radius, half_height)
        size = (radius, half_height, radius)
        self._add(solids.DISC, centre, size, part, material, k, turn(pitch=pitch, roll=roll), r1=edge)

    def canopy(
        self, top: Point, radius: float, height: float, n_panels: int, part: str, material: int, *, thick: float = 0.012
    ) -> None:
        """Add an umbrella's cloth."""
        size = (radius, height, radius)
        self._add(solids.CANOPY, top, size, part, material, 0.0, np.eye(3), r1=thick, n_panels=n_panels)

    def limb(
        self, points: list[Point], radii: list[float], part: str, material: int, k: float = 0.03, *, along: float = 0.0
    ) -> None:
        """Add a chain of cones through `points` whose radius goes through `radii`."""
        for (a, b), (r1, r2) in zip(pairwise(points), pairwise(radii), strict=True):
            row = self._add(solids.CONE, a, (0.0, 0.0, 0.0), part, material, k, np.eye(3), r1=r1)
            row[solids.B : solids.B + 3] = self.at + self.axes @ np.array(b)
            row[solids.R2] = r2
            row[solids.ALONG] = along
            along += math.dist(a, b)

    def _add(
        self, kind: float, centre: Point, size: Point, part: str, material: int, k: float, axes: Array,
        *, r1: float = 0.0, n_panels: int = 0,
    ) -> Array:  # fmt: skip
        row = np.zeros(solids.N_COLUMNS)
        row[solids.KIND] = kind
        row[solids.A : solids.A + 3] = self.at + self.axes @ np.array(centre)
        row[solids.B : solids.B + 3] = size
        row[solids.R1] = r1
        row[solids.AXES : solids.AXES + 9] = (self.axes @ axes).T.ravel()
        row[solids.SMOOTH] = k
        row[solids.PART] = PART_INDEX[part]
        row[solids.MATERIAL] = material
        row[solids.N_PANELS] = n_panels
        self.rows.append(row)
        return row


def mirrored(rows: Array) -> Array:
    """Return a body whose left is its right (z turned round)."""
    out = rows.copy()
    cone = out[:, solids.KIND] == solids.CONE
    out[:, solids.A + 2] *= -1.0
    out[cone, solids.B + 2] *= -1.0
    out[:, solids.AXES + 2 : solids.AXES + 9 : 3] *= -1.0  # every solid is its own mirror image along its own axes
    return out


def placed(rows: Array, *, yaw: float, scale: float, at: Point, number: int) -> tuple[Array, Array]:
    """Return a body's rows in the world, and the frame (cos, sin, origin, scale) that leads back to the body."""
    out = rows.copy()
    spin = turn(yaw=yaw)
    origin = np.array(at)
    cone = out[:, solids.KIND] == solids.CONE
    out[:, solids.A : solids.A + 3] = origin + scale * out[:, solids.A : solids.A + 3] @ spin.T
    out[cone, solids.B : solids.B + 3] = origin + scale * out[cone, solids.B : solids.B + 3] @ spin.T
    out[~cone, solids.B : solids.B + 3] *= scale
    out[:, solids.AXES : solids.AXES + 9] = (out[:, solids.AXES : solids.AXES + 9].reshape(-1, 3, 3) @ spin.T).reshape(
        -1, 9
    )
    out[:, [solids.R1, solids.R2, solids.SMOOTH]] *= scale
    out[:, solids.OBJECT] = number
    out[0, solids.SMOOTH] = 0.0
    # rounding hides the last bits in which platforms' sines differ
    return np.round(out, 9), np.round(np.array([math.cos(yaw), math.sin(yaw), *at, scale]), 9)
