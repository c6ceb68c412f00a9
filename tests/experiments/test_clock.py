"""Durations come from the finest steady clock, and a wall clock that is set moves neither images nor presses."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.experiments.clock import Clock, Conversion, resolution, steady

TICK_S = 0.015625


class Time:
    """True time, and clocks that tell it."""

    def __init__(self):
        self.now_s, self.step_s = 1000.0, 0.0

    def true(self):
        return self.now_s

    def wall(self):
        return 1.7e9 + self.now_s + self.step_s


def conversion(at):
    return Conversion(at.wall, Clock("true", at.true, 1e-7), other_resolution_s=1e-6)


def ticking(true):
    return lambda: math.floor(true() / TICK_S) * TICK_S


def test_a_clock_that_ticks_in_15_6_ms_is_measured_as_such_and_not_chosen():
    import time

    coarse = ticking(time.perf_counter)
    assert resolution(coarse) == pytest.approx(TICK_S, rel=1e-6)
    chosen = steady([("monotonic", coarse), ("perf_counter", time.perf_counter)])
    assert chosen.name == "perf_counter"
    assert chosen.resolution_s < 0.001


def test_where_every_clock_is_coarse_its_ticks_are_no_steps():
    at = Time()
    found = Conversion(at.wall, Clock("ticks", ticking(at.true), TICK_S), other_resolution_s=1e-6)
    for _ in range(1000):
        at.now_s += 1 / 60
        found.look()
    assert found.notes() == []


@pytest.mark.parametrize("step_s", [-3600.0, -60.0, -5.0, -1.0, 1.0, 5.0, 3600.0])
@pytest.mark.parametrize("pressed_after_the_step", [False, True])
def test_a_press_around_a_step_of_the_wall_clock_keeps_its_true_time(step_s, pressed_after_the_step):
    at = Time()
    found = conversion(at)
    at.now_s += 1 / 60
    found.look()
    at.now_s += 0.005
    if pressed_after_the_step:
        at.step_s = step_s
    pressed, stamp = at.now_s, at.wall()
    at.step_s = step_s
    at.now_s += 0.005
    found.look()
    assert found.convert(stamp) == pytest.approx(pressed, abs=1e-5)
    assert found.notes() == [f"clock_step {1000 * step_s:.1f} ms"]
    at.now_s += 1 / 60
    found.look()
    assert found.convert(at.wall()) == pytest.approx(at.now_s, abs=1e-5)
    assert found.notes() == []


def test_a_step_too_small_to_tell_old_from_new_stamps_is_named_with_its_size():
    at = Time()
    found = conversion(at)
    at.now_s += 1 / 60
    found.look()
    at.now_s += 0.008
    pressed, stamp = at.now_s, at.wall()
    at.step_s = 0.004
    at.now_s += 0.008
    found.look()
    assert abs(found.convert(stamp) - pressed) <= 0.004 + 1e-6
    assert found.notes() == ["clock_step 4.0 ms", "press_time_uncertain 4.0 ms"]


def test_a_clock_that_is_slewed_as_fast_as_ntp_may_is_followed_without_a_note():
    at = Time()
    found = conversion(at)
    for _ in range(20_000):
        at.now_s += 1 / 60
        at.step_s += 500e-6 / 60
        found.look()
        assert abs(found.convert(at.wall()) - at.now_s) < 2e-5
    assert found.notes() == []


@given(st.lists(st.floats(-100, 100), max_size=8))
def test_any_row_of_steps_leaves_the_next_press_right(steps):
    at = Time()
    found = conversion(at)
    for step in steps:
        at.step_s += step
        at.now_s += 1 / 60
        found.look()
        at.now_s += 1 / 60
        found.look()
        assert found.convert(at.wall()) == pytest.approx(at.now_s, abs=1e-4)


def test_a_round_of_the_game_and_a_wait_for_a_commit_are_timed_finer_than_a_clock_of_15_6_ms(monkeypatch):
    """On Windows, ``time.monotonic`` ticks so; times of answers and waits came in steps of it."""
    import time

    from rapidvision.experiments import clock
    from rapidvision.experiments.clickme.server.players import LiveRound
    from rapidvision.experiments.online.database.uptime import UpTime

    monkeypatch.setattr(time, "monotonic", ticking(time.perf_counter))
    clock._own.cache_clear()
    try:
        live = LiveRound.__new__(LiveRound)
        live.started_s = clock.now_s()
        assert resolution(lambda: live.elapsed_ms() / 1000) < 0.001
        assert resolution(UpTime().now_s) < 0.001
    finally:
        clock._own.cache_clear()


def test_the_steady_clock_of_a_process_is_chosen_once(monkeypatch):
    from rapidvision.experiments import clock

    clock.now_s()
    monkeypatch.setattr(clock, "steady", lambda: pytest.fail("measured again"))
    assert clock.now_s() <= clock.now_s()
