"""One trial on a virtual clock: when things come up, which press counts, what is flagged."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rapidvision
from rapidvision.experiments.engine.session import Session, outcome_of
from rapidvision.experiments.engine.trial import RunningTrial, answer_in
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import Picture, Press, stimulus_code
from rapidvision.protocol import Protocol, Timing
from rapidvision.screen import refreshes


class Script:
    """Keys that are pressed at given times after the first stimulus onset (or absolutely, before it)."""

    def __init__(self, presses=(), *, early=()):
        self.presses, self.early = list(presses), list(early)
        self.due = []
        self.screen = None

    def see(self, picture, time_s):
        if picture.kind == "stimulus":
            self.due += [Press(key, time_s + ms / 1000, down) for key, ms, down in self.presses]
        if picture.kind == "fixation":
            self.due += [Press(key, time_s + ms / 1000, down) for key, ms, down in self.early]
        self.due.sort(key=lambda press: press.time_s)

    def poll(self):
        ready = [p for p in self.due if p.time_s <= self.screen.now_s]
        self.due = self.due[len(ready) :]
        return ready


def run_one(plan, script, *, hz=60.0, late=None, start_s=0.0, number=8):
    shown = []
    screen = VirtualScreen(hz, late=late, start_s=start_s)

    def see(picture, time_s):
        shown.append((picture, time_s))
        script.see(picture, time_s)

    screen.see = see
    script.screen = screen
    session = Session(plan, screen, script, MemoryJournal())
    return RunningTrial(session, plan.trials()[number]).run(), shown, screen


@pytest.fixture
def plan(plans):
    return plans[0]


@pytest.fixture
def ending_plan(plans):
    """The same plan where a press takes the picture away."""
    import msgspec

    protocol = Protocol(timing=Timing(response_ends_trial=True))
    return msgspec.structs.replace(plans[0], protocol=protocol)


def test_a_trial_is_fixation_picture_blank_in_this_order(plan):
    data, shown, _ = run_one(plan, Script([("s", 300, True)]))
    trial = plan.trials()[8]
    assert [p for p, _ in shown] == [Picture("fixation"), Picture("stimulus", trial.path), Picture("blank")]
    assert data.stimulus_ms == pytest.approx(400, abs=1e-6)
    assert data.window_ms == pytest.approx(550, abs=1e-6)
    assert abs(data.fixation_ms - trial.fixation_ms) <= 1000 / 60 / 2 + 1e-6
    assert data.late_refreshes == (0, 0, 0)


@pytest.mark.parametrize("hz", [59.94, 60, 70, 75, 85, 100, 120, 144, 165, 240, 360])
def test_every_boundary_is_at_the_refresh_that_the_half_frame_rule_names(plan, hz):
    data, _, _ = run_one(plan, Script([("s", 300, True)]), hz=hz, start_s=1.7e9)
    assert data.stimulus_ms == pytest.approx(refreshes(400, hz) * 1000 / hz, abs=1e-3)
    assert data.window_ms == pytest.approx(refreshes(550, hz) * 1000 / hz, abs=1e-3)
    assert data.fixation_ms == pytest.approx(refreshes(plan.trials()[8].fixation_ms, hz) * 1000 / hz, abs=1e-3)


def test_the_engine_follows_every_shared_vector_of_the_half_frame_rule(plan):
    import msgspec

    cases = json.loads((Path(rapidvision.__file__).parent / "vectors" / "refreshes.json").read_text())["cases"]
    for case in cases:
        ms = case["duration_ms"]
        if case["refreshes"] < 1 or ms != int(ms) or ms < 1:
            continue
        protocol = Protocol(timing=Timing(stimulus_ms=int(ms), blank_ms=150))
        data, _, _ = run_one(msgspec.structs.replace(plan, protocol=protocol), Script(), hz=case["refresh_hz"])
        assert round(data.stimulus_ms * case["refresh_hz"] / 1000) == case["refreshes"], case


@settings(max_examples=200, deadline=None)
@given(hz=st.floats(50, 360), late=st.dictionaries(st.integers(1, 400), st.integers(1, 3), max_size=6))
@example(hz=84.0, late={157: 3})
def test_late_refreshes_inside_a_still_picture_do_not_change_its_duration(plans, hz, late):
    data, _, _screen = run_one(plans[0], Script([("s", 300, True)]), hz=hz, late=late)
    period_ms = 1000 / hz
    shown = round(data.stimulus_ms / period_ms)
    offset_flip = 1 + next(
        i for i, t in enumerate(data.flips_s) if abs(t - data.onset_s - data.stimulus_ms / 1000) < 1e-9
    )
    # Only a refresh that is late across the boundary itself can move it, and it then shows as late.
    if shown != refreshes(400, hz):
        assert {offset_flip, offset_flip - 1} & set(late)
        assert data.late_refreshes[1] > 0
    used = {n: k for n, k in late.items() if 1 < n <= len(data.flips_s)}
    tail = {n: k for n, k in used.items() if data.flips_s[n - 1] > data.onset_s + data.window_ms / 1000 + 1e-9}
    assert sum(data.late_refreshes) == sum(used.values()) - sum(tail.values())


@pytest.mark.parametrize(
    ("ms", "status"), [(99.9, "early"), (100.0, "ok"), (549.999, "ok"), (550.4, "late"), (1400.0, "late")]
)
def test_the_press_time_decides_not_the_refresh_that_heard_it(plan, ms, status):
    data, _, _ = run_one(plan, Script([("l", ms, True)]))
    assert data.response_ms == pytest.approx(ms, abs=1e-6)
    assert outcome_of(plan, plan.trials()[8], data).status == status


def test_a_late_answer_meets_too_slow_and_keeps_its_time(plan):
    data, shown, _ = run_one(plan, Script([("s", 700, True)]))
    assert shown[-1][0] == Picture("text", plan.texts["too_slow"])
    assert data.response_ms == pytest.approx(700, abs=1e-6)
    assert data.flips_s[-1] - data.onset_s == pytest.approx(1.55, abs=0.02)


def test_without_too_slow_the_trial_ends_at_the_limit_and_hears_no_late_answer(plan):
    import msgspec

    silent = msgspec.structs.replace(plan, protocol=Protocol(timing=Timing(too_slow_ms=0)))
    data, shown, _ = run_one(silent, Script([("s", 700, True)]))
    assert (data.response_key, data.response_ms) == (None, None)
    assert outcome_of(silent, silent.trials()[8], data).status == "none"
    assert shown[-1][0] == Picture("blank")
    assert data.flips_s[-1] - data.onset_s == pytest.approx(0.55, abs=1e-6)


def test_without_too_slow_a_press_after_the_limit_is_kept_as_an_early_press_of_the_next_trial(plan):
    import msgspec

    silent = msgspec.structs.replace(plan, protocol=Protocol(timing=Timing(too_slow_ms=0)))
    screen = VirtualScreen(60)
    script = Script([("s", 700, True)])
    script.screen = screen
    screen.see = script.see
    session = Session(silent, screen, script, MemoryJournal())
    first = RunningTrial(session, silent.trials()[8]).run()
    following = RunningTrial(session, silent.trials()[9]).run()
    assert first.response_key is None
    assert "early_press" in following.flags
    pressed = following.onset_s + following.presses[0][1] / 1000
    assert pressed - first.onset_s == pytest.approx(0.7, abs=1e-6)


def test_no_answer_is_none(plan):
    data, shown, _ = run_one(plan, Script())
    assert (data.response_key, data.response_ms) == (None, None)
    assert shown[-1][0].content == plan.texts["too_slow"]


def test_only_the_first_response_key_counts_and_other_keys_never(plan):
    data, _, _ = run_one(plan, Script([("x", 150, True), ("l", 250, True), ("s", 300, True)]))
    assert data.response_key == "l"
    assert [p[0] for p in data.presses] == ["x", "l", "s"]
    assert data.flags == []


def test_both_keys_at_once_are_flagged_and_the_first_counts(plan):
    data, _, _ = run_one(plan, Script([("s", 300, True), ("l", 304, True)]))
    assert (data.response_key, data.flags) == ("s", ["both_keys"])


def test_a_press_during_fixation_is_recorded_and_is_no_answer(plan):
    data, _, _ = run_one(plan, Script([("l", 320, True)], early=[("s", 500, True), ("s", 560, False)]))
    assert data.flags == ["early_press"]
    assert data.response_key == "l"
    assert data.presses[0][1] < 0


def test_a_key_held_at_onset_is_flagged_and_is_no_answer(plan):
    data, _, _ = run_one(plan, Script([("s", 200, False)], early=[("s", 500, True)]))
    assert data.flags == ["early_press", "held_at_onset"]
    assert data.response_key is None


def test_a_tap_of_one_millisecond_counts(plan):
    data, _, _ = run_one(plan, Script([("s", 300, True), ("s", 301, False)]))
    assert data.response_ms == pytest.approx(300, abs=1e-6)


def test_where_a_response_ends_the_trial_the_picture_goes_at_the_next_refresh(ending_plan):
    data, shown, _ = run_one(ending_plan, Script([("s", 210, True)]))
    assert data.stimulus_ms == pytest.approx(14 * 1000 / 60, abs=1e-6)  # heard at the 13th refresh after the onset
    assert data.window_ms == data.stimulus_ms
    assert [p.kind for p, _ in shown] == ["fixation", "stimulus", "blank"]


def test_where_a_response_ends_the_trial_it_may_come_in_the_blank(ending_plan):
    data, _, _ = run_one(ending_plan, Script([("s", 450, True)]))
    assert data.stimulus_ms == pytest.approx(400, abs=1e-6)
    assert data.window_ms < 550


def test_without_a_response_the_ending_preset_runs_to_the_limit(ending_plan):
    data, shown, _ = run_one(ending_plan, Script())
    assert data.window_ms == pytest.approx(550, abs=1e-6)
    assert shown[-1][0].content == ending_plan.texts["too_slow"]


def test_triggers_go_out_with_their_refreshes(plan):
    data, _, screen = run_one(plan, Script([("s", 300, True)]))
    trial = plan.trials()[8]
    codes = dict(screen.marks)
    assert codes[stimulus_code(trial)] == data.onset_s
    assert codes[2] == pytest.approx(data.onset_s + 0.4)
    assert 0 < codes[3] - data.onset_s - 0.3 <= 2 / 60
    assert stimulus_code(trial) % 2 == trial.target


@given(
    st.lists(
        st.tuples(st.sampled_from("slx"), st.floats(-1, 2, allow_nan=False), st.booleans()).map(lambda t: Press(*t)),
        max_size=12,
    )
)
def test_the_answer_is_the_earliest_response_key_after_the_onset(presses):
    presses = sorted(presses, key=lambda p: p.time_s)
    found = answer_in(presses, 0.0, ("s", "l"))
    eligible = [p for p in presses if p.down and p.key in "sl" and p.time_s >= 0]
    assert found.key == (eligible[0].key if eligible else None)
    assert ("early_press" in found.flags) == any(p.down and p.key in "sl" and p.time_s < 0 for p in presses)
