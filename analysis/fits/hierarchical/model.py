"""A hierarchical psychometric model of all trials: thresholds and slopes of people and of images are random."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ...table.accuracy import level_codes
from ...table.first_lines import opening
from ...table.guess_rate import known_guess, shown_guess
from ...table.trials import Trials, TrialsSource, as_trials
from ..choices import IMAGE_EFFECTS, TIME_LIMIT_S, AxisScale, ImageEffects
from ..crossed.search import TimeIsUp
from ..level_axis import LevelAxis, level_axis
from ..psychometric import most_lapse
from ..regressors import condition_rows
from .marginal_likelihood import Answers
from .result import HierarchicalFit
from .search import HierarchicalSearch

Floats = NDArray[np.float64]
#: Image effects of a dense curvature.
_MOST_EFFECTS = 800


def fit_hierarchical(
    trials: TrialsSource,
    *,
    groups: tuple[str, str] | None = None,
    by: str | None = None,
    guess: float | None = None,
    axis: AxisScale = "auto",
    images: ImageEffects = "auto",
    n_nodes: int = 5,
    time_limit_s: float | None = TIME_LIMIT_S,
    on_step: Callable[[int, float], object] | None = None,
) -> HierarchicalFit:
    """Fit psychometric functions of one or two conditions with random people and images, lapse and guess rate.

    P(correct) = g + (1 - g - lapse) logistic(exp(s) (x - t)), with t the condition's threshold plus the person's and the
    image's deviation, s the mean log slope plus theirs. Deviations are normal. People are integrated by Gauss-Hermite
    quadrature in two dimensions around each person's posterior; images enter by Laplace's approximation around their
    modes given that integral.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table; answers in time, intact images included.
    groups : (str, str), optional
        The two conditions; alphabetical when there are two. One condition alone is fitted, too.
    by : str, optional
        Column that holds the conditions, see :func:`~rapidvision.analysis.fits.regression.fit_mixed`. A participant has
        one condition.
    guess : float, optional
        Share of answers that guessing gets right, where the table does not show it.
    axis : {"auto", "log", "linear"}
        Of the levels.
    images : {"auto", "both", "threshold", "none"}
        What differs between images. ``auto``: threshold and slope, for many images less, with a note.
    n_nodes : int
        Quadrature nodes per dimension.
    time_limit_s : float, optional
        After so many seconds the fit ends with what it has, and says so. None: no limit.
    on_step : callable, optional
        Called with the number of evaluations and the last deviance.

    Returns
    -------
    HierarchicalFit
        Population values with intervals; participants' and images' own values.

    Raises
    ------
    InputError
        When the guess rate is unknown, levels have no place on an axis, fewer than three have trials, or participants
        have both conditions.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> rv.analysis.fit_hierarchical(trials, images="none").to_frame()["parameter"].tolist()[:2]
    ['threshold clickme', 'threshold salicon']
    """
    source = as_trials(trials).guessing(guess)
    frame, values, column, conditions = condition_rows(source, by=by, conditions=groups, one=True)
    if frame.empty:
        raise InputError(f"{source.name}: no trials in time; a hierarchical model needs them")
    if n_nodes < 3:
        raise InputError(f"n_nodes: got {n_nodes}, at least 3 nodes per dimension are needed")
    met = values.groupby(frame["participant_id"].to_numpy()).nunique()
    if (met > 1).any():
        raise InputError(
            f"hierarchical model: {int((met > 1).sum())} participants have both conditions of {column}; fit each condition "
            f"alone (--where {column}={conditions[0]}), or use the mixed model, which takes both"
        )
    levels, places = level_codes(frame)
    placed = level_axis(levels, axis)
    answers, names = _answers(source, frame, values, conditions, placed.x[places])
    if answers.n_people <= len(conditions):
        raise InputError(f"hierarchical model: {answers.n_people} participants are too few; each condition needs two")
    q, notes = _effects_of(images, answers.n_images)
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    search = HierarchicalSearch(answers, image_effects=q, n_nodes=n_nodes, until=until, on_step=on_step)
    cautions: tuple[str, ...] = ()
    covariance = np.full((len(search.best),) * 2, np.nan)
    try:
        search.minimise()
        covariance = search.covariance()
        if not search.converged:
            cautions = ("warning: the hierarchical model has not converged; its numbers are those of the last step",)
    except TimeIsUp:
        search.converged = False
        late = (
            f"warning: the hierarchical model has not converged within {time_limit_s:g} s ({search.evaluations} evaluations); "
            "what was not computed is missing. Allow more time (--time-limit), or leave images out (--images-random none)"
        )
        cautions = (late,)
    return _result(search, conditions, placed, covariance, names, (*opening(source), *notes), cautions)


def _result(
    search: HierarchicalSearch,
    conditions: tuple[str, ...],
    placed: LevelAxis,
    covariance: Floats,
    names: tuple[list[str], list[str]],
    notes: tuple[str, ...],
    cautions: tuple[str, ...],
) -> HierarchicalFit:
    model, best = search.model, search.best
    answers, k = model.answers, len(conditions)
    model.deviance(best)
    mean, spread = model.people(best)
    theirs = answers.condition[model.begins]
    own = pd.DataFrame(
        {
            "participant": names[0],
            "condition": [conditions[place] for place in theirs],
            "threshold": placed.value(best[theirs] + mean[:, 0]),
            "slope": np.exp(best[k] + mean[:, 1]),
            "sd_threshold": spread[:, 0],
            "sd_log_slope": spread[:, 1],
        }
    )
    effects = pd.DataFrame({"image": names[1]})
    for name, values in zip(("threshold", "log_slope"), model.image_effects(best).T, strict=False):
        effects[name] = values
    two = k == 2
    return HierarchicalFit(
        conditions=conditions,
        axis=placed,
        names=model.names(conditions),
        estimate=best,
        se=np.sqrt(np.diag(covariance)),
        difference=float(best[0] - best[1]) if two else float("nan"),
        difference_se=float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))
        if two
        else float("nan"),
        freedom=answers.n_people - k,
        guess=answers.guess,
        lapse=float(most_lapse(answers.guess) / (1 + np.exp(-best[k + 1]))),
        log_likelihood=-0.5 * search.deviance,
        own=own,
        effects=effects,
        converged=search.converged,
        n=len(answers.x),
        n_participants=answers.n_people,
        n_images=answers.n_images,
        notes=notes,
        cautions=cautions,
    )


def _answers(
    source: Trials, frame: pd.DataFrame, values: "pd.Series[str]", conditions: tuple[str, ...], x: Floats
) -> tuple[Answers, tuple[list[str], list[str]]]:
    shown = shown_guess(frame, source.options) if source.guess is None else source.guess
    guess = known_guess(shown, what="hierarchical model")
    person, people = pd.factorize(frame["participant_id"], sort=True)
    image, images = pd.factorize(frame["image_id"], sort=True)
    order = np.lexsort((image, person))
    condition = np.array([conditions.index(str(value)) for value in values])
    right = np.array([value is True or value is np.True_ for value in frame["correct"]])
    answers = Answers(
        right[order],
        x[order],
        person[order],
        image[order],
        condition[order],
        len(people),
        len(images),
        len(conditions),
        guess,
    )
    return answers, ([str(one) for one in people], [str(one) for one in images])


def _effects_of(images: ImageEffects, n: int) -> tuple[int, tuple[str, ...]]:
    """How many effects images have, and a sentence where ``auto`` took fewer than two."""
    if images not in IMAGE_EFFECTS:
        raise InputError(f'images: got "{images}", allowed are {", ".join(IMAGE_EFFECTS)}')
    if images != "auto":
        q = {"both": 2, "threshold": 1, "none": 0}[images]
        if n * q > _MOST_EFFECTS:
            raise InputError(
                f"hierarchical model: {n:,} images with {q} effects each are too many; allowed are {_MOST_EFFECTS} effects. "
                "Let images differ in less (--images-random threshold or none)"
            )
        return q, ()
    q = next((q for q in (2, 1) if n * q <= _MOST_EFFECTS), 0)
    if n < 5:
        return 0, (f"images are not random: {n} are too few",)
    said = {2: (), 1: (f"images differ in threshold only: {n:,} are too many for slopes",)}
    return q, said.get(q, (f"images are not random: {n:,} are too many; participants are",))
