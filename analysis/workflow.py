"""The room's verbs as functions: the same names on the command line, in scripts and in notebooks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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


def kept(trials: "Trials | Path | str", rules: Rules | None = None) -> Kept:
    """Apply exclusion rules; see :mod:`rapidvision.analysis.exclusions`."""
    return exclude(as_trials(trials), rules or Rules())
