"""Accuracy ~ log reveal x group three ways: mixed (participants and images random), GEE, and plain logistic regression."""

from dataclasses import dataclass

import pandas as pd

from rapidvision.text.result_repr import ShownAsTable

from ..inference.cautions import INTERCEPTS_ONLY
from ..table.accuracy import cells
from ..table.trials import TrialsSource, as_trials
from .marginal import MarginalFit, fit_marginal
from .mixed import MixedFit, fit_crossed
from .regressors import design


@dataclass(frozen=True, eq=False, repr=False)
class Effects(ShownAsTable):
    """The same effects under three assumptions about what is independent.

    Attributes
    ----------
    groups : (str, str)
        The second is the reference.
    mixed : MixedFit
        Participants and images as random intercepts.
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
    mixed: MixedFit
    gee: MarginalFit
    glm: MarginalFit
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.notes

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the random effects leave out."""
        return (INTERCEPTS_ONLY,)

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
        text = (
            f"{fit.n} trials of {fit.n_participants} participants and {fit.n_images} images ({link}): SD of participants "
            f"{fit.sd_participant:.3f}, of images {fit.sd_image:.3f} logits, log likelihood {fit.log_likelihood:.3f}"
        )
        return text + ("; a standard deviation is 0 (singular fit)" if fit.boundary else "")


def fit_mixed(trials: TrialsSource, *, groups: tuple[str, str] | None = None, guess: float = 0.0) -> Effects:
    """Fit accuracy ~ log reveal x group with crossed random intercepts, and beside it GEE and GLM.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table; answers in time on levels with a per cent count.
    groups : (str, str), optional
        What the first adds to the second; alphabetical when there are two.
    guess : float
        Guess rate of the mixed model's link; 0 is the ordinary logit, which the two others always have.

    Returns
    -------
    Effects
        One row per effect, in logits; notebooks show the table.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> rv.analysis.fit_mixed(trials, groups=("clickme", "salicon")).to_frame().shape
    (4, 11)
    """
    source = as_trials(trials)
    table = cells(source)
    pair = table.pair(groups)
    y, X, participant, image, names = design(source, pair)
    mixed = fit_crossed(y, X, participant, image, names=names, guess=guess)
    glm, gee = fit_marginal(source, pair)
    return Effects(pair, mixed, gee, glm, table.notes)
