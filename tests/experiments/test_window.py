"""The real thing: a PsychoPy window on an X server, real pixels, real key events, real deaths."""

import json
import os
import platform
import signal
import time

import pytest

from rapidvision.experiments.export.sessions import read_sessions
from rapidvision.experiments.headers import Setup
from rapidvision.experiments.journal import read_journal
from rapidvision.experiments.ledger import Ledger
from rapidvision.experiments.ports import TrialData
from rapidvision.experiments.readiness import journal_path
from rapidvision.experiments.rehearsals import Rehearsals

pytestmark = pytest.mark.display

PIXELS = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from Xlib import X, display
from rapidvision.experiments.ports import BLANK, FIXATION, Picture
from rapidvision.experiments.psychopy_display import PsychoPyScreen
path = Path(sys.argv[1])
want = np.asarray(Image.open(path))
side = want.shape[0]
server = display.Display()
found = {}
for size in ((640, 480), (641, 481), (640, 481), (799, 599)):
    with PsychoPyScreen(window_px=size, paced_hz=60, photodiode_px=20) as screen:
        screen.load({"a": path}, side_px=side, reminder="", words=())
        x0, y0 = screen.win.winHandle.get_location()
        def grab(picture):
            for _ in range(3):
                screen.flip(picture)
            raw = server.screen().root.get_image(x0, y0, *size, X.ZPixmap, 0xFFFFFFFF)
            return np.frombuffer(raw.data, np.uint8).reshape(size[1], size[0], 4)[:, :, 2::-1]
        shown, blank, cross = grab(Picture("stimulus", "a")), grab(BLANK), grab(FIXATION)
        best = 0.0
        for top in (size[1] - side) // 2 + np.arange(-1, 2):
            for left in (size[0] - side) // 2 + np.arange(-1, 2):
                best = max(best, float((shown[top : top + side, left : left + side] == want).mean()))
        found["%dx%d" % size] = {
            "equal": best,
            "patch": [int(shown[-10, 10, 0]), int(blank[-10, 10, 0])],
            "blank_is_white": bool((blank == 255).all()),
            "cross": int((cross[size[1] // 2 - 15 : size[1] // 2 + 15, size[0] // 2 - 15 : size[0] // 2 + 15] == 0).sum()),
            "around": bool((shown[: size[1] // 2 - side // 2 - 2] == 255).all()),
        }
print(json.dumps(found))
"""


def test_what_is_on_the_screen_is_the_file_pixel_by_pixel(python_with_display, quick_study):
    stimulus = quick_study.stimulus_set().folder / quick_study.plans()[0].trials()[0].path
    found = json.loads(python_with_display(PIXELS, stimulus).splitlines()[-1])
    for size, what in found.items():
        assert what["equal"] == 1.0, size
        assert what["patch"] == [0, 255], size
        assert what["blank_is_white"], size
        assert what["cross"] > 100, size
        assert what["around"], size


TAPS = """
import json, threading, time
from Xlib import X, XK, display
from Xlib.ext import xtest
from rapidvision.experiments.ports import BLANK
from rapidvision.experiments.psychopy_display import PsychoPyScreen, open_keys
server = display.Display()
codes = {c: server.keysym_to_keycode(XK.string_to_keysym(c)) for c in "sl"}
sent = []
def tap(held_ms):
    for n in range(20):
        key = "sl"[n % 2]
        time.sleep(0.02)
        xtest.fake_input(server, X.KeyPress, codes[key]); server.sync()
        time.sleep(held_ms / 1000)
        xtest.fake_input(server, X.KeyRelease, codes[key]); server.sync()
        sent.append(key)
found = {}
with PsychoPyScreen(window_px=(320, 240), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
    for held_ms in (1, 3, 8, 15, 60):
        sent.clear()
        keys.poll()
        thread = threading.Thread(target=tap, args=(held_ms,))
        thread.start()
        got = []
        while thread.is_alive():
            screen.flip(BLANK)
            got += keys.poll()
        end = time.monotonic() + 1
        while time.monotonic() < end and len(got) < 40:
            screen.flip(BLANK)
            got += keys.poll()
        found[held_ms] = [sent == [p.key for p in got if p.down], sent == [p.key for p in got if not p.down],
                          all(a.time_s <= b.time_s for a, b in zip(got, got[1:]))]
print(json.dumps(found))
"""


def test_no_tap_is_lost_at_any_hold_time_from_one_millisecond(python_with_display):
    found = json.loads(python_with_display(TAPS).splitlines()[-1])
    assert found == {str(held): [True, True, True] for held in (1, 3, 8, 15, 60)}


LABELS = """
import json
from Xlib import X, display
from Xlib.ext import xtest
from rapidvision.experiments.ports import BLANK
from rapidvision.experiments.psychopy_display import PsychoPyScreen, open_keys
server = display.Display()
def bear(code, letter):  # another keyboard: its key bears another letter
    server.change_keyboard_mapping(code, [[ord(letter), ord(letter.upper())]])
    server.sync()
bear(24, "a"); bear(38, "q")
got = []
try:
    with PsychoPyScreen(window_px=(320, 240), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
        for code in (24, 38, 39):
            xtest.fake_input(server, X.KeyPress, code); server.sync()
            xtest.fake_input(server, X.KeyRelease, code); server.sync()
            for _ in range(20):
                screen.flip(BLANK)
                got += [press.key for press in keys.poll() if press.down]
finally:
    bear(24, "q"); bear(38, "a")
print(json.dumps(got))
"""


def test_keys_are_heard_as_what_is_printed_on_them(python_with_display):
    assert json.loads(python_with_display(LABELS).splitlines()[-1]) == ["a", "q", "s"]


def run_options(hz=60):
    return ("--simulate", "--paced", hz, "--window", "400x300", "--accept-timing")


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
    assert setup.system.startswith(platform.system())
    assert setup.preflight["scale"][0] == "green"
    assert {"psychopy", "psychtoolbox"} <= set(setup.software)
    trials = [e for e in entries if isinstance(e, TrialData)]
    assert len(trials) == 8
    for data in trials:
        if data.late_refreshes == (0, 0, 0):
            assert abs(data.stimulus_ms - 400) <= 500 / data.refresh_hz + 0.1
            assert abs(data.window_ms - 550) <= 500 / data.refresh_hz + 0.1
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


def test_a_display_without_refreshes_is_refused_before_a_slot_is_taken(session_command, x_display, quick_study):
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--window", "400x300", display=x_display
    )
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "not fit for a session: synchronised" in err
    assert "--accept-timing" in err
    assert not Ledger(quick_study).slots().last


def test_paced_test_mode_is_refused_for_a_person(session_command, x_display, quick_study):
    process = session_command(
        "run", quick_study.folder, "--participant", "p1", "--window", "400x300", "--paced", "60", display=x_display
    )
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "--accept-timing" in err
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
    assert "--accept-timing" in err
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


def test_a_home_that_cannot_be_written_is_a_sentence(session_command, x_display, quick_study):
    process = session_command("run", quick_study.folder, "--participant", "p1", display=x_display, home="/proc")
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert "cannot keep its settings in the home folder /proc" in err
    assert not Ledger(quick_study).slots().last


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
    recorded = read_sessions(quick_study, observers=["simulated"]).recorded[0]
    rows = recorded.rows()
    assert len(rows) == 16
    assert not [row for row in rows if row.status == "aborted"]
    assert not [flag for row in rows for flag in (row.flags or "").split() if "clock" in flag]


FAULTS = """
import json
from rapidvision.experiments.ports import BLANK, FIXATION
from rapidvision.experiments.preflight import measure_flips
from rapidvision.experiments.psychopy_display import PsychoPyScreen
from rapidvision.experiments.refresh import estimate
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
    stamps = [screen.flip(FIXATION) for _ in range(3)]
    found["trigger"] = screen.notes()
    found["on_grid"] = all(abs((b - a) / screen.period_s - round((b - a) / screen.period_s)) < 0.05
                           for a, b in zip(stamps, stamps[1:]))
    screen.win.winHandle.dispatch_event("on_deactivate")
    screen.flip(FIXATION)
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
