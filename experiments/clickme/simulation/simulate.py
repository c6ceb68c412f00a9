"""A game played in memory: simulated players, the real rules, partner and store, and a clock without waiting times.

Thousands of rounds take seconds. What they leave in the store has the form of a served game, of players whose kind is
``simulated``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import digest, stream
from rapidvision.system.progress import Advance, silent

from ...web.store import Store
from ..game.masking import PartnerView
from ..game.messages import Start
from ..game.partner import Loaded, Probabilities, checked
from ..game.round import Round
from ..game.rules import Rules
from ..game.settings import Game, settings_row, utc_text
from ..game.usernames import key_of
from ..server.joining import enter, player_row
from ..server.players import LiveRound
from ..server.serving import served_to
from ..storage import tables
from ..storage.displayed import displayed_image
from ..storage.images import Deck, Phase
from ..storage.queue import Feed
from .simulated_player import Move, Player, stroke

#: When simulated games are played; any fixed moment will do.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PAUSE_S = 10

#: How a player paints an image, given the map in mind (None where there is none); see :func:`.players.stroke`.
Hand: TypeAlias = Callable[[Player, NDArray[np.floating] | None, Rules, np.random.Generator], Iterator[Move]]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was played and stored: rounds, bubbles, and how many rounds the partner solved."""

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
    hand: Hand | None = None,
    advance: Advance = silent,
) -> Simulated:
    """Let simulated players play, and store it all.

    Parameters
    ----------
    deck, game : Deck, Game
        Images and rules.
    store : Store
        Where it goes; simulated players may have played in it before.
    partner : Loaded
        Asked at every tenth bubble, without a clock: it always answers in time.
    players : sequence of Player
        Who plays.
    maps : mapping
        Image id → what players have in mind, shape (image_px, image_px).
    rounds_per_player : int
        Rounds that count; practice comes on top. A player stops when the images run out.
    seed : int
        Fixes every hand, and the ids.
    hand : callable, optional
        How players paint; :func:`.players.stroke` unless given.
    advance : callable
        Told of every player done.

    Returns
    -------
    Simulated
        Counts of what is in the store when this returns.

    Raises
    ------
    InputError
        When a simulated player of one of the names has played in this store; nothing was played then.
    """
    _refuse_known(store, players)
    settings = settings_row(game)
    store.submit(lambda connection: tables.insert_new(connection, tables.settings, [settings])).result()
    feed = Feed(deck, seed=game.seed, practice_rounds=game.practice_rounds, catch_every=game.catch_every)
    feed.restore(row[:4] for row in store.read(lambda connection: served_to(connection, "simulated")))
    total = [0, 0, 0]
    for number, player in enumerate(players):
        _join(store, player, seed)
        for turn in range(rounds_per_player + game.practice_rounds):
            dealt = feed.deal(_id(seed, "player", player.name))
            if dealt is None:
                break
            moment = _EPOCH + timedelta(seconds=_PAUSE_S * (turn * len(players) + number))
            live = _play(deck, game, partner, player, maps, dealt, seed=seed, moment=moment, hand=hand or _stroke)
            _keep(store, live, live.dealt_row(_id(seed, "player", player.name), partner, settings["digest"]), moment)
            total = [total[0] + 1, total[1] + len(live.play.stroke), total[2] + (live.play.result == "solved")]
        advance(1)
    return Simulated(len(players), *total)


def _stroke(
    player: Player, importance: NDArray[np.floating] | None, rules: Rules, rng: np.random.Generator
) -> Iterator[Move]:
    return stroke(player, importance, rules, rng=rng)


def _id(seed: int, *address: str | int) -> str:
    return digest(seed, "clickme-simulation", *address)[:8].hex()


def _refuse_known(store: Store, players: Sequence[Player]) -> None:
    known = sa.select(tables.players.c.name_key).where(tables.players.c.kind == "simulated")
    there = set(store.read(lambda connection: connection.scalars(known).all()))
    names = [player.name for player in players]
    again = [name for name in names if key_of(name) in there]
    if again:
        raise _known(store, again, len(names))
    if len({key_of(name) for name in names}) < len(names):
        raise InputError("players: two of them have the same name; give each its own")


def _known(store: Store, names: Sequence[str], n_players: int) -> InputError:
    return InputError(
        f"{store.name}: {len(names)} of these {n_players} simulated players have played here already "
        f"({names[0]} …); choose another --out, or other names"
    )


def _join(store: Store, player: Player, seed: int) -> None:
    row = player_row(_id(seed, "player", player.name), "simulated", player.name, key_of(player.name), utc_text(_EPOCH))
    if not store.submit(lambda connection: enter(connection, row)).result():
        raise _known(store, [player.name], 1)


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
    hand: Hand,
) -> LiveRound:
    card, rules = deck.cards[dealt[0]], game.rules
    image = displayed_image(card.path, rules.image_px)
    round_id = _id(seed, "round", player.name, card.image_id)
    view = PartnerView(image.pixels, rules, seed=game.seed, round_id=round_id)
    blank = partner.blank if rules.background == "blank" else _answer(partner, view)
    play = Round(round_id, card.category, partner.categories, rules, view, blank)
    rng = stream(seed, "simulated-hand", player.name, card.image_id)
    play.start()
    for seq, move in enumerate(hand(player, maps.get(card.image_id), rules, rng)):
        guess = play.bubble(seq, move.x, move.y, at_ms=move.at_ms, client_ms=move.at_ms)
        if guess is not None and play.answer(guess, _answer(partner, view), at_ms=move.at_ms):
            break
    play.tick(at_ms=float(rules.round_ms))
    live = LiveRound(play, card, dealt[1], utc_text(moment), b"", image.sha256)
    live.started_utc, live.start = utc_text(moment), Start(round_id, "mouse")
    return live


def _answer(partner: Loaded, view: PartnerView) -> Probabilities | None:
    if partner.partner is None:
        return None
    return np.asarray(checked(partner.partner(view.pixels[None]), 1, len(partner.categories))[0])


def _keep(store: Store, live: LiveRound, dealt: Mapping[str, object], moment: datetime) -> None:
    """Write a round and return when all of it is stored; whatever fails is raised."""
    play = live.play
    end = live.end_row(utc_text(moment + timedelta(milliseconds=play.ended_ms or 0.0)))
    bubbles = [{"round_id": play.round_id, **bubble._asdict()} for bubble in play.stroke.bubbles]
    waiting = [
        store.submit_item(tables.ROUNDS, [dealt]),
        store.submit_item(tables.BUBBLES, bubbles),
        store.submit_item(tables.GUESSES, live.guess_rows(play.guesses)),
    ]
    ended = store.submit_item(tables.ENDS, end)  # after the others: the store keeps their order
    for one in waiting:
        one.result()
    if not ended.result():
        raise InputError(
            f"{store.name}: round {play.round_id} was ended by another process; nothing else may play here"
        )
