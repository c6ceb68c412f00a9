"""What is void or in doubt is counted, and said wherever a session is named."""

import msgspec
import pytest

from rapidvision.cli import main
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.interfaces import Event, TrialData
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.overview import status
from rapidvision.experiments.recording.journal import JournalFile, read_journal
from rapidvision.experiments.recording.quality import quality_of, timing_ok
from rapidvision.formats.trials_table import read_table
from tests.experiments.conftest import header_of, setup_of


@pytest.fixture
def trials(plans):
    return [e for e in simulate_session(plans[0], Observers(), seed=1) if isinstance(e, TrialData)]


def test_an_undisturbed_session_has_nothing_to_say(plans, trials):
    found = quality_of(plans[0], trials)
    assert (found.n_trials, found.n_void, found.n_flagged, found.flags, found.warns) == (88, 0, 0, {}, False)
    assert all(timing_ok(plan_of(plans[0], data), data) for data in trials)


def test_each_trial_counts_once_whatever_it_met(plans, trials):
    trials[3].flags = ["focus_lost", "clock_step 5.0 ms", "early_press"]
    trials[4].phase("stimulus").shown_ms += 1000 / 60
    lost = Event(what="interrupted", trial=87, seen=True)
    found = quality_of(plans[0], [*trials[:87], lost])
    assert (found.n_trials, found.n_void, found.n_flagged) == (88, 1, 2)
    assert found.flags == {"clock_step": 1, "focus_lost": 1, "not_as_planned": 1}
    assert found.sentence().startswith("1 void and 2 flagged of 88 trials (3 %)")
    assert not found.warns


def test_a_trial_that_was_completed_after_an_interruption_is_not_void(plans, trials):
    found = quality_of(plans[0], [Event(what="interrupted", trial=5, seen=True), *trials])
    assert (found.n_trials, found.n_void) == (88, 0)


def plan_of(plan, data):
    """The planned trial."""
    return next(trial for trial in plan.trials() if trial.trial == data.trial)


@pytest.mark.parametrize("off", [-1, 1, 2])
@pytest.mark.parametrize("name", ["fixation", "stimulus", "blank"])
def test_a_phase_that_is_off_by_a_refresh_is_not_as_planned(plans, trials, name, off):
    trials[0].phase(name).shown_ms += off * 1000 / 60
    assert timing_ok(plan_of(plans[0], trials[0]), trials[0]) is False


def test_a_phase_that_never_came_up_is_not_as_planned(plans, trials):
    trials[0].phases = trials[0].phases[:2]
    assert timing_ok(plan_of(plans[0], trials[0]), trials[0]) is False
    trials[0].input = "s"
    assert timing_ok(plan_of(plans[0], trials[0]), trials[0], ends_trial=True)


def test_a_phase_may_be_cut_by_a_response_that_ends_the_trial_and_never_be_too_long(plans, trials):
    trial, data = plan_of(plans[0], trials[0]), trials[0]
    data.phases, data.input, data.response_ms = data.phases[:2], "s", 200.0
    data.phase("stimulus").shown_ms = 13 * 1000 / 60
    assert timing_ok(trial, data) is False
    assert timing_ok(trial, data, ends_trial=True)
    data.phase("stimulus").shown_ms = 25 * 1000 / 60
    assert timing_ok(trial, data, ends_trial=True) is False
    data.phase("stimulus").shown_ms, data.input = 13 * 1000 / 60, None
    assert timing_ok(trial, data, ends_trial=True) is False


def test_nothing_measured_on_a_display_that_was_accepted_in_spite_of_a_red_check_is_sure(plans, trials):
    setup = setup_of(header_of(plans[0]), accepted=["synchronised"])
    trial = plan_of(plans[0], trials[0])
    assert not timing_ok(trial, trials[0], setup=setup)
    assert timing_ok(trial, trials[0], setup=msgspec.structs.replace(setup, accepted=["age", "scale"]))
    assert quality_of(plans[0], [setup, *trials]).flags == {"accepted:synchronised": 88}


def test_status_report_export_and_table_all_tell_of_a_session_in_doubt(study, record_session, capsys):
    entry = record_session(study, "p1", n=0, finished=False)
    good = record_session(study, "p2")
    path = journal_path(study, entry.session_id)
    header, _ = read_journal(path)
    plan = next(p for p in study.plans() if (p.group, p.slot) == (entry.group, entry.slot))
    with JournalFile(path, header) as journal:
        for data in simulate_session(plan, Observers(), seed=1):
            if isinstance(data, TrialData) and data.trial % 10 == 0:
                data.flags.append("unsynchronised_flips 12")
            journal.append(data)
    told = f"ATTENTION: {entry.session_id}: 0 void and 9 flagged of 88 trials (10 %): unsynchronised_flips 9"
    assert told in status(study)
    assert f"ATTENTION: {good.session_id}" not in status(study)
    assert main(["session", "export", str(study.folder)]) == 0
    assert told in capsys.readouterr().out
    assert main(["session", "report", str(study.folder), "p1"]) == 0
    out = capsys.readouterr().out
    assert "ATTENTION" in out
    assert "9 flagged of 88" in out
    rows = [row for row in read_table(study.trials_path) if row.participant_id == "p1"]
    assert {row.trial for row in rows if row.timing_ok is False} == set(range(0, 88, 10))
    assert {row.flags for row in rows if row.timing_ok is False and "early" not in row.flags} == {
        "unsynchronised_flips"
    }
    assert len(recorded_sessions(study).recorded) == 2
