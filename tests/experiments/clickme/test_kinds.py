"""People, pilots and simulated players: apart in names, points, feed, exports and reports."""

import json

import pytest

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.partner import Loaded
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.server import host, moderation
from rapidvision.experiments.clickme.server.joining import enter, player_row
from rapidvision.experiments.clickme.simulation import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.collected import Collected, collect
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from rapidvision.experiments.clickme.storage.selection import by_hand, digest_of, select
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import QUICK, coloured_place, line
from tests.experiments.clickme.running import Running


def play(store, images, names, *, seed=1, rounds=3):
    deck, game = read_deck(images), Game()
    partner = Loaded(None, "none", deck.categories)
    maps = read_maps(deck, "truth", 256)
    return simulate.simulate(
        deck, game, store, partner, [Player(name) for name in names], maps, rounds_per_player=rounds, seed=seed
    )


@pytest.fixture
def store(tmp_path):
    opened = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    yield opened
    opened.close()


def in_store(store):
    data = collect(store)
    orphans = "select count(*) from clickme_bubbles where round_id not in (select round_id from clickme_rounds)"
    n_orphans = store.read(lambda connection: connection.exec_driver_sql(orphans).scalar())
    return len(data.rounds), sum(record.n_bubbles for record in data.rounds), n_orphans


def test_a_second_simulation_adds_other_players_and_refuses_those_who_played(store, images):
    """It claimed eight rounds, stored none, and left a thousand bubbles of no round."""
    first = play(store, images, ["a", "b"])
    assert in_store(store) == (first.n_rounds, first.n_bubbles, 0)
    for seed in (1, 2):
        with pytest.raises(InputError, match="2 of these 2 simulated players have played here already"):
            play(store, images, ["a", "B"], seed=seed)
    assert in_store(store) == (first.n_rounds, first.n_bubbles, 0)
    second = play(store, images, ["c", "d"], seed=2)
    assert in_store(store) == (first.n_rounds + second.n_rounds, first.n_bubbles + second.n_bubbles, 0)


def test_simulate_twice_on_the_command_line_prints_what_the_database_holds(tmp_path, images, capsys):
    words = ["clickme", "simulate", str(images), "--out", str(tmp_path / "game"), "--map-source", "truth"]
    words += ["--n-players", "2", "--n-rounds", "3"]
    assert cli.main([*words, "--seed", "1"]) == 0
    said = capsys.readouterr().out
    store = host.existing_store(tmp_path / "game")
    n_rounds, n_bubbles, _ = in_store(store)
    assert f"2 SIMULATED players, {n_rounds} rounds, {n_bubbles} bubbles" in said
    assert cli.main([*words, "--seed", "2"]) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert in_store(store) == (n_rounds, n_bubbles, 0)
    store.close()


def test_a_failed_write_of_a_simulated_round_is_raised(store, images, monkeypatch):
    from rapidvision.experiments.web.store import StoreUnavailable

    bubbles = "create trigger full before insert on clickme_bubbles begin select raise(abort, 'disk full'); end"
    store.submit(lambda connection: connection.exec_driver_sql(bubbles)).result()
    with pytest.raises(StoreUnavailable, match="disk full"):
        play(store, images, ["a"])


def test_what_is_chosen_is_one_kind_and_the_rest_is_counted(store, images):
    play(store, images, ["a", "b"])
    data = collect(store)
    part = select(data, players="simulated")
    assert len(part.collected.rounds) == len(data.rounds)
    assert part.left_out == {}
    assert digest_of(part.rules) == digest_of(Game().rules)
    with pytest.raises(InputError, match="no rounds of human players; the game has 8 of simulated players"):
        select(data)


def test_people_and_programs_in_one_game_are_exported_and_reported_apart(tmp_path, images, capsys):
    with Running(images, tmp_path / "game", partner="none", game=QUICK) as running:
        with Guest(running.url, "painter 001") as guest:
            for _ in range(3):
                guest.paint(round_id := guest.begin(), line(12))
                while guest.hear("stored", "end")["type"] != "end":
                    pass
        assert running.stop() == 0
    words = ["clickme", "simulate", str(images), "--out", str(tmp_path / "game"), "--map-source", "truth", "--quiet"]
    assert cli.main([*words, "--n-players", "2", "--n-rounds", "3", "--seed", "1"]) == 0
    for kind, n in (("human", 3), ("simulated", 6)):
        out = tmp_path / kind
        assert cli.main(["clickme", "export", str(tmp_path / "game"), "--out", str(out), "--observers", kind]) == 0
        counts = json.loads((out / "export.json").read_text(encoding="utf-8"))["counts"]
        assert (counts["n_maps"], counts["n_rounds"]) == (n, 9)
        assert set(counts["left_out"]) == {f"by {'simulated' if kind == 'human' else 'human'} players"}
    assert round_id in (tmp_path / "human" / "rounds.csv").read_text(encoding="utf-8")
    assert round_id not in (tmp_path / "simulated" / "rounds.csv").read_text(encoding="utf-8")
    assert cli.main(["clickme", "report", str(tmp_path / "game"), "--out", str(tmp_path / "r"), "--seed", "1"]) == 0
    assert "left out: 6 rounds by simulated players" in capsys.readouterr().out
    content = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    assert (content["statistics"]["n_rounds"], content["left_out"]) == (3, {"by simulated players": 6})
    store = host.existing_store(tmp_path / "game")
    assert [one.name for one in moderation.players(store)] == ["painter 001"]
    assert len(moderation.players(store, "simulated")) == 2
    store.close()


def test_a_rehearsal_has_names_points_and_maps_of_its_own(tmp_path, images):
    def win(running, guest):
        dealt = guest.deal()
        image = call(running.url, f"/api/rounds/{dealt['round']}/image.png", cookie=guest.cookie)[1]
        x, y = coloured_place(image)
        guest.say({"type": "start", "round": dealt["round"]})
        guest.paint(dealt["round"], [[x + (k % 2), y] for k in range(10)])
        return guest.hear("end")["points"]

    with Running(images, tmp_path / "game", game=QUICK, more=["--rehearsal"]) as running:
        with Guest(running.url, "anna") as pilot:
            assert win(running, pilot) > 0
        assert running.stop() == 0
    with Running(images, tmp_path / "game") as running:
        assert call(running.url, "/api/me", cookie=pilot.cookie)[0] == 401
        with Guest(running.url, "Anna") as guest:
            board = call(running.url, "/api/board", cookie=guest.cookie)[1]
            assert board["rows"] == []
            win(running, guest)
        assert running.stop() == 0
    store = host.existing_store(tmp_path / "game")
    data = collect(store)
    store.close()
    assert sorted(record.kind for record in data.rounds) == ["human", "pilot"]
    assert select(data).left_out == {"by pilot players": 1}


def test_automated_rounds_are_left_out_by_count(store, images):
    play(store, images, ["a"])
    robot = tables.rounds.update().values(automated=True)
    first = collect(store).rounds[0].round_id
    store.submit(lambda c: c.execute(robot.where(tables.rounds.c.round_id == first)).rowcount).result()
    part = by_hand(select(collect(store), players="simulated"))
    assert part.left_out == {"automated": 1}
    assert first not in {record.round_id for record in part.collected.rounds}


def test_names_are_apart_by_kind_and_unique_within(store):
    rows = [player_row(f"p{n}", kind, "Anna", "anna", "2026") for n, kind in enumerate(("human", "pilot", "human"))]
    entered = [store.submit(lambda c, row=row: enter(c, row)).result() for row in rows]
    assert entered == [True, True, False]


def test_an_empty_game_has_nothing_to_choose():
    with pytest.raises(InputError, match="none at all"):
        select(Collected(()))
