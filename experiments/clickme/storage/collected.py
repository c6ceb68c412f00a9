"""What was played, read back from the store: rounds with their bubbles and guesses, ready for maps and statistics."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ...web.store import Store
from . import tables

#: Results of rounds that were played to an end, whoever decided it. The paper used all of them.
PLAYED = ("solved", "time", "interrupted")


@dataclass(frozen=True, slots=True)
class GuessRecord:
    """One question to the partner; see :class:`.play.Guess`."""

    seq: int
    asked_ms: float
    answered_ms: float | None
    status: str
    rank: int | None
    probability: float | None
    best: str


@dataclass(frozen=True, slots=True, eq=False)
class RoundRecord:
    """One round as it is stored.

    Attributes
    ----------
    round_id, player_id, player, image_id, category : str
        Who played what; `player` is the username and leaves the server only if asked to.
    phase : str
        ``main``, ``practice`` or ``catch``; only main rounds make maps.
    started_utc, ended_utc, result, pointer, partner, partner_state : str
        Empty where there is nothing.
    points, duration_ms : float
        0 … 1, and ms from the start.
    is_mobile, automated : bool
        As the page said.
    n_refused : int
        Packets that the rules refused.
    xy : ndarray of int, shape (n, 2)
        Bubble centres in order; column, row.
    at_ms, client_ms : ndarray of float, shape (n,)
        When the server got them, and the page's own times.
    guesses : tuple of GuessRecord
        In order.
    """

    round_id: str
    player_id: str
    player: str
    image_id: str
    category: str
    phase: str
    started_utc: str
    ended_utc: str
    result: str
    points: float
    duration_ms: float
    partner: str
    partner_state: str
    pointer: str
    is_mobile: bool
    automated: bool
    n_refused: int
    xy: NDArray[np.int64]
    at_ms: NDArray[np.float64]
    client_ms: NDArray[np.float64]
    guesses: tuple[GuessRecord, ...] = ()

    @property
    def n_bubbles(self) -> int:
        """How many bubbles were placed."""
        return len(self.xy)


@dataclass(frozen=True, slots=True)
class Collected:
    """All of a game's data.

    Attributes
    ----------
    rounds : tuple of RoundRecord
        By time of dealing; those still open are left out.
    reports : dict
        Image id → ids of the players who reported it.
    broken : dict
        Image id → why it could not be shown.
    n_open : int
        Rounds that were open when the data were read.
    """

    rounds: tuple[RoundRecord, ...]
    reports: dict[str, frozenset[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    n_open: int = 0

    @property
    def played(self) -> tuple[RoundRecord, ...]:
        """Rounds that count: for maps, played to an end, with at least one bubble."""
        return self._ended("main")

    @property
    def caught(self) -> tuple[RoundRecord, ...]:
        """Rounds on catch pictures, played to an end, with at least one bubble."""
        return self._ended("catch")

    def _ended(self, phase: str) -> tuple[RoundRecord, ...]:
        return tuple(r for r in self.rounds if r.result in PLAYED and r.phase == phase and r.n_bubbles)


def collect(store: Store) -> Collected:
    """Read everything from a game's database."""
    return store.read(_read)


def _read(connection: sa.Connection) -> Collected:
    marks: dict[str, list[tuple[int, int, float, float]]] = defaultdict(list)
    b, g, r, p = tables.bubbles, tables.guesses, tables.rounds, tables.players
    for round_id, _seq, x, y, at_ms, client_ms in connection.execute(sa.select(b).order_by(b.c.round_id, b.c.seq)):
        marks[round_id].append((x, y, at_ms, client_ms))
    asked: dict[str, list[GuessRecord]] = defaultdict(list)
    for round_id, *values in connection.execute(sa.select(g).order_by(g.c.round_id, g.c.seq)):
        asked[round_id].append(GuessRecord(*values))
    rows = sa.select(r, p.c.name.label("player")).join(p).order_by(r.c.dealt_utc, r.c.round_id)
    rounds, n_open = [], 0
    for row in connection.execute(rows).mappings():
        if row["ended_utc"] is None:
            n_open += 1
            continue
        rounds.append(_record(row, marks[row["round_id"]], tuple(asked[row["round_id"]])))
    reports: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(sa.select(tables.reports)).mappings():
        reports[row["image_id"]].add(row["player_id"])
    broken = {row["image_id"]: row["reason"] for row in connection.execute(sa.select(tables.broken)).mappings()}
    return Collected(tuple(rounds), {name: frozenset(who) for name, who in reports.items()}, broken, n_open)


def _record(
    row: sa.RowMapping, marks: list[tuple[int, int, float, float]], guesses: tuple[GuessRecord, ...]
) -> RoundRecord:
    numbers = np.array(marks, dtype=np.float64).reshape(-1, 4)
    return RoundRecord(
        round_id=row["round_id"],
        player_id=row["player_id"],
        player=row["player"],
        image_id=row["image_id"],
        category=row["category"],
        phase=row["phase"],
        started_utc=row["started_utc"] or "",
        ended_utc=row["ended_utc"] or "",
        result=row["result"] or "",
        points=row["points"] or 0.0,
        duration_ms=row["duration_ms"] or 0.0,
        partner=row["partner"] or "",
        partner_state=row["partner_state"] or "",
        pointer=row["pointer"] or "",
        is_mobile=bool(row["is_mobile"]),
        automated=bool(row["automated"]),
        n_refused=row["n_refused"] or 0,
        xy=numbers[:, :2].astype(np.int64),
        at_ms=numbers[:, 2],
        client_ms=numbers[:, 3],
        guesses=guesses,
    )
