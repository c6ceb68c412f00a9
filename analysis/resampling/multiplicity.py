"""Many levels, one question: corrections that keep the family-wise error (or false discoveries) where it was promised."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import TIE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Correction = Literal["step-down", "max-t", "holm", "bh", "none"]
#: Correction → attribute of the test, and the words for it.
CORRECTIONS: dict[str, tuple[str, str]] = {
    "step-down": ("p_step_down", "max-T step-down over the levels"),
    "max-t": ("p_max_t", "max-T over the levels"),
    "holm": ("p_holm", "Holm over the levels"),
    "bh": ("p_bh", "false discovery rate"),
    "none": ("p_best", "uncorrected, as in the paper"),
}
#: Standardised difference that opens a cluster: the one-sided .05 point, or the two-sided one.
CLUSTER_THRESHOLD = {0: 1.959963984540054, 1: 1.6448536269514722, -1: 1.6448536269514722}


def holm(p: Floats) -> Floats:
    """Holm's step-down Bonferroni correction; NaN stays NaN and does not count as a test.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    out = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return out


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p of the false discovery rate (Benjamini & Hochberg); NaN stays NaN.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.04, 0.04])
    """
    out = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")][::-1]
    scaled = p[order] * len(order) / np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return out


class Cluster(NamedTuple):
    """A run of neighbouring levels whose standardised differences all pass the threshold."""

    first: int
    last: int
    sign: int
    mass: float
    p: float


def runs(z: Floats, threshold: float) -> list[tuple[int, int, float]]:
    """First level, last level and mass of every run of `z` above `threshold`.

    Examples
    --------
    >>> runs(np.array([0.0, 2.0, 3.0, 1.0, 2.5]), 1.5)
    [(1, 2, 5.0), (4, 4, 2.5)]
    """
    found: list[tuple[int, int, float]] = []
    for level, value in enumerate(z):
        if not value > threshold:
            continue
        if found and found[-1][1] == level - 1:
            first, _, mass = found.pop()
            found.append((first, level, mass + float(value)))
        else:
            found.append((level, level, float(value)))
    return found


def largest_mass(z: Floats, threshold: float) -> Floats:
    """Mass of the largest run above `threshold` in each row of `z`, shape (relabellings, levels)."""
    best, run = np.zeros(len(z)), np.zeros(len(z))
    for column in z.T:
        run = np.where(column > threshold, run + column, 0.0)
        np.maximum(best, run, out=best)
    return best


class Joint:
    """Counts, over one joint relabelling of all levels, for max-T (single-step and step-down) and cluster mass.

    Parameters
    ----------
    observed : ndarray, shape (levels,)
        Standardised differences; NaN where a level cannot be tested.
    sided : {-1, 0, 1}
        The alternative: less, two-sided, greater.
    cluster_threshold : float
        Levels with a standardised difference above it form clusters.
    turned : bool
        Whether the differences are those of the second group minus the first; the clusters are told the right way.

    Attributes
    ----------
    reach : ndarray, shape (tested levels,)
        What a relabelling must reach at each level: the observed difference, less a billionth, because equal numbers of
        different levels may differ in their last digits.
    least_masses : ndarray, shape (clusters,)
        The same for the masses of the observed clusters.
    """

    def __init__(self, observed: Floats, *, sided: int, cluster_threshold: float, turned: bool = False) -> None:
        self.sided = sided
        self.turned = turned
        self.cluster_threshold = cluster_threshold
        self.observed = observed
        self.tested = np.flatnonzero(np.isfinite(observed))
        self.extreme = self._directed(observed[self.tested])
        self.reach = self.extreme - TIE * np.maximum(1.0, np.abs(self.extreme))
        self.order = np.argsort(self.extreme, kind="stable")
        self.single = np.zeros(len(self.tested), dtype=np.int64)
        self.down = np.zeros(len(self.tested), dtype=np.int64)
        self.found = self._clusters()
        self.least_masses = np.array([mass for _, _, _, mass in self.found], dtype=float) * (1 - TIE)
        self.mass = np.zeros(len(self.found), dtype=np.int64)
        self.n = 0

    def add(self, z: Floats) -> None:
        """Count one block of relabelled standardised differences, shape (relabellings, levels)."""
        self.n += len(z)
        directed = self._directed(z[:, self.tested])
        running = np.maximum.accumulate(directed[:, self.order], axis=1)
        self.down += np.count_nonzero(running >= self.reach[self.order], axis=0)
        if len(self.tested):
            self.single += np.count_nonzero(running[:, -1:] >= self.reach, axis=0)
        if self.found:
            z = np.where(np.isfinite(z), z, 0.0)
            largest = np.zeros(len(z))
            for sign in self._signs():
                np.maximum(largest, largest_mass(sign * z, self.cluster_threshold), out=largest)
            self.mass += np.count_nonzero(largest[:, None] >= self.least_masses, axis=0)

    def take(self, n: int, *, single: Ints, down: Ints, mass: Ints) -> None:
        """Add what the compiled engine counted over `n` relabellings; `single` and `down` in the order of the levels."""
        self.n += n
        self.single += single[self.tested]
        self.down += down[self.tested][self.order]
        self.mass += mass

    def p_single_step(self) -> Floats:
        """Adjusted p of the single-step max-T procedure."""
        return self._spread((self.single + 1) / (self.n + 1))

    def p_step_down(self) -> Floats:
        """Adjusted p of the step-down max-T procedure (Westfall & Young)."""
        p = np.maximum.accumulate(((self.down + 1) / (self.n + 1))[::-1])[::-1]
        adjusted = np.empty(len(p))
        adjusted[self.order] = p
        return self._spread(adjusted)

    def clusters(self) -> tuple[Cluster, ...]:
        """The observed clusters with their family-wise p."""
        return tuple(
            Cluster(first, last, -sign if self.turned else sign, mass, float((count + 1) / (self.n + 1)))
            for (first, last, sign, mass), count in zip(self.found, self.mass, strict=True)
        )

    def _signs(self) -> tuple[int, ...]:
        return (1, -1) if self.sided == 0 else (self.sided,)

    def _directed(self, z: Floats) -> Floats:
        return np.abs(z) if self.sided == 0 else self.sided * z

    def _clusters(self) -> list[tuple[int, int, int, float]]:
        z = np.where(np.isfinite(self.observed), self.observed, 0.0)
        found = [(a, b, sign, mass) for sign in self._signs() for a, b, mass in runs(sign * z, self.cluster_threshold)]
        return sorted(found)

    def _spread(self, values: Floats) -> Floats:
        out = np.full(len(self.observed), np.nan)
        out[self.tested] = values
        return out
