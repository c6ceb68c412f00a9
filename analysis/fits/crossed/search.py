"""The search for the maximum of a mixed model's likelihood: estimates, standard errors, likelihood ratios, a time limit."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .laplace import Laplace

Floats = NDArray[np.float64]
#: Step of the differences of the gradient.
_STEP = 1e-4
#: Eigenvalues of the scaled curvature below this belong to directions that the data say nothing about.
_FLAT = 1e-6
#: A fit has converged where the deviance could fall by less.
_CLOSE = 1e-3
_MOST_ROUNDS = 4


class TimeIsUp(Exception):
    """The time limit has passed."""


class Search:
    """Search of one model; `best` and `deviance` hold the lowest point seen.

    Parameters
    ----------
    problem : Laplace
        What is minimised.
    until : float, optional
        When to end, by the monotonic clock.
    on_step : callable, optional
        Called with the number of evaluations and the last deviance.
    """

    def __init__(self, problem: Laplace, until: float | None = None,
                 on_step: Callable[[int, float], object] | None = None) -> None:  # fmt: skip
        self.problem, self.until, self.on_step = problem, until, on_step
        self.best, self._inverse = problem.start()
        self.deviance = np.inf
        self.evaluations = 0
        self.converged = False

    def minimise(self) -> Floats:
        """Find the estimates by BFGS with the exact gradient, again from the curvature found where that ends too early.

        Returns
        -------
        ndarray, shape (parameters,)
            Standard errors: triangles first, then fixed effects.
        """
        for _ in range(_MOST_ROUNDS):
            before = self.deviance
            self._bfgs(self.problem, self.best, self._inverse, gtol=1e-3, keep=True)
            errors = self._standard_errors()
            if self.converged or not self.deviance < before:
                break
        return errors

    def _standard_errors(self) -> Floats:
        """Square roots of the inverse curvature of half the deviance, by central differences of the gradient."""
        k = len(self.best)
        curvature = np.empty((k, k))
        for i in range(k):
            moved = []
            for side in (1, -1):
                q = self.best.copy()
                q[i] += side * _STEP
                moved.append(self._evaluate(self.problem, q)[1])
            curvature[i] = (moved[0] - moved[1]) / (2 * _STEP)
        curvature = (curvature + curvature.T) / 4
        scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-12))
        values, vectors = np.linalg.eigh(curvature * scale[:, None] * scale)
        both = scale[:, None] * scale
        covariance = (vectors * np.where(values > _FLAT, 1 / np.maximum(values, _FLAT), 0.0)) @ vectors.T * both
        # BFGS needs a positive definite start: flat directions get a long step, no endless one
        start = (vectors / np.maximum(values, 1e-3)) @ vectors.T * both / 2
        self._inverse = (start + start.T) / 2
        gradient = self._evaluate(self.problem, self.best)[1]
        self.converged = bool(gradient @ covariance @ gradient / 4 < _CLOSE)
        return np.asarray(np.sqrt(np.diag(covariance)))

    def likelihood_ratio(self, column: int) -> float:
        """Twice the loss of log likelihood without a column of the fixed effects; after :meth:`minimise`.

        Where the fit without it does not converge, `converged` is no longer true.
        """
        whole = self.problem
        place = len(self.best) - whole.X.shape[1] + column
        others = np.delete(np.arange(len(self.best)), place)
        less = whole.without(column)
        inverse = self._inverse
        along = inverse[:, place] / inverse[place, place]
        start = (self.best - along * self.best[place])[others]
        rest = (inverse - np.outer(along, inverse[place]))[np.ix_(others, others)]
        _, deviance, gradient = self._bfgs(less, start, (rest + rest.T) / 2, gtol=1e-2)
        self.converged = self.converged and bool(gradient @ rest @ gradient / 2 < 10 * _CLOSE)
        return max(0.0, deviance - self.deviance)

    def _bfgs(
        self, problem: Laplace, start: Floats, inverse: Floats, *, gtol: float, keep: bool = False
    ) -> tuple[Floats, float, Floats]:
        from scipy.optimize import minimize

        def work(q: Floats) -> tuple[float, Floats]:
            value, gradient = self._evaluate(problem, q)
            if keep and value < self.deviance:
                self.best, self.deviance = q.copy(), value
            return value, gradient

        found = minimize(
            work, start, jac=True, method="BFGS", options={"gtol": gtol, "hess_inv0": inverse, "maxiter": 300}
        )
        return np.asarray(found.x), float(found.fun), np.asarray(found.jac)

    def _evaluate(self, problem: Laplace, q: Floats) -> tuple[float, Floats]:
        if self.until is not None and time.monotonic() > self.until:
            raise TimeIsUp
        value, gradient = problem.value_and_gradient(q)
        self.evaluations += 1
        if self.on_step is not None:
            self.on_step(self.evaluations, value)
        return value, gradient
