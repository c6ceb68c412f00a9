"""Fig. 2B of a study with the numbers behind it: test, ceilings, networks, insets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.seeds import fresh_seed

from ..inference.ceiling import Ceiling, ceiling
from ..models.curves import NetworkCurve, network_curves
from ..resampling.multiplicity import CORRECTIONS
from ..result_repr import Shown
from ..table.accuracy import cells
from ..table.trials import Trials, as_trials
from ..workflow import Bins, bins


@dataclass(frozen=True, eq=False, repr=False)
class Fig2b(Shown):
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

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts."""
        return self.bins.cells.notes

    def table(self) -> pd.DataFrame:
        """The test's table: one row per level."""
        return self.bins.table()

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
        The networks' table, drawn dashed beside accuracy.
    stimulus_set : path, optional
        For the insets.
    margin : float
        Of the ceiling; see :func:`~rapidvision.analysis.inference.ceiling.ceiling`.
    seed : int, optional
        Drawn when absent.
    **options
        Those of :func:`bins`. The statistic decides what is drawn: accuracy, response times or late answers.

    Returns
    -------
    Fig2b
        With every number in it.
    """
    from ..figures.annotations import Fig2bData, measure_of
    from ..figures.fig2b import draw_fig2b

    trials = as_trials(trials)
    seed = fresh_seed() if seed is None else seed
    result = bins(trials, seed=seed, **options)
    ceilings: tuple[Ceiling, ...] = ()
    if any(level.full for level in result.levels):
        accuracy = result.cells if result.late == "exclude" else cells(trials, late=result.late)
        ceilings = tuple(ceiling(accuracy, group, margin=margin, m=result.test.m, seed=seed) for group in result.groups)
    networks = network_curves(as_trials(models), result.levels, seed=seed) if models is not None else ()
    measure = measure_of(result.test.statistic)
    drawing = draw_fig2b(
        Fig2bData(
            levels=result.levels,
            groups=result.groups,
            curves=result.curves,
            p=result.p,
            correction=CORRECTIONS[result.correction][1],
            networks=networks if measure.is_accuracy else (),
            ceilings=tuple((one.group, one.level) for one in ceilings) if measure.is_accuracy else (),
            insets=insets(stimulus_set, result.groups) if stimulus_set is not None else (),
            note=observer_note(trials),
            measure=measure,
        )
    )
    return Fig2b(drawing, result, ceilings, networks)


def observer_note(trials: Trials) -> str:
    """Words for the figure when the observers are not people in the study itself; empty when they are."""
    kinds = sorted(set(trials.people()["observer_kind"]) - {"human"})
    words = {"simulated": "simulated participants", "pilot": "pilot participants", "model": "networks"}
    return ", ".join(words[kind] for kind in kinds)


def insets(stimulus_set: Path | str, groups: tuple[str, ...]) -> tuple[tuple[str, NDArray[np.uint8]], ...]:
    """One target picture per group at the level where all features are visible, the same picture for both."""
    from PIL import Image

    from rapidvision.formats.manifest import read_set

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
