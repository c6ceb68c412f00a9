"""Players' rights: consent with its version and age, guests, a copy of one's data, erasure without a remainder."""

import json
import shutil
import sqlite3

import pytest

from rapidvision import cli
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage import rights, tables
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import QUICK, line, stored
from tests.experiments.clickme.running import Running

NAME = "Xerxes Quagmire"


def content_of(folder):
    """The bytes of all files in a game's folder but the server's key."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "secret.key"}


def test_an_erased_player_leaves_not_a_byte_while_others_play(tmp_path, images):
    with Running(images, tmp_path / "game", game=QUICK) as running:
        running.data = tmp_path / "game"
        with Guest(running.url, NAME) as guest, Guest(running.url, "berta") as other:
            done = guest.begin()
            guest.paint(done, line(12))
            guest.hear("end")
            open_round = guest.begin()  # still open when everything is deleted
            guest.paint(open_round, line(11, start=40))
            guest.hear("stored")
            data = call(running.url, "/api/me/data", cookie=guest.cookie)[1]
            assert [len(data[name]) for name in ("player", "rounds", "bubbles")] == [1, 2, 23]
            player_id = data["player"][0]["player_id"]
            assert any(NAME.encode() in content for content in content_of(running.data).values())
            code = guest.me["withdrawal_code"]
            assert call(running.url, "/api/erase", {"code": "A" * 16})[0] == 403
            assert call(running.url, "/api/erase", {"code": code.lower()})[1] == {
                "erased": True, "rounds": 2, "bubbles": 23
            }  # fmt: skip
            guest.hear("erased")
            guest.say({"type": "deal"})  # the page that did not hear
            assert call(running.url, "/api/me", cookie=guest.cookie)[0] == 401
            assert call(running.url, "/api/erase", {"code": code})[0] == 403
            board = call(running.url, "/api/board", cookie=other.cookie)[1]
            assert NAME not in json.dumps(board)
            kept = other.begin()
            other.paint(kept, line(10))
            other.hear("end")
        ids = [player_id, *(row["round_id"] for row in data["rounds"])]
        for where, content in content_of(running.data).items():
            for text in (NAME, NAME.casefold(), *ids):
                assert text.encode() not in content, where
        assert running.stop() == 0
        assert "Traceback" not in "".join(running.errors)
        assert [record.player for record in stored(running).rounds] == ["berta"]
    for where, content in content_of(running.data).items():
        assert player_id.encode() not in content, where
    with Running(images, tmp_path / "game") as running, Guest(running.url, NAME) as again:
        assert again.me["withdrawal_code"] != code


def test_consent_and_age_are_asked_kept_with_their_version_and_asked_again_when_the_text_changes(tmp_path, images):
    first = 'consent = "We store what you paint."\nmin_age = 16\n' + QUICK
    with Running(images, tmp_path / "game", game=first) as running:
        terms = call(running.url, "/api/game")[1]
        assert (terms["consent"], terms["min_age"]) == ("We store what you paint.", 16)
        body = {"name": "anna", "consent": terms["consent_sha256"], "of_age": True}
        assert call(running.url, "/api/join", body | {"consent": ""})[1]["error"] == "consent"
        assert call(running.url, "/api/join", body | {"of_age": False})[1]["error"] == "age"
        status, me, cookie = call(running.url, "/api/join", body)
        assert (status, me["consent_due"]) == (201, False)
        assert call(running.url, "/api/links", {}, cookie=cookie)[0] == 201
        assert running.stop() == 0
    with Running(images, tmp_path / "game", game=first.replace("paint.", "paint, for ten years.")) as running:
        assert call(running.url, "/api/me", cookie=cookie)[1]["consent_due"]
        assert call(running.url, "/api/links", {}, cookie=cookie)[0] == 403
        old = {"consent": terms["consent_sha256"], "of_age": True}
        assert call(running.url, "/api/consent", old, cookie=cookie)[0] == 422
        now = call(running.url, "/api/game")[1]["consent_sha256"]
        assert call(running.url, "/api/consent", old | {"consent": now}, cookie=cookie)[0] == 200
        assert call(running.url, "/api/links", {}, cookie=cookie)[0] == 201
        player = call(running.url, "/api/me/data", cookie=cookie)[1]["player"][0]
        assert player["consent_sha256"] == now != terms["consent_sha256"]
        assert player["consent_utc"] > player["joined_utc"]


def test_guests_choose_no_name_and_are_told_apart(server):
    names = {call(server.url, "/api/join", {"guest": True})[1]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("Guest ") for name in names)


@pytest.mark.parametrize("age", [-1, 121])
def test_an_age_that_no_one_has_is_refused(age):
    with pytest.raises(ValueError, match="min_age"):
        Game(min_age=age)


def test_the_experimenter_copies_erases_and_finds_old_exports(played, tmp_path, capsys):
    shutil.copytree(played.data, tmp_path / "game")
    game, out = str(tmp_path / "game"), tmp_path / "maps"
    kind = ("--observers", "simulated")
    assert cli.main(["clickme", "export", game, "--out", str(out), *kind, "--quiet"]) == 0
    assert cli.main(["clickme", "players", game, "--check-export", str(out)]) == 0
    assert "all 15 players are in the game" in capsys.readouterr().out
    assert cli.main(["clickme", "players", game, "--data", "painter 3", *kind]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["rounds"]) == 17
    assert len(data["bubbles"]) > 1000
    assert cli.main(["clickme", "players", game, "--erase", "PAINTER 3", *kind]) == 0
    assert f"erased: 17 rounds, {len(data['bubbles'])} bubbles" in capsys.readouterr().out
    for where, content in content_of(tmp_path / "game").items():
        assert data["player"][0]["player_id"].encode() not in content, where
        assert b"painter 3" not in content, where
    assert cli.main(["clickme", "players", game, "--erase", "painter 3", *kind]) == 2
    assert "no simulated player has this username" in capsys.readouterr().err
    assert cli.main(["clickme", "players", game, "--check-export", str(out)]) == 2
    assert "1 of its 15 players are not in the game any more" in capsys.readouterr().err
    with sqlite3.connect(tmp_path / "game" / host.DATABASE) as base:
        assert base.execute("select count(*) from clickme_erasures").fetchone() == (1,)


def test_an_erasure_leaves_other_players_rows_alone(tmp_path):
    store = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    people = [
        {"player_id": one, "kind": "human", "name": one, "name_key": one, "joined_utc": "2026", "hidden": False}
        for one in ("anna", "berta")
    ]
    report = [{"player_id": one, "image_id": "i", "reason": "poor_image", "utc": "2026"} for one in ("anna", "berta")]
    for table, rows in ((tables.players, people), (tables.reports, report)):
        store.submit(lambda c, t=table, r=rows: tables.insert_new(c, t, r)).result()
    rights.erase_named(store, "anna")
    own = store.read(lambda c: rights.own_data(c, "berta"))
    assert (len(own["player"]), len(own["reports"])) == (1, 1)
    assert store.read(lambda c: rights.own_data(c, "anna"))["reports"] == []
    store.close()
