"""The register of studies: whether a database's sessions can continue with a folder's plans, and what is rehearsed in it."""

import sqlalchemy as sa

from ...web.database import lock
from ..database.schema import answer, event, identity, session, study, tally, trial
from ..database.sessions import DEAL_LOCK
from ..study.plans import ServedStudy

_OTHER_PLANS = "its sessions followed other plans; serve the study folder that it was begun with, or plan a new study in another folder"


def open_or_check(connection: sa.Connection, served: ServedStudy) -> str | None:
    """Register a study, or return why the database's sessions cannot continue with these plans."""
    lock(connection, DEAL_LOCK)
    found = connection.scalar(sa.select(study.c.plans_digest).where(study.c.study_id == served.study_id))
    if found is None:
        values = {"study_id": served.study_id, "name": served.name, "plans_digest": served.digest}
        connection.execute(study.insert().values(state="open", up_s=0.0, **values))
        return None
    if found != served.digest:
        return _OTHER_PLANS
    followed = sa.select(session.c.group_name, session.c.slot, session.c.plan_digest).distinct()
    mine = followed.where(session.c.study_id == served.study_id, session.c.state != "withdrawn")
    for group, slot, digest in connection.execute(mine):
        if (group, slot) not in served.plans or served.plan_digest(group, slot) != digest:
            return f"group {group}, slot {slot}: {_OTHER_PLANS}"
    return None


def known_studies(connection: sa.Connection, served: ServedStudy) -> str | None:
    """Say which studies a database holds if this one is none of them, else return None."""
    n = sa.func.count(session.c.session_id)
    counted = sa.select(study.c.study_id, study.c.name, n).outerjoin(session, session.c.study_id == study.c.study_id)
    found = list(connection.execute(counted.group_by(study.c.study_id, study.c.name).order_by(study.c.name)))
    if any(study_id == served.study_id for study_id, _, _ in found):
        return None
    others = ", ".join(f"{name} ({k} sessions, identity {study_id})" for study_id, name, k in found) or "none"
    return (
        f"this folder's study (identity {served.study_id}, in online/study.id) has no sessions in this database; "
        f"it holds: {others}. Collect with the folder that was served, or with its online/study.id"
    )


def rehearsed(connection: sa.Connection, study_id: str) -> dict[str, dict[str, int]]:
    """Return name of the rehearsal → kind of observer → sessions, for all that are no participants'."""
    columns = (session.c.rehearsal, session.c.observer_kind)
    mine = sa.and_(session.c.study_id == study_id, session.c.observer_kind != "human")
    found: dict[str, dict[str, int]] = {}
    for name, kind, k in connection.execute(
        sa.select(*columns, sa.func.count()).where(mine).group_by(*columns).order_by(*columns)
    ):
        found.setdefault(name, {})[kind] = k
    return found


def discard(connection: sa.Connection, study_id: str, rehearsal: str) -> int:
    """Delete a rehearsal's sessions with all that belongs to them, and return how many there were; never a participant's."""
    mine = sa.and_(session.c.study_id == study_id, session.c.rehearsal == rehearsal, session.c.observer_kind != "human")
    ids = sa.select(session.c.session_id).where(mine)
    for table in (trial, answer, event):
        connection.execute(table.delete().where(table.c.session_id.in_(ids)))
    people = sa.select(session.c.participant_id).where(mine)
    connection.execute(identity.delete().where(identity.c.participant_id.in_(people)))
    n = int(connection.execute(session.delete().where(mine)).rowcount)
    if not rehearsed(connection, study_id):
        connection.execute(tally.delete().where(tally.c.study_id == study_id, tally.c.observer_kind != "human"))
    return n
