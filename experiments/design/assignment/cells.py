"""Which image meets which combination of several factors.

One factor within a participant has the shuffled Latin squares of :mod:`.squares`. For several, squares over their
combinations still show each image once in each over a round of slots, but what is left over of the last square must be
even in every factor by itself: the combinations stand in an order in which every run of neighbours is as even as can
be, and what is left over takes a run.
"""

import functools
import itertools
import math
from collections.abc import Sequence

from rapidvision.formats.manifest import Exemplar
from rapidvision.seeds import stream

from .squares import levels_of_round, ranked


@functools.lru_cache(maxsize=64)
def even_order(sizes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return all combinations of values, each next one made of the values that were used longest ago.

    Examples
    --------
    >>> even_order((2, 2))
    ((0, 0), (1, 1), (0, 1), (1, 0))
    """
    if not sizes:
        return ((),)
    left = list(itertools.product(*(range(n) for n in sizes)))
    last = [[-2 * n] * n for n in sizes]
    order: list[tuple[int, ...]] = []
    while left:
        ages = {c: [(len(order) - last[f][v]) / sizes[f] for f, v in enumerate(c)] for c in left}
        best = max(left, key=lambda c: (round(min(ages[c]), 9), round(sum(ages[c]), 9)))
        left.remove(best)
        for f, v in enumerate(best):
            last[f][v] = len(order)
        order.append(best)
    return tuple(order)


@functools.lru_cache(maxsize=64)
def cell_order(sizes: tuple[int, ...], n_blocks: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Return all combinations of trial factors and block conditions; each run of `n_blocks` has every condition once.

    Hence each condition gets exactly its share of the images, whatever is left over of the last square.

    Examples
    --------
    >>> cell_order((2,), 2)
    (((0,), 0), ((1,), 1), ((1,), 0), ((0,), 1))
    """
    whole = even_order((*sizes, n_blocks))
    if _takes_turns([combination[-1] for combination in whole], n_blocks):
        return tuple((combination[:-1], combination[-1]) for combination in whole)
    trials = even_order(sizes)
    n = len(trials)
    shared, again = math.gcd(n, n_blocks), math.lcm(n, n_blocks)
    order = []
    for k in range(n * n_blocks):
        # Each time that both would begin together again, trials change places with their neighbours.
        group, i = divmod(k % n, shared)
        order.append((trials[group * shared + (i + k // again) % shared], k % n_blocks))
    return tuple(order)


def _takes_turns(conditions: Sequence[int], n: int) -> bool:
    """Whether each `n` in a row, over the end too, are all different."""
    twice = [*conditions, *conditions]
    return all(len(set(twice[i : i + n])) == n for i in range(len(conditions)))


def cells_of_round(
    exemplars: Sequence[Exemplar],
    sizes: tuple[int, ...],
    n_blocks: int,
    *,
    round_: int,
    seed: int,
    address: Sequence[int] = (),
) -> dict[str, list[int]]:
    """Return the cell of each image for every slot of a round.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        What is assigned: images, or pairs of them.
    sizes : tuple of int
        Number of values of each factor that varies between trials.
    n_blocks : int
        Number of combinations of the factors that vary between blocks, 1 without any.
    round_ : int
        Number of the round, from 0; it has ``prod(sizes) * n_blocks`` slots.
    seed : int
        The protocol's seed.
    address : sequence of int
        Further parts of the random numbers' address.

    Returns
    -------
    dict
        image_id -> cells, one for each slot of the round: (number of the combination of trial factors) x `n_blocks` +
        number of the block condition.
    """
    n = math.prod(sizes) * n_blocks
    if n == 1:
        return {exemplar.image_id: [0] for exemplar in exemplars}
    if len(sizes) == 1 and n_blocks == 1:
        return levels_of_round(exemplars, n, round_=round_, seed=seed, address=address)
    rng = stream(seed, "cells", round_, *address)
    values = [rng.permutation(size).tolist() for size in sizes]
    conditions = rng.permutation(n_blocks).tolist()
    places = [math.prod(sizes[f + 1 :]) for f in range(len(sizes))]
    cells = [
        sum(values[f][v] * places[f] for f, v in enumerate(combination)) * n_blocks + conditions[b]
        for combination, b in cell_order(sizes, n_blocks)
    ]
    order = ranked(exemplars, n, rng)
    found = {}
    for first in range(0, len(order), n):
        start, columns = int(rng.integers(n)), rng.permutation(n).tolist()
        for i, image in enumerate(order[first : first + n], start):
            found[image] = [cells[(i + column) % n] for column in columns]
    return found
