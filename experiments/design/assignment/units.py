"""What is assigned to conditions: images or pairs of them, all of the set or a part of it."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rapidvision.formats.manifest import Exemplar
from rapidvision.seeds import stream
from rapidvision.task.design import Design, Pair

SAME, DIFFERENT = "same", "different"


class Unit(NamedTuple):
    """What a trial is about.

    Attributes
    ----------
    exemplar : Exemplar
        The image; a pair has an id, a category and a target of its own.
    images : dict
        Role (``image``, or ``first`` and ``second``) -> image_id.
    pair : str
        ``same`` or ``different``; empty without pairs.
    """

    exemplar: Exemplar
    images: dict[str, str]
    pair: str = ""


def n_samples(main: Sequence[Exemplar], design: Design) -> int:
    """Return how many different samples of images the slots take in turn; 1 where everybody sees all images.

    Over a multiple of it, each image of a category is used equally often.

    Examples
    --------
    >>> images = [Exemplar(f"{c}{i}", c, c == "cat", "main") for c in ("cat", "cup") for i in range(10)]
    >>> n_samples(images, Design(images=8)), n_samples(images, Design())
    (5, 1)
    """
    if design.images == "all" or design.images >= len(main):
        return 1
    sizes = [len(members) for members in _by_category(main).values()]
    each, rest = divmod(design.images, len(sizes))
    if rest:
        return math.lcm(*(len(sizes) * (size // math.gcd(size, design.images)) for size in sizes))
    return math.lcm(*(size // math.gcd(size, each) for size in sizes))


def sample(main: Sequence[Exemplar], n: int, *, number: int, seed: int) -> list[Exemplar]:
    """Return `n` images, as many of each category as of another to within one.

    Parameters
    ----------
    main : sequence of Exemplar
        Images to take from.
    n : int
        How many; no category has fewer than its share.
    number : int
        Which sample, 0 to :func:`n_samples`; the next one begins where this one stops.
    seed : int
        The protocol's seed.
    """
    kinds, rng = _by_category(main), stream(seed, "images")
    order = [list(kinds)[i] for i in rng.permutation(len(kinds))]
    each, rest = divmod(n, len(order))
    chosen: set[str] = set()
    for k, category in enumerate(order):
        members = [kinds[category][i].image_id for i in rng.permutation(len(kinds[category]))]

        def has_more(before: int, k: int = k) -> bool:
            return (k - before) % len(order) < rest

        rounds, last = divmod(number, len(order))
        start = number * each + rounds * rest + sum(map(has_more, range(last)))
        chosen |= {members[(start + i) % len(members)] for i in range(each + has_more(number))}
    return [exemplar for exemplar in main if exemplar.image_id in chosen]


def pairs(images: Sequence[Exemplar], pair: Pair, rng: np.random.Generator, *, n: int | None = None) -> list[Unit]:
    """Put images into pairs; the share of pairs of the kind ``same`` is exact where the images allow it.

    Each image is in one pair. Where ``same`` means the same image, each image is once the first of a pair.

    Parameters
    ----------
    images : sequence of Exemplar
        Images to take from.
    pair : Pair
        What makes two images the same, and the share of such pairs.
    rng : numpy.random.Generator
        Draws everything.
    n : int, optional
        Number of pairs; as many as there can be by default.

    Returns
    -------
    list of Unit
        In random order. Fewer than `n` where the images do not allow more.
    """
    pool = [images[i] for i in rng.permutation(len(images))]
    by_image = pair.same == "image"
    wanted = min(n if n is not None else len(pool), len(pool)) if by_image else (n if n is not None else len(pool) // 2)
    n_same = round(wanted * pair.share_same)
    found = _of_one_image(pool[:wanted], n_same) if by_image else _of_two(pool, _kind(pair), n_same, wanted)
    order = [found[i] for i in rng.permutation(len(found))]
    swap = rng.random(len(order)) < 0.5
    turned = [
        (second, first, kind) if turn else (first, second, kind)
        for (first, second, kind), turn in zip(order, swap, strict=True)
    ]
    return [
        Unit(
            Exemplar(f"{first.image_id}+{second.image_id}", kind, kind == SAME, first.phase),
            {"first": first.image_id, "second": second.image_id},
            kind,
        )
        for first, second, kind in turned
    ]


def n_pairs(images: Sequence[Exemplar], pair: Pair, *, seed: int, n: int | None = None) -> tuple[int, int]:
    """Return how many pairs some images make, and how many of them are of the kind ``same``."""
    made = pairs(images, pair, stream(seed, "pairs"), n=n)
    return len(made), sum(unit.pair == SAME for unit in made)


_Found = list[tuple[Exemplar, Exemplar, str]]


def _of_one_image(pool: list[Exemplar], n_same: int) -> _Found:
    """Pairs of an image with itself, and of images with the next one."""
    others = pool[n_same:]
    turned = [*others[1:], *others[:1]] if len(others) != 1 else pool[:1]
    found = [(image, image, SAME) for image in pool[:n_same]]
    return found + [(a, b, DIFFERENT) for a, b in zip(others, turned, strict=True) if a is not b]


def _of_two(pool: list[Exemplar], kind: Callable[[Exemplar], object], n_same: int, n: int) -> _Found:
    """Pairs within the largest kinds first, then between the two largest."""
    kinds: dict[object, list[Exemplar]] = {}
    for image in pool:
        kinds.setdefault(kind(image), []).append(image)
    found: _Found = []
    while len(found) < n_same:
        largest = max(kinds.values(), key=len)
        if len(largest) < 2:
            break
        found.append((largest.pop(), largest.pop(), SAME))
    while len(found) < n:
        two = sorted(kinds.values(), key=len)[-2:]
        if len(two) < 2 or not two[0]:
            break
        found.append((two[1].pop(), two[0].pop(), DIFFERENT))
    return found


def _kind(pair: Pair) -> Callable[[Exemplar], object]:
    return (lambda image: image.target) if pair.same == "target" else (lambda image: image.category)


def _by_category(images: Sequence[Exemplar]) -> dict[str, list[Exemplar]]:
    found: dict[str, list[Exemplar]] = {}
    for image in images:
        found.setdefault(image.category, []).append(image)
    return dict(sorted(found.items()))
