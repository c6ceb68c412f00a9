"""A table of another program, read: by its mapping, by what the user says, or by what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.system.garbage import collected_later

from ..importers.engine import Imported
from ..importers.formats import READING, imported, rows_of
from .mapping_file import TableMapping, header_hash, mapping_of, mapping_path, read_mappings
from .summary import reading_rows, reading_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ForeignTable:
    """A table of another program as it was read.

    Attributes
    ----------
    found : Imported
        Its trials, and how they were found.
    program : str
        Who wrote it.
    mapping : TableMapping
        By which it can be read again.
    confirmed : bool
        Whether a mapping file says so.
    """

    found: Imported
    program: str
    mapping: TableMapping
    confirmed: bool = False

    def text(self) -> str:
        """The reading as a short table."""
        return reading_text(self.found, self.program)

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The reading as rows: what, and what was found."""
        return tuple(reading_rows(self.found, self.program))


@collected_later()
def read_foreign(
    source: "Sequence[Path | str] | Path | str | pd.DataFrame",
    *,
    program: str = "auto",
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    name: str = "table",
    beside: bool = True,
) -> ForeignTable:
    """Read a table of another program.

    Parameters
    ----------
    source : path-like, sequence of path-like, or DataFrame
        Files, folders, or a table in memory.
    program : str, default "auto"
        Who wrote it.
    columns, options : mapping, optional
        As the user says; without any of them a mapping file beside the data is used.
    name : str
        Of a table in memory.
    beside : bool, default True
        Whether a mapping file beside the data may be used.

    Raises
    ------
    InputError
        When the table cannot be read; file, row, column and value are named.
    """
    options = {key: value for key, value in (options or {}).items() if value is not None}
    said = {key for key in options if key not in ("repeats",)}
    if isinstance(source, str | Path) and beside and not said and not columns and program == "auto":
        for mapping in read_mappings(mapping_path(source)):
            read = rows_of(source, {key: mapping.options[key] for key in READING if key in mapping.options})
            if header_hash(read.columns) == mapping.header_sha256:
                named = {"repeats": options["repeats"]} if options.get("repeats", "refuse") != "refuse" else {}
                found, _ = imported(mapping.program, read, columns=mapping.named, options={**mapping.options, **named})
                note = f"read by {mapping_path(source).name} beside the data, which a user confirmed"
                found = replace(found, notes=(note, *found.notes))
                return ForeignTable(found, mapping.program, mapping, confirmed=True)
    read = rows_of(source, options, name=name)
    found, program = imported(program, read, columns=dict(columns or {}), options=options)
    return ForeignTable(found, program, mapping_of(found, program, header=header_hash(read.columns)))
