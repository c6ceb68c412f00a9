"""A whole study under the rules of other systems: planned, run, stopped, resumed and exported, with nothing lost."""

import csv
import errno
import os
import sys
from pathlib import Path

import pytest

from rapidvision.cli import main
from rapidvision.experiments.interfaces import ESCAPE
from rapidvision.system import platforms
from tests.experiments.imitated_window import Person, imitate_window
from tests.experiments.other_systems import SYSTEMS, as_windows, console, without_locks
from tests.experiments.sets import make_set

SCREEN = "width_px = 1920\nheight_px = 1080\nwidth_cm = 53.0\ndistance_cm = 57.0\nrefresh_hz = 60.0\n"


def planned(folder):
    """A study of 24 trials that is planned by the verb, and the monitor's profile."""
    stimuli = make_set(folder / "Bilder", per_category=2, practice=1, n_levels=4).folder
    (folder / "lab.toml").write_text(SCREEN, encoding="utf-8")
    words = ["session", "plan", str(stimuli), "--out", str(folder / "Studie"), "--n-per-group", "2", "--fit", "--quiet"]
    assert main(words) == 0
    return folder / "Studie", ["--screen", str(folder / "lab.toml")]


def replay(monkeypatch, folder):
    """Plan, run to an Escape, resume, export as a table and as BIDS; return the exit codes and the table."""
    study, screen = planned(folder)
    imitate_window(monkeypatch, Person({("stimulus", 11): [ESCAPE], ("text", "Paused"): [ESCAPE]}))
    codes = [main(["session", "run", str(study), "--participant", "p01", *screen])]
    imitate_window(monkeypatch, Person())
    codes.append(main(["session", "resume", str(study), "p01", *screen]))
    codes.append(main(["session", "run", str(study), "--participant", "p02", *screen]))
    codes.append(main(["session", "status", str(study)]))
    codes.append(main(["session", "export", str(study)]))
    codes.append(main(["session", "export", str(study), "--format", "bids", "--out", str(folder / "bids")]))
    return codes, study / "trials.csv"


#: On Windows and macOS the study is replayed under their own rules, ``here``; stand-ins are for Linux.
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="stand-ins imitate other systems on Linux")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_study_is_planned_run_resumed_and_exported(name, tmp_path, monkeypatch):
    if name != "here" and sys.platform != "linux":
        pytest.skip("stand-ins imitate other systems on Linux")
    folder = tmp_path / "José Müller"
    folder.mkdir()
    out = console(monkeypatch)
    SYSTEMS[name](monkeypatch, folder)
    codes, table = replay(monkeypatch, folder)
    text = out.getvalue().decode("cp1252")
    assert "Traceback" not in text
    assert codes == [3, 0, 0, 0, 0, 0], text
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    people = {
        participant: [row["trial"] for row in rows if row["participant_id"] == participant]
        for participant in ("p01", "p02")
    }
    assert all(sorted(map(int, trials)) == list(range(24)) for trials in people.values())
    assert not [row for row in rows if row["status"] == "aborted" or row["timing_ok"] != "true"]
    assert len(list((folder / "bids").glob("sub-*/beh/*_events.tsv"))) == 3


@needs_linux
def test_a_drive_without_locks_is_refused_in_one_sentence_before_anything_is_stored(tmp_path, monkeypatch, capsys):
    study, screen = planned(tmp_path)
    without_locks(monkeypatch, tmp_path)
    imitate_window(monkeypatch, Person())
    capsys.readouterr()
    assert main(["session", "run", str(study), "--participant", "p01", *screen]) == 2
    err = capsys.readouterr().err
    assert "this drive cannot lock files (No locks available)" in err
    assert not list(study.glob("sessions/*.jsonl"))


@needs_linux
def test_a_study_whose_names_windows_cannot_have_is_refused_by_the_stand_in(tmp_path, monkeypatch):
    """The stand-in is strict: what it lets pass would pass by its rules, and not because they are not looked at."""
    as_windows(monkeypatch, tmp_path)
    with pytest.raises(OSError, match="label syntax"):
        (tmp_path / "aux.txt").write_text("x", encoding="utf-8")
    (tmp_path / "a").write_text("é", encoding="utf-8")
    assert (tmp_path / "a").read_text() == "Ã©"
    with (tmp_path / "a").open("rb"), pytest.raises(PermissionError):
        (tmp_path / "a").unlink()
    with pytest.raises(ImportError):
        import fcntl  # noqa: F401


@needs_linux
@pytest.mark.parametrize(("home", "moved"), [("/proc", True), ("", True), ("here", False)])
def test_settings_get_a_folder_where_the_user_s_cannot_be_written(tmp_path, monkeypatch, home, moved):
    home = str(tmp_path) if home == "here" else home
    monkeypatch.setenv("HOME", home)
    found = platforms.settings_home()
    assert (found is not None) is moved
    assert os.environ["HOME"] == (str(found) if moved else home)
    if moved:
        (Path(os.environ["HOME"]) / "x").write_text("x", encoding="utf-8")


@needs_linux
@pytest.mark.parametrize(("number", "raised"), [(errno.ENOTSUP, False), (errno.EIO, True), (errno.ENOSPC, True)])
def test_on_macos_a_drive_without_the_long_flush_gets_the_short_one(tmp_path, monkeypatch, number, raised):
    import fcntl

    asked = []

    def control(*_):
        raise OSError(number, "refused")

    monkeypatch.setattr(platforms, "system", lambda: "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", asked.append)
    if raised:
        with pytest.raises(OSError, match="refused"):
            platforms.sync(7)
        assert asked == []
    else:
        platforms.sync(7)
        assert asked == [7]


@pytest.mark.parametrize(("system", "n"), [("win32", 61), ("linux", 128), ("darwin", 128)])
def test_windows_waits_for_61_processes(monkeypatch, system, n):
    monkeypatch.setattr(platforms, "system", lambda: system)
    assert platforms.most_processes(128) == n
