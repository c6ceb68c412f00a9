"""Learning over blocks: accuracy and time by block, and each participant's slope."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..scores.answers import Answers, answers
from ..scores.condition_tests import condition_tests
from ..scores.measure import Measure
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Learning(Measure):
    """Accuracy and response time by condition and block.

    Attributes
    ----------
    slopes : DataFrame
        One row per condition: the mean of the participants' slopes per block, of accuracy and of the time of correct
        answers, with the sign-flip p that it is 0.
    participants : DataFrame
        One row per participant and condition with both slopes.
    tests : DataFrame
        Difference of the slopes of two conditions; empty where there are not two.
    seed : int
        Of the tests.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> found = rv.analysis.learning(trials, n_resamples=99, seed=1)
    >>> found.slopes["condition"].tolist(), found.tests["score"].tolist()
    (['clickme', 'salicon'], ['accuracy per block', 'response_ms per block'])
    """

    slopes: pd.DataFrame = field(default_factory=pd.DataFrame)
    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0


def learning(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> Learning:
    """Ask whether participants become better or faster from block to block, and whether two conditions differ in that.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with two blocks or more.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second; needed for the comparison where there are more than two.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    n_resamples, seed : int
        Of the tests.

    Returns
    -------
    Learning
        Accuracy by block is free of the levels that happened to be in it: from every answer the mean of its condition and
        level is taken, and the condition's mean is added again.

    Raises
    ------
    InputError
        When the table has one block only.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> rv.analysis.learning(trials, n_resamples=99, seed=1).to_frame().groupby("condition")["block"].count().to_dict()
    {'clickme': 5, 'salicon': 5}
    """
    found = answers(trials, by=by, late=late)
    block = found.frame["block"].to_numpy(dtype=np.int64)
    if len(set(block[found.counted].tolist())) < 2:
        raise InputError(f"learning: {found.name} has one block only; two are needed (column block)")
    seed = fresh_seed() if seed is None else seed
    score, time = adjusted(found)
    slopes = np.stack([_slopes(found, block, score), _slopes(found, block, time)], axis=-1)
    names = ("accuracy per block", "response_ms per block")
    rows = []
    for c, condition in enumerate(found.conditions):
        test = sign_flip_test(slopes[:, c], n_resamples=n_resamples, seed=seed)
        row: dict[str, object] = {"condition": condition, "n": int(test.n[0])}
        for at, name in enumerate(names):
            row |= {name: test.mean[at], f"p {name.split()[0]}": test.p_best[at]}
        rows.append(row)
    tests, notes = pd.DataFrame(), ["slopes of participants, least squares; p by sign flips, two-sided"]
    if len(found.conditions) > 1 and (conditions or len(found.conditions) == 2):
        pair = found.pair(conditions)
        at_pair = (found.conditions.index(pair[0]), found.conditions.index(pair[1]))
        tests, said = condition_tests(slopes, names, at_pair, pair, n_resamples=n_resamples, seed=seed)
        notes += said
    people = pd.DataFrame(
        {
            "participant_id": np.repeat(np.array(found.participants, dtype=object), len(found.conditions)),
            "condition": np.tile(np.array(found.conditions, dtype=object), len(found.participants)),
            names[0]: slopes[..., 0].ravel(),
            names[1]: slopes[..., 1].ravel(),
        }
    )
    people = people[np.isfinite(slopes).any(axis=-1).ravel()].reset_index(drop=True)
    return Learning(
        _blocks(found, block, score, time), found.notes, tuple(notes), pd.DataFrame(rows), people, tests, seed
    )


def adjusted(found: Answers) -> tuple[Floats, Floats]:
    """Score and time of every row, the effect of its level within its condition taken out.

    Returns
    -------
    score : ndarray of float64, shape (rows,)
        NaN where the rule for late answers leaves it out.
    time : ndarray of float64, shape (rows,)
        In ms; NaN where the answer is wrong or has no time.
    """
    score = np.where(found.counted, found.halves / 2, np.nan)
    time = found.frame["response_ms"].to_numpy(dtype=float)
    time = np.where(found.counted & (found.halves == 2), time, np.nan)
    frame = pd.DataFrame({"condition": found.condition, "level": found.level, "score": score, "time": time})
    level_mean = frame.groupby(["condition", "level"])[["score", "time"]].transform("mean")
    mean = frame.groupby("condition")[["score", "time"]].transform("mean")
    free = frame[["score", "time"]] - level_mean + mean
    return free["score"].to_numpy(), free["time"].to_numpy()


def _slopes(found: Answers, block: NDArray[np.int64], values: Floats) -> Floats:
    """Least-squares slope per block, participants × conditions; NaN with one block."""
    use = np.isfinite(values)
    n, c, _ = found.shape
    key = found.participant[use] * c + found.condition[use]
    x, y = block[use].astype(float), values[use]

    def total(weights: Floats) -> Floats:
        return np.bincount(key, weights=weights, minlength=n * c).astype(float)

    count = total(np.ones(len(x)))
    with np.errstate(invalid="ignore", divide="ignore"):
        x = x - (total(x) / count)[key]
        spread = total(x * x)
        slope = np.where(spread > 0, total(x * y) / spread, np.nan)
    return slope.reshape(n, c)


def _blocks(found: Answers, block: NDArray[np.int64], score: Floats, time: Floats) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "condition": found.condition,
            "block": block,
            "participant": found.participant,
            "accuracy": score,
            "response_ms": time,
        }
    )
    own = frame.groupby(["condition", "block", "participant"])[["accuracy", "response_ms"]].mean()
    grouped = own.groupby(["condition", "block"])
    table = pd.DataFrame({"n": grouped["accuracy"].count()})
    for name in ("accuracy", "response_ms"):
        table[name], table[f"{name}_sem"] = grouped[name].mean(), grouped[name].sem()
    table = table.reset_index()
    table["condition"] = [found.conditions[code] for code in table["condition"]]
    return table
