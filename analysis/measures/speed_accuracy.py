"""Speed against accuracy: of conditions, across participants, and from answer to answer."""

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
#: Fewest participants of a correlation that has an interval.
_LEAST = 4


@dataclass(frozen=True, eq=False, repr=False)
class SpeedAccuracy(Measure):
    """Speed and accuracy by condition.

    Attributes
    ----------
    participants : DataFrame
        One row per participant and condition: `accuracy`, `response_ms` (mean time of correct answers), `balance` and
        `slow_minus_fast`.
    tests : DataFrame
        Differences of two conditions; empty where there are not two.
    seed : int
        Of the tests.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> found = rv.analysis.speed_accuracy(trials, n_resamples=99, seed=1)
    >>> found.tests["score"].tolist()
    ['accuracy', 'response_ms', 'balance']
    """

    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0


def speed_accuracy(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> SpeedAccuracy:
    """Ask whether a difference of accuracy is one of speed traded for accuracy.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with times.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second; needed for tests where there are more than two.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    n_resamples, seed : int
        Of the tests.

    Returns
    -------
    SpeedAccuracy
        One row per condition: `accuracy`, `response_ms`; `balance`, the balanced integration score (Liesefeld & Janczyk,
        2019): z of accuracy minus z of time, both over all participants and conditions, so that better at the cost of
        slower gives no change; `r`, the correlation of accuracy and time across participants with its 95 % interval
        (Fisher's z): positive where slower participants are more accurate; `slow_minus_fast`, the mean within
        participants of accuracy in the slower minus in the faster half of the answers of each level, and its sign-flip p.

    Raises
    ------
    InputError
        When no answer has a time.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> rv.analysis.speed_accuracy(trials, n_resamples=99, seed=1).to_frame()["n"].tolist()
    [6, 6]
    """
    found = answers(trials, by=by, late=late)
    if not found.frame["response_ms"].notna().any():
        raise InputError(f"{found.name}: no answer has a time (response_ms is empty); import a column with times")
    seed = fresh_seed() if seed is None else seed
    scores = _scores(found)
    halves = slow_minus_fast(found)
    rows = []
    for c, condition in enumerate(found.conditions):
        own = scores[:, c]
        here = np.isfinite(own).all(axis=-1)
        test = sign_flip_test(halves[:, c], n_resamples=n_resamples, seed=seed)
        r, low, high = correlation(own[here, 0], own[here, 1])
        mean = own[here].mean(axis=0) if here.any() else np.full(3, np.nan)
        rows.append(
            {
                "condition": condition,
                "n": int(here.sum()),
                "accuracy": mean[0],
                "response_ms": mean[1],
                "balance": mean[2],
                "r": r,
                "r_low": low,
                "r_high": high,
                "slow_minus_fast": test.mean[0],
                "p_slow_minus_fast": test.p_best[0],
            }
        )
    tests, notes = pd.DataFrame(), ["response_ms: mean time of correct answers; balance: z(accuracy) - z(response_ms)"]
    if len(found.conditions) > 1 and (conditions or len(found.conditions) == 2):
        pair = found.pair(conditions)
        at = (found.conditions.index(pair[0]), found.conditions.index(pair[1]))
        tests, said = condition_tests(
            scores, ("accuracy", "response_ms", "balance"), at, pair, n_resamples=n_resamples, seed=seed
        )
        notes += said
        gaps = tests["difference"].to_numpy()
        if gaps[0] * gaps[1] > 0:
            better = pair[0] if gaps[0] > 0 else pair[1]
            notes.append(
                f"warning: {better} is more accurate and slower; compare balance, in which speed traded for accuracy cancels"
            )
    n, k = len(found.participants), len(found.conditions)
    people = pd.DataFrame(
        {
            "participant_id": np.repeat(np.array(found.participants, dtype=object), k),
            "condition": np.tile(np.array(found.conditions, dtype=object), n),
            "accuracy": scores[..., 0].ravel(),
            "response_ms": scores[..., 1].ravel(),
            "balance": scores[..., 2].ravel(),
            "slow_minus_fast": halves.ravel(),
        }
    )
    people = people[np.isfinite(scores[..., 0]).ravel()].reset_index(drop=True)
    return SpeedAccuracy(pd.DataFrame(rows), found.notes, tuple(notes), people, tests, seed)


def _scores(found: Answers) -> Floats:
    """Accuracy, time of correct answers and their balance, participants × conditions × 3."""
    n, every = found.total(found.halves).sum(axis=-1) / 2, found.total().sum(axis=-1)
    time = found.frame["response_ms"].to_numpy(dtype=float)
    timed = found.counted & (found.halves == 2) & np.isfinite(time)
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = n / every
        mean_ms = found.total(np.nan_to_num(time), rows=timed).sum(axis=-1) / found.total(rows=timed).sum(axis=-1)
        here = np.isfinite(accuracy) & np.isfinite(mean_ms)
        z = [_z(np.where(here, values, np.nan)) for values in (accuracy, mean_ms)]
    return np.stack([accuracy, mean_ms, z[0] - z[1]], axis=-1)


def _z(values: Floats) -> Floats:
    here = values[np.isfinite(values)]
    spread = here.std() if len(here) else 0.0
    return np.asarray((values - here.mean()) / spread if spread > 0 else np.where(np.isfinite(values), 0.0, np.nan))


def correlation(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Pearson's r with its 95 % interval by Fisher's z; NaN where a variable is constant or there are fewer than four.

    Examples
    --------
    >>> r, low, high = correlation(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 5, 4]))
    >>> round(r, 2), round(low, 2), round(high, 2)
    (0.8, -0.28, 0.99)
    """
    if len(x) < _LEAST or not x.std() or not y.std():
        return float("nan"), float("nan"), float("nan")
    r = float(np.corrcoef(x, y)[0, 1])
    z, half = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)), 1.959964 / np.sqrt(len(x) - 3)
    return r, float(np.tanh(z - half)), float(np.tanh(z + half))


def slow_minus_fast(found: Answers) -> Floats:
    """Accuracy of the slower minus the faster half of each level's answers, participants × conditions.

    Levels with one answer do not count; of an odd number, the answer in the middle counts in neither half. Levels weigh by
    their number of answers.
    """
    time = found.frame["response_ms"].to_numpy(dtype=float)
    use = found.counted & np.isfinite(time)
    frame = pd.DataFrame({"cell": found.cell[use], "time": time[use], "score": found.halves[use] / 2})
    rank = frame.groupby("cell")["time"].rank(method="average")
    size = frame.groupby("cell")["time"].transform("size")
    side = np.sign(rank - (size + 1) / 2)  # equal times in the middle count in neither half
    sums = []
    for sign in (1, -1):
        rows = frame[side == sign]
        total = np.bincount(rows["cell"], weights=rows["score"], minlength=int(np.prod(found.shape)))
        count = np.bincount(rows["cell"], minlength=int(np.prod(found.shape)))
        sums.append((total.reshape(found.shape), count.reshape(found.shape)))
    (slow, n_slow), (fast, n_fast) = sums
    both = np.minimum(n_slow, n_fast)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(both > 0, slow / n_slow - fast / n_fast, 0.0)
        return np.asarray((gap * both).sum(axis=-1) / both.sum(axis=-1))
