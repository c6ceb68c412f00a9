"""What the hierarchical psychometric model found: population values, and those of every participant and image."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.text.result_repr import ShownAsTable

from ..level_axis import LevelAxis
from ..psychometric import most_lapse

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class HierarchicalFit(ShownAsTable):
    """Result of :func:`~rapidvision.analysis.fit_hierarchical`.

    Attributes
    ----------
    conditions : tuple of str
        One or two; differences are first minus second.
    axis : LevelAxis
        The axis on which thresholds lie; differences and standard deviations are in its units.
    names : tuple of str
        Parameters on the scale of the fit: thresholds, log slope, logit lapse, logs of standard deviations.
    estimate, se : ndarray of float64, shape (parameters,)
        Estimates on this scale, and standard errors; NaN where the time limit ended the fit before.
    difference, difference_se : float
        Of the two thresholds; NaN with one condition.
    freedom : int
        Degrees of freedom of t: participants minus conditions.
    guess, lapse : float
        Guess rate; share of errors with everything visible.
    log_likelihood : float
        Marginal, priors included.
    own, effects : DataFrame
        See :meth:`people` and :meth:`images`.
    converged : bool
        Whether the fit ended because nothing improved any more.
    n, n_participants, n_images : int
        Sizes.
    notes, cautions : tuple of str
        What was left out, with counts; warnings.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.fit_hierarchical(trials, images="none")
    >>> found.conditions, found.converged, len(found.people())
    (('clickme', 'salicon'), True, 8)
    """

    conditions: tuple[str, ...]
    axis: LevelAxis
    names: tuple[str, ...]
    estimate: Floats
    se: Floats
    difference: float
    difference_se: float
    freedom: int
    guess: float
    lapse: float
    log_likelihood: float
    own: pd.DataFrame
    effects: pd.DataFrame
    converged: bool
    n: int
    n_participants: int
    n_images: int
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per parameter, in readable units: thresholds in the levels' unit, rates as shares.

        Returns
        -------
        DataFrame
            parameter, estimate, low and high (95 %, by t), and p of the difference of the thresholds.
        """
        from scipy.special import stdtr, stdtrit

        half = float(stdtrit(self.freedom, 0.975)) * self.se
        rows = []
        for name, at, reach in zip(self.names, self.estimate, half, strict=True):
            readable = self._readable(name)
            rows.append(
                (
                    name.removeprefix("log ").replace("logit ", ""),
                    *(readable(at + d) for d in (0.0, -reach, reach)),
                    np.nan,
                )
            )
        if len(self.conditions) == 2:
            unit = 1.0 if self.axis.log else self.axis.step
            reach = float(stdtrit(self.freedom, 0.975)) * self.difference_se
            t = abs(self.difference) / self.difference_se
            name = f"threshold {self.conditions[0]} minus {self.conditions[1]} ({'log10' if self.axis.log else self.axis.unit})"
            ends = (unit * (self.difference + d) for d in (0.0, -reach, reach))
            rows.insert(2, (name, *ends, 2 * float(stdtr(self.freedom, -t))))
        return pd.DataFrame(rows, columns=["parameter", "estimate", "low", "high", "p"])

    def people(self) -> pd.DataFrame:
        """One row per participant: posterior mean of threshold (in the levels' unit) and slope, and their SDs on the axis."""
        return self.own

    def images(self) -> pd.DataFrame:
        """One row per image: by how much its threshold (on the axis) and log slope differ from the mean; modes."""
        return self.effects

    def sentence(self) -> str:
        """What the model stands on, and how people and images enter."""
        kinds = [name for name in self.names if name.endswith("images")]
        images = "images by Laplace's approximation around their modes" if kinds else "images not random"
        return (
            f"{self.n} trials of {self.n_participants} participants and {self.n_images} images; participants integrated by "
            f"Gauss-Hermite quadrature, {images}; log likelihood {self.log_likelihood:.3f}; intervals by t({self.freedom})"
        )

    def _readable(self, name: str) -> Callable[[float], float]:
        if name.startswith("threshold"):
            return lambda at: float(self.axis.value(at))
        if name == "logit lapse":
            return lambda at: float(most_lapse(self.guess) / (1 + np.exp(-at)))
        if name.startswith("sd threshold") and not self.axis.log:
            return lambda at: float(self.axis.step * np.exp(at))
        return lambda at: float(np.exp(at))
