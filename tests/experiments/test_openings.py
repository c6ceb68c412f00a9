"""Each opening of a journal says what it ran on; what must not differ is refused with what was got and what is allowed."""

import json

import msgspec
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.exports.events import write_tsv
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab import run
from rapidvision.experiments.lab.file_checks import Options, journal_path, plan_of
from rapidvision.experiments.lab.openings import n_planned, words_of
from rapidvision.experiments.lab.overview import sessions_table
from rapidvision.experiments.recording.headers import Setup
from rapidvision.experiments.recording.journal import JournalFile, read_journal, trials_and_events
from rapidvision.formats.protocol_file import preset
from rapidvision.screen import Screen
from rapidvision.study import Study
from rapidvision.text import csv_text
from tests.experiments.conftest import header_of, setup_of, short_protocol

NEAR, FAR = (Screen(width_px=1920, width_cm=53.0, distance_cm=distance) for distance in (57.0, 300.0))


@pytest.fixture
def journal(plans, tmp_path):
    header = header_of(plans[0])
    with JournalFile(tmp_path / "j.jsonl", header) as file:
        file.append(setup_of(header, profile=NEAR, window_px=(1920, 1080)))
        yield file


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"observer_kind": "simulated"}, "observer_kind: got simulated, allowed is human"),
        ({"observer": "simulated"}, "observer: got simulated, allowed is human"),
        ({"profile": FAR}, "profile: got .*at 300 cm.*allowed is .*at 57 cm"),
        ({"profile": None}, "profile: got none"),
        ({"window_px": (800, 600)}, "window_px: got 800 x 600, allowed is 1920 x 1080"),
        ({"display": "paced test mode"}, "display: got paced test mode, allowed is real"),
    ],
)
def test_what_must_not_differ_is_refused_and_nothing_is_written(journal, changes, told):
    before = journal.path.read_bytes()
    with pytest.raises(InputError, match=told):
        journal.append(msgspec.structs.replace(journal.setup, **changes))
    assert journal.path.read_bytes() == before


def test_what_may_differ_is_recorded_as_another_opening(journal):
    journal.append(msgspec.structs.replace(journal.setup, host="lab-2", trigger="lsl:x", photodiode_px=60))
    setups = [entry for entry in read_journal(journal.path)[1] if isinstance(entry, Setup)]
    assert [setup.host for setup in setups] == ["lab-1", "lab-2"]
    assert [setup.trigger for setup in setups] == ["none", "lsl:x"]


def test_a_session_is_not_resumed_at_another_distance_and_no_window_opens(study, record_session, monkeypatch):
    record_session(study, "p1", n=20, finished=False, profile=NEAR)
    opened = []
    monkeypatch.setattr(run, "_with_display", lambda *_, **__: opened.append(1))
    with pytest.raises(InputError, match="profile: got .*at 300 cm"):
        run.resume_session(study, "p1", Options(profile=FAR))
    assert not opened
    run.resume_session(study, "p1", Options(profile=NEAR))
    assert opened


def test_a_journal_is_not_opened_with_a_header_of_another_observer(plans, tmp_path):
    path = tmp_path / "j.jsonl"
    JournalFile(path, header_of(plans[0])).close()
    with pytest.raises(InputError, match="another kind of observer: got simulated, allowed is human"):
        JournalFile(path, header_of(plans[0], kind="simulated"))


def test_bids_tells_what_each_opening_ran_on_and_nothing_of_the_computer_that_exports(study, record_session, tmp_path):
    entry = record_session(
        study, "p1", n=20, finished=False, profile=NEAR, monitor_px=(1920, 1080), system="Windows 11"
    )
    path = journal_path(study, entry.session_id)
    header, entries = read_journal(path)
    with JournalFile(path, header) as journal:
        journal.append(msgspec.structs.replace(journal.setup, host="lab-2", system="Linux 6.1"))
        last = entries[-1]
        last.trial, last.attempt = 60, 2
        journal.append(last)
    assert main(["session", "export", str(study.folder), "--format", "bids", "--out", str(tmp_path / "b")]) == 0
    sidecars = [json.loads(p.read_text()) for p in sorted((tmp_path / "b" / "sub-p1" / "beh").glob("*_beh.json"))]
    shown = [sidecar["StimulusPresentation"] for sidecar in sidecars]
    assert [each["OperatingSystem"] for each in shown] == ["Windows 11", "Linux 6.1"]
    assert [each["ScreenDistance"] for each in shown] == [0.57, 0.57]
    assert [each["ScreenResolution"] for each in shown] == [[1920, 1080]] * 2
    assert [sidecar["RapidVision"]["Host"] for sidecar in sidecars] == ["lab-1", "lab-2"]
    table = next((tmp_path / "b" / "sub-p1" / "beh").glob("*run-2_events.tsv")).read_text().splitlines()
    columns = table[0].split("\t")
    assert table[1].split("\t")[columns.index("attempt")] == "2"


def test_bids_names_the_task_and_the_categories_of_the_study(study, record_session, tmp_path):
    record_session(study, "p1", n=5, finished=False)
    out = tmp_path / "b"
    assert main(["session", "export", str(study.folder), "--format", "bids", "--out", str(out)]) == 0
    texts = (out / "README").read_text() + "".join(p.read_text() for p in out.rglob("*.json"))
    assert "animal" not in (out / "README").read_text().lower()
    assert "zebra" in texts
    assert (out / "sub-p1" / "beh" / "sub-p1_task-rapidvision_run-1_beh.tsv").is_file()


def test_a_image_that_was_changed_since_is_not_exported_as_the_one_that_was_shown(set_maker, tmp_path, record_session):

    made = set_maker(tmp_path / "set", per_category=2, practice=0, n_levels=3)
    make_study(made, short_protocol(), tmp_path / "s", n_slots=2)
    study = Study(tmp_path / "s")
    record_session(study, "p1")
    for path in (made.folder / "images").iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    assert main(["session", "export", str(study.folder), "--format", "bids", "--out", str(tmp_path / "b")]) == 2
    assert not (tmp_path / "b").exists()


def test_a_cell_with_a_line_break_does_not_break_a_table(tmp_path):
    write_tsv(tmp_path / "t.tsv", ("a", "flags"), [["1", "lost\n(22)\tcode 31"]])
    assert (tmp_path / "t.tsv").read_text() == "a\tflags\n1\tlost (22) code 31\n"


def test_practice_rounds_that_fell_away_are_no_trials_that_are_left(set_of, tmp_path, record_session):
    paper = preset("paper")
    practice = msgspec.structs.replace(paper.practice, criterion=0.5, max_rounds=2)
    make_study(set_of("paper"), msgspec.structs.replace(paper, practice=practice), tmp_path / "s", n_slots=2)
    study = Study(tmp_path / "s")
    entry = record_session(study, "p1", n=30, finished=False)
    plan = plan_of(study, entry)
    past = trials_and_events(read_journal(journal_path(study, entry.session_id))[1])
    assert len(plan.trials()) == 96
    assert n_planned(plan, []) == 96
    assert n_planned(plan, past) == 88  # the first round was good enough
    words = words_of(entry, plan, past)
    assert f"{sum(isinstance(each, TrialData) for each in past)} of 88 trials are done" in words
    assert "/88" in sessions_table(study)


def test_openings_csv_and_the_report_of_all_say_who_ran_what_where(study, record_session, tmp_path, capsys):
    record_session(
        study, "p1", profile=NEAR, monitor_px=(1920, 1080), accepted=["scale"], trigger="parallel:0x378", trigger_ms=8.0
    )
    entry = record_session(study, "p2", n=7, finished=False)
    path = journal_path(study, entry.session_id)
    header, _ = read_journal(path)
    with JournalFile(path, header) as journal:
        journal.append(setup_of(header, host="lab-2", system="Windows 11"))
    (study.sessions_folder / "p3-clickme-0003.jsonl").write_bytes(b"")
    assert main(["session", "export", str(study.folder)]) == 1
    rows = csv_text.read(study.folder / "openings.csv")
    assert [(row["participant_id"], row["opening"], row["host"], row["n_trials"]) for row in rows] == [
        ("p1", "1", "lab-1", "88"), ("p2", "1", "lab-1", "7"), ("p2", "2", "lab-2", "0"),
    ]  # fmt: skip
    first = rows[0]
    assert (first["monitor_width_px"], first["monitor_width_cm"], first["distance_cm"]) == ("1920", "53.0", "57.0")
    assert (first["accepted"], first["trigger"], first["trigger_ms"]) == ("scale", "parallel:0x378", "8.0")
    capsys.readouterr()
    assert main(["session", "report", str(study.folder), "--all", "--out", str(tmp_path / "all.json")]) == 1
    out, err = capsys.readouterr()
    assert "left out 1 of the journals" in err
    assert out.count("p2-") == 2 and "lab-2, Windows 11" in out and "accepted scale" in out
    assert [row["host"] for row in json.loads((tmp_path / "all.json").read_text())] == ["lab-1", "lab-1", "lab-2"]
    assert main(["session", "report", str(study.folder)]) == 2
    assert main(["session", "report", str(study.folder), "p1", "--all"]) == 2
