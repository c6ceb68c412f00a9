"""Whether players look at the images: their maps fit the others' maps of the same images better than of others.

A partner that recognises ends rounds, earlier on some images than on others. So long maps meet long maps and short
ones short ones where the images are the same, and nowhere else; their correlation differs for that reason alone. The
maps of the player who is tested are therefore cut to one length, that of the shortest round that a partner ended in the
game: up to there no round can have ended for a reason that lies in the image. Where the images mean nothing to the
player, every pairing of such maps with the others' maps is then as likely as the real one, and the test is exact.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.ranks import unit_ranks
from rapidvision.seeds import stream

from ..game.rules import Rules
from ..storage.collected import RoundRecord
from .bubbles import counts

#: Side in pixels of the coarse maps that players are compared on: fine enough to tell places, quick to rank.
COARSE_PX = 32
#: Fewer maps than this do not tell chance from carelessness.
FEWEST_MAPS = 10

_Image = tuple[str, str]


class Pairing(NamedTuple):
    """A player's test.

    Attributes
    ----------
    agreement : float
        Mean rank correlation of the player's maps with the others' maps of the same images; nan without any.
    null : float
        The same with the others' maps of other images.
    p : float
        Of the real pairing among shuffled ones; nan for fewer than ten maps.
    """

    agreement: float
    null: float
    p: float


#: Of a player without rounds to compare.
NOT_TESTED = Pairing(float("nan"), float("nan"), float("nan"))


def common_length(records: Sequence[RoundRecord]) -> int | None:
    """Return the number of bubbles of the shortest round that the partner ended; None where it ended none."""
    return min((record.n_bubbles for record in records if record.result == "solved"), default=None)


def pairings(records: Sequence[RoundRecord], rules: Rules, *, n_null: int, seed: int) -> dict[str, Pairing]:
    """Test every player; memory does not grow with the number of images.

    Parameters
    ----------
    records : sequence of RoundRecord
        Rounds that count.
    rules : Rules
        Size of image and patches.
    n_null : int
        Shuffles.
    seed : int
        Fixes them.

    Returns
    -------
    dict
        Player id → Pairing, sorted by player.
    """
    by_player: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in records:
        by_player[record.player_id].append(record)
    place = {image: number for number, image in enumerate(dict.fromkeys(record.image for record in records))}
    n_of = Counter(record.image for record in records)
    found = {}
    with TemporaryFile() as file:
        sums = np.memmap(file, np.float32, "w+", shape=(max(1, len(place)), COARSE_PX**2))
        for record in sorted(records, key=lambda one: one.round_id):  # sums must not depend on the order
            sums[place[record.image]] += _ranks(record, rules)
        for player_id in sorted(by_player):
            own_n = Counter(record.image for record in by_player[player_id])
            shared = [record for record in by_player[player_id] if n_of[record.image] > own_n[record.image]]
            shared.sort(key=lambda one: one.round_id)
            pairs = _pairs(shared, rules, sums, place)
            found[player_id] = _test(pairs, n_null, stream(seed, "pairing", player_id))
        del sums
    return found


def _pairs(
    shared: Sequence[RoundRecord], rules: Rules, sums: NDArray[np.float32], place: Mapping[_Image, int]
) -> NDArray[np.float64]:
    """Return scores of each own round (rows) on the others' map of each image (columns); columns sum to 0.

    A score is the sum, over the round's bubbles, of the others' map there, in standard deviations above its mean, both
    taken over all bubbles of the player; divided by the number of those bubbles.
    """
    if not shared:
        return np.zeros((0, 0))
    whole: defaultdict[_Image, NDArray[np.float64]] = defaultdict(lambda: np.zeros(COARSE_PX**2))
    for record in shared:
        whole[record.image] += _ranks(record, rules)
    others = np.stack([sums[place[record.image]] - whole[record.image] for record in shared])
    n_of = np.stack([_cells(record, rules) for record in shared])  # bubbles of each round in each cell
    density = n_of.sum(axis=0) / n_of.sum()
    others = others - (others @ density)[:, None]
    spread = np.sqrt(others**2 @ density)[:, None]
    scores: NDArray[np.float64] = n_of @ (others / np.where(spread > 0, spread, 1)).T
    return np.asarray(scores / n_of.sum())


def _cells(record: RoundRecord, rules: Rules) -> NDArray[np.float64]:
    """Return how many bubbles of a round have their centre in each cell of the coarse map, in raster order."""
    column, row = (record.xy.astype(np.int64) * COARSE_PX // rules.image_px).T
    n_of = np.bincount(row * COARSE_PX + column, minlength=COARSE_PX**2).astype(np.float64)
    return n_of


def _test(pairs: NDArray[np.float64], n_null: int, rng: np.random.Generator) -> Pairing:
    n = len(pairs)
    if n == 0:
        return NOT_TESTED
    agreement = float(pairs.trace())
    null = float((pairs.sum() - pairs.trace()) / (n - 1)) if n > 1 else float("nan")
    if n < FEWEST_MAPS:
        return Pairing(agreement, null, float("nan"))
    shuffled = np.array([pairs[np.arange(n), rng.permutation(n)].sum() for _ in range(n_null)])
    return Pairing(agreement, null, float((1 + np.count_nonzero(shuffled >= agreement - 1e-9)) / (n_null + 1)))


def _ranks(record: RoundRecord, rules: Rules, length: int | None = None) -> NDArray[np.float64]:
    """Return the ranks of a coarse map, centred and of length 1, so that a product of two is their correlation; 0 where flat."""
    full = counts(record.xy[:length].tolist(), side_px=rules.image_px, bubble_px=rules.patch_px)
    edges = np.linspace(0, rules.image_px, COARSE_PX + 1).astype(int)[:-1]
    coarse = np.add.reduceat(np.add.reduceat(full, edges, 0), edges, 1)
    return np.asarray(np.nan_to_num(unit_ranks(coarse.reshape(1, -1))[0]))
