"""Marginal likelihood of the hierarchical psychometric model.

People's thresholds and log slopes are integrated by Gauss-Hermite quadrature in two dimensions, around each person's
posterior. Images enter by Laplace's approximation: at the mode of their effects given that integral, with the observed
curvature of the whole, in which images are coupled through the people who saw them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crossed.one_thread import cholesky_and_inverse, product, times_vector
from ..psychometric import most_lapse
from .trial_likelihood import TrialDerivatives, trial_derivatives

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Weak priors, normal: log slope, logit of lapse / most_lapse, and logs of the standard deviations of thresholds and slopes.
_SLOPE, _LAPSE = (float(np.log(5.0)), 1.0), (-1.4, 1.5)
_SD_THRESHOLD, _SD_SLOPE = (float(np.log(0.2)), 1.0), (float(np.log(0.3)), 1.0)
_MOST_STEPS = 60


@dataclass(frozen=True, eq=False)
class Answers:
    """Trials sorted by person.

    Attributes
    ----------
    right : ndarray of bool, shape (n,)
        Correct or not.
    x : ndarray, shape (n,)
        Level; infinity for the intact image.
    person, image, condition : ndarray of int64, shape (n,)
        By number; `person` never falls.
    n_people, n_images, n_conditions : int
        Sizes.
    guess : float
        Guess rate.
    """

    right: "NDArray[np.bool_]"
    x: Floats
    person: Ints
    image: Ints
    condition: Ints
    n_people: int
    n_images: int
    n_conditions: int
    guess: float


class Marginal:
    """Deviance of the parameters: thresholds of the conditions, log slope, logit lapse, logs of the standard deviations.

    Parameters
    ----------
    answers : Answers
        The trials.
    image_effects : int
        How many effects an image has: 0, 1 (threshold) or 2 (and slope).
    n_nodes : int
        Nodes per dimension.
    """

    def __init__(self, answers: Answers, image_effects: int, n_nodes: int) -> None:
        self.answers, self.q = answers, image_effects
        z, weight = np.polynomial.hermite_e.hermegauss(n_nodes)
        first, second = (one.ravel() for one in np.meshgrid(z, z, indexing="ij"))
        self.z = np.stack([first, second])
        self.log_weight = np.log(np.outer(weight, weight).ravel() / weight.sum() ** 2)
        self.begins = np.searchsorted(answers.person, np.arange(answers.n_people))
        # normal approximation to what each person's trials say about threshold and log slope: precision, and its product
        # with the centre; at first nothing, so that the nodes lie as the population does
        self.precision = np.zeros((answers.n_people, 2, 2))
        self.pull = np.zeros((answers.n_people, 2))
        self.modes = np.zeros((answers.n_images, max(self.q, 1)))[:, : self.q]

    def names(self, conditions: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the parameters."""
        spreads = (
            "sd threshold, participants",
            "sd log slope, participants",
            "sd threshold, images",
            "sd log slope, images",
        )
        return (*(f"threshold {one}".strip() for one in conditions), "log slope", "logit lapse", *spreads[: 2 + self.q])

    def deviance(self, theta: Floats) -> float:
        """-2 log marginal likelihood, priors included."""
        modes, value, curvature, safe = self._images(theta)
        self.modes = modes
        if self.q:
            try:
                factor, _ = cholesky_and_inverse(curvature)
            except np.linalg.LinAlgError:  # a step of the search far from any maximum
                factor, _ = cholesky_and_inverse(safe)
            value += float(np.log(np.diag(factor)).sum())
        k = self.answers.n_conditions
        priors = (_SLOPE, _LAPSE, _SD_THRESHOLD, _SD_SLOPE, _SD_THRESHOLD, _SD_SLOPE)
        penalty = sum(((theta[k + i] - mean) / sd) ** 2 for i, (mean, sd) in enumerate(priors[: 4 + self.q]))
        return float(2 * value + penalty)

    def recentre(self, theta: Floats) -> None:
        """Find anew where each person's trials put threshold and slope, so that the nodes lie around the posterior.

        Between calls the nodes move smoothly with the parameters, as normal posteriors would.
        """
        for _ in range(4):
            at, posterior, *_ = self._people(theta, self._images(theta)[0])
            mean = np.einsum("pk,pkd->pd", posterior, at)
            away = at - mean[:, None]
            inverse = np.linalg.inv(np.einsum("pk,pkd,pke->pde", posterior, away, away) + 1e-9 * np.eye(2))
            base, prior = self._population(theta)
            values, vectors = np.linalg.eigh(inverse - prior)
            self.precision = np.einsum("pde,pe,pfe->pdf", vectors, np.maximum(values, 0.0), vectors)
            # the posterior's centre is kept exactly: (precision + prior) mean = pull - precision base
            self.pull = np.einsum("pde,pe->pd", self.precision + prior, mean) + np.einsum(
                "pde,pe->pd", self.precision, base
            )

    def _population(self, theta: Floats) -> tuple[Floats, Floats]:
        """Threshold and log slope of everybody's condition, shape (people, 2), and the precision of deviations (2, 2)."""
        k = self.answers.n_conditions
        theirs = self.answers.condition[self.begins]
        base = np.stack([theta[theirs], np.full(len(theirs), theta[k])], axis=1)
        return base, np.diag(np.exp(-2 * np.clip(theta[k + 2 : k + 4], -12, 6)))

    def _nodes(self, theta: Floats) -> tuple[Floats, Floats]:
        """Nodes of every person (people, nodes, 2), and the log of their scale."""
        base, prior = self._population(theta)
        covariance = np.linalg.inv(self.precision + prior)
        target = self.pull - np.einsum("pde,pe->pd", self.precision, base)
        centre = np.einsum("pde,pe->pd", covariance, target)
        triangle = np.linalg.cholesky((covariance + covariance.transpose(0, 2, 1)) / 2)
        at = centre[:, None] + np.einsum("pde,ek->pkd", triangle, self.z)
        return at, np.log(triangle[:, 0, 0] * triangle[:, 1, 1])

    def people(self, theta: Floats) -> tuple[Floats, Floats]:
        """Posterior means and standard deviations of people's deviations in threshold and log slope, (people, 2) each."""
        at, posterior, *_ = self._people(theta, self.modes)
        mean = np.einsum("pk,pkd->pd", posterior, at)
        return mean, np.sqrt(np.einsum("pk,pkd->pd", posterior, (at - mean[:, None]) ** 2))

    def image_effects(self, theta: Floats) -> Floats:
        """Modes of images' deviations in threshold and log slope, shape (images, effects)."""
        return np.asarray(self.modes * np.exp(theta[len(theta) - self.q :]))

    def _people(self, theta: Floats, modes: Floats) -> tuple[Floats, Floats, Floats, TrialDerivatives]:
        """Nodes (people, nodes, 2), their posterior weights (people, nodes), log integrals (people,), and the trials."""
        a, k = self.answers, self.answers.n_conditions
        sds = np.exp(np.clip(theta[k + 2 : k + 4], -12, 6))
        at, size = self._nodes(theta)
        effects = np.zeros((a.n_images, 2))
        effects[:, : self.q] = modes * np.exp(theta[len(theta) - self.q :])
        lapse = most_lapse(a.guess) / (1 + np.exp(-theta[k + 1]))
        nodes = at[a.person]
        found = trial_derivatives(
            a.right,
            a.x,
            nodes[:, :, 0] + (theta[a.condition] + effects[a.image, 0])[:, None],
            nodes[:, :, 1] + (theta[k] + effects[a.image, 1])[:, None],
            guess=a.guess,
            lapse=float(lapse),
        )
        logs = np.add.reduceat(found.log_likelihood, self.begins, axis=0) + self.log_weight + size[:, None]
        logs += 0.5 * (self.z**2).sum(axis=0) - 0.5 * ((at / sds) ** 2).sum(axis=2) - np.log(sds).sum()
        top = logs.max(axis=1, keepdims=True)
        weights = np.exp(logs - top)
        total = weights.sum(axis=1, keepdims=True)
        return at, weights / total, (top + np.log(total))[:, 0], found

    def _images(self, theta: Floats) -> tuple[Floats, float, Floats, Floats]:
        """Newton's method to the modes of the images' standardised effects; modes, criterion, and curvatures as in `_slopes`."""
        modes = self.modes
        _, posterior, logs, found = self._people(theta, modes)
        value = float(0.5 * (modes**2).sum() - logs.sum())
        curvature = safe = np.eye(1)
        for _ in range(_MOST_STEPS if self.q else 0):
            down, curvature, safe = self._slopes(theta, modes, posterior, found)
            try:
                _, inverse = cholesky_and_inverse(curvature)
            except np.linalg.LinAlgError:  # far from the mode
                _, inverse = cholesky_and_inverse(safe)
            step = times_vector(inverse.T, times_vector(inverse, down))
            if float(step @ down) < 1e-12:
                break
            size = 1.0
            while True:
                tried = modes + size * step.reshape(modes.shape)
                _, posterior, logs, found = self._people(theta, tried)
                new = float(0.5 * (tried**2).sum() - logs.sum())
                if new <= value + 1e-11 or size < 1e-8:
                    break
                size *= 0.5
            modes, value = tried, new
        return modes, value, curvature, safe

    def _slopes(
        self, theta: Floats, modes: Floats, posterior: Floats, found: TrialDerivatives
    ) -> tuple[Floats, Floats, Floats]:
        """Downhill gradient and curvature in the standardised effects, and a curvature that is positive definite."""
        a, q = self.answers, self.q
        sds = np.exp(theta[len(theta) - q :])
        each = posterior[a.person]
        first = (found.by_t, found.by_s)[:q]
        means = np.stack([(each * one).sum(axis=1) for one in first], axis=1) * sds
        down = np.stack([np.bincount(a.image, column, a.n_images) for column in means.T], axis=1) - modes
        size = a.n_images * q
        safe = np.eye(size)
        images = np.arange(a.n_images) * q
        second = {(0, 0): found.by_tt, (0, 1): found.by_ts, (1, 1): found.by_ss}
        own = np.zeros((size, size))
        for (i, j), values in second.items():
            if j < q:
                total = -sds[i] * sds[j] * np.bincount(a.image, (each * values).sum(axis=1), a.n_images)
                own[images + i, images + j] = own[images + j, images + i] = total
        for i in range(q):
            safe[images + i, images + i] += np.abs(own[images + i, images + i])
        curvature = own + np.eye(size)
        columns = (a.image[:, None] * q + np.arange(q)).ravel()
        away = np.stack([one * sds[i] - means[:, i, None] for i, one in enumerate(first)], axis=1)
        away = (away * np.sqrt(each)[:, None]).reshape(len(a.x) * q, -1)
        ends = np.append(self.begins[1:], len(a.x)) * q
        for begin, end in zip(self.begins * q, ends, strict=True):
            part, place = away[begin:end], columns[begin:end]
            if len(np.unique(place)) == len(place):
                curvature[np.ix_(place, place)] -= product(part, part.T.copy())
            else:
                np.subtract.at(curvature, np.ix_(place, place), product(part, part.T.copy()))
        return down.ravel(), curvature, safe
