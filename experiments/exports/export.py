"""Recorded sessions from Python: as a data frame, or as files that an exporter writes."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.formats.trials_table import to_frame
from rapidvision.study import Study
from rapidvision.trials import ObserverKind

from .exporters import EXPORTERS, Export, write_export
from .sessions import PEOPLE, Sessions, recorded_sessions

if TYPE_CHECKING:
    import pandas as pd


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
    ...     rv.experiments.read_sessions(study)
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
    format: str = "table",  # noqa: A002 (the word that data scientists use)
    observers: Sequence[ObserverKind] = PEOPLE,
    stimulus_set: Path | str | None = None,
) -> Path:
    """Write the recorded sessions of a study: one table, a BIDS dataset, a Psych-DS dataset, or a form of your own.

    Beside the output of a plug-in lies ``<out>.export.json``, which records the plug-in.

    Parameters
    ----------
    study : Study or path-like
        The study, or its folder.
    out : path-like
        File for a table, ending in ``.csv`` or ``.parquet``; new or empty folder for a dataset.
    format : str
        Name of an exporter: "table", "bids", "psych-ds", or one of :func:`register_exporter`.
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
        When there is no session of these observers, no exporter has the name, or the exporter refuses `out`.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.experiments.export("study", "dataset", format="bidz")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: exporter: got "bidz". Did you mean "bids"?
    """
    out = Path(out)
    EXPORTERS.get(format)  # a wrong name is refused before journals are read
    there = study if isinstance(study, Study) else Study(study)
    found = _read(there, observers)
    content = Export(there, tuple(found.recorded), there.description().study_id, stimulus_set)
    write_export(format, content, out)
    return out


def _read(study: Study | Path | str, observers: Sequence[ObserverKind]) -> Sessions:
    """The sessions; journals that cannot be read are counted in a warning."""
    found = recorded_sessions(study if isinstance(study, Study) else Study(study), observers=observers)
    if found.faults:
        lines = "\n".join(fault.what for fault in found.faults)
        warnings.warn(f"left out {len(found.faults)} of the journals:\n{lines}", UserWarning, stacklevel=3)
    return found
