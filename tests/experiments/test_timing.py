"""The timing report and the photodiode: faults that are put in come out."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab.photodiode import Trace, compare, crossings, pictures_of, read_trace
from rapidvision.experiments.lab.timing import report, timing_of


@pytest.fixture(scope="module")
def trials(plans):
    return [e for e in simulate_session(plans[0], Observers(), seed=1) if isinstance(e, TrialData)]


def shown(trials):
    return pictures_of(trials)[0]


def write_trace(
    path, trials, *, lag_ms=0.0, longer_ms=0.0, jitter_ms=0.0, trigger=True, clock=1.0, zero=0.0, rate=5000, seed=0
):
    """A diode on the patch: light falls `lag_ms` after each onset, with the panel's own soft edges."""
    rng = np.random.default_rng(seed)
    start = trials[0].onset_s - 0.5
    time = np.arange(0, trials[-1].onset_s + 1 - start, 1 / rate)
    light, line = np.full(len(time), 0.9), np.zeros(len(time))
    for data in trials:
        on = data.onset_s - start + (lag_ms + rng.normal(0, jitter_ms)) / 1000
        off = on + (data.stimulus_ms + longer_ms) / 1000
        light -= 0.4 * (np.tanh((time - on) / 0.0008) - np.tanh((time - off) / 0.0008))
        line[(time >= data.onset_s - start) & (time < data.onset_s - start + 0.01)] = 1
    rows = [
        f"{t * clock + zero:.7f},{v:.5f}" + (f",{m:g}" if trigger else "")
        for t, v, m in zip(time, light, line, strict=True)
    ]
    path.write_text("time_s,light" + (",trigger" if trigger else "") + "\n" + "\n".join(rows) + "\n")
    return path


def test_a_perfect_session_is_reported_as_one(plans, trials):
    timing = timing_of(plans[0], trials)
    assert timing.off_by_refreshes == {"0": 88}
    assert timing.shown_ms == {"400.0": 88}
    assert timing.worst_error_ms == pytest.approx(0, abs=1e-6)
    assert timing.response_lock < 0.3
    assert "88 of 88 for 400.0 ms" in report(timing)


def test_a_picture_that_stood_a_refresh_too_long_is_counted(plans, trials):
    import copy

    changed = copy.deepcopy(trials)
    changed[5].stimulus_ms += 1000 / 60
    changed[5].late_refreshes = (0, 1, 0)
    changed[6].late_refreshes = (3, 0, 2)
    changed[7].flags = ["both_keys", "flip_returned_late 2, at most 3.1 ms"]
    timing = timing_of(plans[0], changed)
    assert timing.off_by_refreshes == {"0": 87, "1": 1}
    assert [timing.late_refreshes[k] for k in ("fixation", "stimulus", "blank")] == [3, 1, 2]
    assert timing.flags == {"both_keys": 1, "flip_returned_late": 1}
    assert "416.7 ms x 1" in report(timing)


def test_response_times_stamped_once_per_refresh_are_noticed(plans, trials):
    import copy

    changed = copy.deepcopy(trials)
    for data in changed:
        if data.response_ms is not None:
            data.response_ms = round(data.response_ms * 60 / 1000) * 1000 / 60
    timing = timing_of(plans[0], changed)
    assert timing.response_lock > 0.99
    assert timing.response_step_ms == pytest.approx(1000 / 60)
    assert "stamped once per refresh" in report(timing)


def test_trials_that_a_response_ended_are_no_error(plans):
    import msgspec

    from rapidvision.protocol import Protocol, Timing

    plan = msgspec.structs.replace(plans[0], protocol=Protocol(timing=Timing(response_ends_trial=True)))
    trials = [e for e in simulate_session(plan, Observers(), seed=1) if isinstance(e, TrialData)]
    assert set(timing_of(plan, trials).off_by_refreshes) == {"0"}


@pytest.mark.parametrize(("lag", "longer"), [(0.0, 0.0), (8.3, 0.0), (23.0, 16.667), (5.0, -2.5)])
def test_a_diode_s_lag_and_duration_error_are_recovered(trials, tmp_path, lag, longer):
    some = trials[:12]
    trace = read_trace(write_trace(tmp_path / "t.csv", some, lag_ms=lag, longer_ms=longer))
    found = compare(trace, [shown(some)]).trials
    assert [d.trial for d in found] == [t.trial for t in some]
    for trial in found:
        assert trial.onset_lag_ms == pytest.approx(lag, abs=0.25)
        assert trial.duration_error_ms == pytest.approx(longer, abs=0.2)


def test_without_a_trigger_line_another_clock_is_fitted_and_jitter_remains(trials, tmp_path):
    some = trials[:30]
    path = write_trace(
        tmp_path / "t.csv", some, lag_ms=12.0, jitter_ms=2.0, trigger=False, clock=1.00002, zero=777.0, rate=2000
    )
    lags = np.array([d.onset_lag_ms for d in compare(read_trace(path), [shown(some)]).trials])
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


def test_a_trace_without_stimuli_or_with_another_number_is_refused(trials, tmp_path):
    flat = tmp_path / "flat.csv"
    flat.write_text("time_s,light\n" + "\n".join(f"{i},0.5" for i in range(100)))
    with pytest.raises(InputError, match="does not change"):
        compare(read_trace(flat), [shown(trials)])
    trace = read_trace(write_trace(tmp_path / "t.csv", trials[:5]))
    with pytest.raises(InputError, match="5 dark intervals and the journal 60 pictures"):
        compare(trace, [shown(trials[20:80])])


def test_pictures_that_the_trace_lacks_cost_their_own_trials_only(trials, tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.csv", trials[3:11], lag_ms=7.0))
    found = compare(trace, [shown(trials[:12])])
    assert found.unseen == [0, 1, 2, 11]
    assert [d.trial for d in found.trials] == list(range(3, 11))
    assert all(d.onset_lag_ms == pytest.approx(7.0, abs=0.3) for d in found.trials)


@pytest.mark.parametrize("trigger", [True, False])
def test_a_picture_that_was_interrupted_is_seen_and_refuses_nothing(plans, tmp_path, trigger):
    """The real engine: escape during a picture, then on; the trace has one dark interval more than there are trials."""
    from tests.experiments.test_session import take_part

    onset_s = [e for e in take_part(plans[0]) if isinstance(e, TrialData)][10].onset_s
    entries = take_part(plans[0], at=[onset_s + 0.15])
    runs = pictures_of(entries)
    assert (len(runs), len(runs[0])) == (1, 89)
    some = runs[0][:20]
    assert [s.trial for s in some].count(None) == 1
    made = [SimpleNamespace(onset_s=s.onset_s, stimulus_ms=s.stimulus_ms or 150.0) for s in some]
    trace = read_trace(write_trace(tmp_path / "t.csv", made, lag_ms=12.3, trigger=trigger, rate=2000))
    found = compare(trace, [some])
    assert [d.trial for d in found.trials] == [s.trial for s in some if s.trial is not None]
    assert (found.unseen, found.strangers) == ([], 0)
    assert all(abs(d.duration_error_ms) < 1.0 for d in found.trials)
    assert np.mean([d.onset_lag_ms for d in found.trials]) == pytest.approx(12.3 if trigger else 0.0, abs=0.3)


def test_two_openings_with_clocks_of_their_own_are_matched_one_after_the_other(trials, tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.csv", trials[:16], trigger=False, rate=2000))
    later = [s._replace(onset_s=s.onset_s - 1e4) for s in shown(trials[8:16])]
    found = compare(trace, [shown(trials[:8]), later])
    assert [d.trial for d in found.trials] == list(range(16))
    assert max(abs(d.onset_lag_ms) for d in found.trials) < 0.5


def test_a_display_that_strobes_shows_its_pictures_all_the_same(trials):
    some, time_s = trials[:5], np.arange(trials[0].onset_s - 0.5, trials[4].onset_s + 1, 1 / 5000)
    lit = (time_s * 60) % 1 < 0.3
    for data in some:
        lit &= ~((time_s >= data.onset_s) & (time_s < data.onset_s + data.stimulus_ms / 1000))
    found = compare(Trace(time_s, lit.astype(float), None), [shown(some)])
    assert [d.trial for d in found.trials] == [d.trial for d in some]
    assert (found.unseen, found.strangers, found.strobes) == ([], 0, True)
    assert all(abs(d.duration_error_ms) <= 1000 / 60 for d in found.trials)
    assert "strobes" in found.report()


def test_the_command_reports_a_session_with_its_diode(study, record_session, tmp_path, capsys):
    entry = record_session(study, "p1", n=10, finished=False)
    from rapidvision.experiments.exports.sessions import recorded_sessions

    trials = [t for _, run in recorded_sessions(study).recorded[0].runs() for t in run]
    trace = write_trace(tmp_path / "t.csv", trials, lag_ms=9.0)
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
