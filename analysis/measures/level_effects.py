"""Effect sizes with intervals at every level, equivalence and Bayes factors: what a reviewer asks beside p."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..effects.bayes_factor import PRIOR_SCALE, jzs_bayes_factor
from ..effects.difference import Difference, between, within
from ..effects.limits import equivalence, limits, standardised
from ..effects.mover import arcsine, effect_of, log_odds
from ..resampling.multiplicity import holm
from ..scores.answers import Answers, answers
from ..scores.condition_tests import paired
from ..scores.measure import Measure
from ..scores.participant_scores import SCORES, participant_scores
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource, as_trials

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class LevelEffects(Measure):
    """Effect sizes of two conditions per level.

    Attributes
    ----------
    conditions : (str, str)
        First minus second.
    design : {"between", "within"}
        Whether other participants, or the same ones, saw the second condition.
    confidence : float
        Of the intervals.
    bound : float or None
        Of the equivalence tests, in units of the difference.
    difference : Difference or None
        What every number of the table comes from.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_effects(trials, bound=0.1)
    >>> found.conditions, found.design, len(found.to_frame())
    (('clickme', 'salicon'), 'between', 12)
    """

    conditions: tuple[str, str] = ("", "")
    design: str = "between"
    confidence: float = 0.95
    bound: float | None = None
    difference: Difference | None = field(default=None)


def level_effects(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    statistic: str = "participant_mean",
    late: LateRule = "exclude",
    confidence: float = 0.95,
    bound: float | None = None,
    alpha: float = 0.05,
    prior_scale: float = PRIOR_SCALE,
) -> LevelEffects:
    """Give the size of the difference of two conditions at every level, with intervals.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column that holds the conditions; groups by default. Where the same participants saw both, the comparison is one of
        their differences.
    conditions : (str, str), optional
        First minus second; alphabetical where there are two.
    statistic : {"participant_mean", "dprime", "criterion", "response_ms", "late_share"}
        What is compared: one score of each participant, condition and level.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    confidence : float, default 0.95
        Of the intervals.
    bound : float, optional
        Also test equivalence: is the difference within ± `bound` (0.05: five points of accuracy)?
    alpha : float, default 0.05
        Level of the equivalence tests.
    prior_scale : float, default sqrt(1/2)
        Of the Cauchy prior of the Bayes factor.

    Returns
    -------
    LevelEffects
        Per level: means and participants of both conditions, `difference` with `low`, `high`; for accuracies Cohen's `h` and
        the `odds_ratio` with their intervals; the standardised difference `d` (Hedges' g) with its interval; `t`, `df` and
        `bf10`, the JZS Bayes factor; with a bound `p_equivalent`, its Holm correction, and the interval of 1 - 2 alpha.

    Raises
    ------
    InputError
        When the conditions are not two, or a number is outside its range.

    Notes
    -----
    d ± t · se, where a group's spread is pooled over the levels (for participants who saw both conditions, that of their
    differences in units of p₁(1 − p₁) + p₂(1 − p₂)); with a single level, and where no participant varies, by square-and-add of
    two Wilson intervals (Newcombe, 1998), as for Cohen's h and the odds ratio at every level. The equivalence test takes the
    skewness of the difference away (Hall, 1992). The Bayes factor has the degrees of freedom of t. No number stands on pooled trials.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> table = rv.analysis.level_effects(trials).to_frame()
    >>> bool(((table["low"] <= table["difference"]) & (table["difference"] <= table["high"])).all())
    True
    """
    _check(statistic, confidence=confidence, bound=bound, alpha=alpha)
    checked = as_trials(trials)
    found = answers(checked, by=by, late=late)
    pair = found.pair(conditions)
    at = (found.conditions.index(pair[0]), found.conditions.index(pair[1]))
    scores, counts = participant_scores(checked, found, statistic)
    shares = statistic in ("participant_mean", "late_share")
    two = paired(scores, *at, pair)
    several = paired(np.where(np.isfinite(scores), counts, np.nan), *at, pair)
    both = (several.first, several.second) if shares else None
    _refuse_small(two.first, two.second, pair, design=two.design)
    difference = (within if two.design == "within" else between)(two.first, two.second, both)
    table = _table(found, pair, difference, confidence=confidence, shares=shares, prior_scale=prior_scale)
    notes = [*_said(difference, pair, two.design, confidence, statistic), *two.notes]
    if bound is not None:
        p, low, high = equivalence(difference, bound, alpha)
        table["p_equivalent"], table["p_equivalent_holm"] = p, holm(p)
        table["equivalent_low"], table["equivalent_high"] = low, high
        notes.append(
            f"equivalence: two one-sided tests against ± {bound:g}; the interval is one of {1 - 2 * alpha:.0%}. All levels "
            f"are equivalent where the largest p_equivalent is <= {alpha:g}; a single one, where its p_equivalent_holm is"
        )
    return LevelEffects(table, found.notes, tuple(notes), pair, two.design, confidence, bound, difference)


def _check(statistic: str, *, confidence: float, bound: float | None, alpha: float) -> None:
    if statistic not in SCORES:
        raise InputError(f'statistic: got "{statistic}". {did_you_mean(statistic, SCORES)}')
    if not 0 < confidence < 1:
        raise InputError(f"confidence: got {confidence:g}; a share between 0 and 1 is needed, such as 0.95")
    if not 0 < alpha < 0.5:
        raise InputError(f"alpha: got {alpha:g}; a share between 0 and 0.5 is needed, such as 0.05")
    if bound is not None and not bound > 0:
        raise InputError(f"bound: got {bound:g}; a number above 0 is needed, such as 0.05 for five points of accuracy")


def _refuse_small(first: Floats, second: Floats, pair: tuple[str, str], *, design: str) -> None:
    for name, scores in zip(pair, (first, second), strict=True):
        if len(scores) < 2:
            who = "participants who saw both conditions" if design == "within" else f"participants in {name}"
            raise InputError(f"effects: {len(scores)} {who}; at least two are needed for an interval")


def _said(
    difference: Difference, pair: tuple[str, str], design: str, confidence: float, statistic: str
) -> tuple[str, ...]:
    who = "the same participants" if design == "within" else "other participants"
    lines = [f"difference is {pair[0]} minus {pair[1]} ({statistic}), {who}; intervals are {confidence:.0%}"]
    if (alone := int(difference.by_shares.sum())) and difference.shares is not None:
        lines.append(
            f"{alone} level{'s' * (alone > 1)} with the interval of the difference from two Wilson intervals (no participant "
            "varies there, or there is no other level whose spread could be pooled)"
        )
    if empty := int((~np.isfinite(difference.value)).sum()):
        lines.append(f"{empty} level{'s' * (empty > 1)} not compared: a condition has no answers there")
    blank = int((np.isnan(difference.t) & np.isfinite(difference.value)).sum())
    if blank:
        lines.append(f"{blank} level{'s' * (blank > 1)} without t, d and Bayes factor: no participant varies there")
    return tuple(lines)


def _table(
    found: Answers, pair: tuple[str, str], one: Difference, *, confidence: float, shares: bool, prior_scale: float
) -> pd.DataFrame:
    low, high = limits(one, confidence)
    columns: dict[str, object] = {
        "level": [level.label for level in found.levels],
        pair[0]: one.first,
        pair[1]: one.second,
        f"{pair[0]} n": one.n[0],
        f"{pair[1]} n": one.n[1],
        "difference": one.value,
        "low": low,
        "high": high,
    }
    if shares and one.shares is not None:
        columns["h"], columns["h_low"], columns["h_high"] = effect_of(one.shares, confidence, arcsine)
        odds = effect_of(one.shares, confidence, log_odds, finite=True)
        with np.errstate(over="ignore"):
            columns["odds_ratio"], columns["or_low"], columns["or_high"] = (np.exp(value) for value in odds)
    columns["d"], columns["d_low"], columns["d_high"] = standardised(one, confidence)
    columns["t"], columns["df"] = one.t, one.df
    columns["bf10"] = [
        jzs_bayes_factor(float(t), int(n[0]), None if one.within else int(n[1]), df=float(df), scale=prior_scale)
        if min(n) > 1
        else np.nan
        for t, df, n in zip(one.t, one.df, one.n.T, strict=True)
    ]
    return pd.DataFrame(columns)
