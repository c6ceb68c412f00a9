"""What the server makes of a measurement: whether the timing was good, bad or not watched, and the status."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapidvision.experiments.online.storage.timing_check import timing_ok
from rapidvision.experiments.online.storage.trial_report import (
    Measurement,
    PhaseReport,
    Press,
    Quality,
    outcome,
    own_flags,
    row,
)
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.task.trial import TrialPhase


@pytest.fixture
def plan(study_folder):
    return next(iter(open_study(study_folder, verify=False).plans.values()))


def phases_of(*durations, names=("fixation", "stimulus", "blank")):
    """Reports of phases one after another, from the onset of the second one."""
    at, reports = -durations[0], []
    for name, shown in zip(names, durations, strict=False):
        reports.append(PhaseReport(name=name, onset_ms=at, shown_ms=shown, late_refreshes=0))
        at += shown
    return tuple(reports)


def measured(shown=100.0, *, hz=60.0, seen="observed", aborted=False, **quality):
    return Measurement(
        files=("0" * 64,),
        phases=() if shown is None else phases_of(150.0, shown, 100.0),
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
        (measured(93.4, hz=75.0), True),  # 7.5 refreshes: the tie is the earlier one
        (measured(106.7, hz=75.0), False),
    ],
)
def test_timing_is_good_bad_or_was_not_watched(plan, measurement, good):
    trial = plan.trials()[0]
    assert trial.phases[1].duration_ms == 100
    assert timing_ok(plan, trial, measurement) is good


def test_an_image_that_a_response_took_away_may_be_short_but_not_long(plan):
    trial = plan.trials()[0]
    response = msgspec.structs.replace(plan.protocol.response, ends_trial=True)
    ends = msgspec.structs.replace(plan, protocol=msgspec.structs.replace(plan.protocol, response=response))
    pressed = {"input": plan.input_of("target"), "response_ms": 40.0}
    short, long = (
        msgspec.structs.replace(measured(), **pressed, phases=phases_of(150.0, shown)) for shown in (50.0, 120.0)
    )
    found = (timing_ok(ends, trial, short), timing_ok(ends, trial, long), timing_ok(plan, trial, short))
    assert found == (True, False, False)


def test_a_mask_that_came_a_refresh_late_or_stood_too_long_is_no_good_timing(plan):
    """20 ms, gap of 30 ms, mask of 80 ms at 60 Hz: 1, 2 and 5 refreshes from the image's onset on."""
    kinds = {"fixation": ("fixation", 500), "stimulus": ("stimulus", 20), "gap": ("blank", 30), "mask": ("mask", 80)}
    phases = tuple(TrialPhase(name=name, kind=kind, duration_ms=ms) for name, (kind, ms) in kinds.items())
    trial = msgspec.structs.replace(plan.trials()[0], phases=phases)
    frame = 1000 / 60
    for refreshes, good in (
        ((30, 1, 2, 5), True),
        ((30, 1, 3, 5), False),
        ((30, 1, 2, 6), False),
        ((40, 1, 2, 5), True),
    ):
        reports = phases_of(*(n * frame for n in refreshes), names=tuple(kinds))
        measurement = msgspec.structs.replace(measured(), phases=reports)
        assert timing_ok(plan, trial, measurement) is good, refreshes


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["target", "distractor", None]), st.floats(0, 1000), st.booleans(), st.integers(0, 9))
def test_the_status_that_is_stored_is_the_tables(plan, option, response_ms, aborted, number):
    trial = plan.trials()[number]
    measurement = Measurement(
        files=(trial.image.stimulus_sha256,),
        input=None if option is None else plan.input_of(option),
        response_ms=None if option is None else response_ms,
        aborted=aborted and option is None,
    )
    made = row(plan, trial, measurement, observer="human", observer_kind="human", session_id="s", participant_id="p")
    assert outcome(plan, trial, measurement) == (made.status, made.correct)


def test_what_was_unusual_about_the_responses_is_flagged():
    def press(input_, at_ms, **more):
        return Press(code=input_ or "KeyX", input=input_, at_ms=at_ms, handled_ms=at_ms, trusted=True, **more)

    def flags(*presses, **quality):
        made = Measurement(files=(), input="s", response_ms=200.0, quality=Quality(presses=presses, **quality))
        return own_flags(made)

    usual = press("s", 200.0)
    assert flags(usual) == flags(usual, press("", -50.0)) == flags(usual, press("s", 280.0, down=False)) == []
    assert flags(usual, press("l", -50.0)) == ["early_press"]
    assert flags(usual, press("l", 205.0)) == ["both_keys"] and flags(usual, press("l", 205.1)) == []
    assert flags(usual, press("s", -50.0, down=False)) == flags(usual, press("s", -50.0, repeat=True)) == []
    assert flags(msgspec.structs.replace(usual, trusted=False), held_at_onset=True) == [
        "held_at_onset",
        "untrusted_key",
    ]
