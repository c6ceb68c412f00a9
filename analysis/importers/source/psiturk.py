"""psiTurk's database: the entries of every participant who completed."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError
from rapidvision.system import files, json_text

from .layouts import Layout
from .rows import Row, flat

_PSITURK_COLUMNS = {"uniqueid", "status", "datastring"}


def read_psiturk(path: Path | str, layout: Layout) -> tuple[list[Row], list[str]]:
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
                rows.append(Row({"@who": who} | flat(trial), f"{path}: {who}, entry {number}", str(who)))
    notes = [
        (
            f"{table}: left out {unfinished} of {len(people)} participants whose status is not one of "
            f"{', '.join(map(str, complete))}"
        )
    ]
    if empty:
        notes.append(f"left out {empty} complete participants without a datastring")
    return rows, notes


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
