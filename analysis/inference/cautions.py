"""What a reader should know before believing a number: designs that can find nothing, and assumptions that do not hold.

Error rates are those of simulated experiments without a difference (beta-binomial answers, six levels); each sentence
names the design that was simulated. Cautions that change what a p is worth begin with "warning".
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS

from ..table.columns import SHARES, Columns

Floats = NDArray[np.float64]

#: How a caution begins that changes what a p is worth.
WARNING = "warning: "
#: Variances that differ by less are not told.
_LEAST_RATIO = 2.0


def forewarnings(
    n_first: int, n_second: int, *, n_resamples: int = N_RELABELLINGS, alpha: float = 0.05
) -> tuple[str, ...]:
    """What can be known to go wrong before anything is computed.

    Parameters
    ----------
    n_first, n_second : int
        Sizes of the groups.
    n_resamples : int
        Relabellings.
    alpha : float
        Level of the test.

    Examples
    --------
    >>> forewarnings(2, 2)
    ('groups of 2 and 2 can never reach p <= 0.05: the smallest p is 0.167',)
    """
    smallest = 1 / math.comb(n_first + n_second, n_first)
    notes = []
    if smallest > alpha:
        notes.append(
            f"groups of {n_first} and {n_second} can never reach p <= {alpha:g}: the smallest p is {smallest:.3g}"
        )
    if n_resamples < 20 / alpha:
        notes.append(f"{n_resamples} relabellings are few for alpha = {alpha:g}; use at least {round(20 / alpha)}")
    if min(n_first, n_second) == 1:
        notes.append("a group of one has no standard error")
    return tuple(notes)


def hopeless_corrections(
    n_levels: int,
    n_first: int,
    n_second: int,
    *,
    n_resamples: int,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    exact: bool = False,
) -> tuple[str, ...]:
    """Corrections that can reject nothing, whatever the data.

    Parameters
    ----------
    n_levels : int
        Levels that are tested.
    n_first, n_second : int
        Sizes of the groups.
    n_resamples : int
        Relabellings.
    alpha : float
        Level of the test.
    alternative : {"two-sided", "greater", "less"}
        A two-sided p is twice a tail.
    exact : bool
        Whether Holm starts from exact p, which go down to 1 / C(n, n_first), or from (b + 1) / (n_resamples + 1).

    Examples
    --------
    >>> for note in hopeless_corrections(12, 16, 16, n_resamples=200):
    ...     print(note)
    warning: Holm over 12 levels can never reach p <= 0.05: its smallest p is 0.119; use at least 479 relabellings
    """
    sides = 2 if alternative == "two-sided" else 1
    notes = []
    if exact:
        smallest = sides * n_levels / math.comb(n_first + n_second, n_first)
        if smallest > alpha:
            notes.append(
                f"warning: Holm over {n_levels} levels can never reach p <= {alpha:g} with groups of {n_first} and "
                f"{n_second}: its smallest p is {min(smallest, 1.0):.3g}; more participants are needed"
            )
    elif (smallest := sides * n_levels / (n_resamples + 1)) > alpha:
        enough = math.ceil(sides * n_levels / alpha - 1e-9) - 1
        notes.append(
            f"warning: Holm over {n_levels} levels can never reach p <= {alpha:g}: its smallest p is "
            f"{min(smallest, 1.0):.3g}; use at least {enough} relabellings"
        )
    if 1 / (n_resamples + 1) > alpha:
        notes.append(
            f"warning: max-T and clusters can never reach p <= {alpha:g} with {n_resamples} relabellings; use at least "
            f"{math.ceil(1 / alpha - 1e-9) - 1}"
        )
    return tuple(notes)


class SpreadRatios(NamedTuple):
    """Per level: how many times as large the first group's variance is as the second's, and the p of equality."""

    ratio: Floats
    p: Floats


def spread_ratio(
    columns: Columns, first: "NDArray[np.bool_]", *, levels: "NDArray[np.bool_] | None" = None
) -> tuple[float, float]:
    """How many times as large the first group's variance is as the second's, over all levels, and the p of equality.

    Shares are compared in binomial units: a group's variance at a level relative to that of one answer with the group's
    mean, so that a group near the ceiling is not taken for one that varies little.

    Parameters
    ----------
    columns : Columns
        What each participant contributes.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    levels : ndarray of bool, shape (levels,), optional
        Over these only.

    Returns
    -------
    ratio, p : float
        Two-sided F test; NaN for statistics that are no means of participants, and where all participants have the same value.
    """
    squares, units, freedom = _spreads(columns, first)
    if levels is not None:
        squares, units, freedom = squares[:, levels], units[:, levels], freedom[:, levels]
    ratio, p = _f_test(squares.sum(axis=1), units.sum(axis=1), freedom.sum(axis=1))
    return float(ratio), float(p)


def spread_ratios(columns: Columns, first: "NDArray[np.bool_]") -> SpreadRatios:
    """The same at each level alone; arguments as for :func:`spread_ratio`."""
    return SpreadRatios(*_f_test(*_spreads(columns, first)))


def _f_test(squares: Floats, units: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Ratio of two spreads and the two-sided p of the F test; the first axis is the group."""
    from scipy.special import fdtr

    # one observation of the common spread, so that a group that never varies has a finite ratio
    spread = (squares + 1) / (units + 1)
    tested = (freedom > 0).all(axis=0)
    ratio = np.where(tested, spread[0] / spread[1], np.nan)
    below = fdtr(np.maximum(freedom[0], 1), np.maximum(freedom[1], 1), ratio)
    return ratio, np.where(tested, np.minimum(1.0, 2 * np.minimum(below, 1 - below)), np.nan)


def _spreads(columns: Columns, first: "NDArray[np.bool_]") -> tuple[Floats, Floats, Floats]:
    """Sum of squares, what it is compared with, and degrees of freedom: shape (2, levels), 0 where nothing varies."""
    squares, units, freedom = np.zeros((3, 2, columns.n_levels))
    if not columns.is_mean:
        return squares, units, freedom
    with np.errstate(invalid="ignore", divide="ignore"):
        x = columns.value(columns.parts.astype(float))
    x = np.where(columns.present, x, np.nan)
    share = columns.name in SHARES
    if columns.present.all():  # all levels at once; sums run along participants, as one level's do
        rows = np.ascontiguousarray(x.T)
        whole = rows.mean(axis=1)
        unit_of = whole * (1 - whole) if share else rows.var(axis=1)
        at = np.flatnonzero((rows.max(axis=1) > rows.min(axis=1)) & (unit_of > 0))
        for group, who in enumerate((first, ~first)):
            values, unit = np.ascontiguousarray(rows[np.ix_(at, who)]), unit_of[at]
            n = values.shape[1]
            if n < 2:
                continue
            own = values.mean(axis=1)
            squares[group, at] = ((values - own[:, None]) ** 2).sum(axis=1) / unit
            units[group, at] = (n - 1) * (own * (1 - own) / unit if share else 1.0)
            freedom[group, at] = n - 1
        return squares, units, freedom
    for level, column in enumerate(x.T):
        seen = column[np.isfinite(column)]
        if not len(seen) or seen.max() <= seen.min():
            continue
        one = float(seen.mean() * (1 - seen.mean()) if share else seen.var())
        for group, who in enumerate((first, ~first)):
            values = x[who, level][np.isfinite(x[who, level])]
            if len(values) < 2 or one <= 0:
                continue
            mean = float(values.mean())
            squares[group, level] = ((values - mean) ** 2).sum() / one
            units[group, level] = (len(values) - 1) * (mean * (1 - mean) / one if share else 1.0)
            freedom[group, level] = len(values) - 1
    return squares, units, freedom


def spread_warning(columns: Columns, first: "NDArray[np.bool_]") -> tuple[str, ...]:
    """Warn where the groups' spreads differ so much that relabelling loses its level."""
    ratio, p = spread_ratio(columns, first)
    if not np.isfinite(ratio) or max(ratio, 1 / ratio) < _LEAST_RATIO or p > 0.01:
        return ()
    sizes = (int(first.sum()), int((~first).sum()))
    wide, narrow = (sizes[0], sizes[1]) if ratio > 1 else (sizes[1], sizes[0])
    which = "first" if ratio > 1 else "second"
    if wide < narrow:
        effect = "the smaller group varies more, so p is too small"
    elif wide > narrow:
        effect = "the larger group varies more, so p is too large and effects are missed"
    else:
        effect = "with equal sizes a level's p holds, the family-wise p is too small"
    text = (
        f"warning: the {which} group ({wide} participants) varies {max(ratio, 1 / ratio):.1f} times as much (variance) as the "
        f"other ({narrow}): {effect}. Relabelling assumes that participants are exchangeable. Measured without a difference, "
        "variance ratio 3, at alpha .05: 12 against 48 participants, the 12 varying more, .15 per level and .30 "
        "family-wise; 30 against 30, .05 and .10; 48 against 12, the 48 varying more, .01 and .02"
    )
    return (text,)


#: Of the regression: what its random effects leave out.
INTERCEPTS_ONLY = (
    "warning: participants and images differ in their intercepts only. Where participants differ in their slopes too, the "
    "p of log level and of its interaction with the group are too small. Measured without an effect of the group, 24 "
    "participants of 80 trials: the interaction had p <= .05 in .29 of the experiments at a slope SD of .7, in .56 to .61 at "
    "1.5; with the guess rate of .5, in .11 at .7"
)
