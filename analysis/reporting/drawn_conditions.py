"""The conditions of a design as a figure and a report show them: one curve each, whatever is tested between them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rapidvision.errors import InputError

from ..designs.conditions import as_words
from ..designs.contrast import SEPARATOR, Contrast, recoded, with_groups
from ..level_comparison import LevelTests
from ..table.accuracy import Cells, Curve, cells
from ..table.statistics import columns_of
from ..table.trials import Trials


@dataclass(frozen=True, eq=False)
class DrawnConditions:
    """Every condition of a design.

    Attributes
    ----------
    names : tuple of str
        In the order of the test; of a mixed design each group under each condition: ``clickme, valid``.
    trials : Trials
        Their rows, with the conditions as groups; a participant under several conditions has a name in each.
    cells : Cells
        Counts of each participant under each condition.
    curves : tuple of Curve
        The statistic under each condition.
    """

    names: tuple[str, ...]
    trials: Trials
    cells: Cells
    curves: tuple[Curve, ...]


def drawn_conditions(trials: Trials, tests: LevelTests) -> DrawnConditions:
    """The conditions that are compared, each with its rows, counts and curve.

    Parameters
    ----------
    trials : Trials
        The table that was tested.
    tests : LevelTests
        Its tests.
    """
    contrast = tests.contrast
    if contrast.design == "between" and contrast.column == "group" and tests.unit != "image":
        return DrawnConditions(contrast.conditions, trials, tests.cells, tests.curves)
    if contrast.design == "mixed":
        names = tuple(f"{group}, {condition}" for group in contrast.groups for condition in contrast.conditions)
        shown = _one_name_each(_with_both(trials, contrast), contrast, names)
        columns, table = columns_of(shown, tests.statistic, late=tests.late)
        return DrawnConditions(names, shown, table, tuple(columns.curve(table.of(name)) for name in names))
    names = contrast.conditions
    shown = _one_name_each(trials, contrast, names) if contrast.design == "within" else with_groups(trials, contrast)
    table = cells(shown, late=tests.late) if tests.unit == "image" else tests.cells
    return DrawnConditions(names, shown, table, tests.curves)


def networks_under(networks: Trials, contrast: Contrast) -> Trials:
    """A table of networks whose groups are the conditions of a contrast.

    Raises
    ------
    InputError
        When the table has no such column.
    """
    if contrast.design != "mixed" and contrast.column == "group":
        return networks
    try:
        return recoded(networks, group=_words(networks.frame, contrast, networks.name))
    except InputError as why:
        raise InputError(f"models: the networks' table must hold the conditions, too; {why}") from None


def _words(frame: pd.DataFrame, contrast: Contrast, name: str) -> "pd.Series[str]":
    words = as_words(frame, contrast.column, name)
    return as_words(frame, contrast.between, name) + ", " + words if contrast.design == "mixed" else words


def _one_name_each(trials: Trials, contrast: Contrast, names: tuple[str, ...]) -> Trials:
    """Rows of the conditions, with a name for each participant under each condition."""
    words = _words(trials.frame, contrast, trials.name)
    people = trials.frame["participant_id"].astype(str) + SEPARATOR + words
    found = recoded(trials, participant_id=people, group=words)
    return replace(found, frame=found.frame[words.isin(names).to_numpy()].reset_index(drop=True))


def _with_both(trials: Trials, contrast: Contrast) -> Trials:
    """Rows of participants who have every condition, as the test takes them; its notes count the others."""
    frame = trials.people()
    words = as_words(frame, contrast.column, trials.name)
    counts = words[words.isin(contrast.conditions)].groupby(frame["participant_id"]).nunique()
    whole = counts.index[(counts == len(contrast.conditions)).to_numpy()]
    kept = np.asarray(trials.frame["participant_id"].isin(whole))
    return replace(trials, frame=trials.frame[kept].reset_index(drop=True))
