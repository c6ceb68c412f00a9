"""The threshold test of one simulated experiment: groups relabelled, or conditions swapped within participants."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from ..fits.psychometric import axis_of, fit
from ..fits.threshold_difference import threshold_test
from ..table.accuracy import Cells
from .pilot_model import PilotModel

Floats = NDArray[np.float64]
#: Resampled participants of the interval, which power does not need.
_FEWEST = 2


def threshold_p(model: PilotModel, first: Floats, second: Floats, *, n_resamples: int, seed: int) -> float:
    """Two-sided p of the difference of two conditions' thresholds.

    Parameters
    ----------
    model : PilotModel
        With per cents of the levels and a guess rate.
    first, second : ndarray of float64, shape (n, levels)
        Right answers.
    n_resamples, seed : int
        Relabellings, or swaps of the conditions within participants, and their seed.

    Raises
    ------
    InputError
        When the guess rate is unknown, or levels are no per cent.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from .pilot_model import pilot_model
    >>> pilot = rv.analysis.Design(n_per_group=12, thresholds=(1.2, 1.9)).simulate(seed=1)
    >>> model = pilot_model(pilot)
    >>> threshold_p(model, *model.draw((12, 12), np.random.default_rng(1)), n_resamples=99, seed=1) < 0.05
    True
    """
    table = _cells(model, first, second)
    if model.design == "between":
        return threshold_test(table, model.conditions, n_resamples=n_resamples, n_bootstrap=_FEWEST, seed=seed).p
    guess, x = table.known_guess("threshold"), axis_of(table)
    swap = stream(seed, "analysis", "threshold swaps").random((n_resamples, len(first))) < 0.5
    swap = np.concatenate([np.zeros((1, len(first)), dtype=bool), swap]).astype(float)
    total = np.tile(len(first) * model.n_trials.astype(float), (len(swap), 1))
    sums = swap @ (second - first) + first.sum(axis=0)
    other = first.sum(axis=0) + second.sum(axis=0) - sums
    found = fit(x, np.concatenate([sums, other]), np.concatenate([total, total]), guess=guess).threshold
    gaps = np.abs(found[: len(swap)] - found[len(swap) :])
    return float((np.count_nonzero(gaps[1:] >= gaps[0] * (1 - 1e-9)) + 1) / (n_resamples + 1))


def _cells(model: PilotModel, first: Floats, second: Floats) -> Cells:
    if model.guess is None:
        raise InputError("threshold: the pilot's guess rate is unknown; state it (--guess 0.5 for two answers)")
    right = np.concatenate([first, second]).astype(np.int64)
    every = np.tile(model.n_trials, (len(right), 1))
    names = np.repeat(np.array(model.conditions), [len(first), len(second)])
    people = tuple(f"p{number:05d}" for number in range(len(right)))
    return Cells(people, names, model.levels, 2 * right, every, 0 * every, every, "exclude", guess=model.guess)
