"""The difference of two groups' thresholds: a studentized randomization test, and a symmetric bootstrap-t interval."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.counter_rng import Words
from rapidvision.numerics.resampling import TIE
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream

from ..inference.cautions import spread_ratio
from ..relabelling.canonical_order import pair_order
from ..relabelling.permutations import as_matrix, label_block
from ..relabelling.random_bits import BLOCK, stream_key
from ..table.accuracy import Cells
from ..table.columns import mean_columns
from .choices import AxisScale
from .level_axis import LevelAxis, level_axis
from .psychometric import fit
from .spread_of_fits import pieces, sandwich, threshold_scores, weighted_squares
from .thresholds import N_BOOTSTRAP, few_participants

Floats = NDArray[np.float64]
#: A resample's standard error counts as at least this share of the observed one.
_LEAST_ERROR = 0.05
#: Variances that differ by this factor, the smaller group varying more, are told.
_UNEQUAL = 3.0


@dataclass(frozen=True, eq=False)
class ThresholdTest:
    """Randomization test of the difference of two groups' thresholds.

    Attributes
    ----------
    groups : (str, str)
        First minus second.
    axis : LevelAxis
        The axis; differences are in log10 units or, on a linear axis, in the levels' unit.
    difference, standard_error : float
        Observed, and its sandwich standard error over participants.
    interval : (float, float)
        95 %, by the symmetric bootstrap-t over participants; NaN where a group has one participant.
    p : float
        Two-sided, (b + 1) / (n_resamples + 1).
    statistic : {"studentized", "difference"}
        What was compared with its relabellings; the plain difference only where a group has one participant.
    n_resamples, seed : int
        Relabellings, and their seed.
    notes : tuple of str
        Warnings: few participants, or a smaller group that varies much more.
    """

    groups: tuple[str, str]
    axis: LevelAxis
    difference: float
    standard_error: float
    interval: tuple[float, float]
    p: float
    statistic: str
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times more the first group needs to see; NaN on a linear axis."""
        return float(10**self.difference) if self.axis.log else float("nan")


class _Groups:
    """Counts of all participants in the order of the data, and the two groups' thresholds under any labels."""

    def __init__(self, x: Floats, correct: Floats, trials: Floats, guess: float) -> None:
        self.x, self.correct, self.trials, self.guess = x, correct, trials, guess

    def of(self, members: "NDArray[np.bool_]") -> "_Groups":
        """The counts of some participants."""
        return _Groups(self.x, self.correct[members], self.trials[members], self.guess)

    def thresholds(self, weights: "NDArray[np.uint16]") -> tuple[Floats, Floats]:
        """Thresholds and their standard errors, one per row of weights over participants."""
        return self.fitted(lambda rows: weights[rows].astype(float), len(weights), turned=False)

    def gaps(self, words: Words) -> tuple[Floats, Floats]:
        """Difference of the thresholds and its standard error for relabellings as bits, shape (parts, relabellings)."""
        thresholds, errors = self.fitted(lambda rows: self._labels(words[:, rows]), words.shape[1], turned=True)
        half = words.shape[1]
        return thresholds[:half] - thresholds[half:], np.hypot(errors[:half], errors[half:])

    def _labels(self, words: Words) -> Floats:
        return np.asarray(as_matrix(words, dtype=np.float64)[:, : len(self.correct)])

    def fitted(self, weights: Callable[[slice], Floats], n_rows: int, *, turned: bool) -> tuple[Floats, Floats]:
        """One batch of fits whose weights are made in pieces; `turned`: then as many under one minus the weights."""
        correct, trials = np.empty((2, n_rows, len(self.x)))
        n = np.empty(n_rows)
        rows = pieces(n_rows, len(self.correct))
        for part in rows:
            weight = weights(part)
            correct[part], trials[part], n[part] = weight @ self.correct, weight @ self.trials, weight.sum(axis=1)
        if turned:  # counts are halves, so their differences are exact
            correct = np.concatenate([correct, self.correct.sum(axis=0) - correct])
            trials = np.concatenate([trials, self.trials.sum(axis=0) - trials])
            n = np.concatenate([n, len(self.correct) - n])
        found = fit(self.x, correct, trials, guess=self.guess)
        a, shift = threshold_scores(found, self.x, correct, trials)
        squares = np.empty(len(n))
        for part in rows:
            weight = weights(part)
            squares[part] = weighted_squares(a[part], shift[part], self.correct, self.trials, weight)
            if turned:
                other = slice(part.start + n_rows, part.stop + n_rows)
                squares[other] = weighted_squares(a[other], shift[other], self.correct, self.trials, 1 - weight)
        return found.threshold, sandwich(squares, n)


def threshold_test(
    table: Cells,
    groups: tuple[str, str] | None = None,
    *,
    n_resamples: int = N_RELABELLINGS,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
    axis: AxisScale = "auto",
) -> ThresholdTest:
    """Relabel participants, fit both groups again each time, and count studentized differences at least as large.

    One question instead of one per level, so it needs no correction and has more power than any single level. The
    difference is divided by its standard error over participants, anew in each relabelling: groups whose spreads differ
    then reject little more often than they should.

    Parameters
    ----------
    table : Cells
        From :func:`~rapidvision.analysis.table.accuracy.cells`; its guess rate is the curve's lower end.
    groups : (str, str), optional
        First minus second; alphabetical when there are two.
    n_resamples, n_bootstrap : int
        Relabellings, and resamples of participants for the interval.
    seed : int, optional
        Drawn and stored when absent.
    axis : {"auto", "log", "linear"}
        Of the levels; ``auto`` goes by their unit.

    Returns
    -------
    ThresholdTest
        Two-sided.

    Raises
    ------
    InputError
        As :func:`~rapidvision.analysis.fits.thresholds.fit_group`.
    """
    guess = table.known_guess("threshold")
    seed = fresh_seed() if seed is None else seed
    pair = table.pair(groups)
    chosen = np.isin(table.groups, pair)
    first = table.groups[chosen] == pair[0]
    placed = level_axis(table.levels, axis)
    halves, trials = table.halves[chosen], table.n_trials[chosen]
    order, turned = pair_order(np.concatenate([halves, trials], axis=1), first)
    drawn = first[order] != turned
    people = _Groups(placed.x, halves[order] / 2.0, trials[order].astype(float), guess)
    gap, error = (float(one[0]) for one in people.gaps(_bits(drawn)))
    studentized = bool(np.isfinite(error) and error > 0)
    extreme = _extreme(people, drawn, gap / error if studentized else gap, studentized, n_resamples, seed)
    low, high = _interval(people, drawn, gap, error, n_bootstrap, seed) if studentized else (np.nan, np.nan)
    # steps of a linear axis are so many of the levels' unit
    unit = 1.0 if placed.log else placed.step
    low, high = (-high * unit, -low * unit) if turned else (low * unit, high * unit)
    sizes = int(first.sum()), int((~first).sum())
    ratio, p_ratio = spread_ratio(mean_columns(halves, 2 * trials), first)
    return ThresholdTest(
        groups=pair,
        axis=placed,
        difference=(-gap if turned else gap) * unit,
        standard_error=error * unit,
        interval=(low, high),
        p=(extreme + 1) / (n_resamples + 1),
        statistic="studentized" if studentized else "difference",
        n_resamples=n_resamples,
        seed=seed,
        notes=(
            *(note for group, n in zip(pair, sizes, strict=True) for note in few_participants(group, n)),
            *_unequal(sizes, ratio, p_ratio),
        ),
    )


def _extreme(people: _Groups, drawn: "NDArray[np.bool_]", observed: float, studentized: bool, n: int, seed: int) -> int:
    """How many of n relabellings have a statistic at least as far from 0 as the observed one."""
    key, least, extreme = stream_key(seed, "threshold"), abs(observed) * (1 - TIE), 0
    for block in range(-(-n // BLOCK)):
        rows = min(BLOCK, n - block * BLOCK)
        gaps, errors = people.gaps(label_block(key, block, len(drawn), int(drawn.sum()))[:, :rows])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.abs(gaps / errors) if studentized else np.abs(gaps)
        extreme += int(np.count_nonzero(~(statistic < least)))  # NaN, where a group has no spread, counts as extreme
    return extreme


def _bits(labels: "NDArray[np.bool_]") -> Words:
    """One relabelling as bits, shape (parts, 1)."""
    padded = np.zeros(-(-len(labels) // 64) * 64, dtype=np.uint8)
    padded[: len(labels)] = labels
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64)[:, None]


def _interval(
    people: _Groups, drawn: "NDArray[np.bool_]", gap: float, error: float, n_bootstrap: int, seed: int
) -> tuple[float, float]:
    """Symmetric bootstrap-t: participants of each group resampled, the difference studentized in each resample."""
    rng = stream(seed, "analysis", "threshold bootstrap")
    thresholds, errors = [], []
    for members in (drawn, ~drawn):
        n = int(members.sum())
        weights = np.empty((n_bootstrap, n), dtype=np.uint16)  # small numbers; drawn in pieces, the same as at once
        for part in pieces(n_bootstrap, n):
            weights[part] = rng.multinomial(n, np.full(n, 1 / n), size=part.stop - part.start)
        one = people.of(members).thresholds(weights)
        thresholds.append(one[0])
        errors.append(one[1])
    spread = np.maximum(np.hypot(*errors), _LEAST_ERROR * error)
    reach = float(np.percentile(np.abs(thresholds[0] - thresholds[1] - gap) / spread, 95)) * error
    return gap - reach, gap + reach


def _unequal(sizes: tuple[int, int], ratio: float, p: float) -> tuple[str, ...]:
    """Warn where the smaller group varies much more: the one design whose level was measured above .05."""
    smaller = ratio if sizes[0] < sizes[1] else 1 / ratio
    if not (np.isfinite(smaller) and sizes[0] != sizes[1] and smaller > _UNEQUAL and p <= 0.01):
        return ()
    text = (
        f"warning: the smaller group ({min(sizes)} participants) varies {smaller:.1f} times as much (variance): p of the "
        "thresholds is somewhat too small. Measured without a difference, 8 against 40 participants, threshold SD .4 and .05: .08 at .05"
    )
    return (text,)
