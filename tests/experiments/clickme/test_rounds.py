"""Rounds against a real server: players who play, err, cheat and leave; nothing lost."""

import json
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.experiments.clickme.chaos import chaos
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import QUICK, bubbles_of, coloured_place, line, names, stored
from tests.experiments.clickme.running import EYE, Running


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
        dealt = guest.deal()
        guest.paint(dealt["round"], line(1))
        assert guest.hear("refused")["code"] == "not_started"
        round_id = guest.begin()
        assert round_id == dealt["round"]  # asking again does not change the image
        guest.hear("end")
        guest.paint(round_id, line(1))
        assert guest.hear("refused")["code"] == "over"
    assert bubbles_of(server, round_id) == []


def test_ten_thousand_bubbles_in_one_packet_disturb_no_other_player(server):
    with Guest(server.url, next(names)) as guest, Guest(server.url, next(names)) as other:
        other_round = other.begin()
        round_id = guest.begin()
        guest.paint(round_id, [[k % 200, 7] for k in range(10_000)])
        with pytest.raises(ConnectionClosed):
            guest.hear("end", seconds=3)
        other.paint(other_round, line(3))
        assert other.hear("stored")["upto"] == 3
        guest.open()
        assert guest.hear("image", "end")["round"] == round_id
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


def test_a_second_tab_takes_over_and_the_round_continues_there(server):
    with Guest(server.url, next(names)) as first:
        round_id = first.begin()
        first.paint(round_id, line(2))
        first.hear("stored")
        old = first.socket
        first.open()
        dealt = first.hear("image")
        assert dealt["round"] == round_id
        assert dealt["xy"] == line(2)
        assert dealt["elapsed_ms"] > 0
        messages = [json.loads(message) for message in old]
        assert messages[-1]["type"] == "moved"
        first.paint(round_id, line(3)[2:], first=2)
        assert first.hear("stored")["upto"] == 3


def test_no_player_touches_the_rounds_of_another(server):
    with Guest(server.url, next(names)) as owner, Guest(server.url, next(names)) as thief:
        round_id = owner.begin()
        thief.paint(round_id, line(1))
        assert thief.hear("refused")["code"] == "no_such_round"
        assert call(server.url, f"/api/rounds/{round_id}/image.png", cookie=thief.cookie)[0] == 404
        assert call(server.url, f"/api/rounds/{round_id}/image.png")[0] == 404
        assert call(server.url, f"/api/rounds/{round_id}/image.png", cookie=owner.cookie)[0] == 200
    assert bubbles_of(server, round_id) == []


def test_what_the_partner_saw_is_not_shown_where_the_game_does_not(server):
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        assert call(server.url, f"/api/rounds/{round_id}/view.png", cookie=guest.cookie)[0] == 403
        guest.hear("end")
        assert call(server.url, f"/api/rounds/{round_id}/view.png", cookie=guest.cookie)[0] == 403


def test_skipping_and_reporting_bring_the_next_image(server):
    with Guest(server.url, next(names)) as guest:
        seen = []
        for message in (
            {"type": "skip"},
            {"type": "report", "reason": "poor_image"},
            {"type": "report", "reason": "wrong_label"},
        ):
            dealt = guest.deal()
            seen.append(dealt["round"])
            guest.say({**message, "round": dealt["round"]})
            assert guest.hear("end")["result"] == "skipped"
        assert len(set(seen)) == 3
    data = stored(server)
    mine = [one for one in data.rounds if one.round_id in seen]
    assert len({one.image_id for one in mine}) == 3
    assert sum(mine[0].player_id in who for who in data.reports.values()) == 2


@pytest.mark.parametrize(("partner", "state"), [("make_slow", "absent"), ("make_failing", "absent")])
def test_a_partner_that_is_late_or_fails_leaves_the_round_to_the_clock_and_the_data_say_so(
    tmp_path, images, partner, state
):
    environment = {"EYE_PAUSE_S": "2"}
    with Running(images, tmp_path / "game", partner=f"{EYE}:{partner}", game=QUICK, environment=environment) as running:
        running.data = tmp_path / "game"
        with Guest(running.url, "anna") as guest:
            round_id = guest.begin()
            guest.paint(round_id, line(12))
            end = guest.hear("end")
            assert (end["result"], end["partner"]) == ("time", state)
        (record,) = [one for one in stored(running).rounds if one.round_id == round_id]
        assert record.partner_state == state
        assert record.guesses[0].status == ("late" if partner == "make_slow" else "failed")


def test_a_solved_round_gives_points_for_the_time_left_and_the_board_shows_them(tmp_path, images):
    with Running(images, tmp_path / "game", game=QUICK) as running, Guest(running.url, "anna") as guest:
        dealt = guest.deal()
        image = call(running.url, f"/api/rounds/{dealt['round']}/image.png", cookie=guest.cookie)[1]
        x, y = coloured_place(image)
        guest.say({"type": "start", "round": dealt["round"]})
        guest.paint(dealt["round"], [[x + (k % 2), y] for k in range(10)])
        end = guest.hear("end")
        assert end["result"] == "solved"
        assert 50 <= end["points"] <= 100
        board = call(running.url, "/api/board", cookie=guest.cookie)[1]
        assert board["rows"] == [{"name": "anna", "points": end["points"], "you": True}]
        assert running.stop() == 0
        assert "".join(running.errors) == ""


def test_no_acknowledged_bubble_is_lost_when_the_server_is_killed_under_play(tmp_path, images, seed):
    """Three kills here; the benchmark does fifty and more."""
    done = chaos(images, tmp_path / "game", n_kills=3, n_players=4, seed=seed)
    assert done.n_acknowledged > 50
    assert done.n_lost == 0
    assert done.n_altered == 0
    assert done.results <= {"solved", "time", "interrupted", "left"}
