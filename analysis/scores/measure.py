"""What every measure returns: a table, notes on it, and what was left out."""

from dataclasses import dataclass

import pandas as pd

from rapidvision.text.result_repr import ShownAsTable


@dataclass(frozen=True, eq=False, repr=False)
class Measure(ShownAsTable):
    """A measure by condition, as a table.

    Attributes
    ----------
    table : DataFrame
        One row per condition, and level where there are levels.
    left_out : tuple of str
        Who answered when it was not people, and what was left out, with counts.
    notes : tuple of str
        What the reader should know of the numbers: definitions, corrections, warnings.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.response_times(trials)
    >>> len(found.to_frame()) > 0, found.opening()[0]
    (True, 'observers: simulated')
    """

    table: pd.DataFrame
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table

    def opening(self) -> tuple[str, ...]:
        """Who answered when it was not people, and what was left out, with counts."""
        return self.left_out
