"""Trials as the rows of a regression: accuracy ~ level x condition, and what is random by participant and by image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..designs.conditions import as_words, condition_column, conditions_of
from ..table.accuracy import level_codes
from ..table.trials import Trials
from .choices import RANDOM, AxisScale, Random
from .crossed.checks import too_large
from .level_axis import level_axis

Floats = NDArray[np.float64]
#: Columns of the regressors: level, condition, and their product.
_LEVEL, _CONDITION, _PRODUCT = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Regressors:
    """A regression's rows.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Correct (1) or not (0).
    X : ndarray, shape (n, 4)
        Intercept, level (centred), condition (1 for the first), their product.
    participant, image : ndarray of object, shape (n,)
        Who, and which image.
    names : tuple of str
        Of the columns of X.
    column : str
        Column of the trials table that holds the conditions.
    conditions : (str, str)
        The second is the reference, so effects say what the first adds.
    within : bool
        Whether participants met both conditions.
    """

    y: Floats
    X: Floats
    participant: NDArray[np.object_]
    image: NDArray[np.object_]
    names: tuple[str, ...]
    column: str
    conditions: tuple[str, str]
    within: bool

    @property
    def n_groups(self) -> int:
        """Groups of participants: one where everybody met both conditions."""
        return 1 if self.within else 2


def regressors(
    trials: Trials, *, by: str | None = None, conditions: tuple[str, str] | None = None, axis: AxisScale = "auto"
) -> Regressors:
    """Accuracy ~ level × condition, for trials answered in time on levels with a place on the axis.

    Parameters
    ----------
    trials : Trials
        Participants' trials; the intact image has no place on the axis and is left out.
    by : str, optional
        Column that holds the conditions; `group`, or where all have the same the first of `map_source` and the
        protocol's columns that varies.
    conditions : (str, str), optional
        The second is the reference; alphabetical when there are two.
    axis : {"auto", "log", "linear"}
        Of the level.

    Raises
    ------
    InputError
        When nothing is left, a column or condition is unknown, or trials do not name their image.
    """
    frame, values, column, (first, second) = condition_rows(trials, by=by, conditions=conditions)
    shown = frame["level_label"] != "full"
    frame, values = frame[shown], values[shown]
    if frame.empty:
        raise InputError(
            f"{trials.name}: no trials in time on levels with a place on an axis; a mixed model needs them"
        )
    levels, places = level_codes(frame)
    placed = level_axis(levels, axis)
    x = placed.x[places] if placed.log else placed.value(placed.x[places])
    x = x - x.mean()
    g = (values == first).to_numpy(dtype=float)
    X = np.stack([np.ones(len(x)), x, g, x * g], axis=1)
    met = values.groupby(frame["participant_id"].to_numpy()).nunique()
    who, what = (np.asarray(frame[name], dtype=object) for name in ("participant_id", "image_id"))
    return Regressors(
        y=np.where(frame["correct"] == True, 1.0, 0.0),  # noqa: E712 (None is neither)
        X=np.asarray(X),
        participant=who,
        image=what,
        names=("(intercept)", placed.name, first, f"{placed.name}:{first}"),
        column=column,
        conditions=(first, second),
        within=bool((met > 1).any()),
    )


def random_slopes(rows: Regressors, random: Random) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """Which columns are random by participant and by image, and sentences on what was left out.

    Parameters
    ----------
    rows : Regressors
        The rows.
    random : {"auto", "slopes", "maximal", "participant-slopes", "intercepts"}
        ``slopes``: of the level by participant and by image, and of the condition by participant where participants met
        both. ``auto``: the same where the data allow it. ``maximal``: of the condition by image, too.
        ``participant-slopes``: intercepts only by image. ``intercepts``: no slopes.

    Returns
    -------
    participant, image : tuple of int
        Columns of X.
    notes : tuple of str
        What ``auto`` left out, and why.
    """
    if random not in RANDOM:
        raise InputError(f'random: got "{random}". {did_you_mean(random, RANDOM)}')
    if random == "intercepts":
        return (), (), ()
    participant: tuple[int, ...] = (_LEVEL, _CONDITION, _PRODUCT) if rows.within else (_LEVEL,)
    image: tuple[int, ...] = () if random == "participant-slopes" else (_LEVEL,)
    if random == "maximal" and _varies(rows.X[:, _CONDITION], rows.image):
        image = (_LEVEL, _CONDITION, _PRODUCT)
    if random != "auto":
        return participant, image, ()
    n, people, images = len(rows.y), len(set(rows.participant)), len(set(rows.image))
    notes = []
    if image and (n <= images * (1 + len(image)) or not _varies(rows.X[:, _LEVEL], rows.image)):
        notes.append(
            f"images have random intercepts only: {n:,} trials of {images:,} images are too few for a slope of each "
            "(random slopes asks for them all the same)"
        )
        image = ()
    if len(participant) > 1 and n <= people * (1 + len(participant)):
        participant = (_LEVEL,)
        notes.append(
            "participants have random slopes of the level only: there are too few trials of each for the condition's"
        )
    if n <= people * (1 + len(participant)) or not _varies(rows.X[:, _LEVEL], rows.participant):
        participant = ()
        notes.append("participants have random intercepts only: there are too few trials of each for a slope")
    for name in ("images", "participants"):
        if too_large(people, 1 + len(participant), images, 1 + len(image)) and (
            image if name == "images" else participant
        ):
            notes.append(
                f"{name} have random intercepts only: with {people:,} participants and {images:,} images the slopes leave "
                "a matrix that is too large"
            )
            image, participant = ((), participant) if name == "images" else (image, ())
    return participant, image, tuple(notes)


def condition_rows(
    trials: Trials, *, by: str | None, conditions: tuple[str, ...] | None, one: bool = False
) -> "tuple[pd.DataFrame, pd.Series[str], str, tuple[str, ...]]":
    """Trials answered in time of the two conditions that are compared.

    Parameters
    ----------
    trials : Trials
        Participants' trials.
    by : str, optional
        Column that holds the conditions; see :func:`regressors`.
    conditions : tuple of str, optional
        The two, or all there are.
    one : bool
        Whether a single condition will do.

    Returns
    -------
    frame : DataFrame
        The rows.
    values : Series of str
        Condition of each row.
    column : str
        Where they are.
    conditions : tuple of str
        The two; one where `one` allows it.
    """
    frame = trials.people()
    column = condition_column(frame) if by is None else by
    values = as_words(frame, column, trials.name)
    pair = _pair(values, conditions, column, one=one)
    chosen = (frame["status"] == "ok") & values.isin(pair)
    frame, values = frame[chosen], values[chosen]
    if len(frame) and frame["image_id"].isna().any():
        raise InputError(f"{trials.name}: some trials do not name their image; the model needs participant and image")
    return frame, values, column, pair


def _varies(values: Floats, units: "NDArray[np.object_]") -> bool:
    """Whether most units have more than one value."""
    grouped = pd.Series(values).groupby(units)
    return bool((grouped.max() > grouped.min()).mean() > 0.5)


def _pair(words: "pd.Series[str]", conditions: tuple[str, ...] | None, column: str, *, one: bool) -> tuple[str, ...]:
    known = sorted(set(words) - {""})
    if one and conditions is None and len(known) == 1:
        return (known[0],)
    pair = conditions_of(words, column, conditions)
    if len(pair) != 2:
        raise InputError(
            f"conditions: column {column} has {len(pair)} ({', '.join(pair[:8])}); name the two to compare"
        )
    return pair
