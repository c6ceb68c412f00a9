"""Who gets which image: fewest maps first, none twice, and catch images where no player can foresee them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.experiments.clickme.game.partner import Loaded, Table
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.maps.filters import Filters, apply_filters
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.server.serving import RoundQueue
from rapidvision.experiments.clickme.simulation.simulate import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.collected import collect
from rapidvision.experiments.clickme.storage.images import Card, Deck, read_deck
from rapidvision.experiments.clickme.storage.queue import Feed


def deck_of(n, n_practice=0, n_catch=0):
    phases = {"m": "main", "p": "practice", "c": "catch"}
    names = [f"m{k}" for k in range(n)] + [f"p{k}" for k in range(n_practice)] + [f"c{k}" for k in range(n_catch)]
    return Deck(Path(), {name: Card(name, Path(name), "cat", phases[name[0]], {}) for name in names})


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
def test_every_player_gets_a_image_with_the_fewest_maps_and_none_the_same_one_twice(
    n_images, n_players, n_practice, seed
):
    deck = deck_of(n_images, n_practice=3)
    feed = Feed(deck, seed=seed, practice_rounds=n_practice)
    seen = {player: [] for player in range(n_players)}
    for _ in range(n_images + n_practice):
        for player, own in seen.items():
            fewest = min((feed.n_maps(name) for name in deck.main if name not in own), default=None)
            name, phase = feed.deal(str(player))
            assert phase == ("practice" if len(own) < n_practice else "main")
            assert phase == "practice" or feed.n_maps(name) == fewest + 1
            own.append(name)
    for player, own in seen.items():
        assert feed.deal(str(player)) is None
        assert sorted(set(own)) == sorted(own)
        assert len(own) == n_images + n_practice


def test_a_image_given_back_is_dealt_to_others_first():
    feed = Feed(deck_of(3), seed=1, practice_rounds=0)
    first = feed.deal("anna")
    for _ in range(2):
        feed.deal("anna")
    feed.give_back(*first)
    assert feed.deal("berta") == first


def test_a_removed_image_is_dealt_to_no_player():
    feed = Feed(deck_of(2), seed=1, practice_rounds=0)
    feed.remove("m0")
    assert [feed.deal("anna"), feed.deal("anna")] == [("m1", "main"), None]


def test_a_restored_feed_resumes_where_it_was():
    feed = Feed(deck_of(4), seed=1, practice_rounds=0)
    before = [(player, *feed.deal(player), True) for player in "abcabc"]
    again = Feed(deck_of(4), seed=1, practice_rounds=0)
    again.restore(before)
    assert [feed.deal(player) for player in "abcd"] == [again.deal(player) for player in "abcd"]


def test_one_of_every_so_many_rounds_is_on_a_catch_image_at_a_place_of_its_own():
    feed = Feed(deck_of(200, n_practice=1, n_catch=6), seed=1, catch_every=10)
    places = {}
    for player in ("anna", "berta", "clara"):
        phases = [feed.deal(player)[1] for _ in range(61)]
        assert phases[0] == "practice"
        blocks = [phases[first : first + 10] for first in range(1, 61, 10)]
        assert [block.count("catch") for block in blocks] == [1] * 6
        places[player] = tuple(block.index("catch") for block in blocks)
    assert len(set(places.values())) == 3
    assert len({place for own in places.values() for place in own}) > 4


def test_no_catch_image_comes_twice_and_without_new_ones_the_game_continues():
    feed = Feed(deck_of(40, n_catch=2), seed=1, practice_rounds=0, catch_every=4)
    dealt = [feed.deal("anna") for _ in range(42)]
    assert sorted(name for name, phase in dealt if phase == "catch") == ["c0", "c1"]
    assert len({name for name, _ in dealt}) == 42
    assert feed.deal("anna") is None


def test_catch_rounds_are_no_maps_and_come_back_after_a_restart():
    feed = Feed(deck_of(8, n_catch=3), seed=3, practice_rounds=0, catch_every=3)
    before = [("anna", *feed.deal("anna"), True) for _ in range(6)]
    assert sum(feed.n_maps(name) for name in feed.deck.main) == 4
    again = Feed(deck_of(8, n_catch=3), seed=3, practice_rounds=0, catch_every=3)
    again.restore(before)
    assert [feed.deal("anna") for _ in range(5)] == [again.deal("anna") for _ in range(5)]


@pytest.mark.parametrize("phase", ["practice", "catch"])
def test_giving_back_what_brings_no_map_changes_nothing(phase):
    feed = Feed(deck_of(2, n_practice=1, n_catch=1), seed=1)
    feed.give_back(phase[0] + "0", phase)
    assert [feed.n_maps(name) for name in feed.deck.main] == [0, 0]


def test_practice_starves_no_image():
    """All players practised on the image with the fewest maps, which so never got one."""
    feed = Feed(deck_of(8), seed=1, practice_rounds=1)
    for player in range(6):
        for _ in range(8):
            feed.deal(str(player))
    n_maps = [feed.n_maps(name) for name in feed.deck.main]
    assert min(n_maps) >= 4
    assert sum(n_maps) == 6 * 7


def test_players_who_practise_and_leave_take_nothing_from_the_images_that_have_least():
    feed = Feed(deck_of(4), seed=2, practice_rounds=1)
    played = [feed.deal("anna") for _ in range(4)]
    (missing,) = [name for name in feed.deck.main if feed.n_maps(name) == 0]
    assert missing == played[0][0]
    assert feed.deal("berta")[0] != missing
    assert feed.deal("berta") == (missing, "main")
    for player in range(20):
        most = max(feed.n_maps(name) for name in feed.deck.main)
        name, phase = feed.deal(str(player))
        assert (feed.n_maps(name), phase) == (most, "practice")
        feed.deal(str(player))


@pytest.mark.parametrize(("n_bubbles", "n_maps"), [(9, 0), (10, 1)])
def test_a_round_too_short_for_the_export_is_no_map_of_the_feed(tmp_path, images, n_bubbles, n_maps):
    deck, game = read_deck(images), Game(practice_rounds=0)
    few = Rules(max_bubbles=n_bubbles)
    store = host.game_store(tmp_path)
    no_partner = Loaded(None, "none", deck.categories)
    simulate(
        deck, Game(practice_rounds=0, rules=few), store, no_partner, [Player("a")], {}, rounds_per_player=1, seed=1
    )
    people = tables.players.update().values(kind="human")
    store.submit(lambda connection: connection.execute(people).rowcount).result()
    rounds = RoundQueue(game, deck, store, Table(no_partner))
    assert sum(rounds._feed.n_maps(name) for name in deck.main) == n_maps
    passed = apply_filters(collect(store), Filters(), {})
    assert passed.n_kept == n_maps
    rounds.partner.close()
    store.close()
