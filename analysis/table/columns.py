"""Columns of sums: what each participant contributes to a statistic, so that one engine serves all of them.

A relabelling only changes who is summed. So each participant contributes integers per level, the engine sums them for
thousands of relabellings at once, and the statistic is a function of the first group's sums and the totals.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import TIE

from .accuracy import Curve, curve_of, integer_scores

#: Sums below it are exact in float64.
LARGEST_SUM = 2.0**53
#: Statistics that are shares of participants, whose variance depends on their mean.
SHARES = ("participant_mean", "late_share")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """What each participant contributes to a statistic.

    Attributes
    ----------
    name : str
        The statistic.
    parts : ndarray of int64, shape (n, parts, levels)
        Integers to sum. A mean has two parts: the score on a common scale, and whether there is one.
    scale : ndarray, shape (levels,)
        Divides the first part of a mean.
    value : callable
        Group sums, shape (…, parts, levels) → the statistic of that group, shape (…, levels).
    is_mean : bool
        Whether the statistic is a mean over participants, for which exact p exists.
    is_ratio : bool
        Whether the statistic is the first part's sum over the second's; means are, and pooled accuracy is.
    few_sums : bool
        Whether the sums are few enough to be tabled for an exact p; times finer than half a millisecond are not.
    rounding : ndarray of int64, shape (levels,), optional
        By how much equal sums of the first part may differ; absent where integers are exact, see
        :func:`~rapidvision.analysis.table.accuracy.integer_scores`.
    labels : tuple of str
        Names of the levels, for notes; without them the notes count from 0.
    """

    name: str
    parts: Ints
    scale: NDArray[Any]
    value: Callable[[Floats], Floats]
    is_mean: bool
    is_ratio: bool = False
    few_sums: bool = True
    rounding: Ints | None = None
    labels: tuple[str, ...] = ()

    def rows(self, members: "NDArray[np.bool_] | NDArray[np.intp]") -> "Columns":
        """The same for some participants, or in another order."""
        return replace(self, parts=self.parts[members])

    def curve(self, members: "NDArray[np.bool_]") -> Curve:
        """A group's value at every level, its standard error, and how many participants it stands on.

        Means of participants have their S.E.M. Statistics that are pooled within a group have none, so theirs is the
        jackknife's: the group is taken without each participant in turn.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.is_mean:
                return curve_of(self.value(self.parts[members].astype(float)))
            own = self.parts[members].astype(float)
            there = (own != 0).any(axis=1)
            n = there.sum(axis=0)
            total = own.sum(axis=0)
            without = self.value(total - own)
            gaps = np.where(there, without - np.where(there, without, 0).sum(axis=0) / n, 0.0)
            error = np.sqrt((n - 1) / n * (gaps**2).sum(axis=0))
            return Curve(self.value(total), np.where(n > 1, error, np.nan), n)

    def label(self, level: int) -> str:
        """Name of a level."""
        return self.labels[level] if self.labels else str(level)

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return int(self.parts.shape[2])

    @property
    def sums(self) -> Ints:
        """Scores of a mean, shape (n, levels)."""
        return self.parts[:, 0]

    @property
    def present(self) -> "NDArray[np.bool_]":
        """Who has a score at each level, shape (n, levels)."""
        return self.parts[:, 1] > 0

    @cached_property
    def is_complete_mean(self) -> bool:
        """Whether every participant has every level, so that comparing sums is comparing means."""
        return self.is_mean and bool(self.present.all())

    @property
    def exact(self) -> "NDArray[np.bool_]":
        """At which levels the integers are the scores themselves, not rounded ones."""
        return np.ones(self.n_levels, dtype=bool) if self.rounding is None else self.rounding == 0

    def slack(self, first: "NDArray[np.bool_]") -> Floats:
        """How far below the observed number still counts as equal, shape (levels,), in units of :meth:`compared`.

        Nothing where whole numbers are compared; elsewhere a billionth of the groups' values, which is far above
        rounding and below any difference that matters.
        """
        rounding = np.zeros(self.n_levels) if self.rounding is None else self.rounding.astype(float)
        if self.is_complete_mean:
            return rounding
        with np.errstate(invalid="ignore", divide="ignore"):
            groups = [np.abs(self.value(self.parts[who].sum(axis=0).astype(float))) for who in (first, ~first)]
            scale = np.nanmax(np.nan_to_num([*groups, np.full(self.n_levels, 0.0 if self.is_ratio else 1.0)]), axis=0)
        return np.asarray(TIE * scale + rounding / self.scale)

    def places(self, place: NDArray[np.intp]) -> Ints:
        """Parts as rows for :class:`~rapidvision.analysis.resampling.sums.GroupSums`: one per place, zeros where it belongs to no participant (-1)."""
        parts = self.parts[:, :1] if self.is_complete_mean else self.parts
        out = np.zeros((len(place), parts.shape[1] * parts.shape[2]), dtype=np.int64)
        out[place >= 0] = parts.reshape(len(parts), -1)[place[place >= 0]]
        return out

    def sums_of(self, members: "NDArray[np.bool_]") -> Floats:
        """Sums over some participants, shape (parts, levels); one part where comparing sums is enough."""
        parts = self.parts[:, :1] if self.is_complete_mean else self.parts
        return np.asarray(parts[members].sum(axis=0), dtype=float)

    def compared(self, sums: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """The number that is compared, shape (relabellings, levels), from the first group's sums.

        Relabellings that leave a group without data become infinite in neither direction: they are NaN, and a level
        that is observed NaN is not tested; see :meth:`difference`.
        """
        if self.is_complete_mean:
            return sums[:, 0]
        total = self.parts.sum(axis=0)
        mine = sums.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.value(mine) - self.value(total - mine)

    def difference(self, first: "NDArray[np.bool_]") -> Floats:
        """Observed statistic of the first group minus that of the second, per level; NaN where one has no data."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mine = self.value(np.asarray(self.parts[first].sum(axis=0), dtype=float))
            theirs = self.value(np.asarray(self.parts[~first].sum(axis=0), dtype=float))
            return np.asarray(mine - theirs)

    def moments(self, values: NDArray[Any], first: "NDArray[np.bool_]") -> tuple[Floats, Floats]:
        """Mean of each level under relabelling, and one over its spread: what standardises compared values.

        For complete means both are known exactly; otherwise they are those of `values`, the first block of
        relabellings. Either way they do not depend on the observed labels, so the joint test stays valid.
        """
        if self.is_complete_mean:
            x = self.sums.astype(float)
            n, a = len(first), int(first.sum())
            centre = x.mean(axis=0) * a
            spread = np.sqrt(a * (n - a) / n * x.var(axis=0, ddof=1)) if n > 1 else np.ones(self.n_levels)
        else:
            with np.errstate(invalid="ignore"):
                here = np.isfinite(values)
                count = np.maximum(here.sum(axis=0), 1)
                centre = np.where(here, values, 0).sum(axis=0) / count
                spread = np.sqrt((np.where(here, values - centre, 0) ** 2).sum(axis=0) / count)
        blank = ~np.isfinite(self.difference(first))
        inverse = np.where(spread > 1e-15, 1 / np.where(spread > 1e-15, spread, 1.0), 0.0)
        return np.where(blank, np.nan, centre), inverse

    def notes(self, first: "NDArray[np.bool_]") -> tuple[str, ...]:
        """What a reader should know: levels that cannot be tested, and missing cells."""
        blank = np.flatnonzero(~np.isfinite(self.difference(first)))
        notes = [
            f"level {self.label(level)}: a group has no data there, so it is not tested (p is empty)"
            for level in blank.tolist()
        ]
        if self.is_mean and not self.is_complete_mean:
            notes.append(f"{int((~self.present).sum())} of {self.present.size} participant x level cells are empty")
        return tuple(notes)


def mean_columns(numerator: Ints, denominator: Ints, *, name: str = "participant_mean") -> Columns:
    """Columns of a mean over participants of each one's ratio; denominator 0 marks a missing cell.

    Parameters
    ----------
    numerator, denominator : ndarray of int64, shape (n, levels)
        For accuracy: correct answers and trials.

    Examples
    --------
    >>> both = mean_columns(np.array([[3], [1]]), np.array([[4], [4]]))
    >>> both.difference(np.array([True, False]))
    array([0.5])
    """
    scores, scale, rounding = integer_scores(numerator, denominator)
    parts = np.stack([scores, (denominator > 0).astype(np.int64)], axis=1)

    def value(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0, :] / sums[..., 1, :] / scale)

    return Columns(name, parts, scale, value, is_mean=True, is_ratio=True, rounding=rounding)


def score_columns(scores: Floats, *, decimals: int = 3) -> Columns:
    """Columns of a mean over participants of one score per participant and level, for statistics of your own.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, levels)
        NaN where a participant has no score.
    decimals : int, default 3
        Decimals that count: relabellings are compared by whole numbers, so scores are rounded to them.

    Returns
    -------
    Columns
        To be returned by a :class:`~rapidvision.analysis.table.statistic_registry.StatisticMaker`.

    Raises
    ------
    InputError
        When a score is infinite, or so large that its decimals would be lost.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> both = rv.analysis.score_columns(np.array([[0.75], [-0.25], [np.nan]]))
    >>> both.difference(np.array([True, False, False]))
    array([1.])
    """
    here = ~np.isnan(scores)
    units = 10**decimals
    sums = np.where(here, np.abs(scores), 0).sum(axis=0) * units
    if not np.all(sums < LARGEST_SUM):
        raise InputError(
            f"scores: they sum to {sums.max() / units:g}; with {decimals} decimals they must stay below "
            f"{LARGEST_SUM / units:g}; give fewer decimals or another unit"
        )
    whole = np.rint(np.where(here, scores, 0) * units).astype(np.int64)
    parts = np.stack([whole, here.astype(np.int64)], axis=1)

    def value(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0, :] / sums[..., 1, :] / units)

    scale = np.full(scores.shape[1], units)
    return Columns("score", parts, scale, value, is_mean=True, is_ratio=True, few_sums=False)
