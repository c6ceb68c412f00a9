"""What the server makes of a measurement: whether the timing was good, bad or not watched, and the status."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapidvision.experiments.online.storage.trial_report import Measurement, Quality, outcome, row, timing_ok
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.protocol import Timing


@pytest.fixture
def plan(study_folder):
    return next(iter(open_study(study_folder, verify=False).plans.values()))


def measured(shown=100.0, *, hz=60.0, seen="observed", aborted=False, **quality):
    return Measurement(
        stimulus_sha256="0" * 64,
        stimulus_ms_shown=shown,
        refresh_hz=hz,
        aborted=aborted,
        quality=Quality(presenter="compositor", seen=seen, **quality),
    )


@pytest.mark.parametrize(
    ("measurement", "good"),
    [
        (measured(), True),
        (measured(100.0 + 8.3), True),
        (measured(100.0 - 8.3), True),
        (measured(100.0 + 8.4), False),
        (measured(100.0 - 8.4), False),
        (measured(seen="presented"), True),
        (measured(seen="scheduled"), None),
        (measured(seen="none"), None),
        (measured(116.7, seen="scheduled"), False),
        (measured(hidden=True), False),
        (measured(fullscreen_lost=True), False),
        (measured(resized=True), False),
        (measured(focus_lost=True), True),
        (measured(aborted=True), False),
        (measured(None), False),
        (measured(hz=None), False),
        (measured(93.4, hz=75.0), True),  # 7.5 refreshes: the tie goes to the earlier one
        (measured(106.7, hz=75.0), False),
    ],
)
def test_timing_is_good_bad_or_was_not_watched(plan, measurement, good):
    assert plan.protocol.timing.stimulus_ms == 100
    assert timing_ok(plan, measurement) is good


def test_a_picture_that_a_response_took_away_may_be_short_but_not_long(plan):
    import msgspec

    timing = msgspec.structs.replace(plan.protocol.timing, response_ends_trial=True)
    ends = msgspec.structs.replace(plan, protocol=msgspec.structs.replace(plan.protocol, timing=timing))
    pressed = {"key_pressed": plan.key_target, "response_ms": 40.0}
    short, long = (msgspec.structs.replace(measured(shown), **pressed) for shown in (50.0, 120.0))
    assert (timing_ok(ends, short), timing_ok(ends, long), timing_ok(plan, short)) == (True, False, False)
    assert isinstance(timing, Timing)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["target", "distractor", None]), st.floats(0, 1000), st.booleans(), st.integers(0, 9))
def test_the_status_that_is_stored_is_the_tables(plan, key, response_ms, aborted, number):
    trial = plan.trials()[number]
    measurement = Measurement(
        stimulus_sha256=trial.stimulus_sha256,
        key_pressed=None if key is None else getattr(plan, f"key_{key}"),
        response_ms=None if key is None else response_ms,
        aborted=aborted and key is None,
    )
    made = row(plan, trial, measurement, observer="human", observer_kind="human", session_id="s", participant_id="p")
    assert outcome(plan, trial, measurement) == (made.status, made.correct)
