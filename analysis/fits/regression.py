"""Accuracy ~ level x condition three ways: mixed (participants and images random), GEE, and plain logistic regression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from rapidvision.errors import InputError
from rapidvision.text.result_repr import ShownAsTable

from ..inference.cautions import INTERCEPTS_ONLY
from ..table.first_lines import opening
from ..table.guess_rate import checked_guess, known_guess, shown_guess
from ..table.trials import Trials, TrialsSource, as_trials
from .choices import TIME_LIMIT_S, AxisScale, Random
from .marginal import MarginalFit, fit_marginal
from .mixed import MixedFit, fit_crossed
from .regressors import random_slopes, regressors


@dataclass(frozen=True, eq=False, repr=False)
class Effects(ShownAsTable):
    """The same effects under three assumptions about what is independent.

    Attributes
    ----------
    groups : (str, str)
        The two conditions; the second is the reference.
    column : str
        Column of the trials table that holds them.
    within : bool
        Whether participants met both.
    mixed : MixedFit
        Participants and images random, intercepts and slopes.
    gee : MarginalFit
        Population average, clustered by participant, robust standard errors.
    glm : MarginalFit
        Population average, every trial independent: too sure of itself, for comparison only.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.fit_mixed(trials)
    >>> found.groups, found.mixed.n_participants
    (('clickme', 'salicon'), 8)
    """

    groups: tuple[str, str]
    column: str
    within: bool
    mixed: MixedFit
    gee: MarginalFit
    glm: MarginalFit
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    @property
    def cautions(self) -> tuple[str, ...]:
        """Warnings: a fit that has not converged, few answers per participant, or random effects without slopes."""
        flat = len(self.mixed.random_participant) == 1
        return (*self.mixed.notes, *((INTERCEPTS_ONLY,) if flat else ()))

    def to_frame(self) -> pd.DataFrame:
        """One row per effect: the mixed model's columns, then estimate and standard error of the two others."""
        table = self.mixed.to_frame()
        for one in (self.gee, self.glm):
            table[one.kind] = one.estimate
            table[f"{one.kind}_se"] = one.se
        return table

    def sentence(self) -> str:
        """What the mixed model stands on."""
        fit = self.mixed
        link = f"guess rate {fit.guess:g}" if fit.guess else "logit"
        spreads = [
            f"SD of {who} " + ", ".join(f"{name} {sd:.3f}" for name, sd in zip(names, sds, strict=True))
            for who, names, sds in (
                ("participants", fit.random_participant, fit.sd_participant),
                ("images", fit.random_image, fit.sd_image),
            )
        ]
        text = (
            f"{fit.n} trials of {fit.n_participants} participants and {fit.n_images} images ({link}): {'; '.join(spreads)} "
            f"(logits); log likelihood {fit.log_likelihood:.3f}; p by likelihood ratio against F(1, {fit.freedom})"
        )
        return text + ("; a standard deviation is 0 or a correlation 1 (singular fit)" if fit.boundary else "")


def fit_mixed(
    trials: TrialsSource,
    *,
    groups: tuple[str, str] | None = None,
    by: str | None = None,
    link: Literal["logit", "guess"] | None = None,
    guess: float | None = None,
    random: Random = "auto",
    axis: AxisScale = "auto",
    time_limit_s: float | None = TIME_LIMIT_S,
    on_step: Callable[[int, float], object] | None = None,
) -> Effects:
    """Fit accuracy ~ level x condition with crossed random participants and images, and beside it GEE and GLM.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table; answers in time on levels with a place on the axis.
    groups : (str, str), optional
        The two conditions: what the first adds to the second; alphabetical when there are two.
    by : str, optional
        Column that holds the conditions. When absent `group`, or where all have the same the first of `map_source` and
        the protocol's columns that varies. Participants may have met both.
    link : {"logit", "guess"}, optional
        ``guess``: the lower end is the guess rate of the table (1/k for k answers). When absent ``guess`` if `guess` is
        stated, else ``logit``. GEE and GLM always have the logit.
    guess : float, optional
        Guess rate, as the user states it; 0 is the ordinary logit.
    random : {"auto", "slopes", "maximal", "participant-slopes", "intercepts"}
        What differs between participants and images beside their intercepts: see
        :func:`~rapidvision.analysis.fits.regressors.random_slopes`. ``auto``: slopes of both, where the data allow it;
        notes say what was left out.
    axis : {"auto", "log", "linear"}
        Of the level.
    time_limit_s : float, optional
        After so many seconds the fit ends with what it has, and says so. None: no limit.
    on_step : callable, optional
        Called with the number of evaluations and the last deviance.

    Returns
    -------
    Effects
        One row per effect, in logits; notebooks show the table. p is the likelihood ratio against F(1, participants - 2);
        z and its p stand beside it.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> rv.analysis.fit_mixed(trials, groups=("clickme", "salicon")).to_frame().shape
    (4, 13)
    """
    source = as_trials(trials)
    rows = regressors(source, by=by, conditions=groups, axis=axis)
    participant, image, notes = random_slopes(rows, random)
    mixed = fit_crossed(
        rows.y,
        rows.X,
        rows.participant,
        rows.image,
        names=rows.names,
        guess=_rate(source, link, guess),
        slopes_participant=participant,
        slopes_image=image,
        n_groups=rows.n_groups,
        time_limit_s=time_limit_s,
        on_step=on_step,
    )
    glm, gee = fit_marginal(rows)
    return Effects(rows.conditions, rows.column, rows.within, mixed, gee, glm, (*opening(source), *notes))


def _rate(trials: Trials, link: str | None, guess: float | None) -> float:
    if link not in (None, "logit", "guess"):
        raise InputError(f'link: got "{link}", allowed are logit and guess')
    if guess is not None:
        if link == "logit" and guess:
            raise InputError(f"link: logit has no guess rate, got {guess:g}; leave one of the two out")
        return float(checked_guess(guess) or 0.0)
    if link != "guess":
        return 0.0
    stated = trials.guess if trials.guess is not None else shown_guess(trials.people(), trials.options)
    return known_guess(stated, what="mixed model")
