"""Which block and which place in it each image of a slot has."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rapidvision.formats.manifest import Exemplar
from rapidvision.seeds import stream


def blocks_for(
    exemplars: Sequence[Exemplar],
    levels: Mapping[str, int],
    n_blocks: int,
    *,
    balanced: bool,
    slot: int,
    seed: int,
    address: Sequence[int] = (),
) -> list[list[Exemplar]]:
    """Deal the images to blocks of equal size and put each block in order.

    Parameters
    ----------
    exemplars : sequence of Exemplar
        The images; their number is a multiple of `n_blocks`.
    levels : dict
        image_id → level index, or number of the cell; a level's images are spread over the blocks.
    n_blocks : int
        Number of blocks.
    balanced : bool
        Every block gets equal numbers of each category (to within one where they do not divide), hence of targets
        and distractors. False shuffles everything, as the paper did.
    slot, seed : int
        Slot number and the protocol's seed.
    address : sequence of int
        Further parts of the random numbers' address, where a session is dealt in several parts.

    Returns
    -------
    list of list of Exemplar
        One list per block, in the order of presentation.
    """
    rng = stream(seed, "order", slot, *address)
    if not balanced:
        order = [exemplars[i] for i in rng.permutation(len(exemplars)).tolist()]
        size = len(order) // n_blocks
        return [order[b * size : (b + 1) * size] for b in range(n_blocks)]
    kinds: dict[tuple[bool, str], list[Exemplar]] = {}
    for exemplar in exemplars:
        kinds.setdefault((exemplar.target, exemplar.category), []).append(exemplar)
    blocks: list[list[Exemplar]] = [[] for _ in range(n_blocks)]
    load: dict[int, list[int]] = {}
    dealt = 0
    for kind in sorted(kinds):
        members = kinds[kind]
        # Dealing from where the last category stopped keeps the blocks equal when categories do not divide.
        left = Counter((dealt + i) % n_blocks for i in range(len(members)))
        dealt += len(members)
        for i in rng.permutation(len(members)).tolist():
            level = levels[members[i].image_id]
            held = load.get(level)
            if held is None:
                held = load[level] = [0] * n_blocks
            open_ = [b for b in range(n_blocks) if left[b]]
            least = min(held[b] for b in open_)
            free = [b for b in open_ if held[b] == least]
            block = free[int(rng.integers(len(free)))]
            left[block] -= 1
            held[block] += 1
            blocks[block].append(members[i])
    order_of_blocks = rng.permutation(n_blocks).tolist()
    return [[blocks[b][i] for i in rng.permutation(len(blocks[b])).tolist()] for b in order_of_blocks]
