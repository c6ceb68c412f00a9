"""The game's tables, and the writes that play needs: each may be repeated without harm."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ...online.database.sessions import insert_into
from ...web.store import Batch, Store

#: Longest id, category or name of a partner; PostgreSQL refuses longer ones.
LONGEST_TEXT = 200
FORM, VERSION = "clickme", 4

metadata = sa.MetaData()

players = sa.Table(
    "clickme_players",
    metadata,
    sa.Column("player_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("name_key", sa.String(80), nullable=False),
    sa.Column("joined_utc", sa.String(24), nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False, default=False),
    sa.Column("consent_sha256", sa.String(64)),
    sa.Column("consent_utc", sa.String(24)),
    sa.Column("withdrawal_hash", sa.String(32), index=True),
    sa.UniqueConstraint("kind", "name_key"),
)

#: What the experimenter did to usernames, and why; taken out only with the player, on erasure.
moderation = sa.Table(
    "clickme_moderation",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("utc", sa.String(24), nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("player_id", sa.ForeignKey("clickme_players.player_id"), nullable=False),
    sa.Column("action", sa.String(10), nullable=False),
    sa.Column("before", sa.String(40), nullable=False),
    sa.Column("after", sa.String(40), nullable=False),
    sa.Column("why", sa.String(400), nullable=False),
)

#: That somebody was erased, and by whom; nothing of who it was.
erasures = sa.Table(
    "clickme_erasures",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("utc", sa.String(24), nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
)

#: The settings under which rounds were dealt, whole, by the digest that each round carries.
settings = sa.Table(
    "clickme_settings",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("first_utc", sa.String(24), nullable=False),
)

rounds = sa.Table(
    "clickme_rounds",
    metadata,
    sa.Column("round_id", sa.String(32), primary_key=True),
    sa.Column("player_id", sa.ForeignKey("clickme_players.player_id"), nullable=False, index=True),
    sa.Column("image_id", sa.String(LONGEST_TEXT), nullable=False, index=True),
    sa.Column("image_sha256", sa.String(64), nullable=False),
    sa.Column("category", sa.String(LONGEST_TEXT), nullable=False),
    sa.Column("phase", sa.String(10), nullable=False),
    sa.Column("dealt_utc", sa.String(24), nullable=False),
    sa.Column("started_utc", sa.String(24)),
    sa.Column("ended_utc", sa.String(24), index=True),
    sa.Column("result", sa.String(12)),
    sa.Column("points", sa.Float),
    sa.Column("duration_ms", sa.Float),
    sa.Column("decided_by", sa.Integer),
    sa.Column("partner", sa.String(LONGEST_TEXT)),
    sa.Column("partner_state", sa.String(12)),
    sa.Column("top_k", sa.Integer),
    sa.Column("blank_probability", sa.Float),
    sa.Column("pointer", sa.String(12)),
    sa.Column("is_mobile", sa.Boolean),
    sa.Column("automated", sa.Boolean),
    sa.Column("n_refused", sa.Integer),
    sa.Column("settings", sa.ForeignKey("clickme_settings.digest"), nullable=False),
)

bubbles = sa.Table(
    "clickme_bubbles",
    metadata,
    sa.Column("round_id", sa.String(32), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("x", sa.Integer, nullable=False),
    sa.Column("y", sa.Integer, nullable=False),
    sa.Column("at_ms", sa.Float, nullable=False),
    sa.Column("client_ms", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)

guesses = sa.Table(
    "clickme_guesses",
    metadata,
    sa.Column("round_id", sa.String(32), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("asked_ms", sa.Float, nullable=False),
    sa.Column("answered_ms", sa.Float),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("rank", sa.Integer),
    sa.Column("probability", sa.Float),
    sa.Column("best", sa.String(LONGEST_TEXT), nullable=False),
    sqlite_with_rowid=False,
)

reports = sa.Table(
    "clickme_reports",
    metadata,
    sa.Column("player_id", sa.String(32), primary_key=True),
    sa.Column("image_id", sa.String(LONGEST_TEXT), primary_key=True),
    sa.Column("reason", sa.String(12), primary_key=True),
    sa.Column("utc", sa.String(24), nullable=False),
)

broken = sa.Table(
    "clickme_broken",
    metadata,
    sa.Column("image_id", sa.String(LONGEST_TEXT), primary_key=True),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("utc", sa.String(24), nullable=False),
)


def open_store(url: str) -> Store:
    """Open the game's database, making missing tables."""
    return Store(url, metadata, form=FORM, version=VERSION)


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those whose key is there as they are."""
    if rows:
        statement = insert_into(connection, table).on_conflict_do_nothing()
        connection.execute(statement, [dict(row) for row in rows])


def _write_all(table: sa.Table) -> Batch[int]:
    def run(connection: sa.Connection, items: Sequence[Sequence[Mapping[str, Any]]]) -> list[int]:
        insert_new(connection, table, [row for rows in items for row in rows])
        return [len(rows) for rows in items]

    return Batch(run)


#: Items are lists of rows; all that wait are written by one statement in one commit.
BUBBLES = _write_all(bubbles)
GUESSES = _write_all(guesses)
ROUNDS = _write_all(rounds)
REPORTS = _write_all(reports)
BROKEN = _write_all(broken)


def _end_all(connection: sa.Connection, items: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Write the ends of rounds; a round that has ended keeps its first end."""
    table = rounds
    done = []
    for item in items:
        values = {key: value for key, value in item.items() if key != "round_id"}
        statement = sa.update(table).where(table.c.round_id == item["round_id"], table.c.ended_utc.is_(None))
        done.append(connection.execute(statement.values(values)).rowcount == 1)
    return done


ENDS: Batch[bool] = Batch(_end_all)


def begin_play(connection: sa.Connection, settings_row: Mapping[str, str]) -> int:
    """Keep the settings of the rounds to come, and close what the last server did not; returns how many rounds."""
    insert_new(connection, settings, [settings_row])
    return close_open_rounds(connection, settings_row["first_utc"])


def close_open_rounds(connection: sa.Connection, utc: str) -> int:
    """Mark the rounds that the last server did not live to end; returns how many."""
    unended = rounds.c.ended_utc.is_(None)
    painted = sa.exists().where(bubbles.c.round_id == rounds.c.round_id)
    started = sa.case((rounds.c.started_utc.is_(None) & ~painted, "left"), else_="interrupted")
    statement = sa.update(rounds).where(unended).values(ended_utc=utc, result=started, points=0.0)
    return int(connection.execute(statement).rowcount)
