"""Practice: which images a slot practises with, at which levels and under which conditions, round by round."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rapidvision.formats.manifest import Exemplar
from rapidvision.protocol import Protocol
from rapidvision.seeds import MAX_SEED, key64, stream
from rapidvision.task.response import Scalar

from .conditions import Conditions, values_of
from .images import SetImages
from .units import Unit, n_pairs, pairs


class PracticeTrial(NamedTuple):
    """What is practised, and under which values of the factors that vary within a participant."""

    unit: Unit
    factors: dict[str, Scalar]


def practice_for(
    exemplars: Sequence[Exemplar], n_trials: int, n_levels: int, *, slot: int, seed: int, lowest: int | None = None
) -> list[tuple[Exemplar, int]]:
    """Return a slot's practice trials: half targets, at the upper half of the levels, in random order.

    The paper says only that training was brief; visible images teach the task and the keys.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The practice images.
    n_trials : int
        How many trials; half of them targets, to within one.
    n_levels : int
        Number of levels.
    slot, seed : int
        Slot number and the protocol's seed.
    lowest : int, optional
        Lowest level that is used; ``n_levels // 2`` by default.
    """
    rng = stream(seed, "practice", slot)
    n_targets = n_trials // 2 + n_trials % 2 * int(rng.integers(2))
    chosen: list[Exemplar] = []
    for target, n in ((True, n_targets), (False, n_trials - n_targets)):
        pool = [e for e in exemplars if e.target == target]
        chosen += [pool[i] for i in rng.permutation(len(pool))[:n]]
    levels = _levels(n_trials, n_levels // 2 if lowest is None else lowest, n_levels, rng)
    return [(chosen[i], int(levels[i])) for i in rng.permutation(len(chosen)).tolist()]


def most_practice(protocol: Protocol, images: SetImages) -> int:
    """Return the most trials in a practice round that the practice images of a set allow, none shown twice.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> from rapidvision.formats.protocol_file import preset
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = SetImages(rv.stimuli.build("bundled", out=folder + "/set"))
    >>> most_practice(preset("paper"), images)
    16
    """
    pool, pair = images.practice, protocol.design.pair
    if pair:
        for n in range(len(pool), 0, -1):
            if n_pairs(pool, pair, seed=protocol.seed, n=n) == (n, round(n * pair.share_same)):
                return n
        return 0
    if _by_target(protocol, pool):
        return 2 * min(sum(e.target for e in pool), sum(not e.target for e in pool))
    return len(pool)


def practice_rounds(
    protocol: Protocol, images: SetImages, conditions: Conditions, *, slot: int
) -> list[list[PracticeTrial]]:
    """Return the trials of each practice round of a slot; later rounds fall away once the criterion is reached."""
    if not protocol.practice.n_trials:
        return []
    rounds = range(protocol.practice.max_rounds)
    return [_round(protocol, images, conditions, slot=slot, seed=_seed(protocol.seed, k)) for k in rounds]


def _seed(seed: int, round_: int) -> int:
    return key64(seed, "practice round", round_) & MAX_SEED if round_ else seed


def _round(
    protocol: Protocol, images: SetImages, conditions: Conditions, *, slot: int, seed: int
) -> list[PracticeTrial]:
    level = protocol.factor("level")
    own = values_of(level, images) if level is not None and level.vary == "within" else (None,)
    lowest = len(own) // 2 if protocol.practice.levels == "upper" else 0
    drawn = _drawn(protocol, images, len(own), lowest, slot=slot, seed=seed)
    others = {name: values for name, values in conditions.within.items() if name != "level"}
    combinations = list(itertools.product(*others.values()))
    rng = stream(seed, "practice factors", slot)
    dealt = rng.permutation(np.resize(np.arange(len(combinations)), len(drawn))).tolist()
    easiest = {conditions.over: conditions.candidates[-1]} if conditions.over not in ("", "level") else {}
    return [
        PracticeTrial(
            unit,
            dict(zip(others, combinations[k], strict=True))
            | ({} if own[i] is None else {"level": own[i]})
            | easiest
            | conditions.blocks[0],
        )
        for (unit, i), k in zip(drawn, dealt, strict=True)
    ]


def _drawn(
    protocol: Protocol, images: SetImages, n_levels: int, lowest: int, *, slot: int, seed: int
) -> list[tuple[Unit, int]]:
    """Units of a round, each with the place of its level."""
    n, pool = protocol.practice.n_trials, images.practice
    if protocol.design.pair is None and _by_target(protocol, pool):
        found = practice_for(pool, n, n_levels, slot=slot, seed=seed, lowest=lowest)
        return [(Unit(exemplar, {"image": exemplar.image_id}), level) for exemplar, level in found]
    rng = stream(seed, "practice", slot)
    if protocol.design.pair is not None:
        units = pairs(pool, protocol.design.pair, rng, n=n)
    else:
        units = [Unit(exemplar, {"image": exemplar.image_id}) for exemplar in _even(pool, n, rng)]
    return list(zip(units, _levels(len(units), lowest, n_levels, rng).tolist(), strict=True))


def _even(pool: Sequence[Exemplar], n: int, rng: np.random.Generator) -> list[Exemplar]:
    """`n` images, as many of each category as of another as far as they go, in random order."""
    kinds: dict[str, list[Exemplar]] = {}
    for i in rng.permutation(len(pool)):
        kinds.setdefault(pool[i].category, []).append(pool[i])
    turns = itertools.chain.from_iterable(itertools.zip_longest(*kinds.values()))
    chosen = [exemplar for exemplar in turns if exemplar is not None][:n]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def _levels(n: int, lowest: int, n_levels: int, rng: np.random.Generator) -> np.ndarray:
    """Levels from `lowest` on, equally often, the most visible first where they do not divide; shuffled."""
    return rng.permutation(np.resize(np.arange(lowest, n_levels)[::-1], n))


def _by_target(protocol: Protocol, pool: Sequence[Exemplar]) -> bool:
    """Whether practice is half targets; a task about categories practises all of them."""
    by_category = protocol.response is None or protocol.response.correct == "category"
    return not by_category and {exemplar.target for exemplar in pool} == {True, False}
