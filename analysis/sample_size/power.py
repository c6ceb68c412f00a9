"""How many participants? And do the tests keep their promises? Answered by simulated experiments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import stream
from rapidvision.system.progress import Advance, silent
from rapidvision.text.result_repr import ShownAsTable

from ..inference.cautions import forewarnings, hopeless_corrections
from ..relabelling.permutations import label_block
from ..relabelling.random_bits import BLOCK, stream_key
from ..resampling.multiplicity import holm
from ..table.columns import mean_columns
from .experiment import tested
from .simulation import Design, simulate

Floats = NDArray[np.float64]

#: Ways to call an experiment significant: any level by each correction, or the largest cluster.
RULES = ("uncorrected", "holm", "max-t", "cluster")


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(ShownAsTable):
    """How often experiments came out significant.

    Attributes
    ----------
    design : Design
        Simulated.
    alpha : float
        Level.
    n_experiments, n_resamples, seed : int
        Experiments, relabellings of each, and the seed of both.
    per_level : ndarray of float64, shape (levels,)
        Share of experiments with p ≤ alpha, per level.
    any_level : dict
        Rule → share of experiments with any significant level.
    n_pooled : int
        Experiments that were relabelled with the difference over the pooled spread, as their groups' spreads differed; the
        others with the plain difference. ``analyse bins`` chooses by the same rule.

    Examples
    --------
    >>> import rapidvision as rv
    >>> design = rv.analysis.Design(n_per_group=8)
    >>> found = rv.analysis.calibrate(design, n_experiments=20, n_resamples=99, seed=1)
    >>> found.per_level.shape, sorted(found.any_level)
    ((12,), ['cluster', 'holm', 'max-t', 'uncorrected'])
    """

    design: Design
    alpha: float
    n_experiments: int
    n_resamples: int
    seed: int
    per_level: Floats
    any_level: dict[str, float]
    n_pooled: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Corrections that can never reject with so few relabellings, and which statistic was relabelled how often."""
        warned = warnings_of(self.design, [self.design.n_per_group], n_resamples=self.n_resamples, alpha=self.alpha)
        told = (
            f"relabelled as analyse bins would: the difference over the pooled spread in {self.n_pooled} of "
            f"{self.n_experiments} experiments, whose groups' spreads differ, the plain difference in the others"
        )
        return (*warned, told)

    @property
    def standard_error(self) -> float:
        """Of a share that is truly alpha."""
        return float(np.sqrt(self.alpha * (1 - self.alpha) / self.n_experiments))

    def to_frame(self) -> pd.DataFrame:
        """One row per rule, and one per level."""
        rows = [("any level", rule, share) for rule, share in self.any_level.items()]
        rows += [
            ("level " + level.label, "uncorrected", float(share))
            for level, share in zip(self.design.levels, self.per_level, strict=True)
        ]
        return pd.DataFrame(rows, columns=["where", "rule", "share significant"])


def calibrate(
    design: Design | None = None,
    *,
    n_experiments: int = 2000,
    n_resamples: int = N_RELABELLINGS,
    alpha: float = 0.05,
    seed: int = 0,
    advance: Advance = silent,
) -> Calibration:
    """Simulate experiments without a difference and count how often each rule finds one.

    Parameters
    ----------
    design : Design, optional
        The paper's by default; both groups get the first threshold.
    n_experiments, n_resamples : int
        Experiments, and relabellings of each.
    alpha : float
        Level.
    seed : int
        Of everything.
    advance : callable
        Called with the number of experiments just done.

    Returns
    -------
    Calibration
        `per_level` should lie around alpha, `any_level` below it for every rule but ``uncorrected``.

    Raises
    ------
    InputError
        When there is no experiment or no relabelling.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.calibrate(rv.analysis.Design(n_per_group=8), n_experiments=20, n_resamples=99, seed=1)
    >>> len(found.to_frame()), found.per_level.shape
    (16, (12,))
    """
    chosen = design or Design()
    null = replace(chosen, thresholds=(chosen.thresholds[0], chosen.thresholds[0]))
    return _shares(null, n_experiments=n_experiments, n_resamples=n_resamples, alpha=alpha, seed=seed, advance=advance)


def power(
    design: Design | None = None,
    *,
    n_per_group: Sequence[int] = (10, 20, 30, 45, 60, 90),
    effects: Sequence[float] = (0.1, 0.2),
    n_experiments: int = 300,
    n_resamples: int = 2000,
    alpha: float = 0.05,
    seed: int = 0,
    advance: Advance = silent,
) -> pd.DataFrame:
    """Power against the number of participants and the difference of the thresholds.

    Parameters
    ----------
    design : Design, optional
        Its second threshold is replaced by the first plus the effect.
    n_per_group : sequence of int
        Participants in each group.
    effects : sequence of float
        Differences of the thresholds, in log10 per cent.
    n_experiments : int
        Simulated experiments of each number of participants and effect.
    n_resamples : int
        Relabellings of each experiment.
    alpha : float
        Level, 0 … 1.
    seed : int
        Of experiments and relabellings.
    advance : callable
        Called with the number of experiments done since the last call.

    Returns
    -------
    DataFrame
        One row per size, effect and rule: `power` with its standard error and 95 % Monte-Carlo band
        `low`, `high`. ``attrs["notes"]`` warns of corrections that
        can never reject with so few relabellings.

    Raises
    ------
    InputError
        When there is nothing to simulate.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.power(n_per_group=[8], effects=[0.2], n_experiments=10, n_resamples=99, seed=1)
    >>> found["rule"].tolist()
    ['holm', 'max-t', 'cluster']
    """
    base = design or Design()
    if not n_per_group or not effects:
        raise InputError("power: name at least one group size and one effect")
    rows = []
    for size in n_per_group:
        for effect in effects:
            first = base.thresholds[0]
            one = replace(base, n_per_group=size, thresholds=(first, first + effect))
            found = _shares(
                one, n_experiments=n_experiments, n_resamples=n_resamples, alpha=alpha, seed=seed, advance=advance
            )
            for rule in RULES[1:]:
                share = found.any_level[rule]
                error = float(np.sqrt(share * (1 - share) / n_experiments))
                rows.append(
                    (size, effect, rule, share, error, *share_band(round(share * n_experiments), n_experiments))
                )
    table = pd.DataFrame(
        rows, columns=["n_per_group", "effect_log10", "rule", "power", "standard_error", "low", "high"]
    )
    table.attrs["notes"] = warnings_of(base, n_per_group, n_resamples=n_resamples, alpha=alpha)
    return table


def share_band(hits: int, n: int) -> tuple[float, float]:
    """95 % Clopper-Pearson interval of a share of simulated experiments: the Monte-Carlo band of a power.

    Examples
    --------
    >>> low, high = share_band(0, 100)
    >>> low, round(high, 3)
    (0.0, 0.036)
    """
    from scipy.stats import binomtest

    band = binomtest(hits, n).proportion_ci(0.95, method="exact")
    return float(band.low), float(band.high)


def warnings_of(design: Design, n_per_group: Sequence[int], *, n_resamples: int, alpha: float) -> tuple[str, ...]:
    """Corrections that can never reject, and groups that are too small, before anything is simulated.

    Examples
    --------
    >>> for note in warnings_of(Design(), [16], n_resamples=200, alpha=0.05):
    ...     print(note)
    200 relabellings are few for alpha = 0.05; use at least 400
    warning: Holm over 12 levels can never reach p <= 0.05: its smallest p is 0.119; use at least 479 relabellings
    """
    notes = [
        note
        for size in n_per_group
        for note in (
            *forewarnings(size, size, n_resamples=n_resamples, alpha=alpha),
            *hopeless_corrections(len(design.levels), size, size, n_resamples=n_resamples, alpha=alpha),
        )
    ]
    return tuple(dict.fromkeys(notes))


def _shares(
    design: Design, *, n_experiments: int, n_resamples: int, alpha: float, seed: int, advance: Advance
) -> Calibration:
    """Simulate and test; the experiments share one set of relabellings, which leaves every p as uniform as before.

    Each is relabelled with the statistic that :func:`~rapidvision.analysis.level_tests` would take; relabellings of the
    difference over the pooled spread are drawn anew.
    """
    if n_experiments < 1 or n_resamples < 1:
        raise InputError(
            f"simulation: {n_experiments} experiments of {n_resamples} relabellings; both must be at least 1"
        )
    n = 2 * design.n_per_group
    first = np.arange(n) < design.n_per_group
    key = stream_key(seed, "calibrate")
    blocks = [
        label_block(key, block, n, design.n_per_group)[:, : min(BLOCK, n_resamples - block * BLOCK)]
        for block in range(-(-n_resamples // BLOCK))
    ]
    hits = np.zeros((n_experiments, design.n_levels + 1), dtype=bool)
    found, n_pooled = np.zeros((n_experiments, len(RULES)), dtype=bool), 0
    for number in range(n_experiments):
        good, every = simulate(design, seed=seed, number=number).counts()
        one = tested(
            mean_columns(good, every), first, blocks, seed=int(stream(seed, "calibrate", number).integers(2**31))
        )
        n_pooled += one.spread == "pooled"
        hits[number] = one.p <= alpha
        smallest = (np.nanmin(one.p), np.nanmin(holm(one.p)), one.p_max, one.p_cluster)
        found[number] = [value <= alpha for value in smallest]
        advance(1)
    return Calibration(
        design=design,
        alpha=alpha,
        n_experiments=n_experiments,
        n_resamples=n_resamples,
        seed=seed,
        per_level=hits.mean(axis=0),
        any_level={rule: float(share) for rule, share in zip(RULES, found.mean(axis=0), strict=True)},
        n_pooled=n_pooled,
    )
