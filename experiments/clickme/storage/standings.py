"""Points: of all time, of the week and of each contest, and the leaderboard that players see."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ... import clock
from ..game.kinds import PlayerKind
from ..game.settings import Game, utc_text
from . import tables
from .progress import Ladder, Progress


class Standings:
    """Who has how many points; kept in memory, restored from the rounds when the server starts.

    Parameters
    ----------
    game : Game
        Its contests.

    Examples
    --------
    >>> standings = Standings(Game())
    >>> standings.names["p1"] = "Anna"
    >>> standings.credit("p1", 0.75, clock.utc_now())
    >>> standings.board("p1")["rows"]
    [{'name': 'Anna', 'points': 75, 'you': True}]
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.names: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.points: Counter[str] = Counter()
        self.week_points: Counter[str] = Counter()
        self._week: tuple[int, int] | None = None
        self.ladder = Ladder()
        self.contest_points: dict[str, Counter[str]] = {contest.name: Counter() for contest in game.contests}

    def recall(self, connection: sa.Connection, players: PlayerKind) -> None:
        """Add what players of one kind have won, as the store has it."""
        r = tables.rounds.c
        won = sa.select(r.player_id, r.points, r.ended_utc).join(tables.players)
        won = won.where(tables.players.c.kind == players, r.points > 0, r.phase != "practice")
        for player, points, utc in connection.execute(won.order_by(r.ended_utc)):
            self.credit(player, points, datetime.fromisoformat(utc))
        self.ladder.recall(connection, players)

    def ended(self, player_id: str, points: float, moment: datetime) -> Progress:
        """Take a round's points (0 … 1) that ended at `moment`, and say how far the player has come."""
        if points:
            self.credit(player_id, points, moment)
        return self.ladder.ended(player_id, round(100 * points), moment)

    def credit(self, player_id: str, points: float, moment: datetime) -> None:
        """Add a round's points (0 … 1, shown as 0 … 100) that ended at `moment`."""
        self.points[player_id] += round(100 * points)
        self._turn_week(moment)
        self.week_points[player_id] += round(100 * points)
        contest = self.game.contest_at(moment)
        if contest is not None:
            self.contest_points[contest.name][player_id] += round(100 * points)

    def _turn_week(self, moment: datetime) -> None:
        """Begin a new week's board on Monday, 0:00 UTC."""
        year, week, _ = moment.astimezone(UTC).isocalendar()
        if self._week != (year, week):
            self._week, self.week_points = (year, week), Counter()

    def forget(self, player_id: str) -> None:
        """Take a player out of all boards."""
        self.names.pop(player_id, None)
        self.hidden.discard(player_id)
        self.ladder.forget(player_id)
        for points in (self.points, self.week_points, *self.contest_points.values()):
            points.pop(player_id, None)

    def board(self, player_id: str | None, *, n_rows: int = 10, moment: datetime | None = None) -> dict[str, Any]:
        """Return the leaderboard: that of the running contest, else of all time; and the player's own line.

        Players whom the experimenter has hidden see themselves on it; other players do not see them.
        """
        moment = moment or clock.utc_now()
        contest = self.game.contest_at(moment)
        self._turn_week(moment)
        points = self.contest_points[contest.name] if contest else self.points
        own = points[player_id] if player_id else 0
        shown = self._shown(points, player_id)
        rank = 1 + sum(other > own for other in shown.values())
        return {
            "game": self.game.name,
            "contest": {"name": contest.name, "ends": utc_text(contest.ends)} if contest else None,
            "rows": self._rows(shown, player_id, n_rows),
            "week": self._rows(self._shown(self.week_points, player_id), player_id, n_rows),
            "you": {"points": own, "rank": rank if own else None, "total": self.points[player_id or ""]},
        }

    def _shown(self, points: Counter[str], player_id: str | None) -> Counter[str]:
        return Counter({who: n for who, n in points.items() if n and (who not in self.hidden or who == player_id)})

    def _rows(self, shown: Counter[str], player_id: str | None, n_rows: int) -> list[dict[str, Any]]:
        return [
            {"name": self.names.get(who, "?"), "points": n, "you": who == player_id}
            for who, n in shown.most_common(n_rows)
        ]
