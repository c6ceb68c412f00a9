"""Human against model: curves on the same levels, thresholds, error consistency, and evidence against accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from .accuracy import Cells, curve
from .networks import NetworkCurve
from .psychometric import axis_of, fit
from .ranks import unit_ranks
from .tables import PARTICIPANTS, Trials

Floats = NDArray[np.float64]
N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False)
class CurveGap:
    """One network's curve beside one group's.

    Attributes
    ----------
    model, group : str
        Who and whose maps.
    threshold_model, threshold_human : float
        log10 per cent of the features, fitted alike.
    area : float
        Mean of human minus model accuracy over the log axis (the intact picture left out).
    rmse : float
        Root mean square difference over all levels.
    noise_ceiling : float
        The same between random halves of the participants, corrected to the full number: the best that a perfect
        model of the group could be expected to reach.
    """

    model: str
    group: str
    threshold_model: float
    threshold_human: float
    area: float
    rmse: float
    noise_ceiling: float

    @property
    def threshold_difference(self) -> float:
        """Model minus human, in log10 per cent; positive: the model needs to see more."""
        return self.threshold_model - self.threshold_human


def curve_gap(table: Cells, network: NetworkCurve, *, seed: int, n_splits: int = 500) -> CurveGap:
    """Compare a network's curve with its group's.

    Parameters
    ----------
    table : Cells
        The participants.
    network : NetworkCurve
        From :func:`~rapidvision.analysis.networks.network_curves` on the same levels.
    seed : int
        Of the random halves.
    n_splits : int
        How many.

    Returns
    -------
    CurveGap
        Without error bars of participants for the network: it has none.
    """
    x = axis_of(table)
    human = curve(table, network.group)
    usable = np.isfinite(human.mean) & np.isfinite(network.mean)
    members = table.of(network.group)
    trials = np.full(len(x), max(network.n_trials / len(x), 1.0))
    people = fit(
        x, table.halves[members].sum(axis=0)[None] / 2.0, table.n_trials[members].sum(axis=0)[None].astype(float)
    )
    model = fit(x, np.where(usable, network.mean, 0.0)[None] * trials, np.where(usable, trials, 0.0)[None])
    gap = human.mean - network.mean
    axis = usable & np.isfinite(x)
    span = float(np.ptp(x[axis]))
    accuracy = table.accuracy[members]
    return CurveGap(
        model=network.model,
        group=network.group,
        threshold_model=float(model.threshold[0]),
        threshold_human=float(people.threshold[0]),
        area=float(np.trapezoid(gap[axis], x[axis]) / span) if span > 0 else float("nan"),
        rmse=float(np.sqrt(np.mean(gap[usable] ** 2))),
        noise_ceiling=_noise_ceiling(accuracy[:, usable], seed=seed, n_splits=n_splits),
    )


def _noise_ceiling(accuracy: Floats, *, seed: int, n_splits: int) -> float:
    """RMSE between halves, halved: noise of a half's mean has twice the variance of the whole's, and two halves differ."""
    rng = stream(seed, "analysis", "noise ceiling")
    n = len(accuracy)
    half = n // 2
    if half < 1:
        return float("nan")
    present = np.isfinite(accuracy)
    values = np.where(present, accuracy, 0.0)
    order = rng.permuted(np.tile(np.arange(n), (n_splits, 1)), axis=1)
    pick, rest = np.zeros((n_splits, n)), np.zeros((n_splits, n))
    np.put_along_axis(pick, order[:, :half], 1.0, axis=1)
    np.put_along_axis(rest, order[:, half : 2 * half], 1.0, axis=1)
    with np.errstate(invalid="ignore"):
        gap = (pick @ values) / (pick @ present) - (rest @ values) / (rest @ present)
    return float(np.sqrt(np.nanmean(gap**2)) / 2)


@dataclass(frozen=True)
class ErrorConsistency:
    """Whether two observers err on the same trials, beyond what their accuracies make them.

    Attributes
    ----------
    observed, expected : float
        Share of trials where both are right or both wrong; and what independent observers would reach.
    kappa : float
        (observed - expected) / (1 - expected); NaN when both are perfect or both always wrong.
    interval : (float, float)
        95 %, trials (pictures) resampled.
    n : int
        Trials.
    """

    observed: float
    expected: float
    kappa: float
    interval: tuple[float, float]
    n: int


def error_consistency(
    first: ArrayLike, second: ArrayLike, *, seed: int = 0, n_bootstrap: int = N_BOOTSTRAP
) -> ErrorConsistency:
    """Cohen's kappa of two observers' errors (Geirhos et al., 2020), with a bootstrap interval.

    Parameters
    ----------
    first, second : array_like of bool, shape (n,)
        Correct or not, on the same trials in the same order.
    seed, n_bootstrap : int
        Of the interval.

    Returns
    -------
    ErrorConsistency
        Kappa 1: the same errors; 0: as independent observers.

    Raises
    ------
    InputError
        When the trials do not match.

    Examples
    --------
    >>> error_consistency([True, True, False, False], [True, True, False, False]).kappa
    1.0
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError(f"error consistency: shapes {a.shape} and {b.shape}; the same trials are needed, at least one")
    n = len(a)
    rng = stream(seed, "analysis", "kappa")
    kinds = np.bincount(2 * a + b, minlength=4) / n
    tables = rng.multinomial(n, kinds, size=n_bootstrap) / n
    observed, expected, kappa = _kappa(kinds[None])
    usable = _kappa(tables)[2]
    usable = usable[np.isfinite(usable)]
    low, high = np.percentile(usable, [2.5, 97.5]) if len(usable) else (np.nan, np.nan)
    return ErrorConsistency(float(observed[0]), float(expected[0]), float(kappa[0]), (float(low), float(high)), n)


def _kappa(kinds: Floats) -> tuple[Floats, Floats, Floats]:
    """From shares of (neither, only second, only first, both) right, shape (rows, 4)."""
    observed = kinds[:, 0] + kinds[:, 3]
    a, b = kinds[:, 2] + kinds[:, 3], kinds[:, 1] + kinds[:, 3]
    expected = a * b + (1 - a) * (1 - b)
    with np.errstate(invalid="ignore", divide="ignore"):
        return observed, expected, np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def majority_consistency(
    people: Trials, networks: Trials, model: str, group: str, *, seed: int
) -> tuple[str, str, str, ErrorConsistency]:
    """Error consistency of a network with the majority of the people, over the stimuli that both answered.

    Parameters
    ----------
    people, networks : Trials
        Of the same study.
    model, group : str
        Which network and group.
    seed : int
        Of the interval.

    Returns
    -------
    model, "majority of people", group, consistency
        Stimuli on which people were split evenly count as wrong.
    """
    keys = ["image_id", "level_index"]
    answers = people.main()
    answers = answers[
        answers["observer"].isin(PARTICIPANTS) & (answers["group"] == group) & (answers["status"] == "ok")
    ]
    rows = networks.main()
    rows = rows[(rows["observer"] == model) & (rows["group"] == group)]
    human = (answers["correct"] == True).groupby([answers[key] for key in keys]).mean() > 0.5  # noqa: E712
    net = (rows["correct"] == True).groupby([rows[key] for key in keys]).mean() > 0.5  # noqa: E712
    both = pd.concat([human.rename("human"), net.rename("net")], axis=1, join="inner")
    return model, "majority of people", group, error_consistency(both["net"], both["human"], seed=seed)


@dataclass(frozen=True)
class EvidenceCorrelation:
    """How a network's evidence goes with people's accuracy, picture by picture, level and class held constant.

    Attributes
    ----------
    model, group : str
        Who and whose maps.
    rho : float
        Partial Spearman correlation, given true class and level.
    interval : (float, float)
        95 %, pictures resampled.
    n : int
        Stimuli.
    """

    model: str
    group: str
    rho: float
    interval: tuple[float, float]
    n: int


def evidence_correlation(
    people: Trials, networks: Trials, model: str, group: str, *, seed: int, n_bootstrap: int = 500
) -> EvidenceCorrelation:
    """Correlate the network's evidence for the right answer with the share of people who gave it.

    Parameters
    ----------
    people, networks : Trials
        Of the same study.
    model, group : str
        Which network and group.
    seed, n_bootstrap : int
        Of the interval.

    Returns
    -------
    EvidenceCorrelation
        NaN with fewer than four shared stimuli.

    Raises
    ------
    InputError
        When the network has no decision values.
    """
    rows = networks.main()
    rows = rows[(rows["observer"] == model) & (rows["group"] == group)]
    if rows["decision_value"].isna().all():
        raise InputError(f"{networks.name}: {model} has no decision_value for {group}; observe it again with one")
    answers = people.main()
    answers = answers[
        answers["observer"].isin(PARTICIPANTS) & (answers["group"] == group) & (answers["status"] == "ok")
    ]
    keys = ["image_id", "level_index"]
    right = (answers["correct"] == True).groupby([answers[key] for key in keys]).mean()  # noqa: E712 (None is neither)
    evidence = rows.groupby(keys)[["decision_value", "target"]].first()
    table = evidence.join(right.rename("share"), how="inner").reset_index().sort_values(keys)
    sign = np.where(table["target"], 1.0, -1.0)
    value = table["decision_value"].to_numpy() * sign
    share = table["share"].to_numpy()
    cell = (table["level_index"] * 2 + table["target"]).to_numpy()
    image, images = pd.factorize(table["image_id"])
    rng = stream(seed, "analysis", "evidence", model, group)
    places: Mapping[int, NDArray[np.intp]] = {i: np.flatnonzero(image == i) for i in range(len(images))}
    again = []
    for _ in range(n_bootstrap if len(images) > 1 else 0):
        rows_again = np.concatenate([places[i] for i in rng.integers(len(images), size=len(images))])
        again.append(_partial_spearman(value[rows_again], share[rows_again], cell[rows_again]))
    finite = np.array(again)[np.isfinite(again)] if again else np.array([np.nan])
    low, high = np.percentile(finite, [2.5, 97.5]) if len(finite) else (np.nan, np.nan)
    rho = _partial_spearman(value, share, cell)
    return EvidenceCorrelation(model, group, rho, (float(low), float(high)), len(table))


def _partial_spearman(x: Floats, y: Floats, cell: NDArray[np.int64]) -> float:
    """Correlation of ranks after each cell's mean rank is taken out."""
    if len(x) < 4:
        return float("nan")
    ranks = unit_ranks(np.stack([x, y]))
    _, place = np.unique(cell, return_inverse=True)
    size = np.bincount(place)
    left = [values - (np.bincount(place, values) / size)[place] for values in ranks]
    length = np.sqrt((left[0] @ left[0]) * (left[1] @ left[1]))
    return float(left[0] @ left[1] / length) if length > 1e-12 else float("nan")
