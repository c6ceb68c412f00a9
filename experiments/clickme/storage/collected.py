"""What was played, read back from the store: rounds with their bubbles and guesses, ready for maps and statistics."""

from collections import defaultdict
from dataclasses import dataclass, field, fields
from itertools import groupby
from operator import itemgetter
from sys import intern
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ...web.store import Store
from ..game.kinds import PlayerKind
from ..game.rules import Rules
from ..game.settings import settings_from
from . import tables

#: Results of rounds that were played to an end, for whatever reason it came. The paper used all of them.
PLAYED = ("solved", "time", "interrupted")
#: Fewest bubbles of a round that makes a map: what it takes for the partner to be asked once.
FEWEST_BUBBLES = 10
#: Rows that are read from the database at once.
_ROWS = 100_000


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


_GUESS = tuple(one.name for one in fields(GuessRecord))


@dataclass(frozen=True, slots=True, eq=False)
class RoundRecord:
    """One stored round.

    Attributes
    ----------
    round_id, player_id, player, image_id, category : str
        Who played what; `player` is the username and leaves the server only if asked to. The category is the word that
        the player saw.
    kind : {"human", "pilot", "simulated"}
        What the player is.
    rules : Rules
        Of this round.
    image_sha256 : str
        Hash of the image's decoded pixels, see :func:`.displayed.displayed_image`.
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
    xy : ndarray of int16, shape (n, 2)
        Bubble centres in order; column, row.
    at_ms, client_ms : ndarray of float32, shape (n,)
        When the server got them, and the page's own times; shape (0,) where times were not asked for.
    guesses : tuple of GuessRecord
        In order; empty where times were not asked for.
    """

    round_id: str
    player_id: str
    player: str
    image_id: str
    category: str
    kind: PlayerKind
    rules: Rules
    image_sha256: str
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
    xy: NDArray[np.int16]
    at_ms: NDArray[np.float32]
    client_ms: NDArray[np.float32]
    guesses: tuple[GuessRecord, ...] = ()

    @property
    def image(self) -> tuple[str, str]:
        """What was painted: the image's id and hash, since an image may be replaced under its name."""
        return self.image_id, self.image_sha256

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
        """Rounds on catch images, played to an end, with at least one bubble."""
        return self._ended("catch")

    def _ended(self, phase: str) -> tuple[RoundRecord, ...]:
        return tuple(r for r in self.rounds if r.result in PLAYED and r.phase == phase and r.n_bubbles)


def collect(store: Store, *, times: bool = True) -> Collected:
    """Read everything from a game's database; a bubble takes 12 bytes, or 4 without its times.

    Parameters
    ----------
    store : Store
        The game's database.
    times : bool, default True
        Whether the bubbles' times and the guesses are read, too; maps need neither.

    Raises
    ------
    InputError
        When the settings of a round cannot be read.
    """
    return store.read(lambda connection: _read(connection, store.name, times))


def _read(connection: sa.Connection, name: str, times: bool) -> Collected:
    strokes = _strokes(connection, times)
    asked = _guesses(connection) if times else {}
    r, p = tables.rounds, tables.players
    kept = connection.execute(sa.select(tables.settings.c.digest, tables.settings.c.content))
    rules = {digest: settings_from(content, where=name).rules for digest, content in kept}
    every = sa.select(r, p.c.name.label("player"), p.c.kind).join(p).order_by(r.c.dealt_utc, r.c.round_id)
    rounds, n_open = [], 0
    for one in _rows(connection, every).mappings():
        if one["ended_utc"] is None:
            n_open += 1
            continue
        round_id = one["round_id"]
        rounds.append(_record(one, rules[one["settings"]], strokes.pop(round_id, None), tuple(asked.pop(round_id, ()))))
    reports: dict[str, set[str]] = defaultdict(set)
    for one in connection.execute(sa.select(tables.reports)).mappings():
        reports[one["image_id"]].add(one["player_id"])
    broken = {row["image_id"]: row["reason"] for row in connection.execute(sa.select(tables.broken)).mappings()}
    return Collected(tuple(rounds), {name: frozenset(who) for name, who in reports.items()}, broken, n_open)


def _guesses(connection: sa.Connection) -> dict[str, list[GuessRecord]]:
    asked: dict[str, list[GuessRecord]] = defaultdict(list)
    g = tables.guesses
    for row in _rows(connection, sa.select(g).order_by(g.c.round_id, g.c.seq)).mappings():
        asked[row["round_id"]].append(GuessRecord(**{name: row[name] for name in _GUESS}))
    return asked


def _rows(connection: sa.Connection, statement: sa.Select[Any]) -> sa.CursorResult[Any]:
    """Return the rows of a long table, a part at a time in memory."""
    return connection.execute(statement, execution_options={"yield_per": _ROWS})


_NO_TIMES = np.zeros((0, 2), np.float32)

#: A round's bubbles: places, and the server's and the page's times.
_Stroke = tuple[NDArray[np.int16], NDArray[np.float32]]


def _strokes(connection: sa.Connection, times: bool) -> dict[str, _Stroke]:
    b = tables.bubbles.c
    more = (b.at_ms, b.client_ms) if times else ()
    statement = sa.select(b.round_id, b.x, b.y, *more).order_by(b.round_id, b.seq)
    strokes: dict[str, _Stroke] = {}
    for round_id, rows in groupby(_rows(connection, statement), key=itemgetter(0)):
        numbers = np.array([row[1:] for row in rows], dtype=np.float64)
        seen = numbers[:, 2:].astype(np.float32) if times else _NO_TIMES
        strokes[round_id] = (numbers[:, :2].astype(np.int16), seen)
    return strokes


def _record(row: sa.RowMapping, rules: Rules, stroke: _Stroke | None, guesses: tuple[GuessRecord, ...]) -> RoundRecord:
    xy, times_ms = stroke or (np.zeros((0, 2), np.int16), _NO_TIMES)
    return RoundRecord(
        round_id=row["round_id"],
        player_id=intern(row["player_id"]),
        player=intern(row["player"]),
        image_id=intern(row["image_id"]),
        category=intern(row["category"]),
        kind=cast(PlayerKind, intern(row["kind"])),
        rules=rules,
        image_sha256=intern(row["image_sha256"]),
        phase=intern(row["phase"]),
        started_utc=row["started_utc"] or "",
        ended_utc=row["ended_utc"] or "",
        result=intern(row["result"] or ""),
        points=row["points"] or 0.0,
        duration_ms=row["duration_ms"] or 0.0,
        partner=intern(row["partner"] or ""),
        partner_state=intern(row["partner_state"] or ""),
        pointer=intern(row["pointer"] or ""),
        is_mobile=bool(row["is_mobile"]),
        automated=bool(row["automated"]),
        n_refused=row["n_refused"] or 0,
        xy=xy,
        at_ms=times_ms[:, 0],
        client_ms=times_ms[:, 1],
        guesses=guesses,
    )
