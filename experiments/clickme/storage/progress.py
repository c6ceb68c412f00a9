"""How far a player has come: streak, personal best, rounds of the day, level. Counted, never compared with others."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isqrt
from typing import NamedTuple

import sqlalchemy as sa

from ..game.kinds import PlayerKind
from . import tables
from .collected import PLAYED

#: Points of the first level; each level takes so many more than the one before.
LEVEL_POINTS = 250


class Progress(NamedTuple):
    """What a player is told after a round.

    Attributes
    ----------
    streak, best_streak : int
        Rounds in a row that the partner recognised: now, and at most ever.
    best : int
        Most points of one round, 0 … 100.
    record : bool
        Whether this round was that one, and not the first with points.
    today : int
        Rounds played today (UTC).
    level, next_level : int
        From 1; and the points in all with which the next one is reached.
    """

    streak: int
    best_streak: int
    best: int
    record: bool
    today: int
    level: int
    next_level: int


@dataclass(slots=True)
class _Own:
    total: int = 0
    streak: int = 0
    best_streak: int = 0
    best: int = 0
    day: str = ""
    today: int = 0


def level_of(points: int) -> int:
    """Return the level that points in all make: 1 from 0, 2 from 250, 3 from 750, 4 from 1,500.

    Examples
    --------
    >>> [level_of(points) for points in (0, 249, 250, 749, 750, 1500)]
    [1, 1, 2, 2, 3, 4]
    """
    return (1 + isqrt(1 + 8 * (points // LEVEL_POINTS))) // 2


class Ladder:
    """The progress of all players; kept in memory, restored from the rounds when the server starts.

    Examples
    --------
    >>> ladder = Ladder()
    >>> for points in (40, 90, 0):
    ...     after = ladder.ended("p1", points, datetime(2026, 1, 1, tzinfo=UTC))
    ...     print(after.streak, after.best, after.record, after.today)
    1 40 False 1
    2 90 True 2
    0 90 False 3
    """

    def __init__(self) -> None:
        self._own: dict[str, _Own] = {}

    def recall(self, connection: sa.Connection, players: PlayerKind) -> None:
        """Count the rounds that the store has, of players of one kind."""
        r = tables.rounds.c
        ended = sa.select(r.player_id, r.points, r.ended_utc).join(tables.players).order_by(r.ended_utc, r.round_id)
        ended = ended.where(tables.players.c.kind == players, r.result.in_(PLAYED), r.phase != "practice")
        for player, points, utc in connection.execute(ended):
            self.ended(player, round(100 * (points or 0.0)), datetime.fromisoformat(utc))

    def ended(self, player_id: str, points: int, moment: datetime) -> Progress:
        """Count a round with its points, 0 … 100; practice is not counted."""
        own = self._own.setdefault(player_id, _Own())
        day = moment.astimezone(UTC).date().isoformat()
        own.today = own.today + 1 if own.day == day else 1
        own.day = day
        own.total += points
        own.streak = own.streak + 1 if points else 0
        own.best_streak = max(own.best_streak, own.streak)
        record = 0 < own.best < points
        own.best = max(own.best, points)
        level = level_of(own.total)
        following = LEVEL_POINTS * level * (level + 1) // 2
        return Progress(own.streak, own.best_streak, own.best, record, own.today, level, following)

    def forget(self, player_id: str) -> None:
        """Forget a player whose data are gone."""
        self._own.pop(player_id, None)
