"""Whether two groups are compared by the plain difference or by the studentized one, and what is said about it.

Relabelling assumes that participants are exchangeable. Where spreads differ they are not, and the plain difference
rejects too often or too seldom; the difference over a spread that each group pools over its levels keeps its level.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..table.columns import SHARES, Columns
from .cautions import spread_ratio, spread_ratios

#: ``pooled``: studentized by one spread per group, pooled over levels; ``raw``: the plain difference, as in the paper;
#: ``auto``: pooled where spreads or sizes differ.
Spread = Literal["auto", "pooled", "raw"]
SPREADS: tuple[Spread, ...] = ("auto", "pooled", "raw")
#: Spreads differ where the F test of both groups' spreads has a p up to this.
DIFFERENT = 0.05
#: Sizes differ where the larger group has more than so many times the participants of the smaller one at some level.
UNEQUAL_SIZES = 1.25
#: A level's own spread is told apart from the others' where its F test has a p up to this, corrected for the levels: with
#: 12 and 48 participants, 7 answers each, correlated .4 and .02 there, in .72 of 600 experiments; in .06 without any cause.
_ONE_LEVEL = 0.2
_MEASURED = (
    "Measured without a difference, 12 against 48 participants, correlation of answers .4 against .02 at one of six levels, else "
    ".02: family-wise .10 at alpha .05, pooled and raw"
)
#: Fewer participants than this say nothing about a group's spread.
_FEWEST = 3


def chosen_spread(
    columns: Columns, first: "NDArray[np.bool_]", spread: Spread = "auto"
) -> tuple[Literal["pooled", "raw"], str]:
    """The statistic that is relabelled, and why.

    Parameters
    ----------
    columns : Columns
        What each participant contributes.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    spread : {"auto", "pooled", "raw"}
        What is asked for. ``auto`` takes ``pooled`` for means of participants where the spreads differ (F test over all
        levels, p up to .05), and for shares also where one group is more than 1.25 times as large as the other at some
        level.

    Raises
    ------
    InputError
        When the word is unknown, or the statistic is no mean of participants.
    """
    if spread not in SPREADS:
        raise InputError(f'spread: got "{spread}". {did_you_mean(spread, SPREADS)}')
    if spread == "raw":
        return "raw", "asked for"
    if not columns.is_mean:
        if spread == "pooled":
            raise InputError(
                f"spread: {columns.name} is no mean over participants, so groups have no spread of participants; choose "
                "raw, or participant_mean"
            )
        return "raw", "no mean over participants"
    if spread == "pooled":
        return "pooled", "asked for"
    if min(int(first.sum()), int((~first).sum())) < _FEWEST:
        return "raw", "too few participants to show a spread"
    _, p = spread_ratio(columns, first)
    if p <= DIFFERENT:
        return "pooled", f"the groups' spreads differ (F test, p = {p:.2g})"
    if columns.name in SHARES and _uneven(columns, first):
        return "pooled", "the groups' sizes differ"
    return "raw", "spreads and sizes are alike"


def pooled_note(columns: Columns, why: str, phi: tuple[float, float]) -> str:
    """What was relabelled instead of the plain difference."""
    unit = "the binomial variance of their means" if columns.name in SHARES else "everybody's variance"
    return (
        f"spread pooled ({why}): relabelled is the difference over its standard error, from one spread per group pooled "
        f"over the levels ({phi[0]:.2g} and {phi[1]:.2g} times {unit}), with Hall's term for skewness; spread raw takes "
        "the paper's plain difference"
    )


def one_level_warning(columns: Columns, first: "NDArray[np.bool_]") -> tuple[str, ...]:
    """Warn that a spread that differs at single levels is not seen: by name where it shows, else wherever sizes differ.

    The F test of one level sees such a spread in some .7 of the data sets that have it, so that with unequal sizes the
    warning cannot wait for it.
    """
    ratios = spread_ratios(columns, first)
    tested = np.isfinite(ratios.p)
    if np.count_nonzero(tested) < 2:
        return ()
    odd = tested & (ratios.p * np.count_nonzero(tested) <= _ONE_LEVEL)
    if odd.any() and odd.sum() <= np.count_nonzero(tested) / 2:
        _, p_rest = spread_ratio(columns, first, levels=tested & ~odd)
        if p_rest > DIFFERENT:
            where = ", ".join(columns.label(level) for level in np.flatnonzero(odd).tolist())
            return (
                f"warning: the groups' spreads seem to differ at level {where} only; pooling over the levels hides it. {_MEASURED}",
            )
    if not _uneven(columns, first):
        return ()
    return (f"warning: sizes differ, and no test sees every spread that differs at a single level only. {_MEASURED}",)


def _uneven(columns: Columns, first: "NDArray[np.bool_]") -> bool:
    """Whether one group is more than 1.25 times as large as the other at some level."""
    n_1, n_2 = (columns.present[who].sum(axis=0) for who in (first, ~first))
    tested = (n_1 > 0) & (n_2 > 0)
    return bool((tested & (np.maximum(n_1, n_2) > UNEQUAL_SIZES * np.minimum(n_1, n_2))).any())
