"""What players may ask of their data: a copy of all of it, consent on record, and erasure without a remainder."""

import getpass
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from rapidvision.errors import InputError

from ...web.store import Store
from ..game.kinds import PlayerKind
from ..game.settings import utc_text
from ..game.usernames import key_of
from . import tables

#: Who erased, where it was the player: experimenters are known by their login.
BY_PLAYER = "player"


class Erased(NamedTuple):
    """What an erasure took away: the numbers of rounds and bubbles."""

    n_rounds: int
    n_bubbles: int


def agree(connection: sa.Connection, player_id: str, consent_sha256: str) -> bool:
    """Keep that a player agreed to a text; False for an unknown player."""
    p = tables.players
    given = {"consent_sha256": consent_sha256, "consent_utc": utc_text()}
    return connection.execute(sa.update(p).where(p.c.player_id == player_id).values(given)).rowcount == 1


def own_data(connection: sa.Connection, player_id: str) -> dict[str, Any]:
    """Return everything that the database holds about a player, by table; nothing of it is about anybody else."""
    own = {
        "player": _of(connection, tables.players, player_id),
        "rounds": _of(connection, tables.rounds, player_id),
        "reports": _of(connection, tables.reports, player_id),
        "moderation": _of(connection, tables.moderation, player_id),
    }
    mine = sa.select(tables.rounds.c.round_id).where(tables.rounds.c.player_id == player_id)
    for name, table in (("bubbles", tables.bubbles), ("guesses", tables.guesses)):
        rows = connection.execute(sa.select(table).where(table.c.round_id.in_(mine))).mappings()
        own[name] = [dict(row) for row in rows]
    for row in own["player"]:
        del row["withdrawal_hash"]  # a secret of the server
    return own


def _of(connection: sa.Connection, table: sa.Table, player_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(sa.select(table).where(table.c.player_id == player_id)).mappings()
    return [dict(row) for row in rows]


def erase(connection: sa.Connection, player_id: str, *, who: str) -> Erased:
    """Delete a player and all that came from them; of the erasure itself its time and `who` did it are kept."""
    mine = sa.select(tables.rounds.c.round_id).where(tables.rounds.c.player_id == player_id)
    n = {}
    for table in (tables.bubbles, tables.guesses):
        n[table.name] = connection.execute(sa.delete(table).where(table.c.round_id.in_(mine))).rowcount
    for table in (tables.rounds, tables.reports, tables.moderation, tables.players):
        n[table.name] = connection.execute(sa.delete(table).where(table.c.player_id == player_id)).rowcount
    if n[tables.players.name]:
        connection.execute(tables.erasures.insert().values(utc=utc_text(), who=who[:80]))
    return Erased(n[tables.rounds.name], n[tables.bubbles.name])


def player_of(connection: sa.Connection, column: sa.Column[Any], value: str, kind: PlayerKind) -> str | None:
    """Return the id of the player of a kind who has a value in a column of ``clickme_players``."""
    p = tables.players.c
    found: str | None = connection.scalar(sa.select(p.player_id).where(column == value, p.kind == kind))
    return found


def named(store: Store, name: str, kind: PlayerKind) -> str:
    """Return the id of the player with a username, whatever its case.

    Raises
    ------
    InputError
        When no player of the kind has it.
    """
    column = tables.players.c.name_key
    found = store.read(lambda connection: player_of(connection, column, key_of(name), kind))
    if found is None:
        raise InputError(f"{name}: no {kind} player has this username; see clickme players")
    return found


def erase_named(store: Store, name: str, kind: PlayerKind = "human") -> Erased:
    """Erase the player with a username; the game must not be served meanwhile.

    Raises
    ------
    InputError
        When no player of the kind has it.
    """
    player_id, who = named(store, name, kind), getpass.getuser()
    return store.submit_erasure(lambda connection: erase(connection, player_id, who=who)).result()


def unknown_players(store: Store, user_ids: Mapping[str, str]) -> list[str]:
    """Return those of an export's user ids (user id → player id) that the game does not have: they were erased."""
    with_rows = store.read(lambda connection: set(connection.scalars(sa.select(tables.players.c.player_id))))
    return sorted(user for user, player in user_ids.items() if player not in with_rows)
