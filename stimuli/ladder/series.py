"""The matched reveal series of an image, and what the set's tables say of them."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..reveal.flood import Engine
from ..reveal.order import centring_shift
from ..source_matching import MatchSources
from .costs import differences
from .ladder import matched_orders
from .moves import eccentricities, moved_shifts


class SourceMatch(msgspec.Struct, frozen=True, kw_only=True):
    """How the regions of an image's sources were matched.

    Attributes
    ----------
    options : dict
        Source → for each stage gamma, roughness, start and whether it had a seed more.
    apart : dict
        Row → largest difference between two sources at each level, in the row's scale.
    """

    options: dict[str, tuple[tuple[float, float, float, bool], ...]]
    apart: dict[str, tuple[float, ...]]


def matched_series(
    maps: Mapping[str, NDArray[np.float32]],
    counts: NDArray[np.int64],
    settings: MatchSources,
    *,
    seed: int,
    image_id: str,
    epsilon: float,
    centring: str,
    objects: NDArray[np.bool_] | None = None,
    engine: Engine = "auto",
) -> tuple[dict[str, RevealSeries], SourceMatch]:
    """Return the series of all sources of an image, alike at every level.

    Parameters
    ----------
    maps, counts, settings, seed, image_id, epsilon, objects, engine
        As for :func:`.ladder.matched_orders`.
    centring : {"region", "start", "none"}
        Where regions lie unless eccentricity is matched.

    Returns
    -------
    (dict, SourceMatch)
        Source → series, and how they were matched.
    """
    shape = next(iter(maps.values())).shape
    made = matched_orders(
        maps, counts, settings, seed=seed, image_id=image_id, epsilon=epsilon, objects=objects, engine=engine
    )
    frame = (int(shape[0]), int(shape[1]))
    apart: dict[str, tuple[float, ...]] = {str(row): some for row, some in made.apart.items()}
    if "eccentricity" in settings.rows:
        shifts = moved_shifts(made.orders, frame, counts, most_px=settings.move_px)
        values = np.array([eccentricities(made.orders[name], frame, shifts[name], counts) for name in maps])
        apart["eccentricity"] = tuple(
            round(float(np.abs(differences(some, some, "eccentricity")).max()), 6) for some in values.T
        )
    else:
        shifts = {name: centring_shift(order, frame, centring) for name, order in made.orders.items()}
    series = {name: RevealSeries(order, frame, counts, shifts[name]) for name, order in made.orders.items()}
    return series, SourceMatch(
        options={
            name: tuple((one.gamma, one.roughness, one.start, one.seed) for one in some)
            for name, some in made.options.items()
        },
        apart=apart,
    )
