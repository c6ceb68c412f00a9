"""Who gives whom a canvas: a blind exchange in which the donor's kind says nothing about the recipient's.

Given to the other kind only, canvases tell the category just as well as one's own, reversed. So donors are drawn
without a look at the images, and as many of a kind's recipients have donors of either kind as its share of the set.
"""

from collections.abc import Mapping, Sequence

from rapidvision.errors import InputError
from rapidvision.seeds import key64

#: Draws before the exchange is given up; one in two or three succeeds.
_MOST_DRAWS = 1000


def blind_donors(kinds: Mapping[str, bool], *, seed: int) -> dict[str, str]:
    """Return the donor of each image: a permutation in which no image is its own donor.

    Of n targets and m distractors, n m / (n + m) (rounded) of each kind have a donor of the other kind; with as many
    of both kinds that is half.

    Parameters
    ----------
    kinds : mapping
        Image id → whether it is a target.
    seed : int
        Of the draw; the order of `kinds` does not matter.

    Returns
    -------
    dict
        Image id → id of the image whose canvas it gets.

    Raises
    ------
    InputError
        When there are fewer than two images of a kind.

    Examples
    --------
    >>> kinds = {f"cat-{n}": True for n in range(4)} | {f"couch-{n}": False for n in range(4)}
    >>> donors = blind_donors(kinds, seed=1)
    >>> sorted(donors) == sorted(donors.values()), sum(kinds[one] != kinds[other] for one, other in donors.items())
    (True, 4)
    """
    targets, others = (sorted(name for name, one in kinds.items() if one is kind) for kind in (True, False))
    if min(len(targets), len(others)) < 2:
        raise InputError(
            f"yoked canvases: got {len(targets)} targets and {len(others)} distractors; two or more of each are needed"
        )
    n_crossed = int(len(targets) * len(others) / len(kinds) + 0.5)
    for draw in range(_MOST_DRAWS):
        getting = [_shuffled(names, seed, "gets", draw) for names in (targets, others)]
        giving = [_shuffled(names, seed, "gives", draw) for names in (targets, others)]
        donors = dict(zip(getting[0][:n_crossed], giving[1][:n_crossed], strict=True))
        donors |= zip(getting[1][:n_crossed], giving[0][:n_crossed], strict=True)
        for own_kind in (0, 1):
            donors |= zip(getting[own_kind][n_crossed:], giving[own_kind][n_crossed:], strict=True)
        if all(one != other for one, other in donors.items()):
            return donors
    raise InputError(f'yoked canvases: no exchange found among {len(kinds)} images; use kind = "set-spectrum"')


def _shuffled(names: Sequence[str], seed: int, role: str, draw: int) -> list[str]:
    return sorted(names, key=lambda name: key64(seed, "donor", role, draw, name))
