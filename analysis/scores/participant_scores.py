"""One score of each participant, condition and level, by name."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..scores.answers import Answers
from ..scores.detection import detection_counts, detection_scores
from ..table.first_lines import target_response
from ..table.trials import Trials

Floats = NDArray[np.float64]
#: Statistic → what it is.
SCORES = {
    "participant_mean": "accuracy",
    "dprime": "d' of the participant, log-linear correction",
    "criterion": "criterion of the participant, log-linear correction",
    "response_ms": "median time of correct answers in time, ms",
    "late_share": "share of late, early and missing answers",
}


def participant_scores(trials: Trials, found: Answers, statistic: str) -> tuple[Floats, Floats]:
    """Score and number of trials, each participants × conditions × levels; NaN where there is no score.

    Parameters
    ----------
    trials : Trials
        The table that the answers come from.
    found : Answers
        Its rows with their conditions.
    statistic : str
        One of :data:`SCORES`.

    Examples
    --------
    >>> from ..scores.answers import answers
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=2).simulate(seed=1)
    >>> scores, n = participant_scores(trials, answers(trials), "participant_mean")
    >>> scores.shape, n[0, 0].sum() + n[0, 1].sum() > 0
    ((4, 2, 12), np.True_)
    """
    if statistic == "participant_mean":
        return found.accuracy()
    if statistic == "late_share":
        every = np.ones(len(found.frame), dtype=bool)
        shown = found.total(rows=every)
        late = found.total(found.frame["status"] != "ok", rows=every)
        with np.errstate(invalid="ignore", divide="ignore"):
            return late / shown, shown
    if statistic == "response_ms":
        time = found.frame["response_ms"].to_numpy(dtype=float)
        use = (found.frame["status"] == "ok").to_numpy() & (found.halves == 2) & np.isfinite(time)
        medians = pd.Series(time[use]).groupby(found.cell[use]).median()
        scores = np.full(int(np.prod(found.shape)), np.nan)
        scores[medians.index.to_numpy()] = medians.to_numpy()
        return scores.reshape(found.shape), found.total(rows=use)
    counts = detection_counts(found, target_response(trials, what=statistic))
    dprime, criterion = detection_scores(counts)
    return (dprime if statistic == "dprime" else criterion), counts[1] + counts[3]
