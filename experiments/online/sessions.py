"""What happens to sessions, each as one transaction: arrive, store a trial, finish, withdraw, lapse.

The functions take a connection inside the store's transaction and return values; refusals are values too, so that one
participant's mistake never undoes another's write.
"""

import functools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from rapidvision.seeds import stream

from .schema import event, identity, session, study, tally, trial
from .store import Batch, lock

_DEAL_LOCK = 7502

TALLIES = (
    "arrived",
    "declined",
    "excluded_touch",
    "excluded_size",
    "excluded_refresh",
    "excluded_browser",
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


@dataclass(frozen=True)
class Arrival:
    """Somebody who agreed and wants to begin, or to go on.

    Attributes
    ----------
    session_id, participant_id, withdrawal_hash : str
        To be used if this is a new session.
    service, key, external : str
        Recruitment service, keyed hash of the id (empty for people without one), and the ids as JSON.
    resume_hash : str
        Keyed hash of the secret that the browser keeps.
    consent_sha256, browser, device, observer : str
        Recorded with the session.
    at : float
        Seconds since 1970.
    """

    session_id: str
    participant_id: str
    withdrawal_hash: str
    service: str
    key: str
    external: str
    resume_hash: str
    consent_sha256: str
    browser: str
    device: str
    observer: str
    at: float


@dataclass(frozen=True)
class Rules:
    """How slots are dealt."""

    study_id: str
    groups: tuple[str, ...]
    n_slots: int
    seed: int
    quota_per_group: int
    lapse_s: float
    refuse_other_studies: bool
    resume_elsewhere: bool


@dataclass(frozen=True)
class Seat:
    """A session that was begun or is gone on with.

    Attributes
    ----------
    session_id, participant_id, group, state, observer : str
        The session.
    slot, tab : int
        Its plan, and the number of the tab that may write.
    began : float
        Seconds since 1970.
    resumed : bool
        Whether it was there before.
    done : list of (int, str, bool or None)
        Trial, status and correctness of what is stored.
    """

    session_id: str
    participant_id: str
    group: str
    slot: int
    tab: int
    state: str
    observer: str
    began: float
    resumed: bool
    done: list[tuple[int, str, bool | None]] = field(default_factory=list)


def count(connection: sa.Connection, study_id: str, kind: str, n: int = 1) -> None:
    """Add to an anonymous count."""
    insert = _insert(connection, tally).values(study_id=study_id, kind=kind, n=n)
    changed = {"n": tally.c.n + n}
    connection.execute(insert.on_conflict_do_update(index_elements=["study_id", "kind"], set_=changed))


def arrive(connection: sa.Connection, arrival: Arrival, rules: Rules) -> Seat | Refusal:
    """Begin a session on the least-filled slot, or go on with the one that this participant has."""
    lock(connection, _DEAL_LOCK)
    state = connection.scalar(sa.select(study.c.state).where(study.c.study_id == rules.study_id))
    lapse(connection, rules, arrival.at)
    known = _known(connection, arrival, rules)
    if known is not None:
        return _again(connection, known, arrival, rules)
    if state != "open":
        count(connection, rules.study_id, "refused_closed")
        return Refusal(403, "closed", "This study does not take new participants now.")
    place = deal(connection, rules)
    if place is None:
        count(connection, rules.study_id, "refused_full")
        return Refusal(403, "full", "This study has all the participants it needs.")
    group, slot = place
    connection.execute(
        session.insert().values(
            session_id=arrival.session_id,
            study_id=rules.study_id,
            participant_id=arrival.participant_id,
            group_name=group,
            slot=slot,
            state="open",
            tab=1,
            observer=arrival.observer,
            service=arrival.service,
            consent_sha256=arrival.consent_sha256,
            began=arrival.at,
            resume_hash=arrival.resume_hash,
            withdrawal_hash=arrival.withdrawal_hash,
            last_step="consent",
            browser=arrival.browser,
            device=arrival.device,
        )
    )
    if arrival.key:
        connection.execute(
            identity.insert().values(
                participant_id=arrival.participant_id,
                study_id=rules.study_id,
                key=arrival.key,
                service=arrival.service,
                external=arrival.external,
            )
        )
    return Seat(
        arrival.session_id, arrival.participant_id, group, slot, 1, "open", arrival.observer, arrival.at, resumed=False
    )


def deal(connection: sa.Connection, rules: Rules) -> tuple[str, int] | None:
    """Return the least-filled group's least-filled slot, or None when every group has its quota.

    The rule of the lab's ledger: the smallest group, ties broken by the protocol's seed; in it the least-filled slot,
    the lowest of them, so that rounds of slots are completed before the next one begins.
    """
    held = sa.and_(session.c.study_id == rules.study_id, session.c.state.in_(("open", "finished")))
    counted = sa.select(session.c.group_name, session.c.slot, sa.func.count()).where(held)
    filled: Counter[tuple[str, int]] = Counter()
    for group, slot, n in connection.execute(counted.group_by(session.c.group_name, session.c.slot)):
        filled[group, slot] = n
    sizes = {group: sum(filled[group, slot] for slot in range(rules.n_slots)) for group in rules.groups}
    if rules.quota_per_group:
        sizes = {group: size for group, size in sizes.items() if size < rules.quota_per_group}
    if not sizes:
        return None
    least = [group for group, size in sizes.items() if size == min(sizes.values())]
    n_ever = connection.scalar(sa.select(sa.func.count()).where(session.c.study_id == rules.study_id)) or 0
    group = least[int(stream(rules.seed, "group", n_ever).integers(len(least)))]
    return group, min(range(rules.n_slots), key=lambda slot: (filled[group, slot], slot))


def lapse(connection: sa.Connection, rules: Rules, at: float) -> int:
    """Take back the slots of sessions that were silent for too long, and return how many."""
    cutoff = at - rules.lapse_s
    silent = ~sa.exists().where(trial.c.session_id == session.c.session_id, trial.c.received > cutoff)
    old = sa.and_(session.c.study_id == rules.study_id, session.c.state == "open", session.c.began < cutoff, silent)
    return int(connection.execute(session.update().where(old).values(state="lapsed")).rowcount)


def _known(connection: sa.Connection, arrival: Arrival, rules: Rules) -> Any:
    """The session of this person, if any: by the recruitment id, or by the secret that the browser keeps."""
    columns = (session, identity.c.key)
    joined = sa.select(*columns).outerjoin(identity, identity.c.participant_id == session.c.participant_id)
    if arrival.key:
        same = identity.c.key == arrival.key
        if not rules.refuse_other_studies:
            same = sa.and_(same, session.c.study_id == rules.study_id)
        found = connection.execute(joined.where(same).order_by(session.c.study_id != rules.study_id)).first()
    else:
        mine = sa.and_(session.c.study_id == rules.study_id, session.c.resume_hash == arrival.resume_hash)
        found = connection.execute(joined.where(mine, identity.c.key.is_(None), session.c.state != "withdrawn")).first()
    return found


def _again(connection: sa.Connection, known: Any, arrival: Arrival, rules: Rules) -> Seat | Refusal:
    mine = known.resume_hash == arrival.resume_hash or rules.resume_elsewhere
    if known.study_id != rules.study_id or known.state in ("lapsed", "withdrawn"):
        count(connection, rules.study_id, "refused_repeat")
        what = "was begun too long ago to go on" if known.state == "lapsed" else "You have taken part before"
        text = f"Your session {what}." if known.state == "lapsed" else f"{what}; the pictures must be new to you."
        return Refusal(409, "lapsed" if known.state == "lapsed" else "repeat", text)
    if not mine:
        count(connection, rules.study_id, "refused_repeat")
        return Refusal(409, "elsewhere", "You began in another browser or took part before. Go on where you began.")
    tab = known.tab + 1
    connection.execute(session.update().where(session.c.session_id == known.session_id).values(tab=tab))
    stored = sa.select(trial.c.trial, trial.c.status, trial.c.correct).where(trial.c.session_id == known.session_id)
    return Seat(
        known.session_id,
        known.participant_id,
        known.group_name,
        known.slot,
        tab,
        known.state,
        known.observer,
        known.began,
        resumed=True,
        done=[(number, status, correct) for number, status, correct in connection.execute(stored)],
    )


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
    timing_ok: bool
    measurement: str


@dataclass(frozen=True)
class Stored:
    """A trial is on the disk; `duplicate` when it was there before with the same content."""

    duplicate: bool


def _store_trials(connection: sa.Connection, rows: Sequence[TrialRow]) -> list[Stored | Refusal]:
    """Store trials of any sessions together: the first write of a trial stays, the same again is acknowledged."""
    ids = {row.session_id for row in rows}
    seats = {
        found.session_id: found
        for found in connection.execute(
            sa.select(session.c.session_id, session.c.state, session.c.tab).where(session.c.session_id.in_(ids))
        )
    }
    results: list[Stored | Refusal | None] = [_may_write(seats.get(row.session_id), row.tab) for row in rows]
    fresh = [row for row, refused in zip(rows, results, strict=True) if refused is None]
    if fresh:
        values = [(row.session_id, *row[2:]) for row in fresh]
        inserted = connection.exec_driver_sql(_insert_trials(connection), values).rowcount
        kept = {} if inserted == len(fresh) else _kept(connection, fresh)
        for place, row in enumerate(rows):
            if results[place] is None:
                results[place] = _compare(kept[row.session_id, row.trial], row) if kept else Stored(duplicate=False)
    return [result for result in results if result is not None]


def _kept(connection: sa.Connection, rows: Sequence[TrialRow]) -> dict[tuple[str, int], Any]:
    """What is stored for these trials; asked only when some of them were there before."""
    places = sa.tuple_(trial.c.session_id, trial.c.trial).in_([(row.session_id, row.trial) for row in rows])
    wanted = sa.select(trial.c.session_id, trial.c.trial, trial.c.receipt, trial.c.measurement).where(places)
    return {(found.session_id, found.trial): found for found in connection.execute(wanted)}


@functools.cache
def _insert_text(mark: str) -> str:
    names = ["session_id", *TrialRow._fields[2:]]
    return (
        f"INSERT INTO trial ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) "
        "ON CONFLICT (session_id, trial) DO NOTHING"
    )


def _insert_trials(connection: sa.Connection) -> str:
    """The statement in the driver's own words: it runs thousands of times a second."""
    return _insert_text("%s" if connection.dialect.name == "postgresql" else "?")


store_trials: Batch[Stored | Refusal] = Batch(_store_trials)


def _may_write(seat: Any, tab: int) -> Refusal | None:
    if seat is None or seat.state == "withdrawn":
        return Refusal(410, "gone", "This session does not exist any more.")
    if seat.state != "open":
        return Refusal(409, seat.state, f"This session is {seat.state}.")
    if seat.tab != tab:
        return Refusal(409, "elsewhere", "The study was opened in another tab; go on there.")
    return None


def _compare(kept: Any, row: TrialRow) -> Stored | Refusal:
    if kept.receipt == row.receipt:
        return Stored(duplicate=False)
    if kept.measurement == row.measurement:
        return Stored(duplicate=True)
    return Refusal(409, "differs", "This trial is stored already, with another content.")


def add_event(connection: sa.Connection, session_id: str, tab: int, kind: str, detail: str, most: int) -> bool:
    """Store what happened around the trials; False when the session may not write or has too many events."""
    seat = connection.execute(
        sa.select(session.c.state, session.c.tab).where(session.c.session_id == session_id)
    ).first()
    n = connection.scalar(sa.select(sa.func.count()).where(event.c.session_id == session_id)) or 0
    if _may_write(seat, tab) is not None or n >= most:
        return False
    values = {"session_id": session_id, "received": time.time(), "kind": kind, "detail": detail}
    connection.execute(event.insert().values(**values))
    if kind == "step":
        connection.execute(session.update().where(session.c.session_id == session_id).values(last_step=detail[:40]))
    return True


def finish(connection: sa.Connection, session_id: str, tab: int, n_trials: int, at: float) -> Refusal | None:
    """Close a session whose every trial is stored."""
    seat = connection.execute(
        sa.select(session.c.session_id, session.c.state, session.c.tab).where(session.c.session_id == session_id)
    ).first()
    if seat is not None and seat.state == "finished":
        return None
    refused = _may_write(seat, tab)
    if refused is not None:
        return refused
    n_stored = connection.scalar(sa.select(sa.func.count()).where(trial.c.session_id == session_id)) or 0
    if n_stored != n_trials:
        return Refusal(409, "unfinished", f"{n_stored} of {n_trials} trials are stored; send the others first.")
    changed = {"state": "finished", "finished": at, "last_step": "finished"}
    connection.execute(session.update().where(session.c.session_id == session_id).values(**changed))
    return None


def withdraw(connection: sa.Connection, study_id: str, *, session_id: str = "", withdrawal_hash: str = "") -> bool:
    """Delete a participant's data and ids; what stays is an empty session that says so."""
    mine = session.c.session_id == session_id if session_id else session.c.withdrawal_hash == withdrawal_hash
    found = connection.execute(sa.select(session).where(mine, session.c.study_id == study_id)).first()
    if found is None:
        return False
    if found.state == "withdrawn":
        return True
    for table in (trial, event):
        connection.execute(table.delete().where(table.c.session_id == found.session_id))
    connection.execute(identity.delete().where(identity.c.participant_id == found.participant_id))
    emptied = {"state": "withdrawn", "device": "{}", "browser": "", "resume_hash": "", "finished": None}
    connection.execute(session.update().where(session.c.session_id == found.session_id).values(**emptied))
    count(connection, study_id, "withdrawn")
    return True


def open_or_check(connection: sa.Connection, study_id: str, plans_digest: str) -> str | None:
    """Register a study, or return why the database's sessions cannot go on with these plans."""
    lock(connection, _DEAL_LOCK)
    found = connection.scalar(sa.select(study.c.plans_digest).where(study.c.study_id == study_id))
    if found is None:
        connection.execute(study.insert().values(study_id=study_id, state="open", plans_digest=plans_digest))
    elif found != plans_digest:
        return "its sessions followed other plans; serve the study folder that it was begun with, or another database"
    return None


def set_state(connection: sa.Connection, study_id: str, state: str) -> None:
    """Open, pause or stop a study; those who are in it go on."""
    connection.execute(study.update().where(study.c.study_id == study_id).values(state=state))


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
