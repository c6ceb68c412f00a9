"""Accuracy against chance, level by level: flip the signs of the participants' distances from one half.

"The same or better than chance" is asked once per group and level, so the p of a group's levels are corrected together.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..resampling.multiplicity import holm
from ..result_repr import ShownAsTable
from ..table.accuracy import Cells, Level, curve

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
        Over all flips; NaN where there is none, and a note says why.
    p_holm : ndarray
        The exact p, or the other where there is none, corrected for the number of levels.
    m, seed : int
        Flips, and their seed.
    notes : tuple of str
        What the reader should know.
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
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
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
            return f"{self.group}: not above chance at the highest level (Holm, alpha {alpha:g}).{self._why_not(alpha)}"
        where = "with the intact picture only" if lowest.full else f"from {lowest.label} % of the features on"
        return f"{self.group}: above chance {where} (Holm, alpha {alpha:g})."

    def _why_not(self, alpha: float) -> str:
        """Say so where no answers could have been above chance."""
        n, tested = int(self.n.max(initial=0)), int(np.isfinite(self.p).sum())
        if np.isfinite(self.p_exact).any():
            smallest, by = 0.5**n, f"{n} participants reach no p below {0.5**n:.3g}"
        else:
            smallest, by = 1 / (self.m + 1), f"{self.m} flips reach no p below {1 / (self.m + 1):.3g}"
        if smallest * tested <= alpha:
            return ""
        corrected = min(1.0, tested * smallest)
        return f" It could not be: {by}, and {tested} levels are corrected to {corrected:.3g}."


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
    # scores are halves of trials: twice the distance from one half is halves - trials, over trials
    test = sign_flip_test(
        table.halves[members] - table.n_trials[members],
        denominators=table.n_trials[members],
        m=m,
        seed=seed,
        alternative="greater",
    )
    missing: dict[str, list[str]] = {}
    for level, why in zip(table.levels, test.without_exact, strict=True):
        if why:
            missing.setdefault(why, []).append(level.label)
    notes = tuple(f"{group}: no exact p at level {', '.join(where)}: {why}" for why, where in missing.items())
    return ChanceTest(
        group=group,
        levels=table.levels,
        accuracy=curve(table, group).mean,
        n=test.n,
        p=test.p,
        p_exact=test.p_exact,
        p_holm=holm(test.p_best),
        m=m,
        seed=seed,
        notes=notes,
    )
