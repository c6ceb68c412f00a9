"""How participants come in: those who wait are given slots together, in one transaction, by the rule of the lab's ledger."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from rapidvision.seeds import stream

from ...web.database import lock
from ..database.schema import answer, identity, plan, session, study, trial
from ..database.sessions import DEAL_LOCK, Refusal, count
from ..database.uptime import UpTime, lapse
from ..study.plans import ServedStudy


@dataclass(frozen=True)
class Arrival:
    """A participant who agreed and wants to begin, or to continue.

    Attributes
    ----------
    session_id, participant_id, withdrawal_hash : str
        To be used if this is a new session.
    service, key, external : str
        Recruitment service, keyed hash of the id (empty for people without one), and the ids as JSON.
    resume_hash : str
        Keyed hash of the secret that the browser keeps.
    consent_sha256, browser, device : str
        Recorded with the session.
    observer_kind : {"human", "pilot", "simulated"}
        Who comes; each kind has slots of its own.
    rehearsal : str
        Name of the rehearsal; empty for participants.
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
    observer_kind: str
    rehearsal: str
    at: float


@dataclass(frozen=True)
class Rules:
    """How slots are given, and which plan belongs to a group and slot."""

    study_id: str
    groups: tuple[str, ...]
    n_slots: int
    seed: int
    quota_per_group: int
    lapse_s: float
    refuse_other_studies: bool
    resume_elsewhere: bool
    served: ServedStudy


@dataclass(frozen=True)
class Seat:
    """A session that was begun or is gone on with.

    Attributes
    ----------
    session_id, participant_id, group, state, observer_kind : str
        The session.
    slot, tab : int
        Its plan, and the number of the tab that may write.
    began, began_s : float
        Seconds since 1970, and on the study's own clock.
    resumed : bool
        Whether it was there before.
    done : list of (int, str, bool or None)
        Trial, status and correctness of what is stored.
    answered : list of int
        Numbers of the questions whose answers are stored.
    """

    session_id: str
    participant_id: str
    group: str
    slot: int
    tab: int
    state: str
    observer_kind: str
    began: float
    began_s: float
    resumed: bool
    done: list[tuple[int, str, bool | None]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)


def arrive(connection: sa.Connection, arrivals: Sequence[Arrival], rules: Rules, up: UpTime) -> list[Seat | Refusal]:
    """Begin sessions on the least-filled slots, in order; or continue those that these participants have."""
    lock(connection, DEAL_LOCK)
    state = connection.scalar(sa.select(study.c.state).where(study.c.study_id == rules.study_id))
    at = max(arrival.at for arrival in arrivals)
    lapse(connection, rules.study_id, up, lapse_s=rules.lapse_s, at=at)
    now_s = up.now_s()
    kinds = {arrival.observer_kind for arrival in arrivals}
    desk = _Desk(connection, rules, state, now_s, {kind: SlotAllocator(connection, rules, kind) for kind in kinds})
    return [_one(arrival, desk) for arrival in arrivals]


@dataclass(frozen=True)
class _Desk:
    """What those who arrive together share."""

    connection: sa.Connection
    rules: Rules
    state: str | None
    now_s: float
    allocators: dict[str, "SlotAllocator"]

    def refused(self, arrival: Arrival, tally: str, refusal: Refusal) -> Refusal:
        """Count a refusal and return it."""
        count(self.connection, self.rules.study_id, tally, arrival.observer_kind)
        return refusal


def _one(arrival: Arrival, desk: _Desk) -> Seat | Refusal:
    known = _known(desk.connection, arrival, desk.rules)
    if known is not None:
        return _again(known, arrival, desk)
    if desk.state != "open" and arrival.observer_kind == "human":
        closed = Refusal(403, "closed", "This study does not take new participants now.")
        return desk.refused(arrival, "refused_closed", closed)
    place = desk.allocators[arrival.observer_kind].next_place()
    if place is None:
        full = Refusal(403, "full", "This study has all the participants it needs.")
        return desk.refused(arrival, "refused_full", full)
    _seat(arrival, desk, *place)
    return Seat(
        arrival.session_id,
        arrival.participant_id,
        *place,
        1,
        "open",
        arrival.observer_kind,
        arrival.at,
        desk.now_s,
        resumed=False,
    )


def _seat(arrival: Arrival, desk: _Desk, group: str, slot: int) -> None:
    connection, study_id = desk.connection, desk.rules.study_id
    served = desk.rules.served
    digest = served.plan_digest(group, slot)
    if connection.scalar(sa.select(plan.c.plan_digest).where(plan.c.plan_digest == digest)) is None:
        content = msgspec.json.encode(served.plans[group, slot]).decode()
        connection.execute(plan.insert().values(plan_digest=digest, content=content))
    connection.execute(
        session.insert(),
        {
            "session_id": arrival.session_id,
            "study_id": study_id,
            "participant_id": arrival.participant_id,
            "group_name": group,
            "slot": slot,
            "state": "open",
            "tab": 1,
            "observer_kind": arrival.observer_kind,
            "rehearsal": arrival.rehearsal,
            "plan_digest": digest,
            "service": arrival.service,
            "consent_sha256": arrival.consent_sha256,
            "began": arrival.at,
            "began_s": desk.now_s,
            "active_s": desk.now_s,
            "resume_hash": arrival.resume_hash,
            "withdrawal_hash": arrival.withdrawal_hash,
            "last_step": "consent",
            "browser": arrival.browser,
            "device": arrival.device,
        },
    )
    if arrival.key:
        connection.execute(
            identity.insert(),
            {
                "participant_id": arrival.participant_id,
                "study_id": study_id,
                "key": arrival.key,
                "service": arrival.service,
                "external": arrival.external,
            },
        )


class SlotAllocator:
    """Deals slots within one transaction; what is taken is read once.

    The rule of the lab's ledger: the smallest group, ties broken by the protocol's seed; in it the least-filled slot,
    the lowest of them, so that rounds of slots are completed before the next one begins.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Holds the lock under which slots are given.
    rules : Rules
        Groups, slots, quota, seed.
    observer_kind : str
        Whose sessions fill the slots: those of one kind never take a place from another, and only people have a quota.
    """

    def __init__(self, connection: sa.Connection, rules: Rules, observer_kind: str) -> None:
        self._rules = rules
        self._quota = rules.quota_per_group if observer_kind == "human" else 0
        place = (session.c.group_name, session.c.slot)
        mine = sa.and_(session.c.study_id == rules.study_id, session.c.observer_kind == observer_kind)
        counted = sa.select(*place, session.c.state, sa.func.count()).where(mine)
        self._filled: Counter[tuple[str, int]] = Counter()
        self._n_ever = 0
        for group, slot, state, n in connection.execute(counted.group_by(*place, session.c.state)):
            self._n_ever += n
            if state in ("open", "finished"):
                self._filled[group, slot] += n

    def next_place(self) -> tuple[str, int] | None:
        """Take the next group and slot, or return None when every group has its quota."""
        rules, filled = self._rules, self._filled
        sizes = {group: sum(filled[group, slot] for slot in range(rules.n_slots)) for group in rules.groups}
        if self._quota:
            sizes = {group: size for group, size in sizes.items() if size < self._quota}
        if not sizes:
            return None
        least = [group for group, size in sizes.items() if size == min(sizes.values())]
        group = least[int(stream(rules.seed, "group", self._n_ever).integers(len(least)))]
        slot = min(range(rules.n_slots), key=lambda slot: (filled[group, slot], slot))
        filled[group, slot] += 1
        self._n_ever += 1
        return group, slot


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
        found = connection.execute(joined.where(mine, identity.c.key.is_(None))).first()
    return found


def _again(known: Any, arrival: Arrival, desk: _Desk) -> Seat | Refusal:
    connection, rules = desk.connection, desk.rules
    if known.study_id != rules.study_id or known.state == "withdrawn":
        repeat = Refusal(409, "repeat", "You have taken part before; the images must be new to you.")
        return desk.refused(arrival, "refused_repeat", repeat)
    if known.resume_hash != arrival.resume_hash and not rules.resume_elsewhere:
        text = "You began in another browser or took part before. Continue where you began."
        return desk.refused(arrival, "refused_repeat", Refusal(409, "elsewhere", text))
    tab = known.tab + 1
    mine = session.c.session_id == known.session_id
    connection.execute(session.update().where(mine).values(tab=tab, active_s=desk.now_s))
    stored = sa.select(trial.c.trial, trial.c.status, trial.c.correct).where(trial.c.session_id == known.session_id)
    return Seat(
        known.session_id,
        known.participant_id,
        known.group_name,
        known.slot,
        tab,
        known.state,
        known.observer_kind,
        known.began,
        known.began_s,
        resumed=True,
        done=[(number, status, correct) for number, status, correct in connection.execute(stored)],
        answered=list(connection.scalars(sa.select(answer.c.number).where(answer.c.session_id == known.session_id))),
    )
