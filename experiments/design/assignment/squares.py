"""Shuffled Latin squares: which slot meets which image at which value of one factor.

"Participants saw each unique exemplar only once in a randomly selected masking configuration." Drawn independently, 60
participants would see an image at a level 0 to 13 times. Shuffled Latin squares keep the draw random and make every
count equal: over a round of as many slots as there are levels, each image meets each level exactly once.
"""

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


def williams_square(n: int) -> list[list[int]]:
    """Return a Williams square: every symbol once at each place, and behind every other one equally often.

    Parameters
    ----------
    n : int
        Number of symbols, >= 1.

    Returns
    -------
    list of list of int
        `n` rows where it is even, 2 x `n` where it is odd (no single square exists for 3, 5 and 7): the second half is
        the first one backwards.

    Examples
    --------
    >>> williams_square(4)
    [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    >>> williams_square(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2]]
    """
    first = [0] + [k // 2 + 1 if k % 2 == 0 else n - 1 - k // 2 for k in range(n - 1)]
    rows = [[(symbol + row) % n for symbol in first] for row in range(n)]
    return rows if n % 2 == 0 else [*rows, *(row[::-1] for row in rows)]


def condition_order(n: int, n_blocks: int, *, turn: int, balance: str) -> list[int]:
    """Return the condition of each block of a session.

    Parameters
    ----------
    n : int
        Number of conditions; `n_blocks` is a multiple of it.
    n_blocks : int
        Blocks of the session.
    turn : int
        Number of the session among those that take orders in turn.
    balance : {"rotate", "williams"}
        The rule; each further `n` blocks of a session take the next order.

    Examples
    --------
    >>> condition_order(2, 4, turn=1, balance="rotate"), condition_order(4, 4, turn=1, balance="williams")
    ([1, 0, 1, 0], [1, 2, 0, 3])
    """
    if balance == "rotate":
        return [(block + turn) % n for block in range(n_blocks)]
    rows = williams_square(n)
    return [rows[(turn + block // n) % len(rows)][block % n] for block in range(n_blocks)]


def ranked(exemplars: Sequence[Exemplar], n: int, rng: np.random.Generator) -> list[str]:
    """Lay images end to end to be cut into squares of `n` rows: targets, distractors, then what is left over of both.

    Categories are kept together, in random order, and shuffled inside.
    """
    kinds: dict[tuple[bool, str], list[str]] = {}
    for exemplar in exemplars:
        kinds.setdefault((exemplar.target, exemplar.category), []).append(exemplar.image_id)
    whole: list[str] = []
    rest: list[str] = []
    for target in (True, False):
        row: list[str] = []
        categories = [kind for kind in kinds if kind[0] == target]
        for c in rng.permutation(len(categories)):
            ids = kinds[categories[c]]
            row += [ids[i] for i in rng.permutation(len(ids))]
        cut = len(row) // n * n
        whole += row[:cut]
        rest += row[cut:]
    return whole + rest


def levels_of_round(
    exemplars: Sequence[Exemplar], n_levels: int, *, round_: int, seed: int, address: Sequence[int] = ()
) -> dict[str, list[int]]:
    """Return the level of each image for every slot of a round.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The images.
    n_levels : int
        Number of levels, and of slots in a round.
    round_ : int
        Number of the round, from 0.
    seed : int
        The protocol's seed.
    address : sequence of int
        Further parts of the random numbers' address.

    Returns
    -------
    dict
        image_id -> level index, one for each slot of the round.
    """
    rng = stream(seed, "levels", round_, *address)
    order = ranked(exemplars, n_levels, rng)
    squares = [latin_square(n_levels, rng) for _ in range(-(-len(order) // n_levels))]
    rows = np.concatenate(squares)[: len(order)].tolist() if squares else []
    return dict(zip(order, rows, strict=True))


def levels_for(exemplars: Sequence[Exemplar], n_levels: int, *, slot: int, seed: int) -> dict[str, int]:
    """Return the reveal level at which a slot sees each image.

    The images are laid end to end, categories kept together, and cut into the rows of Latin squares that are drawn
    afresh for every round of `n_levels` slots; slot ``s`` reads column ``s % n_levels``. What is left over of targets
    and of distractors shares the last squares, so no level is favoured within a participant by more than one trial.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The images.
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
    rows = levels_of_round(exemplars, n_levels, round_=round_, seed=seed)
    return {image: row[column] for image, row in rows.items()}
