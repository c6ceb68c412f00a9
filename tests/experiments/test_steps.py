"""Whole sessions on a computer whose clock is set or ticks coarsely: nothing held, cut, deafened or voided."""

import pytest

from rapidvision.experiments.recording.rows import rows_of
from rapidvision.screen import refreshes
from tests.experiments.clocks import Step, take_part

STEPS_S = (-3600.0, -60.0, -5.0, -1.0, 1.0, 5.0)


def rows(plan, entries):
    return rows_of(plan, entries, observer="human", observer_kind="human", session_id="p1", participant_id="p1")


def durations(shown):
    return {n for frame, n in shown if frame.kind == "stimulus"}


@pytest.fixture(scope="module")
def undisturbed(plans):
    return take_part(plans[0])[0]


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("kind", ["stimulus", "fixation", "blank", "text"])
def test_a_clock_that_is_set_changes_no_image_no_page_and_no_response_time(plans, undisturbed, step_s, kind):
    trials, entries, shown = take_part(plans[0], step=Step(step_s, kind, 5))
    assert len(trials) == 88
    assert durations(shown) == {refreshes(400, 60)}
    longest = max(n for frame, n in shown if frame.kind == "text" and frame.content != plans[0].texts["end"])
    assert longest <= 120
    for data, before in zip(trials, undisturbed, strict=True):
        assert data.input == before.input
        if before.response_ms is not None:
            assert data.response_ms == pytest.approx(before.response_ms, abs=0.5)
    assert [row.status for row in rows(plans[0], entries)].count("aborted") == 0
    noted = [flag for data in trials for flag in data.flags] + [e.detail for e in entries if hasattr(e, "detail")]
    assert any("clock_step" in note for note in noted)


def test_a_clock_that_ticks_in_15_6_ms_loses_no_trial(plans, undisturbed):
    trials, entries, shown = take_part(plans[0], ticks=True)
    assert len(trials) == 88
    assert durations(shown) == {refreshes(400, 60)}
    assert not [flag for data in trials for flag in data.flags if "clock" in flag]
    assert not [row for row in rows(plans[0], entries) if row.status == "aborted"]
