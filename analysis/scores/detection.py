"""Hits, false alarms, d′ and criterion of cells of answers."""

import numpy as np
from numpy.typing import NDArray

from ..scores.answers import Answers

Floats = NDArray[np.float64]


def rates_z(successes: Floats, trials: Floats) -> Floats:
    """Z of a rate with the log-linear correction.

    Examples
    --------
    >>> rates_z(np.array([10.0, 5.0]), np.array([10.0, 10.0])).round(3).tolist()
    [1.691, 0.0]
    """
    from scipy.special import ndtri

    return np.asarray(ndtri((successes + 0.5) / (trials + 1)))


def detection_counts(found: Answers, yes: str) -> Floats:
    """Hits, targets, false alarms, distractors: shape (4, participants, conditions, levels)."""
    frame = found.frame
    in_time = (frame["status"] == "ok").to_numpy()
    target = frame["target"].to_numpy(dtype=bool)
    said = in_time & (frame["response"] == yes).to_numpy()
    wrong = {"exclude": 0.0, "half": 0.5}.get(found.late)
    not_in_time = (~target).astype(float) if wrong is None else np.full(len(frame), wrong)
    if found.late == "wrong":  # not responding may be the right answer, as in go / no-go tasks
        not_in_time = not_in_time * ~(frame["correct"] == True).to_numpy()  # noqa: E712 (None is neither)
    yes_share = np.where(in_time, said, not_in_time)
    return np.stack(
        [
            found.total(yes_share * target),
            found.total(target),
            found.total(yes_share * ~target),
            found.total(~target),
        ]
    )


def detection_scores(counts: Floats) -> Floats:
    """d′ and criterion with the log-linear correction, shape (2, …); NaN without trials of both kinds.

    Parameters
    ----------
    counts : ndarray of float64, shape (4, …)
        Hits, targets, false alarms, distractors.

    Examples
    --------
    >>> detection_scores(np.array([[9.0], [10.0], [2.0], [10.0]])).round(2).tolist()
    [[1.84], [-0.17]]
    """
    hits, targets, alarms, distractors = counts
    hit, alarm = rates_z(hits, targets), rates_z(alarms, distractors)
    usable = (targets > 0) & (distractors > 0)
    return np.where(usable, np.stack([hit - alarm, -(hit + alarm) / 2]), np.nan)
