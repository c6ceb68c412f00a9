"""Who sits at the game, which rounds they have, and the rows that a round leaves in the store."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ... import clock
from ..game.messages import Start
from ..game.partner import Loaded
from ..game.round import Guess, Round
from ..storage.images import Card, Phase
from ..storage.tables import LONGEST_TEXT

#: Sends one message to the player's page.
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

_GUESS_COLUMNS = ("seq", "asked_ms", "answered_ms", "status", "rank", "probability", "best")


@dataclass(slots=True, eq=False)
class LiveRound:
    """A round and what only play needs to know of it."""

    play: Round
    card: Card
    phase: Phase
    dealt_utc: str
    image_png: bytes
    image_sha256: str
    started_s: float | None = None
    started_utc: str | None = None
    start: Start | None = None
    n_refused: int = 0
    finished: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def blank_id(self) -> str:
        """The name under which the round's empty view waits for the partner, beside its other views."""
        return f"{self.play.round_id} blank"

    def elapsed_ms(self) -> float:
        """Time since the start on the server's clock."""
        return 0.0 if self.started_s is None else (clock.now_s() - self.started_s) * 1000

    def dealt_row(self, player_id: str, partner: Loaded, settings_digest: str) -> dict[str, Any]:
        """Return the row of ``clickme_rounds`` with which the round begins."""
        return {
            "round_id": self.play.round_id,
            "player_id": player_id,
            "image_id": self.card.image_id,
            "image_sha256": self.image_sha256,
            "category": self.card.category,
            "phase": self.phase,
            "dealt_utc": self.dealt_utc,
            "partner": partner.name[-LONGEST_TEXT:],
            "top_k": self.play.rules.top_k_of(len(partner.categories)),
            "settings": settings_digest,
        }

    def start_row(self) -> dict[str, Any]:
        """Return what is added to that row when the player presses on the image."""
        start = self.start
        return {
            "started_utc": self.started_utc,
            "pointer": start.pointer if start else "",
            "is_mobile": bool(start and start.mobile),
            "automated": bool(start and start.automated),
        }

    def end_row(self, utc: str) -> dict[str, Any]:
        """Return what is added to it at the end; the start is written once more, in case that failed."""
        play = self.play
        return {
            "round_id": play.round_id,
            **self.start_row(),
            "ended_utc": utc,
            "result": play.result,
            "points": play.points,
            "duration_ms": play.ended_ms,
            "decided_by": play.decided_by,
            "partner_state": play.partner_state,
            "blank_probability": play.blank_probability,
            "n_refused": self.n_refused,
        }

    def guess_rows(self, guesses: list[Guess]) -> list[dict[str, Any]]:
        """Return the rows of ``clickme_guesses`` for those of `guesses` whose fate is known."""
        done = [guess for guess in guesses if guess.status != "pending"]
        return [{"round_id": self.play.round_id, **{c: getattr(g, c) for c in _GUESS_COLUMNS}} for g in done]


@dataclass(slots=True, eq=False)
class Seat:
    """A player who is or was connected: the newest connection and the last rounds; closed after an erasure."""

    player_id: str
    send: Send | None = None
    rounds: "OrderedDict[str, LiveRound]" = field(default_factory=OrderedDict)
    dealing: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: bool = False

    @property
    def current(self) -> LiveRound | None:
        """The round that is not over."""
        last = next(reversed(self.rounds.values()), None)
        return None if last is None or last.finished else last
