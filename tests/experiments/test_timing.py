"""The timing report and the photodiode: faults that are put in come out."""

import copy
import json

import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.interfaces import Event, TrialData
from rapidvision.experiments.lab.file_checks import journal_path, plan_of
from rapidvision.experiments.lab.photodiode import Trace, compare, crossings, images_of, read_trace
from rapidvision.experiments.lab.timing import report, timing_of
from rapidvision.experiments.recording.journal import read_journal
from tests.experiments.sets import PROTOCOLS, protocol_of


@pytest.fixture(scope="module")
def trials(plans):
    return [e for e in simulate_session(plans[0], Observers(), seed=1) if isinstance(e, TrialData)]


@pytest.fixture(scope="module")
def shown(plans, trials):
    """What was dark on the patch in these trials."""
    return images_of(plans[0], trials)[0]


def write_trace(
    path, shown, *, lag_ms=0.0, longer_ms=0.0, jitter_ms=0.0, trigger=True, clock=1.0, zero=0.0, rate=5000, seed=0
):
    """A diode on the patch: light falls `lag_ms` after each onset, with the panel's own soft edges."""
    rng = np.random.default_rng(seed)
    start = shown[0].onset_s - 0.5
    time = np.arange(0, shown[-1].onset_s + 1 - start, 1 / rate)
    light, line = np.full(len(time), 0.9), np.zeros(len(time))
    for each in shown:
        on = each.onset_s - start + (lag_ms + rng.normal(0, jitter_ms)) / 1000
        off = on + ((each.shown_ms or 150.0) + longer_ms) / 1000
        light -= 0.4 * (np.tanh((time - on) / 0.0008) - np.tanh((time - off) / 0.0008))
        line[(time >= each.onset_s - start) & (time < each.onset_s - start + 0.01)] = 1
    rows = [
        f"{t * clock + zero:.7f},{v:.5f}" + (f",{m:g}" if trigger else "")
        for t, v, m in zip(time, light, line, strict=True)
    ]
    path.write_text("time_s,light" + (",trigger" if trigger else "") + "\n" + "\n".join(rows) + "\n")
    return path


def test_a_perfect_session_is_reported_as_one(plans, trials):
    timing = timing_of(plans[0], trials)
    assert list(timing.phases) == ["fixation", "stimulus", "blank"]
    for phase in timing.phases.values():
        assert phase.off_by_refreshes == {"0": 88}
        assert phase.worst_error_ms <= 500 / 60 + 1e-6
        assert phase.late_refreshes == 0
    stimulus = timing.phases["stimulus"]
    assert (stimulus.planned_ms, stimulus.shown_ms) == ((400, 400), {"400.0": 88})
    assert stimulus.worst_error_ms == pytest.approx(0, abs=1e-6)
    low, high = timing.phases["fixation"].planned_ms
    assert 1100 <= low < high <= 1600
    assert timing.response_lock < 0.3
    text = report(timing)
    assert "88 of 88 end as planned (400 ms)" in text
    assert "shown 400.0 ms x 88" in text
    assert "late refreshes        0 of " in text


def longer(data, name, ms, late=0):
    """The trial with one phase that stood longer, and what follows later."""
    later = False
    for phase in data.phases:
        phase.onset_ms += ms if later else 0.0
        if phase.name == name:
            phase.shown_ms += ms
            phase.late_refreshes += late
            later = True


def test_a_phase_that_stood_a_refresh_too_long_is_counted(plans, trials):
    changed = copy.deepcopy(trials)
    longer(changed[5], "stimulus", 1000 / 60, late=1)
    longer(changed[6], "fixation", 0.0, late=3)
    longer(changed[6], "blank", 0.0, late=2)
    changed[7].flags = ["both_keys", "flip_returned_late 2, at most 3.1 ms"]
    timing = timing_of(plans[0], changed)
    assert timing.phases["fixation"].off_by_refreshes == {"0": 88}
    assert timing.phases["stimulus"].off_by_refreshes == {"0": 87, "1": 1}
    assert [phase.late_refreshes for phase in timing.phases.values()] == [3, 1, 2]
    assert timing.phases["stimulus"].worst_error_ms < 1  # the trial with a late refresh is left out
    assert timing.flags == {"both_keys": 1, "flip_returned_late": 1}
    assert "416.7 ms x 1" in report(timing)
    assert "fixation 3, stimulus 1, blank 2" in report(timing)


def test_response_times_stamped_once_per_refresh_are_noticed(plans, trials):
    changed = copy.deepcopy(trials)
    for data in changed:
        if data.response_ms is not None:
            data.response_ms = round(data.response_ms * 60 / 1000) * 1000 / 60
    timing = timing_of(plans[0], changed)
    assert timing.response_lock > 0.99
    assert timing.response_step_ms == pytest.approx(1000 / 60)
    assert "stamped once per refresh" in report(timing)


def planned(set_of, name, tmp_path):
    """The first plan of a protocol of the tests."""
    return make_study(set_of(name), protocol_of(name), tmp_path / "study", n_slots=1)[0]


def trials_of(plan):
    return [e for e in simulate_session(plan, Observers(), seed=1) if isinstance(e, TrialData)]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_timing_of_every_task_is_right_on_a_display_that_keeps_time(set_of, tmp_path, name):
    plan = planned(set_of, name, tmp_path)
    timing = timing_of(plan, trials_of(plan))
    assert {each for phase in timing.phases.values() for each in phase.off_by_refreshes} <= {"0"}
    errors = [phase.worst_error_ms for phase in timing.phases.values() if phase.worst_error_ms is not None]
    assert max(errors) <= 500 / 60 + 1e-6
    assert all(line for line in report(timing).splitlines())


def test_an_image_and_the_mask_behind_it_are_one_dark_interval_and_a_gap_parts_them(set_of, tmp_path):
    masked, sixteen = (planned(set_of, name, tmp_path / name) for name in ("masked", "sixteen-way"))
    first = [each.phases for each in images_of(masked, trials_of(masked)[:2])[0]]
    assert first == ["stimulus", "mask", "stimulus", "mask"]
    trials = trials_of(sixteen)[:2]
    found = images_of(sixteen, trials)[0]
    assert [each.phases for each in found] == ["stimulus+mask"] * 2
    for each, data in zip(found, trials, strict=True):
        image, mask = data.phase("stimulus"), data.phase("mask")
        assert each.shown_ms == pytest.approx(image.shown_ms + mask.shown_ms)
        assert each.onset_s == pytest.approx(data.zero_s + image.onset_ms / 1000)


def test_a_diode_sees_images_of_twenty_milliseconds_and_their_masks(set_of, tmp_path):
    plan = planned(set_of, "masked", tmp_path)
    some = images_of(plan, trials_of(plan)[:10])[0]
    found = compare(read_trace(write_trace(tmp_path / "t.csv", some, lag_ms=6.0)), [some])
    assert (len(found.trials), found.unseen, found.strangers) == (20, [], 0)
    assert {each.phases for each in found.trials} == {"stimulus", "mask"}
    assert all(each.onset_lag_ms == pytest.approx(6.0, abs=0.3) for each in found.trials)
    assert all(abs(each.duration_error_ms) < 0.3 for each in found.trials)


@pytest.mark.parametrize(("lag", "longer"), [(0.0, 0.0), (8.3, 0.0), (23.0, 16.667), (5.0, -2.5)])
def test_a_diode_s_lag_and_duration_error_are_recovered(shown, tmp_path, lag, longer):
    some = shown[:12]
    trace = read_trace(write_trace(tmp_path / "t.csv", some, lag_ms=lag, longer_ms=longer))
    found = compare(trace, [some]).trials
    assert [d.trial for d in found] == [t.trial for t in some]
    for trial in found:
        assert trial.onset_lag_ms == pytest.approx(lag, abs=0.25)
        assert trial.duration_error_ms == pytest.approx(longer, abs=0.2)


def test_without_a_trigger_line_another_clock_is_fitted_and_jitter_remains(shown, tmp_path):
    some = shown[:30]
    path = write_trace(
        tmp_path / "t.csv", some, lag_ms=12.0, jitter_ms=2.0, trigger=False, clock=1.00002, zero=777.0, rate=2000
    )
    lags = np.array([d.onset_lag_ms for d in compare(read_trace(path), [some]).trials])
    assert np.median(lags) == pytest.approx(0, abs=1e-9)
    assert lags.std() == pytest.approx(2.0, rel=0.4)


def test_crossings_lie_between_samples():
    falls, rises = crossings(np.arange(6.0), np.array([1.0, 1.0, 0.0, 0.0, 0.0, 1.0]))
    assert falls.tolist() == [1.5]
    assert rises.tolist() == [4.5]


def test_a_single_wild_sample_does_not_move_the_threshold():
    value = np.array([1.0] * 10 + [0.0] * 10 + [1.0] * 10)
    value[3] = 50.0
    falls, rises = crossings(np.arange(30.0), value)
    assert 9.5 in falls
    assert 19.5 in rises


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,light\n0,1\n1,0\n", 'no column "time_s". Did you mean "time"'),
        ("time_s,light\n0,1\n1,x\n", "line 3"),
        ("time_s,light\n0,1\n", "at least two samples"),
        ("time_s,light\n1,1\n0,1\n", "increasing times"),
    ],
)
def test_a_trace_that_cannot_be_read_is_refused(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_trace(tmp_path / "t.csv")


def test_a_trace_without_images_or_with_another_number_is_refused(shown, tmp_path):
    flat = tmp_path / "flat.csv"
    flat.write_text("time_s,light\n" + "\n".join(f"{i},0.5" for i in range(100)))
    with pytest.raises(InputError, match="does not change"):
        compare(read_trace(flat), [shown])
    trace = read_trace(write_trace(tmp_path / "t.csv", shown[:5]))
    with pytest.raises(InputError, match="5 dark intervals and the journal 60 images and masks"):
        compare(trace, [shown[20:80]])


def test_images_that_the_trace_lacks_cost_their_own_trials_only(shown, tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.csv", shown[3:11], lag_ms=7.0))
    found = compare(trace, [shown[:12]])
    assert found.unseen == [0, 1, 2, 11]
    assert [d.trial for d in found.trials] == list(range(3, 11))
    assert all(d.onset_lag_ms == pytest.approx(7.0, abs=0.3) for d in found.trials)


@pytest.mark.parametrize("trigger", [True, False])
def test_an_image_that_was_interrupted_is_seen_and_refuses_nothing(plans, shown, tmp_path, trigger):
    """Escape during an image, then on; the trace has one dark interval more than there are trials."""
    cut = Event(what="interrupted", trial=10, seen=True, onset_s=shown[10].onset_s)
    later = [each._replace(onset_s=each.onset_s + 5) for each in shown[10:20]]
    (run,) = images_of(plans[0], [cut])
    some = [*shown[:10], *run, *later]
    assert [s.trial for s in some].count(None) == 1
    trace = read_trace(write_trace(tmp_path / "t.csv", some, lag_ms=12.3, trigger=trigger, rate=2000))
    found = compare(trace, [some])
    assert [d.trial for d in found.trials] == [s.trial for s in some if s.trial is not None]
    assert (found.unseen, found.strangers) == ([], 0)
    assert all(abs(d.duration_error_ms) < 1.0 for d in found.trials)
    assert np.mean([d.onset_lag_ms for d in found.trials]) == pytest.approx(12.3 if trigger else 0.0, abs=0.3)


def test_two_openings_with_clocks_of_their_own_are_matched_one_after_the_other(shown, tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.csv", shown[:16], trigger=False, rate=2000))
    later = [s._replace(onset_s=s.onset_s - 1e4) for s in shown[8:16]]
    found = compare(trace, [shown[:8], later])
    assert [d.trial for d in found.trials] == list(range(16))
    assert max(abs(d.onset_lag_ms) for d in found.trials) < 0.5


def test_a_display_that_strobes_shows_its_images_all_the_same(shown):
    some, time_s = shown[:5], np.arange(shown[0].onset_s - 0.5, shown[4].onset_s + 1, 1 / 5000)
    lit = (time_s * 60) % 1 < 0.3
    for each in some:
        lit &= ~((time_s >= each.onset_s) & (time_s < each.onset_s + each.shown_ms / 1000))
    found = compare(Trace(time_s, lit.astype(float), None), [some])
    assert [d.trial for d in found.trials] == [d.trial for d in some]
    assert (found.unseen, found.strangers, found.strobes) == ([], 0, True)
    assert all(abs(d.duration_error_ms) <= 1000 / 60 for d in found.trials)
    assert "strobes" in found.report()


def test_the_command_reports_a_session_with_its_diode(study, record_session, tmp_path, capsys):
    entry = record_session(study, "p1", n=10, finished=False)
    _, entries = read_journal(journal_path(study, entry.session_id))
    shown = images_of(plan_of(study, entry), entries)[0]
    trace = write_trace(tmp_path / "t.csv", shown, lag_ms=9.0)
    out = tmp_path / "timing.json"
    assert (
        main(["session", "report", str(study.folder), "p1", "--photodiode-trace", str(trace), "--out", str(out)]) == 0
    )
    assert "onset_lag_ms_mean 9." in capsys.readouterr().out or "onset_lag_ms_mean 8.9" in out.read_text()
    found = json.loads(out.read_text())
    assert found["timing"]["n_trials"] == 10
    assert len(found["diode_trials"]) == 10
    assert entry.participant_id == "p1"


def test_a_session_without_trials_has_no_report(study, record_session, capsys):
    record_session(study, "p1", n=0, finished=False)
    assert main(["session", "report", str(study.folder), "p1"]) == 2
    assert "no completed trials" in capsys.readouterr().err
