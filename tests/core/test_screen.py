"""Degrees, pixels and the half-frame rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError, RecipeError
from rapidvision.recipes import convert
from rapidvision.screen import Screen, refreshes

SHOWN = {
    59.94: (24, 33),
    60: (24, 33),
    70: (28, 38),
    75: (30, 41),
    85: (34, 47),
    100: (40, 55),
    120: (48, 66),
    144: (58, 79),
}
SHOWN |= {165: (66, 91), 240: (96, 132), 360: (144, 198)}


@pytest.mark.parametrize("hz", SHOWN)
def test_stimulus_and_limit_fall_on_the_nearest_refresh(hz):
    assert (refreshes(400, hz), refreshes(550, hz)) == SHOWN[hz]


@given(st.floats(0, 5000), st.floats(20, 500))
def test_a_boundary_is_never_off_by_more_than_half_a_refresh(duration_ms, hz):
    assert abs(refreshes(duration_ms, hz) * 1000 / hz - duration_ms) <= 500 / hz + 1e-6


@given(st.integers(0, 200), st.sampled_from([50, 60, 100, 125, 200, 250]))
def test_ties_go_to_the_earlier_refresh(n, hz):
    assert refreshes((n + 0.5) * 1000 / hz, hz) == n


@pytest.mark.parametrize(("duration", "hz"), [(-1, 60), (100, 0), (float("nan"), 60)])
def test_impossible_durations_are_refused(duration, hz):
    with pytest.raises(InputError):
        refreshes(duration, hz)


@given(st.floats(0.1, 90), st.floats(20, 200), st.floats(10, 200))
def test_degrees_and_pixels_are_each_others_inverse(angle, distance, width):
    screen = Screen(width_px=1920, distance_cm=distance, width_cm=width)
    assert screen.px_to_deg(screen.deg_to_px(angle)) == pytest.approx(angle)


def test_one_centimetre_at_57_is_one_degree():
    assert Screen(width_px=1000, width_cm=100, distance_cm=57.3).px_to_deg(10) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("angle", [-1, 180])
def test_impossible_angles_are_refused(angle):
    with pytest.raises(InputError):
        Screen(width_px=1920, width_cm=53.0, distance_cm=57.0).deg_to_px(angle)


def test_a_screen_without_size_is_refused():
    with pytest.raises(RecipeError, match="width_cm must be > 0"):
        convert({"width_px": 1920, "width_cm": 0.0, "distance_cm": 57.0}, Screen)
