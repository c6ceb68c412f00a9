"""Mixed logistic regression with crossed random intercepts, by Laplace's approximation, as lme4's glmer fits it.

    P(correct) = g + (1 - g) logistic(X beta + participant + image)

Participants and images are samples both; leaving either out makes standard errors too small. A guess rate g > 0
(half, for two answers) keeps the logistic part from having to bend at chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.text.result_repr import ShownAsTable

from .curvature import standard_errors

Floats = NDArray[np.float64]
_CLOSE = 1e-9
_MOST_STEPS = 60
#: A product of matrices up to this size is computed by one thread (OpenBLAS wakes others from 2**18 on).
_MOST_MULTIPLICATIONS = 1 << 17
#: Standard deviations below this are reported as a fit on the boundary (lme4's "singular fit").
_BOUNDARY = 1e-4


@dataclass(frozen=True, eq=False, repr=False)
class MixedFit(ShownAsTable):
    """Result of :func:`fit_crossed`.

    Attributes
    ----------
    names : tuple of str
        Names of the fixed effects.
    estimate, se : ndarray of float64, shape (effects,)
        Fixed effects and standard errors, the latter from the curvature of the whole likelihood.
    sd_participant, sd_image : float
        Standard deviations of the random intercepts, in logits.
    log_likelihood : float
        Laplace approximation.
    guess : float
        Guess rate of the link.
    boundary : bool
        Whether a standard deviation is 0: that factor explains nothing here.
    n, n_participants, n_images : int
        Sizes.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> fit = rv.analysis.fit_mixed(trials).mixed
    >>> fit.estimate.shape == fit.se.shape, fit.n_images
    (True, 80)
    """

    names: tuple[str, ...]
    estimate: Floats
    se: Floats
    sd_participant: float
    sd_image: float
    log_likelihood: float
    guess: float
    boundary: bool
    n: int
    n_participants: int
    n_images: int

    def to_frame(self) -> pd.DataFrame:
        """Estimate, standard error, z, two-sided p and 95 % Wald interval of each fixed effect."""
        from scipy.special import ndtr

        z = self.estimate / self.se
        return pd.DataFrame(
            {
                "effect": self.names,
                "estimate": self.estimate,
                "se": self.se,
                "z": z,
                "p": 2 * ndtr(-np.abs(z)),
                "low": self.estimate - 1.959964 * self.se,
                "high": self.estimate + 1.959964 * self.se,
            }
        )


def fit_crossed(
    y: ArrayLike,
    X: ArrayLike,
    participant: ArrayLike,
    image: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    guess: float = 0.0,
) -> MixedFit:
    """Fit ``y ~ X + (1 | participant) + (1 | image)``.

    Parameters
    ----------
    y : array_like of 0 and 1, shape (n,)
        Correct or not.
    X : array_like, shape (n, k)
        Fixed effects, the intercept's column included.
    participant, image : array_like, shape (n,)
        Who, and which image.
    names : sequence of str, optional
        Of the columns of X.
    guess : float
        Guess rate of the link; 0 is the ordinary logit.

    Returns
    -------
    MixedFit
        Agrees with lme4 where both can be computed.

    Raises
    ------
    InputError
        When shapes differ, `y` is not 0 / 1 or is constant, or the columns of X depend on each other.
    """
    from scipy.optimize import minimize

    problem = _Problem(y, X, participant, image, guess)
    k = problem.X.shape[1]
    labels = tuple(names) if names is not None else tuple(f"x{i}" for i in range(k))
    if len(labels) != k:
        raise InputError(f"mixed model: {len(labels)} names for {k} columns")

    def profiled(sd: Floats) -> float:
        return problem.deviance(np.abs(sd), None)

    def full(q: Floats) -> float:
        return problem.deviance(np.abs(q[:2]), q[2:])

    # As glmer does: first the standard deviations alone, with the fixed effects in the penalised fit, then all jointly.
    first = minimize(profiled, np.array([0.5, 0.5]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    profiled(first.x)
    begin = np.concatenate([np.abs(first.x), problem.modes[:k]])
    second = minimize(full, begin, method="BFGS", options={"gtol": 1e-3, "eps": 1e-5})
    best = second.x
    sd = np.abs(best[:2])
    sd[sd < _BOUNDARY] = 0.0
    free = np.concatenate([sd > 0, np.ones(k, dtype=bool)])
    se = standard_errors(full, np.concatenate([sd, best[2:]]), free)[2:]
    return MixedFit(
        names=labels,
        estimate=best[2:],
        se=se,
        sd_participant=float(sd[0]),
        sd_image=float(sd[1]),
        log_likelihood=-0.5 * float(second.fun),
        guess=guess,
        boundary=bool((sd == 0).any()),
        n=len(problem.y),
        n_participants=problem.n_participants,
        n_images=problem.n_images,
    )


class _Problem:
    """The data, and the modes of the last inner fit as the start of the next."""

    def __init__(self, y: ArrayLike, X: ArrayLike, participant: ArrayLike, image: ArrayLike, guess: float) -> None:
        self.y, self.X = np.asarray(y, dtype=float), np.atleast_2d(np.asarray(X, dtype=float))
        if not 0 <= guess < 1:
            raise InputError(f"mixed model: guess rate {guess:g}, allowed is a share from 0 to below 1")
        if self.X.shape[0] != len(self.y):
            raise InputError(f"mixed model: {len(self.y)} answers, {self.X.shape[0]} rows of X")
        if not np.isin(self.y, (0, 1)).all():
            raise InputError("mixed model: answers must be 0 or 1; leave out trials without an answer")
        if self.y.min() == self.y.max():
            raise InputError("mixed model: all answers are equal; there is nothing to explain")
        if np.linalg.matrix_rank(self.X) < self.X.shape[1]:
            raise InputError("mixed model: columns of X depend on each other; leave one out")
        self.guess = guess
        self.participant, people = pd.factorize(np.asarray(participant), sort=True)
        self.image, images = pd.factorize(np.asarray(image), sort=True)
        self.n_participants, self.n_images = len(people), len(images)
        self.cell = self.participant * self.n_images + self.image
        self.modes = np.zeros(self.X.shape[1] + self.n_participants + self.n_images)

    def deviance(self, sd: Floats, beta: Floats | None) -> float:
        """-2 Laplace log likelihood; `beta` None maximises it in the penalised fit."""
        k = self.X.shape[1]
        modes = self.modes.copy()
        if beta is not None:
            modes[:k] = beta
        value, eta = self._penalised(modes, sd)
        for _ in range(_MOST_STEPS):
            step = self._step(modes, eta, sd, fixed=beta is not None)
            size = 1.0
            while True:
                new, new_eta = self._penalised(modes + size * step, sd)
                if new <= value + 1e-12 or size < 1e-6:
                    break
                size *= 0.5
            modes, value, eta = modes + size * step, new, new_eta
            if np.abs(size * step).max() < _CLOSE:
                break
        self.modes = modes
        people, crossed, rest, _ = self._curvature(modes, eta, sd)
        images = rest[k:, k:] - _crossproduct(crossed[:, k:], crossed[:, k:] / people[:, None])
        return float(2 * value + np.log(people).sum() + np.linalg.slogdet(images)[1])

    def _step(self, modes: Floats, eta: Floats, sd: Floats, *, fixed: bool) -> Floats:
        """Newton's step; participants, whose block is diagonal, are eliminated first."""
        k, p = self.X.shape[1], self.n_participants
        people, crossed, rest, gradient = self._curvature(modes, eta, sd)
        mine, others = gradient[k : k + p], np.concatenate([gradient[:k], gradient[k + p :]])
        scaled = crossed / people[:, None]
        reduced = rest - _crossproduct(crossed, scaled)
        target = others - scaled.T @ mine
        if fixed:
            reduced[:k] = reduced[:, :k] = 0
            reduced[range(k), range(k)] = 1
            target[:k] = 0
        moved = np.linalg.solve(reduced, target)
        return np.concatenate([moved[:k], (mine - crossed @ moved) / people, moved[k:]])

    def _penalised(self, modes: Floats, sd: Floats) -> tuple[float, Floats]:
        k, p = self.X.shape[1], self.n_participants
        eta = self.X @ modes[:k] + sd[0] * modes[k : k + p][self.participant] + sd[1] * modes[k + p :][self.image]
        mean = np.clip(self.guess + (1 - self.guess) * _logistic(eta), 1e-12, 1 - 1e-12)
        fitted = np.where(self.y > 0, np.log(mean), np.log1p(-mean)).sum()
        return float(0.5 * (modes[k:] @ modes[k:]) - fitted), eta

    def _curvature(self, modes: Floats, eta: Floats, sd: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Expected Hessian of the penalised fit in blocks, and its negative gradient.

        Returns
        -------
        people, shape (participants,)
            The participants' block, which is diagonal.
        crossed, shape (participants, k + images)
            Participants against fixed effects and images.
        rest, shape (k + images, k + images)
            Fixed effects and images.
        gradient
            In the order of `modes`.
        """
        k, p, i = self.X.shape[1], self.n_participants, self.n_images
        f = _logistic(eta)
        mean = np.clip(self.guess + (1 - self.guess) * f, 1e-12, 1 - 1e-12)
        slope = (1 - self.guess) * f * (1 - f)
        weight = slope**2 / (mean * (1 - mean))
        residual = (self.y - mean) * slope / (mean * (1 - mean))
        weighted = self.X * weight[:, None]
        crossed, rest = np.empty((p, k + i)), np.zeros((k + i, k + i))
        rest[:k, :k] = self.X.T @ weighted
        for column in range(k):
            crossed[:, column] = sd[0] * np.bincount(self.participant, weighted[:, column], p)
            rest[column, k:] = rest[k:, column] = sd[1] * np.bincount(self.image, weighted[:, column], i)
        crossed[:, k:] = sd[0] * sd[1] * np.bincount(self.cell, weight, p * i).reshape(p, i)
        rest[range(k, k + i), range(k, k + i)] = sd[1] ** 2 * np.bincount(self.image, weight, i) + 1
        people = sd[0] ** 2 * np.bincount(self.participant, weight, p) + 1
        gradient = np.concatenate(
            [
                self.X.T @ residual,
                sd[0] * np.bincount(self.participant, residual, p) - modes[k : k + p],
                sd[1] * np.bincount(self.image, residual, i) - modes[k + p :],
            ]
        )
        return people, crossed, rest, gradient


def _crossproduct(a: Floats, b: Floats) -> Floats:
    """`a.T @ b` some rows at a time: small products, for which BLAS does not wake its other threads.

    There are thousands of them, and waiting for a thread on a busy machine costs many times the product.
    """
    rows = max(1, _MOST_MULTIPLICATIONS // (a.shape[1] * b.shape[1]))
    total = np.zeros((a.shape[1], b.shape[1]))
    for start in range(0, len(a), rows):
        total += a[start : start + rows].T @ b[start : start + rows]
    return total


def _logistic(eta: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(eta, -40, 40))))
