"""Who gets which image: the feed, daily limits, images that cannot be shown, and images that players report."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from rapidvision.errors import InputError

from ...web.store import Store
from ...web.tokens import new_id
from ..game.kinds import PlayerKind
from ..game.masking import PartnerView
from ..game.partner import Table
from ..game.round import Round
from ..game.settings import Game, settings_row, utc_text
from ..storage import tables
from ..storage.collected import FEWEST_BUBBLES, PLAYED
from ..storage.displayed import displayed_image, displayed_png
from ..storage.images import Deck
from ..storage.queue import Feed
from .players import LiveRound

_log = logging.getLogger("rapidvision.clickme")


class RoundQueue:
    """Deals the rounds of a game; restores from the store what was dealt before to players of the same kind.

    Parameters
    ----------
    game, deck, store, partner, players : Game, Deck, Store, Table, PlayerKind
        See :class:`.live.LiveGame`.
    """

    def __init__(self, game: Game, deck: Deck, store: Store, partner: Table, *, players: PlayerKind = "human") -> None:
        self.game, self.deck, self.store, self.partner, self.players = game, deck, store, partner, players
        self.settings_digest = settings_row(game)["digest"]
        self._feed = Feed(deck, seed=game.seed, practice_rounds=game.practice_rounds, catch_every=game.catch_every)
        self._day, self._today = utc_text()[:10], Counter[str]()
        self._reported: dict[str, set[str]] = {}
        store.read(self._recall)

    def _recall(self, connection: sa.Connection) -> None:
        dealt, day = served_to(connection, self.players), utc_text()[:10]
        self._feed.restore((player, image, phase, counts) for player, image, phase, counts, _ in dealt)
        self._today.update(player for player, *_, utc in dealt if utc.startswith(day))
        reports, own = tables.reports.c, tables.players.c
        whose = sa.select(reports.player_id, reports.image_id).join(tables.players, own.player_id == reports.player_id)
        for player, image_id in connection.execute(whose.where(own.kind == self.players)):
            self._count_report(player, image_id)
        for image_id, *_ in connection.execute(sa.select(tables.broken)):
            self._feed.remove(image_id)

    def may_play(self, player_id: str) -> bool:
        """Whether a player has rounds left today."""
        if self._day != (day := utc_text()[:10]):
            self._day, self._today = day, Counter()
        return self._today[player_id] < self.game.daily_limit

    async def deal(self, player_id: str) -> LiveRound | None:
        """Return a player's next round, stored; None when there are no images left."""
        side_px = self.game.rules.image_px
        while (dealt := self._feed.deal(player_id)) is not None:
            card, phase = self.deck.cards[dealt[0]], dealt[1]
            try:
                image = await asyncio.to_thread(displayed_image, card.path, side_px)
                png = await asyncio.to_thread(displayed_png, card.path, side_px)
            except InputError as error:
                _log.warning("%s; it is dealt no more", error)
                self._feed.remove(card.image_id)
                row = {"image_id": card.image_id, "reason": str(error)[:400], "utc": utc_text()}
                await self.store.add(tables.BROKEN, [row])
                continue
            round_id = new_id()
            view = PartnerView(image.pixels, self.game.rules, seed=self.game.seed, round_id=round_id)
            loaded = self.partner.loaded
            blank = loaded.blank if self.game.rules.background == "blank" else None
            play = Round(round_id, card.category, loaded.categories, self.game.rules, view, blank)
            live = LiveRound(play, card, phase, utc_text(), png, image.sha256)
            await self.store.add(tables.ROUNDS, [live.dealt_row(player_id, loaded, self.settings_digest)])
            self._today[player_id] += 1
            return live
        return None

    def over(self, live: LiveRound) -> None:
        """Say that a round has ended: one that the export leaves out by itself is no map of its image."""
        few = len(live.play.stroke.bubbles) < FEWEST_BUBBLES
        automated = live.start is not None and live.start.automated
        if live.play.result not in PLAYED or few or automated:
            self._feed.give_back(live.card.image_id, live.phase)

    async def report(self, player_id: str, image_id: str, reason: str) -> None:
        """Store that a player finds fault with an image; enough reports take it out of the game."""
        row = {"player_id": player_id, "image_id": image_id, "reason": reason, "utc": utc_text()}
        await self.store.add(tables.REPORTS, [row])
        self._count_report(player_id, image_id)

    def forget(self, player_id: str, maps: Iterable[str]) -> None:
        """Forget a player whose data are gone: their `maps` (image ids) are missing now."""
        self._feed.forget(player_id, maps)
        self._today.pop(player_id, None)
        for who in self._reported.values():
            who.discard(player_id)

    def _count_report(self, player_id: str, image_id: str) -> None:
        who = self._reported.setdefault(image_id, set())
        who.add(player_id)
        if len(who) >= self.game.report_limit:
            self._feed.remove(image_id)


def served_to(connection: sa.Connection, players: PlayerKind) -> list[tuple[str, str, str, bool, str]]:
    """Return what players of one kind were dealt, in order: player, image, phase, whether it is a map, and when.

    A map is a round that was played to an end with enough bubbles, by hand; rounds that are open count as maps in the
    making.
    """
    r, p, b = tables.rounds.c, tables.players.c, tables.bubbles.c
    enough = sa.exists().where(b.round_id == r.round_id, b.seq == FEWEST_BUBBLES - 1)
    by_hand = sa.or_(r.automated.is_(None), ~r.automated)
    is_map = sa.and_(r.result.in_(PLAYED), by_hand, enough)
    counts = sa.or_(r.ended_utc.is_(None), is_map)
    statement = sa.select(r.player_id, r.image_id, r.phase, counts, r.dealt_utc).join(tables.players)
    rows = connection.execute(statement.where(p.kind == players).order_by(r.dealt_utc, r.round_id)).all()
    return [(player, image, phase, bool(counts), utc) for player, image, phase, counts, utc in rows]
