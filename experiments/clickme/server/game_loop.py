"""The running game: players, their rounds, the clock, the partner and the store, on one event loop.

The server decides image, time, legality and points; the page only asks. Whatever is told as stored is committed.
"""

import asyncio
import logging
from typing import Any

import sqlalchemy as sa

from ... import clock
from ...web.store import Store, StoreUnavailable
from ..game import messages
from ..game.bubble_stroke import Illegal
from ..game.kinds import PlayerKind
from ..game.messages import Bubbles, Deal, FromPage, Report, Skip, Start
from ..game.partner import Superseded, Table
from ..game.round import Guess, Result
from ..game.settings import Game, settings_row, utc_text
from ..storage import tables
from ..storage.collected import PLAYED
from ..storage.images import Deck
from ..storage.standings import Standings
from .joining import Lobby
from .players import LiveRound, Seat, Send
from .serving import RoundQueue
from .tasks import Tasks

_log = logging.getLogger("rapidvision.clickme")

#: An image that no player started is given to others when its player has been gone so long.
LEFT_AFTER_S = 60.0
#: Ended rounds that are still answered, for packets that were on their way.
_KEPT_ROUNDS = 3


class LiveGame:
    """One running game; it closes the store's open rounds, so no other may run (:func:`.locking.only_one`).

    Parameters
    ----------
    game : Game
        Settings.
    deck : Deck
        Images.
    store : Store
        Database with the tables of :mod:`.tables`.
    partner : Table
        Where the partner answers.
    players : {"human", "pilot"}
        What those who play are; players of another kind, their points and their maps are not seen.
    """

    def __init__(self, game: Game, deck: Deck, store: Store, partner: Table, *, players: PlayerKind = "human") -> None:
        self.game, self.store, self.partner = game, store, partner
        n_open = store.submit(lambda connection: tables.begin_play(connection, settings_row(game))).result()
        if n_open:
            _log.warning("%d rounds of the last run were open and are closed now", n_open)
        self.standings = Standings(game)
        self.lobby = Lobby(store, self.standings, players=players)
        self.rounds = RoundQueue(game, deck, store, partner, players=players)
        self._seats: dict[str, Seat] = {}
        self._tasks = Tasks()
        self._spawn = self._tasks.spawn
        store.read(lambda connection: self.standings.recall(connection, players))

    # -- connections ------------------------------------------------------------------------------------------------

    async def connect(self, player_id: str, send: Send) -> Seat:
        """Take a connection; an older one of the same player is told that it moved, and the round is shown here."""
        seat = self._seats.setdefault(player_id, Seat(player_id))
        older, seat.send = seat.send, send
        if older is not None:
            self._spawn(older({"type": "moved"}))
        if seat.current is not None:
            await self._show(seat, seat.current)
        return seat

    def disconnect(self, seat: Seat, send: Send) -> None:
        """Forget a connection; a running round continues by the clock, an image that was not started is given back."""
        if seat.send is send:
            seat.send = None
            self._spawn(self._leave(seat, seat.current))

    async def _leave(self, seat: Seat, live: LiveRound | None) -> None:
        await asyncio.sleep(LEFT_AFTER_S)
        if seat.send is None and live is not None and live.play.state == "dealt":
            await self._finish(seat, live, "left")
        self._clear(seat)

    def _clear(self, seat: Seat) -> None:
        """Forget the seat of a player who has gone and whose round is over: images and views go with it."""
        gone = seat.send is None and seat.current is None and not seat.dealing.locked()
        if gone and self._seats.get(seat.player_id) is seat:
            del self._seats[seat.player_id]

    async def dismiss(self, player_id: str) -> None:
        """End a player's seat for good, whatever is on its way: what comes later is not taken."""
        if (seat := self._seats.pop(player_id, None)) is None:
            return
        async with seat.dealing:
            live, seat.closed = seat.current, True
            seat.rounds.clear()
        if live is not None:
            live.finished = True
            live.changed.set()
            self.partner.forget(live.play.round_id, live.blank_id)
        await self._tell(seat, {"type": "erased"})

    def round_of(self, player_id: str, round_id: str) -> LiveRound | None:
        """Return one of the player's own last rounds."""
        return self._seats[player_id].rounds.get(round_id) if player_id in self._seats else None

    async def handle(self, seat: Seat, message: FromPage) -> None:
        """Do what a message asks; refusals are answers, never errors."""
        if isinstance(message, Deal):
            return await self._deal(seat)
        live = seat.rounds.get(message.round)
        if live is None:
            await self._tell(seat, messages.refused("no_such_round", "this round is not known", round=message.round))
            return
        if isinstance(message, Bubbles):
            await self._bubbles(seat, live, message)
        elif isinstance(message, Start):
            await self._start(seat, live, message)
        elif isinstance(message, Skip):
            await self._finish(seat, live, "skipped")
        else:
            await self._report(seat, live, message)

    # -- rounds -----------------------------------------------------------------------------------------------------

    async def _deal(self, seat: Seat) -> None:
        async with seat.dealing:
            if seat.closed:
                return
            if seat.current is not None:
                await self._show(seat, seat.current)
                return
            if not self.rounds.may_play(seat.player_id):
                text = f"that were {self.game.daily_limit} rounds today; come back tomorrow"
                await self._tell(seat, messages.refused("daily_limit", text))
                return
            live = await self.rounds.deal(seat.player_id)
            if live is None:
                await self._tell(seat, messages.refused("no_more", "you have seen every image; thank you!"))
                return
            seat.rounds[live.play.round_id] = live
            while len(seat.rounds) > _KEPT_ROUNDS:
                seat.rounds.popitem(last=False)
            if live.play.blank is None and self.partner.loaded.partner is not None:
                self._spawn(self._ask_blank(live))
            await self._show(seat, live)

    async def _ask_blank(self, live: LiveRound) -> None:
        """Find what the partner says to a background of noise, which differs from round to round."""
        play = live.play
        try:
            answer = await asyncio.wrap_future(self.partner.ask(live.blank_id, play.view.pixels))
        except Superseded:  # the round ended before
            return
        except Exception as error:  # whatever a foreign partner raises; its table has logged it
            _log.warning("round %s cannot be won: no answer to its empty view (%s)", play.round_id, error)
        else:
            play.blank = answer

    async def _start(self, seat: Seat, live: LiveRound, message: Start) -> None:
        if live.play.state == "dealt":
            live.play.start()
            live.started_s, live.started_utc, live.start = clock.now_s(), utc_text(), message
            self._spawn(self._clock(seat, live))
            self._spawn(self._note_start(live))
        await self._tell(seat, {"type": "started", "round": live.play.round_id, "elapsed_ms": live.elapsed_ms()})

    async def _note_start(self, live: LiveRound) -> None:
        row = sa.update(tables.rounds).where(tables.rounds.c.round_id == live.play.round_id).values(live.start_row())
        try:
            await self.store.write(lambda connection: connection.execute(row).rowcount)
        except StoreUnavailable as error:
            _log.warning("the start of round %s is stored with its end only: %s", live.play.round_id, error)

    async def _bubbles(self, seat: Seat, live: LiveRound, message: Bubbles) -> None:
        """Check bubbles, commit what is legal, and only then say so. Those known already are committed again."""
        at_ms, play, rows = live.elapsed_ms(), live.play, []
        refusal: Illegal | None = None
        if len(message.xy) > self.game.rules.max_bubbles or len(message.client_ms) not in (0, len(message.xy)):
            refusal = Illegal("too_many", f"a round has at most {self.game.rules.max_bubbles} bubbles")
        else:
            for place, (x, y) in enumerate(message.xy):
                client_ms = message.client_ms[place] if message.client_ms else at_ms
                try:
                    guess = play.bubble(message.first + place, x, y, at_ms=at_ms, client_ms=client_ms)
                except Illegal as error:
                    refusal = error
                    break
                rows.append({"round_id": play.round_id, **play.stroke.bubbles[message.first + place]._asdict()})
                if guess is not None:
                    self._spawn(self._ask(seat, live, guess))
        if refusal is not None:
            live.n_refused += 1
            more = {"round": play.round_id, "upto": len(play.stroke)}
            await self._tell(seat, messages.refused(refusal.code, str(refusal), **more))
        if rows:
            self._spawn(self._keep(seat, live, rows))

    async def _keep(self, seat: Seat, live: LiveRound, rows: list[dict[str, Any]]) -> None:
        try:
            await self.store.add(tables.BUBBLES, rows)
        except StoreUnavailable:
            text = "the bubbles cannot be stored now; the page sends them again"
            await self._tell(seat, messages.refused("unavailable", text, round=live.play.round_id))
        else:
            await self._tell(seat, {"type": "stored", "round": live.play.round_id, "upto": rows[-1]["seq"] + 1})

    async def _ask(self, seat: Seat, live: LiveRound, guess: Guess) -> None:
        play = live.play
        won = False
        try:
            answer = await asyncio.wrap_future(self.partner.ask(play.round_id, play.view.pixels))
        except Superseded:
            play.supersede(guess)
        except Exception:  # whatever a foreign partner raises; its table has logged it
            play.answer(guess, None, at_ms=live.elapsed_ms())
        else:
            won = play.answer(guess, answer, at_ms=live.elapsed_ms())
        live.changed.set()
        if won:
            await self._finish(seat, live)
        elif not live.finished:
            await self._note(live, [guess])
            await self._tell(seat, messages.looked(play, guess, spoken=self.game.guesses == "spoken"))

    async def _clock(self, seat: Seat, live: LiveRound) -> None:
        """End the round by the clock: at once where no answer is open, else when the last one is in or too late."""
        await asyncio.sleep(max(0.0, self.game.rules.round_ms - live.elapsed_ms()) / 1000)
        while not live.finished and live.play.state != "over":
            if live.play.tick(at_ms=live.elapsed_ms()):
                break
            live.changed.clear()
            try:
                await asyncio.wait_for(live.changed.wait(), 0.02)
            except TimeoutError:
                continue
        await self._finish(seat, live)

    async def _finish(self, seat: Seat, live: LiveRound, result: Result | None = None) -> None:
        """Write a round's end once, then tell the player."""
        if live.finished:
            return
        if result is not None:
            live.play.stop(result, at_ms=live.elapsed_ms())
        live.finished = True
        play, ended = live.play, clock.utc_now()
        self.partner.forget(play.round_id, live.blank_id)
        stored = await self._write_end(live, utc_text(ended))
        self.rounds.over(live)
        counted = stored and play.result in PLAYED and live.phase != "practice" and not seat.closed
        progress = self.standings.ended(seat.player_id, play.points, ended) if counted else None
        partner = play.partner_state if self.partner.loaded.partner is not None else "none"
        view, practice = self.shows_view(live), live.phase == "practice"
        more = {"progress": progress and progress._asdict(), "daily_goal": self.game.daily_goal}
        await self._tell(seat, messages.end(play, practice=practice, show_view=view, partner=partner) | more)
        if seat.send is None:
            self._spawn(self._leave(seat, None))

    async def _write_end(self, live: LiveRound, utc: str) -> bool:
        """Commit the end; a database that is away is tried until it is back, for as long as a player would wait."""
        for pause_s in (0.1, 0.5, 2.0, 5.0, 0.0):
            try:
                await self._note(live, live.play.guesses)
                return await self.store.add(tables.ENDS, live.end_row(utc))
            except StoreUnavailable as error:
                _log.error("the end of round %s cannot be stored: %s", live.play.round_id, error)
                await asyncio.sleep(pause_s)
        return False

    async def _note(self, live: LiveRound, guesses: list[Guess]) -> None:
        if rows := live.guess_rows(guesses):
            await self.store.add(tables.GUESSES, rows)

    async def _report(self, seat: Seat, live: LiveRound, message: Report) -> None:
        await self.rounds.report(seat.player_id, live.card.image_id, message.reason)
        await self._tell(seat, {"type": "reported", "round": live.play.round_id})
        await self._finish(seat, live, "skipped")

    # -- small things -----------------------------------------------------------------------------------------------

    def shows_view(self, live: LiveRound) -> bool:
        """Whether the player may see what the partner saw of a round."""
        return self.game.show_view == "always" or (self.game.show_view == "practice" and live.phase == "practice")

    async def _show(self, seat: Seat, live: LiveRound) -> None:
        now_ms = None if live.play.state == "dealt" else live.elapsed_ms()
        await self._tell(seat, messages.image(live.play, practice=live.phase == "practice", elapsed_ms=now_ms))

    async def _tell(self, seat: Seat, message: dict[str, Any]) -> None:
        if seat.send is not None:
            await seat.send(message)
