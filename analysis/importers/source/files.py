"""Sources: the rows of other programs' files, each with the place where it stands, before anything is interpreted."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.errors import InputError
from rapidvision.system import files, json_text
from rapidvision.text import text_tables

from .folders import archive_members, name_cells
from .forms import eprime_frames, is_trialdata, survey_rows, trialdata_rows
from .layouts import Layout
from .psiturk import read_psiturk
from .rows import Row, Source, columns_in, flat

if TYPE_CHECKING:
    import pandas as pd


def read_sources(paths: Sequence[Path | str], layout: Layout) -> Source:
    """Read text tables, JSON, E-Prime's text, archives and psiTurk's databases, told apart by their content.

    One file of several that cannot be read is left out, with a note that names it.

    Raises
    ------
    InputError
        When there is no file, none can be read, or two files are the same.
    """
    if not paths:
        raise InputError("import: no files; name the files of one experiment")
    rows: list[Row] = []
    notes: dict[str, None] = {}
    seen: dict[str, Path] = {}
    broken: list[InputError] = []
    delimiter = ""
    for path in sorted(map(Path, paths)):
        data = files.read_bytes(path)
        if (twin := seen.setdefault(files.sha256(data), path)) is not path:
            raise InputError(f"{path}: the same bytes as {twin}; its trials would count twice, so name one of them")
        try:
            for one in _tables_of(path, data, layout):
                if one.delimiter and delimiter and one.delimiter != delimiter:
                    delimiter = ";" if ";" in (one.delimiter, delimiter) else one.delimiter
                delimiter = delimiter or one.delimiter
                rows += one.rows
                notes.update(dict.fromkeys(f"{path.name}: {note}" for note in one.notes if note))
        except InputError as error:
            broken.append(error)
    if len(broken) == len(seen):
        raise broken[0]
    if broken:
        notes[
            f"WARNING: left out {len(broken)} of {len(seen)} files, which cannot be read ({'; '.join(map(str, broken[:4]))})"
        ] = None
    name = Path(paths[0]).name if len(paths) == 1 else f"{len(seen)} files"
    digest = next(iter(seen)) if len(seen) == 1 else files.sha256("".join(seen).encode())
    return Source(tuple(rows), columns_in(rows), delimiter, _shortened(notes), name, digest)


def source_of(frame: "pd.DataFrame", *, name: str) -> Source:
    """Take a data frame's rows; they are counted from 0, as in the frame."""
    frame = frame if all(one is None for one in frame.index.names) else frame.reset_index()
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f'{name}: two columns are named "{twice[0]}"; rename or delete one')
    columns = [str(column) for column in frame.columns]
    cells = zip(*(frame[column].astype(object).tolist() for column in frame.columns), strict=True)
    rows = [
        Row(
            flat({column: _value(cell) for column, cell in zip(columns, row, strict=True)}),
            f"{name}: row {number}",
            name,
        )
        for number, row in enumerate(cells)
    ]
    return Source(tuple(rows), columns_in(rows), "", (), name)


def _value(cell: Any) -> Any:
    """A cell as Python has it; None where there is no value."""
    if cell is None or (not isinstance(cell, list | dict | tuple) and cell != cell):  # NaN differs from itself
        return None
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    return cell.item() if hasattr(cell, "item") and not isinstance(cell, list | dict) else cell


def _tables_of(path: Path, data: bytes, layout: Layout) -> Iterator[Source]:
    """The tables of a file: one, or in an archive as many as it holds."""
    known = name_cells(path, layout.name_pattern)
    if data.startswith(b"SQLite format 3\x00"):
        rows, notes = read_psiturk(path, layout)
        yield Source(tuple(rows), (), "", tuple(notes))
    elif data.startswith(b"PK") and (members := archive_members(path, data)):
        for member, content in members:
            text, note = text_tables.decode(content, name=f"{path}/{member}", encoding=layout.encoding or None)
            if text.strip():
                stem = Path(member).parent.name or Path(member).stem
                folder = member.split("/")[-3] if member.count("/") > 1 else stem
                yield _table_of(text, f"{path}/{member}", known | {"@file": folder}, layout, note)
    else:
        text, note = text_tables.decode(data, name=str(path), encoding=layout.encoding or None)
        yield _table_of(text, str(path), known, layout, note)


def _table_of(text: str, name: str, known: dict[str, Any], layout: Layout, note: str) -> Source:
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("[", "{"):
        found = list(_json_rows(text, name))
        return Source(tuple(Row(flat(cells) | known, where, name) for cells, where in found), (), "", (note,))
    if start.startswith("*** Header Start ***"):
        frames = eprime_frames(text, name=name)
        return Source(tuple(Row(cells | known, where, name) for cells, where in frames), (), "", (note,))
    if is_trialdata(start):
        entries = trialdata_rows(text, name=name)
        return Source(tuple(Row(flat(cells) | known, where, name) for cells, where in entries), (), "", (note,))
    table = text_tables.parse(text, name=name, delimiter=layout.delimiter or None)
    cells_of, told = survey_rows(table)
    clash = [key for key in known if not key.startswith("@") and key in table.header]
    if clash:
        raise InputError(
            f"{name}: {clash[0]} is a column and a part of the file's name; give that part of the pattern another name"
        )
    rows = tuple(Row(_joined(flat(cells), known), f"{name}: row {number}", name) for number, cells in cells_of)
    return Source(rows, (), table.delimiter, (note, *table.notes, *told))


def _joined(cells: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The cells with those of the file's name, in place: a large table is held once."""
    cells.update(known)
    return cells


def _shortened(notes: dict[str, None], most: int = 6) -> tuple[str, ...]:
    """Notes of many files that say the same become one."""
    by_text: dict[str, list[str]] = {}
    for note in notes:
        name, _, text = note.partition(": ")
        by_text.setdefault(text, []).append(name)
    return tuple(
        f"{', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}: {text}"
        for text, names in by_text.items()
    )


def _json_rows(text: str, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows of every JSON value of a file: one array, one array or object per line (JATOS), or an object that holds one."""
    decoder = json.JSONDecoder(object_pairs_hook=json_text.keys_once(name))
    text = text.lstrip("\ufeff")
    at, number = 0, 0
    while at < len(text):
        if text[at] in " \t\r\n,":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise InputError(f"{name}: not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from error
        for row in _trials_in(value, name):
            number += 1
            if not isinstance(row, dict):
                raise InputError(f"{name}: entry {number} is {json.dumps(row)[:40]}; an object per trial is needed")
            yield row, f"{name}: entry {number}"


def _trials_in(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, list):
        for entry in value:
            yield from _trials_in(entry, name) if isinstance(entry, list) else (entry,)
        return
    if isinstance(value, dict) and len(value) > 1 and _is_columns(list(value.values())):
        raise InputError(
            f"{name}: an object with the cells of a whole column under each name; save one object per trial "
            '(pandas: to_json(orient="records"))'
        )
    lists = {key: entry for key, entry in value.items() if _is_table(entry)} if isinstance(value, dict) else {}
    if len(lists) > 1:
        raise InputError(f"{name}: holds {len(lists)} tables ({', '.join(lists)}); save the one of the trials alone")
    yield from next(iter(lists.values())) if lists else (value,)


def _is_columns(values: list[Any]) -> bool:
    """Whether every value holds the same number of cells, two or more: columns, not a trial."""
    sizes = {len(value) if isinstance(value, list | dict) else 0 for value in values}
    nested = any(isinstance(cell, dict | list) for value in values if isinstance(value, list) for cell in value)
    return len(sizes) == 1 and sizes.pop() > 1 and not nested


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
