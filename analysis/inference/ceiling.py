"""Ceiling: the reveal level from which on a group is as good as with the intact image.

The paper says "ceiling performance when 40 % of the ClickMe features were visible" and gives no rule. A difference from
the intact image that is not significant is weak evidence of a ceiling in small samples. So this is a test of
non-inferiority: a level counts when it is shown to lie less than a named margin below the intact image, tested from
the highest level downward, stopping at the first that fails. The sequence needs no correction: its family-wise error is
that of one test. One test keeps alpha where participants' differences from the margin are symmetric. Near 100 % correct
they are skewed and it does not; the result then carries a warning with the error rates that were measured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import Alternative
from rapidvision.numerics.sign_flip import SignFlipTest, sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..table.accuracy import Cells, Level
from .cautions import ceiling_cautions


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Where a group reaches its ceiling.

    Attributes
    ----------
    group : str
        The group.
    level : Level or None
        Lowest level of the unbroken run from the top that is non-inferior; None: undetermined.
    naive_level : Level or None
        The same by "does not differ significantly from full", for comparison only.
    shortfall : ndarray, shape (levels - 1,)
        Mean accuracy with the intact image minus that at each level.
    p_noninferior, p_below : ndarray, shape (levels - 1,)
        One-sided sign-flip p of "less than the margin below full", and of "below full": exact where it could be
        counted, else (b + 1) / (n_resamples + 1).
    full_accuracy : float
        Accuracy with the intact image.
    margin, alpha : float
        What "as good as" means, and the level of each test.
    n_resamples, seed : int
        Sign flips, and their seed.
    notes : tuple of str
        Warnings.
    """

    group: str
    level: Level | None
    naive_level: Level | None
    shortfall: NDArray[np.float64]
    p_noninferior: NDArray[np.float64]
    p_below: NDArray[np.float64]
    full_accuracy: float
    margin: float
    alpha: float
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The paper's sentence with this group's numbers."""
        within = f"within {100 * self.margin:g} points of {self.full_accuracy:.1%} with the intact image"
        if self.level is None:
            return f"{self.group}: no ceiling below the intact image could be shown ({within})."
        at = f"{self.level.label} % of the features" if self.level.percent > 0 else f"level {self.level.label}"
        pixels = f" = {self.level.image_percent:.1f} % of the pixels" if self.level.image_percent > 0 else ""
        return f"{self.group}: ceiling at {at}{pixels} ({within})."


def ceiling(
    table: Cells,
    group: str,
    *,
    margin: float = 0.05,
    alpha: float = 0.05,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> Ceiling:
    """Find the ceiling of a group.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`.
    group : str
        Which group.
    margin : float
        How far below the intact image is still the ceiling, as a share (0.05 = 5 points).
    alpha : float
        Level of each test of the sequence.
    n_resamples : int
        Sign flips per level.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    Ceiling
        Both rules side by side.

    Raises
    ------
    InputError
        When the table has no intact images, or the margin is not in (0, 0.5).
    """
    if not 0 < margin < 0.5:
        raise InputError(f"margin: got {margin:g}, allowed is a share between 0 and 0.5 (0.05 is 5 points)")
    full = [place for place, level in enumerate(table.levels) if level.full]
    if not full:
        raise InputError("ceiling: the table has no intact images (level_label full); there is nothing to compare with")
    seed = fresh_seed() if seed is None else seed
    members = table.of(group)
    others = [place for place in range(len(table.levels)) if place != full[0]]
    noninferior = _below_full(
        table, members, others, full, null=-margin, alternative="greater", n_resamples=n_resamples, seed=seed
    )
    worse = _below_full(table, members, others, full, null=0.0, alternative="less", n_resamples=n_resamples, seed=seed)
    full_accuracy = float(np.nanmean(table.accuracy[members][:, full]))
    return Ceiling(
        group=group,
        level=_lowest(table, others, noninferior.p_best <= alpha),
        naive_level=_lowest(table, others, worse.p_best > alpha),
        shortfall=-worse.mean,
        p_noninferior=noninferior.p_best,
        p_below=worse.p_best,
        full_accuracy=full_accuracy,
        margin=margin,
        alpha=alpha,
        n_resamples=n_resamples,
        seed=seed,
        notes=ceiling_cautions(group, int(members.sum()), full_accuracy),
    )


def _below_full(
    table: Cells,
    members: "NDArray[np.bool_]",
    others: list[int],
    full: list[int],
    *,
    null: float,
    alternative: Alternative,
    n_resamples: int,
    seed: int,
) -> SignFlipTest:
    """Sign flips of accuracy at each level minus that with the intact image, as fractions of the trial counts."""
    halves, trials = table.halves[members], table.n_trials[members]
    above = halves[:, others] * trials[:, full] - halves[:, full] * trials[:, others]
    below = 2 * trials[:, others] * trials[:, full]
    return sign_flip_test(
        above, denominators=below, null=null, n_resamples=n_resamples, seed=seed, alternative=alternative
    )


def _lowest(table: Cells, places: list[int], passed: "NDArray[np.bool_]") -> Level | None:
    """Lowest level of the run of passed levels that starts at the highest one."""
    found = None
    for place, good in zip(reversed(places), passed[::-1], strict=True):
        if not good:
            break
        found = table.levels[place]
    return found
