"""The game's writes on SQLite and PostgreSQL: repeated without harm, ended once, closed after a crash."""

import pytest
import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.partner import Loaded
from rapidvision.experiments.clickme.game.settings import Game, settings_row
from rapidvision.experiments.clickme.simulation import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.collected import collect
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from tests.conftest import missing
from tests.experiments.clickme.postgres import Unavailable, postgres

PLAYER = {"player_id": "p", "kind": "human", "name": "Anna", "name_key": "anna", "joined_utc": "2026"}
ROUND = {
    "round_id": "r", "player_id": "p", "image_id": "i", "image_sha256": "0", "category": "cat", "phase": "main", "dealt_utc": "2026",
    "partner": "none", "top_k": 1, "settings": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    try:
        with postgres() as url:
            yield url
    except Unavailable as reason:
        missing(str(reason))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def store(request, tmp_path):
    if request.param == "sqlite":
        opened = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    else:
        opened = tables.open_store(request.getfixturevalue("server"))
        opened.submit(empty).result()
    yield opened
    opened.close()


def empty(connection):
    for table in reversed(tables.metadata.sorted_tables):
        connection.execute(table.delete())


def begin(store):
    settings = {**settings_row(Game()), "digest": "x"}
    store.submit(lambda connection: tables.insert_new(connection, tables.settings, [settings])).result()
    store.submit(lambda connection: tables.insert_new(connection, tables.players, [PLAYER])).result()
    store.submit_item(tables.ROUNDS, [ROUND]).result()


def bubble(seq, x=1):
    return {"round_id": "r", "seq": seq, "x": x, "y": 2, "at_ms": 50.0 * seq, "client_ms": 0.0}


def test_a_bubble_sent_twice_is_stored_once_and_keeps_its_first_place(store):
    begin(store)
    waiting = [store.submit_item(tables.BUBBLES, [bubble(0), bubble(1)]) for _ in range(5)]
    waiting.append(store.submit_item(tables.BUBBLES, [bubble(1, x=99), bubble(2)]))
    for one in waiting:
        one.result(10)
    rows = store.read(lambda c: c.execute(sa.select(tables.bubbles.c.seq, tables.bubbles.c.x)).all())
    assert sorted(map(tuple, rows)) == [(0, 1), (1, 1), (2, 1)]


def test_a_round_ends_once(store):
    begin(store)
    ends = [
        store.submit_item(
            tables.ENDS, {"round_id": "r", "ended_utc": "2026", "result": result, "points": points}
        ).result()
        for result, points in (("time", 0.0), ("solved", 1.0))
    ]
    assert ends == [True, False]
    assert collect(store).rounds[0].result == "time"


@pytest.mark.parametrize(("n_bubbles", "result"), [(0, "left"), (2, "interrupted")])
def test_open_rounds_are_closed_by_what_they_hold(store, n_bubbles, result):
    begin(store)
    store.submit_item(tables.BUBBLES, [bubble(seq) for seq in range(n_bubbles)]).result()
    assert collect(store).n_open == 1
    assert store.submit(lambda connection: tables.close_open_rounds(connection, "2026")).result() == 1
    data = collect(store)
    assert (data.n_open, data.rounds[0].result, data.rounds[0].n_bubbles) == (0, result, n_bubbles)
    assert len(data.played) == (1 if n_bubbles else 0)


def test_a_simulated_game_is_the_same_in_every_database(store, images, tmp_path):
    deck, game = read_deck(images), Game()
    maps = read_maps(deck, "truth", 256)
    players = [Player("one"), Player("two", "random")]

    def play(into):
        partner = Loaded(None, "none", deck.categories)
        simulate.simulate(deck, game, into, partner, players, maps, rounds_per_player=3, seed=5)
        return [(r.round_id, r.image_id, r.result, r.xy.tolist(), r.at_ms.tolist()) for r in collect(into).rounds]

    reference = tables.open_store(f"sqlite:///{tmp_path}/reference.sqlite")
    expected = play(reference)
    reference.close()
    assert len(expected) == 8
    assert play(store) == expected


def test_a_database_of_a_newer_form_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path}/game.sqlite"
    tables.open_store(url).close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("update form set version = 99"))
    engine.dispose()
    with pytest.raises(InputError, match="version 99"):
        tables.open_store(url)
