"""The rules: the paper's numbers, what is legal, and what the partner sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import RecipeError
from rapidvision.experiments.clickme.game.bubble_stroke import Illegal, Stroke
from rapidvision.experiments.clickme.game.masking import BLANK, PartnerView
from rapidvision.experiments.clickme.game.rules import Rules, span, step_towards
from rapidvision.experiments.clickme.simulation.simulated_player import Player, stroke
from rapidvision.recipes import parse

places = st.tuples(st.integers(0, 255), st.integers(0, 255))


def test_the_defaults_are_the_paper_s_and_the_game_s():
    rules = Rules()
    assert (rules.bubble_px, rules.patch_px, rules.round_ms, rules.top_k_of(1000)) == (14, 21, 7000, 5)
    assert (rules.tick_ms, rules.step_px, rules.max_bubbles, rules.guess_every) == (50, 7, 140, 10)


@pytest.mark.parametrize(
    ("n_categories", "k"), [(1, 1), (8, 1), (19, 1), (20, 1), (40, 2), (99, 4), (100, 5), (1000, 5)]
)
def test_a_guess_by_chance_stays_rare(n_categories, k):
    assert Rules().top_k_of(n_categories) == k
    assert n_categories < 20 or k / n_categories <= 1 / 20


def test_points_are_the_share_of_time_left():
    assert [Rules().points(at_ms=ms) for ms in (0, 3500, 7000, 9000)] == [1, 0.5, 0, 0]


@pytest.mark.parametrize(
    "line",
    ["image_px = 8", "bubble_px = 0", "tick_ms = 0", "top_k = -1", "noise_sd = 2.0", 'background = "black"'],
)
def test_impossible_rules_are_refused_by_name(line):
    with pytest.raises(RecipeError, match=line.split(" ")[0]):
        parse(line, Rules)


@given(places, places)
def test_a_step_is_legal_and_comes_nearer(last, cursor):
    x, y = step_towards(last, cursor, 7)
    assert (x - last[0]) ** 2 + (y - last[1]) ** 2 <= 49
    before = (cursor[0] - last[0]) ** 2 + (cursor[1] - last[1]) ** 2
    after = (cursor[0] - x) ** 2 + (cursor[1] - y) ** 2
    assert after < before or last == cursor


@given(st.integers(0, 255), st.integers(1, 40))
def test_a_square_is_whole_inside_and_cut_at_the_border(centre, side):
    first, end = span(centre, side, 256)
    assert 0 <= first <= centre < end <= 256
    assert end - first == side or first == 0 or end == 256


def refusal(stroke_, *arguments, **more):
    with pytest.raises(Illegal) as caught:
        stroke_.place(*arguments, **more)
    return caught.value.code


def test_each_illegal_bubble_is_refused_by_its_own_name_and_leaves_nothing():
    rules = Rules()
    one = Stroke(rules)
    assert refusal(one, 0, 256, 0, at_ms=0) == "outside"
    assert refusal(one, 0, 0, -1, at_ms=0) == "outside"
    one.place(0, 10, 10, at_ms=0)
    assert refusal(one, 0, 11, 10, at_ms=50) == "conflict"
    assert refusal(one, 2, 12, 10, at_ms=100) == "gap"
    assert refusal(one, 1, 18, 10, at_ms=50) == "jump"
    assert refusal(one, 1, 15, 16, at_ms=50) == "jump"  # 7.8 px on the diagonal
    assert refusal(one, 1, 10, 10, at_ms=50) == "repeat"
    assert refusal(one, 1, 12, 10, at_ms=rules.round_ms + 1) == "over"
    assert len(one) == 1


def test_bubbles_faster_than_ticks_are_refused_once_the_slack_is_used():
    rules = Rules(slack_ms=100)
    one = Stroke(rules)
    for seq in range(3):
        one.place(seq, seq, 0, at_ms=0)
    assert refusal(one, 3, 3, 0, at_ms=0) == "too_early"
    assert one.place(3, 3, 0, at_ms=50)


def test_no_round_has_more_bubbles_than_allowed():
    rules = Rules(max_bubbles=5)
    one = Stroke(rules)
    for seq in range(5):
        one.place(seq, seq, 0, at_ms=seq * 50)
    assert refusal(one, 5, 5, 0, at_ms=250) == "too_many"


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=10))
def test_replays_and_disorder_never_change_the_stroke(order, replays):
    one = Stroke(Rules())
    waiting = list(order) + replays
    while waiting:
        left = []
        for seq in waiting:
            try:
                one.place(seq, 3 * seq, 0, at_ms=50 * seq)
            except Illegal as error:
                assert error.code == "gap"
                left.append(seq)
        assert len(left) < len(waiting)
        waiting = left
    assert [(bubble.seq, bubble.x) for bubble in one.bubbles] == [(seq, 3 * seq) for seq in range(6)]


@pytest.mark.parametrize("kind", ["painter", "random", "off_target", "scripted"])
def test_every_simulated_stroke_is_legal(kind, rules):
    importance = np.random.default_rng(1).random((256, 256))
    for seed in range(5):
        one = Stroke(rules)
        for seq, move in enumerate(stroke(Player("p", kind), importance, rules, rng=np.random.default_rng(seed))):
            assert one.place(seq, move.x, move.y, at_ms=move.at_ms)
        assert len(one) > 40


def test_the_partner_sees_exactly_the_patches_and_nothing_else(rules):
    image = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    view = PartnerView(image, rules, seed=1)
    assert (view.pixels == BLANK).all()
    view.show(0, 0)
    view.show(100, 50)
    shown = np.zeros((256, 256), bool)
    shown[:11, :11] = True
    shown[40:61, 90:111] = True
    assert (view.pixels[shown] == image[shown]).all()
    assert (view.pixels[~shown] == BLANK).all()


def test_the_noise_background_is_the_darkened_image_under_noise_and_the_same_for_the_same_round():
    image = np.full((256, 256, 3), 255, np.uint8)
    rules = Rules(background="noise")
    one, again, other = (PartnerView(image, rules, seed=1, round_id=r).pixels for r in ("a", "a", "b"))
    assert (one == again).all()
    assert (one != other).any()
    assert abs(one.mean() / 255 - 0.5) < 0.01  # white minus one half, noise clipped evenly on both sides
    dark = PartnerView(np.zeros_like(image), rules, seed=1, round_id="a").pixels
    assert dark.mean() < 0.15 * 255
