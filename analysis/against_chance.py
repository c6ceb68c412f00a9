"""Every group and level against chance."""

from dataclasses import dataclass

import pandas as pd

from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import ShownAsTable

from .designs.contrast import split_by
from .inference.above_chance import ChanceTest, chance_test
from .table.accuracy import cells
from .table.first_lines import LateRule
from .table.trials import TrialsSource, as_trials


@dataclass(frozen=True, eq=False, repr=False)
class ChanceTests(ShownAsTable):
    """Every group against chance.

    Attributes
    ----------
    tests : tuple of ChanceTest
        One per group, in alphabetical order.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.chance(trials, n_resamples=99, seed=1)
    >>> len(found.tests), len(found.to_frame())
    (2, 24)
    """

    tests: tuple[ChanceTest, ...]
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per group and level."""
        return pd.concat([one.to_frame() for one in self.tests], ignore_index=True)


def chance(
    trials: TrialsSource,
    *,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    guess: float | None = None,
    by: str | None = None,
) -> ChanceTests:
    """Test every group and level against chance by sign flips.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    late : {"exclude", "wrong", "half"}
        What a late answer counts as.
    n_resamples : int
        Sign flips.
    seed : int, optional
        Their seed; drawn when absent, and part of the result.
    guess : float, optional
        As in :func:`fit_psychometric`.
    by : str, optional
        Column whose values are tested instead of the groups; a participant may have several.

    Returns
    -------
    ChanceTests
        A table with a row per group and level; p is corrected by Holm within a group.

    Raises
    ------
    InputError
        When the guess rate is unknown.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> rv.analysis.chance(trials, n_resamples=999, seed=1).to_frame().groupby("group")["level"].count().to_dict()
    {'clickme': 12, 'salicon': 12}
    """
    seed = fresh_seed() if seed is None else seed
    table = cells(split_by(as_trials(trials).guessing(guess), by), late=late)
    groups = sorted({str(name) for name in table.groups})
    return ChanceTests(
        tuple(chance_test(table, group, n_resamples=n_resamples, seed=seed) for group in groups), table.notes
    )
