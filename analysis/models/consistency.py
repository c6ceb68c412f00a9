"""Error consistency: do two observers err on the same trials, beyond what their accuracies make them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import stream
from rapidvision.text.result_repr import ShownAsRow

from ..table.trials import Trials

Floats = NDArray[np.float64]
N_BOOTSTRAP = 2000


@dataclass(frozen=True, repr=False)
class ErrorConsistency(ShownAsRow):
    """Whether two observers err on the same trials, beyond what their accuracies make them.

    Attributes
    ----------
    observed, expected : float
        Share of trials where both are right or both wrong; and what independent observers would reach.
    kappa : float
        (observed - expected) / (1 - expected); 1 when both are always right or both always wrong.
    interval : (float, float)
        95 %, trials (images) resampled.
    n : int
        Trials.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.error_consistency([True, True, False, False], [True, False, False, True])
    >>> found.observed, found.expected, found.kappa, found.n
    (0.5, 0.5, 0.0, 4)
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

    Notes
    -----
    Two observers who are always right, or both always wrong, agree in every trial: kappa is 1, though chance alone would
    make them agree as much and the ratio is 0 / 0. That is the benchmark model-vs-human's convention.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.analysis.error_consistency([True, True, False, False], [True, True, False, False]).kappa
    1.0
    >>> rv.analysis.error_consistency([True, True], [True, True]).kappa
    1.0
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError(f"error consistency: shapes {a.shape} and {b.shape}; the same trials are needed, at least one")
    n = len(a)
    rng = stream(seed, "analysis", "kappa")
    kinds = np.bincount(2 * a + b, minlength=4)
    kinds[1:3] = np.sort(kinds[1:3])  # which observer is first changes no interval
    tables = rng.multinomial(n, kinds / n, size=n_bootstrap)
    observed, expected, kappa = _kappa(kinds[None])
    low, high = np.percentile(_kappa(tables)[2], [2.5, 97.5])
    return ErrorConsistency(float(observed[0]), float(expected[0]), float(kappa[0]), (float(low), float(high)), n)


def kappa_of(both: Floats, first: Floats, second: Floats, neither: Floats) -> tuple[Floats, Floats, Floats]:
    """Observed and expected consistency, and Cohen's kappa, from counts of trials.

    Parameters
    ----------
    both, first, second, neither : ndarray of float64, one shape
        Trials that both had right, only the first, only the second, and neither.

    Returns
    -------
    observed, expected, kappa : ndarray of float64, the same shape
        kappa is 1 where they always agree; all are NaN without trials.

    Examples
    --------
    >>> one = np.ones(1)
    >>> kappa_of(3 * one, one, one, 3 * one)[2].tolist(), kappa_of(one, 0 * one, 0 * one, 0 * one)[2].tolist()
    ([0.5], [1.0])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        n = both + first + second + neither
        observed = (both + neither) / n
        a, b = (both + first) / n, (both + second) / n
        expected = a * b + (1 - a) * (1 - b)
        kappa = np.where(first + second > 0, (observed - expected) / (1 - expected), 1.0)
        return observed, expected, np.where(n > 0, kappa, np.nan)


def _kappa(counts: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """From counts of (neither, only one, only the other, both) right, shape (rows, 4)."""
    neither, first, second, both = counts.astype(float).T
    return kappa_of(both, first, second, neither)


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

    Raises
    ------
    InputError
        When the participants' table does not name its images, or no stimulus is shared.
    """
    keys = ["image_id", "level_index"]
    answers = people.people()
    answers = answers[(answers["group"] == group) & (answers["status"] == "ok")]
    rows = networks.main()
    rows = rows[(rows["observer"] == model) & (rows["group"] == group)]
    human = (answers["correct"] == True).groupby([answers[key] for key in keys]).mean() > 0.5  # noqa: E712
    net = (rows["correct"] == True).groupby([rows[key] for key in keys]).mean() > 0.5  # noqa: E712
    if answers["image_id"].isna().all():
        raise InputError(
            f"{people.name}: images are not named, so people and networks share no stimuli; import image_id"
        )
    both = pd.concat([human.rename("human"), net.rename("net")], axis=1, join="inner")
    return model, "majority of people", group, error_consistency(both["net"], both["human"], seed=seed)
