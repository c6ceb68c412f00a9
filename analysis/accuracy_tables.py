"""Accuracy as data frames: of every participant, and of every group, at every reveal level. No test, no figure."""

import numpy as np
import pandas as pd

from .table.accuracy import Cells, cells, curve_of
from .table.first_lines import LateRule
from .table.trials import TrialsSource, as_trials


def bins(trials: TrialsSource, *, late: LateRule = "exclude") -> pd.DataFrame:
    """Count every participant's trials and correct answers at every reveal level.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    late : {"exclude", "wrong", "half"}
        What an answer outside the response window counts as: nothing, a wrong answer, or half a correct one.

    Returns
    -------
    DataFrame
        One row per participant and level: `participant_id`, `group`, `level`, `percent` (of the features; infinity for
        the intact image), `n_trials`, `n_correct` and `accuracy` (0 … 1, NaN without trials). ``attrs["notes"]`` says
        what was left out, with counts.

    Raises
    ------
    InputError
        When there are several kinds of observers, or no trial is left.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=2).simulate(seed=1)
    >>> found = rv.analysis.bins(trials)
    >>> len(found), found.groupby("group")["participant_id"].nunique().to_dict()
    (48, {'clickme': 2, 'salicon': 2})
    >>> found.pivot(index="participant_id", columns="level", values="accuracy").shape
    (4, 12)
    """
    table = cells(as_trials(trials), late=late)
    n_people, n_levels = table.n_trials.shape
    found = pd.DataFrame(
        {
            "participant_id": np.repeat(np.array(table.participants, dtype=object), n_levels),
            "group": np.repeat(table.groups, n_levels),
            **_levels(table, n_people),
            "n_trials": table.n_trials.ravel(),
            "n_correct": table.halves.ravel() / 2,
            "accuracy": table.accuracy.ravel(),
        }
    )
    found.attrs["notes"] = table.notes
    return found


def curve(trials: TrialsSource, *, late: LateRule = "exclude") -> pd.DataFrame:
    """Average the participants of every group at every reveal level: the curves of Fig. 2B, as numbers.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    late : {"exclude", "wrong", "half"}
        As in :func:`bins`.

    Returns
    -------
    DataFrame
        One row per group and level: `group`, `level`, `percent`, `mean` and `sem` over participants (0 … 1), and `n`,
        participants with trials there. ``attrs["notes"]`` says what was left out, with counts.

    Raises
    ------
    InputError
        When there are several kinds of observers, or no trial is left.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=2).simulate(seed=1)
    >>> rv.analysis.curve(trials)[["group", "level", "n"]].iloc[[0, 23]].values.tolist()
    [['clickme', '1', 2], ['salicon', 'full', 2]]
    """
    table = cells(as_trials(trials), late=late)
    names = sorted({str(name) for name in table.groups})
    parts = []
    for name in names:
        mean, sem, n = curve_of(table.accuracy[table.of(name)])
        parts.append(pd.DataFrame({"group": name, **_levels(table, 1), "mean": mean, "sem": sem, "n": n}))
    found = pd.concat(parts, ignore_index=True)
    found.attrs["notes"] = table.notes
    return found


def _levels(table: Cells, n_times: int) -> dict[str, list[str] | list[float]]:
    """Columns that name the levels, repeated."""
    return {
        "level": [level.label for level in table.levels] * n_times,
        "percent": [float("inf") if level.full else float(level.percent) for level in table.levels] * n_times,
    }
