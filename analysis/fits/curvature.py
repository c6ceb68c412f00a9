"""Standard errors from the curvature of a deviance."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def standard_errors(deviance: Callable[[Floats], float], best: Floats, free: "NDArray[np.bool_]") -> Floats:
    """Square roots of the inverse curvature of half the deviance, by central differences over the free parameters."""
    places = np.flatnonzero(free)
    h = 1e-3
    n = len(places)
    curvature = np.empty((n, n))
    centre = deviance(best)

    def moved(a: int, da: float, b: int, db: float) -> float:
        q = best.copy()
        q[places[a]] += da
        q[places[b]] += db
        return float(deviance(q))

    for a in range(n):
        curvature[a, a] = (moved(a, h, a, 0) - 2 * centre + moved(a, -h, a, 0)) / h**2
        for b in range(a):
            both = moved(a, h, b, h) - moved(a, h, b, -h) - moved(a, -h, b, h) + moved(a, -h, b, -h)
            curvature[a, b] = curvature[b, a] = both / (4 * h**2)
    se = np.full(len(best), np.nan)
    with np.errstate(invalid="ignore"):
        se[places] = np.sqrt(np.diag(np.linalg.inv(curvature / 2)))
    return se
