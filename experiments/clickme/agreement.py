"""Agreement between players, measured by ``rapidvision analyse maps``: rooms meet in files and on the command line."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision import cli, files
from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import stream

from .collected import RoundRecord
from .painting import blurred, spearman
from .pooling import Form, map_of, write_player_maps
from .rules import Rules

#: "Repeating this procedure for 10,000 different images": more pictures are sampled down to this.
MOST_PICTURES = 10_000
#: Maps blurred by 49 pixels lose nothing to means of blocks this size, and are ranked sixteen times faster.
BLOCK_PX = 4


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What `analyse maps` says of the players' maps.

    Attributes
    ----------
    mean : float
        Rank correlation between two players of a picture (paper: .58).
    interval : (float, float)
        95 %, pictures resampled.
    null : float
        The same over different pictures (paper: .18).
    p : float
        Randomization test of the pairing.
    share_below_null : float
        Share of pictures whose players agree less than the null.
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


def measure(rounds: Sequence[RoundRecord], rules: Rules, out: Path, *, seed: int) -> Agreement | None:
    """Write the players' maps to `out` and have them analysed.

    Parameters
    ----------
    rounds : sequence of RoundRecord
        Rounds that count.
    rules : Rules
        Size of picture and bubbles.
    out : Path
        A folder; gets ``players.npz`` and ``reliability.json``.
    seed : int
        Of the tests, and of the choice where there are too many pictures.

    Returns
    -------
    Agreement or None
        None where fewer than two pictures have two players, or the analysis refused (it says why).
    """
    by_image: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in rounds:
        by_image[record.image_id].append(record)
    names = sorted(name for name, own in by_image.items() if len({record.player_id for record in own}) > 1)
    if len(names) < 2:
        return None
    if len(names) > MOST_PICTURES:
        chosen = stream(seed, "clickme-agreement").choice(len(names), MOST_PICTURES, replace=False)
        names = [names[place] for place in sorted(chosen.tolist())]
    maps, found = out / "players.npz", out / "reliability.json"
    write_player_maps(maps, {name: by_image[name] for name in names}, rules, Form(), block_px=BLOCK_PX)
    words = ["analyse", "maps", str(maps), "--out", str(found), "--seed", str(seed), "--quiet"]
    if cli.main(words) != 0:
        return None
    return msgspec.json.decode(files.read_bytes(found), type=Agreement)


@dataclass(frozen=True, slots=True)
class Compared:
    """The game's maps against another experiment's maps of the same pictures.

    Attributes
    ----------
    n_images : int
        Pictures that have both.
    mean : float
        Mean rank correlation (paper: .59 with Clicktionary, ten pictures).
    null : float
        The same over different pictures.
    p : float
        One-sided randomization test: the other experiment's maps shuffled over the pictures, (b + 1)/(m + 1).
    """

    n_images: int
    mean: float
    null: float
    p: float


def compare(
    rounds: Sequence[RoundRecord], others: Mapping[str, NDArray[np.floating]], rules: Rules, *, seed: int
) -> Compared:
    """Compare the pooled maps of a game with other maps of the same pictures, both blurred like the paper's.

    Parameters
    ----------
    rounds : sequence of RoundRecord
        Rounds that count.
    others : mapping
        Image id → map, shape (picture_px, picture_px).
    rules : Rules
        Size of picture and bubbles.
    seed : int
        Of the randomization test.

    Raises
    ------
    InputError
        When fewer than two pictures have both.
    """
    by_image: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in rounds:
        if record.image_id in others:
            by_image[record.image_id].append(record)
    names = sorted(by_image)
    if len(names) < 2:
        raise InputError(f"compare: {len(names)} pictures have maps of both experiments; at least 2 are needed")
    ours = [map_of(by_image[name], rules, Form()) for name in names]
    theirs = [blurred(np.asarray(others[name], dtype=np.float64), Form().blur) for name in names]
    pairs = np.array([[spearman(one, other) for other in theirs] for one in ours])
    n = len(names)
    mean, null = float(pairs.diagonal().mean()), float((pairs.sum() - pairs.trace()) / (n * (n - 1)))
    rng = stream(seed, "clickme-compare")
    at_least = sum(pairs[np.arange(n), rng.permutation(n)].mean() >= mean - 1e-12 for _ in range(N_RELABELLINGS))
    return Compared(n, mean, null, float((at_least + 1) / (N_RELABELLINGS + 1)))
