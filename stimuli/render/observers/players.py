"""ClickMe-like maps: simulated players drag bubbles over the parts that tell a category (paper, section 2.1).

A player sees the image and its category and paints what would help a partner to recognise it. Players agree on what
is diagnostic only so far: each has own preferences, own haste and an unsteady hand. The game's rules are the paper's:
one bubble of 14 x 14 pixels each 50 ms, at most seven seconds, on an image 256 pixels wide.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rapidvision import seeds

from ..shapes.body import PART_INDEX
from ..shapes.compiled import compiled

Floats = NDArray[np.float64]
Rng = np.random.Generator

N_PLAYERS: Final = 8
GAME_PX: Final = 256
BUBBLE_PX: Final = 14
BUBBLES: Final = 140  # seven seconds, one each 50 ms
LONGEST_STEP_PX: Final = 7.0
SHARE_TIMED_OUT: Final = 0.47  # rounds that lasted until the end
AREA_POWER: Final = 0.9
"""How a part's pull falls with its area: 1 gives an eye the pull of a flank, 0 gives each pixel the same."""
TASTE: Final = 1.0
"""Standard deviation, in natural logarithms, of a player's liking for a part around its diagnosticity."""
ASTRAY: Final = 0.04
"""Share of aims that are anywhere on the object."""
PACE_PX: Final = 0.4
"""Mean step from bubble to bubble."""
TREMOR_PX: Final = 1.2

#: How diagnostic a part is held to be, 0 … 1. Parts that are not named are aimed at only by players gone astray.
DIAGNOSTIC: Final[dict[str, dict[str, float]]] = {
    "bird": {"beak": 1.0, "eye": 0.9, "head": 1.0, "crest": 0.8, "wing": 0.4, "neck": 0.4, "tail": 0.25, "foot": 0.2, "body": 0.15},
    "zebra": {"head": 1.0, "eye": 0.8, "muzzle": 0.8, "mane": 0.7, "neck": 0.6, "ear": 0.6, "stripes": 0.55, "leg": 0.15},
    "elephant": {"trunk": 1.0, "ear": 0.8, "head": 0.9, "tusk": 0.9, "eye": 0.8, "muzzle": 0.5, "leg": 0.15, "body": 0.1},
    "cat": {"head": 1.0, "eye": 1.0, "ear": 1.0, "muzzle": 0.9, "nose": 0.9, "whiskers": 0.6, "tail": 0.25, "paw": 0.2, "body": 0.1},
    "table": {"table leg": 0.9, "top": 0.8, "apron": 0.5, "shelf": 0.4},
    "couch": {"cushion": 0.8, "armrest": 0.9, "backrest": 0.7, "pillow": 0.4, "seat": 0.5, "couch foot": 0.4},
    "refrigerator": {"handle": 1.0, "door": 0.55, "dispenser": 0.9, "note": 0.4, "seam": 0.6, "cabinet": 0.15},
    "umbrella": {"canopy": 0.8, "grip": 0.8, "shaft": 0.6, "rib": 0.5, "tip": 0.7},
}  # fmt: skip


def pull_of(
    parts: NDArray[np.uint8], objects: NDArray[np.uint8], category: str, liking: dict[str, float] | None = None
) -> Floats:
    """Return how strongly each pixel draws a player's aim; shape (height, width), sums to 1.

    Parameters
    ----------
    parts, objects : ndarray of uint8, shape (height, width)
        Of a ``DrawnImage``.
    category : str
        What it shows.
    liking : dict, optional
        A player's own factor on each part; 1 where absent.
    """
    return _Outline(parts, objects).pull(category, liking)


class _Outline:
    """What all players of an image see of its object: measured once."""

    def __init__(self, parts: NDArray[np.uint8], objects: NDArray[np.uint8]) -> None:
        self.parts = parts
        self.mine = objects == 1
        self.n_mine = self.mine.sum()
        self.area = np.bincount(parts[self.mine], minlength=256)
        self.anywhere = self.mine / max(int(self.n_mine), 1)

    def pull(self, category: str, liking: dict[str, float] | None) -> Floats:
        """See :func:`pull_of`."""
        weight = np.zeros(256)
        for name, value in DIAGNOSTIC[category].items():
            index = PART_INDEX[name]
            if self.area[index]:
                factor = 1.0 if liking is None else liking.get(name, 1.0)
                weight[index] = value**4 * factor * (self.area[index] / self.n_mine) ** -AREA_POWER
        pull = np.where(self.mine, weight[self.parts], 0.0)
        total = pull.sum()
        if total == 0.0:
            return np.asarray(self.anywhere if self.n_mine else np.full(self.parts.shape, 1.0 / self.parts.size))
        return np.asarray((1.0 - ASTRAY) * pull / total + ASTRAY * self.anywhere)


def play(
    parts: NDArray[np.uint8], objects: NDArray[np.uint8], category: str, *, rng: Rng, n_players: int = N_PLAYERS
) -> NDArray[np.uint8]:
    """Let players paint an image.

    Parameters
    ----------
    parts, objects : ndarray of uint8, shape (height, width)
        Of a ``DrawnImage``.
    category : str
        What it shows.
    rng : Generator
        Decides about the players and their strokes.
    n_players : int, default 8
        How many play.

    Returns
    -------
    ndarray of uint8, shape (n_players, 256, 256)
        1 where a player's bubbles lay.
    """
    height, width = parts.shape
    painted = np.zeros((n_players, GAME_PX, GAME_PX), np.uint8)
    outline = _Outline(parts, objects)
    names = list(DIAGNOSTIC[category])
    for player in range(n_players):
        liking = dict(zip(names, np.exp(rng.normal(0.0, TASTE, len(names))), strict=True))
        summed = np.cumsum(outline.pull(category, liking).ravel())
        cells = np.searchsorted(summed, rng.random(BUBBLES) * summed[-1]).clip(0, parts.size - 1)
        rows, columns = np.divmod(cells, width)
        aims = np.stack([(rows + rng.random(BUBBLES)) / height, (columns + rng.random(BUBBLES)) / width], 1) * GAME_PX
        lasts = BUBBLES if rng.random() < SHARE_TIMED_OUT else int(rng.integers(BUBBLES // 4, BUBBLES))
        steps = rng.gamma(3.0, PACE_PX / 3.0, BUBBLES)
        _drag(
            painted[player], aims, np.minimum(steps, LONGEST_STEP_PX), rng.normal(0.0, TREMOR_PX, (BUBBLES, 2)), lasts
        )
    return painted


@compiled
def _drag(canvas: NDArray[np.uint8], aims: Floats, steps: Floats, tremor: Floats, n_bubbles: int) -> None:
    """Drag from aim to aim, leaving a bubble at each step."""
    y = aims[0, 0]
    x = aims[0, 1]
    aim = 1
    half = BUBBLE_PX // 2
    for n in range(n_bubbles):
        top = int(y) - half
        left = int(x) - half
        for row in range(max(top, 0), min(top + BUBBLE_PX, canvas.shape[0])):
            for column in range(max(left, 0), min(left + BUBBLE_PX, canvas.shape[1])):
                canvas[row, column] = 1
        dy = aims[aim, 0] - y
        dx = aims[aim, 1] - x
        away = np.sqrt(dy * dy + dx * dx)
        if away <= steps[n] or away < 2.0:
            aim = (aim + 1) % aims.shape[0]
        reach = min(1.0, steps[n] / max(away, 1e-9))
        my = dy * reach + tremor[n, 0]
        mx = dx * reach + tremor[n, 1]
        far = np.sqrt(my * my + mx * mx)
        if far > LONGEST_STEP_PX:
            my *= LONGEST_STEP_PX / far
            mx *= LONGEST_STEP_PX / far
        y = min(max(y + my, 0.0), canvas.shape[0] - 1.0)
        x = min(max(x + mx, 0.0), canvas.shape[1] - 1.0)


def clickme_map(
    parts: NDArray[np.uint8],
    objects: NDArray[np.uint8],
    category: str,
    *,
    seed: int,
    number: int,
    n_players: int = N_PLAYERS,
) -> NDArray[np.uint8]:
    """Return the share of players who painted each pixel, 0 … 255, at the image's own size."""
    painted = play(parts, objects, category, rng=seeds.stream(seed, "players", category, number), n_players=n_players)
    share = painted.sum(0, dtype=np.float64) / n_players
    return np.floor(resized(share, parts.shape[0]) * 255.0 + 0.5).astype(np.uint8)


def resized(values: Floats, size: int) -> Floats:
    """Average a square map over the pixels of another size."""
    side = values.shape[0]
    if side == size:
        return values
    if side % size == 0:
        k = side // size
        return np.asarray(values.reshape(size, k, size, k).mean((1, 3)))
    edges = np.arange(size + 1) * side / size
    summed = np.zeros((side + 1, side + 1))
    summed[1:, 1:] = values.cumsum(0).cumsum(1)
    low = np.floor(edges).astype(int).clip(0, side - 1)
    part = edges - low
    by_row = summed[low] * (1 - part)[:, None] + summed[low + 1] * part[:, None]
    both = by_row[:, low] * (1 - part) + by_row[:, low + 1] * part
    return np.asarray(np.diff(np.diff(both, axis=0), axis=1) * (size / side) ** 2)
