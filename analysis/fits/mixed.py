"""Mixed logistic regression with crossed participants and images, intercepts and slopes, as lme4's glmer fits it.

Participants and images are samples both; leaving either out makes standard errors too small, and so does leaving out
that their slopes differ. p of an effect is the likelihood ratio against F(1, participants - groups): with z, or with
chi squared, experiments of two dozen participants reject too often.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.text.result_repr import ShownAsTable

from .crossed.checks import checked, small_enough
from .crossed.factor import RandomFactor
from .crossed.laplace import Laplace
from .crossed.search import Search, TimeIsUp

Floats = NDArray[np.float64]
#: Standard deviations below this are reported as a fit on the boundary (lme4's "singular fit").
_BOUNDARY = 1e-3
_EXPECTED = (
    "with observed curvature the approximation has no smooth maximum here; fitted with expected curvature, as lme4 does: "
    "slopes are some 2 to 4 % too small (measured against quadrature)"
)


@dataclass(frozen=True, eq=False, repr=False)
class MixedFit(ShownAsTable):
    """Result of :func:`fit_crossed`.

    Attributes
    ----------
    names : tuple of str
        Names of the fixed effects.
    estimate, se : ndarray of float64, shape (effects,)
        Fixed effects, in logits, and standard errors from the curvature of the whole likelihood; NaN where the time
        limit ended the fit before.
    likelihood_ratio : ndarray of float64, shape (effects,)
        Twice the loss of log likelihood without an effect; NaN for effects that were not tested.
    freedom : int
        Denominator of F: participants minus groups of participants.
    covariance_participant, covariance_image : ndarray of float64, shape (q, q)
        Covariances of the random coefficients, in squared logits.
    random_participant, random_image : tuple of str
        Names of the random coefficients.
    log_likelihood : float
        Laplace approximation.
    guess : float
        Guess rate of the link.
    boundary : bool
        Whether a standard deviation is 0 or a correlation 1: the data do not show this part of the spread.
    converged : bool
        Whether the fit ended because nothing improved any more.
    evaluations : int
        Evaluations of the likelihood.
    n, n_participants, n_images : int
        Sizes.
    notes : tuple of str
        Warnings.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> fit = rv.analysis.fit_mixed(trials).mixed
    >>> fit.estimate.shape == fit.se.shape, fit.n_images, fit.random_participant
    (True, 80, ('(intercept)', 'log10 percent'))
    """

    names: tuple[str, ...]
    estimate: Floats
    se: Floats
    likelihood_ratio: Floats
    freedom: int
    covariance_participant: Floats
    covariance_image: Floats
    random_participant: tuple[str, ...]
    random_image: tuple[str, ...]
    log_likelihood: float
    guess: float
    boundary: bool
    converged: bool
    evaluations: int
    n: int
    n_participants: int
    n_images: int
    notes: tuple[str, ...] = field(default=())

    @property
    def sd_participant(self) -> Floats:
        """Standard deviations of participants' coefficients, in logits."""
        return np.asarray(np.sqrt(np.diag(self.covariance_participant)))

    @property
    def sd_image(self) -> Floats:
        """Standard deviations of images' coefficients, in logits."""
        return np.asarray(np.sqrt(np.diag(self.covariance_image)))

    def to_frame(self) -> pd.DataFrame:
        """One row per fixed effect.

        Returns
        -------
        DataFrame
            estimate, se, z, p_wald (of z), likelihood_ratio, p (of F), and the 95 % interval by t.
        """
        from scipy.special import fdtrc, ndtr, stdtrit

        z = self.estimate / self.se
        half = float(stdtrit(self.freedom, 0.975)) * self.se
        return pd.DataFrame(
            {
                "effect": self.names,
                "estimate": self.estimate,
                "se": self.se,
                "z": z,
                "p_wald": 2 * ndtr(-np.abs(z)),
                "likelihood_ratio": self.likelihood_ratio,
                "p": fdtrc(1, self.freedom, self.likelihood_ratio),
                "low": self.estimate - half,
                "high": self.estimate + half,
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
    slopes_participant: Sequence[int] = (),
    slopes_image: Sequence[int] = (),
    correlated: bool = True,
    tested: Sequence[int] | None = None,
    n_groups: int = 2,
    time_limit_s: float | None = None,
    on_step: Callable[[int, float], object] | None = None,
) -> MixedFit:
    """Fit ``y ~ X + (1 + slopes | participant) + (1 + slopes | image)``.

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
        Guess rate of the link; 0 is the ordinary logit, of k answers 1/k.
    slopes_participant, slopes_image : sequence of int
        Columns of X whose coefficients differ between participants, and between images; intercepts always do.
    correlated : bool
        Whether the coefficients of a unit correlate (lme4's ``|``, else ``||``).
    tested : sequence of int, optional
        Columns of X that are left out in turn for the likelihood ratio; all but constant columns when absent.
    n_groups : int
        Groups of participants; F has participants - groups degrees of freedom.
    time_limit_s : float, optional
        After so many seconds the fit ends with what it has, and says so. None: no limit.
    on_step : callable, optional
        Called with the number of evaluations and the last deviance.

    Returns
    -------
    MixedFit
        Agrees with lme4 where both can be computed.

    Raises
    ------
    InputError
        When shapes differ, `y` is not 0 / 1 or is constant, the columns of X depend on each other, or both factors have
        so many coefficients that the fit would not end.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> who, what = np.divmod(np.arange(20 * 16), 16)
    >>> x = (what % 4) / 2 - 0.75
    >>> y = rng.random(320) < 1 / (1 + np.exp(-1 - rng.normal(1.5, 0.7, 20)[who] * x))
    >>> fit = fit_crossed(y, np.c_[np.ones(320), x], who, what, slopes_participant=(1,), n_groups=1)
    >>> fit.converged, bool(fit.to_frame()["p"][1] < 0.01)
    (True, True)
    """
    right, design = checked(y, X, guess)
    k = design.shape[1]
    labels = tuple(names) if names is not None else tuple(f"x{i}" for i in range(k))
    if len(labels) != k:
        raise InputError(f"mixed model: {len(labels)} names for {k} columns")
    factors = [
        RandomFactor(
            units,
            np.column_stack([np.ones(len(right)), design[:, list(slopes)]]),
            ("(intercept)", *(labels[i] for i in slopes)),
            correlated=correlated,
        )
        for units, slopes in ((participant, slopes_participant), (image, slopes_image))
    ]
    small_enough(*factors)
    if factors[0].n <= n_groups:
        raise InputError(f"mixed model: {factors[0].n} participants in {n_groups} groups leave nothing to test with")
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    columns = [i for i in range(k) if np.ptp(design[:, i]) > 0] if tested is None else list(tested)
    for expected in (False, True):
        search = Search(Laplace(right, design, *factors, guess=guess, expected=expected), until, on_step)
        found = _fitted(search, labels, columns, factors[0].n - n_groups, time_limit_s)
        if found.converged or guess == 0 or (until is not None and time.monotonic() > until):
            break
    return found


def _fitted(
    search: Search, labels: tuple[str, ...], tested: list[int], freedom: int, time_limit_s: float | None
) -> MixedFit:
    problem, notes = search.problem, []
    k = len(labels)
    se, ratio = np.full(k, np.nan), np.full(k, np.nan)
    converged = False
    try:
        se = search.minimise()[-k:]
        for column in tested if search.converged else ():
            ratio[column] = search.likelihood_ratio(column)
        converged = search.converged
        if not converged:
            notes.append("warning: the mixed model has not converged; its numbers are those of the last step")
    except TimeIsUp:
        done = "the fit has" if not np.isfinite(se).any() else "not all likelihood ratios have"
        notes.append(
            f"warning: {done} not converged within {time_limit_s:g} s ({search.evaluations} evaluations); what was not "
            "computed is missing. Allow more time (--time-limit), or fewer random slopes (--random)"
        )
    first, second, beta = problem.split(search.best)
    covariances = first @ first.T, second @ second.T
    small = any(_least_sd(one) < _BOUNDARY for one in (first, second))
    return MixedFit(
        names=labels,
        estimate=beta,
        se=se,
        likelihood_ratio=ratio,
        freedom=freedom,
        covariance_participant=covariances[0],
        covariance_image=covariances[1],
        random_participant=problem.participant.names,
        random_image=problem.image.names,
        log_likelihood=-0.5 * search.deviance,
        guess=problem.guess,
        boundary=small,
        converged=converged,
        evaluations=search.evaluations,
        n=len(problem.right),
        n_participants=problem.participant.n,
        n_images=problem.image.n,
        notes=(*notes, *((_EXPECTED,) if problem.expected else ()), *_few_answers(problem)),
    )


def _least_sd(triangle: Floats) -> float:
    """Smallest standard deviation of a coefficient, given those before it."""
    return float(np.abs(np.diag(triangle)).min())


def _few_answers(problem: Laplace) -> tuple[str, ...]:
    """Say where Laplace's approximation is known to be biased."""
    each = len(problem.right) / problem.participant.n
    if problem.guess == 0 or each >= 20:
        return ()
    text = (
        f"warning: {each:.0f} answers per participant with a guess rate: standard deviations are too small (measured with 12 "
        "answers: 1.08 instead of 1.28)"
    )
    return (text,)
