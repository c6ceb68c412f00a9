"""Offensive usernames: renamed or hidden by the experimenter while the game runs, and every step written down."""

import time

import pytest

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.clickme.server import host, moderation
from rapidvision.experiments.clickme.storage import tables
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.running import Running


@pytest.fixture
def store(tmp_path):
    opened = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    rows = [
        {"player_id": key, "kind": "human", "name": name, "name_key": key, "joined_utc": "2026-01-01", "hidden": False}
        for key, name in (("anna", "Anna"), ("berta", "Berta"))
    ]
    opened.submit(lambda connection: tables.insert_new(connection, tables.players, rows)).result()
    yield opened
    opened.close()


def test_a_rename_changes_the_name_and_is_written_down(store):
    step = moderation.moderate(store, "rename", "ANNA", new_name="Clara", why="offensive in Danish")
    assert (step.action, step.before, step.after, step.why) == ("rename", "Anna", "Clara", "offensive in Danish")
    assert [one.name for one in moderation.players(store)] == ["Berta", "Clara"]
    assert moderation.history(store) == [step]


def test_hiding_and_showing_leave_two_lines(store):
    moderation.moderate(store, "hide", "Berta", why="a program")
    assert [one.name for one in moderation.players(store) if one.hidden] == ["Berta"]
    moderation.moderate(store, "show", "Berta", why="a mistake")
    assert not any(one.hidden for one in moderation.players(store))
    assert [step.action for step in moderation.history(store)] == ["hide", "show"]


@pytest.mark.parametrize(
    ("action", "name", "new", "why", "words"),
    [
        ("rename", "Anna", "berta", "x", "another player has this username"),
        ("rename", "Anna", "sh1t head", "x", "choose another"),
        ("rename", "Anna", "", "x", "2 to 20 characters"),
        ("hide", "Unknown", "", "x", "no human player has this username"),
        ("hide", "Anna", "", "  ", "a reason is needed"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_line(store, action, name, new, why, words):
    with pytest.raises(InputError, match=words):
        moderation.moderate(store, action, name, new_name=new, why=why)
    assert moderation.history(store) == []


def test_a_player_may_be_renamed_to_another_spelling_of_the_same_name(store):
    moderation.moderate(store, "rename", "anna", new_name="ANNA", why="asked for it")
    assert "ANNA" in [one.name for one in moderation.players(store)]


def test_the_running_game_follows_within_seconds(tmp_path, images, capsys):
    game = tmp_path / "game"
    with Running(images, game, game="practice_rounds = 0\n[rules]\nslack_ms = 1200\n") as running:
        guest, other = Guest(running.url, "Rude Name"), Guest(running.url, "Other")
        with guest:
            solve(guest)
        assert cli.main(["clickme", "players", str(game), "--rename", "rude name", "Kind Name", "--why", "rude"]) == 0
        assert "Rude Name -> Kind Name (rude)" in capsys.readouterr().out
        until(lambda: names(other) == ["Kind Name"])
        assert call(running.url, "/api/me", cookie=guest.cookie)[1]["name"] == "Kind Name"
        code = {"name": "kind name", "code": guest.me["code"]}
        assert call(running.url, "/api/return", code)[0] == 200
        assert cli.main(["clickme", "players", str(game), "--hide", "Kind Name", "--why", "a program"]) == 0
        until(lambda: names(other) == [])
        assert names(guest) == ["Kind Name"]  # who is hidden sees nothing of it
        assert running.stop() == 0
    capsys.readouterr()
    assert cli.main(["clickme", "players", str(game)]) == 0
    assert "hidden" in capsys.readouterr().out
    assert cli.main(["clickme", "players", str(game), "--log"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["rename" in lines[0], "hide" in lines[1], len(lines)] == [True, True, 2]
    store = host.existing_store(game)
    assert len(moderation.history(store)) == 2
    store.close()


def names(guest):
    return [row["name"] for row in call(guest.url, "/api/board", cookie=guest.cookie)[1]["rows"]]


def solve(guest):
    from tests.experiments.clickme.quickgame import coloured_place

    dealt = guest.deal()
    image = call(guest.url, f"/api/rounds/{dealt['round']}/image.png", cookie=guest.cookie)[1]
    x, y = coloured_place(image)
    guest.say({"type": "start", "round": dealt["round"]})
    guest.paint(dealt["round"], [[x + (k % 2), y] for k in range(10)])
    assert guest.hear("end")["result"] == "solved"


def until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("never happened")
