"""What the database says about each participant: who came, how far, and the evidence against the session."""

import json
from collections import Counter
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..database.owed import owed
from ..database.schema import IMPOSSIBLE_DURATION, event, identity, session
from ..output.export import Followed, trial_records
from ..study.plans import ServedStudy
from .decisions import Outcome

#: Flags of trials that are evidence against a session; those of timing and of a lapse are none.
AGAINST = (IMPOSSIBLE_DURATION, "untrusted_key")
_ENDED = ("finished", "criterion missed")


class Attended(NamedTuple):
    """A participant's session.

    Attributes
    ----------
    session_id, participant_id, service : str
        Ours; the service is empty after a withdrawal.
    key : str
        Keyed hash of service and id; empty for people without an id.
    external : dict
        The ids of the link, as the service gives them; empty after a withdrawal.
    began : float
        Seconds since 1970.
    taken_s : float or None
        From consent to the end; None for an unfinished session.
    outcome : str
        See :func:`.decisions.decide`.
    n_trials, n_planned : int
        Stored, and stored or owed; 0 and 0 after a withdrawal.
    flags : tuple of str
        Evidence against the session with the number of trials.
    """

    session_id: str
    participant_id: str
    service: str
    key: str
    external: dict[str, str]
    began: float
    taken_s: float | None
    outcome: Outcome
    n_trials: int
    n_planned: int
    flags: tuple[str, ...]


def attended(connection: sa.Connection, served: ServedStudy) -> list[Attended]:
    """Return participants' sessions in the order of their arrival; no pilots, no simulated ones."""
    right: dict[str, dict[int, bool]] = {}
    flags: dict[str, Counter[str]] = {}
    for record in trial_records(connection, served):
        right.setdefault(record.session_id, {})[record.trial] = bool(record.correct) and record.status in (
            "ok",
            "early",
        )
        flags.setdefault(record.session_id, Counter()).update(set((record.flags or "").split()) & {*AGAINST})
    failed = set(connection.scalars(sa.select(event.c.session_id).where(event.c.kind == "error").distinct()))
    columns = (session, identity.c.key, identity.c.external)
    joined = sa.select(*columns).outerjoin(identity, identity.c.participant_id == session.c.participant_id)
    mine = joined.where(session.c.study_id == served.study_id, session.c.observer_kind == "human")
    followed = Followed(connection, served)
    made = []
    for found in connection.execute(mine.order_by(session.c.began, session.c.session_id)):
        stored = right.get(found.session_id, {})
        withdrawn = found.state == "withdrawn"
        left = [] if withdrawn else owed(followed.plan(found.plan_digest), stored)[0]
        against = flags.get(found.session_id, Counter())
        robot = ("driven by a program",) if json.loads(found.device).get("webdriver") else ()
        made.append(
            Attended(
                session_id=found.session_id,
                participant_id=found.participant_id,
                service=found.service,
                key=found.key or "",
                external=json.loads(found.external) if found.external else {},
                began=found.began,
                taken_s=None if found.finished is None else found.finished - found.began,
                outcome=_outcome(found, complete=not left, failed=found.session_id in failed),
                n_trials=len(stored),
                n_planned=len(stored) + len(left),
                flags=tuple(f"{name} in {against[name]} trials" for name in AGAINST if against[name]) + robot,
            )
        )
    return made


def _outcome(found: Any, *, complete: bool, failed: bool) -> Outcome:
    if found.state == "withdrawn":
        return "withdrew_finished" if found.last_step in _ENDED else "withdrew"
    if found.state == "finished" or complete:
        return "finished"
    if failed:
        return "failed"
    return "running" if found.state == "open" else "left"
