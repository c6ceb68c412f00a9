"""What is held in memory: nothing of players who have gone, and one image of an export."""

import asyncio
import dataclasses
import gc
import tracemalloc

import numpy as np
import pytest

from rapidvision.experiments.clickme.game.masking import PartnerView
from rapidvision.experiments.clickme.game.messages import Deal, Skip, Start
from rapidvision.experiments.clickme.game.partner import Loaded, Table
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.game.usernames import key_of
from rapidvision.experiments.clickme.maps.export import export
from rapidvision.experiments.clickme.maps.filters import Kept
from rapidvision.experiments.clickme.maps.pooling import Form
from rapidvision.experiments.clickme.maps.release import write_clicks
from rapidvision.experiments.clickme.server import game_loop, host
from rapidvision.experiments.clickme.server.game_loop import LiveGame
from rapidvision.experiments.clickme.server.players import LiveRound, Seat
from rapidvision.experiments.clickme.simulation.simulate import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.collected import collect
from rapidvision.experiments.clickme.storage.displayed import displayed_image
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from rapidvision.experiments.clickme.storage.selection import select
from tests import asynchronous
from tests.experiments.clickme.conftest import make_folder


def n_held():
    gc.collect()
    return {
        kind.__name__: sum(type(one) is kind for one in gc.get_objects()) for kind in (Seat, LiveRound, PartnerView)
    }


async def visit(game, name, n_rounds):
    player = await game.lobby.join(name, key_of(name))
    heard = []

    async def send(message):
        heard.append(message)

    seat = await game.connect(player, send)
    for _ in range(n_rounds):
        await game.handle(seat, Deal())
        round_id = heard[-1]["round"]
        await game.handle(seat, Start(round_id))
        await game.handle(seat, Skip(round_id))
    await game.handle(seat, Deal())  # an image that is never started
    game.disconnect(seat, send)


def test_seats_rounds_and_views_of_players_who_have_gone_are_given_back(tmp_path, images, monkeypatch):
    monkeypatch.setattr(game_loop, "LEFT_AFTER_S", 0.01)
    deck = read_deck(images)
    store = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    table = Table(Loaded(None, "none", deck.categories))
    before = n_held()

    async def play():
        game = LiveGame(Game(practice_rounds=0, rules=Rules(round_ms=300)), deck, store, table)
        for number in range(12):
            await visit(game, f"player {number}", 3)
        for _ in range(500):
            if not game._tasks and not game._seats:
                break
            await asyncio.sleep(0.01)
        return n_held()

    assert asynchronous.run(play()) == before
    results = [record.result for record in collect(store).rounds]
    assert (results.count("skipped"), results.count("left")) == (36, 12)
    table.close()
    store.close()


def test_clicks_are_written_round_by_round(tmp_path, played):
    """As Python pairs the clicks of the paper's game would take more than 3 GB."""
    xy = np.random.default_rng(1).integers(0, 256, (140, 2)).astype(np.int16)
    one = dataclasses.replace(played.everything.played[0], xy=xy)

    def peak(n_rounds):
        (tmp_path / str(n_rounds)).mkdir()
        kept = Kept({"a": (one,) * n_rounds})
        tracemalloc.start()
        write_clicks(kept, tmp_path / str(n_rounds), {})
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    per_round = (peak(1200) - peak(200)) / 1000
    assert per_round < 1000  # bytes; the pairs alone take 10,000
    with np.load(tmp_path / "1200" / "clicks.npz", allow_pickle=True) as data:
        assert data["clickmap_x"].shape == (1200,)
        assert data["clickmap_y"][-1] == xy[:, 1].tolist()


@pytest.mark.parametrize("per_player", [False, True])
def test_an_export_holds_one_image_at_a_time(tmp_path, per_player):
    """All maps of a game were held until the end: a quarter of a megabyte for each image."""
    folder = make_folder(tmp_path / "images", per_category=8, n_practice=0)
    deck = read_deck(folder)
    store = host.game_store(tmp_path)
    maps, no_partner = read_maps(deck, "truth", 256), Loaded(None, "none", deck.categories)
    players = [Player("one"), Player("two")]
    simulate(deck, Game(practice_rounds=0), store, no_partner, players, maps, rounds_per_player=32, seed=1)
    part = select(collect(store), players="simulated")
    store.close()
    del maps

    def peak(n_images):
        few = set(sorted(deck.cards)[:n_images])
        rounds = tuple(record for record in part.collected.rounds if record.image_id in few)
        data = type(part.collected)(rounds)
        tracemalloc.start()
        form = Form(per_player=per_player, tfrecords="raw")
        export(data, deck, part.rules, tmp_path / f"maps-{n_images}", quality={}, form=form)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)  # fills the caches of images
    for name in deck.cards:
        displayed_image(deck.cards[name].path, 256)
    map_bytes = 256 * 256 * 4
    assert peak(32) - peak(4) < 28 * map_bytes / 8
