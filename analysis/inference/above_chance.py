"""Accuracy against chance, level by level: flip the signs of the participants' distances from one half.

"The same or better than chance" is asked once per group and level, so the p of a group's levels are corrected together.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..resampling.multiplicity import holm
from ..result_repr import ShownAsTable
from ..table.accuracy import Cells, Level, curve, integer_scores
from .sign_flip import exact_sign_flip_p, sign_flip_test

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ChanceTest(ShownAsTable):
    """One group against chance; arrays have one entry per level.

    Attributes
    ----------
    group : str
        The group.
    levels : tuple of Level
        In order.
    accuracy : ndarray
        Mean over participants.
    n : ndarray of int
        Participants who have trials there.
    p : ndarray
        One-sided (above one half), (b + 1) / (m + 1), all levels flipped jointly.
    p_exact : ndarray
        Over all flips.
    p_holm : ndarray
        The exact p, corrected for the number of levels.
    m, seed : int
        Flips, and their seed.
    """

    group: str
    levels: tuple[Level, ...]
    accuracy: Floats
    n: NDArray[np.int64]
    p: Floats
    p_exact: Floats
    p_holm: Floats
    m: int
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per level."""
        return pd.DataFrame(
            {
                "group": self.group,
                "level": [level.label for level in self.levels],
                "accuracy": self.accuracy,
                "n": self.n,
                "p": self.p,
                "p_exact": self.p_exact,
                "p_holm": self.p_holm,
            }
        )

    def sentence(self, alpha: float = 0.05) -> str:
        """From which level on, without a gap up to the highest, the group is above chance."""
        above = self.p_holm <= alpha
        lowest = None
        for level, good in zip(reversed(self.levels), above[::-1], strict=True):
            if not good:
                break
            lowest = level
        if lowest is None:
            text = f"{self.group}: not above chance at the highest level (Holm, alpha {alpha:g})."
            n, tested = int(self.n.max(initial=0)), int(np.isfinite(self.p_exact).sum())
            smallest = 0.5**n
            if smallest * tested > alpha:
                text += (
                    f" It could not be: {n} participants reach no p below {smallest:.3g}, and {tested} levels are "
                    f"corrected to {min(1.0, tested * smallest):.3g}."
                )
            return text
        where = "with the intact picture only" if lowest.full else f"from {lowest.label} % of the features on"
        return f"{self.group}: above chance {where} (Holm, alpha {alpha:g})."


def chance_test(table: Cells, group: str, *, m: int = N_RELABELLINGS, seed: int | None = None) -> ChanceTest:
    """Test every level of a group against one half.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`.
    group : str
        Which group.
    m : int
        Sign flips.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    ChanceTest
        NaN where nobody of the group has a trial.

    Examples
    --------
    Five participants, all above one half: one flip of 32 is as good as what was observed.

    >>> levels = (Level(0, "full", float("nan"), 100.0),)
    >>> scores, trials = np.array([[8], [7], [8], [6], [7]]), np.full((5, 1), 5)
    >>> table = Cells(tuple("abcde"), np.array(["x"] * 5), levels, scores, trials, 0 * trials, trials, "exclude")
    >>> chance_test(table, "x", seed=1).p_exact
    array([0.03125])
    """
    seed = fresh_seed() if seed is None else seed
    members = table.of(group)
    scores, scale, _ = integer_scores(table.halves[members], 2 * table.n_trials[members])
    here = table.n_trials[members] > 0
    # twice the distance from one half, in units of the common denominator: whole numbers, so ties are ties
    distance = 2 * scores - scale
    test = sign_flip_test(np.where(here, distance.astype(float), np.nan), m=m, seed=seed, alternative="greater")
    exact = np.array(
        [
            exact_sign_flip_p(distance[present, level])[0] if present.any() else np.nan
            for level, present in enumerate(here.T)
        ]
    )
    return ChanceTest(group, table.levels, curve(table, group).mean, test.n, test.p, exact, holm(exact), m, seed)
