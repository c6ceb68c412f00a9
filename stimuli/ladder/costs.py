"""How different two regions are: one cost for each pair of options, the same to the bit on every machine.

Only sums, products, quotients and square roots of whole numbers are used, which IEEE 754 rounds in one way; costs are
rounded to a millionth, and the first of equals is chosen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..source_matching import Row
from .grower import Sums
from .options import Option

#: Differences are judged in these: of shares as they are, of the others relative to the mean of both sources. About a
#: standard deviation over photographs (measured on OSIE and BubbleView, growth of the defaults); less where means differ most between sources: the
#: attainable share and the spread.
SCALES: dict[Row, float] = {
    "attainable": 0.03,
    "captured": 0.3,
    "compactness": 0.1,
    "spread": 0.04,
    "components": 0.5,
    "eccentricity": 0.1,
    "object": 0.1,
}
#: What a unit of captured importance is worth, and what an unusual option costs.
AMBITION, CAUTION = 0.02, 0.01
#: Rows that growth decides; eccentricity is matched by moving the finished regions.
GROWN: tuple[Row, ...] = ("attainable", "captured", "compactness", "spread", "components", "object")


def figures_of(sums: Sums, *, total: int, best: int) -> dict[Row, float]:
    """Return the figures of a region at one level.

    Parameters
    ----------
    sums : Sums
        From a :class:`~.grower.Grower`.
    total, best : int
        Importance of the whole map, and of as many of its most important pixels, in grades.

    Returns
    -------
    dict
        Compactness is the perimeter in pixel edges: at equal area it is as good as perimeter² over area.

    Examples
    --------
    >>> figures_of(Sums(4, 30, 8, 2, 2, 4, 1, 2), total=60, best=40)["attainable"]
    0.75
    """
    n = sums.n_px
    squared = sums.squares * n - sums.rows * sums.rows - sums.columns * sums.columns
    return {
        "attainable": sums.grades / best,
        "captured": sums.grades / total,
        "compactness": float(sums.perimeter),
        "spread": float(np.sqrt(squared / (n * n))),
        "components": float(sums.components),
        "object": sums.objects / n,
    }


def differences(a: NDArray[np.float64], b: NDArray[np.float64], row: Row) -> NDArray[np.float64]:
    """Return the differences of a row in its scale: every entry of `a` against every entry of `b`; shape (a, b)."""
    apart = a[:, None] - b[None]
    if row in ("compactness", "spread", "captured", "eccentricity"):
        middle = (a[:, None] + b[None]) / 2
        apart = np.where(middle > 0, apart / np.where(middle > 0, middle, 1.0), 0.0)
    return np.asarray(apart / SCALES[row])


def pair_costs(
    a: dict[Row, NDArray[np.float64]],
    b: dict[Row, NDArray[np.float64]],
    rows: Sequence[Row],
    options: tuple[Sequence[Option], Sequence[Option]],
) -> NDArray[np.float64]:
    """Return the cost of every pair of options, rounded to a millionth; infinite where one cannot be grown."""
    counted: Row = "attainable" if "captured" not in rows else "captured"
    cost = np.zeros((len(options[0]), len(options[1])))
    for row in rows:
        if row in GROWN:
            cost += differences(a[row], b[row], row) ** 2
    scale = 0.3  # so that the worth of a unit does not depend on which share is counted
    cost -= AMBITION * (a[counted][:, None] + b[counted][None]) / scale
    unusual = [np.array([one.unusual for one in some]) for some in options]
    cost += CAUTION * (unusual[0][:, None] + unusual[1][None])
    return np.where(np.isnan(cost), np.inf, np.round(cost, 6))
