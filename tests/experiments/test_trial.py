"""One trial on a virtual clock: when things come up, which input counts, what is flagged."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rapidvision
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.state import outcome_of
from rapidvision.experiments.engine.trial import RunningTrial, answer_in
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import Frame, Press
from rapidvision.screen import refreshes
from rapidvision.task.phases import phase_code, stimulus_code
from rapidvision.task.response import Option, Response
from rapidvision.task.trial import TrialPhase
from rapidvision.trials import NO_RESPONSE


class Script:
    """Inputs at given times after the onset of a kind of phase."""

    def __init__(self, presses=(), *, early=(), kind="stimulus"):
        self.presses, self.early, self.kind = list(presses), list(early), kind
        self.due = []
        self.screen = None

    def see(self, frame, time_s):
        if frame.kind == self.kind:
            self.due += [Press(key, time_s + ms / 1000, down) for key, ms, down in self.presses]
        if frame.kind == "fixation":
            self.due += [Press(key, time_s + ms / 1000, down) for key, ms, down in self.early]
        self.due.sort(key=lambda press: press.time_s)

    def poll(self):
        ready = [p for p in self.due if p.time_s <= self.screen.now_s]
        self.due = self.due[len(ready) :]
        return ready


def run_one(plan, script, *, hz=60.0, late=None, start_s=0.0, number=8):
    screen = VirtualScreen(hz, late=late, start_s=start_s, see=script.see)
    script.screen = screen
    session = Session(plan, screen, script, MemoryJournal())
    trial = next(trial for trial in plan.trials() if trial.trial == number)
    return RunningTrial(session, trial).run(), screen.shown, screen


def changed(plan, *, number=8, phases=None, limit_ms=550, response=None, too_slow_ms=None):
    """The plan with other phases in one trial, another response or another page of "too slow"."""
    protocol = plan.protocol
    if response is not None:
        protocol = msgspec.structs.replace(protocol, response=response)
    if too_slow_ms is not None:
        feedback = msgspec.structs.replace(protocol.feedback, too_slow_ms=too_slow_ms)
        protocol = msgspec.structs.replace(protocol, feedback=feedback)
    inputs = {key: option.name for option in protocol.response.options for key in option.inputs}
    steps = []
    for step in plan.steps:
        if getattr(step, "trial", None) is not None and step.trial.trial == number:
            trial = msgspec.structs.replace(step.trial, phases=phases or step.trial.phases, limit_ms=limit_ms)
            step = msgspec.structs.replace(step, trial=trial)
        steps.append(step)
    return msgspec.structs.replace(plan, protocol=protocol, steps=tuple(steps), inputs=inputs)


def phase(name, kind, ms, **fields):
    content = "image" if kind == "stimulus" else "masks/a.png" if kind == "mask" else ""
    return TrialPhase(name=name, kind=kind, duration_ms=ms, content=content, trigger=phase_code(kind), **fields)


def shown_ms(data, name):
    return data.phase(name).shown_ms


@pytest.fixture
def plan(plans):
    return plans[0]


@pytest.fixture
def ending_plan(plan):
    """The same plan where a response takes the image away."""
    return changed(plan, response=msgspec.structs.replace(plan.protocol.response, ends_trial=True))


def test_a_trial_is_its_phases_in_their_order(plan):
    data, shown, _ = run_one(plan, Script([("s", 300, True)]))
    trial = plan.trials()[8]
    assert [(f.kind, f.content, f.phase, f.trial) for f, _ in shown] == [
        ("fixation", "", "fixation", 8),
        ("stimulus", trial.image.path, "stimulus", 8),
        ("blank", "", "blank", 8),
        ("blank", "", "", -1),
    ]
    assert [p.name for p in data.phases] == ["fixation", "stimulus", "blank"]
    assert shown_ms(data, "stimulus") == pytest.approx(400, abs=1e-6)
    assert shown_ms(data, "blank") == pytest.approx(150, abs=1e-6)
    assert data.phase("stimulus").onset_ms == 0
    assert abs(shown_ms(data, "fixation") - trial.phases[0].duration_ms) <= 1000 / 60 / 2 + 1e-6
    assert [p.late_refreshes for p in data.phases] == [0, 0, 0]


@pytest.mark.parametrize("hz", [59.94, 60, 70, 75, 85, 100, 120, 144, 165, 240, 360])
def test_every_boundary_is_at_the_refresh_that_the_half_frame_rule_names(plan, hz):
    data, _, _ = run_one(plan, Script([("s", 300, True)]), hz=hz, start_s=1.7e9)
    period = 1000 / hz
    assert shown_ms(data, "stimulus") == pytest.approx(refreshes(400, hz) * period, abs=1e-3)
    end = shown_ms(data, "stimulus") + shown_ms(data, "blank")
    assert end == pytest.approx(refreshes(550, hz) * period, abs=1e-3)
    fixation = refreshes(plan.trials()[8].phases[0].duration_ms, hz)
    assert shown_ms(data, "fixation") == pytest.approx(fixation * period, abs=1e-3)


def test_the_engine_follows_every_shared_vector_of_the_half_frame_rule(plan):
    cases = json.loads((Path(rapidvision.__file__).parent / "vectors" / "refreshes.json").read_text())["cases"]
    for case in cases:
        ms = case["duration_ms"]
        if case["refreshes"] < 1 or ms != int(ms) or ms < 1:
            continue
        phases = (phase("fixation", "fixation", 100), phase("stimulus", "stimulus", int(ms)))
        data, _, _ = run_one(changed(plan, phases=phases), Script(), hz=case["refresh_hz"])
        assert round(shown_ms(data, "stimulus") * case["refresh_hz"] / 1000) == case["refreshes"], case


@settings(max_examples=60)
@given(
    durations=st.lists(
        st.tuples(st.sampled_from(["blank", "mask", "stimulus", "cue"]), st.integers(9, 400)), max_size=6
    ),
    hz=st.sampled_from([60, 75, 120, 144, 240]),
)
def test_any_list_of_phases_keeps_every_boundary_at_the_refresh_nearest_to_its_target(plans, durations, hz):
    names = [phase(f"p{n}", kind, ms) for n, (kind, ms) in enumerate(durations)]
    phases = (phase("fixation", "fixation", 120), phase("stimulus", "stimulus", 50), *names)
    data, shown, _ = run_one(changed(plans[0], phases=phases), Script([("s", 10, True)]), hz=hz)
    anchor_ms, since_ms = data.phases[0].onset_ms, 0
    for planned, seen in zip(phases, data.phases, strict=True):
        if planned.kind == "stimulus":
            anchor_ms, since_ms = seen.onset_ms, 0
        since_ms += planned.duration_ms
        end_ms = seen.onset_ms + seen.shown_ms - anchor_ms
        assert round(end_ms * hz / 1000) == max(
            refreshes(since_ms, hz), round((seen.onset_ms - anchor_ms) * hz / 1000) + 1
        )
    times = {frame.phase: time_s for frame, time_s in shown if frame.trial == 8}
    assert [times[p.name] - data.zero_s for p in data.phases] == pytest.approx([p.onset_ms / 1000 for p in data.phases])


@settings(max_examples=200)
@given(hz=st.floats(50, 360), late=st.dictionaries(st.integers(1, 400), st.integers(1, 3), max_size=6))
@example(hz=84.0, late={157: 3})
def test_late_refreshes_inside_a_still_image_do_not_change_its_duration(plans, hz, late):
    data, _, _ = run_one(plans[0], Script([("s", 300, True)]), hz=hz, late=late)
    period_ms = 1000 / hz
    shown = round(shown_ms(data, "stimulus") / period_ms)
    offset_s = data.zero_s + shown_ms(data, "stimulus") / 1000
    offset_flip = 1 + next(i for i, t in enumerate(data.flips_s) if abs(t - offset_s) < 1e-9)
    # Only a refresh that is late across the boundary itself can move it, and it then shows as late.
    if shown != refreshes(400, hz):
        assert {offset_flip, offset_flip - 1} & set(late)
        assert data.phase("stimulus").late_refreshes > 0
    end_s = data.zero_s + (data.phases[-1].onset_ms + data.phases[-1].shown_ms) / 1000
    used = {n: k for n, k in late.items() if 1 < n <= len(data.flips_s)}
    tail = {n: k for n, k in used.items() if data.flips_s[n - 1] > end_s + 1e-9}
    assert sum(p.late_refreshes for p in data.phases) == sum(used.values()) - sum(tail.values())


@pytest.mark.parametrize(
    ("ms", "status"), [(99.9, "early"), (100.0, "ok"), (549.999, "ok"), (550.4, "late"), (1400.0, "late")]
)
def test_the_press_time_decides_not_the_refresh_that_heard_it(plan, ms, status):
    data, _, _ = run_one(plan, Script([("l", ms, True)]))
    assert data.response_ms == pytest.approx(ms, abs=1e-6)
    assert outcome_of(plan, plan.trials()[8], data).status == status


def test_a_late_answer_meets_too_slow_and_keeps_its_time(plan):
    data, shown, _ = run_one(plan, Script([("s", 700, True)]))
    assert shown[-1][0] == Frame("text", plan.texts["too_slow"])
    assert data.response_ms == pytest.approx(700, abs=1e-6)
    assert data.flips_s[-1] - data.zero_s == pytest.approx(1.55, abs=0.02)


def test_without_too_slow_the_trial_ends_at_the_limit_and_hears_no_late_answer(plan):
    silent = changed(plan, too_slow_ms=0)
    data, shown, _ = run_one(silent, Script([("s", 700, True)]))
    assert (data.input, data.response_ms) == (None, None)
    assert outcome_of(silent, silent.trials()[8], data).status == "none"
    assert shown[-1][0] == Frame("blank")
    assert data.flips_s[-1] - data.zero_s == pytest.approx(0.55, abs=1e-6)


def test_without_too_slow_a_press_after_the_limit_is_kept_as_an_early_press_of_the_next_trial(plan):
    silent = changed(plan, too_slow_ms=0)
    script = Script([("s", 700, True)])
    script.screen = screen = VirtualScreen(60, see=script.see)
    session = Session(silent, screen, script, MemoryJournal())
    first = RunningTrial(session, silent.trials()[8]).run()
    following = RunningTrial(session, silent.trials()[9]).run()
    assert first.input is None
    assert "early_press" in following.flags
    pressed = following.zero_s + following.presses[0][1] / 1000
    assert pressed - first.zero_s == pytest.approx(0.7, abs=1e-6)


def test_no_answer_is_none(plan):
    data, shown, _ = run_one(plan, Script())
    assert (data.input, data.response_ms) == (None, None)
    assert outcome_of(plan, plan.trials()[8], data).response == NO_RESPONSE
    assert shown[-1][0].content == plan.texts["too_slow"]


def test_only_the_first_response_input_counts_and_other_keys_never(plan):
    data, _, _ = run_one(plan, Script([("x", 150, True), ("l", 250, True), ("s", 300, True)]))
    assert data.input == "l"
    assert [p[0] for p in data.presses] == ["x", "l", "s"]
    assert data.flags == []


def test_both_keys_at_once_are_flagged_and_the_first_counts(plan):
    data, _, _ = run_one(plan, Script([("s", 300, True), ("l", 304, True)]))
    assert (data.input, data.flags) == ("s", ["both_keys"])


def test_a_press_during_fixation_is_recorded_and_is_no_answer(plan):
    data, _, _ = run_one(plan, Script([("l", 320, True)], early=[("s", 500, True), ("s", 560, False)]))
    assert data.flags == ["early_press"]
    assert data.input == "l"
    assert data.presses[0][1] < 0


def test_a_key_held_at_onset_is_flagged_and_is_no_answer(plan):
    data, _, _ = run_one(plan, Script([("s", 200, False)], early=[("s", 500, True)]))
    assert data.flags == ["early_press", "held_at_onset"]
    assert data.input is None


def test_a_tap_of_one_millisecond_counts(plan):
    data, _, _ = run_one(plan, Script([("s", 300, True), ("s", 301, False)]))
    assert data.response_ms == pytest.approx(300, abs=1e-6)


def test_where_a_response_ends_the_trial_the_image_goes_at_the_next_refresh(ending_plan):
    data, shown, screen = run_one(ending_plan, Script([("s", 210, True)]))
    assert shown_ms(data, "stimulus") == pytest.approx(14 * 1000 / 60, abs=1e-6)  # heard at the 13th refresh
    assert [p.name for p in data.phases] == ["fixation", "stimulus"]
    assert [f.kind for f, _ in shown] == ["fixation", "stimulus", "blank"]
    assert phase_code("blank") in dict(screen.marks)


def test_where_a_response_ends_the_trial_it_may_come_in_the_blank(ending_plan):
    data, _, _ = run_one(ending_plan, Script([("s", 450, True)]))
    assert shown_ms(data, "stimulus") == pytest.approx(400, abs=1e-6)
    assert shown_ms(data, "blank") < 150


def test_without_a_response_the_ending_preset_runs_to_the_limit(ending_plan):
    data, shown, _ = run_one(ending_plan, Script())
    assert shown_ms(data, "stimulus") + shown_ms(data, "blank") == pytest.approx(550, abs=1e-6)
    assert shown[-1][0].content == ending_plan.texts["too_slow"]


def test_a_mask_follows_its_image_with_no_refresh_between(plan):
    phases = (
        phase("fixation", "fixation", 500),
        phase("stimulus", "stimulus", 20),
        phase("mask", "mask", 80),
    )
    data, shown, _ = run_one(changed(plan, phases=phases), Script(), hz=60)
    assert [f.kind for f, _ in shown] == ["fixation", "stimulus", "mask", "text"]
    assert shown[2][0].content == "masks/a.png"
    assert shown_ms(data, "stimulus") == pytest.approx(1000 / 60, abs=1e-6)  # 20 ms is 1 refresh at 60 Hz
    assert data.phase("mask").onset_ms + shown_ms(data, "mask") == pytest.approx(100, abs=1e-6)


def open_phases(opens="stimulus"):
    return (phase("fixation", "fixation", 100), phase("stimulus", "stimulus", 100), phase("wait", "blank", None))


def test_a_phase_that_stands_until_the_response_ends_with_it_or_at_the_limit(plan):
    opened = changed(plan, phases=open_phases(), limit_ms=800, too_slow_ms=0)
    data, _, _ = run_one(opened, Script([("s", 350, True)]))
    assert data.phase("wait").onset_ms + shown_ms(data, "wait") == pytest.approx(22 * 1000 / 60, abs=1e-6)
    data, _, _ = run_one(opened, Script())
    assert data.phase("wait").onset_ms + shown_ms(data, "wait") == pytest.approx(800, abs=1e-6)


def test_a_phase_that_stands_until_the_response_comes_up_for_one_refresh_after_it(plan):
    after = (*open_phases(), phase("rest", "mask", 50))
    data, _, _ = run_one(changed(plan, phases=after, limit_ms=800), Script([("s", 40, True)]))
    assert [p.name for p in data.phases] == ["fixation", "stimulus", "wait", "rest"]
    assert shown_ms(data, "stimulus") == pytest.approx(100, abs=1e-6)
    assert shown_ms(data, "wait") == pytest.approx(1000 / 60, abs=1e-6)
    assert shown_ms(data, "rest") == pytest.approx(50, abs=1e-6)


def test_a_last_phase_that_stands_until_the_response_does_not_come_up_after_it(plan):
    data, _, _ = run_one(changed(plan, phases=open_phases(), limit_ms=800), Script([("s", 40, True)]))
    assert [p.name for p in data.phases] == ["fixation", "stimulus"]


def test_a_response_that_ends_the_trial_leaves_out_the_phases_behind_it(plan):
    after = (*open_phases(), phase("rest", "mask", 50))
    ends = changed(plan, phases=after, limit_ms=800, response=response(ends_trial=True, limit_ms=800))
    data, _, _ = run_one(ends, Script([("s", 40, True)]))
    assert [p.name for p in data.phases] == ["fixation", "stimulus"]


def longer_than_its_limit():
    return (phase("fixation", "fixation", 100), phase("stimulus", "stimulus", 400), phase("rest", "blank", 600))


@pytest.mark.parametrize("ends_trial", [False, True])
def test_a_late_response_in_a_longer_trial_meets_too_slow_for_its_whole_time(plan, ends_trial):
    late = changed(plan, phases=longer_than_its_limit(), response=response(ends_trial=ends_trial))
    data, shown, _ = run_one(late, Script([("s", 700, True)]))
    assert data.response_ms == pytest.approx(700, abs=1e-6)
    assert shown[-1][0] == Frame("text", plan.texts["too_slow"])
    assert data.flips_s[-1] - shown[-1][1] == pytest.approx(1.0 - 1 / 60, abs=1e-6)
    in_time, shown, _ = run_one(late, Script([("s", 500, True), ("s", 700, True)]))
    assert in_time.response_ms == pytest.approx(500, abs=1e-6)
    assert shown[-1][0] == Frame("blank")


def test_a_late_response_during_too_slow_does_not_take_it_away(ending_plan):
    data, shown, _ = run_one(ending_plan, Script([("s", 700, True)]))
    assert data.response_ms == pytest.approx(700, abs=1e-6)
    assert data.flips_s[-1] - shown[-1][1] == pytest.approx(1.0 - 1 / 60, abs=1e-6)


def test_the_end_of_a_phase_that_stood_until_the_response_is_an_anchor(plan):
    after = (*open_phases(), phase("rest", "mask", 50))
    data, _, _ = run_one(changed(plan, phases=after, limit_ms=800), Script([("s", 333, True)]))
    assert shown_ms(data, "rest") == pytest.approx(50, abs=1e-6)


def response(**fields):
    options = (Option(name="a", matches=(True,), keys=("s",)), Option(name="b", matches=(False,), keys=("l",)))
    return Response(**{"options": options, "limit_ms": 550, **fields})


def test_where_the_last_input_counts_it_can_be_corrected_until_the_limit(plan):
    last = changed(plan, response=response(counts="last"))
    data, _, _ = run_one(last, Script([("s", 200, True), ("l", 480, True), ("s", 560, True)]))
    assert (data.input, data.response_ms) == ("l", pytest.approx(480, abs=1e-6))
    data, _, _ = run_one(last, Script([("s", 700, True), ("l", 800, True)]))
    assert (data.input, data.response_ms) == ("s", pytest.approx(700, abs=1e-6))
    waiting = changed(plan, response=response(counts="last"), phases=open_phases())
    data, _, _ = run_one(waiting, Script([("s", 200, True)]))
    assert data.phase("wait").onset_ms + shown_ms(data, "wait") == pytest.approx(550, abs=1e-6)


def test_a_response_is_heard_from_the_phase_that_opens(plan):
    phases = (*open_phases()[:2], phase("choose", "options", 500))
    later = changed(plan, phases=phases, limit_ms=500, response=response(opens="choose"))
    data, _, _ = run_one(later, Script([("s", 50, True), ("s", 60, False), ("l", 250, True)]))
    assert (data.input, data.response_ms) == ("l", pytest.approx(150, abs=1e-6))
    assert data.flags == ["early_press"]
    assert data.phase("stimulus").onset_ms == pytest.approx(-100, abs=1e-6)


GO = Response(
    options=(Option(name="go", matches=(True,), keys=("space",)), Option(name="no-go", matches=(False,))),
    limit_ms=550,
    press="up",
)


def test_where_a_release_responds_a_trial_waits_for_a_held_key(plan):
    go = changed(plan, response=GO)
    script = Script([("space", 320, False)])
    script.due = [Press("space", 0.4)]
    data, shown, _ = run_one(go, script)
    assert shown[0][0] == Frame("text", go.texts["hold"])
    assert shown[1][1] == pytest.approx(0.4, abs=0.02)
    assert (data.input, data.response_ms, data.flags) == ("space", pytest.approx(320, abs=1e-6), [])
    assert outcome_of(go, go.trials()[8], data).response == "go"


def test_not_responding_is_an_answer_where_an_option_stands_for_it_and_late_releases_are_it_too(plan):
    go = changed(plan, response=GO)
    for presses in ([], [("space", 560, False)]):
        script = Script(presses)
        script.due = [Press("space", 0.01)]
        data, shown, _ = run_one(go, script)
        outcome = outcome_of(go, go.trials()[8], data)
        assert (outcome.response, outcome.status) == ("no-go", "ok")
        assert go.texts["too_slow"] not in [frame.content for frame, _ in shown]


def test_a_release_before_time_zero_is_flagged(plan):
    script = Script(early=[("space", 200, False)])
    script.due = [Press("space", 0.01)]
    data, _, _ = run_one(changed(plan, response=GO), script)
    assert (data.input, data.flags) == (None, ["early_press"])


def test_triggers_go_out_with_their_refreshes(plan):
    data, _, screen = run_one(plan, Script([("s", 300, True)]))
    trial = plan.trials()[8]
    code = stimulus_code(trial.image.level_index, trial.image.target)
    codes = dict(screen.marks)
    assert codes[code] == data.zero_s
    assert codes[2] == pytest.approx(data.zero_s + 0.4)
    assert 0 < codes[3] - data.zero_s - 0.3 <= 2 / 60
    assert code % 2 == trial.image.target


@given(
    st.lists(
        st.tuples(st.sampled_from("slx"), st.floats(-1, 2, allow_nan=False), st.booleans()).map(lambda t: Press(*t)),
        max_size=12,
    )
)
def test_the_answer_is_the_earliest_response_input_after_time_zero(plans, presses):
    presses = sorted(presses, key=lambda p: p.time_s)
    found = answer_in(presses, 0.0, plans[0], 550)
    eligible = [p for p in presses if p.down and p.input in "sl" and p.time_s >= 0]
    assert found.input == (eligible[0].input if eligible else None)
    assert ("early_press" in found.flags) == any(p.down and p.input in "sl" and p.time_s < 0 for p in presses)
