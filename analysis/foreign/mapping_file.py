"""``mapping.toml``: how the tables of a folder were read, confirmed by the user and used again.

One entry per header: program, columns and options. A table with the same columns, in any order, is read by its entry.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from rapidvision.errors import InputError
from rapidvision.system import files

from ..importers.engine import Imported
from ..importers.source.layouts import FIELDS, Layout
from ..importers.source.presets import LAYOUTS

VERSION = 1
NAME = "mapping.toml"
_KEYS = {"header_sha256", "program", "columns", "options"}
#: What a layout holds that is no option.
_DATA = ("columns", "vocabulary", "signature", "trial_rows")


@dataclass(frozen=True)
class TableMapping:
    """How one table is read.

    Attributes
    ----------
    header_sha256 : str
        Hash of its columns, sorted.
    program : str
        Who wrote it.
    columns : mapping of str to str
        Our field → column.
    options : mapping
        Options that differ from the program's preset.
    """

    header_sha256: str
    program: str
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """Every field with its column; "" for fields that the table does not fill."""
        return {one: self.columns.get(one, "") for one in FIELDS}


def header_hash(columns: Iterable[str]) -> str:
    """Hash of a table's columns, whatever their order; what files' names say does not count.

    Examples
    --------
    >>> header_hash(["a", "b"]) == header_hash(["b", "a", "@file"])
    True
    """
    names = sorted({name for name in columns if not name.startswith("@")})
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def mapping_of(found: Imported, program: str, *, header: str) -> TableMapping:
    """Return the mapping by which an import can be made again."""
    preset = LAYOUTS[program]
    columns = {
        name: column.name + (f"~{column.pattern.pattern}" if column.pattern is not None else "")
        for name, column in found.columns.items()
    }
    options: dict[str, Any] = {}
    for one in fields(Layout):
        value, usual = getattr(found.layout, one.name), getattr(preset, one.name)
        if one.name in _DATA or value == usual:
            continue
        if one.name == "missing":
            value = tuple(word for word in value if word not in usual)
        options[one.name] = list(value) if isinstance(value, tuple) else value
    return TableMapping(header, program, columns, options)


def mapping_path(source: Path | str) -> Path:
    """Where the mapping of a file or folder lies: beside the file, or in the folder."""
    path = Path(source)
    return (path if path.is_dir() else path.parent) / NAME


def read_mappings(path: Path) -> list[TableMapping]:
    """Read a mapping file; none where it is not there.

    Raises
    ------
    InputError
        When the file is damaged, of another version, or has a key that does not exist.
    """
    if not path.is_file():
        return []
    try:
        found = tomllib.loads(files.read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML ({error}); mend it, or delete it and confirm the reading again") from error
    if found.get("version") != VERSION:
        raise InputError(
            f"{path}: version is {found.get('version')}, {VERSION} is needed; delete the file and confirm the reading again"
        )
    tables = found.get("table", [])
    out = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict) or set(table) - _KEYS or not {"header_sha256", "program"} <= set(table):
            raise InputError(
                f"{path}: table {number} needs header_sha256 and program, and may have columns and options"
            )
        if table["program"] not in LAYOUTS:
            raise InputError(f'{path}: table {number}: program is "{table["program"]}"; allowed: {", ".join(LAYOUTS)}')
        out.append(
            TableMapping(table["header_sha256"], table["program"], table.get("columns", {}), table.get("options", {}))
        )
    return out


def write_mapping(path: Path, mapping: TableMapping) -> None:
    """Write a mapping beside the data; an entry of the same header is replaced, others stay."""
    others = [one for one in read_mappings(path) if one.header_sha256 != mapping.header_sha256]
    tables = [
        {
            "header_sha256": one.header_sha256,
            "program": one.program,
            "columns": dict(one.columns),
            "options": dict(one.options),
        }
        for one in (*others, mapping)
    ]
    text = "# How the tables of this folder are read; delete an entry to be asked again.\n"
    files.write_text(path, text + tomli_w.dumps({"version": VERSION, "table": tables}))
