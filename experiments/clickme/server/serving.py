"""Who gets which picture: the feed, daily limits, pictures that cannot be shown, and pictures that players report."""

import asyncio
import logging
from collections import Counter

import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.formats.png import png_bytes
from rapidvision.system import files

from ...web.store import Store
from ...web.tokens import new_id
from ..game.masking import PartnerView
from ..game.round import Round
from ..game.settings import Game, utc_text
from ..partners.network_partner import Table
from ..storage import tables
from ..storage.collected import PLAYED
from ..storage.images import Deck, pixels
from ..storage.queue import Feed
from .players import LiveRound

_log = logging.getLogger("rapidvision.clickme")


class Dealer:
    """Deals the rounds of a game; restores from the store what was dealt before.

    Parameters
    ----------
    game, deck, store, partner : Game, Deck, Store, Table
        See :class:`.live.LiveGame`.
    """

    def __init__(self, game: Game, deck: Deck, store: Store, partner: Table) -> None:
        self.game, self.deck, self.store, self.partner = game, deck, store, partner
        self.rules_digest = files.canonical_digest(game)
        self._feed = Feed(deck, seed=game.seed, practice_rounds=game.practice_rounds, catch_every=game.catch_every)
        self._today: Counter[tuple[str, str]] = Counter()
        self._reported: dict[str, set[str]] = {}
        store.read(self._recall)

    def _recall(self, connection: sa.Connection) -> None:
        table, day = tables.rounds, utc_text()[:10]
        columns = (table.c.player_id, table.c.image_id, table.c.phase, table.c.result, table.c.dealt_utc)
        dealt = connection.execute(sa.select(*columns).order_by(table.c.dealt_utc)).all()
        self._feed.restore((player, image, phase, result in PLAYED) for player, image, phase, result, _ in dealt)
        self._today.update((player, day) for player, *_, utc in dealt if utc.startswith(day))
        for player, image_id, *_ in connection.execute(sa.select(tables.reports)):
            self._count_report(player, image_id)
        for image_id, *_ in connection.execute(sa.select(tables.broken)):
            self._feed.remove(image_id)

    def may_play(self, player_id: str) -> bool:
        """Whether a player has rounds left today."""
        return self._today[player_id, utc_text()[:10]] < self.game.daily_limit

    async def deal(self, player_id: str) -> LiveRound | None:
        """Return a player's next round, stored; None when there are no pictures left."""
        side_px = self.game.rules.picture_px
        while (dealt := self._feed.deal(player_id)) is not None:
            card, phase = self.deck.cards[dealt[0]], dealt[1]
            try:
                array = await asyncio.to_thread(pixels, card.path, side_px)
            except InputError as error:
                _log.warning("%s; it is dealt no more", error)
                self._feed.remove(card.image_id)
                row = {"image_id": card.image_id, "reason": str(error)[:400], "utc": utc_text()}
                await self.store.add(tables.BROKEN, [row])
                continue
            round_id = new_id()
            view = PartnerView(array, self.game.rules, seed=self.game.seed, round_id=round_id)
            play = Round(round_id, card.category, self.partner.loaded.categories, self.game.rules, view)
            live = LiveRound(play, card, phase, utc_text(), await asyncio.to_thread(png_bytes, array))
            await self.store.add(tables.ROUNDS, [live.dealt_row(player_id, self.partner, self.rules_digest)])
            self._today[player_id, utc_text()[:10]] += 1
            return live
        return None

    def give_back(self, live: LiveRound) -> None:
        """Say that a round brought no map."""
        self._feed.give_back(live.card.image_id, live.phase)

    async def report(self, player_id: str, image_id: str, reason: str) -> None:
        """Store that a player finds fault with a picture; enough reports take it out of the game."""
        row = {"player_id": player_id, "image_id": image_id, "reason": reason, "utc": utc_text()}
        await self.store.add(tables.REPORTS, [row])
        self._count_report(player_id, image_id)

    def _count_report(self, player_id: str, image_id: str) -> None:
        who = self._reported.setdefault(image_id, set())
        who.add(player_id)
        if len(who) >= self.game.report_limit:
            self._feed.remove(image_id)
