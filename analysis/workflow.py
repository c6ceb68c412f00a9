"""The room's verbs as functions: the same names on the command line, in scripts and in notebooks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from .accuracy import Cells, Curve, LateRule, Level, cells, curve_of
from .ceiling import Ceiling, ceiling
from .exclusions import Kept, Rules, exclude
from .networks import NetworkCurve, network_curves
from .permutation import Alternative, RandomizationTest, randomization_test
from .statistics import Statistic, columns_of
from .tables import Trials, read_trials

if TYPE_CHECKING:
    from .comparison import CurveGap, ErrorConsistency, EvidenceCorrelation
    from .psychometric import GroupFit, ThresholdTest

Correction = Literal["step-down", "max-t", "holm", "bh", "none"]
#: Correction → attribute of the test, and the words for it.
CORRECTIONS: dict[str, tuple[str, str]] = {
    "step-down": ("p_step_down", "max-T step-down over the levels"),
    "max-t": ("p_max_t", "max-T over the levels"),
    "holm": ("p_holm", "Holm over the levels"),
    "bh": ("p_bh", "false discovery rate"),
    "none": ("p", "uncorrected, as in the paper"),
}


@dataclass(frozen=True, eq=False)
class Bins:
    """Both groups at every level, and the test of their difference.

    Attributes
    ----------
    groups : (str, str)
        First minus second is tested.
    levels : tuple of Level
        In order.
    curves : (Curve, Curve)
        Mean, S.E.M. and number of participants.
    test : RandomizationTest
        Every p.
    correction : str
        Which p the stars show.
    late : str
        What late answers count as.
    cells : Cells
        What it stands on.
    """

    groups: tuple[str, str]
    levels: tuple[Level, ...]
    curves: tuple[Curve, Curve]
    test: RandomizationTest
    correction: Correction
    late: LateRule
    cells: Cells

    @property
    def p(self) -> NDArray[np.float64]:
        """Corrected p per level, as chosen."""
        return np.asarray(getattr(self.test, CORRECTIONS[self.correction][0]))

    def table(self) -> pd.DataFrame:
        """One row per level: both curves, the difference and every p."""
        a, b = self.groups
        first, second = self.curves
        return pd.DataFrame(
            {
                "level": [level.label for level in self.levels],
                f"{a}": first.mean,
                f"{a} sem": first.sem,
                f"{a} n": first.n,
                f"{b}": second.mean,
                f"{b} sem": second.sem,
                f"{b} n": second.n,
                "difference": self.test.difference,
                "p": self.test.p,
                "p_low": self.test.p_low,
                "p_high": self.test.p_high,
                "p_exact": self.test.p_exact,
                "p_holm": self.test.p_holm,
                "p_bh": self.test.p_bh,
                "p_max_t": self.test.p_max_t,
                "p_step_down": self.test.p_step_down,
            }
        )

    def _repr_html_(self) -> str:
        return str(self.table().style.format(precision=4).hide(axis="index").to_html())


def as_trials(source: "Trials | Path | str") -> Trials:
    """Return a table as it is, or read it from a path."""
    return source if isinstance(source, Trials) else read_trials(source)


def bins(
    trials: "Trials | Path | str",
    *,
    groups: tuple[str, str] | None = None,
    statistic: Statistic = "participant_mean",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    m: int = N_RELABELLINGS,
    seed: int | None = None,
    by_slot: bool = False,
    exact: bool = True,
) -> Bins:
    """Compare two groups at every reveal level by randomization tests (paper, appendix "Psychophysics methods").

    Parameters
    ----------
    trials : Trials or path
        The trials table.
    groups : (str, str), optional
        First minus second; alphabetical when there are exactly two.
    statistic, late, alternative
        See :func:`~rapidvision.analysis.statistics.columns_of` and
        :func:`~rapidvision.analysis.permutation.randomization_test`.
    correction : {"step-down", "max-t", "holm", "bh", "none"}
        Which p the stars show; every one is in the table.
    m, seed
        Relabellings, and their seed (drawn when absent).
    by_slot : bool
        Relabel only among participants who had the same plan.
    exact : bool
        Also the exact p.

    Returns
    -------
    Bins
        Shown as a table by notebooks.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.
    """
    if correction not in CORRECTIONS:
        raise InputError(f'correction: got "{correction}". {did_you_mean(correction, CORRECTIONS)}')
    trials = as_trials(trials)
    columns, table = columns_of(trials, statistic, late=late)
    pair = table.pair(groups)
    members = np.isin(table.groups, pair)
    chosen = columns.rows(members)
    first = table.groups[members] == pair[0]
    strata = _slots(trials, table)[members] if by_slot else None
    test = randomization_test(chosen, first, m=m, seed=seed, alternative=alternative, strata=strata, exact=exact)
    curves = tuple(curve_of(columns.individual(table.of(group), table)) for group in pair)
    return Bins(pair, table.levels, (curves[0], curves[1]), test, correction, late, table)


def _slots(trials: Trials, table: Cells) -> NDArray[np.int64]:
    slot_of = dict(zip(trials.frame["participant_id"], trials.frame["slot"], strict=True))
    return np.array([slot_of[name] for name in table.participants], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Fig2b:
    """Fig. 2B with the numbers behind it; notebooks show the figure.

    Attributes
    ----------
    drawing : Drawing
        ``drawing.save(folder)`` writes PDF, SVG and PNG.
    bins : Bins
        The test.
    ceilings : tuple of Ceiling
        One per group; empty when the table has no intact pictures.
    networks : tuple of NetworkCurve
        Networks on the same levels.
    """

    drawing: Any
    bins: Bins
    ceilings: tuple[Ceiling, ...]
    networks: tuple[NetworkCurve, ...]

    def save(self, folder: Path | str) -> tuple[Path, ...]:
        """Write ``fig2b.pdf``, ``.svg`` and ``.png``."""
        return tuple(self.drawing.save(folder))

    def _repr_png_(self) -> bytes:
        return bytes(self.drawing.to_bytes("png", dpi=150))


def fig2b(
    trials: "Trials | Path | str",
    *,
    models: "Trials | Path | str | None" = None,
    stimulus_set: Path | str | None = None,
    margin: float = 0.05,
    seed: int | None = None,
    **options: Any,
) -> Fig2b:
    """Draw Fig. 2B.

    Parameters
    ----------
    trials : Trials or path
        The participants' table.
    models : Trials or path, optional
        The networks' table, drawn dashed.
    stimulus_set : path, optional
        For the insets.
    margin : float
        Of the ceiling; see :func:`~rapidvision.analysis.ceiling.ceiling`.
    seed : int, optional
        Drawn when absent.
    **options
        Those of :func:`bins`.

    Returns
    -------
    Fig2b
        With every number in it.
    """
    from .figures.fig2b import Fig2bData, draw_fig2b

    trials = as_trials(trials)
    seed = fresh_seed() if seed is None else seed
    result = bins(trials, seed=seed, **options)
    ceilings: tuple[Ceiling, ...] = ()
    if any(level.full for level in result.levels):
        accuracy = result.cells if result.late == "exclude" else cells(trials, late=result.late)
        ceilings = tuple(ceiling(accuracy, group, margin=margin, m=result.test.m, seed=seed) for group in result.groups)
    networks = network_curves(as_trials(models), result.levels, seed=seed) if models is not None else ()
    drawing = draw_fig2b(
        Fig2bData(
            levels=result.levels,
            groups=result.groups,
            curves=result.curves,
            p=result.p,
            correction=CORRECTIONS[result.correction][1],
            networks=networks,
            ceilings=tuple((one.group, one.level) for one in ceilings),
            insets=insets(stimulus_set, result.groups) if stimulus_set is not None else (),
            note=observer_note(trials),
        )
    )
    return Fig2b(drawing, result, ceilings, networks)


def observer_note(trials: Trials) -> str:
    """Words for the figure when the observers are not people; empty when they are."""
    frame = trials.main()
    simulated = frame.loc[frame["observer"] == "simulated", "participant_id"].nunique()
    human = frame.loc[frame["observer"] == "human", "participant_id"].nunique()
    if not simulated:
        return ""
    return "simulated participants" if not human else f"{simulated} of {simulated + human} participants are simulated"


def insets(stimulus_set: Path | str, groups: tuple[str, ...]) -> tuple[tuple[str, NDArray[np.uint8]], ...]:
    """One target picture per group at the level where all features are visible, the same picture for both."""
    from PIL import Image

    from rapidvision.manifest import read_set

    found = read_set(stimulus_set)
    rows = [row for row in found.stimuli if row.phase == "main" and row.target and row.reveal_fraction == 1]
    sources = {row.image_id: {one.map_source for one in rows if one.image_id == row.image_id} for row in rows}
    shared = next((image for image, have in sorted(sources.items()) if set(groups) <= have), None)
    out = []
    for group in groups:
        row = next((one for one in rows if one.map_source == group and one.image_id == shared), None)
        if row is not None and (found.folder / row.path).is_file():
            with Image.open(found.folder / row.path) as picture:
                out.append((group, np.asarray(picture.convert("RGB"))))
    return tuple(out)


@dataclass(frozen=True, eq=False)
class CurveFits:
    """Psychometric functions of both groups.

    Attributes
    ----------
    groups : (str, str)
        First minus second.
    fits : (GroupFit, GroupFit)
        With intervals.
    test : ThresholdTest
        Of the difference of the thresholds.
    drawing : Drawing
        Data and curves.
    """

    groups: tuple[str, str]
    fits: "tuple[GroupFit, GroupFit]"
    test: "ThresholdTest"
    drawing: Any

    def table(self) -> pd.DataFrame:
        """One row per group: parameters, intervals, goodness of fit."""
        return pd.DataFrame(
            [
                {
                    "group": one.group,
                    "threshold_percent": one.percent,
                    "threshold_low": one.percent_interval[0],
                    "threshold_high": one.percent_interval[1],
                    "slope": float(one.fit.slope[0]),
                    "lapse": float(one.fit.lapse[0]),
                    "deviance": one.deviance,
                    "p_deviance": one.p_deviance,
                }
                for one in self.fits
            ]
        )

    def _repr_png_(self) -> bytes:
        return bytes(self.drawing.to_bytes("png", dpi=150))


def curve(
    trials: "Trials | Path | str",
    *,
    groups: tuple[str, str] | None = None,
    late: LateRule = "exclude",
    m: int = N_RELABELLINGS,
    n_bootstrap: int = 2000,
    seed: int | None = None,
) -> CurveFits:
    """Fit psychometric functions and test the difference of the thresholds.

    Parameters
    ----------
    trials : Trials or path
        The participants' table.
    groups, late, m, seed
        As in :func:`bins`.
    n_bootstrap : int
        Resamples of participants for the intervals.

    Returns
    -------
    CurveFits
        Notebooks show the figure.
    """
    from .figures.plots import draw_fits
    from .psychometric import axis_of, fit_group, threshold_test

    seed = fresh_seed() if seed is None else seed
    table = cells(as_trials(trials), late=late)
    pair = table.pair(groups)
    first, second = (fit_group(table, group, n_bootstrap=n_bootstrap, seed=seed) for group in pair)
    test = threshold_test(table, pair, m=m, n_bootstrap=n_bootstrap, seed=seed)
    curves = tuple(curve_of(table.accuracy[table.of(group)]) for group in pair)
    return CurveFits(pair, (first, second), test, draw_fits(axis_of(table), pair, curves, (first, second)))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Networks beside people: one row per network and group.

    Attributes
    ----------
    networks : tuple of NetworkCurve
        The curves.
    gaps : tuple of CurveGap
        Thresholds, area, RMSE against the noise ceiling.
    consistency : tuple of (str, str, str, ErrorConsistency)
        First and second observer, group, kappa, on the level-picture pairs that both answered.
    evidence : tuple of EvidenceCorrelation
        Decision values against people's accuracy; only of networks that have them.
    seed : int
        Of every interval.
    """

    networks: tuple[NetworkCurve, ...]
    gaps: "tuple[CurveGap, ...]"
    consistency: "tuple[tuple[str, str, str, ErrorConsistency], ...]"
    evidence: "tuple[EvidenceCorrelation, ...]"
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per network and group."""
        rho = {(one.model, one.group): one for one in self.evidence}
        rows = []
        for gap in self.gaps:
            found = rho.get((gap.model, gap.group))
            rows.append(
                {
                    "model": gap.model,
                    "group": gap.group,
                    "threshold_difference_log10": gap.threshold_difference,
                    "area_human_minus_model": gap.area,
                    "rmse": gap.rmse,
                    "noise_ceiling": gap.noise_ceiling,
                    "evidence_rho": found.rho if found else np.nan,
                    "evidence_low": found.interval[0] if found else np.nan,
                    "evidence_high": found.interval[1] if found else np.nan,
                }
            )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return str(self.table().style.format(precision=3).hide(axis="index").to_html())


def compare(
    trials: "Trials | Path | str", models: "Trials | Path | str", *, late: LateRule = "exclude", seed: int | None = None
) -> Comparison:
    """Compare networks with people on the same trials.

    Parameters
    ----------
    trials, models : Trials or path
        The participants' and the networks' tables.
    late : {"exclude", "wrong", "half"}
        For the participants.
    seed : int, optional
        Of the intervals; drawn when absent.

    Returns
    -------
    Comparison
        A deterministic network never gets a participant's error bar.
    """
    from .comparison import curve_gap, evidence_correlation, majority_consistency

    seed = fresh_seed() if seed is None else seed
    people, nets = as_trials(trials), as_trials(models)
    table = cells(people, late=late)
    networks = network_curves(nets, table.levels, seed=seed)
    known = [one for one in networks if one.group in set(table.groups)]
    with_evidence = set(nets.frame.loc[nets.frame["decision_value"].notna(), "observer"])
    return Comparison(
        networks,
        tuple(curve_gap(table, one, seed=seed) for one in known),
        tuple(majority_consistency(people, nets, one.model, one.group, seed=seed) for one in known),
        tuple(
            evidence_correlation(people, nets, one.model, one.group, seed=seed)
            for one in known
            if one.model in with_evidence
        ),
        seed,
    )


def kept(trials: "Trials | Path | str", rules: Rules | None = None) -> Kept:
    """Apply exclusion rules; see :mod:`rapidvision.analysis.exclusions`."""
    return exclude(as_trials(trials), rules or Rules())
