"""How participants come in: those who wait are dealt together, in one transaction, by the rule of the lab's ledger."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from rapidvision.seeds import stream

from ...web.database import lock
from .schema import identity, session, study, trial
from .sessions import DEAL_LOCK, Refusal, count


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


def arrive(connection: sa.Connection, arrivals: Sequence[Arrival], rules: Rules) -> list[Seat | Refusal]:
    """Begin sessions on the least-filled slots, in order; or go on with those that these participants have."""
    lock(connection, DEAL_LOCK)
    state = connection.scalar(sa.select(study.c.state).where(study.c.study_id == rules.study_id))
    lapse(connection, rules, max(arrival.at for arrival in arrivals))
    dealer = Dealer(connection, rules)
    return [_one(connection, arrival, rules, dealer, state) for arrival in arrivals]


def _one(
    connection: sa.Connection, arrival: Arrival, rules: Rules, dealer: "Dealer", state: str | None
) -> Seat | Refusal:
    known = _known(connection, arrival, rules)
    if known is not None:
        return _again(connection, known, arrival, rules)
    if state != "open":
        count(connection, rules.study_id, "refused_closed")
        return Refusal(403, "closed", "This study does not take new participants now.")
    place = dealer.deal()
    if place is None:
        count(connection, rules.study_id, "refused_full")
        return Refusal(403, "full", "This study has all the participants it needs.")
    _seat(connection, arrival, rules, *place)
    return Seat(
        arrival.session_id, arrival.participant_id, *place, 1, "open", arrival.observer, arrival.at, resumed=False
    )


def _seat(connection: sa.Connection, arrival: Arrival, rules: Rules, group: str, slot: int) -> None:
    connection.execute(
        session.insert(),
        {
            "session_id": arrival.session_id,
            "study_id": rules.study_id,
            "participant_id": arrival.participant_id,
            "group_name": group,
            "slot": slot,
            "state": "open",
            "tab": 1,
            "observer": arrival.observer,
            "service": arrival.service,
            "consent_sha256": arrival.consent_sha256,
            "began": arrival.at,
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
                "study_id": rules.study_id,
                "key": arrival.key,
                "service": arrival.service,
                "external": arrival.external,
            },
        )


class Dealer:
    """Deals slots within one transaction; what is taken is read once.

    The rule of the lab's ledger: the smallest group, ties broken by the protocol's seed; in it the least-filled slot,
    the lowest of them, so that rounds of slots are completed before the next one begins.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Holds the lock under which slots are dealt.
    rules : Rules
        Groups, slots, quota, seed.
    """

    def __init__(self, connection: sa.Connection, rules: Rules) -> None:
        self._rules = rules
        place = (session.c.group_name, session.c.slot)
        counted = sa.select(*place, session.c.state, sa.func.count()).where(session.c.study_id == rules.study_id)
        self._filled: Counter[tuple[str, int]] = Counter()
        self._n_ever = 0
        for group, slot, state, n in connection.execute(counted.group_by(*place, session.c.state)):
            self._n_ever += n
            if state in ("open", "finished"):
                self._filled[group, slot] += n

    def deal(self) -> tuple[str, int] | None:
        """Take the next group and slot, or return None when every group has its quota."""
        rules, filled = self._rules, self._filled
        sizes = {group: sum(filled[group, slot] for slot in range(rules.n_slots)) for group in rules.groups}
        if rules.quota_per_group:
            sizes = {group: size for group, size in sizes.items() if size < rules.quota_per_group}
        if not sizes:
            return None
        least = [group for group, size in sizes.items() if size == min(sizes.values())]
        group = least[int(stream(rules.seed, "group", self._n_ever).integers(len(least)))]
        slot = min(range(rules.n_slots), key=lambda slot: (filled[group, slot], slot))
        filled[group, slot] += 1
        self._n_ever += 1
        return group, slot


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
