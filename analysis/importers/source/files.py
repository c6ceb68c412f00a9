"""Sources: the rows of other programs' files, each with the place where it stands, before anything is interpreted."""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError
from rapidvision.system import files, json_text
from rapidvision.text import text_tables

from .layouts import Layout

_ENTITIES = re.compile(r"(sub|ses|task|run|acq)-([A-Za-z0-9]+)")
_PSITURK_COLUMNS = {"uniqueid", "status", "datastring"}


@dataclass(frozen=True)
class Row:
    """One row of a file: its cells under their names, where it stands, and in which file."""

    cells: dict[str, Any]
    where: str
    file: str


@dataclass(frozen=True)
class Source:
    """Rows of one import.

    Attributes
    ----------
    rows : tuple of Row
        In the order of the files' names.
    columns : tuple of str
        Every name that a row has, in order of appearance.
    delimiter : str
        Of the text tables; empty for other files.
    notes : tuple of str
        What was found or left out.
    """

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    delimiter: str
    notes: tuple[str, ...]


def read_sources(paths: Sequence[Path | str], layout: Layout) -> Source:
    """Read text tables and JSON files, told apart by their content.

    Raises
    ------
    InputError
        When there is no file, a file cannot be read, or two files are the same.
    """
    if not paths:
        raise InputError("import: no files; name the files of one experiment")
    rows: list[Row] = []
    notes: dict[str, None] = {}
    seen: dict[str, Path] = {}
    delimiter = ""
    for path in sorted(map(Path, paths)):
        data = files.read_bytes(path)
        if (twin := seen.setdefault(files.sha256(data), path)) is not path:
            raise InputError(f"{path}: the same bytes as {twin}; its trials would count twice, so name one of them")
        text, note = text_tables.decode(data, name=str(path), encoding=layout.encoding or None)
        found, told, between = _rows_of(text, path, layout)
        if between and delimiter and between != delimiter:
            between = ";" if ";" in (between, delimiter) else between
        delimiter = between or delimiter
        rows += found
        notes.update(dict.fromkeys(f"{path.name}: {one}" for one in (note, *told) if one))
    return Source(tuple(rows), _columns(rows), delimiter, _shortened(notes))


def _rows_of(text: str, path: Path, layout: Layout) -> tuple[list[Row], Sequence[str], str]:
    known = _from_name(path)
    if text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{"):
        found = list(_json_rows(text, str(path)))
        return [Row(known | _flat(cells), where, str(path)) for cells, where in found], (), ""
    table = text_tables.parse(text, name=str(path), delimiter=layout.delimiter or None)
    rows = [
        Row(known | _flat(dict(cells)), f"{path}: row {number}", str(path))
        for number, cells in zip(table.numbers, table.rows, strict=True)
    ]
    return rows, table.notes, table.delimiter


def _from_name(path: Path) -> dict[str, Any]:
    name = path.name.removesuffix(".gz")
    found: dict[str, Any] = {"@file": Path(name).stem}
    entities = dict(_ENTITIES.findall(name))
    if "sub" in entities:
        found |= {"@sub": entities["sub"], "@task": entities.get("task", "")}
        found["@session"] = "-".join(entities[key] for key in ("sub", "ses", "task", "run") if key in entities)
    return found


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row.cells))
    return tuple(names)


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


def _flat(cells: dict[str, Any]) -> dict[str, Any]:
    """Give what is nested a name of its own: ``{"response": {"Q0": "yes"}}`` has the column ``response.Q0``."""
    out: dict[str, Any] = {}
    for key, value in cells.items():
        inner = value
        if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
            try:
                inner = json.loads(value, object_pairs_hook=json_text.keys_once(f"the cell {key}"))
            except json.JSONDecodeError:
                inner = value
        if isinstance(inner, dict) and inner:
            out |= {f"{key}.{below}": entry for below, entry in _flat(inner).items()}
        else:
            out[key] = value
    return out


def read_psiturk(path: Path | str, layout: Layout) -> Source:
    """Read a psiTurk SQLite database: the entries of every participant who completed.

    Raises
    ------
    InputError
        When it is no psiTurk database, has several tables of participants, or a datastring is no JSON.
    """
    files.sha256_file(path)  # raises when the file is missing
    people, table = _people(path, layout.table)
    complete = layout.complete
    unfinished = sum(status not in complete for _, status, _ in people)
    empty = sum(status in complete and not data for _, status, data in people)
    rows: list[Row] = []
    for who, status, data in people:
        if status not in complete or not data:
            continue
        try:
            entries = json.loads(data, object_pairs_hook=json_text.keys_once(str(path)))["data"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"{path}: the datastring of {who} cannot be read ({error!r})") from error
        for number, entry in enumerate(entries, 1):
            trial = entry.get("trialdata")
            if isinstance(trial, dict):
                rows.append(Row({"@who": who} | _flat(trial), f"{path}: {who}, entry {number}", str(who)))
    notes = [
        (
            f"{table}: left out {unfinished} of {len(people)} participants whose status is not one of "
            f"{', '.join(map(str, complete))}"
        )
    ]
    if empty:
        notes.append(f"left out {empty} complete participants without a datastring")
    return Source(tuple(rows), _columns(rows), "", tuple(notes))


def _people(path: Path | str, table: str) -> tuple[list[tuple[Any, Any, Any]], str]:
    connection = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        fitting = []
        for name in names:
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,))
            if {row[0] for row in columns} >= _PSITURK_COLUMNS:
                fitting.append(name)
        if table and table not in fitting:
            raise InputError(
                f'{path}: no table "{table}" of participants; tables with uniqueid, status and datastring: '
                f"{', '.join(fitting) or 'none'}"
            )
        if not fitting:
            raise InputError(
                f"{path}: not a psiTurk database: none of its tables ({', '.join(names) or 'it has none'}) has the "
                "columns uniqueid, status and datastring"
            )
        if not table and len(fitting) > 1:
            raise InputError(f"{path}: {len(fitting)} tables of participants ({', '.join(fitting)}); name one: table")
        chosen = table or fitting[0]
        quoted = '"' + chosen.replace('"', '""') + '"'  # a name that the database itself listed
        found = connection.execute(f"SELECT uniqueid, status, datastring FROM {quoted}").fetchall()
        return found, chosen
    except sqlite3.Error as error:
        raise InputError(f"{path}: not a psiTurk database ({error})") from error
    finally:
        connection.close()
