"""Images as the unit, and participants and images at once: does a difference hold for other images, too.

With images as the unit, an image's accuracy under each condition is the mean over the participants who saw it. Participants and images
at once are joined by min F' (Clark 1973): the smallest F that a test with both as random could have.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import Alternative

from ..inference.permutation import randomization_test
from ..inference.pooled_spread import pooled_spread
from ..resampling.multiplicity import holm
from ..table.trials import Trials
from .condition_cells import ConditionCells, condition_cells
from .contrast import Contrast
from .options import Found, Options, joined_pairs, scores_of
from .within import curve_under, differences_of, within_tests

Floats = NDArray[np.float64]
#: Who is resampled.
Unit = Literal["participant", "image", "both"]
UNITS: tuple[Unit, ...] = ("participant", "image", "both")


def image_tests(trials: Trials, contrast: Contrast, options: Options) -> Found:
    """Conditions compared over images: within images that were seen under each, else between images.

    Raises
    ------
    InputError
        When the table does not say which image a trial showed, or the design or statistic is none for images.
    """
    _check(trials, contrast, options)
    if _shared(trials, contrast, options):
        return within_tests(trials, contrast, options, unit="image_id")
    found = condition_cells(trials, contrast, options.name, late=options.late, unit="image_id")
    if len(contrast.conditions) > 2:
        raise InputError(
            f"unit: images belong to one of {len(contrast.conditions)} conditions each; name two to compare"
        )
    first = np.zeros(len(found.columns.parts), dtype=bool)
    first[found.rows[:, 0][found.rows[:, 0] >= 0]] = True
    test = randomization_test(found.columns, first, spread=options.spread, exact=options.exact, **options.resampling())
    curves = (curve_under(found, 0), curve_under(found, 1))
    pairs, _ = joined_pairs(contrast.conditions, curves, [test], None)
    return Found(found.cells.levels, found.cells, curves, pairs)


def both_units(trials: Trials, contrast: Contrast, options: Options, found: Found) -> pd.DataFrame:
    """The test over images, and min F' over participants and images, a row per level.

    Parameters
    ----------
    trials, contrast, options
        As for the test over participants.
    found : Found
        That test.
    """
    _check(trials, contrast, options)
    if len(contrast.conditions) != 2 or options.name != "participant_mean":
        raise InputError("unit: both compares the accuracy of two conditions; name two, and statistic participant_mean")
    over_images = image_tests(trials, contrast, replace(options, exact=False))
    image_cells = condition_cells(trials, contrast, options.name, late=options.late, unit="image_id")
    people = condition_cells(trials, contrast, options.name, late=options.late)
    p, p_holm = min_f(
        _t(people, within=contrast.design == "within"),
        _t(image_cells, within=bool((image_cells.rows >= 0).all(axis=1).any())),
        alternative=options.alternative,
    )
    test = over_images.pairs[0].test
    values = {"difference_images": test.difference, "p_images": test.p, "p_step_down_images": test.p_step_down}
    labels = [level.label for level in found.levels]
    return pd.DataFrame({"level": labels, **values, "p_both": p, "p_both_holm": p_holm})


def _check(trials: Trials, contrast: Contrast, options: Options) -> None:
    if contrast.design not in ("between", "within"):
        raise InputError(f"unit: images are compared between two or more conditions; the design is {contrast.design}")
    if options.own is not None or options.covariates or options.strata:
        raise InputError("unit: images are compared by named statistics, without strata and covariates of participants")
    if trials.people()["image_id"].isna().all():
        raise InputError(f"unit: {trials.name} does not say which image a trial showed (image_id is empty)")


def _shared(trials: Trials, contrast: Contrast, options: Options) -> bool:
    """Whether at least half of the images were seen under every condition."""
    rows = condition_cells(trials, contrast, options.name, late=options.late, unit="image_id").rows
    return bool((rows >= 0).all(axis=1).mean() >= 0.5)


def _t(found: ConditionCells, *, within: bool) -> tuple[Floats, Floats]:
    """The t of two conditions per level, from a spread that is pooled over the levels, and its degrees of freedom."""
    if within:
        gaps = differences_of(found, (0, 1), "participant_mean")
        error, freedom = paired_error(gaps.values, gaps.unit)
        here = np.isfinite(gaps.values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(here, gaps.values, 0.0).sum(axis=0) / here.sum(axis=0) / error, freedom
    first = np.zeros(len(found.columns.parts), dtype=bool)
    first[found.rows[:, 0][found.rows[:, 0] >= 0]] = True
    spread = pooled_spread(scores_of(found.columns), first, binomial=True)
    shares = np.array([phi / np.maximum(n, 1) for phi, n in zip(spread.phi, spread.n, strict=True)])
    return spread.t, spread.variance**2 / (shares**2 / np.maximum(spread.n - 1, 1)).sum(axis=0)


def paired_error(values: Floats, unit: Floats) -> tuple[Floats, Floats]:
    """Standard error of a mean difference per level, from one spread for all levels, and its degrees of freedom.

    Parameters
    ----------
    values : ndarray, shape (n, levels)
        Differences, NaN where a participant or image has none.
    unit : ndarray, shape (levels,)
        What puts the levels on one scale; 0 where nothing varies.
    """
    here = np.isfinite(values)
    n = here.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(here, values, 0.0).sum(axis=0) / n
        live = (unit > 0) & (n > 1)
        squares = (np.where(here, values - mean, 0.0) ** 2).sum(axis=0)
        spread = (squares[live] / unit[live] ** 2).sum() / max(float((n[live] - 1).sum()), 1.0)
        return np.where(live, np.sqrt(spread / n) * unit, np.nan), np.maximum(n - 1.0, 1.0)


def min_f(
    participants: tuple[Floats, Floats], images: tuple[Floats, Floats], *, alternative: Alternative = "two-sided"
) -> tuple[Floats, Floats]:
    """Join a test over participants and one over images: p per level, and corrected by Holm.

    Parameters
    ----------
    participants, images : pairs of ndarray, shape (levels,)
        t, first condition minus second, and degrees of freedom.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first condition scores higher.

    Returns
    -------
    p, p_holm : ndarray, shape (levels,)
        1 where both have opposite signs.

    Examples
    --------
    >>> one, other = (np.array([3.0]), np.array([19.0])), (np.array([4.0]), np.array([39.0]))
    >>> min_f(one, other)[0].round(4)
    array([0.0211])
    """
    (t_1, free_1), (t_2, free_2) = participants, images
    from scipy.stats import f as f_distribution

    with np.errstate(invalid="ignore", divide="ignore"):
        f_1, f_2 = t_1**2, t_2**2
        together = np.where((f_1 > 0) & (f_2 > 0), f_1 * f_2 / (f_1 + f_2), 0.0)
        freedom = np.where(together > 0, (f_1 + f_2) ** 2 / (f_1**2 / free_2 + f_2**2 / free_1), 1.0)
        both = f_distribution.sf(together, 1, freedom)
    agree = np.sign(t_1) == np.sign(t_2)
    if alternative == "two-sided":
        p = np.where(agree, both, 1.0)
    else:
        wanted = 1.0 if alternative == "greater" else -1.0
        p = np.where(agree & (np.sign(t_1) == wanted), both / 2, 1.0)
    p = np.where(np.isfinite(t_1) & np.isfinite(t_2), p, np.nan)
    return p, holm(p)
