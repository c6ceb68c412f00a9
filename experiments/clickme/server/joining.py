"""Who plays: joining, coming back, and usernames that the experimenter changes while the game runs."""

import time

import sqlalchemy as sa

from ...web.store import Store
from ...web.tokens import new_id
from ..game.settings import utc_text
from ..game.standings import Standings
from ..storage import tables

#: How often the database is asked whether the experimenter has changed a username.
LOOK_S = 2.0


class Lobby:
    """The players of a game.

    Parameters
    ----------
    store : Store
        Database with the tables of :mod:`.tables`.
    standings : Standings
        Knows the names, too.
    """

    def __init__(self, store: Store, standings: Standings) -> None:
        self.store, self.standings = store, standings
        self._looked_s = time.monotonic()
        self._n_changes = store.read(_n_changes)
        store.read(self._recall)

    def _recall(self, connection: sa.Connection) -> None:
        rows = connection.execute(sa.select(tables.players)).mappings().all()
        self.standings.names = {row["player_id"]: row["name"] for row in rows}
        self.standings.hidden = {row["player_id"] for row in rows if row["hidden"]}

    async def join(self, name: str, name_key: str) -> str | None:
        """Enter a new player; returns the id, or None when the name is taken."""
        player_id = new_id()
        row = {"player_id": player_id, "name": name, "name_key": name_key, "joined_utc": utc_text(), "hidden": False}

        def write(connection: sa.Connection) -> bool:
            tables.insert_new(connection, tables.players, [row])
            found = sa.select(tables.players.c.player_id).where(tables.players.c.name_key == name_key)
            return bool(connection.scalar(found) == player_id)

        if not await self.store.write(write):
            return None
        self.standings.names[player_id] = name
        return player_id

    async def named(self, name_key: str) -> str | None:
        """Return the id of the player with this name."""
        found = sa.select(tables.players.c.player_id).where(tables.players.c.name_key == name_key)
        player: str | None = await self.store.query(lambda connection: connection.scalar(found))
        return player

    def name_of(self, player_id: str) -> str | None:
        """Return a player's name, or None for an unknown id."""
        return self.standings.names.get(player_id)

    async def look(self) -> None:
        """Read the names again when the experimenter has changed some since the last look."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        n_changes = await self.store.query(_n_changes)
        if n_changes != self._n_changes:
            self._n_changes = n_changes
            await self.store.query(self._recall)


def _n_changes(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.moderation)) or 0)
