"""Fig. 2B of a study with the numbers behind it: test, ceilings, networks, insets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import Shown

from ..designs.resampling_tests.results import PairTest
from ..inference.ceiling import Ceiling, ceiling
from ..level_comparison import LevelTests, level_tests
from ..models.curves import NetworkCurve, network_curves
from ..resampling.multiplicity import CORRECTIONS
from ..table.statistics import columns_of
from ..table.trials import Trials, TrialsSource, as_trials
from .drawn_conditions import DrawnConditions, drawn_conditions, networks_under

if TYPE_CHECKING:
    from ..figures.fig2b_data import Marks
    from ..figures.level_axis import Scale
    from ..figures.measures import ErrorBars
    from ..figures.style import UserAxes


#: Rows of stars above the curves, at most.
_MOST_ROWS = 7


@dataclass(frozen=True, eq=False, repr=False)
class Fig2b(Shown):
    """Fig. 2B with the numbers behind it; notebooks show the figure.

    Attributes
    ----------
    drawing : Drawing
        ``drawing.save(folder)`` writes PDF, SVG and PNG.
    tests : LevelTests
        The test.
    ceilings : tuple of Ceiling
        One per condition; empty when the table has no intact images.
    networks : tuple of NetworkCurve
        Networks on the same levels.
    shown : DrawnConditions
        The conditions that are drawn, with their rows, counts and curves.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.fig2b(trials, n_resamples=99, seed=1)
    >>> found.tests.groups, len(found.ceilings)
    (('clickme', 'salicon'), 2)
    """

    drawing: Any
    tests: LevelTests
    ceilings: tuple[Ceiling, ...]
    networks: tuple[NetworkCurve, ...]
    shown: DrawnConditions

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts, and what difference and p are."""
        return self.tests.opening()

    def to_frame(self) -> pd.DataFrame:
        """The test's table: one row per level."""
        return self.tests.to_frame()

    def save(self, folder: Path | str) -> tuple[Path, ...]:
        """Write ``fig2b.pdf``, ``.svg`` and ``.png``."""
        return tuple(self.drawing.save(folder))

    def _repr_png_(self) -> bytes:
        return bytes(self.drawing.to_bytes("png", dpi=150))


def fig2b(
    trials: TrialsSource,
    *,
    models: TrialsSource | None = None,
    stimulus_set: Path | str | None = None,
    margin: float = 0.05,
    ax: "UserAxes | None" = None,
    width_mm: str | float = 142.0,
    labels: Mapping[str, str] | None = None,
    colours: Mapping[str, str] | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    scale: "Scale" = "auto",
    error: "ErrorBars" = "sem",
    band: bool = False,
    points: bool = False,
    seed: int | None = None,
    **options: Any,
) -> Fig2b:
    """Draw Fig. 2B for any design: accuracy under each condition at every level, with the tests of the differences.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    models : Trials, DataFrame or path-like, optional
        The networks' table, drawn dashed beside accuracy.
    stimulus_set : path, optional
        For the insets.
    margin : float
        Of the ceiling; see :func:`~rapidvision.analysis.inference.ceiling.ceiling`.
    ax : matplotlib.axes.Axes, optional
        Axes of a figure of your own, drawn in the style in force; the intact images get narrow axes at their right.
        By default a new figure in the paper's style.
    width_mm : {"single", "double"} or float
        Of a new figure: one column of a journal (89 mm), two (183 mm), or any width in mm. Its height follows.
    labels, colours : mapping of str to str, optional
        Group → its name in the legend; group → a Matplotlib colour.
    x_label, y_label : str, optional
        Of the axes; by default what the table's levels are, and the statistic.
    scale : {"auto", "log", "linear", "order"}
        How the levels are spaced: by their logarithm, value or order; ``auto`` takes what makes them most even.
    error : {"sem", "interval", "none"}
        One standard error, the 95 % interval of Student's t, or nothing.
    band : bool
        A band around each curve instead of bars.
    points : bool
        Also every participant; only where the statistic is a mean of participants.
    seed : int, optional
        Of the resamples; drawn when absent.
    **options
        Those of :func:`~rapidvision.analysis.level_tests`: conditions (by, groups, design), unit, statistic, late, correction
        and others. The statistic decides what is drawn: accuracy, response times or late answers.

    Returns
    -------
    Fig2b
        The figure with every number in it; :meth:`Fig2b.save` writes PDF, SVG and PNG.

    Raises
    ------
    InputError
        When the table or an argument does not allow it, insets are asked for in axes of your own, or a label or colour is
        given for a condition that is not drawn.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> figure, ax = plt.subplots()
    >>> found = rv.analysis.fig2b(trials, ax=ax, labels={"clickme": "ClickMe"}, n_resamples=99, seed=1)
    >>> found.drawing.figure is figure, ax.get_legend().get_texts()[0].get_text()
    (True, 'ClickMe (n = 6)')
    >>> plt.close(figure)
    """
    from ..figures.fig2b import draw_fig2b
    from ..figures.fig2b_data import Fig2bData
    from ..figures.measures import measure_of

    trials = as_trials(trials)
    seed = fresh_seed() if seed is None else seed
    result = level_tests(trials, seed=seed, **options)
    shown = drawn_conditions(trials, result)
    ceilings: tuple[Ceiling, ...] = ()
    if any(level.full for level in result.levels):
        ceilings = tuple(
            ceiling(shown.cells, name, margin=margin, n_resamples=result.pairs[0].test.n_resamples, seed=seed)
            for name in shown.names
        )
    networks: tuple[NetworkCurve, ...] = ()
    if models is not None:
        networks = network_curves(networks_under(as_trials(models), result.contrast), result.levels, seed=seed)
    measure = measure_of(result.statistic)
    for name, given in (("labels", labels), ("colours", colours)):
        if unknown := [group for group in given or () if group not in shown.names]:
            raise InputError(f'{name}: no condition "{unknown[0]}". {did_you_mean(unknown[0], shown.names)}')
    drawing = draw_fig2b(
        Fig2bData(
            levels=result.levels,
            groups=shown.names,
            curves=shown.curves,
            marks=marks(result),
            correction=correction_words(result),
            networks=networks if measure.is_accuracy else (),
            ceilings=tuple((one.group, one.level) for one in ceilings) if measure.is_accuracy else (),
            insets=insets(stimulus_set, shown.names) if stimulus_set is not None else (),
            chance=result.cells.guess,
            note=observer_note(trials),
            measure=measure,
            colours=colours or {},
            labels=labels or {},
            error=error,
            band=band,
            points=_values_of_participants(shown, result) if points else (),
            scale=scale,
            x_label=x_label,
            y_label=y_label,
            unit="image" if result.unit == "image" else "participant",
        ),
        ax=ax,
        width=width_mm,
    )
    return Fig2b(drawing, result, ceilings, networks, shown)


def marks(result: LevelTests) -> "tuple[Marks, ...]":
    """Rows of stars: the omnibus test and each pair, or the interaction and the main effects of a mixed design.

    Parameters
    ----------
    result : LevelTests
        The tests. Where their rows are more than can be told apart, only the omnibus test is marked.
    """
    from ..figures.fig2b_data import Marks

    column = CORRECTIONS[result.correction][0]
    rows = []
    if result.omnibus is not None:
        rows.append(
            Marks(f"any difference of {', '.join(result.omnibus.conditions)} (max-F)", result.omnibus.p_step_down)
        )
    tests = (*result.pairs, *result.others)
    if rows and len(tests) + 1 > _MOST_ROWS:
        return tuple(rows)
    return (*rows, *(Marks(effect_name(one), getattr(one.test, column)) for one in tests))


def correction_words(result: LevelTests) -> str:
    """What the marked p are corrected by: over the levels, and over the pairs where there are several."""
    words = CORRECTIONS[result.correction][1]
    return words if len(result.pairs) < 2 or result.correction == "none" else f"{words}, and over the pairs"


def effect_name(one: PairTest) -> str:
    """A test in words: ``a minus b``, ``interaction, a minus b``, ``a, difference from 0.5``."""
    if one.effect.startswith("difference from"):
        return f"{one.conditions[0]}, {one.effect}"
    pair = " minus ".join(one.conditions)
    return pair if one.effect == "difference" else f"{one.effect}, {pair}"


def _values_of_participants(shown: DrawnConditions, result: LevelTests) -> tuple[NDArray[np.float64], ...]:
    """Value of the statistic of each participant of each group at every level."""
    statistic = result.statistic
    columns, table = columns_of(shown.trials, statistic, late=result.late)
    if not columns.is_mean:
        raise InputError(
            f"points: {statistic} is computed from all trials of a group, so no participant has a value; leave points out, "
            "or choose participant_mean, response_ms or late_share"
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(columns.present, columns.value(columns.parts.astype(float)), np.nan)
    return tuple(values[table.of(name)] for name in shown.names)


def observer_note(trials: Trials) -> str:
    """Words for the figure when the observers are not people in the study itself; empty when they are."""
    kinds = sorted(set(trials.people()["observer_kind"].unique()) - {"human"})
    words = {"simulated": "simulated participants", "pilot": "pilot participants", "model": "networks"}
    return ", ".join(words[kind] for kind in kinds)


def insets(stimulus_set: Path | str, groups: tuple[str, ...]) -> tuple[tuple[str, NDArray[np.uint8]], ...]:
    """One target image per group at the level where all features are visible, the same image for both."""
    from rapidvision.formats.manifest import read_set
    from rapidvision.images.load import load_rgb

    found = read_set(stimulus_set)
    rows = [row for row in found.stimuli if row.phase == "main" and row.target and row.reveal_fraction == 1]
    sources = {row.image_id: {one.map_source for one in rows if one.image_id == row.image_id} for row in rows}
    shared = next((image for image, have in sorted(sources.items()) if set(groups) <= have), None)
    out = []
    for group in groups:
        row = next((one for one in rows if one.map_source == group and one.image_id == shared), None)
        if row is not None and (found.folder / row.path).is_file():
            out.append((group, load_rgb(found.folder / row.path)))
    return tuple(out)
