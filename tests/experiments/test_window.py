"""The real thing: a PsychoPy window on an X server, real pixels, real key events, real deaths."""

import json
import os
import platform
import pty
import signal
import time

import pytest

from rapidvision.experiments.design.rehearsals import Rehearsals
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.headers import Setup
from rapidvision.experiments.recording.journal import read_journal

pytestmark = pytest.mark.display


def run_options(hz=60):
    return ("--simulate", "--paced", hz, "--window", "400x300", "--accept", "timing")


@pytest.mark.parametrize("hz", [75, 144])
def test_every_clean_trial_is_within_half_a_refresh(session_command, x_display, study_maker, tmp_path, hz):
    study = study_maker(tmp_path, n_blocks=1, block_size=8)
    process = session_command("run", study.folder, "--participant", "p1", *run_options(hz), display=x_display)
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, out + err
    study = Rehearsals(study.folder)
    entry = next(iter(Ledger(study).slots().last.values()))
    assert entry.event == "finished"
    _, entries = read_journal(journal_path(study, entry.session_id))
    setup = next(e for e in entries if isinstance(e, Setup))
    assert setup.display == "paced test mode"
    assert "display" in setup.accepted
    assert (setup.observer, setup.observer_kind) == ("simulated", "simulated")
    assert (setup.monitor_px, setup.window_px, setup.trigger) == ((800, 600), (400, 300), "none")
    assert setup.host
    assert setup.inputs["keyboards"]
    assert setup.system.startswith(platform.system())
    assert setup.preflight["scale"][0] == "green"
    assert {"psychopy", "psychtoolbox"} <= set(setup.software)
    trials = [e for e in entries if isinstance(e, TrialData)]
    assert len(trials) == 8
    for data in trials:
        # Where the computer was too busy to measure the display, flips do not fit its rate, and the trials say so.
        if not any(phase.late_refreshes for phase in data.phases) and "unsynchronised_flips" not in " ".join(
            data.flags
        ):
            image, blank = data.phase("stimulus"), data.phase("blank")
            assert abs(image.shown_ms - 400) <= 500 / data.refresh_hz + 0.1
            assert abs(image.shown_ms + blank.shown_ms - 550) <= 500 / data.refresh_hz + 0.1
    assert (study.sessions_folder / f"{entry.session_id}.preflight.svg").is_file()


def wait_for_trials(path, n, process, timeout=200):
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        if path.exists():
            with path.open("rb") as file:
                done = file.read().count(b'"kind":"trial"')
            if done >= n:
                return done
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def completed(path):
    return [e.trial for e in read_journal(path)[1] if isinstance(e, TrialData)]


def test_killed_sessions_and_a_killed_x_server_lose_no_completed_trial(session_command, new_x_server, quick_study):
    study = quick_study
    with new_x_server() as (display, server):
        beside = Rehearsals(study.folder)
        path = journal_path(beside, Ledger(beside).slots().take("p1", prefix="simulated-").session_id)
        process = session_command("run", study.folder, "--participant", "p1", *run_options(), display=display)
        done = wait_for_trials(path, 3, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert len(completed(path)) >= done
        process = session_command("resume", study.folder, "p1", *run_options(), display=display)
        done = wait_for_trials(path, done + 3, process)
        server.kill()
        process.wait(timeout=120)
        assert process.returncode != 0
        assert len(completed(path)) >= done
    with new_x_server() as (display, _):
        process = session_command("resume", study.folder, "p1", *run_options(), display=display)
        out, err = process.communicate(timeout=250)
        assert process.returncode == 0, out + err
    trials = completed(path)
    assert sorted(trials) == list(range(16))
    assert Ledger(beside).slots().last[path.stem].event == "finished"


def test_a_session_opens_its_box_and_says_in_the_journal_how_it_is_stamped(session_command, x_display, quick_study):
    ours, theirs = pty.openpty()
    try:
        box = f"serial-state:{os.ttyname(theirs)}"
        process = session_command("run", quick_study.folder, *run_options(), "--box", box, display=x_display)
        out, err = process.communicate(timeout=250)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0, out + err
    study = Rehearsals(quick_study.folder)
    entry = next(iter(Ledger(study).slots().last.values()))
    setup = next(e for e in read_journal(journal_path(study, entry.session_id))[1] if isinstance(e, Setup))
    (record,) = setup.inputs["boxes"]
    assert (record["port"], record["stamped"]) == (box, "arrival")
    assert setup.preflight["response box"][0] == "green"
    assert "pointer" not in setup.inputs  # nothing of this task can be clicked


def test_a_phase_without_a_refresh_is_refused_before_a_slot_is_taken(session_command, x_display, study_maker, tmp_path):
    study = study_maker(tmp_path, stimulus_ms=5)
    process = session_command("run", study.folder, "--participant", "p1", *run_options(), display=x_display)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "5 ms is no refresh at" in err
    assert not Ledger(Rehearsals(study.folder)).slots().last


def test_a_display_without_refreshes_is_refused_before_a_slot_is_taken(session_command, x_display, quick_study):
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--window", "400x300", display=x_display
    )
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "not fit for a session: synchronised" in err
    assert "--accept " in err
    assert not Ledger(quick_study).slots().last


def test_paced_test_mode_is_refused_for_a_person(session_command, x_display, quick_study):
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--window", "400x300", "--paced", "60", display=x_display
    )
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "--accept " in err
    assert not Ledger(quick_study).slots().last


def test_the_profile_of_another_monitor_is_red_before_a_slot_is_taken(
    session_command, x_display, quick_study, tmp_path
):
    profile = tmp_path / "lab.toml"
    profile.write_text("width_px = 1920\nheight_px = 1080\nwidth_cm = 53\ndistance_cm = 57\nrefresh_hz = 60\n")
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--screen", profile, "--window", "400x300", "--simulate",
        "--paced", "60", display=x_display,
    )  # fmt: skip
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "1920 x 1080 in the profile, the screen has 800 x 600" in out
    assert "--accept " in err
    assert not Ledger(quick_study).slots().last


def test_a_monitor_that_is_not_there_is_refused(session_command, x_display, quick_study):
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--screen-index", "3", *run_options(), display=x_display
    )
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "screen: got 3, this computer has 0 to 0" in err


def test_no_display_is_refused(session_command, quick_study):
    process = session_command("run", quick_study.folder, "--participant", "p1", *run_options(), display=None)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "DISPLAY is not set" in err


def test_a_session_runs_where_the_home_folder_cannot_be_written(session_command, x_display, quick_study):
    process = session_command("run", quick_study.folder, *run_options(), display=x_display, home="/proc")
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, out + err
    assert "0 void" in out


def test_a_monotonic_clock_that_ticks_as_windows_does_voids_no_trial(session_command, x_display, quick_study, tmp_path):
    """``time.monotonic`` in steps of 15.6 ms, before anything of the suite is imported."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import math, time\n_fine = time.monotonic\ntime.monotonic = lambda: math.floor(_fine() / 0.015625) * 0.015625\n"
    )
    process = session_command("run", quick_study.folder, *run_options(), display=x_display, path=tmp_path / "site")
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, out + err
    assert "0 void" in out
    recorded = recorded_sessions(quick_study, observers=["simulated"]).recorded[0]
    rows = recorded.rows()
    assert len(rows) == 16
    assert not [row for row in rows if row.status == "aborted"]
    assert not [flag for row in rows for flag in (row.flags or "").split() if "clock" in flag]


FAULTS = """
import json
from rapidvision.experiments.interfaces import BLANK, Frame
from rapidvision.experiments.lab.display_checks import measure_flips
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
from rapidvision.experiments.engine.refresh import estimate
class Broken:
    def send(self, code):
        raise OSError("cable gone")
    def close(self):
        pass
found = {}
with PsychoPyScreen(window_px=(320, 240), paced_hz=60, triggers=Broken()) as screen:
    screen.use_refresh(estimate(measure_flips(screen.flip, seconds=0.5)))
    for _ in range(5):
        screen.flip(BLANK)
    screen.notes()
    screen.mark(1)
    stamps = [screen.flip(Frame("fixation")) for _ in range(3)]
    found["trigger"] = screen.notes()
    found["on_grid"] = all(abs((b - a) / screen.period_s - round((b - a) / screen.period_s)) < 0.05
                           for a, b in zip(stamps, stamps[1:]))
    screen.win.winHandle.dispatch_event("on_deactivate")
    screen.flip(Frame("fixation"))
    found["focus"] = screen.notes()
    real = screen.conversion._other
    screen.conversion._other = lambda: real() + 0.05
    screen.conversion.look()
    found["clock"] = screen.notes()
    screen.conversion._other = real
    screen.conversion.look()
    screen.notes()
    screen._pacer = None
    for _ in range(30):
        screen.flip(BLANK)
    found["monitor"] = screen.notes()
    found["quiet"] = screen.notes()
    found["scale"] = screen.scale
print(json.dumps(found))
"""


def test_what_goes_wrong_during_a_session_is_noted_and_fatal_to_nothing(python_with_display):
    found = json.loads(python_with_display(FAULTS).splitlines()[-1])
    assert "trigger_failed 1 of 1, OSError: cable gone" in found["trigger"]
    assert found["on_grid"]
    assert "focus_lost" in found["focus"]
    assert any(note.startswith("clock_step 50.") for note in found["clock"])
    assert any(note.startswith("unsynchronised_flips") for note in found["monitor"])
    assert not any("unsynchronised" in note for note in found["quiet"])
    assert found["scale"] == 1.0
