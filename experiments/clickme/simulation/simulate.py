"""A game played in memory: simulated players, the real rules, partner and store, and a clock that nobody waits for.

Thousands of rounds take seconds, and what they leave in the store is what the served game leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from rapidvision.seeds import digest, stream
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ...web.store import Store
from ..game.masking import PartnerView
from ..game.messages import Start
from ..game.names import key_of
from ..game.round import Round
from ..game.settings import Game, utc_text
from ..partners.network_partner import Loaded, Table, checked
from ..server.players import LiveRound
from ..storage import tables
from ..storage.images import Deck, Phase, pixels
from ..storage.queue import Feed
from .simulated_player import Player, stroke

#: When simulated games are played; any fixed moment will do.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PAUSE_S = 10


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was played: rounds, bubbles, and how many rounds the partner solved."""

    n_players: int
    n_rounds: int
    n_bubbles: int
    n_solved: int


def simulate(
    deck: Deck,
    game: Game,
    store: Store,
    partner: Loaded,
    players: Sequence[Player],
    maps: Mapping[str, NDArray[np.floating]],
    *,
    rounds_per_player: int,
    seed: int,
    advance: Advance = silent,
) -> Simulated:
    """Let simulated players play, and store it all.

    Parameters
    ----------
    deck, game : Deck, Game
        Pictures and rules.
    store : Store
        Where it goes.
    partner : Loaded
        Asked at every tenth bubble, without a clock: it always answers in time.
    players : sequence of Player
        Who plays; names must be new.
    maps : mapping
        Image id → what players have in mind, shape (picture_px, picture_px).
    rounds_per_player : int
        Rounds that count; practice comes on top. A player stops when the pictures run out.
    seed : int
        Fixes every hand, and the ids.
    advance : callable
        Told of every player done.

    Returns
    -------
    Simulated
        Counts.
    """
    feed = Feed(deck, seed=game.seed, practice_rounds=game.practice_rounds, catch_every=game.catch_every)
    table = Table(Loaded(None, partner.name, partner.categories))
    total = [0, 0, 0]
    try:
        for number, player in enumerate(players):
            _join(store, player, seed)
            for turn in range(rounds_per_player + game.practice_rounds):
                dealt = feed.deal(_id(seed, "player", player.name))
                if dealt is None:
                    break
                moment = _EPOCH + timedelta(seconds=_PAUSE_S * (turn * len(players) + number))
                live = _play(deck, game, partner, player, maps, dealt, seed=seed, moment=moment)
                _keep(store, live, player, seed, table, files.canonical_digest(game), moment)
                total = [total[0] + 1, total[1] + len(live.play.stroke), total[2] + (live.play.result == "solved")]
            advance(1)
    finally:
        table.close()
    return Simulated(len(players), *total)


def _id(seed: int, *address: str | int) -> str:
    return digest(seed, "clickme-simulation", *address)[:8].hex()


def _join(store: Store, player: Player, seed: int) -> None:
    row = {
        "player_id": _id(seed, "player", player.name),
        "name": player.name,
        "name_key": key_of(player.name),
        "joined_utc": utc_text(_EPOCH),
    }
    store.submit(lambda connection: tables.insert_new(connection, tables.players, [row])).result()


def _play(
    deck: Deck,
    game: Game,
    partner: Loaded,
    player: Player,
    maps: Mapping[str, NDArray[np.floating]],
    dealt: tuple[str, Phase],
    *,
    seed: int,
    moment: datetime,
) -> LiveRound:
    card, rules = deck.cards[dealt[0]], game.rules
    round_id = _id(seed, "round", player.name, card.image_id)
    view = PartnerView(pixels(card.path, rules.picture_px), rules, seed=game.seed, round_id=round_id)
    play = Round(round_id, card.category, partner.categories, rules, view)
    rng = stream(seed, "simulated-hand", player.name, card.image_id)
    play.start()
    for seq, move in enumerate(stroke(player, maps.get(card.image_id), rules, rng=rng)):
        guess = play.bubble(seq, move.x, move.y, at_ms=move.at_ms, client_ms=move.at_ms)
        if guess is None:
            continue
        answer = None
        if partner.partner is not None:
            answer = checked(partner.partner(play.view.pixels[None]), 1, len(partner.categories))[0]
        if play.answer(guess, answer, at_ms=move.at_ms):
            break
    play.tick(at_ms=float(rules.round_ms))
    live = LiveRound(play, card, dealt[1], utc_text(moment), b"")
    live.started_utc, live.start = utc_text(moment), Start(round_id, "mouse", automated=True)
    return live


def _keep(store: Store, live: LiveRound, player: Player, seed: int, table: Table, rules: str, moment: datetime) -> None:
    play = live.play
    dealt = live.dealt_row(_id(seed, "player", player.name), table, rules)
    end = live.end_row(utc_text(moment + timedelta(milliseconds=play.ended_ms or 0.0)))
    bubbles = [{"round_id": play.round_id, **bubble._asdict()} for bubble in play.stroke.bubbles]
    store.submit_item(tables.ROUNDS, [dealt])
    store.submit_item(tables.BUBBLES, bubbles)
    store.submit_item(tables.GUESSES, live.guess_rows(play.guesses))
    store.submit_item(tables.ENDS, end).result()
