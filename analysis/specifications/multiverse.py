"""The multiverse of a study: the same test under every combination of choices, and how many decide alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.system.progress import Advance, silent
from rapidvision.text.result_repr import Shown

from ..designs.condition_cells import condition_cells
from ..designs.within import differences_of
from ..level_comparison import LevelTests, level_tests
from ..resampling.multiplicity import CORRECTIONS, Correction
from ..table.accuracy import curve_of
from ..table.exclusions import Rules, exclude
from ..table.first_lines import LateRule
from ..table.trials import Trials, TrialsSource, as_trials
from .choices import NAMES, Specification, combinations, rules_text
from .kept_tests import VERSION, Finished, Kept, LevelRow

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Multiverse(Shown):
    """Every analysis, and its decision at every level; notebooks show the specification curve.

    Attributes
    ----------
    specifications : tuple of Specification
        Those that could be computed, the report's own first.
    groups : (str, str)
        First minus second.
    levels : tuple of str
        Labels.
    decisions : ndarray of int64, shape (specifications, levels)
        1: first significantly higher; -1: second; 0: no difference shown.
    difference, standardized, p : ndarray, shape (specifications, levels)
        Difference in the statistic's unit, over its standard error, and the corrected p.
    n : ndarray of int64, shape (specifications, 2)
        Sizes of the groups.
    alpha : float
        Level of each decision.
    n_resamples, seed : int
        Relabellings; the same seed for every analysis.
    notes : tuple of str
        Analyses that the table does not allow, with the reason.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=8).simulate(seed=1)
    >>> found = rv.analysis.multiverse(trials, over={"late": ["exclude", "wrong"]}, n_resamples=99, seed=1)
    >>> len(found.to_frame()), found.decisions.shape
    (2, (2, 12))
    """

    specifications: tuple[Specification, ...]
    groups: tuple[str, str]
    levels: tuple[str, ...]
    decisions: NDArray[np.int64]
    difference: Floats
    standardized: Floats
    p: Floats
    n: NDArray[np.int64]
    alpha: float
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def same_everywhere(self) -> "NDArray[np.bool_]":
        """Which analyses decide like the first at every level."""
        return np.asarray((self.decisions == self.decisions[0]).all(axis=1))

    @property
    def same_answer(self) -> "NDArray[np.bool_]":
        """Which analyses give the first one's answer to "is there a level at which a group is higher, and which group?"."""
        answers = np.stack([(self.decisions > 0).any(axis=1), (self.decisions < 0).any(axis=1)], axis=1)
        return np.asarray((answers == answers[0]).all(axis=1))

    @property
    def effect(self) -> Floats:
        """Mean over the levels of the difference over its standard error, shape (specifications,)."""
        known = np.isfinite(self.standardized)
        with np.errstate(invalid="ignore"):  # NaN where no level has a standard error
            return np.asarray(np.where(known, self.standardized, 0).sum(axis=1) / known.sum(axis=1))

    def sentence(self) -> str:
        """How many of all analyses decide alike."""
        n, seen = len(self.specifications), self.decisions[0]
        found = [
            f"{group} higher at {', '.join(np.array(self.levels)[seen == sign])}"
            for group, sign in zip(self.groups, (1, -1), strict=True)
            if (seen == sign).any()
        ]
        return (
            f"{int(self.same_answer.sum())} of {n} analyses give the same answer as the analysis reported "
            f"({'; '.join(found) or 'no difference at any level'}); {int(self.same_everywhere.sum())} of {n} decide alike at "
            "every level."
        )

    def opening(self) -> tuple[str, ...]:
        """The sentence, and what differs between the analyses."""
        return (self.sentence(),)

    def to_frame(self) -> pd.DataFrame:
        """One row per analysis, the one reported first: choices, sizes, effect, and whether it decides alike."""
        rows = pd.DataFrame([{name: getattr(one, name) for name in NAMES} for one in self.specifications])
        return rows.assign(
            **{f"n {group}": self.n[:, at] for at, group in enumerate(self.groups)},
            effect=self.effect,
            smallest_p=np.nanmin(self.p, axis=1),
            **{
                f"levels {group} higher": (self.decisions == sign).sum(axis=1)
                for group, sign in zip(self.groups, (1, -1), strict=True)
            },
            same_answer=self.same_answer,
            same_everywhere=self.same_everywhere,
        )

    def levels_frame(self) -> pd.DataFrame:
        """One row per level: the decision reported, and how many analyses share it."""
        same = (self.decisions == self.decisions[0]).sum(axis=0)
        words = {1: f"{self.groups[0]} higher", -1: f"{self.groups[1]} higher", 0: "no difference shown"}
        decided = [words[int(one)] for one in self.decisions[0]]
        return pd.DataFrame({"level": self.levels, "decision": decided, "same": same, "of": len(self.specifications)})

    @property
    def drawing(self) -> Any:
        """The specification curve."""
        from ..figures.specification_curve import draw_specifications

        return draw_specifications(self.to_frame(), NAMES, self.groups)

    def _repr_png_(self) -> bytes:
        return bytes(self.drawing.to_bytes("png", dpi=150))


def multiverse(
    trials: TrialsSource,
    *,
    over: Mapping[str, Sequence[str]] | None = None,
    rules: Rules | None = None,
    groups: tuple[str, str] | None = None,
    late: LateRule = "exclude",
    statistic: str = "participant_mean",
    correction: Correction = "step-down",
    alpha: float = 0.05,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    cache: Path | str | None = None,
    advance: Advance = silent,
    **options: Any,
) -> Multiverse:
    """Repeat the test of every level under every combination of choices that could have been made otherwise.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    over : mapping of str to sequence of str, optional
        ``late``, ``exclusion``, ``statistic``, ``correction`` → values. Exclusions are written ``NAME:VALUE`` as in
        ``max_late_share:0.2``, joined by ``+``, or ``none``. By default three late rules, three exclusions, three statistics
        and three corrections: 81 analyses from 27 tests.
    rules, groups, late, statistic, correction : optional
        The analysis reported, against which the others are held.
    alpha : float
        Level of each decision.
    n_resamples : int
        Relabellings of each test.
    seed : int, optional
        The same for all tests, so that their differences come from the choices; drawn when absent.
    cache : path-like, optional
        Folder that keeps finished tests by their content: an interrupted run continues there, and a second one is read.
    advance : callable
        Called with 1 after each test.
    **options
        Others of :func:`~rapidvision.analysis.level_tests`, the same for all.

    Returns
    -------
    Multiverse
        Analyses that the table does not allow are left out, counted in the notes with their reason.

    Raises
    ------
    InputError
        When a choice is unknown, or the analysis reported is not possible.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=8).simulate(seed=1)
    >>> found = rv.analysis.multiverse(trials, over={"correction": ["holm", "none"]}, n_resamples=99, seed=1)
    >>> found.to_frame()["correction"].tolist()
    ['step-down', 'holm', 'none']
    """
    seed = fresh_seed() if seed is None else seed
    source = as_trials(trials)
    first = Specification(late, rules_text(rules or Rules()), statistic, correction)
    wanted = combinations(over, first)
    kept = Kept(cache, source)
    done: dict[tuple[str, str, str], Finished] = {}
    for one in wanted:
        if one.tested() in done:
            continue
        settings = {"groups": groups, "n_resamples": n_resamples, "seed": seed, **options}
        key = {**settings, "late": one.late, "exclusion": one.exclusion, "statistic": one.statistic}
        found = kept.get(key)
        if found is None:
            try:
                found = _finished(source, one, settings)
            except InputError as why:
                if one == first:
                    raise
                found = Finished(VERSION, (), (), (), str(why))
            kept.put(key, found)
        done[one.tested()] = found
        advance(1)
    return _gathered(wanted, done, alpha=alpha, n_resamples=n_resamples, seed=seed)


def _finished(trials: TrialsSource, one: Specification, settings: Mapping[str, Any]) -> Finished:
    left = exclude(trials, one.rules())
    found = level_tests(left.trials, late=one.late, statistic=one.statistic, **settings)
    standard = _standardized(left.trials, found)
    rows = []
    for at, level in enumerate(found.levels):
        ps = {name: _number(getattr(found.test, column)[at]) for name, (column, _) in CORRECTIONS.items()}
        rows.append(LevelRow(level.label, _number(found.test.difference[at]), _number(standard[at]), ps))
    return Finished(VERSION, found.pairs[0].conditions, (found.test.n_first, found.test.n_second), tuple(rows))


def _standardized(trials: Trials, found: LevelTests) -> Floats:
    """Difference over its standard error, within participants that of their differences; NaN where it is 0."""
    error = np.sqrt(sum(np.asarray(curve.sem) ** 2 for curve in found.pairs[0].curves))
    if found.contrast.design == "within" and found.unit != "image":
        both = condition_cells(trials, found.contrast, found.statistic, late=found.late)
        if both.columns.is_mean:
            error = curve_of(differences_of(both, (0, 1), found.statistic).values).sem
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(error > 0, found.test.difference / error, np.nan))


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _gathered(
    wanted: tuple[Specification, ...],
    done: Mapping[tuple[str, str, str], Finished],
    *,
    alpha: float,
    n_resamples: int,
    seed: int,
) -> Multiverse:
    first = done[wanted[0].tested()]
    levels = tuple(row.level for row in first.levels)
    reasons: dict[str, int] = {}
    used = []
    for one in wanted:
        found = done[one.tested()]
        same = tuple(row.level for row in found.levels) == levels and found.conditions == first.conditions
        if found.why or not same:
            why = found.why or "its exclusions leave other levels or conditions"
            reasons[why] = reasons.get(why, 0) + 1
        else:
            used.append(one)
    rows = [done[one.tested()].levels for one in used]
    table = {
        name: np.array([[getattr(row, name) for row in one] for one in rows], dtype=float)
        for name in ("difference", "standardized")
    }
    p = np.array([[row.p[one.correction] for row in done[one.tested()].levels] for one in used], dtype=float)
    with np.errstate(invalid="ignore"):
        decisions = np.where(p <= alpha, np.sign(table["difference"]), 0).astype(np.int64)
    return Multiverse(
        specifications=tuple(used),
        groups=(first.conditions[0], first.conditions[1]),
        levels=levels,
        decisions=decisions,
        difference=table["difference"],
        standardized=table["standardized"],
        p=p,
        n=np.array([done[one.tested()].n for one in used], dtype=np.int64),
        alpha=alpha,
        n_resamples=n_resamples,
        seed=seed,
        notes=tuple(f"{count} of {len(wanted)} analyses were not computed: {why}" for why, count in reasons.items()),
    )
