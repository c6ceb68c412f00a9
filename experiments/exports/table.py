"""The trials table of recorded sessions, as CSV or Parquet."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.errors import InputError
from rapidvision.formats.trials_columns import write_description
from rapidvision.formats.trials_table import more_of, write_table
from rapidvision.protocol import Protocol
from rapidvision.system import files
from rapidvision.system.extras import need
from rapidvision.task.response import Scalar
from rapidvision.trials import COLUMNS, TrialRecord

from ..recording.answers import answers_path, write_answers
from .openings import openings_path, write_openings

if TYPE_CHECKING:
    from .exporters import Export
    from .sessions import Recorded


def write_rows(path: Path, rows: Sequence[TrialRecord]) -> None:
    """Write rows in the form that the file's ending names.

    Parameters
    ----------
    path : path
        Ending in ``.csv`` or ``.parquet``.
    rows : sequence of TrialRecord
        The table.

    Raises
    ------
    InputError
        When the ending is another one.
    MissingExtra
        When Parquet is asked for and pyarrow is absent.
    """
    if path.suffix == ".csv":
        write_table(path, rows)
    elif path.suffix == ".parquet":
        arrow = need("pyarrow", extra="all", purpose="Parquet")
        parquet = need("pyarrow.parquet", extra="all", purpose="Parquet")
        kinds = {"int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_(), "str": arrow.string()}
        fields = [arrow.field(c.name, kinds[c.dtype], nullable=c.nullable) for c in COLUMNS]
        columns = {c.name: [getattr(row, c.name) for row in rows] for c in COLUMNS}
        for name in more_of(rows):
            columns[name] = [row.more.get(name) for row in rows]
            fields.append(arrow.field(name, kinds[type_of(columns[name])]))
        schema = arrow.schema(fields)
        out = io.BytesIO()
        parquet.write_table(arrow.table(columns, schema=schema), out)
        files.write_bytes(path, out.getvalue())
    else:
        raise InputError(f"{path}: a trials table ends in .csv or .parquet")


def type_of(values: Iterable[Scalar | None]) -> str:
    """Return the type of a column that depends on the protocol: ``int``, ``float``, ``bool`` or ``str``.

    Examples
    --------
    >>> type_of([20, None]), type_of([20, 16.7]), type_of([None])
    ('int', 'float', 'str')
    """
    found = {type(value) for value in values if value is not None}
    if found == {int, float}:
        return "float"
    return found.pop().__name__ if len(found) == 1 else "str"


def write_table_of(out: Path, sessions: "Sequence[Recorded]", protocol: Protocol) -> None:
    """Write the trials table of sessions, its columns' description, the answers of no trial, and what each opening ran on.

    Parameters
    ----------
    out : path
        Ending in ``.csv`` or ``.parquet``; ``<name>-columns.json``, ``answers.csv`` and ``openings.csv`` lie beside it.
    sessions : sequence of Recorded
        Of one study.
    protocol : Protocol
        The study's.
    """
    write_rows(out, [row for session in sessions for row in session.rows()])
    write_description(out, protocol)
    write_answers(answers_path(out), [answer for session in sessions for answer in session.answers()])
    write_openings(openings_path(out), sessions)


def export_table(export: "Export", out: Path, /) -> None:
    """Write the trials table, an :class:`~rapidvision.experiments.exports.exporters.Exporter`."""
    write_table_of(out, export.sessions, export.study.protocol())
