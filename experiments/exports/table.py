"""The trials table of recorded sessions, as CSV or Parquet."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.errors import InputError
from rapidvision.formats.trials_table import write_table
from rapidvision.system import files
from rapidvision.system.extras import need
from rapidvision.trials import COLUMNS, TrialRecord

if TYPE_CHECKING:
    from .exporters import Export


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
        schema = arrow.schema([arrow.field(c.name, kinds[c.dtype], nullable=c.nullable) for c in COLUMNS])
        columns = {c.name: [getattr(row, c.name) for row in rows] for c in COLUMNS}
        out = io.BytesIO()
        parquet.write_table(arrow.table(columns, schema=schema), out)
        files.write_bytes(path, out.getvalue())
    else:
        raise InputError(f"{path}: a trials table ends in .csv or .parquet")


def export_table(export: "Export", out: Path, /) -> None:
    """Write the trials table, an :class:`~rapidvision.experiments.exports.exporters.Exporter`."""
    write_rows(out, export.rows())
