"""Who paints what the image asks for: a flag for what was seen of a player; nothing is deleted."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..game.rules import Rules
from ..storage.collected import Collected, RoundRecord
from ..storage.played_images import Images
from .pairing import NOT_TESTED, Pairing, pairings

#: Fewer catch rounds than this flag no player; of more, half must be passed.
FEWEST_CATCHES, LEAST_CAUGHT = 3, 0.5
#: A stroke of so many steps that a player draws twice is no accident.
REPEAT_STEPS = 15


@dataclass(frozen=True, slots=True)
class PlayerQuality:
    """What is known about one player.

    Attributes
    ----------
    player_id : str
        Who.
    n_maps : int
        Rounds that count.
    agreement : float
        Mean rank correlation of the player's maps with the other players' maps of the same images; nan without any.
    null : float
        The same with the other players' maps of other images: what one gets for painting where people always paint.
    p : float
        Chance of so much agreement over the null for somebody who does not look at the images; nan for fewer than
        ten maps that others painted too.
    n_catch : int
        Rounds on catch images.
    catch_score : float
        Share of them in which at least half of the bubbles lie on the object. In a game without catch images, the
        same of all rounds on images with an object mask; nan without any.
    automated_share : float
        Share of rounds in which the page reported a remote-controlled browser or untrusted events.
    n_repeated : int
        Rounds whose first steps repeat those of an earlier round of the player.
    flags : tuple of str
        ``off_target``, ``failed_catch``, ``scripted``, ``automated``, ``too_few`` (to judge agreement).
    """

    player_id: str
    n_maps: int
    agreement: float
    null: float
    p: float
    n_catch: int
    catch_score: float
    automated_share: float
    n_repeated: int
    flags: tuple[str, ...]


def player_quality(
    collected: Collected,
    rules: Rules,
    *,
    objects: Mapping[str, NDArray[np.bool_]] | None = None,
    images: Images | None = None,
    automated: bool = False,
    alpha: float = 0.01,
    n_null: int = 999,
    seed: int = 2019,
) -> dict[str, PlayerQuality]:
    """Judge every player by what they painted.

    A player with enough maps is flagged ``off_target`` when the pairing test (:mod:`.pairing`) fails at `alpha` and the
    excess of agreement over the null is less than half of what is usual (the median) among those who pass: to fail for
    want of maps is no offence.

    Parameters
    ----------
    collected : Collected
        The rounds of one kind of player, see :func:`.selection.select`.
    rules : Rules
        Size of image and bubbles.
    objects : mapping, optional
        Image id → mask of the object, shape (image_px, image_px).
    images : Images, optional
        The images as they are now; rounds on others are not compared with the masks.
    automated : bool
        Whether automated rounds are compared, too; else they are counted only.
    alpha : float
        A player passes when the pairing's p is at most this.
    n_null : int
        Shuffles.
    seed : int
        Fixes them.

    Returns
    -------
    dict
        Player id → PlayerQuality.
    """
    compared = [record for record in collected.played if automated or not record.automated]
    tests = pairings(compared, rules, n_null=n_null, seed=seed)
    usual = [one.agreement - one.null for one in tests.values() if one.p <= alpha]
    enough = 0.5 * float(np.median(usual)) if usual else float("inf")
    by_player: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in collected.played:
        by_player[record.player_id].append(record)
    caught: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in collected.caught:
        caught[record.player_id].append(record)
    masks = _Masks(objects or {}, images)
    return {
        player_id: _quality(
            by_player[player_id], caught[player_id], tests.get(player_id, NOT_TESTED), masks, alpha, enough
        )
        for player_id in sorted(by_player)
    }


def _quality(
    records: Sequence[RoundRecord],
    caught: Sequence[RoundRecord],
    test: Pairing,
    masks: "_Masks",
    alpha: float,
    enough: float,
) -> PlayerQuality:
    n_repeated = _n_repeated(records)
    automated = float(np.mean([record.automated for record in records]))
    score = masks.score(caught or records)
    flags = []
    if np.isnan(test.p):
        flags.append("too_few")
    elif test.p > alpha and test.agreement - test.null < enough:
        flags.append("off_target")
    if len(caught) >= FEWEST_CATCHES and score < LEAST_CAUGHT:
        flags.append("failed_catch")
    if n_repeated >= max(2, len(records) // 4):
        flags.append("scripted")
    if automated > 0.5:
        flags.append("automated")
    player_id = records[0].player_id
    return PlayerQuality(player_id, len(records), *test, len(caught), score, automated, n_repeated, tuple(flags))


class _Masks:
    """The objects' masks, for rounds on the images that they belong to."""

    def __init__(self, objects: Mapping[str, NDArray[np.bool_]], images: Images | None) -> None:
        self.objects, self.images = objects, images

    def score(self, records: Sequence[RoundRecord]) -> float:
        """Return the share of rounds with at least half of the bubbles on the object; nan without any mask."""
        hits = [self._on_object(record) >= 0.5 for record in records if self._fits(record)]
        return float(np.mean(hits)) if hits else float("nan")

    def _fits(self, record: RoundRecord) -> bool:
        return record.image_id in self.objects and (self.images is None or not self.images.reason(record))

    def _on_object(self, record: RoundRecord) -> float:
        return float(self.objects[record.image_id][record.xy[:, 1], record.xy[:, 0]].mean())


def _n_repeated(records: Sequence[RoundRecord]) -> int:
    """How many rounds begin with the very steps of another one."""
    seen: Counter[bytes] = Counter()
    for record in records:
        steps = np.diff(record.xy, axis=0)[:REPEAT_STEPS]
        if len(steps) == REPEAT_STEPS and len(np.unique(steps, axis=0)) > 3:  # straight lines come by themselves
            seen[steps.astype("<i4").tobytes()] += 1
    return sum(n - 1 for n in seen.values() if n > 1)
