"""Trials on their way to the disk: whatever waits is stored by one statement, which also asks who may write.

A driver hands the interpreter back and takes it again at every step of a statement; beside a busy event loop each of
these turns costs milliseconds. One statement per group of writes is what makes thousands of them a second possible.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from ...web.store import Batch
from ..database.schema import AFTER_LAPSE, session, trial
from ..database.sessions import Refusal, may_write


class TrialRow(NamedTuple):
    """A trial to store, and the tab that says so."""

    session_id: str
    tab: int
    trial: int
    receipt: str
    received: float
    phase: str
    level_index: int
    status: str
    correct: bool | None
    response_ms: float | None
    timing_ok: bool | None
    measurement: str
    received_s: float = 0.0
    flags: str = ""
    chosen: str | None = None


@dataclass(frozen=True)
class Stored:
    """A trial is on the disk; `duplicate` when it was there before with the same content."""

    duplicate: bool


def _store_trials(connection: sa.Connection, rows: Sequence[TrialRow]) -> list[Stored | Refusal]:
    """Store trials of any sessions together: the first write of a trial stays, the same again is acknowledged."""
    postgresql = connection.dialect.name == "postgresql"
    inserted, start = 0, 0
    for size in _sizes(len(rows)):
        values = tuple(value for row in rows[start : start + size] for value in row)
        inserted += connection.exec_driver_sql(_insert(size, postgresql), values).rowcount
        start += size
    if inserted == len(rows):
        return [Stored(duplicate=False)] * len(rows)
    return _explained(connection, rows)


def _explained(connection: sa.Connection, rows: Sequence[TrialRow]) -> list[Stored | Refusal]:
    """Say row by row what became of it: stored now, there before, or refused and why."""
    places = sa.tuple_(trial.c.session_id, trial.c.trial).in_([(row.session_id, row.trial) for row in rows])
    wanted = sa.select(trial.c.session_id, trial.c.trial, trial.c.receipt, trial.c.measurement).where(places)
    kept = {(found.session_id, found.trial): found for found in connection.execute(wanted)}
    columns = (session.c.session_id, session.c.state, session.c.tab)
    mine = session.c.session_id.in_({row.session_id for row in rows})
    seats = {found.session_id: found for found in connection.execute(sa.select(*columns).where(mine))}
    return [_result(row, kept.get((row.session_id, row.trial)), seats.get(row.session_id)) for row in rows]


def _result(row: TrialRow, kept: Any, seat: Any) -> Stored | Refusal:
    if kept is not None and kept.receipt == row.receipt:
        return Stored(duplicate=False)
    if kept is not None and seat is not None and seat.state == "finished" and kept.measurement == row.measurement:
        return Stored(duplicate=True)
    refused = may_write(seat, row.tab)
    if refused is not None:
        return refused
    if kept is None:  # the session was opened or the row committed between two statements of PostgreSQL
        return Refusal(503, "unavailable", "The trial cannot be stored now; try again.")
    if kept.measurement == row.measurement:
        return Stored(duplicate=True)
    return Refusal(409, "differs", "This trial is stored already, with another content.")


def _sizes(n: int) -> list[int]:
    """Powers of two that add up to `n`, the largest first: few different statements, which the driver keeps prepared."""
    return [1 << place for place in reversed(range(n.bit_length())) if n >> place & 1]


@functools.cache
def _insert(n: int, postgresql: bool) -> str:
    """Return the statement for `n` rows in the driver's own words: those that the session's newest tab writes.

    Sessions that lapsed are written into as well; their rows are flagged.
    """
    names = TrialRow._fields
    mark = "%s" if postgresql else "?"
    first = [f"CAST({mark} AS {_TYPES[name]})" for name in names] if postgresql else [mark] * len(names)
    rows = ", ".join(f"({', '.join(marks)})" for marks in (first, *[[mark] * len(names)] * (n - 1)))
    kept = [(name, f"given.column{place + 1}") for place, name in enumerate(names) if name not in ("tab", "flags")]
    late = f"CASE WHEN session.state = 'lapsed' THEN ' {AFTER_LAPSE}' ELSE '' END"
    kept.append(("flags", f"TRIM(given.column{1 + names.index('flags')} || {late})"))
    return (
        f"INSERT INTO trial ({', '.join(name for name, _ in kept)}) SELECT {', '.join(value for _, value in kept)} "
        f"FROM (VALUES {rows}) AS given JOIN session ON session.session_id = given.column1 "
        f"AND session.tab = given.column{1 + names.index('tab')} AND session.state IN ('open', 'lapsed') WHERE true "
        "ON CONFLICT (session_id, trial) DO NOTHING"
    )


_TYPES = {
    "tab": "INTEGER",
    "trial": "INTEGER",
    "received": "DOUBLE PRECISION",
    "received_s": "DOUBLE PRECISION",
    "level_index": "INTEGER",
    "correct": "BOOLEAN",
    "response_ms": "DOUBLE PRECISION",
    "timing_ok": "BOOLEAN",
    **dict.fromkeys(("session_id", "receipt", "phase", "status", "measurement", "flags", "chosen"), "TEXT"),
}

store_trials: Batch[Stored | Refusal] = Batch(_store_trials)
