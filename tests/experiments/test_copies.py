"""Copied, empty and damaged journals: each session counts once, and one bad file costs its own rows only."""

import shutil

import pytest

from rapidvision.cli import main
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab import run
from rapidvision.experiments.lab.file_checks import Options, journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.lab.overview import sessions_table, status
from rapidvision.experiments.recording.journal import encode, read_journal
from rapidvision.formats.trials_table import read_table


def journal(study, entry):
    return journal_path(study, entry.session_id)


@pytest.fixture
def two(study, record_session):
    return [record_session(study, "p1"), record_session(study, "p2")]


def export(study, capsys):
    code = main(["session", "export", str(study.folder)])
    told = capsys.readouterr()
    return code, told.out, told.err, read_table(study.trials_path)


@pytest.mark.parametrize("n_lines", [None, 40, 2, 1])
def test_a_copy_is_counted_once_whichever_is_longer(study, two, capsys, n_lines):
    path = journal(study, two[0])
    copy = path.with_name(f"{path.stem} - Copy.jsonl")
    copy.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:n_lines]))
    for _ in range(2):
        code, out, err, rows = export(study, capsys)
        assert (code, len(rows), err) == (0, 176, "")
        assert len({(row.session_id, row.trial) for row in rows}) == 176
        assert "a copy, not counted again" in out
        swap = path.read_bytes(), copy.read_bytes()  # and the other way round: the copy is the whole one
        copy.write_bytes(swap[0])
        path.write_bytes(swap[1])


def test_bids_has_one_row_per_person_with_a_copy_around(study, two, tmp_path):
    path = journal(study, two[0])
    shutil.copy(path, path.with_name("X (conflicted copy).jsonl"))
    assert main(["session", "export", str(study.folder), "--format", "bids", "--out", str(tmp_path / "b")]) == 0
    assert len((tmp_path / "b" / "participants.tsv").read_text().splitlines()) == 3


def test_journals_of_one_session_that_contradict_cost_that_session_and_are_named(study, two, capsys):
    path = journal(study, two[0])
    header, entries = read_journal(path)
    data = next(entry for entry in entries if isinstance(entry, TrialData))
    data.response_ms = 123.0
    path.with_name("copy.jsonl").write_bytes(b"".join(map(encode, [header, *entries])))
    code, _, err, rows = export(study, capsys)
    assert code == 1  # written, and something is wrong
    assert {row.participant_id for row in rows} == {"p2"}
    assert "contradicting journals" in err
    assert "copy.jsonl" in err
    assert path.name in err


@pytest.mark.parametrize("content", [b"", b'{"kind":"hea'])
def test_a_journal_that_lost_its_power_before_its_first_line_costs_no_other(
    study, two, capsys, record_session, content
):
    third = record_session(study, "p3", n=5, finished=False)
    journal(study, third).write_bytes(content)
    code, _, err, rows = export(study, capsys)
    assert (code, len(rows)) == (1, 176)
    assert journal(study, third).name in err
    assert "session resume" in err
    assert "the journal is empty" in sessions_table(study)
    assert f"damaged: {third.session_id}" in status(study)


def test_an_empty_journal_can_be_gone_on_with(study, record_session, monkeypatch):
    entry = record_session(study, "p1", n=5, finished=False)
    journal(study, entry).write_bytes(b"")
    opened = []
    monkeypatch.setattr(run, "_with_display", lambda *_, **__: opened.append(1))
    run.resume_session(study, "p1", Options())
    assert opened


@pytest.mark.parametrize("damage", ["empty", "line"])
def test_a_bad_journal_s_session_can_be_given_up(study, record_session, damage):
    entry = record_session(study, "p1", n=5, finished=False)
    path = journal(study, entry)
    raw = bytearray(path.read_bytes())
    raw[raw.find(b'"kind":"trial"') + 30] ^= 1
    path.write_bytes(b"" if damage == "empty" else bytes(raw))
    before = path.read_bytes()
    assert main(["session", "release", str(study.folder), "p1"]) == 0
    assert Ledger(study).slots().last[entry.session_id].event == "returned"
    assert path.read_bytes() == before


def test_a_damaged_line_costs_its_session_and_is_told_even_when_quiet(study, two, capsys):
    path = journal(study, two[0])
    raw = bytearray(path.read_bytes())
    raw[raw.find(b'"kind":"trial"') + 30] ^= 1
    path.write_bytes(bytes(raw))
    assert main(["session", "export", str(study.folder), "--quiet"]) == 1
    told = capsys.readouterr()
    assert "left out 1 of the journals" in told.err
    assert "line 3 is damaged" in told.err
    assert {row.participant_id for row in read_table(study.trials_path)} == {"p2"}
    assert "line 3 is damaged" in status(study)


def test_the_rows_of_a_session_that_was_given_up_say_so(study, record_session, capsys, tmp_path):
    record_session(study, "p1", n=20, finished=False)
    record_session(study, "p2")
    assert main(["session", "release", str(study.folder), "p1"]) == 0
    capsys.readouterr()
    _, out, _, rows = export(study, capsys)
    assert {row.flags for row in rows if row.participant_id == "p1"} == {"given_up"}
    assert "given_up" not in {row.flags for row in rows if row.participant_id == "p2"}
    assert "given up sessions are included" in out
    assert "unfinished sessions" not in out
    assert main(["session", "export", str(study.folder), "--format", "bids", "--out", str(tmp_path / "b")]) == 0
    people = (tmp_path / "b" / "participants.tsv").read_text().splitlines()
    assert people[1].endswith("given up")
    assert len(recorded_sessions(study).recorded) == 2


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_plan_costs_the_sessions_that_follow_it(study, two, capsys, damage):
    plan = study.plans_folder / f"{two[0].group}-{two[0].slot:04d}.json"
    if damage == "gone":
        plan.unlink()
    else:
        plan.write_bytes(plan.read_bytes().replace(b"zebra", b"horse", 1))
    code, _, err, rows = export(study, capsys)
    assert code == 1  # written, and something is wrong
    assert {row.participant_id for row in rows} == {"p2"}
    assert "its plan cannot be read" in err
    assert f"damaged: {two[0].session_id}" in status(study)
    assert "88/?" in sessions_table(study)
