"""Laplace's approximation to the likelihood of answers with two crossed random factors, and its exact gradient.

    P(correct) = g + (1 - g) logistic(X beta + Z_p L_p u[participant] + Z_i L_i v[image]),   u, v ~ N(0, I)
    deviance = 2 F + log |H|,   F = -log likelihood + |u|^2 / 2 + |v|^2 / 2 at its minimum,   H its observed curvature

The gradient includes the motion of the modes u and v with the parameters.
"""

import numpy as np
from numpy.typing import NDArray

from .answers import Derivatives, derivatives
from .curvature import Crossed, factored
from .factor import RandomFactor

Floats = NDArray[np.float64]
_MOST_STEPS = 100
#: Newton's method ends where a step would lower the criterion by less.
_CLOSE = 1e-13


class Laplace:
    """The deviance as a function of triangles and fixed effects; modes of one evaluation start the next.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Correct or not.
    X : ndarray, shape (n, k)
        Fixed effects.
    participant, image : RandomFactor
        The random factors.
    guess : float
        Guess rate of the link.
    expected : bool
        Take expected curvature in the determinant, as lme4 does with custom links; the same for the logit.
    """

    def __init__(self, right: "NDArray[np.bool_]", X: Floats, participant: RandomFactor, image: RandomFactor, *,
                 guess: float = 0.0, expected: bool = False) -> None:  # fmt: skip
        self.right, self.X, self.guess, self.expected = right, X, guess, expected
        self.participant, self.image = participant, image
        self.small, self.large = (participant, image) if participant.size <= image.size else (image, participant)
        self.cell = self.small.index * self.large.n + self.large.index
        self.modes = np.zeros((self.small.n, self.small.q)), np.zeros((self.large.n, self.large.q))
        self.evaluations = 0

    def split(self, q: Floats) -> tuple[Floats, Floats, Floats]:
        """Triangles of participants and images, and fixed effects."""
        a, b = len(self.participant.free), len(self.image.free)
        return self.participant.triangle(q[:a]), self.image.triangle(q[a : a + b]), q[a + b :]

    def without(self, column: int) -> "Laplace":
        """The same model without a column of the fixed effects; its modes start where these are."""
        X = np.delete(self.X, column, axis=1)
        less = Laplace(self.right, X, self.participant, self.image, guess=self.guess, expected=self.expected)
        less.modes = self.modes
        return less

    def start(self) -> tuple[Floats, Floats]:
        """Parameters to start from, and a first guess of the inverse curvature: the fit without random factors."""
        beta, covariance = self._without_factors()
        factors = (self.participant, self.image)
        first = [0.5 if j == k else 0.0 for factor in factors for j, k in factor.free]
        scale = np.diag(
            np.concatenate([[0.3 / factor.n for factor in factors for _ in factor.free], np.zeros(len(beta))])
        )
        scale[len(first) :, len(first) :] = covariance + covariance.T
        return np.concatenate([first, beta]), scale

    def value(self, q: Floats) -> float:
        """The deviance."""
        return self._at_modes(q)[0]

    def value_and_gradient(self, q: Floats) -> tuple[float, Floats]:
        """The deviance and its gradient in all parameters."""
        deviance, found, factors, motion, z = self._at_modes(q)
        s, d = self.small, self.large
        weight, weight_slope = found.weight, found.weight_slope
        if self.expected:
            weight, weight_slope = found.expected, found.expected_slope
        own, other, crossed = factors.inverse_parts()
        between = crossed[s.index, :, d.index, :]
        t_small = np.einsum("njk,nk->nj", own[s.index], z[0]) - np.einsum("njk,nk->nj", between, z[1])
        t_large = np.einsum("njk,nk->nj", other[d.index], z[1]) - np.einsum("njk,nj->nk", between, z[0])
        spread = (z[0] * t_small).sum(axis=1) + (z[1] * t_large).sum(axis=1)
        pull = weight_slope * spread
        c_small, c_large = motion.solve(s.sums(pull[:, None] * z[0]), d.sums(pull[:, None] * z[1]))
        moved = (z[0] * c_small[s.index]).sum(axis=1) + (z[1] * c_large[d.index]).sum(axis=1)
        e = -2 * found.slope + pull - found.weight * moved
        parts = {
            id(factor): [
                (factor.columns[:, j] * (e * u[factor.index, k] + 2 * weight * t[:, k]
                                         + found.slope * c[factor.index, k])).sum()
                for j, k in factor.free
            ]
            for factor, u, t, c in ((s, self.modes[0], t_small, c_small), (d, self.modes[1], t_large, c_large))
        }  # fmt: skip
        return deviance, np.concatenate([parts[id(self.participant)], parts[id(self.image)], self.X.T @ e])

    def _at_modes(self, q: Floats) -> tuple[float, Derivatives, Crossed, Crossed, tuple[Floats, Floats]]:
        """Newton's method to the modes, damped; where observed curvature is indefinite, the expected one steps.

        Returns
        -------
        deviance, found, factors, motion, z
            The curvature of the determinant, and the one by which modes move: observed always.
        """
        self.evaluations += 1
        triangles = self.split(q)
        first, second = triangles[:2] if self.small is self.participant else (triangles[1], triangles[0])
        s, d, fixed = self.small, self.large, self.X @ triangles[2]
        z = s.columns @ first, d.columns @ second
        us, ud = self.modes

        def at(us: Floats, ud: Floats) -> tuple[float, Derivatives]:
            eta = fixed + (z[0] * us[s.index]).sum(axis=1) + (z[1] * ud[d.index]).sum(axis=1)
            found = derivatives(self.right, eta, self.guess)
            return float(0.5 * ((us**2).sum() + (ud**2).sum()) - found.log_likelihood), found

        value, found = at(us, ud)
        for _ in range(_MOST_STEPS):
            motion = self._curvature(found.weight, found.expected, z)
            down = s.sums(found.slope[:, None] * z[0]) - us, d.sums(found.slope[:, None] * z[1]) - ud
            step = motion.solve(*down)
            gain = float((step[0] * down[0]).sum() + (step[1] * down[1]).sum())
            if abs(gain) < _CLOSE:
                break
            size = 1.0
            while True:
                tried = us + size * step[0], ud + size * step[1]
                new, new_found = at(*tried)
                if new <= value + 1e-11 or size < 1e-8:
                    break
                size *= 0.5
            (us, ud), value, found = tried, new, new_found
        self.modes = us, ud
        factors = self._curvature(found.expected, found.expected, z) if self.expected and self.guess else motion
        return 2 * value + factors.log_determinant, found, factors, motion, z

    def _curvature(self, weight: Floats, expected: Floats, z: tuple[Floats, Floats]) -> Crossed:
        try:
            return factored(self.small, self.large, self.cell, weight, *z)
        except np.linalg.LinAlgError:
            return factored(self.small, self.large, self.cell, expected, *z)

    def _without_factors(self) -> tuple[Floats, Floats]:
        beta = np.zeros(self.X.shape[1])
        for _ in range(50):
            found = derivatives(self.right, self.X @ beta, self.guess)
            information = (self.X * found.expected[:, None]).T @ self.X
            step = np.linalg.solve(information, self.X.T @ found.slope)
            beta = beta + np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-8:
                break
        return beta, np.asarray(np.linalg.inv(information))
