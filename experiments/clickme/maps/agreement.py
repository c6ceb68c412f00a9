"""Agreement between players, and of their maps with another experiment's maps of the same images."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.map_agreement.reliability import reliability
from rapidvision.map_agreement.source_agreement import agreement
from rapidvision.numerics.blur import blurred, parse
from rapidvision.seeds import stream

from ..game.rules import Rules
from ..storage.collected import RoundRecord
from .pooling import Form, map_of, stack_of

#: "Repeating this procedure for 10,000 different images": more images are sampled down to this.
MOST_IMAGES = 10_000
#: Maps blurred by 49 pixels lose nothing to means of blocks this size, and are ranked sixteen times faster.
BLOCK_PX = 4


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How well the maps of a game's players agree.

    Attributes
    ----------
    mean : float
        Rank correlation between two players of an image (paper: .58).
    interval : (float, float)
        95 %, images resampled.
    null : float
        The same over different images (paper: .18).
    p : float
        Randomization test of the pairing.
    share_below_null : float
        Share of images whose players agree less than the null.
    split_half, spearman_brown : float
        Halves of the players.
    n_maps, n_dropped : int
        Usable maps, and constant ones.
    """

    mean: float
    interval: tuple[float, float]
    null: float
    p: float
    share_below_null: float
    split_half: float
    spearman_brown: float
    n_maps: int
    n_dropped: int = 0


def measure(
    rounds: Sequence[RoundRecord], rules: Rules, *, seed: int, n_bubbles: int | None = None
) -> Agreement | None:
    """Measure how well the players' maps of the same image agree.

    Maps of images whose rounds a partner ends early are shorter, which alone makes maps of the same image more
    alike than maps of different ones. So what says that players agree *about the image* (`null`, `p`,
    `share_below_null`) is to be taken from maps of equal length.

    Parameters
    ----------
    rounds : sequence of RoundRecord
        Rounds that count.
    rules : Rules
        Size of image and bubbles.
    seed : int
        Of the tests, and of the choice where there are too many images.
    n_bubbles : int, optional
        Take the first so many bubbles of each round, and rounds that have them; whole rounds unless given.

    Returns
    -------
    Agreement or None
        None where fewer than two images have two players whose maps have ranks: agreement needs different images.
    """
    if n_bubbles is not None:
        rounds = [replace(record, xy=record.xy[:n_bubbles]) for record in rounds if record.n_bubbles >= n_bubbles]
    by_image: defaultdict[tuple[str, str], list[RoundRecord]] = defaultdict(list)
    for record in rounds:
        by_image[record.image].append(record)
    names = sorted(name for name, own in by_image.items() if len({record.player_id for record in own}) > 1)
    if len(names) < 2:
        return None
    if len(names) > MOST_IMAGES:
        chosen = stream(seed, "clickme-agreement").choice(len(names), MOST_IMAGES, replace=False)
        names = [names[place] for place in sorted(chosen.tolist())]
    twice = {image for image, n in Counter(image for image, _ in names).items() if n > 1}  # replaced during the game
    stacks = {
        f"{image}-{sha256[:8]}" if image in twice else image: stack_of(
            by_image[image, sha256], rules, Form(), block_px=BLOCK_PX
        )
        for image, sha256 in names
    }
    if sum(int((np.ptp(stack, axis=(1, 2)) > 0).sum() > 1) for stack in stacks.values()) < 2:
        return None
    found = reliability(stacks, seed=seed)
    return Agreement(**{name: getattr(found, name) for name in Agreement.__struct_fields__})


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How well the game's maps agree with another experiment's maps of the same images.

    Attributes
    ----------
    images : tuple of str
        Images that have both.
    mean : float
        Mean rank correlation (paper: .59 with Clicktionary, ten images).
    interval : (float, float)
        95 %, images resampled.
    null : float
        The same over different images.
    p : float
        Randomization test of the pairing.
    """

    images: tuple[str, ...]
    mean: float
    interval: tuple[float, float]
    null: float
    p: float


def compare(
    rounds: Sequence[RoundRecord], others: Mapping[str, NDArray[np.floating]], rules: Rules, *, seed: int
) -> Compared:
    """Compare the game's pooled maps with other ones, both blurred like the paper's.

    Parameters
    ----------
    rounds : sequence of RoundRecord
        Rounds that count.
    others : mapping
        Image id → map, shape (image_px, image_px).
    rules : Rules
        Size of image and bubbles.
    seed : int
        Of the randomization test.

    Raises
    ------
    InputError
        When fewer than two images have both, or a map is constant.
    """
    by_image: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in rounds:
        if record.image_id in others:
            by_image[record.image_id].append(record)
    names = sorted(by_image)
    if len(names) < 2:
        raise InputError(f"compare: {len(names)} images have maps of both experiments; at least 2 are needed")
    blur = parse(Form().blur)
    ours = {name: map_of(by_image[name], rules, Form()).astype(np.float32) for name in names}
    theirs = {name: blurred(others[name].astype("f8"), blur).astype(np.float32) for name in names}
    found = agreement(ours, theirs, seed=seed)
    return Compared(**{name: getattr(found, name) for name in Compared.__struct_fields__})
