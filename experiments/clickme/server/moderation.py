"""What the experimenter does about usernames: rename, hide from the leaderboard, show again; every step is written down.

It works on the database, also while the game is served: the server looks for changes every few seconds.
"""

import getpass
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

import sqlalchemy as sa

from rapidvision.errors import InputError

from ...web.store import Store
from ..game.kinds import PlayerKind
from ..game.settings import utc_text
from ..game.usernames import checked_name, key_of
from ..storage import tables

Action: TypeAlias = Literal["rename", "hide", "show"]


class Listed(NamedTuple):
    """One player for the experimenter's eyes: username, rounds that count, points (0 … 100 each), whether hidden."""

    player_id: str
    name: str
    joined_utc: str
    n_rounds: int
    points: int
    hidden: bool


class Step(NamedTuple):
    """One line of what was done: when, by whom, what, to which name, and why."""

    utc: str
    who: str
    action: str
    before: str
    after: str
    why: str


def players(store: Store, kind: PlayerKind = "human") -> list[Listed]:
    """Return every player of a kind, most points first."""
    p, r = tables.players, tables.rounds
    played = sa.and_(r.c.player_id == p.c.player_id, r.c.ended_utc.is_not(None), r.c.phase != "practice")
    points = sa.func.coalesce(sa.func.sum(100 * r.c.points), 0)
    statement = (
        sa.select(p.c.player_id, p.c.name, p.c.joined_utc, sa.func.count(r.c.round_id), points, p.c.hidden)
        .select_from(p.outerjoin(r, played))
        .where(p.c.kind == kind)
        .group_by(p.c.player_id)
        .order_by(points.desc(), p.c.name)
    )
    rows = store.read(lambda connection: connection.execute(statement).all())
    return [Listed(one, name, joined, n, round(sum_), bool(hidden)) for one, name, joined, n, sum_, hidden in rows]


def history(store: Store) -> list[Step]:
    """Return all that was done, in order."""
    m = tables.moderation.c
    statement = sa.select(m.utc, m.who, m.action, m.before, m.after, m.why).order_by(m.number)
    return [Step(*row) for row in store.read(lambda connection: connection.execute(statement).all())]


def moderate(
    store: Store,
    action: Action,
    name: str,
    *,
    why: str,
    new_name: str = "",
    blocked: Iterable[str] = (),
    kind: PlayerKind = "human",
) -> Step:
    """Rename, hide or show a player, and write it down.

    Parameters
    ----------
    store : Store
        The game's database.
    action : {"rename", "hide", "show"}
        What to do.
    name : str
        The username, whatever its case.
    why : str
        For the record; not empty.
    new_name : str
        For ``rename``; checked like a player's own choice.
    blocked : iterable of str
        Words that usernames must not contain, besides the built-in ones.
    kind : {"human", "pilot", "simulated"}
        What the player is; usernames of different kinds are apart.

    Returns
    -------
    Step
        What was written down.

    Raises
    ------
    InputError
        When no player has that name, another has the new one, it may not be one, or no reason is given.
    """
    if not why.strip():
        raise InputError("why: a reason is needed; it is written down with the change")
    after = checked_name(new_name, blocked=blocked) if action == "rename" else ""
    utc, who, p = utc_text(), getpass.getuser(), tables.players

    def write(connection: sa.Connection) -> Step | str:
        found = (
            connection.execute(sa.select(p).where(p.c.kind == kind, p.c.name_key == key_of(name))).mappings().first()
        )
        if found is None:
            return f"{name}: no {kind} player has this username"
        same = p.c.player_id == found["player_id"]
        if action == "rename":
            taken = sa.select(p.c.player_id).where(p.c.kind == kind, p.c.name_key == key_of(after), ~same)
            if connection.scalar(taken) is not None:
                return f"{after}: another player has this username"
            connection.execute(sa.update(p).where(same).values(name=after, name_key=key_of(after)))
        else:
            connection.execute(sa.update(p).where(same).values(hidden=action == "hide"))
        step = Step(utc, who[:80], action, found["name"], after or found["name"], why.strip()[:400])
        row = {**step._asdict(), "player_id": found["player_id"]}
        connection.execute(tables.moderation.insert().values(row))
        return step

    done = store.submit(write).result()
    if isinstance(done, str):
        raise InputError(done)
    return done
