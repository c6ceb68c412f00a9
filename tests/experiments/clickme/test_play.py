"""A round by the server's clock: who wins, when, with how many points, and what a late partner does."""

import numpy as np
import pytest

from rapidvision.experiments.clickme.game.bubble_stroke import Illegal
from rapidvision.experiments.clickme.game.masking import PartnerView
from rapidvision.experiments.clickme.game.round import Round, ranked
from rapidvision.experiments.clickme.game.rules import Rules

CATEGORIES = ("bird", "cat")
KNOWN, UNKNOWN = np.array([0.1, 0.9]), np.array([0.9, 0.1])


def new_round(**changes):
    rules = Rules(**changes)
    view = PartnerView(np.zeros((256, 256, 3), np.uint8), rules, seed=1)
    play = Round("r", "cat", CATEGORIES, rules, view, np.full(len(CATEGORIES), 1 / len(CATEGORIES)))
    play.start()
    return play


def paint(play, n, *, every_ms=50):
    first = len(play.stroke)
    asked = [play.bubble(seq, 10 + seq % 200, 10, at_ms=seq * every_ms) for seq in range(first, first + n)]
    return [guess for guess in asked if guess is not None]


def test_the_partner_is_asked_at_every_tenth_bubble():
    play = new_round()
    assert [guess.seq for guess in paint(play, 35)] == [9, 19, 29]


def test_points_follow_the_bubble_that_asked_however_slow_the_answer():
    play = new_round()
    (guess,) = paint(play, 10)
    assert play.answer(guess, KNOWN, at_ms=1400)
    assert (play.result, play.decided_by, play.points) == ("solved", 9, pytest.approx(1 - 450 / 7000))


def test_points_follow_the_answer_where_latency_is_charged():
    play = new_round(latency="charged")
    (guess,) = paint(play, 10)
    play.answer(guess, KNOWN, at_ms=1400)
    assert play.points == pytest.approx(1 - 1400 / 7000)


def test_a_wrong_guess_lets_the_round_continue_and_the_clock_ends_it_without_points():
    play = new_round()
    (guess,) = paint(play, 10)
    assert not play.answer(guess, UNKNOWN, at_ms=500)
    assert not play.tick(at_ms=6999)
    assert play.tick(at_ms=7000)
    assert (play.result, play.points, play.ended_ms, play.partner_state) == ("time", 0, 7000, "ok")


def test_a_tie_counts_against_the_player():
    play = new_round()
    (guess,) = paint(play, 10)
    assert not play.answer(guess, np.array([0.5, 0.5]), at_ms=500)
    assert guess.rank == 2
    assert ranked(np.array([0.2, 0.2, 0.6]), "b", ("a", "b", "c")) == (2 + 1, 0.2, "c")


def test_an_answer_that_is_open_at_the_end_is_waited_for_within_its_limit():
    play = new_round()
    guesses = paint(play, 140)
    for guess in guesses[:-1]:
        play.answer(guess, UNKNOWN, at_ms=guess.asked_ms + 50)
    assert guesses[-1].asked_ms == 6950
    assert not play.tick(at_ms=7100)
    with pytest.raises(Illegal, match="ended"):
        play.bubble(140, 0, 0, at_ms=7100)
    assert play.answer(guesses[-1], KNOWN, at_ms=7200)
    assert play.points == pytest.approx(50 / 7000)


def test_a_partner_that_never_answers_leaves_the_round_to_the_clock_and_the_record_says_so():
    play = new_round()
    paint(play, 30)
    assert play.tick(at_ms=8001)
    assert (play.result, play.partner_state) == ("time", "absent")
    assert [guess.status for guess in play.guesses] == ["late"] * 3


def test_a_late_answer_is_kept_and_does_not_count():
    play = new_round(answer_limit_ms=300)
    (guess,) = paint(play, 10)
    assert not play.answer(guess, KNOWN, at_ms=900)
    assert (guess.status, guess.rank, play.state) == ("late", 1, "running")


def test_a_failed_partner_and_a_superseded_view_are_told_apart():
    play = new_round()
    first, second = paint(play, 20)
    play.supersede(first)
    play.answer(second, None, at_ms=1200)
    play.tick(at_ms=7000)
    assert [guess.status for guess in play.guesses] == ["superseded", "failed"]
    assert play.partner_state == "absent"


def test_a_solved_round_takes_no_more_bubbles_and_no_second_answer():
    play = new_round()
    first, second = paint(play, 20)
    play.answer(first, KNOWN, at_ms=1000)
    assert second.status == "unneeded"
    assert not play.answer(second, KNOWN, at_ms=1100)
    assert play.bubble(3, 13, 10, at_ms=1200) is None  # known already: harmless
    with pytest.raises(Illegal, match="ended"):
        paint(play, 1)
    assert play.partner_state == "ok"


def test_bubbles_before_the_start_and_a_second_start_are_refused():
    rules = Rules()
    play = Round("r", "cat", CATEGORIES, rules, PartnerView(np.zeros((256, 256, 3), np.uint8), rules, seed=1))
    with pytest.raises(Illegal, match="not started"):
        play.bubble(0, 1, 1, at_ms=0)
    play.start()
    with pytest.raises(Illegal, match="already"):
        play.start()


def test_skipping_ends_a_round_once():
    play = new_round()
    paint(play, 3)
    play.stop("skipped", at_ms=300)
    play.stop("left", at_ms=400)
    assert (play.result, play.ended_ms, play.points) == ("skipped", 300, 0)
