"""The search for the maximum of the hierarchical model's likelihood, with a time limit."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..crossed.search import TimeIsUp
from ..psychometric import fit
from .marginal_likelihood import Answers, Marginal

Floats = NDArray[np.float64]
_STEP, _CURVATURE_STEP = 1e-4, 1e-2
_ROUNDS = 2


def _start(answers: Answers, q: int) -> Floats:
    """Pooled curves of the conditions, and standard deviations of their order of magnitude."""
    levels, places = np.unique(answers.x, return_inverse=True)
    levels = np.asarray(levels, dtype=np.float64)
    shape = answers.n_conditions, len(levels)
    cell = answers.condition * shape[1] + places
    n, k = (
        np.asarray(np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape), dtype=np.float64)
        for weights in (np.ones(len(cell)), answers.right.astype(float))
    )
    pooled = fit(levels, k, n, guess=answers.guess).free
    spreads = np.log([0.2, 0.3, 0.15, 0.2])[: 2 + q]
    return np.concatenate([pooled[:, 0], [pooled[:, 1].mean() + 0.2, pooled[:, 2].mean()], spreads])


class HierarchicalSearch:
    """BFGS by differences; nodes are put around people's posteriors anew between rounds.

    Parameters
    ----------
    answers : Answers
        The trials.
    image_effects : int
        Effects of an image: 0, 1 (threshold) or 2 (and slope).
    n_nodes : int
        Nodes per dimension.
    until : float, optional
        When to end, by the monotonic clock.
    on_step : callable, optional
        Called with the number of evaluations and the last deviance.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        image_effects: int,
        n_nodes: int,
        until: float | None = None,
        on_step: Callable[[int, float], object] | None = None,
    ) -> None:
        self.model, self.until, self.on_step = Marginal(answers, image_effects, n_nodes), until, on_step
        self.best = _start(answers, image_effects)
        self.deviance, self.evaluations, self.converged = np.inf, 0, False

    def minimise(self) -> None:
        """Find the estimates."""
        from scipy.optimize import minimize

        k = self.model.answers.n_conditions
        scale = np.concatenate([np.full(k, 0.05), [0.15, 0.6], np.full(len(self.best) - k - 2, 0.4)]) ** 2 / 2
        for _ in range(_ROUNDS):
            self.model.recentre(self.best)
            self.deviance = np.inf
            found = minimize(
                self._value,
                self.best,
                jac=self._gradient,
                method="BFGS",
                options={"gtol": 2e-2, "hess_inv0": np.diag(scale)},
            )
            self.converged = bool(found.jac @ found.hess_inv @ found.jac / 2 < 1e-2)

    def covariance(self) -> Floats:
        """Inverse curvature of half the deviance, by differences."""
        k, h = len(self.best), _CURVATURE_STEP
        steps = h * np.eye(k)
        centre = self._value(self.best)
        up, down = (np.array([self._value(self.best + sign * step) for step in steps]) for sign in (1, -1))
        curvature = np.diag((up - 2 * centre + down) / h**2)
        for i in range(k):
            for j in range(i):
                both = self._value(self.best + steps[i] + steps[j])
                curvature[i, j] = curvature[j, i] = (both - up[i] - up[j] + centre) / h**2
        values, vectors = np.linalg.eigh(curvature / 2)
        if values.min() <= 0:
            self.converged = False
        return np.asarray((vectors * np.where(values > 0, 1 / np.maximum(values, 1e-12), np.nan)) @ vectors.T)

    def _value(self, theta: Floats) -> float:
        if self.until is not None and time.monotonic() > self.until:
            raise TimeIsUp
        value = self.model.deviance(theta)
        self.evaluations += 1
        if value < self.deviance:
            self.best, self.deviance = theta.copy(), value
        if self.on_step is not None:
            self.on_step(self.evaluations, value)
        return value

    def _gradient(self, theta: Floats) -> Floats:
        steps = _STEP * np.eye(len(theta))
        return np.array([(self._value(theta + step) - self._value(theta - step)) / (2 * _STEP) for step in steps])
