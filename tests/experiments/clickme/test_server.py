"""A real server against clients that forge, flood and guess codes: refused by name, others not disturbed."""

import shutil

import pytest
from websockets.exceptions import ConnectionClosed

from tests.experiments.clickme.conftest import make_folder
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import QUICK, names, stored
from tests.experiments.clickme.running import Running


@pytest.mark.parametrize("cookie", ["", "clickme=", "clickme=abc.def", "clickme=" + "x" * 3000])
def test_a_forged_cookie_is_no_login(server, cookie):
    guest = Guest(server.url, next(names))
    guest.cookie = cookie
    with guest, pytest.raises(ConnectionClosed) as closed:
        guest.hear()
    assert closed.value.rcvd.code == 4401
    assert call(server.url, "/api/me", cookie=cookie)[0] == 401


def test_another_site_cannot_play_for_a_player(server):
    guest = Guest(server.url, next(names))
    with pytest.raises(Exception, match="403"):
        guest.open(origin="https://elsewhere.example")
    headers = {"origin": "https://elsewhere.example"}
    assert call(server.url, "/api/join", {"name": next(names)}, headers=headers)[0] == 403


def test_a_flood_of_messages_closes_only_its_own_connection(server):
    with Guest(server.url, next(names)) as flood, Guest(server.url, next(names)) as other:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(2000):
                flood.say({"type": "nonsense"})
            while True:
                flood.hear(seconds=5)
        assert closed.value.rcvd.code == 4429
        assert other.deal()["type"] == "image"


def test_usernames_are_unique_whatever_their_case_and_no_one_logs_in_without_the_code(server):
    guest = Guest(server.url, "Zoë Example")
    assert call(server.url, "/api/join", {"name": "zoe  example"})[0] == 409
    assert call(server.url, "/api/return", {"name": "Zoë Example", "code": "AAAAAAAA"})[0] == 403
    status, me, cookie = call(server.url, "/api/return", {"name": "zoe example", "code": guest.me["code"].lower()})
    assert status == 200
    assert me["name"] == "Zoë Example"
    assert call(server.url, "/api/me", cookie=cookie)[1] == guest.me


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"name": 3}', b'{"name": ""}', b'{"name": "a", "score": 9}', b'"' + b"x" * 70_000 + b'"'],
)
def test_malformed_joins_are_refused(server, body):
    status, answer, _ = call(server.url, "/api/join", body)
    assert status in (400, 413, 422)
    assert answer["text"]


def test_offensive_usernames_are_refused_and_innocent_ones_welcome(server):
    status, answer, _ = call(server.url, "/api/join", {"name": "Sh1t h.e.a.d"})
    assert (status, answer["error"]) == (422, "name")
    assert "choose another" in answer["text"]


def test_the_page_and_its_files_come_with_a_strict_policy(server):
    import urllib.request

    for path in ("", "static/game.js", "static/game.css", "static/rules.js", "static/link.js", "static/icon.svg"):
        with urllib.request.urlopen(server.url + path) as answer:
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert b"http://" not in answer.read().replace(b"http://www.w3.org/2000/svg", b"")
    assert call(server.url, "/static/../server.py")[0] == 404


# -- servers of their own -------------------------------------------------------------------------------------------


def test_a_daily_limit_holds_over_a_restart(tmp_path, images):
    text = QUICK.replace("daily_limit = 40", "daily_limit = 2")
    with Running(images, tmp_path / "game", game=text) as running:
        with Guest(running.url, "anna") as guest:
            for _ in range(2):
                guest.say({"type": "skip", "round": guest.deal()["round"]})
                guest.hear("end")
            assert guest.deal()["code"] == "daily_limit"
        assert running.stop() == 0
    with Running(images, tmp_path / "game") as running:
        guest.url = running.url
        with guest:
            assert guest.deal()["code"] == "daily_limit"


def test_when_the_images_run_out_the_player_is_told(tmp_path):
    images = make_folder(tmp_path / "images", per_category=1, n_categories=2, n_practice=0)
    with Running(images, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        for _ in range(2):
            guest.say({"type": "skip", "round": guest.deal()["round"]})
            guest.hear("end")
        assert guest.deal()["code"] == "no_more"


def test_a_image_that_does_not_decode_is_passed_over_and_written_down(tmp_path):
    images = make_folder(tmp_path / "images", per_category=1, n_categories=3, n_practice=0)
    (images / "images" / "bird-00.png").write_bytes(b"\x89PNG\r\n\x1a\n but not really")
    with Running(images, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        words = []
        while (image := guest.deal())["type"] == "image":
            words.append(image["category"])
            guest.say({"type": "skip", "round": image["round"]})
            guest.hear("end")
        assert sorted(words) == ["cat", "couch"]
        running.data = tmp_path / "game"
        assert list(stored(running).broken) == ["bird-00"]


def test_a_image_that_enough_players_report_is_dealt_no_more(tmp_path):
    images = make_folder(tmp_path / "images", per_category=1, n_categories=1, n_practice=0)
    with Running(images, tmp_path / "game", game="report_limit = 2\n" + QUICK) as running:
        for name in ("anna", "berta"):
            with Guest(running.url, name) as guest:
                guest.say({"type": "report", "round": guest.deal()["round"], "reason": "poor_image"})
                guest.hear("end")
        with Guest(running.url, "clara") as guest:
            assert guest.deal()["code"] == "no_more"


def test_a_category_that_the_partner_does_not_know_keeps_the_server_from_starting(tmp_path):
    images = make_folder(tmp_path / "images", n_categories=2)
    table = images / "images.csv"
    table.write_text(table.read_text().replace(",cat,", ",unicorn,"))
    with pytest.raises(RuntimeError, match="unknown: unicorn"):
        Running(images, tmp_path / "game")


def test_a_game_folder_belongs_to_its_images(tmp_path, images):
    with Running(images, tmp_path / "game", game=QUICK) as running:
        assert running.stop() == 0
    other = shutil.copytree(images, tmp_path / "other")
    with pytest.raises(RuntimeError, match="is played with"):
        Running(other, tmp_path / "game")


def test_joining_over_and_over_is_slowed_down(tmp_path, images):
    with Running(images, tmp_path / "game", game=QUICK) as running:
        statuses = [call(running.url, "/api/join", {"name": "x"})[0] for _ in range(200)]
    assert statuses[:100] == [422] * 100
    assert 429 in statuses
