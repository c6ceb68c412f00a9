"""The partner's table: batches, the newest view of each round, and whatever a foreign partner does wrong."""

import threading
import time

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.partner import Loaded, Superseded, Table, checked, load
from tests.experiments.clickme.eye import COLOURS

EYE = "tests.experiments.clickme.eye"
VIEW = np.zeros((32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ("partner", "words"),
    [
        (f"{EYE}:make_narrow", r"its first answer failed .*shape \(2, 1\), needed is \(2, 2\)"),
        (f"{EYE}:make_nan", "its first answer failed .*not probabilities"),
        (f"{EYE}:missing", 'has no function "missing"'),
        ("no.such.module:make", "cannot be imported"),
        ("eye", "allowed are module:function, bundled"),
        (":make", "allowed are"),
        ("missing.safetensors", "no such file"),
    ],
)
def test_a_partner_that_cannot_play_is_refused_with_the_reason(partner, words):
    with pytest.raises(InputError, match=words):
        load(partner, ["bird", "cat"], image_px=64)


def test_an_unknown_category_is_named():
    with pytest.raises(InputError, match="unknown: unicorn"):
        load(f"{EYE}:make", ["cat", "unicorn"], image_px=64)


def test_categories_are_sorted_and_named_once():
    assert load(f"{EYE}:make", ["cat", "bird", "cat"], image_px=64).categories == ("bird", "cat")


@pytest.mark.parametrize("answer", [[[0.5, -0.1]], [[np.inf, 0]], [0.5, 0.5], [[0.2, 0.3, 0.5]], "cat", None])
def test_answers_of_another_form_are_refused(answer):
    with pytest.raises((ValueError, TypeError)):
        checked(answer, 1, 2)


def gated():
    """A partner that waits for a gate and remembers its batches."""
    gate, batches = threading.Event(), []

    def look(batch):
        batches.append(batch[:, 0, 0, 0].tolist())
        gate.wait(10)
        return np.tile(batch[:, :1, 0, 0] / 255.0, (1, 2))

    return gate, batches, Table(Loaded(look, "gated", ("a", "b")), batch_s=60)


def view(number):
    return np.full((4, 4, 3), number, np.uint8)


def until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("never happened")


def test_views_that_wait_are_answered_in_one_batch_each_with_its_own_answer():
    gate, batches, table = gated()
    first = table.ask("r0", view(1))
    until(lambda: batches)
    others = [table.ask(f"r{n}", view(n + 1)) for n in range(1, 9)]
    gate.set()
    assert first.result(5)[0] == pytest.approx(1 / 255)
    assert [round(future.result(5)[0] * 255) for future in others] == list(range(2, 10))
    assert batches == [[1], list(range(2, 10))]
    table.close()


def test_only_the_newest_view_of_a_round_is_looked_at():
    gate, batches, table = gated()
    table.ask("r0", view(1))
    until(lambda: batches)
    old, new = table.ask("r1", view(2)), table.ask("r1", view(3))
    with pytest.raises(Superseded):
        old.result(5)
    gate.set()
    assert new.result(5)[0] == pytest.approx(3 / 255)
    assert batches == [[1], [3]]
    assert table.n_superseded == 1
    table.close()


def test_a_view_is_copied_so_that_play_may_continue():
    gate, batches, table = gated()
    table.ask("r0", view(1))
    until(lambda: batches)
    seen = view(5)
    future = table.ask("r1", seen)
    seen[:] = 9
    gate.set()
    assert future.result(5)[0] == pytest.approx(5 / 255)
    table.close()


def test_a_failure_is_told_to_those_who_asked_and_the_next_ones_are_answered():
    answers = iter([RuntimeError("out of order"), np.ones((1, 3)), np.ones((1, 2))])

    def look(_batch):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    table = Table(Loaded(look, "moody", ("a", "b")))
    for error in (RuntimeError, ValueError):
        with pytest.raises(error):
            table.ask("r", VIEW).result(5)
    assert table.ask("r", VIEW).result(5).tolist() == [1, 1]
    assert table.n_failed == 2
    table.close()


def test_without_a_partner_or_after_closing_every_question_fails_at_once():
    table = Table(Loaded(None, "none", ("a",)))
    with pytest.raises(InputError):
        table.ask("r", VIEW).result(1)
    table.close()
    gate, batches, table = gated()
    table.ask("r0", view(1))
    until(lambda: batches)
    waiting = table.ask("r1", view(2))
    gate.set()
    table.close()
    with pytest.raises(InputError):
        table.ask("r2", view(3)).result(1)
    assert waiting.done()


def test_the_test_partner_knows_a_image_by_its_colour():
    look = load(f"{EYE}:make", ["bird", "cat"], image_px=64).partner
    image = np.full((1, 64, 64, 3), COLOURS["cat"], np.uint8)
    assert look(image)[0].argmax() == 1


def test_the_bundled_network_plays_by_its_name():
    pytest.importorskip("torch")
    loaded = load("bundled", ["zebra", "bird"], image_px=64)
    assert loaded.categories == ("bird", "zebra")
    assert loaded.partner(np.zeros((3, 64, 64, 3), np.uint8)).shape == (3, 2)
    with pytest.raises(InputError, match="unicorn"):
        load("bundled", ["bird", "unicorn"], image_px=64)


def test_a_slow_partner_gets_small_batches_so_that_no_player_waits_for_the_whole_queue():
    sizes = []

    def look(batch):
        sizes.append(len(batch))
        time.sleep(0.02 * len(batch))
        return np.ones((len(batch), 2))

    table = Table(Loaded(look, "slow", ("a", "b")), batch_s=0.05)
    table.ask("first", VIEW).result(5)
    for future in [table.ask(f"r{n}", VIEW) for n in range(12)]:
        future.result(10)
    assert sum(sizes) == 13
    assert max(sizes) <= 2
    table.close()


def test_a_round_that_asks_again_keeps_its_place_in_the_queue():
    gate, batches, table = gated()
    table.ask("r0", view(1))
    until(lambda: batches)
    table.ask("r1", view(2))
    last = table.ask("r2", view(3))
    table.ask("r1", view(4))
    gate.set()
    last.result(5)
    assert batches == [[1], [4, 3]]
    table.close()


@pytest.mark.parametrize("spec", [f"{EYE}:make", "none"])
def test_precision_is_for_our_own_networks(spec):
    if spec == "none":
        assert load(spec, ["cat"], image_px=64, precision="bfloat16").partner is None
        return
    with pytest.raises(InputError, match="its precision is its own"):
        load(spec, ["bird", "cat"], image_px=64, precision="bfloat16")


def test_the_bundled_network_in_half_precision_says_so_and_nearly_agrees():
    pytest.importorskip("torch")
    views = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    half, full = (load("bundled", ["bird", "cat"], image_px=64, precision=p) for p in ("bfloat16", "float32"))
    assert (half.name, full.name) == ("bundled in bfloat16", "bundled")
    assert np.abs(half.partner(views) - full.partner(views)).max() < 0.1
