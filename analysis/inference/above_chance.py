"""Accuracy against chance, level by level.

"The same or better than chance" is asked once per group and level, so the p of a group's levels are corrected together.
Where guessing gets one half right, the signs of the participants' distances from one half are flipped: who guesses lies
as often above as below. At any other guess rate distances are skewed, and flips would not keep their level; there all
trials of the group are counted, and the exact binomial tail says how often that many are right when everybody guesses.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import ShownAsTable

from ..resampling.multiplicity import holm
from ..table.accuracy import Cells, Level, curve

Floats = NDArray[np.float64]
Method = Literal["sign flips", "binomial"]
_HALF = 0.5


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
        One-sided (above the guess rate): (b + 1) / (n_resamples + 1), all levels flipped jointly, or the binomial tail.
    p_exact : ndarray
        Over all flips or a guaranteed upper bound, or the binomial tail; NaN where there is none, and a note says why.
    p_holm : ndarray
        The exact p, or the other where there is none, corrected for the number of levels.
    n_resamples, seed : int
        Flips, and their seed.
    guess : float
        Share of answers that guessing gets right.
    method : {"sign flips", "binomial"}
        Which test.
    smallest_p : float
        Smallest p that any answers could have reached at the level with most data.
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
    n_resamples: int
    seed: int
    guess: float
    method: Method
    smallest_p: float
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
        unit = f"{lowest.label} % of the features" if lowest.percent > 0 else f"level {lowest.label}"
        where = "with the intact image only" if lowest.full else f"from {unit} on"
        return f"{self.group}: above chance {where} (Holm, alpha {alpha:g})."

    def _why_not(self, alpha: float) -> str:
        """Say so where no answers could have been above chance."""
        tested = int(np.isfinite(self.p).sum())
        if self.smallest_p * tested <= alpha:
            return ""
        corrected = min(1.0, tested * self.smallest_p)
        exact = np.isfinite(self.p_exact).any()
        by = f"{int(self.n.max(initial=0))} participants reach" if exact else f"{self.n_resamples} flips reach"
        return (
            f" It could not be: {by} no p below {self.smallest_p:.3g}, and {tested} levels are corrected to "
            f"{corrected:.3g}."
        )


def chance_test(table: Cells, group: str, *, n_resamples: int = N_RELABELLINGS, seed: int | None = None) -> ChanceTest:
    """Test every level of a group against the table's guess rate.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`, with its guess rate.
    group : str
        Which group.
    n_resamples : int
        Sign flips.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    ChanceTest
        NaN where no participant of the group has a trial.

    Raises
    ------
    InputError
        When the guess rate is unknown or 0, or late answers count as half correct at a guess rate other than one half.

    Examples
    --------
    Five participants, all above one half: one flip of 32 is as good as what was observed.

    >>> levels = (Level(0, "full", float("nan"), 100.0),)
    >>> scores, trials = np.array([[8], [7], [8], [6], [7]]), np.full((5, 1), 5)
    >>> table = Cells(tuple("abcde"), np.array(["x"] * 5), levels, scores, trials, 0 * trials, trials, "exclude", guess=0.5)
    >>> chance_test(table, "x", seed=1).p_exact
    array([0.03125])
    """
    guess = table.known_guess("chance")
    if guess == 0:
        raise InputError("chance: guess rate 0: a single right answer is above chance, so there is nothing to test")
    seed = fresh_seed() if seed is None else seed
    found = _flipped(table, group, n_resamples, seed) if guess == _HALF else _binomial(table, group, guess)
    return ChanceTest(
        group=group,
        levels=table.levels,
        accuracy=curve(table, group).mean,
        n=np.count_nonzero(table.n_trials[table.of(group)], axis=0),
        p=found.p,
        p_exact=found.p_exact,
        p_holm=holm(np.where(np.isfinite(found.p_exact), found.p_exact, found.p)),
        n_resamples=n_resamples,
        seed=seed,
        guess=guess,
        method="sign flips" if guess == _HALF else "binomial",
        smallest_p=found.smallest,
        notes=found.notes,
    )


class _Found(NamedTuple):
    """Both p per level, the smallest that could be reached, and notes."""

    p: Floats
    p_exact: Floats
    smallest: float
    notes: tuple[str, ...]


def _flipped(table: Cells, group: str, n_resamples: int, seed: int) -> _Found:
    """Sign flips of participants' distances from one half."""
    members = table.of(group)
    # scores are halves of trials: twice the distance from one half is halves - trials, over trials
    test = sign_flip_test(
        table.halves[members] - table.n_trials[members],
        denominators=table.n_trials[members],
        n_resamples=n_resamples,
        seed=seed,
        alternative="greater",
    )
    missing: dict[str, list[str]] = {}
    for level, why in zip(table.levels, test.without_exact, strict=True):
        if why:
            missing.setdefault(why, []).append(level.label)
    notes = tuple(f"{group}: no exact p at level {', '.join(where)}: {why}" for why, where in missing.items())
    if test.wide_bounds.any():
        where = ", ".join(level.label for level, wide in zip(table.levels, test.wide_bounds, strict=True) if wide)
        bound = (
            f"{group}: at level {where} the exact p is bounded to no better than 1 % (trial counts differ); the upper"
        )
        notes = (*notes, f"{bound} bound is reported")
    exact = np.isfinite(test.p_exact).any()
    smallest = 0.5 ** int(test.n.max(initial=0)) if exact else 1 / (n_resamples + 1)
    return _Found(test.p, test.p_exact, smallest, notes)


def _binomial(table: Cells, group: str, guess: float) -> _Found:
    """Share of guessers' groups with at least as many right answers: the upper binomial tail over all trials."""
    from scipy.stats import binom

    if table.late == "half" and table.n_untimely.any():
        raise InputError(
            f"chance: late answers count as half correct, which is not what a guess rate of {guess:g} gives; leave them out "
            "or count them as wrong (late exclude or wrong)"
        )
    members = table.of(group)
    right, trials = table.halves[members].sum(axis=0) // 2, table.n_trials[members].sum(axis=0)
    p = np.where(trials > 0, binom.sf(right - 1, trials, guess), np.nan)
    note = (
        f"{group}: exact binomial test of all trials against a guess rate of {guess:g}; its null hypothesis is that every "
        "participant guesses in every trial"
    )
    return _Found(p, p, float(guess ** int(trials.max(initial=0))), (note,))
