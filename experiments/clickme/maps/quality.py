"""Who paints what the picture asks for: a flag for what was seen of a player; nothing is deleted."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.ranks import unit_ranks
from rapidvision.seeds import stream

from ..game.rules import Rules
from ..storage.collected import Collected, RoundRecord
from .bubbles import counts

#: Side in pixels of the coarse maps that players are compared on: fine enough to tell places, quick to rank.
COARSE_PX = 32
#: Fewer maps than this do not tell chance from carelessness.
FEWEST_MAPS = 10
#: Fewer catch rounds than this do not convict anybody; of more, half must be passed.
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
        Mean rank correlation of the player's maps with the other players' maps of the same pictures; nan without any.
    null : float
        The same with the other players' maps of other pictures: what one gets for painting where people always paint.
    p : float
        Chance of so much agreement over the null for somebody who does not look at the pictures; nan for fewer than
        ten maps that others painted too.
    n_catch : int
        Rounds on catch pictures.
    catch_score : float
        Share of them in which at least half of the bubbles lie on the object. In a game without catch pictures, the
        same of all rounds on pictures with an object mask; nan without any.
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


def judge(
    collected: Collected,
    rules: Rules,
    *,
    objects: Mapping[str, NDArray[np.bool_]] | None = None,
    alpha: float = 0.01,
    n_null: int = 999,
    seed: int = 2019,
) -> dict[str, PlayerQuality]:
    """Judge every player by what they painted.

    Agreement is tested by pairing the player's maps with the other players' maps of shuffled pictures: whoever looks
    at the pictures agrees more with the right pairing than with the shuffled ones. A player with enough maps is flagged
    ``off_target`` when that fails at `alpha` and the excess of agreement over the null is less than half of what is
    usual (the median) among those who pass: to fail for want of maps is no offence.

    Parameters
    ----------
    collected : Collected
        Everything played.
    rules : Rules
        Size of picture and bubbles.
    objects : mapping, optional
        Image id → mask of the object, shape (picture_px, picture_px).
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
    by_player: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in collected.played:
        by_player[record.player_id].append(record)
    ranks = {record.round_id: _unit_ranks(record, rules) for record in collected.played}
    sums: defaultdict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(COARSE_PX**2))
    n_of: Counter[str] = Counter()
    for record in collected.played:
        sums[record.image_id] += ranks[record.round_id]
        n_of[record.image_id] += 1
    tests = {}
    for player_id in sorted(by_player):
        own_n = Counter(record.image_id for record in by_player[player_id])
        shared = [record for record in by_player[player_id] if n_of[record.image_id] > own_n[record.image_id]]
        tests[player_id] = _pairing_test(_pairs(shared, ranks, sums), n_null, stream(seed, "pairing", player_id))
    usual = [agreement - null for agreement, null, p in tests.values() if p <= alpha]
    enough = 0.5 * float(np.median(usual)) if usual else float("inf")
    caught: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in collected.caught:
        caught[record.player_id].append(record)
    return {
        player_id: _quality(by_player[player_id], caught[player_id], test, objects or {}, alpha, enough)
        for player_id, test in tests.items()
    }


def _pairs(
    shared: Sequence[RoundRecord], ranks: Mapping[str, NDArray[np.float64]], sums: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return correlations of each own map (rows) with the others' map of each picture (columns)."""
    if not shared:
        return np.zeros((0, 0))
    own = np.stack([ranks[record.round_id] for record in shared])
    others = np.stack([sums[record.image_id] - ranks[record.round_id] for record in shared])
    norms = np.linalg.norm(others, axis=1, keepdims=True)
    return np.asarray(own @ (others / np.where(norms > 0, norms, 1)).T)


def _pairing_test(pairs: NDArray[np.float64], n_null: int, rng: np.random.Generator) -> tuple[float, float, float]:
    n = len(pairs)
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    agreement = float(pairs.diagonal().mean())
    null = float((pairs.sum() - pairs.trace()) / (n * (n - 1))) if n > 1 else float("nan")
    if n < FEWEST_MAPS:
        return agreement, null, float("nan")
    shuffled = np.array([pairs[np.arange(n), rng.permutation(n)].mean() for _ in range(n_null)])
    return agreement, null, float((1 + np.count_nonzero(shuffled >= agreement - 1e-12)) / (n_null + 1))


def _unit_ranks(record: RoundRecord, rules: Rules) -> NDArray[np.float64]:
    """Return the ranks of a coarse map, centred and of length 1, so that a product of two is their correlation; 0 where flat."""
    full = counts(record.xy.tolist(), side_px=rules.picture_px, bubble_px=rules.patch_px)
    edges = np.linspace(0, rules.picture_px, COARSE_PX + 1).astype(int)[:-1]
    coarse = np.add.reduceat(np.add.reduceat(full, edges, 0), edges, 1)
    return np.asarray(np.nan_to_num(unit_ranks(coarse.reshape(1, -1))[0]))


def _quality(
    records: Sequence[RoundRecord],
    caught: Sequence[RoundRecord],
    test: tuple[float, float, float],
    objects: Mapping[str, NDArray[np.bool_]],
    alpha: float,
    enough: float,
) -> PlayerQuality:
    n_repeated = _n_repeated(records)
    automated = float(np.mean([record.automated for record in records]))
    score = _catch_score(caught or records, objects)
    flags = []
    if np.isnan(test[2]):
        flags.append("too_few")
    elif test[2] > alpha and test[0] - test[1] < enough:
        flags.append("off_target")
    if len(caught) >= FEWEST_CATCHES and score < LEAST_CAUGHT:
        flags.append("failed_catch")
    if n_repeated >= max(2, len(records) // 4):
        flags.append("scripted")
    if automated > 0.5:
        flags.append("automated")
    player_id = records[0].player_id
    return PlayerQuality(player_id, len(records), *test, len(caught), score, automated, n_repeated, tuple(flags))


def _catch_score(records: Sequence[RoundRecord], objects: Mapping[str, NDArray[np.bool_]]) -> float:
    hits = [_on_object(record, objects[record.image_id]) >= 0.5 for record in records if record.image_id in objects]
    return float(np.mean(hits)) if hits else float("nan")


def _on_object(record: RoundRecord, mask: NDArray[np.bool_]) -> float:
    return float(mask[record.xy[:, 1], record.xy[:, 0]].mean())


def _n_repeated(records: Sequence[RoundRecord]) -> int:
    """How many rounds begin with the very steps of another one."""
    seen: Counter[bytes] = Counter()
    for record in records:
        steps = np.diff(record.xy, axis=0)[:REPEAT_STEPS]
        if len(steps) == REPEAT_STEPS and len(np.unique(steps, axis=0)) > 3:  # straight lines come by themselves
            seen[steps.astype("<i4").tobytes()] += 1
    return sum(n - 1 for n in seen.values() if n > 1)
