"""The sign-flip test of paired differences: of participants, images or players, one column or several jointly.

"Constructed by randomly flipping the signs of the per-image difference scores over 10,000 iterations" (appendix,
Interpretable attention). Flips are joint over columns, so neighbouring levels keep their correlation. Differences of
shares are fractions: they are scaled to whole numbers first, so that sums are exact and a flipped sum that equals the
observed one counts (:mod:`rapidvision.numerics.wholes`). Beside the Monte-Carlo p stands the exact one, over all flips.

The test keeps its level where differences are symmetric about the null value under the null hypothesis.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, key64

from .compiled import Engine
from .flip_counts import count_flips
from .flip_tails import MOST_WORK, flip_tails
from .resampling import SIDED, Alternative, p_values, sided_p
from .wholes import MOST_EXACT, Wholes, gridded, wholes_of

Floats = NDArray[np.float64]


if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class SignFlipTest:
    """Result of :func:`sign_flip_test`; arrays have one entry per column.

    Attributes
    ----------
    mean : ndarray of float64, shape (columns,)
        Mean difference over the units that have one, the null value not subtracted.
    n : ndarray of int64, shape (columns,)
        How many these are.
    p, p_low, p_high : ndarray of float64, shape (columns,)
        (b + 1) / (n_resamples + 1) and its 95 % Clopper-Pearson interval.
    p_exact : ndarray of float64, shape (columns,)
        Over all flips, or a guaranteed upper bound of it; NaN where there is none.
    p_exact_low : ndarray of float64, shape (columns,)
        Its guaranteed lower bound: the same number where every flip was counted exactly.
    without_exact : tuple of str
        Why a column has no exact p; empty where it has one.
    n_resamples, seed : int
        Flips, and the seed that they follow from.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the mean difference is above the null value.
    null : float
        The null value.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.sign_flip_test([0.3, 0.2, 0.4], seed=1)
    >>> found.n.tolist(), found.p_exact.tolist(), found.alternative
    ([3], [0.25], 'two-sided')
    """

    mean: Floats
    n: NDArray[np.int64]
    p: Floats
    p_low: Floats
    p_high: Floats
    p_exact: Floats
    p_exact_low: Floats
    without_exact: tuple[str, ...]
    n_resamples: int
    seed: int
    alternative: Alternative
    null: float

    @property
    def p_best(self) -> Floats:
        """The exact p where there is one, else the Monte-Carlo p."""
        return np.where(np.isfinite(self.p_exact), self.p_exact, self.p)

    @property
    def wide_bounds(self) -> "NDArray[np.bool_]":
        """Columns whose exact p is known to no better than 1 %."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.p_exact > 1.01 * self.p_exact_low)

    def to_frame(self) -> "pd.DataFrame":
        """One row per column: mean difference, number of units, and every p."""
        import pandas as pd

        names = ("mean", "n", "p", "p_low", "p_high", "p_exact", "p_exact_low")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def __repr__(self) -> str:
        return self.to_frame().to_string(index=False)

    def _repr_html_(self) -> str:
        return str(self.to_frame().style.format(precision=4).hide(axis="index").to_html())


def sign_flip_test(
    differences: ArrayLike,
    *,
    denominators: ArrayLike | None = None,
    null: float = 0.0,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    alternative: Alternative = "two-sided",
    exact: bool = True,
    engine: Engine = "auto",
) -> SignFlipTest:
    """Test whether differences are centred on a value.

    Parameters
    ----------
    differences : array_like, shape (n,) or (n, columns)
        One row per participant or image; NaN where a unit has no difference.
    denominators : array_like of int, same shape, optional
        Then `differences` are whole numerators, and 0 marks a unit without a difference. Without it, numbers that are
        fractions up to rounding, with denominators up to 10,000, are read as those fractions.
    null : float
        The value that differences are centred on under the null hypothesis: a margin with its sign.
    n_resamples : int
        Flips, at least 1; 10,000 in the paper.
    seed : int, optional
        Drawn and stored in the result when absent.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: above the null value. Two-sided p is twice the smaller tail.
    exact : bool
        Also compute the exact p. Where common denominators make the sums too many to count, it is bounded: `p_exact`
        is then the upper bound, a valid p.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same.

    Returns
    -------
    SignFlipTest
        NaN for columns without any difference.

    Raises
    ------
    InputError
        When there is no unit, a value is infinite, or an argument is not allowed.

    Examples
    --------
    Nine players' gains in tenths: 28 of 512 flips are as extreme, as many as of the same gains as whole numbers.

    >>> import rapidvision as rv
    >>> result = rv.analysis.sign_flip_test([0.3, -0.2, 0.2, 0.3, 0.3, 0.4, -0.1, 0.1, 0.3], seed=1)
    >>> round(float(result.mean[0]), 3), float(result.p_exact[0])
    (0.178, 0.0546875)

    Two of three participants lie more than five points below; the margin is the null value.

    >>> float(rv.analysis.sign_flip_test([-0.05, -0.1, -0.15], null=-0.05, alternative="less", seed=1).p_exact[0])
    0.25
    """
    if alternative not in SIDED:
        raise InputError(f'alternative: got "{alternative}". {did_you_mean(alternative, SIDED)}')
    if n_resamples < 1:
        raise InputError(f"sign flips: got {n_resamples}, at least 1 flip is needed")
    d, below = _columns(differences, denominators)
    seed = fresh_seed() if seed is None else seed
    here = np.isfinite(d) if below is None else below > 0
    n = here.sum(axis=0)
    wholes = [
        wholes_of(d[present, at], None if below is None else below[present, at], null=null)
        for at, present in enumerate(here.T)
    ]
    matrix, slack = countable(wholes, here)
    counts = count_flips(matrix, slack, n_resamples=n_resamples, key=flip_key(seed), engine=engine)
    p, low, high = p_values(counts, n_resamples, alternative)
    for values in (p, low, high):
        values[n == 0] = np.nan
    share = MOST_WORK / max(len(wholes), 1)
    tails = [flip_tails(one, most_work=share) if exact and one.numbers else None for one in wholes]
    bounds = np.full((2, len(wholes)), np.nan)
    for at, tail in enumerate(tails):
        if tail:
            bounds[0, at] = sided_p(tail.greater, tail.less, alternative)
            bounds[1, at] = sided_p(tail.greater_low, tail.less_low, alternative)
    with np.errstate(invalid="ignore"):
        plain = np.where(here, d if below is None else d / np.where(here, below, 1), 0.0)
        mean = plain.sum(axis=0) / np.where(n > 0, n, np.nan)
    return SignFlipTest(
        mean=mean,
        n=n,
        p=p,
        p_low=low,
        p_high=high,
        p_exact=bounds[0],
        p_exact_low=bounds[1],
        without_exact=tuple("" if tail else _why(one, wanted=exact) for one, tail in zip(wholes, tails, strict=True)),
        n_resamples=n_resamples,
        seed=seed,
        alternative=alternative,
        null=float(null),
    )


def _columns(differences: ArrayLike, denominators: ArrayLike | None) -> tuple[Floats, NDArray[np.int64] | None]:
    """Differences as (n, columns), and their denominators alike."""
    d = np.asarray(differences, dtype=float)
    d = d[:, None] if d.ndim == 1 else d
    if d.ndim != 2 or not len(d):
        raise InputError(f"sign flips: shape {np.shape(differences)}; one row per unit is needed, at least one")
    if np.isinf(d).any():
        raise InputError(f"sign flips: {int(np.isinf(d).sum())} differences are infinite; leave them out as NaN")
    if denominators is None:
        return d, None
    below = np.asarray(denominators)
    below = below[:, None] if below.ndim == 1 else below
    if below.shape != d.shape or not np.issubdtype(below.dtype, np.integer) or (below < 0).any():
        raise InputError(
            f"sign flips: denominators of shape {below.shape} and type {below.dtype}; whole numbers from 0 in the shape "
            f"{d.shape} of the differences are needed"
        )
    if not np.array_equal(d[below > 0], np.rint(d[below > 0])):
        raise InputError("sign flips: numerators must be whole numbers where denominators are given")
    return d, below.astype(np.int64)


def flip_key(seed: int) -> int:
    """Key of the stream of flips that a seed starts."""
    return key64(seed, "sign flip")


def countable(wholes: list[Wholes], here: "NDArray[np.bool_]") -> tuple[Floats, Floats]:
    """Columns whose signed sums are exact in float64, 0 where there is no difference, and the slack of each."""
    matrix, slack = np.zeros(here.shape), np.zeros(here.shape[1])
    for at, one in enumerate(wholes):
        small = one if sum(map(abs, one.numbers)) <= MOST_EXACT else gridded(one.numbers)
        matrix[here[:, at], at] = small.numbers
        slack[at] = small.slack
    return matrix, slack


def _why(one: Wholes, *, wanted: bool) -> str:
    """Why a column has no exact p."""
    if not wanted:
        return "no exact p was asked for"
    if not one.numbers:
        return "no unit has a difference"
    if not one.exact:
        return (
            f"{len(one.numbers)} differences are no fractions with small denominators, and too many to count or bound"
        )
    total = float(sum(map(abs, one.numbers)))
    return (
        f"over their common denominator, {len(one.numbers)} differences sum up to {total:.3g} units: too many to count or "
        "bound"
    )
