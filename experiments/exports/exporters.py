"""Exporters by name, built in and plugged in: in which form recorded sessions are written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from rapidvision.plugins.registry import Registry

if TYPE_CHECKING:
    from rapidvision.formats.manifest import StimulusSet
    from rapidvision.study import Study
    from rapidvision.trials import TrialRecord

    from .sessions import Recorded


@dataclass(frozen=True, slots=True)
class Export:
    """Recorded sessions of a study, as an exporter gets them.

    Attributes
    ----------
    study : Study
        Whose sessions.
    sessions : tuple of Recorded
        In order of session id.
    name : str
        Name of the study, and of a dataset that is made of it.
    moved_set : path-like or None
        Where the stimulus set is now, if not where the study expects it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> export = rv.experiments.Export(rv.Study("study"), sessions=(), name="mine")
    >>> export.rows()
    []
    """

    study: "Study"
    sessions: "tuple[Recorded, ...]"
    name: str
    moved_set: Path | str | None = None

    def rows(self) -> "list[TrialRecord]":
        """Rows of the trials table, session after session."""
        return [row for session in self.sessions for row in session.rows()]

    def stimulus_set(self) -> "StimulusSet":
        """The stimulus set that was shown; InputError when it is not found."""
        return self.study.stimulus_set(self.moved_set)


class Exporter(Protocol):
    """Writes recorded sessions in some form."""

    def __call__(self, export: Export, out: Path, /) -> None:
        """Write a file or a folder at `out`; refuse a folder that is not empty with an InputError."""


E = TypeVar("E", bound=Exporter)

EXPORTERS: Registry[Exporter] = Registry(
    "exporter",
    "rapidvision.exporter",
    {
        "table": "rapidvision.experiments.exports.table:export_table",
        "bids": "rapidvision.experiments.exports.bids:export_bids",
        "psych-ds": "rapidvision.experiments.exports.psychds:export_psychds",
    },
)


def register_exporter(name: str) -> Callable[[E], E]:
    """Register an exporter under the name that ``session export`` and :func:`export` take.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in exporter.

    Returns
    -------
    callable
        A decorator for an :class:`Exporter`.

    Raises
    ------
    InputError
        When another exporter has the name.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.experiments.exports.exporters import EXPORTERS
    >>> @rv.experiments.register_exporter("count-of-the-example")
    ... def count(export, out, /):
    ...     out.write_text(f"{len(export.rows())} trials")
    >>> "count-of-the-example" in EXPORTERS
    True
    """
    return EXPORTERS.register(name)  # type: ignore[return-value]  # the registry is typed by what all exporters share


def write_export(form: str, export: Export, out: Path) -> None:
    """Write an export; beside that of a plug-in lies ``<out>.export.json``, which records the plug-in.

    Parameters
    ----------
    form : str
        Name of an exporter.
    export : Export
        What is written.
    out : Path
        File or folder.

    Raises
    ------
    InputError
        When no exporter has the name, or the exporter refuses `out`.
    """
    from rapidvision.system import files

    EXPORTERS.get(form)(export, out)
    if plugins := EXPORTERS.plugins(form):
        inputs = {"study.json": files.sha256_file(export.study.description_path)}
        made = files.provenance(f"session export {form}", inputs=inputs, plugins=plugins)
        counts = {"n_sessions": len(export.sessions), "n_trials": len(export.rows())}
        files.write_json(out.with_name(f"{out.name}.export.json"), {"provenance": made, **counts})
