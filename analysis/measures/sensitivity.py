"""d′ and criterion of every participant, by condition and level, with tests between conditions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..scores.answers import ALL, Answers, answers
from ..scores.condition_tests import condition_tests
from ..scores.detection import detection_counts, detection_scores
from ..scores.measure import Measure
from ..table.first_lines import LateRule, target_response
from ..table.trials import TrialsSource, as_trials

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Measure):
    """d′ and criterion by condition and level; the level ``all`` stands on every answer.

    Attributes
    ----------
    participants : DataFrame
        One row per participant, condition and level: `hits` of `targets`, `false_alarms` of `distractors`, both rates as
        they are, `dprime` and `criterion` with the log-linear correction.
    tests : DataFrame
        One row per level and score with the difference of two conditions; empty where there are not two.
    seed : int
        Of the tests.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> found = rv.analysis.sensitivity(trials, n_resamples=99, seed=1)
    >>> len(found.participants), len(found.tests), found.tests["score"][0]
    (156, 26, 'dprime 1')
    """

    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0


def sensitivity(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> Sensitivity:
    """Compute d′ and criterion of every participant, and compare two conditions.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with two answers: one for targets, one for all others.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second; needed for tests where there are more than two.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as; ``wrong``: a miss for a target, a false alarm for a distractor.
    n_resamples : int
        Relabellings, or sign flips where the same participants saw both conditions.
    seed : int, optional
        Their seed; drawn when absent.

    Returns
    -------
    Sensitivity
        Means of participants, the participants' own values, and the tests.

    Raises
    ------
    InputError
        When the table has not two answers, or a column or condition is unknown.

    Notes
    -----
    Log-linear correction (Hautus, 1995): one half is added to hits and to false alarms and one to the number of trials of
    either kind, in every cell, so that rates of 0 and 1 have finite z. It draws d′ towards 0 with few trials: cells of
    different numbers of trials are not comparable. d′ = z(hit) − z(false alarm), criterion = −(z(hit) + z(false alarm)) / 2.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> found = rv.analysis.sensitivity(trials, n_resamples=99, seed=1)
    >>> found.to_frame()[["condition", "level", "n"]].values.tolist()[-1]
    ['salicon', 'all', 6]
    """
    checked = as_trials(trials)
    yes = target_response(checked, what="dprime")
    found = answers(checked, by=by, late=late)
    by_level = detection_counts(found, yes)
    counts = np.concatenate([by_level, by_level.sum(axis=-1, keepdims=True)], axis=-1)
    hits, targets, alarms, distractors = counts
    scores = detection_scores(counts)
    labels = [*(level.label for level in found.levels), ALL]
    with np.errstate(invalid="ignore", divide="ignore"):
        people = _people(found, labels, counts, np.stack([hits / targets, alarms / distractors]), scores)
    seed = fresh_seed() if seed is None else seed
    tests, notes = pd.DataFrame(), ["log-linear correction (+ 1/2 of + 1 trials of either kind, in every cell)"]
    if len(found.conditions) > 1 and (conditions or len(found.conditions) == 2):
        names = found.pair(conditions)
        at = (found.conditions.index(names[0]), found.conditions.index(names[1]))
        columns = np.concatenate([scores[0], scores[1]], axis=-1)
        named = [f"{score} {label}" for score in ("dprime", "criterion") for label in labels]
        families = [f"{score} {label == ALL}" for score in ("dprime", "criterion") for label in labels]
        tests, said = condition_tests(
            columns, named, at, names, n_resamples=n_resamples, seed=seed, families=families, exact=False
        )
        notes.append("p_holm of d' and of criterion is corrected over the levels; that of `all` stands alone")
        notes += said
    one_kind = int((np.isnan(scores[0]) & (targets + distractors > 0))[..., :-1].sum())
    if one_kind:
        notes.append(f"{one_kind} cells hold targets or distractors only and have no d′")
    return Sensitivity(_summary(people), found.notes, tuple(notes), people, tests, seed)


def _people(found: Answers, labels: list[str], counts: Floats, rates: Floats, scores: Floats) -> pd.DataFrame:
    n, c, k = found.shape
    table = pd.DataFrame(
        {
            "participant_id": np.repeat(np.array(found.participants, dtype=object), c * (k + 1)),
            "condition": np.tile(np.repeat(np.array(found.conditions, dtype=object), k + 1), n),
            "level": np.tile(np.array(labels, dtype=object), n * c),
        }
    )
    for name, values in zip(("hits", "targets", "false_alarms", "distractors"), counts, strict=True):
        table[name] = values.ravel()
    for name, values in zip(("hit_rate", "false_alarm_rate", "dprime", "criterion"), (*rates, *scores), strict=True):
        table[name] = values.ravel()
    return table[table["targets"] + table["distractors"] > 0].reset_index(drop=True)


def _summary(people: pd.DataFrame) -> pd.DataFrame:
    names = ["hit_rate", "false_alarm_rate", "dprime", "criterion"]
    grouped = people.groupby(["condition", "level"], sort=False)
    table = grouped[names].mean()
    for name in ("dprime", "criterion"):
        table[f"{name}_sem"] = grouped[name].sem()
    table.insert(0, "n", grouped["dprime"].count())
    order = {name: at for at, name in enumerate(dict.fromkeys(people["condition"]))}
    return table.reset_index().sort_values(
        "condition", key=lambda one: one.map(order), kind="stable", ignore_index=True
    )
