"""Imports: tables of other programs as checked trials."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd

from rapidvision.errors import InputError
from rapidvision.formats.trials_columns import read_options
from rapidvision.formats.trials_table import more_array, more_of
from rapidvision.system import files
from rapidvision.system.garbage import collected_later
from rapidvision.trials import COLUMNS, TrialRecord

from ..importers.source.folders import files_of
from .files import from_csv, from_frame, from_parquet, header_of, is_own, read_parquet, typed
from .trials import Trials, check

if TYPE_CHECKING:
    from ..foreign.reading import ForeignTable

Repeats: TypeAlias = Literal["refuse", "first", "keep"]


def import_trials(
    program: str,
    paths: Sequence[Path | str] | Path | str | pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Trials:
    r"""Read other programs' files as a trials table.

    Parameters
    ----------
    program : str
        Who wrote them: ``csv`` for any table with one row per trial, as text or JSON; ``jspsych`` (JATOS too),
        ``psychopy`` (Pavlovia too), ``psiturk``, ``opensesame``, ``gorilla``, ``labjs``, ``labvanced``, ``qualtrics``,
        ``eprime``, ``mvh`` (model-vs-human, animal or not), ``mvh-16`` (its sixteen answers), ``bids``; ``auto``
        recognises the program by its columns.
    paths : path-like, sequence of path-like, or DataFrame
        The files of one experiment, a folder of them, or a table in memory.
    columns : mapping of str to str, optional
        Our field → their column, for columns with other names; see :data:`~.layouts.FIELDS`. "" means: there is none.
    **options
        Fields of :class:`~.layouts.Layout`: `targets`, `distractors`, `missing`, `level_unit`, `time_unit`,
        `limit_ms`, `name_pattern` and others.

    Returns
    -------
    Trials
        Checked; its notes say what was recognised, folded and left out, with counts.

    Raises
    ------
    InputError
        When the program, a field or an option is unknown, or the files do not fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mine.csv"
    ...     _ = path.write_text("subj,cond,level,acc,rt\na,x,10,1,0.412\nb,y,10,0,0.6\n")
    ...     trials = rv.analysis.import_trials("csv", path)
    >>> trials.frame["correct"].tolist(), trials.frame["response_ms"].tolist(), set(trials.frame["status"])
    ([True, False], [412.0, 600.0], {'ok'})
    """
    from ..foreign.reading import read_foreign

    return trials_of(read_foreign(paths, program=program, columns=columns, options=options, beside=False))


def any_table(
    source: Any, *, name: str, program: str, columns: Mapping[str, str] | None, options: Mapping[str, Any]
) -> tuple[Trials, Repeats]:
    """Read the suite's table or another one, and return what is to be done with repeated images beside it."""
    if not isinstance(source, str | Path | pd.DataFrame):
        source = list(source)
        if source and isinstance(source[0], TrialRecord):
            return _own(_frame_of(source), name), options["repeats"]
        if source and isinstance(source[0], Mapping):
            source = pd.DataFrame(source)
        elif not source or not isinstance(source[0], str | Path):
            kind = type(source[0]).__name__ if source else "nothing"
            raise InputError(f"{name}: got rows of {kind}; a row is a dict or a TrialRecord, a file a path")
    if isinstance(source, pd.DataFrame):
        if is_own(list(map(str, source.columns))):
            return _own(from_frame(source, name=name), name), options["repeats"]
    elif (own := own_files(source)) is not None:
        return own, options["repeats"]
    elif isinstance(source, str | Path) and Path(source).suffix == ".parquet":
        source, name = read_parquet(source), str(source)
    from ..foreign.reading import read_foreign

    table = read_foreign(source, program=program, columns=columns, options=options, name=name)
    return trials_of(table), table.found.layout.repeats


def own_files(source: Any) -> Trials | None:
    """The suite's own tables; None where none of the files is one."""
    paths, _ = files_of([source] if isinstance(source, str | Path) else source)
    found, others = [], []
    for path in paths:
        data = files.read_bytes(path)
        parquet = path.suffix == ".parquet"
        if is_own(list(read_parquet(path).columns) if parquet else header_of(data, name=str(path))):
            frame, notes = (from_parquet(path), ()) if parquet else from_csv(data, name=str(path))
            one = _own(frame, str(path))
            found.append(
                replace(one, name=path.name, sha256=files.sha256(data), notes=notes, options=read_options(path))
            )
        else:
            others.append(path)
    if not found:
        return None
    if others:
        raise InputError(
            f"{others[0]}: no trials table of the suite, as {found[0].name} is one; name the files of one experiment and one form"
        )
    if len(found) == 1:
        return found[0]
    frames = pd.concat([one.frame for one in found], ignore_index=True)
    frames = frames.astype({column: object for column in frames if frames[column].dtype == object})
    digest = files.sha256("".join(one.sha256 for one in found).encode())
    notes = tuple(f"{one.name}: {note}" for one in found for note in one.notes)
    return Trials(frames, name=f"{len(found)} files", sha256=digest, notes=notes, options=found[0].options)


def _frame_of(rows: Sequence[TrialRecord]) -> pd.DataFrame:
    columns = {c.name: typed([getattr(row, c.name) for row in rows], c.name) for c in COLUMNS}
    return pd.DataFrame(
        columns | {column: more_array([row.more.get(column) for row in rows]) for column in more_of(rows)}
    )


def _own(frame: pd.DataFrame, name: str) -> Trials:
    if frame.empty:
        raise InputError(f"{name}: no trials, only a header; has the session been recorded?")
    return Trials(frame, name=name)


@collected_later()
def trials_of(table: "ForeignTable") -> Trials:
    """Check the trials of a table of another program; its reading is kept with them."""
    found = table.found
    trials = check(_own(_frame_of(found.records), found.source.name), repeats=found.layout.repeats)
    return replace(
        trials,
        notes=(*found.notes, *trials.notes),
        sha256=found.source.sha256,
        options=found.layout.options or None,
        reading=table.rows(),
    )
