"""Ceiling: the reveal level from which on a group is as good as with the intact image.

The paper says "ceiling performance when 40 % of the ClickMe features were visible" and gives no rule. A difference from
the intact image that is not significant is weak evidence of a ceiling in small samples. So this is a test of
non-inferiority: a level counts when it is shown to lie less than a named margin below the intact image, tested from
the highest level downward, stopping at the first that fails. The sequence needs no correction: its family-wise error is
that of one test. Each test's p comes from beta-binomial samples fitted at the margin; it assumes that participants
differ near the ceiling no more than estimated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import SignFlipTest, sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream

from ..table.accuracy import Cells, Level
from .noninferiority import N_SAMPLES, Counts, NonInferiority, noninferiority

Floats = NDArray[np.float64]
#: The two cells' correlation is told when it exceeds the pooled one by this factor.
_WIDER = 2.0
#: Fewer participants cannot show a ceiling without an assumption on their spread: .95 ** 59 < .05.
_WITHOUT_ASSUMPTION = 59


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
        Mean accuracy with the intact image minus that at each level, over the participants who have both.
    p_noninferior : ndarray, shape (levels - 1,)
        One-sided p of "less than the margin below full", from samples of the beta-binomial null fitted at the margin; NaN
        where fewer than two participants have both cells.
    p_below : ndarray, shape (levels - 1,)
        One-sided sign-flip p of "below full": exact where it could be counted, else (b + 1) / (n_resamples + 1).
    rho, rho_pooled : ndarray, shape (levels - 1,)
        Intraclass correlation of the level and the intact image, and pooled over the lower levels; the larger one is used.
    full_accuracy : float
        Accuracy with the intact image.
    margin, alpha : float
        What "as good as" means, and the level of each test.
    n_samples, n_resamples, seed : int
        Samples of the null, sign flips, and their seed.
    notes : tuple of str
        What the test assumes, and warnings.
    """

    group: str
    level: Level | None
    naive_level: Level | None
    shortfall: Floats
    p_noninferior: Floats
    p_below: Floats
    rho: Floats
    rho_pooled: Floats
    full_accuracy: float
    margin: float
    alpha: float
    n_samples: int
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
    n_samples: int = N_SAMPLES,
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
    n_samples : int
        Samples of the null of each level.
    n_resamples : int
        Sign flips per level of the naive rule.
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
    tests = _tests(table, members, others, full[0], margin=margin, n_samples=n_samples, seed=seed)
    p_noninferior = np.array([one.p for one in tests])
    worse = _below_full(table, members, others, full, n_resamples=n_resamples, seed=seed)
    level = _lowest(table, others, p_noninferior <= alpha)
    return Ceiling(
        group=group,
        level=level,
        naive_level=_lowest(table, others, worse.p_best > alpha),
        shortfall=-worse.mean,
        p_noninferior=p_noninferior,
        p_below=worse.p_best,
        rho=np.array([one.rho for one in tests]),
        rho_pooled=np.array([one.rho_pooled for one in tests]),
        full_accuracy=float(np.nanmean(table.accuracy[members][:, full])),
        margin=margin,
        alpha=alpha,
        n_samples=n_samples,
        n_resamples=n_resamples,
        seed=seed,
        notes=_notes(group, table, others, level, tests, int(members.sum())),
    )


def _tests(
    table: Cells,
    members: "NDArray[np.bool_]",
    others: list[int],
    full: int,
    *,
    margin: float,
    n_samples: int,
    seed: int,
) -> list[NonInferiority]:
    score, trials = table.halves[members] / 2, table.n_trials[members]

    def counts(place: int, who: "NDArray[np.bool_]") -> Counts:
        return Counts(score[who, place], trials[who, place])

    pooled = [counts(place, trials[:, place] > 0) for place in others]
    found = []
    for number, place in enumerate(others):
        both = (trials[:, place] > 0) & (trials[:, full] > 0)
        rng = stream(seed, "analysis", "ceiling", number)
        found.append(
            noninferiority(counts(full, both), counts(place, both), pooled, margin=margin, rng=rng, n_samples=n_samples)
        )
    return found


def _notes(
    group: str, table: Cells, others: list[int], level: Level | None, tests: list[NonInferiority], n: int
) -> tuple[str, ...]:
    """What a declared ceiling stands on; nothing is assumed where none is declared."""
    if level is None:
        return ()
    one = tests[[table.levels[place] for place in others].index(level)]
    text = (
        f"{group}: the ceiling assumes that participants differ near it no more than estimated (intraclass correlation "
        f"{one.rho:.2g} there, {one.rho_pooled:.2g} over the lower levels; the larger one is used)"
    )
    if n < _WITHOUT_ASSUMPTION:
        text += f"; without an assumption on their spread {n} participants cannot show a ceiling"
    if one.rho <= _WIDER * one.rho_pooled or one.rho < 0.02:
        return (text,)
    wider = (
        f"warning: {group}: participants differ more near the ceiling than at lower levels. Measured at alpha .05 with a true "
        "shortfall of exactly the margin, correlations of .3 with the intact image and .05 below: .07 to .13"
    )
    return text, wider


def _below_full(
    table: Cells, members: "NDArray[np.bool_]", others: list[int], full: list[int], *, n_resamples: int, seed: int
) -> SignFlipTest:
    """Sign flips of accuracy at each level minus that with the intact image, as fractions of the trial counts."""
    halves, trials = table.halves[members], table.n_trials[members]
    above = halves[:, others] * trials[:, full] - halves[:, full] * trials[:, others]
    below = 2 * trials[:, others] * trials[:, full]
    return sign_flip_test(above, denominators=below, n_resamples=n_resamples, seed=seed, alternative="less")


def _lowest(table: Cells, places: list[int], passed: "NDArray[np.bool_]") -> Level | None:
    """Lowest level of the run of passed levels that starts at the highest one."""
    found = None
    for place, good in zip(reversed(places), passed[::-1], strict=True):
        if not good:
            break
        found = table.levels[place]
    return found
