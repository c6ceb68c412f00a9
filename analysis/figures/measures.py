"""What the y axis of a figure shows: label, scale, and what the error bars are."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from rapidvision.errors import InputError, did_you_mean

from ..table.accuracy import Curve

Floats = NDArray[np.float64]
#: What bars and bands are: one standard error, a 95 % interval, or nothing.
ErrorBars = Literal["sem", "interval", "none"]
ERRORS: tuple[ErrorBars, ...] = ("sem", "interval", "none")


class Measure(NamedTuple):
    """What the y axis shows.

    Attributes
    ----------
    label : str
        Of the axis.
    is_accuracy : bool
        Whether chance, ceilings and networks belong beside it.
    is_share : bool
        Whether it is shown in per cent.
    error : str
        What one standard error is.
    """

    label: str = "Categorization accuracy"
    is_accuracy: bool = True
    is_share: bool = True
    error: str = "S.E.M. over participants"


_JACKKNIFE = "jackknife S.E. over participants"
#: By the name of the statistic.
MEASURES: dict[str, Measure] = {
    "participant_mean": Measure(),
    "pooled": Measure("Categorization accuracy, all trials together", error=_JACKKNIFE),
    "dprime": Measure("Sensitivity (d′)", is_accuracy=False, is_share=False, error=_JACKKNIFE),
    "criterion": Measure("Criterion (c)", is_accuracy=False, is_share=False, error=_JACKKNIFE),
    "response_ms": Measure("Median response time, correct answers (ms)", is_accuracy=False, is_share=False),
    "late_share": Measure("Late, early and missing answers", is_accuracy=False),
}


def measure_of(statistic: str) -> Measure:
    """Return how a statistic is drawn; a plug-in's is labelled with its name, and is no share.

    Examples
    --------
    >>> measure_of("dprime").label, measure_of("my_score").label
    ('Sensitivity (d′)', 'my score')
    """
    return MEASURES.get(statistic) or Measure(statistic.replace("_", " "), is_accuracy=False, is_share=False)


def half_width(curve: Curve, error: ErrorBars) -> Floats:
    """Half the length of the bars at every level: NaN where fewer than two participants have data.

    Parameters
    ----------
    curve : Curve
        Mean, standard error and number of participants.
    error : {"sem", "interval", "none"}
        One standard error; the 95 % interval of Student's t; nothing.

    Raises
    ------
    InputError
        When the kind of error is unknown.

    Examples
    --------
    >>> one = Curve(np.array([0.5]), np.array([0.1]), np.array([10]))
    >>> half_width(one, "sem"), half_width(one, "interval").round(3), half_width(one, "none")
    (array([0.1]), array([0.226]), array([nan]))
    """
    if error not in ERRORS:
        raise InputError(f'error: got "{error}". {did_you_mean(error, ERRORS)}')
    if error == "none":
        return np.full(len(curve.mean), np.nan)
    if error == "sem":
        return np.asarray(curve.sem)
    n = np.asarray(curve.n, dtype=float)
    return np.asarray(np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.975) * curve.sem, np.nan))


def error_words(measure: Measure, error: ErrorBars) -> str:
    """What the bars are, in words; empty where there are none.

    Examples
    --------
    >>> error_words(measure_of("dprime"), "interval")
    '95 % interval (t, jackknife S.E. over participants)'
    """
    if error == "none":
        return ""
    return measure.error if error == "sem" else f"95 % interval (t, {measure.error})"
