"""Two conditions within participants, or one against a value: joint sign flips of every participant's differences.

The levels are flipped together. For max-T each level is divided by sqrt(p (1 - p)) of both conditions, not by the
spread of its differences: where two conditions spread unequally, differences are skewed, and a level that happens to have
little spread would lead the maximum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.flip_counts import canonical_flips, flipped_parts
from rapidvision.numerics.resampling import SIDED, Alternative
from rapidvision.numerics.sign_flip import countable, flip_key, sign_flip_test
from rapidvision.numerics.wholes import wholes_of

from ...inference.permutation import RandomizationTest
from ...resampling.multiplicity import CLUSTER_THRESHOLD, Joint, benjamini_hochberg, holm
from ...table.columns import SHARES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Differences:
    """One difference per participant and level.

    Attributes
    ----------
    values : ndarray of float64, shape (n, levels)
        NaN where a participant has none.
    unit : ndarray of float64, shape (levels,)
        What a level is divided by for max-T; 0 where nothing varies.
    name : str
        The statistic.
    labels : tuple of str
        Names of the levels.
    above, below : ndarray of int64, shape (n, levels), optional
        The same as fractions; `below` is 0 where there is none.
    """

    values: Floats
    unit: Floats
    name: str
    labels: tuple[str, ...]
    above: Ints | None = None
    below: Ints | None = None

    @property
    def here(self) -> "NDArray[np.bool_]":
        """Who has a difference."""
        return np.isfinite(self.values)


def share_differences(
    halves: Sequence[Ints], trials: Sequence[Ints], *, labels: tuple[str, ...], name: str = "participant_mean"
) -> Differences:
    """Differences of two shares of correct answers.

    Parameters
    ----------
    halves, trials : pairs of ndarray of int64, shape (n, levels)
        Twice the right answers, and trials, under the first and the second condition; 0 trials mark a missing cell.
    labels : tuple of str
        Names of the levels.
    name : str
        The statistic.

    Examples
    --------
    >>> one = share_differences([np.array([[6]]), np.array([[2]])], [np.array([[4]]), np.array([[4]])], labels=("full",))
    >>> one.values, one.unit
    (array([[0.5]]), array([0.5]))
    """
    (first, second), (n_first, n_second) = halves, trials
    both = (n_first > 0) & (n_second > 0)
    above = np.where(both, first * n_second - second * n_first, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(both, first / (2 * n_first) + second / (2 * n_second), 0.0)
        p = shares.sum(axis=0) / (2 * both.sum(axis=0))
    unit = np.sqrt(np.maximum(np.nan_to_num(p * (1 - p)), 0.0))
    below = np.where(both, 2 * n_first * n_second, 0)
    values = np.where(both, above / np.maximum(below, 1), np.nan)
    return Differences(values, unit, name, labels, above, below)


def score_differences(first: Floats, second: Floats, *, labels: tuple[str, ...], name: str = "score") -> Differences:
    """Differences of two scores of any unit: each level is divided by the root mean square of its differences.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n, levels)
        NaN where a participant has none.
    labels : tuple of str
        Names of the levels.
    name : str
        The statistic.
    """
    gap = np.asarray(first - second, dtype=float)
    here = np.isfinite(gap)
    squares = np.where(here, gap, 0.0) ** 2
    return Differences(
        np.where(here, gap, np.nan), np.sqrt(squares.sum(axis=0) / np.maximum(here.sum(axis=0), 1)), name, labels
    )


def paired_test(
    differences: Differences,
    *,
    n_resamples: int,
    seed: int,
    alternative: Alternative = "two-sided",
    exact: bool = True,
    alpha: float = 0.05,
) -> RandomizationTest:
    """Test differences within participants at every level by joint sign flips.

    Parameters
    ----------
    differences : Differences
        One row per participant.
    n_resamples, seed : int
        Flips, and their seed.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first condition scores higher.
    exact : bool
        Also the exact p, over all flips, or its guaranteed upper bound.
    alpha : float
        Level at which notes warn.

    Returns
    -------
    RandomizationTest

    Raises
    ------
    InputError
        When no participant has a difference.
    """
    here = differences.here
    n = int(here.any(axis=1).sum())
    if not n:
        raise InputError("paired test: no participant has both conditions at any level")
    plain = sign_flip_test(
        differences.values if differences.above is None else differences.above,
        denominators=differences.below,
        n_resamples=n_resamples,
        seed=seed,
        alternative=alternative,
        exact=exact,
    )
    joint = joint_flips(differences, n_resamples=n_resamples, seed=seed, sided=SIDED[alternative])
    blank = np.asarray(~here.any(axis=0))
    start = plain.p_best
    return RandomizationTest(
        difference=plain.mean,
        p=plain.p,
        p_low=plain.p_low,
        p_high=plain.p_high,
        p_exact=plain.p_exact,
        p_holm=holm(start),
        p_bh=benjamini_hochberg(start),
        p_max_t=_filled(joint.p_single_step(), blank),
        p_step_down=_filled(joint.p_step_down(), blank),
        clusters=joint.clusters(),
        n_first=n,
        n_second=n,
        n_resamples=n_resamples,
        seed=seed,
        alternative=alternative,
        statistic=differences.name,
        smallest_p=0.5**n,
        labels=differences.labels,
        notes=_notes(differences, n, plain.wide_bounds, n_resamples, alternative, alpha),
        g=np.full(len(blank), np.nan),
    )


def joint_flips(differences: Differences, *, n_resamples: int, seed: int, sided: int) -> Joint:
    """Count joint flips for max-T, step-down and clusters; the same flips as of the single levels."""
    here = differences.here
    top, below = differences.above, differences.below
    wholes = [
        wholes_of(differences.values[present, at])
        if top is None or below is None
        else wholes_of(top[present, at].astype(float), below[present, at])
        for at, present in enumerate(here.T)
    ]
    matrix, _ = countable(wholes, here)
    chosen, turned = canonical_flips(matrix)
    squares = (matrix**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # units of the matrix per unit of a difference
        factor = np.sqrt(squares / np.nansum(np.where(here, differences.values, 0.0) ** 2, axis=0))
        scale = factor * differences.unit * np.sqrt(here.sum(axis=0))
        live = (squares > 0) & (scale > 0)
        common = np.sqrt(np.mean(squares[live] / scale[live] ** 2)) if live.any() else 1.0
        inverse = np.where(live, 1 / (scale * common), np.nan)
    total = matrix.sum(axis=0) * (-1 if turned else 1)
    sided = -sided if turned else sided
    joint = Joint(total * inverse, sided=sided, cluster_threshold=CLUSTER_THRESHOLD[sided], turned=turned)
    if len(chosen):
        for flipped in flipped_parts(chosen, n_resamples=n_resamples, key=flip_key(seed)):
            joint.add((total - 2 * flipped.astype(float)) * inverse)
    else:
        joint.n = n_resamples
    return joint


def corrected_over_pairs(
    tests: Sequence[RandomizationTest], p_max_t: Floats, p_step_down: Floats
) -> list[RandomizationTest]:
    """Put corrections over all pairs and levels into the tests of the pairs.

    Parameters
    ----------
    tests : sequence of RandomizationTest
        One per pair.
    p_max_t, p_step_down : ndarray, shape (pairs, levels)
        Joint p.
    """
    start = np.concatenate([test.p_best for test in tests])
    shape = len(tests), -1
    by_holm, by_bh = holm(start).reshape(shape), benjamini_hochberg(start).reshape(shape)
    return [
        replace(test, p_holm=by_holm[at], p_bh=by_bh[at], p_max_t=p_max_t[at], p_step_down=p_step_down[at], clusters=())
        for at, test in enumerate(tests)
    ]


def _filled(p: Floats, blank: "NDArray[np.bool_]") -> Floats:
    """A level at which no difference is other than 0 has nothing to reject."""
    return np.where(np.isnan(p) & ~blank, 1.0, p)


def _notes(
    differences: Differences,
    n: int,
    wide: "NDArray[np.bool_]",
    n_resamples: int,
    alternative: Alternative,
    alpha: float,
) -> tuple[str, ...]:
    here = differences.here
    levels = differences.labels or tuple(str(at) for at in range(here.shape[1]))
    sides = 2 if alternative == "two-sided" else 1
    scale = "sqrt(p (1 - p))" if differences.name in SHARES else "the size of their differences"
    notes = [
        f"the signs of each participant's differences are flipped, all levels together; max-T divides each level by {scale}"
    ]
    notes += [
        f"level {levels[at]}: no participant has both, so it is not tested (p is empty)"
        for at in np.flatnonzero(~here.any(axis=0)).tolist()
    ]
    if (some := here.any(axis=0)).any() and not here[:, some].all():
        notes.append(f"{int((~here).sum())} of {here.size} participant x level differences are empty")
    if wide.any():
        where = ", ".join(levels[at] for at in np.flatnonzero(wide).tolist())
        notes.append(f"level {where}: the exact p is bounded to no better than 1 %; the upper bound is reported")
    if sides * 0.5**n > alpha:
        notes.append(
            f"{n} participants can never reach p <= {alpha:g}: the smallest p is {min(1.0, sides * 0.5**n):.3g}"
        )
    if n_resamples < 20 / alpha:
        notes.append(f"{n_resamples} flips are few for alpha = {alpha:g}; use at least {round(20 / alpha)}")
    return tuple(notes)
