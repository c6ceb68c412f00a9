"""Split-half reliability of every measure: how much two halves of a participant's trials agree."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import row_order
from rapidvision.seeds import fresh_seed, stream

from ..scores.answers import Answers, answers
from ..scores.detection import detection_scores
from ..scores.measure import Measure
from ..table.first_lines import LateRule, target_response
from ..table.trials import Trials, TrialsSource, as_trials

Floats = NDArray[np.float64]
#: Random splits that are averaged.
N_SPLITS = 200
#: Fewest participants whose halves are correlated.
LEAST = 4


def split_half(
    trials: TrialsSource,
    *,
    by: str | None = None,
    late: LateRule = "exclude",
    n_splits: int = N_SPLITS,
    seed: int | None = None,
) -> Measure:
    """Correlate random halves of the participants' trials, for every measure that the table has.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column that holds the conditions; groups by default.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    n_splits : int, default 200
        Random splits, averaged by Fisher's z.
    seed : int, optional
        Of the splits; drawn and told in the notes when absent.

    Returns
    -------
    Measure
        One row per condition and measure: `n` participants, `r` of the halves, `reliability` (Spearman-Brown: of all trials)
        and its 95 % interval by the jackknife over participants. Measures that the table has not are left out and named.

    Raises
    ------
    InputError
        When there is no split, or no condition has four participants.

    Notes
    -----
    Each participant's answers are divided at random within condition, level and kind (target or distractor), so that halves
    have the same levels. Participants differ in what they saw where plans are counterbalanced; that counts as noise here.
    With few participants the interval is wide, and below 0 the reliability of a difference that all share.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=20, sd_participant=1.5).simulate(seed=1)
    >>> table = rv.analysis.split_half(trials, n_splits=20, seed=1).to_frame()
    >>> table["measure"].tolist()[:5]
    ['accuracy', 'response_ms', 'late_share', 'dprime', 'criterion']
    """
    if n_splits < 1:
        raise InputError(f"n_splits: got {n_splits}; at least 1 is needed")
    checked = as_trials(trials)
    found = answers(checked, by=by, late=late)
    seed = fresh_seed() if seed is None else seed
    makers, missing = _makers(checked, found)
    halves = [_halves(found, number, seed) for number in range(n_splits)]
    rows = []
    for c, condition in enumerate(found.conditions):
        for name, maker in makers.items():
            scores = np.stack([np.stack([maker(found, c, half == side) for side in (0, 1)]) for half in halves])
            rows.append({"condition": condition, "measure": name, **_reliability(scores)})
    table = pd.DataFrame(rows)
    if table["r"].isna().all():
        raise InputError(f"split_half: no condition has {LEAST} participants with both halves of a measure")
    said = (
        f"{n_splits} random splits within condition, level and kind, seed {seed}; reliability by Spearman-Brown, its "
        "95 % interval by the jackknife over participants"
    )
    return Measure(
        table,
        found.notes,
        (said, *missing),
    )


Maker = Callable[[Answers, int, NDArray[np.bool_]], Floats]


def _makers(trials: Trials, found: Answers) -> tuple[dict[str, Maker], tuple[str, ...]]:
    """Measures that the table has, and sentences on those it has not."""
    makers: dict[str, Maker] = {"accuracy": _accuracy}
    missing = []
    if found.frame["response_ms"].notna().any():
        makers["response_ms"] = _time
    else:
        missing.append("response_ms: no answer has a time")
    if (found.frame["status"] != "ok").any():
        makers["late_share"] = _late
    try:
        yes = target_response(trials, what="dprime")
    except InputError as why:
        missing.append(str(why))
    else:
        makers["dprime"] = lambda found, c, half: _detection(found, c, half, yes)[0]
        makers["criterion"] = lambda found, c, half: _detection(found, c, half, yes)[1]
    return makers, tuple(missing)


def _halves(found: Answers, number: int, seed: int) -> NDArray[np.int64]:
    """0 or 1 for every row: a random half of each participant's rows of a condition, level and kind.

    Rows are put in the order of their content first, participants too, so that names and file order change nothing.
    """
    content = _content(found)
    draw = np.empty(len(content))
    draw[content] = stream(seed, "analysis", "split half", number).random(len(content))
    kind = found.frame["target"].map({True: 1, False: 2}).fillna(0).to_numpy(dtype=np.int64)
    cell = found.cell * 3 + kind
    order = np.lexsort((draw, cell))
    first = np.r_[True, cell[order][1:] != cell[order][:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    place = np.arange(len(order)) - start
    # the larger half of an odd number of rows is a random one, as the draw of its first row says
    turn = (draw[order[start]] * 2**20).astype(np.int64) % 2
    half = np.empty(len(order), dtype=np.int64)
    half[order] = (place + turn) % 2
    return half


def _content(found: Answers) -> NDArray[np.intp]:
    """Rows in the order of what they hold: their participant's counts, then their own cells."""
    time = np.nan_to_num(found.frame["response_ms"].to_numpy(dtype=float), nan=-1.0)
    sums = np.stack([found.total(found.halves), found.total(), found.total(np.maximum(time, 0))], axis=-1)
    people = row_order(sums.reshape(len(found.participants), -1))
    rank = np.empty(len(people), dtype=np.int64)
    rank[people] = np.arange(len(people))
    return np.lexsort((found.halves, time, found.level, found.condition, rank[found.participant]))


def _sum(found: Answers, c: int, rows: NDArray[np.bool_], weights: Floats | None = None) -> Floats:
    use = rows & (found.condition == c)
    some = None if weights is None else weights[use]
    return np.bincount(found.participant[use], weights=some, minlength=len(found.participants)).astype(float)


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _accuracy(found: Answers, c: int, half: NDArray[np.bool_]) -> Floats:
    rows = half & found.counted
    return _ratio(_sum(found, c, rows, found.halves / 2), _sum(found, c, rows))


def _time(found: Answers, c: int, half: NDArray[np.bool_]) -> Floats:
    time = found.frame["response_ms"].to_numpy(dtype=float)
    rows = half & (found.halves == 2) & np.isfinite(time)
    return _ratio(_sum(found, c, rows, np.nan_to_num(time)), _sum(found, c, rows))


def _late(found: Answers, c: int, half: NDArray[np.bool_]) -> Floats:
    late = np.asarray(found.frame["status"] != "ok", dtype=float)
    return _ratio(_sum(found, c, half, late), _sum(found, c, half))


def _detection(found: Answers, c: int, half: NDArray[np.bool_], yes: str) -> Floats:
    rows = half & (found.frame["status"] == "ok").to_numpy()
    target = found.frame["target"].to_numpy(dtype=bool)
    said = (found.frame["response"] == yes).to_numpy()
    parts = (rows & target & said, rows & target, rows & ~target & said, rows & ~target)
    return detection_scores(np.stack([_sum(found, c, part) for part in parts]))


def _reliability(scores: Floats) -> dict[str, float]:
    """Mean correlation of halves (splits × 2 × participants), Spearman-Brown, and its jackknife interval."""
    from scipy.stats import t as student

    here = np.isfinite(scores).all(axis=(0, 1))
    n = int(here.sum())
    blank = {"n": n, "r": np.nan, "reliability": np.nan, "low": np.nan, "high": np.nan}
    if n < LEAST:
        return blank
    x, y = scores[:, 0, here], scores[:, 1, here]
    z = _mean_z(x, y)
    if not np.isfinite(z):
        return blank
    without = np.array([_mean_z(np.delete(x, one, axis=1), np.delete(y, one, axis=1)) for one in range(n)])
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    half = student.ppf(0.975, n - 1) * error
    r, low, high = (float(spearman_brown(np.tanh(one))) for one in (z, z - half, z + half))
    return {"n": n, "r": float(np.tanh(z)), "reliability": r, "low": low, "high": high}


def spearman_brown(r: Floats) -> Floats:
    """Reliability of twice as many trials.

    Examples
    --------
    >>> float(spearman_brown(np.array(0.5)).round(3))
    0.667
    """
    return np.asarray(2 * r / (1 + r))


def _mean_z(x: Floats, y: Floats) -> float:
    """Mean over splits of Fisher's z of the correlation; NaN where a half never varies."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    below = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    if not (below > 1e-15).all():
        return float("nan")
    return float(np.arctanh(np.clip((x * y).sum(axis=1) / below, -1 + 1e-12, 1 - 1e-12)).mean())
