"""Response times: median and quantiles by correctness, and conditional accuracy functions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..scores.answers import ALL, Answers, answers
from ..scores.measure import Measure
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource

Floats = NDArray[np.float64]
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
#: Parts of a participant's answers, from fast to slow.
N_PARTS = 5
WORDS = {True: "correct", False: "wrong"}


def response_times(
    trials: TrialsSource,
    *,
    by: str | None = None,
    quantiles: Sequence[float] = QUANTILES,
    late: LateRule = "exclude",
) -> Measure:
    """Median and quantiles of the participants' response times, for correct and wrong answers.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column that holds the conditions; groups by default.
    quantiles : sequence of float
        From 0 to 1, both excluded.
    late : {"exclude", "wrong"}
        ``exclude``: answers in time only; ``wrong``: late and early answers count as wrong, with their times.

    Returns
    -------
    Measure
        One row per condition, level (and ``all``) and correctness: `n` participants, `n_trials`, `median_ms` (mean of the
        participants' medians) with `sem_ms`, and `q10_ms` … the participants' quantiles averaged (Ratcliff, 1979).

    Raises
    ------
    InputError
        When a quantile is outside its range, no answer has a time, or `late` is ``half``: a time is not half an answer.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> table = rv.analysis.response_times(trials).to_frame()
    >>> table.loc[table["level"] == "all", ["condition", "answers", "n"]].values.tolist()[:2]
    [['clickme', 'correct', 6], ['clickme', 'wrong', 6]]
    """
    if bad := [one for one in quantiles if not 0 < one < 1]:
        raise InputError(f"quantiles: got {bad[0]:g}; allowed are numbers between 0 and 1, such as 0.5")
    found = _timed(trials, by=by, late=late)
    time, right = found.frame["response_ms"].to_numpy(dtype=float), found.halves == 2
    use = found.counted & np.isfinite(time)
    table = pd.DataFrame(
        {
            "participant": found.participant[use],
            "condition": found.condition[use],
            "level": found.level[use],
            "right": right[use],
            "time": time[use],
        }
    )
    both = pd.concat([table, table.assign(level=len(found.levels))])
    marks = tuple(dict.fromkeys((0.5, *quantiles)))
    keys = ["condition", "level", "right"]
    people = both.groupby([*keys, "participant"])["time"]
    own = pd.DataFrame({mark: people.quantile(mark) for mark in marks})
    grouped = own.groupby(keys)
    out = pd.DataFrame({"n": grouped.size(), "n_trials": both.groupby(keys).size()})
    out["median_ms"], out["sem_ms"] = grouped[0.5].mean(), grouped[0.5].sem()
    for mark in quantiles:
        out[f"q{100 * mark:g}_ms"] = grouped[mark].mean()
    out = out.reset_index().sort_values(
        ["condition", "level", "right"], ascending=[True, True, False], ignore_index=True
    )
    labels = [*(level.label for level in found.levels), ALL]
    out["condition"] = [found.conditions[code] for code in out["condition"]]
    out["level"] = [labels[code] for code in out["level"]]
    out.insert(2, "answers", [WORDS[one] for one in out.pop("right")])
    return Measure(
        out, found.notes, ("medians and quantiles of each participant, averaged; every participant weighs the same",)
    )


def conditional_accuracy(
    trials: TrialsSource, *, by: str | None = None, n_parts: int = N_PARTS, late: LateRule = "exclude"
) -> Measure:
    """Accuracy as a function of response time: each participant's answers in equal parts from fast to slow.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column that holds the conditions; groups by default.
    n_parts : int, default 5
        Parts, 2 or more.
    late : {"exclude", "wrong"}
        As in :func:`response_times`.

    Returns
    -------
    Measure
        One row per condition and part: mean time and accuracy over participants, `sem`, and the 95 % t interval `low`,
        `high` of the accuracy. Participants with fewer answers than parts are left out and counted.

    Raises
    ------
    InputError
        When there are fewer than two parts, or no participant has enough timed answers.

    Notes
    -----
    Parts are made of all levels together. Where slow answers come from other levels than fast ones, the function shows
    that, too; choose levels with ``where`` to look at one of them.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> table = rv.analysis.conditional_accuracy(trials, n_parts=4).to_frame()
    >>> table.groupby("condition")["part"].count().to_dict(), bool((table["response_ms"].diff().iloc[1:4] > 0).all())
    ({'clickme': 4, 'salicon': 4}, True)
    """
    from scipy.stats import t as student

    if n_parts < 2:
        raise InputError(f"n_parts: got {n_parts}; at least 2 parts are needed")
    found = _timed(trials, by=by, late=late)
    own, too_few = parts_of(found, n_parts)
    if own.empty:
        raise InputError(
            f"{found.name}: no participant has {n_parts} answers with a time in a condition; take fewer parts"
        )
    grouped = own.groupby(["condition", "part"])
    table = grouped[["time", "score"]].mean().rename(columns={"time": "response_ms", "score": "accuracy"})
    table.insert(0, "n", grouped.size())
    table["sem"] = grouped["score"].sem()
    half = student.ppf(0.975, np.maximum(table["n"] - 1, 1)) * table["sem"]
    table["low"], table["high"] = table["accuracy"] - half, table["accuracy"] + half
    table = table.reset_index()
    table["condition"] = [found.conditions[code] for code in table["condition"]]
    table["part"] += 1
    notes = [f"each participant's answers in {n_parts} equal parts from fast (1) to slow; all levels together"]
    if too_few:
        notes.append(
            f"{too_few} participants (in a condition) have fewer than {n_parts} answers with a time and are left out"
        )
    return Measure(table, found.notes, tuple(notes))


def _timed(trials: TrialsSource, *, by: str | None, late: LateRule) -> Answers:
    if late == "half":
        raise InputError(
            'late: got "half"; a time is not half an answer: leave late answers out or count them as wrong'
        )
    found = answers(trials, by=by, late=late)
    if not (found.counted & found.frame["response_ms"].notna().to_numpy()).any():
        raise InputError(f"{found.name}: no answer has a time (response_ms is empty); import a column with times")
    return found


def parts_of(found: Answers, n_parts: int) -> tuple[pd.DataFrame, int]:
    """Mean time and score of every participant, condition and part; how many had too few answers.

    Answers of equal times are ordered by their level and score, which is the same in any file.
    """
    time = found.frame["response_ms"].to_numpy(dtype=float)
    use = found.counted & np.isfinite(time)
    table = pd.DataFrame(
        {
            "participant": found.participant[use],
            "condition": found.condition[use],
            "level": found.level[use],
            "time": time[use],
            "score": found.halves[use] / 2,
        }
    ).sort_values(["participant", "condition", "time", "level", "score"], ignore_index=True)
    keys = ["participant", "condition"]
    place, size = table.groupby(keys).cumcount(), table.groupby(keys)["time"].transform("size")
    enough = size >= n_parts
    too_few = table.loc[~enough, keys].drop_duplicates().shape[0]
    table["part"] = place * n_parts // size
    own = table[enough].groupby([*keys, "part"], as_index=False)[["time", "score"]].mean()
    return own, too_few
