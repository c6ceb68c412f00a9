"""Pilots, rehearsals and simulations: no slot of the study, none of its counts, none of its exports."""

import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.design.rehearsals import Rehearsals
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.lab import file_checks, run
from rapidvision.experiments.lab.file_checks import Options, find_session, next_rehearsal
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.lab.overview import sessions_table, status
from rapidvision.formats.trials_table import read_table

SIMULATED = Options(simulate=Observers())


@pytest.fixture
def opened(monkeypatch):
    """Instead of a window: what would have been opened."""
    calls = []

    def claim(study, options, ready, take, *, resume, say, first=""):
        calls.append((study, take()))
        return file_checks.journal_path(study, calls[-1][1].session_id)

    monkeypatch.setattr(run, "_with_display", claim)
    return calls


@pytest.mark.parametrize("options", [SIMULATED, Options(pilot=True)])
def test_a_rehearsal_takes_no_slot_of_the_study(study, opened, options):
    run.run_session(study, "rehearsal", options)
    part, entry = opened[0]
    assert not Ledger(study).slots().last
    assert list(Ledger(Rehearsals(study.folder)).slots().last) == [entry.session_id]
    assert entry.session_id.startswith(f"{options.kind}-rehearsal-")
    assert part.sessions_folder == study.folder / "rehearsals" / "sessions"
    assert run.run_session(study, "rehearsal", Options()) == study.sessions_folder / f"{opened[1][1].session_id}.jsonl"


def test_rehearsals_never_run_out_of_slots(study, opened):
    for _ in range(10):
        run.run_session(study, next_rehearsal(study, "pilot"), Options(pilot=True))
    assert [entry.participant_id for _, entry in opened] == [f"pilot{n}" for n in range(1, 11)]


def test_a_person_needs_an_id(study, opened, capsys):
    assert main(["session", "run", str(study.folder)]) == 2
    assert "give an id with --participant" in capsys.readouterr().err
    assert main(["session", "run", str(study.folder), "--pilot", "--simulate"]) == 2
    assert "give one" in capsys.readouterr().err


def test_counts_and_default_exports_hold_people_only(study, record_session, capsys):
    record_session(study, "p1")
    record_session(study, "r1", kind="simulated")
    record_session(study, "r2", kind="pilot", finished=False, n=20)
    assert "finished 1" in status(study)
    assert "unfinished:" not in status(study)
    assert "beside the study: 1 pilot, 1 simulated sessions" in status(study)
    assert "pilot-r2-" in sessions_table(study)
    assert main(["session", "export", str(study.folder)]) == 0
    rows = read_table(study.trials_path)
    assert {(row.participant_id, row.observer_kind) for row in rows} == {("p1", "human")}
    assert "1 sessions (human)" in capsys.readouterr().out


def test_an_export_of_other_kinds_names_them_and_marks_every_row(study, record_session):
    record_session(study, "p1")
    record_session(study, "r1", kind="simulated")
    record_session(study, "r2", kind="pilot")
    both = [s.header.observer_kind for s in recorded_sessions(study, observers=["pilot", "simulated"]).recorded]
    assert both == ["pilot", "simulated"]
    assert main(["session", "export", str(study.folder), "--observers", "pilot"]) == 0
    path = study.folder / "rehearsals" / "trials.csv"
    assert {row.observer_kind for row in read_table(path)} == {"pilot"}
    assert not study.trials_path.exists()


def test_a_study_of_rehearsals_only_says_where_they_are(study, record_session):
    record_session(study, "r1", kind="simulated")
    with pytest.raises(InputError, match=r"1 of pilots and simulations lie beside it, see --observers"):
        recorded_sessions(study)


@pytest.mark.parametrize(
    ("began", "options", "got", "how"),
    [
        ("human", SIMULATED, "simulated", "without --simulate"),
        ("human", Options(pilot=True), "pilot", "without --simulate and --pilot"),
        ("simulated", Options(), "human", "with --simulate"),
        ("pilot", Options(), "human", "with --pilot"),
        ("pilot", SIMULATED, "simulated", "with --pilot"),
    ],
)
def test_no_session_resumes_with_another_kind_of_observer(study, opened, record_session, began, options, got, how):
    record_session(study, "p1", kind=began, n=20, finished=False)
    with pytest.raises(InputError, match=f"observer: got {got}, allowed is {began}.*{how}"):
        run.resume_session(study, "p1", options)
    assert not opened


def test_a_rehearsal_is_found_resumed_reported_and_returned_by_its_id(study, opened, record_session, capsys):
    entry = record_session(study, "r2", kind="pilot", n=20, finished=False)
    assert find_session(study, "r2").entry == entry
    run.resume_session(study, "r2", Options(pilot=True))
    assert opened[0][1] == entry
    assert main(["session", "report", str(study.folder), "r2"]) == 0
    assert main(["session", "release", str(study.folder), "r2"]) == 0
    assert "given up" in capsys.readouterr().out
    assert not Ledger(study).slots().last
