"""What keeps players going: the partner's words, and progress that a restart does not lose."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rapidvision.experiments.clickme.game import messages
from rapidvision.experiments.clickme.game.masking import PartnerView
from rapidvision.experiments.clickme.game.round import Round
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Game, settings_row
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.standings import Standings
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import coloured_place

WORDS = ("bird", "cat", "umbrella")
BLANK = np.array([0.1, 0.1, 0.8])


def asked(blank):
    rules = Rules()
    play = Round("r", "cat", WORDS, rules, PartnerView(np.zeros((256, 256, 3), np.uint8), rules, seed=1), blank)
    play.start()
    guess = None
    for seq in range(10):
        guess = play.bubble(seq, 100 + 3 * seq, 100, at_ms=50.0 * seq)
    return play, guess


@pytest.mark.parametrize(
    ("answer", "said", "sure"),
    [
        ((0.6, 0.3, 0.1), "bird", 0.6),
        ((0.1, 0.1, 0.8), "", 0.0),  # what it says of nothing is not news
        ((0.05, 0.05, 0.9), "umbrella", 0.9),
    ],
)
def test_the_partner_says_what_an_empty_view_does_not_tell_it(answer, said, sure):
    play, guess = asked(BLANK)
    play.answer(guess, np.array(answer), at_ms=460.0)
    assert (guess.said, guess.sure) == (said, sure)
    assert messages.looked(play, guess, spoken=True)["says"] == said
    assert "says" not in messages.looked(play, guess, spoken=False)


def test_a_partner_whose_empty_view_is_not_known_yet_says_nothing():
    play, guess = asked(None)
    play.answer(guess, np.array([0.9, 0.05, 0.05]), at_ms=460.0)
    assert guess.said == ""


def test_progress_is_the_same_after_a_restart_and_the_week_begins_on_monday(tmp_path):
    game, store = Game(), tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    row = settings_row(game)
    player = {"player_id": "p", "kind": "human", "name": "P", "name_key": "p", "joined_utc": "2026", "hidden": False}
    sunday = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    played = [(0.8, "solved", "main"), (0.0, "time", "main"), (0.9, "solved", "catch"), (0.7, "solved", "practice")]
    played += [(0.5, "solved", "main"), (0.0, "skipped", "main")]
    rounds, live = [], Standings(game)
    live.names["p"] = "P"
    for number, (points, result, phase) in enumerate(played):
        ended = sunday + timedelta(minutes=2 * number)
        utc = ended.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rounds.append({
            "round_id": f"r{number}", "player_id": "p", "image_id": "i", "image_sha256": "", "category": "cat",
            "phase": phase, "dealt_utc": utc, "started_utc": utc, "ended_utc": utc, "result": result,
            "points": points, "duration_ms": 1.0, "settings": row["digest"],
        })  # fmt: skip
        if result != "skipped" and phase != "practice":
            last = live.ended("p", points, ended)
    for table, rows in ((tables.settings, [row]), (tables.players, [player]), (tables.rounds, rounds)):
        store.submit(lambda c, t=table, r=rows: tables.insert_new(c, t, r)).result()
    assert last == (2, 2, 90, False, 3, 1, 250)
    again = Standings(game)
    again.names["p"] = "P"
    store.read(lambda connection: again.recall(connection, "human"))
    store.close()
    monday = sunday + timedelta(hours=1)
    assert again.board("p", moment=monday) == live.board("p", moment=monday)
    assert again.board("p", moment=monday)["week"] == [{"name": "P", "points": 140, "you": True}]
    assert again.board("p", moment=monday)["rows"][0]["points"] == 220
    assert again.ended("p", 1.0, monday) == live.ended("p", 1.0, monday) == (3, 3, 100, True, 4, 2, 750)
    assert again.board("p", moment=monday + timedelta(days=7))["week"] == []


def test_a_player_hears_the_partner_and_how_far_they_have_come(server):
    with Guest(server.url, "talker") as guest:
        image = guest.deal()
        place = coloured_place(call(server.url, f"/api/rounds/{image['round']}/image.png", cookie=guest.cookie)[1])
        guest.say({"type": "start", "round": image["round"], "pointer": "mouse"})
        guest.hear("started")
        guest.paint(image["round"], [[place[0] + k % 2, place[1] + k // 2] for k in range(20)])
        end = guest.hear("end")
        assert end["result"] == "solved"
        assert (end["progress"]["streak"], end["progress"]["today"], end["daily_goal"]) == (1, 1, 10)
        assert end["progress"]["best"] == end["points"]
        guest.say({"type": "skip", "round": guest.deal()["round"]})
        assert guest.hear("end")["progress"] is None
