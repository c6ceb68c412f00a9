"""Two or more map sources that reveal alike at each level: growth in stages whose options are chosen level by level.

Each stage continues from the region so far with fresh clocks. Exponential waits are memoryless, so stages of equal
options have the law of one uninterrupted growth. At every level all sources try all options, and those are kept whose
regions differ least. Every prefix of an order is nested, counts are exact, and the result is a pure function of the
maps and the seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import key64

from ..reveal.flood import Engine
from ..source_matching import MatchSources, Row
from .costs import differences, figures_of, pair_costs
from .grower import Grower, Sums
from .options import Option, options_of

VERSION = "1"

#: With three and more sources, options are improved source by source at most so often.
_MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Matched orders of one image.

    Attributes
    ----------
    orders : dict
        Source → raster indices, int32, shape (n_px,).
    options : dict
        Source → the option of each stage.
    apart : dict
        Row → largest difference between two sources at each level, in the row's scale.
    """

    orders: dict[str, NDArray[np.int32]]
    options: dict[str, tuple[Option, ...]]
    apart: dict[Row, tuple[float, ...]]


def matched_orders(
    maps: Mapping[str, NDArray[np.float32]],
    counts: NDArray[np.int64],
    settings: MatchSources,
    *,
    seed: int,
    image_id: str,
    epsilon: float = 1e-3,
    objects: NDArray[np.bool_] | None = None,
    engine: Engine = "auto",
) -> Ladder:
    """Grow the regions of all sources of an image so that they are alike at every level.

    Parameters
    ----------
    maps : mapping
        Source → importance, float32, shape (height, width); two or more, in the recipe's order.
    counts : ndarray of int64, shape (n_levels,)
        Revealed pixels at each level.
    settings : MatchSources
        What is matched.
    seed : int
        Of the set.
    image_id : str
        Decides the random numbers, with the seed and the names of the sources.
    epsilon : float
        Rate where there is no importance.
    objects : ndarray of bool, shape (height, width), optional
        Where the object is, for the row ``object``.
    engine : {"auto", "numba", "portable"}
        What grows; the orders are the same.

    Returns
    -------
    Ladder
        Orders, options, and what differences are left.

    Raises
    ------
    InputError
        When there are fewer than two sources, or no option can be grown.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> maps = {name: rng.random((16, 16)).astype(np.float32) for name in ("clickme", "salicon")}
    >>> made = matched_orders(maps, np.array([5, 20]), MatchSources(), seed=1, image_id="cat-1")
    >>> {name: order.size for name, order in made.orders.items()}
    {'clickme': 20, 'salicon': 20}
    """
    if len(maps) < 2:
        raise InputError(f"match_sources: got {len(maps)} map source; two or more are needed")
    names = tuple(maps)
    growers = {
        name: Grower(one, int(counts[-1]), objects=objects, epsilon=epsilon, n_stages=len(counts), engine=engine)
        for name, one in maps.items()
    }
    rows: list[Row] = [row for row in settings.rows if row != "eccentricity"]
    chosen: dict[str, list[Option]] = {name: [] for name in names}
    apart: dict[Row, list[float]] = {row: [] for row in rows}
    for level, n_to in enumerate(counts.tolist()):
        options = options_of(first=level == 0, seeds=settings.seeds)
        tried: list[dict[Row, NDArray[np.float64]]] = []
        keys: dict[str, list[int]] = {}
        fars: dict[str, NDArray[np.int32]] = {}
        for name, grower in growers.items():
            keys[name] = [key64(seed, "ladder", image_id, name, level, number) for number in range(len(options))]
            fars[name] = grower.far_peak() if settings.seeds and level else np.empty(0, np.int32)
            sums = [
                grower.tried(n_to, option, key=key, far=fars[name])
                for option, key in zip(options, keys[name], strict=True)
            ]
            tried.append(_columns(sums, grower, n_to))
        picks = _best(tried, rows, options)
        if picks is None:
            raise InputError(f"match_sources: {image_id}: arrival times overflow; use a larger epsilon")
        for (name, grower), pick in zip(growers.items(), picks, strict=True):
            grower.keep(n_to, options[pick], key=keys[name][pick], far=fars[name])
            chosen[name].append(options[pick])
        for row in rows:
            values = np.array([one[row][pick] for one, pick in zip(tried, picks, strict=True)])
            apart[row].append(float(np.abs(differences(values, values, row)).max()))
    return Ladder(
        {name: grower.order for name, grower in growers.items()},
        {name: tuple(some) for name, some in chosen.items()},
        {row: tuple(round(one, 6) for one in some) for row, some in apart.items()},
    )


def _columns(sums: list[Sums | None], grower: Grower, n_to: int) -> dict[Row, NDArray[np.float64]]:
    """The figures of all tried regions by row; NaN where nothing could be grown."""
    best = int(grower.best[n_to - 1])
    found = [None if one is None else figures_of(one, total=grower.total, best=best) for one in sums]
    rows = next((one for one in found if one is not None), {})
    return {row: np.array([np.nan if one is None else one[row] for one in found]) for row in rows}


def _best(
    tried: list[dict[Row, NDArray[np.float64]]], rows: list[Row], options: tuple[Option, ...]
) -> list[int] | None:
    """Return the option of each source with the least sum of costs over pairs; the first of equals."""
    if not all(tried):
        return None
    n = len(options)
    costs = {
        (a, b): pair_costs(tried[a], tried[b], rows, (options, options))
        for a in range(len(tried))
        for b in range(a + 1, len(tried))
    }
    if len(tried) == 2:
        best = int(np.argmin(costs[0, 1]))
        return [best // n, best % n] if np.isfinite(costs[0, 1].ravel()[best]) else None
    grown = [np.isfinite(one["attainable"]) for one in tried]
    usual = sorted(range(n), key=lambda number: (options[number].unusual, number))
    picks = [next((number for number in usual if fine[number]), 0) for fine in grown]
    for _ in range(_MOST_ROUNDS):
        before = list(picks)
        for source in range(len(tried)):
            total = np.zeros(n)
            for other in range(len(tried)):
                if other < source:
                    total += costs[other, source][picks[other]]
                elif other > source:
                    total += costs[source, other][:, picks[other]]
            picks[source] = int(np.argmin(np.round(total, 6)))
        if picks == before:
            break
    return picks if all(fine[pick] for fine, pick in zip(grown, picks, strict=True)) else None
