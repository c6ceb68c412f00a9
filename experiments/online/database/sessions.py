"""What happens to a session besides its trials, each as one transaction: events, the end, withdrawal; and its counts.

The functions take a connection inside the store's transaction and return values; refusals are values too, so that one
participant's mistake never undoes another's write.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from rapidvision.plan import Plan

from ... import clock
from .owed import owed
from .schema import answer, event, identity, session, study, tally, trial

#: One at a time, over all processes: whatever deals slots or registers studies.
DEAL_LOCK = 7502

TALLIES = (
    "arrived",
    "declined",
    "excluded_touch",
    "excluded_size",
    "excluded_refresh",
    "excluded_browser",
    "excluded_storage",
    "refused_repeat",
    "refused_full",
    "refused_closed",
    "refused_link",
    "withdrawn",
)


@dataclass(frozen=True)
class Refusal:
    """Why nothing was stored: HTTP status, code, sentence."""

    status: int
    code: str
    text: str


def count(connection: sa.Connection, study_id: str, kind: str, observer_kind: str) -> None:
    """Add one to an anonymous count."""
    insert = insert_into(connection, tally).values(study_id=study_id, observer_kind=observer_kind, kind=kind, n=1)
    place = ["study_id", "observer_kind", "kind"]
    connection.execute(insert.on_conflict_do_update(index_elements=place, set_={"n": tally.c.n + 1}))


def may_write(seat: Any, tab: int) -> Refusal | None:
    """Say why a tab may not write into a session (its row's `state` and `tab`, or None), or None.

    A lapsed session may: its slot went to somebody else, its answers are as good as before.
    """
    if seat is None:
        return Refusal(410, "gone", "The server's database does not know this session.")
    if seat.state == "withdrawn":
        return Refusal(410, "gone", "This session does not exist any more.")
    if seat.state not in ("open", "lapsed"):
        return Refusal(409, seat.state, f"This session is {seat.state}.")
    if seat.tab != tab:
        return Refusal(409, "elsewhere", "The study was opened in another tab; continue there.")
    return None


def add_event(
    connection: sa.Connection, session_id: str, tab: int, kind: str, detail: str, *, most: int, up_s: float
) -> bool:
    """Store what happened around the trials; False when the session may not write or has too many events."""
    seat = connection.execute(
        sa.select(session.c.state, session.c.tab).where(session.c.session_id == session_id)
    ).first()
    n = connection.scalar(sa.select(sa.func.count()).where(event.c.session_id == session_id)) or 0
    if may_write(seat, tab) is not None or n >= most:
        return False
    values = {"session_id": session_id, "received": clock.wall_s(), "kind": kind, "detail": detail}
    connection.execute(event.insert().values(**values))
    changed = {"active_s": up_s, **({"last_step": detail[:40]} if kind == "step" else {})}
    connection.execute(session.update().where(session.c.session_id == session_id).values(**changed))
    return True


def finish(connection: sa.Connection, session_id: str, tab: int, plan: Plan, at: float) -> Refusal | None:
    """Close a session that owes no trial any more; its last step says whether the practice criterion ended it."""
    seat = connection.execute(
        sa.select(session.c.session_id, session.c.state, session.c.tab).where(session.c.session_id == session_id)
    ).first()
    if seat is not None and seat.state == "finished":
        return None
    refused = may_write(seat, tab)
    if refused is not None:
        return refused
    stored = sa.select(trial.c.trial, trial.c.status, trial.c.correct).where(trial.c.session_id == session_id)
    right = {n: bool(correct) and status in ("ok", "early") for n, status, correct in connection.execute(stored)}
    left, missed = owed(plan, right)
    if left:
        n_trials = len(right) + len(left)
        return Refusal(409, "unfinished", f"{len(right)} of {n_trials} trials are stored; send the others first.")
    changed = {"state": "finished", "finished": at, "last_step": "criterion missed" if missed else "finished"}
    connection.execute(session.update().where(session.c.session_id == session_id).values(**changed))
    return None


def withdraw(connection: sa.Connection, study_id: str, *, session_id: str = "", withdrawal_hash: str = "") -> bool:
    """Delete a participant's data and ids; what stays is an empty session that says so, and hashes that find repeats."""
    mine = session.c.session_id == session_id if session_id else session.c.withdrawal_hash == withdrawal_hash
    found = connection.execute(sa.select(session).where(mine, session.c.study_id == study_id)).first()
    if found is None:
        return False
    if found.state == "withdrawn":
        return True
    for table in (trial, answer, event):
        connection.execute(table.delete().where(table.c.session_id == found.session_id))
    mine_too = identity.c.participant_id == found.participant_id
    connection.execute(identity.update().where(mine_too).values(service="", external=""))
    last_step = found.last_step if found.state == "finished" else ""  # else it is the browser's word
    emptied = {"state": "withdrawn", "device": "{}", "browser": "", "service": "", "finished": None}
    emptied["last_step"] = last_step
    connection.execute(session.update().where(session.c.session_id == found.session_id).values(**emptied))
    count(connection, study_id, "withdrawn", found.observer_kind)
    return True


def set_state(connection: sa.Connection, study_id: str, state: str) -> None:
    """Open, pause or stop a study; running sessions continue."""
    connection.execute(study.update().where(study.c.study_id == study_id).values(state=state))


def insert_into(connection: sa.Connection, table: sa.Table) -> Any:
    """Return the database's own insert, which knows what to do on conflicts."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
