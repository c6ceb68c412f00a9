"""Results of a design's tests: each pair of conditions, and the omnibus test of three and more."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.text.result_repr import ShownAsTable

from ...inference.permutation import RandomizationTest
from ...table.accuracy import Curve

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class PairTest(ShownAsTable):
    """Two conditions at every level, and the test of their difference.

    Attributes
    ----------
    conditions : (str, str)
        First minus second.
    effect : str
        What is tested: ``difference``, ``interaction``, ``main effect of COLUMN``, ``difference from VALUE``.
    curves : (Curve, Curve)
        Both conditions: value, standard error and number of participants per level.
    test : RandomizationTest
        Every p; among three and more conditions max-T, step-down, Holm and BH are over all pairs and levels.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=8).simulate(seed=1)
    >>> pair = rv.analysis.level_tests(trials, n_resamples=99, seed=1).pairs[0]
    >>> pair.conditions, pair.effect, len(pair.to_frame())
    (('clickme', 'salicon'), 'difference', 12)
    """

    conditions: tuple[str, str]
    effect: str
    curves: tuple[Curve, Curve]
    test: RandomizationTest

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know before using a number."""
        return self.test.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per level: both means, the difference and every p."""
        first, second = self.curves
        test = self.test.to_frame()
        names = {"effect": self.effect, "first": self.conditions[0], "second": self.conditions[1]}
        values = {"mean_first": first.mean, "mean_second": second.mean, "n_first": first.n, "n_second": second.n}
        return pd.concat([test[["level"]].assign(**names, **values), test.drop(columns="level")], axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class OmnibusTest(ShownAsTable):
    """Three and more conditions: does any of them differ.

    Attributes
    ----------
    conditions : tuple of str
        What is compared.
    f : ndarray of float64, shape (levels,)
        Variance of the conditions' means, each weighted by the inverse of its variance, over its degrees of freedom.
    p, p_low, p_high : ndarray of float64, shape (levels,)
        (b + 1) / (n_resamples + 1), and its 95 % Clopper-Pearson interval.
    p_step_down : ndarray of float64, shape (levels,)
        Corrected for the number of levels by max-F step-down.
    p_overall : float
        Of the largest F of all levels: no condition differs at any level.
    n_resamples, seed : int
        Relabellings, and their seed.
    labels : tuple of str
        Names of the levels.
    notes : tuple of str
        What the reader should know before using a number.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> right = np.random.default_rng(1).random((30, 4))
    >>> found = rv.analysis.omnibus_test(right, np.repeat(["a", "b", "c"], 10), n_resamples=99, seed=1)
    >>> found.conditions, found.p.shape, found.p_overall > 0
    (('a', 'b', 'c'), (4,), True)
    """

    conditions: tuple[str, ...]
    f: Floats
    p: Floats
    p_low: Floats
    p_high: Floats
    p_step_down: Floats
    p_overall: float
    n_resamples: int
    seed: int
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """The test in a line."""
        what = f"{', '.join(self.conditions)}: largest F of {len(self.f)} levels"
        return (f"{what}, p = {self.p_overall:.4g} from {self.n_resamples:,} relabellings",)

    def to_frame(self) -> pd.DataFrame:
        """One row per level."""
        found = ("f", "p", "p_low", "p_high", "p_step_down")
        return pd.DataFrame({"level": self.labels, **{name: getattr(self, name) for name in found}})
