"""Exports hold every trial, in the forms that their validators accept."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.exports.bids import labels_of
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.exports.table import write_rows
from rapidvision.experiments.lab.file_checks import journal_path, plan_of
from rapidvision.experiments.recording.headers import Setup
from rapidvision.experiments.recording.journal import Event, JournalFile, read_journal
from rapidvision.formats.protocol_file import preset
from rapidvision.formats.trials_table import read_table
from rapidvision.screen import Screen
from rapidvision.system import files
from rapidvision.trials import COLUMNS, columns_of
from tests.chain import console
from tests.conftest import missing


@pytest.fixture
def recorded_study(study, record_session):
    record_session(
        study, "p-01", profile=Screen(width_px=1920, width_cm=53.0, distance_cm=57.0), monitor_px=(1920, 1080)
    )
    record_session(study, "p02", n=40, finished=False)
    return study


def test_the_table_has_every_completed_trial_and_reads_back(recorded_study, capsys):
    assert main(["session", "export", str(recorded_study.folder)]) == 0
    out = capsys.readouterr().out
    rows = read_table(recorded_study.trials_path)
    assert len(rows) == 88 + 40
    assert {r.observer for r in rows} == {"human"}
    assert "128 trials of 2 sessions" in out
    assert "unfinished sessions are included" in out


def test_parquet_and_csv_hold_the_same(recorded_study, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [row for session in recorded_sessions(recorded_study).recorded for row in session.rows()]
    write_rows(tmp_path / "t.parquet", rows)
    write_rows(tmp_path / "t.csv", rows)
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == [c.name for c in (*COLUMNS, *columns_of(preset("paper")))]
    found = table.to_pylist()
    for row, other in zip(read_table(tmp_path / "t.csv"), found, strict=True):
        for column in COLUMNS:
            value = getattr(row, column.name)
            assert value == (
                pytest.approx(other[column.name], abs=1e-6)
                if column.dtype == "float" and value is not None
                else other[column.name]
            )
        assert list(row.more) == [column.name for column in columns_of(preset("paper"))]
        for name, value in row.more.items():
            assert value == pytest.approx(other[name], abs=1e-6)


def test_another_ending_is_refused(recorded_study, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.csv or \.parquet"):
        write_rows(tmp_path / "t.xlsx", [])


def test_an_interrupted_trial_that_was_seen_has_a_row(study, record_session):
    entry = record_session(study, "p1", n=20, finished=False)
    path = journal_path(study, entry.session_id)
    header, _ = read_journal(path)
    number = plan_of(study, entry).trials()[20].trial
    with JournalFile(path, header) as journal:
        journal.append(Event(what="interrupted", trial=number, seen=True, utc="2026-01-01T00:00:00+00:00"))
    rows = recorded_sessions(study).recorded[0].rows()
    assert (len(rows), rows[-1].status, rows[-1].trial) == (21, "aborted", number)


def validator():
    path = Path(sys.executable).with_name("bids-validator-deno")
    found = str(path) if path.exists() else shutil.which("bids-validator-deno")
    return found or missing("bids-validator-deno is not installed")


def test_bids_is_clean_under_its_validator(recorded_study, tmp_path):
    out = tmp_path / "bids"
    assert main(["session", "export", str(recorded_study.folder), "--format", "bids", "--out", str(out)]) == 0
    done = subprocess.run(
        [validator(), "--json", str(out)], capture_output=True, text=True, check=False, timeout=120,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
    )  # fmt: skip
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [i for i in issues if i["severity"] == "error"] == []
    with (out / "sub-p01" / "beh" / "sub-p01_task-rapidvision_run-1_events.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 88
    onsets = [float(row["onset"]) for row in rows]
    assert onsets == sorted(onsets)
    assert all(float(row["duration"]) == pytest.approx(0.4) for row in rows)
    assert all((out / "stimuli" / row["stim_file"]).is_file() for row in rows)
    sidecar = json.loads((out / "sub-p01" / "beh" / "sub-p01_task-rapidvision_run-1_beh.json").read_text())
    assert sidecar["StimulusPresentation"]["ScreenDistance"] == 0.57


def test_each_opening_of_a_session_is_a_run(study, record_session, make_setup):
    entry = record_session(study, "p1", n=20, finished=False)
    path = journal_path(study, entry.session_id)
    header, entries = read_journal(path)
    with JournalFile(path, header) as journal:
        journal.append(make_setup(header, host="another"))
        last = next(e for e in entries[::-1] if not isinstance(e, Setup | Event))
        last.trial = 87
        journal.append(last)
    runs = recorded_sessions(study).recorded[0].runs()
    assert [len(trials) for _, trials in runs] == [20, 1]


def test_two_participants_with_one_bids_name_are_refused():
    with pytest.raises(InputError, match="no name of its own"):
        labels_of(["p-1", "p_1"])


def test_psychds_describes_every_variable_and_reads_back(recorded_study, tmp_path):
    out = tmp_path / "ds"
    assert main(["session", "export", str(recorded_study.folder), "--format", "psych-ds", "--out", str(out)]) == 0
    description = json.loads((out / "dataset_description.json").read_text())
    named = {v["name"] for v in description["variableMeasured"]}
    tables = sorted((out / "data").glob("study-*_subject-*_data.csv"))
    assert len(tables) == 2
    for table in tables:
        assert set(table.read_text().splitlines()[0].split(",")) == named
    assert description["@type"] == "Dataset"
    assert sum(len(read_table(table)) for table in tables) == 128


@pytest.mark.parametrize("form", ["bids", "psych-ds"])
def test_a_folder_that_holds_something_is_not_written_into(recorded_study, tmp_path, capsys, form):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("mine")
    assert main(["session", "export", str(recorded_study.folder), "--format", form, "--out", str(tmp_path / "x")]) == 2
    assert "not empty" in capsys.readouterr().err


def test_nothing_to_export_and_a_stranger_s_journal_are_refused(study, record_session):
    with pytest.raises(InputError, match="no sessions to export"):
        recorded_sessions(study)
    entry = record_session(study, "p1", n=3, finished=False)
    path = journal_path(study, entry.session_id)
    from rapidvision.experiments.recording.journal import encode

    header, entries = read_journal(path)
    import msgspec

    path.write_bytes(b"".join(map(encode, [msgspec.structs.replace(header, plan_digest="x"), *entries])))
    found = recorded_sessions(study)
    assert not found.recorded
    assert "follows another plan" in found.faults[0].what


def test_an_exporter_of_ones_own_is_recorded_beside_its_output(recorded_study, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "howto" / "plug-ins.md"
    (code,) = (step.content for step in console.steps(page) if getattr(step, "name", "") == "my_exports.py")
    (tmp_path / "my_exports.py").write_text(code, encoding="utf-8")
    words = f"rapidvision session export {recorded_study.folder} --format tidy --out tidy.csv"
    assert 'got "tidy"' in console.run(words, tmp_path).stderr
    done = console.run(f"{words} --plugin my_exports", tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "tidy.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 88 + 40
    record = json.loads((tmp_path / "tidy.csv.export.json").read_text())
    (one,) = record["provenance"]["plugins"]
    assert (one["kind"], one["name"], one["sha256"]) == (
        "exporter", "tidy", files.sha256_file(tmp_path / "my_exports.py"),
    )  # fmt: skip
    assert (record["n_sessions"], record["n_trials"]) == (2, 128)
    assert (
        "table, bids, psych-ds, tidy"
        in console.run("rapidvision session export --help --plugin my_exports", tmp_path).stdout
    )


def test_python_exports_what_the_command_exports(recorded_study, tmp_path):
    import rapidvision as rv

    frame = rv.experiments.read_sessions(recorded_study)
    assert rv.experiments.export(recorded_study, tmp_path / "t.csv") == tmp_path / "t.csv"
    assert len(read_table(tmp_path / "t.csv")) == len(frame) == 128
    rv.experiments.export(recorded_study, tmp_path / "ds", format="psych-ds")
    words = ["session", "export", str(recorded_study.folder), "--format", "psych-ds", "--out", str(tmp_path / "other")]
    assert main(words) == 0
    for one in (tmp_path / "ds").rglob("*.*"):
        assert one.read_bytes() == (tmp_path / "other" / one.relative_to(tmp_path / "ds")).read_bytes()
    with pytest.raises(InputError, match=r"ends in \.csv or \.parquet"):
        rv.experiments.export(recorded_study, tmp_path / "t.xlsx")


def test_python_exports_with_a_registered_exporter(recorded_study, tmp_path, monkeypatch):
    import rapidvision as rv
    from rapidvision.experiments.exports.exporters import EXPORTERS

    @rv.experiments.register_exporter("count-of-this-test")
    def count(export, out, /):
        out.write_text(f"{len(export.sessions)} sessions, {len(export.rows())} trials")

    monkeypatch.setattr(EXPORTERS, "_parts", {"count-of-this-test": EXPORTERS._parts.pop("count-of-this-test")})
    rv.experiments.export(recorded_study, tmp_path / "n.txt", format="count-of-this-test")
    assert (tmp_path / "n.txt").read_text() == "2 sessions, 128 trials"
    (one,) = json.loads((tmp_path / "n.txt.export.json").read_text())["provenance"]["plugins"]
    assert one["name"] == "count-of-this-test"
    assert one["sha256"] == files.sha256_file(Path(__file__))
    with pytest.raises(InputError, match="count-of-this-test"):
        rv.experiments.export(recorded_study, tmp_path / "m.txt", format="count-of-this-tes")
