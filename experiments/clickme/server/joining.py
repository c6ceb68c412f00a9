"""Who plays: joining, coming back, and usernames that the experimenter changes while the game runs."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ... import clock
from ...web.store import Store
from ...web.tokens import new_id
from ..game.kinds import PlayerKind
from ..game.settings import utc_text
from ..storage import tables
from ..storage.standings import Standings

#: How often the database is asked whether the experimenter has changed a username.
LOOK_S = 2.0


class Lobby:
    """The players of one kind; those of another kind are unknown here and have names of their own.

    Parameters
    ----------
    store : Store
        Database with the tables of :mod:`.tables`.
    standings : Standings
        Knows the names, too.
    players : {"human", "pilot", "simulated"}
        What those who join are.
    """

    def __init__(self, store: Store, standings: Standings, *, players: PlayerKind = "human") -> None:
        self.store, self.standings, self.players = store, standings, players
        self.consents: dict[str, str] = {}  # player → hash of the text that they agreed to
        self._looked_s = clock.now_s()
        self._n_changes = store.read(_n_changes)
        store.read(self._recall)

    def _recall(self, connection: sa.Connection) -> None:
        own = sa.select(tables.players).where(tables.players.c.kind == self.players)
        rows = connection.execute(own).mappings().all()
        self.standings.names = {row["player_id"]: row["name"] for row in rows}
        self.standings.hidden = {row["player_id"] for row in rows if row["hidden"]}
        self.consents = {row["player_id"]: row["consent_sha256"] or "" for row in rows}

    async def join(
        self, name: str, name_key: str, *, consent: str = "", withdrawal: Callable[[str], str] | None = None
    ) -> str | None:
        """Enter a new player; returns the id, or None when the name is taken.

        `consent` is the hash of the text that the player agreed to, `withdrawal` makes the hash of a player's
        withdrawal code from the id.
        """
        player_id, utc = new_id(), utc_text()
        row = player_row(player_id, self.players, name, name_key, utc)
        row |= {"consent_sha256": consent or None, "consent_utc": utc if consent else None}
        row |= {"withdrawal_hash": withdrawal(player_id) if withdrawal else None}
        if not await self.store.write(lambda connection: enter(connection, row)):
            return None
        self.standings.names[player_id] = name
        self.consents[player_id] = consent
        return player_id

    async def named(self, name_key: str) -> str | None:
        """Return the id of the player with this name."""
        found = _named(self.players, name_key)
        player: str | None = await self.store.query(lambda connection: connection.scalar(found))
        return player

    def name_of(self, player_id: str) -> str | None:
        """Return a player's name, or None for an unknown id."""
        return self.standings.names.get(player_id)

    async def look(self) -> None:
        """Read the names again when the experimenter has changed some since the last look."""
        now_s = clock.now_s()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        n_changes = await self.store.query(_n_changes)
        if n_changes != self._n_changes:
            self._n_changes = n_changes
            await self.store.query(self._recall)


def player_row(player_id: str, kind: PlayerKind, name: str, name_key: str, joined_utc: str) -> dict[str, object]:
    """Return the row of ``clickme_players`` of a new player."""
    return {
        "player_id": player_id,
        "kind": kind,
        "name": name,
        "name_key": name_key,
        "joined_utc": joined_utc,
        "hidden": False,
    }


def enter(connection: sa.Connection, row: dict[str, object]) -> bool:
    """Write a new player's row; False, and nothing written, when another of the kind has the name."""
    tables.insert_new(connection, tables.players, [row])
    return bool(connection.scalar(_named(str(row["kind"]), str(row["name_key"]))) == row["player_id"])


def _named(kind: str, name_key: str) -> sa.Select[Any]:
    p = tables.players.c
    return sa.select(p.player_id).where(p.kind == kind, p.name_key == name_key)


def _n_changes(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.moderation)) or 0)
