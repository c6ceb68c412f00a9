"""Which images are shipped: a written rule, applied by a program, the same for every category.

From a pool of candidates per category those are kept that pass four gates (docs/datasheet.md), and among them images
are taken one by one, half of them indoors: each time the candidate that is farthest from all that were taken so far.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rapidvision.errors import CheckFailed

from ..observers.players import DIAGNOSTIC
from ..shapes.body import PART_INDEX
from .drawn_image import DrawnImage

Floats = NDArray[np.float64]

SMALLEST: Final = 0.06
"""Gate 1: the object covers at least this share of the frame …"""
LARGEST: Final = 0.32
"""… and at most this."""
CONTRAST: Final = 9.0
"""Gate 2: root mean square difference of the object's outline from what is just outside it, in grey levels or colour."""
TELLING: Final = 0.5
"""Gate 3: the visible parts hold at least this share of all that the category's parts tell (``players.DIAGNOSTIC``) …"""
PART_PX: Final = 24
"""… where a part counts as visible on so many pixels of an image 256 wide."""
CONCEALED: Final = 0.12
"""Gate 4: things in front of the object cover at most this share of its outline's filled shape."""


UNCLEAR: Final[Mapping[int, Mapping[str, tuple[int, ...]]]] = {
    2019: {"zebra": (1, 8, 11, 21, 36), "elephant": (10,), "table": (15, 19), "refrigerator": (18, 33)}
}
"""Candidates whose object a viewer could not name at a glance: seed of the set → category → numbers."""


class Candidate(NamedTuple):
    """What the rule looks at: the image's number, whether it is indoors, what it looks like, whether it passed."""

    number: int
    indoor: bool
    features: Floats
    passed: bool


def candidate(image: DrawnImage) -> Candidate:
    """Measure an image for the rule."""
    return Candidate(image.number, image.indoor, features_of(image), passes(image))


def passes(image: DrawnImage) -> bool:
    """Whether an image passes the gates."""
    mine = image.objects == 1
    size = image.parts.shape[0]
    if not SMALLEST <= mine.mean() <= LARGEST:
        return False
    rim = max(size // 85, 1)
    inner = mine & ~ndimage.binary_erosion(mine, iterations=rim)
    outer = ndimage.binary_dilation(mine, iterations=2 * rim) & ~ndimage.binary_dilation(mine, iterations=rim)
    pixels = image.image.astype(np.float64)
    smooth = np.stack([ndimage.uniform_filter(pixels[..., c], 2 * rim + 1) for c in range(3)], -1)
    step = smooth[inner].mean(0) - smooth[outer].mean(0)
    spread = smooth[inner].std(0) - smooth[outer].std(0)
    if np.sqrt((step**2 + spread**2).mean()) < CONTRAST:
        return False
    enough = PART_PX * (size / 256) ** 2
    telling = DIAGNOSTIC[image.category]
    seen = [name for name in telling if np.count_nonzero(mine & (image.parts == PART_INDEX[name])) >= enough]
    if sum(telling[name] for name in seen) < TELLING * sum(telling.values()):
        return False
    filled = ndimage.binary_closing(mine, iterations=4 * rim)
    before = filled & (image.objects > 1)
    return bool(before.sum() <= CONCEALED * mine.sum())


def features_of(image: DrawnImage) -> Floats:
    """Describe an image for variety: object's colour, surroundings' colour, size, place, coarse outline; shape (76,)."""
    mine = image.objects == 1
    pixels = image.image / 255.0
    size = mine.shape[0]
    rows, columns = np.nonzero(mine)
    if not rows.size:
        return np.zeros(76)
    top, left = rows.min(), columns.min()
    box = mine[top : rows.max() + 1, left : columns.max() + 1].astype(np.float64)
    outline = ndimage.zoom(box, (8 / box.shape[0], 8 / box.shape[1]), order=1, grid_mode=True, mode="nearest")
    own = [*pixels[mine].mean(0), *pixels[mine].std(0)]
    around = [*pixels[~mine].mean(0)]
    place = [rows.mean() / size, columns.mean() / size, float(np.sqrt(mine.mean()))]
    # the outline's 64 numbers together weigh as much as the others
    return np.array([*np.array(own) * 3.0, *np.array(around) * 3.0, *np.array(place) * 3.0, *outline.ravel() * 0.35])


def choose(pool: Sequence[Candidate], n: int) -> list[int]:
    """Return the numbers of `n` candidates that passed, as different from each other as can be, in the order taken.

    Half (rounded up) are indoors. The first is the one nearest to the mean of those that passed.

    Raises
    ------
    CheckFailed
        When too few candidates passed.

    Examples
    --------
    >>> pool = [Candidate(i, i % 2 == 0, np.array([float(i)]), True) for i in range(9)]
    >>> choose(pool, 3)
    [4, 0, 7]
    """
    good = [one for one in pool if one.passed]
    quota = {True: (n + 1) // 2, False: n // 2}
    for indoor, wanted in quota.items():
        have = sum(one.indoor == indoor for one in good)
        if have < wanted:
            where = "indoors" if indoor else "outdoors"
            raise CheckFailed(
                f"selection: {have} candidates {where} passed and {wanted} are needed; draw a larger pool"
            )
    features = np.stack([one.features for one in good])
    away = np.sqrt(((features - features.mean(0)) ** 2).sum(1))
    nearest = np.full(len(good), np.inf)
    taken: list[int] = []
    while len(taken) < n:
        score = -away if not taken else nearest
        free = [i for i, one in enumerate(good) if i not in taken and quota[one.indoor] > 0]
        best = max(free, key=lambda i: (score[i], -i))
        taken.append(best)
        quota[good[best].indoor] -= 1
        nearest = np.minimum(nearest, np.sqrt(((features - features[best]) ** 2).sum(1)))
    return [good[i].number for i in taken]


def replaced(pool: Sequence[Candidate], taken: Sequence[int], unclear: Container[int]) -> list[int]:
    """Return `taken` with each image that is `unclear` replaced; all others keep their places.

    Its successor is, of the candidates that passed, are free, are not unclear, and are indoors or outdoors alike, the
    one farthest from all images that stay.

    Raises
    ------
    CheckFailed
        When no candidate is free.

    Examples
    --------
    >>> pool = [Candidate(i, i % 2 == 0, np.array([float(i)]), True) for i in range(9)]
    >>> replaced(pool, [4, 0, 7], unclear=[0, 8])
    [4, 2, 7]
    """
    by_number = {one.number: one for one in pool}
    out = list(taken)
    for place, number in enumerate(out):
        if number not in unclear:
            continue
        indoor = by_number[number].indoor
        stay = np.stack([by_number[one].features for one in out if one not in unclear])
        free = [
            one
            for one in pool
            if one.passed and one.indoor == indoor and one.number not in out and one.number not in unclear
        ]
        if not free:
            where = "indoors" if indoor else "outdoors"
            raise CheckFailed(f"selection: no candidate {where} is left to replace image {number}; draw a larger pool")
        away = [float(np.sqrt(((stay - one.features) ** 2).sum(1)).min()) for one in free]
        out[place] = free[int(np.argmax(away))].number
    return out
