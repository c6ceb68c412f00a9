"""A real server against players who play, err, cheat and leave: nothing lost, nobody else disturbed."""

import itertools
import json
import shutil
import time

import pytest
from websockets.exceptions import ConnectionClosed

from rapidvision.experiments.clickme import host
from rapidvision.experiments.clickme.collected import collect
from tests.experiments.clickme.chaos import chaos
from tests.experiments.clickme.conftest import make_folder
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.running import EYE, Running

QUICK = """
name = "Test game"
practice_rounds = 0
daily_limit = 40
[rules]
round_ms = 1200
answer_limit_ms = 300
slack_ms = 1200
"""
names = (f"guest {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    pictures = make_folder(folder / "pictures", per_category=12)
    with Running(pictures, folder / "game", game=QUICK) as running:
        running.data = folder / "game"
        yield running


def stored(running):
    store = host.existing_store(running.data)
    try:
        return collect(store)
    finally:
        store.close()


def bubbles_of(running, round_id):
    store = host.existing_store(running.data)
    try:
        query = "select x, y from clickme_bubbles where round_id = :round order by seq"
        import sqlalchemy as sa

        return [tuple(row) for row in store.read(lambda c: c.execute(sa.text(query), {"round": round_id}).all())]
    finally:
        store.close()


def line(n, start=20):
    return [[start + 5 * k, 30] for k in range(n)]


def test_a_round_by_the_clock_is_stored_bubble_by_bubble_and_ends_on_time(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        began = time.monotonic()
        guest.paint(round_id, line(4))
        assert guest.hear("stored")["upto"] == 4
        end = guest.hear("end")
        assert (end["result"], end["points"]) == ("time", 0)
        assert time.monotonic() - began >= 1.1
    (record,) = [one for one in stored(server).rounds if one.round_id == round_id]
    assert record.xy.tolist() == line(4)
    assert record.duration_ms == 1200
    assert (record.at_ms >= 0).all()


def test_duplicates_replays_and_disorder_are_harmless(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        guest.paint(round_id, line(2))
        guest.paint(round_id, line(2))
        guest.paint(round_id, line(6)[4:], first=4)  # a gap: 2 and 3 are missing
        assert guest.hear("refused")["code"] == "gap"
        guest.paint(round_id, line(6))
        while guest.hear("stored")["upto"] < 6:
            pass
        guest.hear("end")
        guest.paint(round_id, line(6))  # after the end: known, so it may be said again
        assert guest.hear("stored", "refused")["type"] == "stored"
    assert bubbles_of(server, round_id) == [tuple(place) for place in line(6)]


@pytest.mark.parametrize(
    ("places", "first", "code"),
    [
        ([[256, 10]], 0, "outside"),
        ([[10, -1]], 0, "outside"),
        ([[10, 10], [18, 10]], 0, "jump"),
        ([[10, 10], [10, 10]], 0, "repeat"),
        ([[10, 10]] * 141, 0, "too_many"),
        ([[10, 10]], 3, "gap"),
    ],
)
def test_what_the_rules_forbid_is_refused_by_name_and_not_stored(server, places, first, code):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        guest.paint(round_id, places, first)
        assert guest.hear("refused")["code"] == code
        assert guest.hear("end")["type"] == "end"
    legal = 1 if code in ("jump", "repeat") else 0
    assert len(bubbles_of(server, round_id)) == legal


def test_bubbles_before_the_start_and_after_the_end_are_refused(server):
    with Guest(server.url, next(names)) as guest:
        picture = guest.deal()
        guest.paint(picture["round"], line(1))
        assert guest.hear("refused")["code"] == "not_started"
        round_id = guest.begin()
        assert round_id == picture["round"]  # asking again does not change the picture
        guest.hear("end")
        guest.paint(round_id, line(1))
        assert guest.hear("refused")["code"] == "over"
    assert bubbles_of(server, round_id) == []


def test_ten_thousand_bubbles_in_one_packet_disturb_nobody(server):
    with Guest(server.url, next(names)) as guest, Guest(server.url, next(names)) as other:
        other_round = other.begin()
        round_id = guest.begin()
        guest.paint(round_id, [[k % 200, 7] for k in range(10_000)])
        with pytest.raises(ConnectionClosed):
            guest.hear("end", seconds=3)
        other.paint(other_round, line(3))
        assert other.hear("stored")["upto"] == 3
        guest.open()
        assert guest.hear("picture", "end")["round"] == round_id
    assert bubbles_of(server, round_id) == []


def test_a_forged_score_is_not_even_read(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        for message in (
            {"type": "end", "round": round_id, "points": 1e9},
            {"type": "bubbles", "round": round_id, "first": 0, "xy": [[1, 1]], "points": 100},
            {"type": "start", "round": round_id, "started_ms": -5000},
            {"type": "bubbles", "round": round_id, "first": 0, "xy": [[1.5, 1]]},
            {"type": "bubbles", "round": round_id, "first": -1, "xy": [[1, 1]]},
            {"type": "bubbles", "round": round_id, "first": 0, "xy": [["NaN", 1]]},
            "not json",
            "[" * 5000,
            '{"type": "deal", "type": "deal"',
        ):
            guest.say(message)
            assert guest.hear("refused")["code"] == "not_understood", message
        assert guest.hear("end")["points"] == 0
    assert call(server.url, "/api/board", cookie=guest.cookie)[1]["you"]["points"] == 0


def test_a_forged_start_cannot_buy_time(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        time.sleep(0.5)
        guest.say({"type": "start", "round": round_id})
        assert guest.hear("started")["elapsed_ms"] > 400
        began = time.monotonic()
        guest.hear("end")
        assert time.monotonic() - began < 1.1


def test_a_second_tab_takes_over_and_the_round_goes_on_there(server):
    with Guest(server.url, next(names)) as first:
        round_id = first.begin()
        first.paint(round_id, line(2))
        first.hear("stored")
        old = first.socket
        first.open()
        picture = first.hear("picture")
        assert picture["round"] == round_id
        assert picture["xy"] == line(2)
        assert picture["elapsed_ms"] > 0
        messages = [json.loads(message) for message in old]
        assert messages[-1]["type"] == "moved"
        first.paint(round_id, line(3)[2:], first=2)
        assert first.hear("stored")["upto"] == 3


def test_nobody_touches_the_rounds_of_another(server):
    with Guest(server.url, next(names)) as owner, Guest(server.url, next(names)) as thief:
        round_id = owner.begin()
        thief.paint(round_id, line(1))
        assert thief.hear("refused")["code"] == "no_such_round"
        assert call(server.url, f"/api/rounds/{round_id}/picture.png", cookie=thief.cookie)[0] == 404
        assert call(server.url, f"/api/rounds/{round_id}/picture.png")[0] == 404
        assert call(server.url, f"/api/rounds/{round_id}/picture.png", cookie=owner.cookie)[0] == 200
    assert bubbles_of(server, round_id) == []


def test_what_the_partner_saw_is_not_shown_where_the_game_does_not(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        assert call(server.url, f"/api/rounds/{round_id}/view.png", cookie=guest.cookie)[0] == 403
        guest.hear("end")
        assert call(server.url, f"/api/rounds/{round_id}/view.png", cookie=guest.cookie)[0] == 403


@pytest.mark.parametrize("cookie", ["", "clickme=", "clickme=abc.def", "clickme=" + "x" * 3000])
def test_a_forged_cookie_is_nobody(server, cookie):
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
        assert other.deal()["type"] == "picture"


def test_usernames_are_unique_whatever_their_case_and_nobody_gets_in_without_the_code(server):
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


def test_skipping_and_reporting_bring_the_next_picture(server):
    with Guest(server.url, next(names)) as guest:
        seen = []
        for message in (
            {"type": "skip"},
            {"type": "report", "reason": "poor_picture"},
            {"type": "report", "reason": "wrong_label"},
        ):
            picture = guest.deal()
            seen.append(picture["round"])
            guest.say({**message, "round": picture["round"]})
            assert guest.hear("end")["result"] == "skipped"
        assert len(set(seen)) == 3
    data = stored(server)
    mine = [one for one in data.rounds if one.round_id in seen]
    assert len({one.image_id for one in mine}) == 3
    assert sum(mine[0].player_id in who for who in data.reports.values()) == 2


def test_the_page_and_its_files_come_with_a_strict_policy(server):
    import urllib.request

    for path in ("", "static/game.js", "static/game.css", "static/rules.js", "static/link.js", "static/icon.svg"):
        with urllib.request.urlopen(server.url + path) as answer:
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert b"http://" not in answer.read().replace(b"http://www.w3.org/2000/svg", b"")
    assert call(server.url, "/static/../server.py")[0] == 404


# -- servers of their own -------------------------------------------------------------------------------------------


def test_a_daily_limit_holds_over_a_restart(tmp_path, pictures):
    text = QUICK.replace("daily_limit = 40", "daily_limit = 2")
    with Running(pictures, tmp_path / "game", game=text) as running:
        with Guest(running.url, "anna") as guest:
            for _ in range(2):
                guest.say({"type": "skip", "round": guest.deal()["round"]})
                guest.hear("end")
            assert guest.deal()["code"] == "daily_limit"
        assert running.stop() == 0
    with Running(pictures, tmp_path / "game") as running:
        guest.url = running.url
        with guest:
            assert guest.deal()["code"] == "daily_limit"


def test_when_the_pictures_run_out_the_player_is_told(tmp_path):
    pictures = make_folder(tmp_path / "pictures", per_category=1, n_categories=2, n_practice=0)
    with Running(pictures, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        for _ in range(2):
            guest.say({"type": "skip", "round": guest.deal()["round"]})
            guest.hear("end")
        assert guest.deal()["code"] == "no_more"


def test_a_picture_that_does_not_decode_is_passed_over_and_written_down(tmp_path):
    pictures = make_folder(tmp_path / "pictures", per_category=1, n_categories=3, n_practice=0)
    (pictures / "images" / "bird-00.png").write_bytes(b"\x89PNG\r\n\x1a\n but not really")
    with Running(pictures, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        words = []
        while (picture := guest.deal())["type"] == "picture":
            words.append(picture["category"])
            guest.say({"type": "skip", "round": picture["round"]})
            guest.hear("end")
        assert sorted(words) == ["cat", "couch"]
        running.data = tmp_path / "game"
        assert list(stored(running).broken) == ["bird-00"]


def test_a_picture_that_enough_players_report_is_dealt_no_more(tmp_path):
    pictures = make_folder(tmp_path / "pictures", per_category=1, n_categories=1, n_practice=0)
    with Running(pictures, tmp_path / "game", game="report_limit = 2\n" + QUICK) as running:
        for name in ("anna", "berta"):
            with Guest(running.url, name) as guest:
                guest.say({"type": "report", "round": guest.deal()["round"], "reason": "poor_picture"})
                guest.hear("end")
        with Guest(running.url, "clara") as guest:
            assert guest.deal()["code"] == "no_more"


def test_a_category_that_the_partner_does_not_know_keeps_the_server_from_starting(tmp_path):
    pictures = make_folder(tmp_path / "pictures", n_categories=2)
    table = pictures / "images.csv"
    table.write_text(table.read_text().replace(",cat,", ",unicorn,"))
    with pytest.raises(RuntimeError, match="unknown: unicorn"):
        Running(pictures, tmp_path / "game")


@pytest.mark.parametrize(("partner", "state"), [("make_slow", "absent"), ("make_failing", "absent")])
def test_a_partner_that_is_late_or_fails_leaves_the_round_to_the_clock_and_the_data_say_so(
    tmp_path, pictures, partner, state
):
    environment = {"EYE_PAUSE_S": "2"}
    with Running(
        pictures, tmp_path / "game", partner=f"{EYE}:{partner}", game=QUICK, environment=environment
    ) as running:
        running.data = tmp_path / "game"
        with Guest(running.url, "anna") as guest:
            round_id = guest.begin()
            guest.paint(round_id, line(12))
            end = guest.hear("end")
            assert (end["result"], end["partner"]) == ("time", state)
        (record,) = [one for one in stored(running).rounds if one.round_id == round_id]
        assert record.partner_state == state
        assert record.guesses[0].status == ("late" if partner == "make_slow" else "failed")


def test_a_solved_round_gives_points_for_the_time_left_and_the_board_shows_them(tmp_path, pictures):
    with Running(pictures, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        picture = guest.deal()
        image = call(running.url, f"/api/rounds/{picture['round']}/picture.png", cookie=guest.cookie)[1]
        x, y = coloured_place(image)
        guest.say({"type": "start", "round": picture["round"]})
        guest.paint(picture["round"], [[x + (k % 2), y] for k in range(10)])
        end = guest.hear("end")
        assert end["result"] == "solved"
        assert 50 <= end["points"] <= 100
        board = call(running.url, "/api/board", cookie=guest.cookie)[1]
        assert board["rows"] == [{"name": "anna", "points": end["points"], "you": True}]
        assert running.stop() == 0
        assert "".join(running.errors) == ""


def coloured_place(png):
    import io

    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("HSV"))
    rows, columns = np.nonzero(pixels[..., 1] > 100)
    return int(columns.mean()), int(rows.mean())


def test_a_game_folder_belongs_to_its_pictures(tmp_path, pictures):
    with Running(pictures, tmp_path / "game", game=QUICK) as running:
        assert running.stop() == 0
    other = shutil.copytree(pictures, tmp_path / "other")
    with pytest.raises(RuntimeError, match="is played with"):
        Running(other, tmp_path / "game")


def test_joining_over_and_over_is_slowed_down(tmp_path, pictures):
    with Running(pictures, tmp_path / "game", game=QUICK) as running:
        statuses = [call(running.url, "/api/join", {"name": "x"})[0] for _ in range(200)]
    assert statuses[:100] == [422] * 100
    assert 429 in statuses


def test_no_acknowledged_bubble_is_lost_when_the_server_is_killed_under_play(tmp_path, pictures, seed):
    """Three kills here; the benchmark does fifty and more."""
    done = chaos(pictures, tmp_path / "game", n_kills=3, n_players=4, seed=seed)
    assert done.n_acknowledged > 50
    assert done.n_lost == 0
    assert done.n_altered == 0
    assert done.results <= {"solved", "time", "interrupted", "left"}
