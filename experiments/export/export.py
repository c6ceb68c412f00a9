"""Recorded sessions from Python: as a data frame, or as files of a format."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.trials_table import to_frame
from rapidvision.study import Study
from rapidvision.trials import ObserverKind

from .bids import write_bids
from .psychds import write_psychds
from .sessions import PEOPLE, Sessions, recorded_sessions
from .table import write_table_of

if TYPE_CHECKING:
    import pandas as pd

ExportFormat = Literal["csv", "parquet", "bids", "psych-ds"]


def read_sessions(study: Study | Path | str, *, observers: Sequence[ObserverKind] = PEOPLE) -> "pd.DataFrame":
    """Read the trials that a study has recorded so far, in the lab, from its journals.

    Parameters
    ----------
    study : Study or path-like
        The study, or its folder.
    observers : sequence of {"human", "pilot", "simulated"}
        Whose sessions; people's by default.

    Returns
    -------
    DataFrame
        The trials table (:data:`rapidvision.trials.COLUMNS`), one row per trial, times in milliseconds.
        ``attrs["left_out"]`` names the journals that could not be read; a warning says how many.

    Raises
    ------
    InputError
        When there is no session of these observers.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1)
    ...     read_sessions(study)
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: ...no sessions to export...
    """
    found = _read(study, observers)
    frame = to_frame([row for session in found.recorded for row in session.rows()])
    frame.attrs["left_out"] = tuple(fault.what for fault in found.faults)
    return frame


def export(
    study: Study | Path | str,
    out: Path | str,
    *,
    format: ExportFormat | None = None,  # noqa: A002 (the word that data scientists use)
    observers: Sequence[ObserverKind] = PEOPLE,
    stimulus_set: Path | str | None = None,
) -> Path:
    """Write the recorded sessions of a study: one table, a BIDS dataset or a Psych-DS dataset.

    Parameters
    ----------
    study : Study or path-like
        The study, or its folder.
    out : path-like
        File for a table; new or empty folder for a dataset.
    format : {"csv", "parquet", "bids", "psych-ds"}, optional
        By default what the ending of `out` says.
    observers : sequence of {"human", "pilot", "simulated"}
        Whose sessions; people's by default.
    stimulus_set : path-like, optional
        Where the stimulus set is now; BIDS copies the images that were shown.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    InputError
        When there is no session of these observers, the format is not known, or the folder is not empty.

    Examples
    --------
    >>> export("study", "trials.xlsx")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: format: got "xlsx". Allowed: csv, parquet, bids, psych-ds.
    """
    out = Path(out)
    chosen = format or out.suffix.removeprefix(".")
    if chosen not in get_args(ExportFormat):
        raise InputError(f'format: got "{chosen}". {did_you_mean(chosen, get_args(ExportFormat))}')
    there = study if isinstance(study, Study) else Study(study)
    found = _read(there, observers)
    name = there.description().study_id
    if chosen == "bids":
        write_bids(found.recorded, there.stimulus_set(stimulus_set), out, name=name)
    elif chosen == "psych-ds":
        write_psychds(found.recorded, out, name=name)
    else:
        if out.suffix != f".{chosen}":
            raise InputError(f"{out}: a table of the format {chosen} ends in .{chosen}")
        write_table_of(out, found.recorded, there.protocol())
    return out


def _read(study: Study | Path | str, observers: Sequence[ObserverKind]) -> Sessions:
    """The sessions; journals that cannot be read are counted in a warning."""
    found = recorded_sessions(study if isinstance(study, Study) else Study(study), observers=observers)
    if found.faults:
        lines = "\n".join(fault.what for fault in found.faults)
        warnings.warn(f"left out {len(found.faults)} of the journals:\n{lines}", UserWarning, stacklevel=3)
    return found
