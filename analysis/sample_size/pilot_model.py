"""A pilot as a generator of experiments: means, spread between participants and their correlations, from its cells."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..inference.pooled_spread import pooled_spread
from ..scores.answers import answers
from ..scores.condition_tests import paired
from ..table.accuracy import Level
from ..table.first_lines import LateRule
from ..table.guess_rate import shown_guess
from ..table.trials import TrialsSource, as_trials

Floats = NDArray[np.float64]
#: Where quantiles of a beta distribution are tabled.
_GRID = (np.arange(400) + 0.5) / 400
#: Below this intraclass correlation participants do not differ.
_LEAST = 1e-4
#: Largest intraclass correlation that is simulated.
_MOST = 0.95


@dataclass(frozen=True, eq=False)
class PilotModel:
    """Accuracies of two conditions as a pilot shows them.

    Attributes
    ----------
    conditions : (str, str)
        First minus second.
    design : {"between", "within"}
        Whether other participants, or the same ones, see the second condition.
    levels : tuple of Level
        In order.
    share : ndarray of float64, shape (2, levels)
        Mean accuracies; half an answer is added to right and wrong ones, so that none is 0 or 1.
    spread : ndarray of float64, shape (2,)
        Intraclass correlation of a participant's answers at a level: variance of true accuracies in units of p (1 - p).
    same_condition, same_person : float
        Correlation of a participant's true accuracies at two levels of one condition, and in two conditions.
    n_trials : ndarray of int, shape (levels,)
        Answers of a participant at a level.
    n_pilot : (int, int)
        Participants of the pilot.
    guess : float, optional
        Guess rate, for thresholds.
    notes : tuple of str
        What was left out.
    """

    conditions: tuple[str, str]
    design: str
    levels: tuple[Level, ...]
    share: Floats
    spread: Floats
    same_condition: float
    same_person: float
    n_trials: NDArray[np.int64]
    n_pilot: tuple[int, int]
    guess: float | None
    notes: tuple[str, ...] = ()

    def scaled(self, effect: float) -> "PilotModel":
        """The same with differences times `effect` around the mean of both conditions."""
        middle, half = self.share.mean(axis=0), (self.share[0] - self.share[1]) / 2 * effect
        return replace(self, share=np.clip(np.stack([middle + half, middle - half]), 0.001, 0.999))

    def draw(self, n: tuple[int, int], rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Right answers of both conditions, shapes (n_first, levels) and (n_second, levels), of one experiment."""
        from scipy.special import ndtr

        k = len(self.levels)
        person = rng.normal(size=(sum(n) if self.design == "between" else n[0], 1))
        rows = (slice(0, n[0]), slice(n[0], sum(n))) if self.design == "between" else (slice(0, n[0]),) * 2
        across = 0.0 if self.design == "between" else self.same_person
        out = []
        for c, who in enumerate(rows):
            size = who.stop - who.start
            shared = np.sqrt(across) * person[who] + np.sqrt(self.same_condition - across) * rng.normal(size=(size, 1))
            latent = shared + np.sqrt(1 - self.same_condition) * rng.normal(size=(size, k))
            quantile = ndtr(latent)
            true = np.stack([self._true(c, level, quantile[:, level]) for level in range(k)], axis=1)
            out.append(rng.binomial(self.n_trials, true).astype(float))
        return out[0], out[1]

    def _true(self, condition: int, level: int, quantile: Floats) -> Floats:
        """True accuracies at quantiles of the beta distribution of participants."""
        if self.spread[condition] < _LEAST:
            return np.full(len(quantile), self.share[condition, level])
        return np.interp(quantile, _GRID, self._tables[condition][level])

    @cached_property
    def _tables(self) -> list[list[Floats]]:
        """Quantiles of the beta distributions of true accuracies, at the points of the grid."""
        from scipy.special import betaincinv

        found = []
        for rho, shares in zip(self.spread, self.share, strict=True):
            weight = 1 / max(rho, _LEAST) - 1
            found.append([np.asarray(betaincinv(p * weight, (1 - p) * weight, _GRID)) for p in shares])
        return found


def pilot_model(
    pilot: TrialsSource,
    *,
    by: str | None = None,
    conditions: tuple[str, str] | None = None,
    late: LateRule = "exclude",
    n_trials: int | None = None,
) -> PilotModel:
    """Estimate the model of a pilot.

    Parameters
    ----------
    pilot : Trials, DataFrame or path-like
        The pilot's trials table.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    n_trials : int, optional
        Answers of a participant at each level and condition in the study; the pilot's median by default.

    Raises
    ------
    InputError
        When a condition has fewer than three participants, or a level no answers of one.

    Examples
    --------
    >>> import rapidvision as rv
    >>> model = pilot_model(rv.analysis.Design(n_per_group=12).simulate(seed=1))
    >>> model.design, model.share.shape, bool((model.spread >= 0).all())
    ('between', (2, 12), True)
    """
    trials = as_trials(pilot)
    found = answers(trials, by=by, late=late)
    pair = found.pair(conditions)
    at = (found.conditions.index(pair[0]), found.conditions.index(pair[1]))
    accuracy, n = found.accuracy()
    two = paired(accuracy, *at, pair)
    counts = paired(np.where(np.isfinite(accuracy), n, np.nan), *at, pair)
    sizes = (len(two.first), len(two.second))
    if min(sizes) < 3:
        raise InputError(f"pilot: {sizes[0]} and {sizes[1]} participants; at least 3 of each condition are needed")
    several = [np.where(np.isfinite(one), one, 0.0) for one in (counts.first, counts.second)]
    right = [np.nan_to_num(one * several[c]) for c, one in enumerate((two.first, two.second))]
    total = np.stack([one.sum(axis=0) for one in several])
    if not total.all():
        level = found.levels[int(np.flatnonzero(~total.all(axis=0))[0])].label
        raise InputError(f"pilot: a condition has no answers at level {level}; power needs every level in both")
    share = (np.stack([one.sum(axis=0) for one in right]) + 0.5) / (total + 1)
    rows = np.concatenate([two.first, two.second])
    phi = pooled_spread(rows, np.arange(len(rows)) < sizes[0], binomial=True).phi
    inverse = [np.where(one > 0, 1 / np.maximum(one, 1), np.nan) for one in several]
    typical = np.array([1 / np.nanmean(one) for one in inverse])
    spread = np.clip((phi * typical - 1) / np.maximum(typical - 1, 1e-9), 0.0, _MOST)
    z = [(one - share[c]) / np.sqrt(share[c] * (1 - share[c])) for c, one in enumerate((two.first, two.second))]
    same = _over(float(np.mean([_covariance(one, one) for one in z])), float(spread.mean()))
    across = _over(_covariance(z[0], z[1]), float(np.sqrt(spread.prod()))) if two.design == "within" else 0.0
    stacked = np.concatenate(several)
    usual = np.array([np.median(one[one > 0]) for one in stacked.T])
    trials_each = np.full(len(found.levels), n_trials) if n_trials else np.maximum(np.rint(usual), 1).astype(np.int64)
    guess = trials.guess if trials.guess is not None else shown_guess(found.frame, trials.options)
    return PilotModel(
        pair,
        two.design,
        found.levels,
        share,
        spread,
        same,
        min(across, same),
        trials_each.astype(np.int64),
        sizes,
        guess,
        (*found.notes, *two.notes),
    )


def _covariance(a: Floats, b: Floats) -> float:
    """Mean covariance of different levels over participants: binomial errors of different levels are independent."""
    here = np.isfinite(a) & np.isfinite(b)
    centred = []
    for one in (a, b):
        values = np.where(np.isfinite(one), one, 0.0)
        mean = values.sum(axis=0) / np.maximum(np.isfinite(one).sum(axis=0), 1)
        centred.append(np.where(np.isfinite(one), one - mean, 0.0))
    both = centred[0].T @ centred[1] / max(len(here) - 1, 1)
    off = ~np.eye(len(both), dtype=bool)
    if len(both) == 1:  # a single level: its own errors are part of the variance, and of no other condition's
        return float(both[0, 0]) if a is not b else 0.0
    return float(both[off].mean())


def _over(covariance: float, variance: float) -> float:
    return float(np.clip(covariance / variance, 0.0, 0.99)) if variance > 1e-6 else 0.0
