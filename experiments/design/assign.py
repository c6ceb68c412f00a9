"""Which participant meets which picture at which level, in which block and with which keys.

"Participants saw each unique exemplar only once in a randomly selected masking configuration." Drawn independently, 60
participants would see a picture at a level 0 to 13 times. Shuffled Latin squares keep the draw random and make every
count equal: over a round of as many slots as there are levels, each picture meets each level exactly once.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rapidvision.formats.manifest import Exemplar
from rapidvision.seeds import stream


def latin_square(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return an n × n square with every symbol once in each row and column: the cyclic one, shuffled three ways.

    Parameters
    ----------
    n : int
        Number of symbols, ≥ 1.
    rng : numpy.random.Generator
        Draws the order of rows, columns and symbols.

    Returns
    -------
    int64 array, shape (n, n)
        Values 0 … n - 1.

    Examples
    --------
    >>> square = latin_square(4, np.random.default_rng(0))
    >>> sorted(square[0]) == sorted(square[:, 0]) == [0, 1, 2, 3]
    True
    """
    rows, columns, symbols = (rng.permutation(n) for _ in range(3))
    return np.asarray(symbols[(rows[:, None] + columns[None, :]) % n], dtype=np.int64)


def levels_for(exemplars: Sequence[Exemplar], n_levels: int, *, slot: int, seed: int) -> dict[str, int]:
    """Return the reveal level at which a slot sees each picture.

    The pictures are laid end to end, categories kept together, and cut into the rows of Latin squares that are drawn
    afresh for every round of `n_levels` slots; slot ``s`` reads column ``s % n_levels``. What is left over of targets
    and of distractors shares the last squares, so no level is favoured within a participant by more than one trial.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The pictures.
    n_levels : int
        Number of reveal levels.
    slot : int
        Number of the participant slot, from 0.
    seed : int
        The protocol's seed.

    Returns
    -------
    dict
        image_id → level index.
    """
    round_, column = divmod(slot, n_levels)
    rng = stream(seed, "levels", round_)
    whole: list[str] = []
    rest: list[str] = []
    for target in (True, False):
        row: list[str] = []
        categories = list(dict.fromkeys(e.category for e in exemplars if e.target == target))
        for c in rng.permutation(len(categories)):
            ids = [e.image_id for e in exemplars if e.category == categories[c] and e.target == target]
            row += [ids[i] for i in rng.permutation(len(ids))]
        cut = len(row) // n_levels * n_levels
        whole += row[:cut]
        rest += row[cut:]
    ranked = whole + rest
    squares = [latin_square(n_levels, rng) for _ in range(-(-len(ranked) // n_levels))]
    return {image: int(squares[i // n_levels][i % n_levels, column]) for i, image in enumerate(ranked)}


def keys_for(keys: tuple[str, str], n_levels: int, *, slot: int) -> tuple[str, str]:
    """Return a slot's target key and distractor key; they alternate from slot to slot and from round to round.

    Examples
    --------
    >>> [keys_for(("s", "l"), 12, slot=slot)[0] for slot in (0, 1, 12, 13)]
    ['s', 'l', 'l', 's']
    """
    round_, column = divmod(slot, n_levels)
    return keys if (round_ + column) % 2 == 0 else (keys[1], keys[0])


def blocks_for(
    exemplars: Sequence[Exemplar], levels: dict[str, int], n_blocks: int, *, balanced: bool, slot: int, seed: int
) -> list[list[Exemplar]]:
    """Deal the pictures to blocks of equal size and put each block in order.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The pictures; their number is a multiple of `n_blocks`.
    levels : dict
        image_id → level index; a level's pictures are spread over the blocks.
    n_blocks : int
        Number of blocks.
    balanced : bool
        Every block gets equal numbers of each category (to within one where they do not divide), hence of targets
        and distractors. False shuffles everything, as the paper did.
    slot, seed : int
        Slot number and the protocol's seed.

    Returns
    -------
    list of list of Exemplar
        One list per block, in the order of presentation.
    """
    rng = stream(seed, "order", slot)
    if not balanced:
        order = [exemplars[i] for i in rng.permutation(len(exemplars))]
        size = len(order) // n_blocks
        return [order[b * size : (b + 1) * size] for b in range(n_blocks)]
    blocks: list[list[Exemplar]] = [[] for _ in range(n_blocks)]
    load: Counter[tuple[int, int]] = Counter()
    dealt = 0
    for target, category in sorted({(e.target, e.category) for e in exemplars}):
        members = [e for e in exemplars if (e.target, e.category) == (target, category)]
        # Dealing on from where the last category stopped keeps the blocks equal when categories do not divide.
        room = Counter((dealt + i) % n_blocks for i in range(len(members)))
        dealt += len(members)
        for i in rng.permutation(len(members)):
            level = levels[members[i].image_id]
            open_ = [b for b in range(n_blocks) if room[b]]
            least = min(load[b, level] for b in open_)
            free = [b for b in open_ if load[b, level] == least]
            block = free[int(rng.integers(len(free)))]
            room[block] -= 1
            load[block, level] += 1
            blocks[block].append(members[i])
    order_of_blocks = rng.permutation(n_blocks)
    return [[blocks[b][i] for i in rng.permutation(len(blocks[b]))] for b in order_of_blocks]


def practice_for(
    exemplars: Sequence[Exemplar], n_trials: int, n_levels: int, *, slot: int, seed: int
) -> list[tuple[Exemplar, int]]:
    """Return a slot's practice trials: half targets, at the upper half of the levels, in random order.

    The paper says only that training was brief; visible pictures teach the task and the keys.
    """
    rng = stream(seed, "practice", slot)
    n_targets = n_trials // 2 + n_trials % 2 * int(rng.integers(2))
    chosen: list[Exemplar] = []
    for target, n in ((True, n_targets), (False, n_trials - n_targets)):
        pool = [e for e in exemplars if e.target == target]
        chosen += [pool[i] for i in rng.permutation(len(pool))[:n]]
    upper = np.arange(n_levels // 2, n_levels)
    levels = rng.permutation(np.resize(upper[::-1], n_trials))
    return [(chosen[i], int(levels[i])) for i in rng.permutation(len(chosen))]


def fixations_for(n: int, fixation_ms: tuple[int, int], step_ms: int, *, slot: int, seed: int) -> list[int]:
    """Draw `n` fixation times in ms, uniform over ``low, low + step, … ≤ high``."""
    low, high = fixation_ms
    draws = stream(seed, "fixation", slot).integers(0, (high - low) // step_ms + 1, size=n)
    return [low + step_ms * int(draw) for draw in draws]
