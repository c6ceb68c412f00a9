"""The report's numbers: exact small cases, calibrated tests, and a page that says who played."""

import dataclasses
import json
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Contest, Game
from rapidvision.experiments.clickme.maps.agreement import compare
from rapidvision.experiments.clickme.maps.equal_maps import equal_rounds
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.report.page import write_report
from rapidvision.experiments.clickme.report.statistics import describe
from rapidvision.experiments.clickme.storage.collected import Collected, GuessRecord, RoundRecord
from rapidvision.experiments.clickme.storage.selection import Selection
from rapidvision.experiments.clickme.storage.standings import Standings


def record(number, *, player="p", image="i", result="time", n_bubbles=20, guesses=(), day=1):
    return RoundRecord(
        round_id=f"r{number}",
        player_id=player,
        player=player,
        image_id=image,
        category="cat",
        kind="human",
        rules=Rules(),
        image_sha256=image,
        phase="main",
        started_utc=f"2026-01-{day:02d}T00:00:{number % 60:02d}.000Z",
        ended_utc="",
        result=result,
        points=0.5 if result == "solved" else 0.0,
        duration_ms=7000,
        partner="none",
        partner_state="ok",
        pointer="mouse",
        is_mobile=False,
        automated=False,
        n_refused=0,
        xy=np.stack([np.arange(n_bubbles), np.arange(n_bubbles)], axis=1),
        at_ms=np.arange(n_bubbles) * 50.0,
        client_ms=np.arange(n_bubbles) * 50.0,
        guesses=tuple(guesses),
    )


def test_sizes_and_shares_of_a_small_game_are_exact():
    rounds = (
        record(1, player="a", image="x", result="solved", n_bubbles=10),
        record(2, player="a", image="y", result="time", n_bubbles=30),
        record(3, player="b", image="x", result="interrupted", n_bubbles=20),
        record(4, player="b", image="z", result="skipped", n_bubbles=5),
    )
    numbers = describe(Collected(rounds, {"x": frozenset("b")}), Game())
    assert (numbers.n_players, numbers.n_rounds, numbers.n_images, numbers.n_bubbles) == (2, 3, 2, 60)
    assert numbers.players_per_map == {1: 1, 2: 1}
    assert (numbers.success, numbers.time_outs, numbers.interrupted) == (1 / 3, 1 / 3, 1 / 3)
    assert numbers.share_of_players_with_more == 0.5
    assert numbers.reported_share == 0.5
    assert (numbers.bubbles_mean, numbers.bubbles_median) == (20, 20)


def test_answers_of_the_partner_are_counted_with_their_fates():
    guesses = [
        GuessRecord(9, 450, 500, "answered", 2, 0.1, "dog"),
        GuessRecord(19, 950, 2950, "late", 1, 0.9, "cat"),
        GuessRecord(29, 1450, None, "superseded", None, None, ""),
        GuessRecord(39, 1950, None, "unneeded", None, None, ""),
    ]
    one = dataclasses.replace(record(1, guesses=guesses), partner="eye")
    numbers = describe(Collected((one,)), Game())
    assert numbers.answer_ms_median == 1025
    assert numbers.n_unanswered == 2


def test_without_a_partner_there_are_no_answers_and_no_questions(played, tmp_path):
    """The report said that a partner that was not there had answered within 0 ms and failed 512 times."""
    numbers = describe(played.everything, played.game)
    assert sum(len(one.guesses) for one in played.everything.played) > 0
    assert (np.isnan(numbers.answer_ms_median), numbers.n_unanswered) == (True, 0)


def test_learning_is_seen_where_it_is():
    rounds = []
    for player in range(10):
        for number in range(20):
            result = "solved" if number >= 10 else "time"
            rounds.append(record(number, player=f"p{player}", image=f"i{number}", result=result))
    numbers = describe(Collected(tuple(rounds)), Game())
    for paired in (numbers.halves, numbers.tens):
        assert (paired.first, paired.second, paired.n_players) == (0, 1, 10)
        assert paired.p == 2 / 2**10
    # gains of three, -two … of ten: fractions whose sums tie
    gains, rounds = (3, -2, 2, 3, 3, 4, -1, 1, 3), []
    for player, gain in enumerate(gains):
        for number in range(20):
            won = number % 10 < (4 if number < 10 else 4 + gain)
            rounds.append(record(number, player=f"p{player}", image=f"i{number}", result="solved" if won else "time"))
    assert describe(Collected(tuple(rounds)), Game()).tens.p == 28 / 512
    few = describe(Collected(tuple(rounds[:3])), Game())
    assert few.halves is None
    assert few.tens is None


def contest(first, last):
    return Contest(name="Cup", starts=datetime(2026, 1, first, tzinfo=UTC), ends=datetime(2026, 1, last, tzinfo=UTC))


def test_contests_are_compared_with_the_rest_of_the_time():
    rounds = [record(n, player=f"p{n}", image=f"i{n}", day=1) for n in range(2)]
    rounds += [record(n, player=f"p{n}", image=f"i{n}", day=3, result="solved") for n in range(2, 8)]
    rounds += [record(8, day=5)]
    numbers = describe(Collected(tuple(rounds)), Game(contests=(contest(3, 4),)))
    assert (numbers.inside.n_rounds, numbers.outside.n_rounds) == (6, 3)
    assert numbers.inside.n_days == pytest.approx(1)
    assert numbers.inside.rounds_per_day == pytest.approx(6)
    assert (numbers.inside.success, numbers.outside.success) == (1, 0)


def test_contests_must_not_overlap_nor_end_before_they_start():
    with pytest.raises(ValueError, match="overlap"):
        Game(contests=(contest(1, 4), contest(3, 5)))
    with pytest.raises(ValueError, match="ends before"):
        contest(4, 3)
    with pytest.raises(ValueError, match="time zone"):
        Contest(name="Cup", starts=datetime(2026, 1, 1), ends=datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(InputError, match="known are Cup"):
        Game(contests=(contest(1, 2),)).contest_named("Bowl")


def test_a_contest_has_a_board_of_its_own():
    game = Game(contests=(contest(3, 4),))
    standings = Standings(game)
    standings.names.update(a="Anna", b="Berta")
    standings.credit("a", 0.9, datetime(2026, 1, 1, tzinfo=UTC))
    standings.credit("b", 0.4, datetime(2026, 1, 3, 12, tzinfo=UTC))
    during = standings.board("a", moment=datetime(2026, 1, 3, 13, tzinfo=UTC))
    assert [row["name"] for row in during["rows"]] == ["Berta"]
    assert during["contest"]["name"] == "Cup"
    assert during["you"] == {"points": 0, "rank": None, "total": 90}
    after = standings.board("b", moment=datetime(2026, 1, 4, tzinfo=UTC))
    assert [row["points"] for row in after["rows"]] == [90, 40]
    assert after["you"]["rank"] == 2


def part(collected):
    return Selection(collected, "simulated", Rules(), {})


def test_the_report_says_that_programs_played_and_draws_its_figures(played, tmp_path):
    quality = player_quality(played.everything, played.rules)
    write_report(part(played.everything), played.deck, played.game, tmp_path, quality=quality)
    page = (tmp_path / "report.html").read_text()
    assert "were played by programs, not by people" in page
    for name in ("players_per_map", "bubbles_per_round", "gallery"):
        assert f'src="{name}.png"' in page
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["statistics"]["n_rounds"] == len(played.everything.played)
    assert content["flags"]["off_target"] >= 4
    agreement = content["agreement"]
    assert agreement["mean"] > agreement["null"] + 0.1
    assert agreement["p"] < 0.01
    assert agreement["n_maps"] == len(played.everything.played)
    assert "players of different images" in page


def test_without_two_images_of_two_players_there_is_no_agreement(played, tmp_path):
    rounds = tuple(one for one in played.everything.played if one.player == "painter 0")
    write_report(part(Collected(rounds)), played.deck, played.game, tmp_path, quality={})
    assert "Not computed" in (tmp_path / "report.html").read_text()


def test_names_of_the_game_cannot_change_the_page(played, tmp_path):
    game = Game(name="<script>x</script>")
    few = Collected(played.everything.played[:4])
    write_report(part(few), played.deck, game, tmp_path, quality={})
    assert "<script>" not in (tmp_path / "report.html").read_text()


def test_a_game_without_players_has_no_report(played, tmp_path):
    with pytest.raises(InputError, match="nothing to report"):
        write_report(part(Collected(())), played.deck, played.game, tmp_path, quality={})


def test_the_report_compares_with_another_experiment_s_maps(played, tmp_path):
    quality = player_quality(played.everything, played.rules)
    write_report(part(played.everything), played.deck, played.game, tmp_path, quality=quality, compare_with="truth")
    content = json.loads((tmp_path / "report.json").read_text())["compared"]
    assert content["with"] == "truth"
    assert len(content["agreement"]["images"]) == 16
    assert content["agreement"]["mean"] > 0.65  # a third of the players do not look
    assert content["agreement"]["mean"] > content["agreement"]["null"] + 0.15
    assert content["agreement"]["p"] < 0.001
    even = json.loads((tmp_path / "report.json").read_text())["compared_of_equal_length"]
    assert even["n_players"] >= 1 and even["n_bubbles"] >= 1
    assert even["agreement"]["mean"] > even["agreement"]["null"] + 0.1
    text = (tmp_path / "report.html").read_text()
    assert "in another experiment" in text
    assert f"{even['n_players']} players of each image, {even['n_bubbles']} bubbles of each" in text


def test_images_with_more_players_and_longer_rounds_are_compared_on_equal_amounts(played):
    rounds = played.everything.played
    images = sorted({record.image_id for record in rounds})[:5]
    even = equal_rounds(rounds, images, seed=1)
    players = Counter(record.image_id for record in even.rounds)
    assert set(players) == set(images) and set(players.values()) == {even.n_players}
    assert len({(record.image_id, record.player_id) for record in even.rounds}) == len(even.rounds)
    assert {len(record.xy) for record in even.rounds} == {even.n_bubbles}
    again = equal_rounds(tuple(reversed(rounds)), images, seed=1)
    assert [record.round_id for record in again.rounds] == [record.round_id for record in even.rounds]


def test_a_comparison_needs_maps_of_the_same_images(played, tmp_path):
    with pytest.raises(InputError, match='no maps from "elsewhere"; the folder has truth'):
        write_report(part(played.everything), played.deck, played.game, tmp_path, quality={}, compare_with="elsewhere")
    one = dict(list(played.maps.items())[:1])
    with pytest.raises(InputError, match="1 images have maps of both"):
        compare(played.everything.played, one, played.rules, seed=1)


def test_hidden_players_are_seen_by_themselves_alone():
    standings = Standings(Game())
    for player, points in (("a", 0.9), ("b", 0.5)):
        standings.names[player] = player.upper()
        standings.credit(player, points, datetime.now(UTC))
    standings.hidden = {"a"}
    assert [row["name"] for row in standings.board("b")["rows"]] == ["B"]
    assert standings.board("b")["you"]["rank"] == 1
    assert [row["name"] for row in standings.board("a")["rows"]] == ["A", "B"]
    assert [row["name"] for row in standings.board(None)["rows"]] == ["B"]
