"""Confusion matrices of any number of answers: counts and rates by condition and level."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rapidvision.errors import InputError, did_you_mean

from ..scores.answers import ALL, answers
from ..scores.measure import Measure
from ..table.trials import TrialsSource


@dataclass(frozen=True, eq=False, repr=False)
class Confusions(Measure):
    """What was answered to what, as a long table; :meth:`matrix` gives one condition and level as a matrix.

    Attributes
    ----------
    table : DataFrame
        One row per condition, level, truth and answer: `count`, `n`, `rate`.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> rv.analysis.confusion(trials).matrix("clickme", "full").index.tolist()
    ['distractor', 'target']
    """

    def matrix(self, condition: str, level: str = ALL, *, rates: bool = False) -> pd.DataFrame:
        """Truths in rows, answers in columns.

        Parameters
        ----------
        condition, level : str
            As in the table; level ``all`` stands on every answer.
        rates : bool
            Shares of a truth's trials instead of counts.

        Raises
        ------
        InputError
            When there is no such condition or level.
        """
        for name, value in (("condition", condition), ("level", level)):
            known = list(dict.fromkeys(self.table[name]))
            if value not in known:
                raise InputError(f'{name}: got "{value}". {did_you_mean(value, known)}')
        rows = self.table[(self.table["condition"] == condition) & (self.table["level"] == level)]
        return rows.pivot_table(
            index="truth", columns="answer", values="rate" if rates else "count", fill_value=0, sort=True, aggfunc="sum"
        )


def confusion(trials: TrialsSource, *, by: str | None = None) -> Confusions:
    """Count what was answered to what.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with answers and truths; any number of options.
    by : str, optional
        Column that holds the conditions; groups by default.

    Returns
    -------
    Confusions
        One row per condition, level (and ``all``), truth and answer: `count`, `n` (trials of that truth) and `rate`.
        Answers in time only: late ones are left out and counted in the first lines.

    Raises
    ------
    InputError
        When the table holds only whether answers were correct.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> table = rv.analysis.confusion(trials).to_frame()
    >>> table.groupby(["condition", "level", "truth"])["rate"].sum().round(9).unique().tolist()
    [1.0]
    """
    found = answers(trials, by=by)
    frame = found.frame
    if (unknown := frame["correct_response"].isna() | frame["response"].isna()).any():
        raise InputError(
            f"confusion: {found.name} has {int(unknown.sum()):,} of {len(frame):,} trials without answer or truth; answers "
            "and truths are needed (import with --field response=COLUMN --field target=COLUMN)"
        )
    use = found.counted
    rows = pd.DataFrame(
        {
            "condition": found.condition[use],
            "level": found.level[use],
            "truth": frame["correct_response"].to_numpy()[use],
            "answer": frame["response"].to_numpy()[use],
        }
    )
    both = pd.concat([rows, rows.assign(level=len(found.levels))])
    keys = ["condition", "level", "truth"]
    table = both.groupby([*keys, "answer"]).size().rename("count").reset_index()
    table["n"] = table.groupby(keys)["count"].transform("sum")
    table["rate"] = table["count"] / table["n"]
    labels = np.array([*(level.label for level in found.levels), ALL], dtype=object)
    table["level"] = labels[table["level"].to_numpy()]
    table["condition"] = np.array(found.conditions, dtype=object)[table["condition"].to_numpy()]
    return Confusions(table, found.notes, ("every trial weighs the same; pairs that never occurred have no row",))
