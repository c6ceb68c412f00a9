"""How many participants, from a pilot: power of the tests per level, of thresholds and of equivalence."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.seeds import fresh_seed, stream
from rapidvision.system.progress import Advance, silent
from rapidvision.text.result_repr import ShownAsTable

from ..effects.difference import between, within
from ..effects.limits import equivalence
from ..inference.cautions import forewarnings, hopeless_corrections
from ..inference.permutation import randomization_test
from ..resampling.multiplicity import holm
from ..table.columns import mean_columns
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource
from .pilot_model import PilotModel, pilot_model
from .pilot_threshold import threshold_p
from .power import share_band

if TYPE_CHECKING:
    from ..figures.style import Drawing

Floats = NDArray[np.float64]
#: Test → what counts as a significant experiment.
TESTS = {
    "levels": "at least one level differs, corrected for their number",
    "threshold": "the thresholds of the fitted curves differ",
    "equivalence": "the difference lies within the bound at every level",
}


@dataclass(frozen=True, eq=False, repr=False)
class PilotPower(ShownAsTable):
    """Power against the number of participants.

    Attributes
    ----------
    table : DataFrame
        One row per size: `n_first`, `n_second`, `power`, and its 95 % Monte-Carlo band `low`, `high` (Clopper-Pearson).
    per_level : DataFrame
        One row per size and level: share of experiments in which that level was found; empty for thresholds.
    model : PilotModel
        What was simulated.
    test : {"levels", "threshold", "equivalence"}
        See :data:`TESTS`.
    n_experiments, n_resamples, seed : int
        Experiments of each size, relabellings of each, and the seed of both.
    notes : tuple of str
        Assumptions, and warnings of what can never reject.

    Examples
    --------
    >>> import rapidvision as rv
    >>> pilot = rv.analysis.Design(n_per_group=12, thresholds=(1.3, 1.8)).simulate(seed=1)
    >>> found = rv.analysis.pilot_power(pilot, [(12, 24)], n_experiments=20, n_resamples=499, seed=1)
    >>> found.to_frame()[["n_first", "n_second"]].values.tolist()
    [[12, 24]]
    """

    table: pd.DataFrame
    per_level: pd.DataFrame
    model: PilotModel
    test: str
    n_experiments: int
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    def to_frame(self) -> pd.DataFrame:
        """One row per size."""
        return self.table

    def opening(self) -> tuple[str, ...]:
        """What is counted."""
        return (f"power: {TESTS[self.test]}; {self.n_experiments:,} simulated experiments of each size",)

    @property
    def drawing(self) -> "Drawing":
        """The curve with its Monte-Carlo band."""
        from ..figures.power_curve import draw_pilot_power

        return draw_pilot_power(self.table, TESTS[self.test])


def pilot_power(
    pilot: TrialsSource,
    n: Sequence[int | tuple[int, int]],
    *,
    by: str | None = None,
    conditions: tuple[str, str] | None = None,
    test: str = "levels",
    effect: float = 1.0,
    bound: float = 0.05,
    n_trials: int | None = None,
    late: LateRule = "exclude",
    alpha: float = 0.05,
    n_experiments: int = 300,
    n_resamples: int = 999,
    seed: int | None = None,
    advance: Advance = silent,
) -> PilotPower:
    """Simulate studies like a pilot with other numbers of participants, and count how many are significant.

    Parameters
    ----------
    pilot : Trials, DataFrame or path-like
        The pilot's trials table, or one that was simulated: ``Design(...).simulate(seed=1)``.
    n : sequence of int or (int, int)
        Participants: of each group, of both groups where they are unequal, or in all where the same ones see both
        conditions.
    by, conditions : optional
        Column of the conditions (groups by default), and which two.
    test : {"levels", "threshold", "equivalence"}
        ``levels``: groups by relabelling with step-down, the same participants by sign flips with Holm's correction;
        ``threshold``: relabelled curves; ``equivalence``: two one-sided tests at every level.
    effect : float, default 1
        The pilot's differences are multiplied by it. A pilot that was followed up because its effect was large
        overestimates it: 0.5 is a careful value; 0 gives false positives, and the power of an equivalence test.
    bound : float, default 0.05
        Of the equivalence test.
    n_trials : int, optional
        Answers of a participant at a level and condition; the pilot's median by default.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    alpha : float
        Level of the test, two-sided.
    n_experiments, n_resamples : int
        Simulated experiments of each size, and relabellings of each.
    seed : int, optional
        Of everything; drawn when absent.
    advance : callable
        Called with 1 after every experiment.

    Returns
    -------
    PilotPower
        With bands, the power of each level, and notes.

    Raises
    ------
    InputError
        When the pilot has too few participants, a size is too small, or an argument is not allowed.

    Examples
    --------
    >>> import rapidvision as rv
    >>> pilot = rv.analysis.Design(n_per_group=12, thresholds=(1.2, 1.9)).simulate(seed=1)
    >>> found = rv.analysis.pilot_power(pilot, [6, 24], n_experiments=40, n_resamples=499, seed=1)
    >>> bool(found.table["power"].is_monotonic_increasing)
    True
    """
    if test not in TESTS:
        raise InputError(f'test: got "{test}". {did_you_mean(test, TESTS)}')
    for name, value, ok in (
        ("alpha", alpha, 0 < alpha < 0.5),
        ("bound", bound, bound > 0),
        ("n_experiments", n_experiments, n_experiments >= 1),
        ("n_resamples", n_resamples, n_resamples >= 1),
    ):
        if not ok:
            raise InputError(f"{name}: got {value:g}, which is outside its range")
    model = pilot_model(pilot, by=by, conditions=conditions, late=late, n_trials=n_trials)
    sizes = [_size(one, model) for one in n]
    if not sizes:
        raise InputError("n: no number of participants is given")
    seed = fresh_seed() if seed is None else seed
    one_experiment = tester(model.scaled(effect), test, bound=bound, alpha=alpha, n_resamples=n_resamples)
    rows, levels = [], []
    for size in sizes:
        p = []
        for number in range(n_experiments):
            rng = stream(seed, "analysis", "pilot power", number, *size)
            p.append(one_experiment(size, rng, int(rng.integers(2**31))))
            advance(1)
        found = np.array(p) <= alpha
        hit = found.all(axis=1) if test == "equivalence" else found.any(axis=1)
        rows.append((*size, float(hit.mean()), *share_band(int(hit.sum()), n_experiments)))
        if test != "threshold":
            for level, share in zip(model.levels, found.mean(axis=0), strict=True):
                levels.append((*size, level.label, float(share)))
    return PilotPower(
        pd.DataFrame(rows, columns=["n_first", "n_second", "power", "low", "high"]),
        pd.DataFrame(levels, columns=["n_first", "n_second", "level", "power"]),
        model,
        test,
        n_experiments,
        n_resamples,
        seed,
        (*model.notes, *_assumed(model, effect), *_hopeless(model, sizes, test, n_resamples=n_resamples, alpha=alpha)),
    )


def _size(given: int | tuple[int, int], model: PilotModel) -> tuple[int, int]:
    pair = (int(given), int(given)) if isinstance(given, int | np.integer) else (int(given[0]), int(given[1]))
    if min(pair) < 2:
        raise InputError(f"n: got {pair[0]} and {pair[1]} participants; at least 2 of each condition are needed")
    if model.design == "within" and pair[0] != pair[1]:
        raise InputError(
            f"n: got {pair[0]} and {pair[1]}; the same participants see both conditions, so give one number"
        )
    return pair


Tester = Callable[[tuple[int, int], np.random.Generator, int], Floats]


def tester(model: PilotModel, test: str, *, bound: float, alpha: float, n_resamples: int) -> Tester:
    """A function that simulates one experiment and returns its corrected p per level, or the one of thresholds."""
    trials = model.n_trials

    def levels(size: tuple[int, int], rng: np.random.Generator, seed: int) -> Floats:
        a, b = model.draw(size, rng)
        if model.design == "within":
            wholes = np.tile(trials, (len(a), 1))
            flips = sign_flip_test(
                (a - b).astype(np.int64), denominators=wholes, n_resamples=n_resamples, seed=seed, exact=False
            )
            return holm(flips.p)
        rows = np.concatenate([a, b]).astype(np.int64)
        columns = mean_columns(rows, np.tile(trials, (len(rows), 1)))
        found = randomization_test(
            columns, np.arange(len(rows)) < len(a), n_resamples=n_resamples, seed=seed, exact=False
        )
        return found.p_step_down

    def equivalent(size: tuple[int, int], rng: np.random.Generator, _seed: int) -> Floats:
        a, b = model.draw(size, rng)
        several = (np.tile(trials, (len(a), 1)).astype(float), np.tile(trials, (len(b), 1)).astype(float))
        difference = (within if model.design == "within" else between)(a / trials, b / trials, several)
        return equivalence(difference, bound, alpha)[0]

    def threshold(size: tuple[int, int], rng: np.random.Generator, seed: int) -> Floats:
        a, b = model.draw(size, rng)
        return np.array([threshold_p(model, a, b, n_resamples=n_resamples, seed=seed)])

    return {"levels": levels, "equivalence": equivalent, "threshold": threshold}[test]


def _assumed(model: PilotModel, effect: float) -> tuple[str, ...]:
    first, second = model.n_pilot
    people = f"{first} participants" if model.design == "within" else f"{first} and {second} participants"
    true = (
        f"difference is {model.conditions[0]} minus {model.conditions[1]}, {model.design} participants; the pilot's "
        f"differences times {effect:g} are taken for the true ones. {people} do not fix them: look at smaller effects, too"
    )
    spread = (
        f"spread between participants {model.spread[0]:.3f} and {model.spread[1]:.3f} (intraclass correlation), "
        f"{int(np.median(model.n_trials))} answers at a level"
    )
    return true, spread


def _hopeless(
    model: PilotModel, sizes: list[tuple[int, int]], test: str, *, n_resamples: int, alpha: float
) -> tuple[str, ...]:
    """Sizes and corrections that can never reject."""
    n_levels, notes = len(model.levels), list[str]()
    if test == "equivalence":
        return ()
    for first, second in sizes:
        if model.design == "within":
            tested = n_levels if test == "levels" else 1
            smallest = 2 * tested * max(0.5**first, 1 / (n_resamples + 1))
            if smallest > alpha:
                notes.append(
                    f"warning: {first} participants, {tested} level{'s' * (tested > 1)} and {n_resamples} flips can never "
                    f"reach p <= {alpha:g}: the smallest corrected p is {min(smallest, 1.0):.3g}; use at least "
                    f"{math.ceil(math.log2(2 * tested / alpha))} participants and "
                    f"{math.ceil(2 * tested / alpha)} flips"
                )
            continue
        notes += forewarnings(first, second, n_resamples=n_resamples, alpha=alpha)
        if test == "levels":
            notes += hopeless_corrections(n_levels, first, second, n_resamples=n_resamples, alpha=alpha)
    return tuple(dict.fromkeys(notes))
