"""Two groups at every level: curves, and the randomization test of their difference."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.text.result_repr import ShownAsTable

from .inference.permutation import RandomizationTest, randomization_test
from .resampling.multiplicity import CORRECTIONS, Correction
from .table.accuracy import Cells, Curve, Level
from .table.first_lines import LateRule, tested
from .table.statistics import columns_of
from .table.trials import Trials, TrialsSource, as_trials


@dataclass(frozen=True, eq=False, repr=False)
class LevelTests(ShownAsTable):
    """Both groups at every level, and the test of their difference.

    Attributes
    ----------
    groups : (str, str)
        First minus second is tested.
    levels : tuple of Level
        In order.
    curves : (Curve, Curve)
        Value of the statistic, its standard error and number of participants: mean and S.E.M. of participants, or what
        is pooled within the group with its jackknife error.
    test : RandomizationTest
        Every p.
    correction : str
        Which p the stars show; where it starts from single levels, from their exact p if there is one.
    late : {"exclude", "wrong", "half"}
        What late answers count as.
    cells : Cells
        Counts per participant and level, on which the test is based.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, alternative="greater", n_resamples=999, seed=1)
    >>> found.groups, found.p.shape, len(found.to_frame())
    (('clickme', 'salicon'), (12,), 12)
    """

    groups: tuple[str, str]
    levels: tuple[Level, ...]
    curves: tuple[Curve, Curve]
    test: RandomizationTest
    correction: Correction
    late: LateRule
    cells: Cells

    @property
    def p(self) -> NDArray[np.float64]:
        """Corrected p per level, as chosen."""
        return np.asarray(getattr(self.test, CORRECTIONS[self.correction][0]))

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts, and what difference and p are."""
        return (*self.cells.notes, tested(self.groups, self.test.alternative, n_resamples=self.test.n_resamples))

    def to_frame(self) -> pd.DataFrame:
        """One row per level: both curves, the difference and every p."""
        a, b = self.groups
        first, second = self.curves
        return pd.DataFrame(
            {
                "level": [level.label for level in self.levels],
                f"{a}": first.mean,
                f"{a} sem": first.sem,
                f"{a} n": first.n,
                f"{b}": second.mean,
                f"{b} sem": second.sem,
                f"{b} n": second.n,
                "difference": self.test.difference,
                "p": self.test.p,
                "p_low": self.test.p_low,
                "p_high": self.test.p_high,
                "p_exact": self.test.p_exact,
                "p_holm": self.test.p_holm,
                "p_bh": self.test.p_bh,
                "p_max_t": self.test.p_max_t,
                "p_step_down": self.test.p_step_down,
            }
        )


def level_tests(
    trials: TrialsSource,
    *,
    groups: tuple[str, str] | None = None,
    statistic: str = "participant_mean",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    by_slot: bool = False,
    exact: bool = True,
) -> LevelTests:
    """Compare two groups at every reveal level by randomization tests (paper, appendix "Psychophysics methods").

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    groups : (str, str), optional
        First minus second; alphabetical when there are exactly two.
    statistic : str
        What is compared: ``participant_mean`` (accuracy), ``pooled``, ``dprime``, ``criterion``, ``response_ms``,
        ``late_share``, or a plug-in.
    late : {"exclude", "wrong", "half"}
        What late, early and missing answers count as: left out, errors, half correct.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group scores higher.
    correction : {"step-down", "max-t", "holm", "bh", "none"}
        Which p the stars show; every one is in the table. ``holm``, ``bh`` and ``none`` take the exact p of a level where
        there is one.
    n_resamples : int
        Relabellings.
    seed : int, optional
        Their seed; drawn when absent, and part of the result.
    by_slot : bool
        Relabel only among participants who had the same plan; refused where the table has no plans (slots).
    exact : bool
        Also the exact p.

    Returns
    -------
    LevelTests
        Shown as a table by notebooks; :meth:`LevelTests.to_frame` has a row per level.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, groups=("clickme", "salicon"), alternative="greater", seed=1)
    >>> len(found.levels), bool((found.p < 0.05).any())
    (12, True)
    """
    if correction not in CORRECTIONS:
        raise InputError(f'correction: got "{correction}". {did_you_mean(correction, CORRECTIONS)}')
    trials = as_trials(trials)
    columns, table = columns_of(trials, statistic, late=late)
    pair = table.pair(groups)
    members = np.isin(table.groups, pair)
    chosen = replace(columns.rows(members), labels=tuple(level.label for level in table.levels))
    first = table.groups[members] == pair[0]
    strata = _slots(trials, table)[members] if by_slot else None
    test = randomization_test(
        chosen, first, n_resamples=n_resamples, seed=seed, alternative=alternative, strata=strata, exact=exact
    )
    curves = tuple(columns.curve(table.of(group)) for group in pair)
    return LevelTests(pair, table.levels, (curves[0], curves[1]), test, correction, late, table)


def _slots(trials: Trials, table: Cells) -> NDArray[np.int64]:
    people = trials.people()
    if (unknown := people["slot"].isna()).any():
        raise InputError(
            f"by_slot: {trials.name} does not say which plan {people.loc[unknown, 'participant_id'].nunique()} of its "
            "participants followed (slot is empty); relabel without slots, or import a column (--field slot=COLUMN)"
        )
    slot_of = dict(zip(people["participant_id"], people["slot"], strict=True))
    return np.array([slot_of[name] for name in table.participants], dtype=np.int64)
