"""Figures of the lab: a real PsychoPy window under Xvfb, real key events, real kills, and the engine on its own."""

import contextlib
import functools
import importlib.util
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import STATED, NotMeasured, Room, at_least, at_most, seconds
from rapidvision.experiments.assign import levels_for
from rapidvision.experiments.journal import JournalFile, Setup, read_journal
from rapidvision.experiments.ledger import Ledger
from rapidvision.experiments.participants import Observers
from rapidvision.experiments.planning import make_study
from rapidvision.experiments.ports import TrialData
from rapidvision.experiments.readiness import journal_path
from rapidvision.experiments.simulate import simulate_session, simulate_study
from rapidvision.protocol import Protocol
from rapidvision.study import Study

room = Room()
ROOT = Path(__file__).parent.parent
RATES_HZ = (60, 75, 85, 100, 120, 144, 240)


@functools.cache
def helpers():
    """The tests' sets, servers and child processes."""
    spec = importlib.util.spec_from_file_location("lab_helpers", ROOT / "tests" / "experiments" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def scratch():
    """A folder that goes when the program ends."""
    folder = tempfile.TemporaryDirectory()
    helpers().keep_alive = folder
    return Path(folder.name)


def fresh():
    """An empty folder for one study."""
    return Path(tempfile.mkdtemp(dir=scratch()))


@functools.cache
def paper_study():
    """The paper's form with noise pictures: 80 + 16 of 256 x 256, 12 levels, 60 + 60 slots."""
    made = helpers().make_set(scratch() / "set", side=256)
    make_study(made, Protocol(), scratch() / "study", n_slots=60)
    return Study(scratch() / "study")


@contextlib.contextmanager
def display():
    """A display of our own, or not measured."""
    if shutil.which("Xvfb") is None or importlib.util.find_spec("psychopy") is None:
        raise NotMeasured("Xvfb or PsychoPy is not installed")
    with helpers().x_server() as (name, server):
        yield name, server


def environment(name):
    # Mesa draws in the session's own thread, which has the priority, instead of in threads that have not.
    return {**os.environ, "DISPLAY": name, "HOME": str(scratch()), "LP_NUM_THREADS": "0"}


def hurry(process):
    """Give the X server the priority that the session has; a kernel's input path has it too."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))


def session(study, *words, name):
    return subprocess.Popen(
        [sys.executable, "-m", "rapidvision", "session", words[0], str(study.folder), *map(str, words[1:])],
        env=environment(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


def script(code, *words, name):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=environment(name), capture_output=True, text=True, check=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def options(hz=60):
    return ("--simulate", "--paced", hz, "--window", "400x300", "--accept-timing")


def trials_of(study):
    return [
        entry
        for path in sorted(study.sessions_folder.glob("*.jsonl"))
        for entry in read_journal(path)[1]
        if isinstance(entry, TrialData)
    ]


@functools.cache
def shown():
    """Every trial of one real session at each rate, as (rate, trial)."""
    out = []
    with display() as (name, server):
        hurry(server)
        for hz in RATES_HZ:
            study = helpers().short_study(fresh(), fixation_ms=(300, 500))
            process = session(study, "run", "--participant", "p1", *options(hz), name=name)
            _, err = process.communicate(timeout=120)
            if process.returncode:
                raise NotMeasured(err.decode().strip().splitlines()[-1])
            out += [(hz, data) for data in trials_of(study)]
    return out


@room.figure("stimulus within half a refresh, clean trials, 60 to 240 Hz", unit="%", bar=at_least(100))
def clean_trials():
    clean = [(hz, d) for hz, d in shown() if d.late_refreshes[1] == 0]
    return 100 * statistics.mean(abs(d.stimulus_ms - 400) <= 500 / hz + 0.1 for hz, d in clean)


@room.figure("  trials of these sessions that were clean", unit="%", bar=STATED)
def share_clean():
    return 100 * statistics.mean(d.late_refreshes[1] == 0 for _, d in shown())


@room.figure("  stimulus off by a refresh or more, all trials", unit="%", bar=STATED)
def off_by_one():
    from rapidvision.screen import refreshes

    return 100 * statistics.mean(round(d.stimulus_ms * hz / 1000) != refreshes(400, hz) for hz, d in shown())


PRESSER = """
import json, random, sys, time
from Xlib import X, XK, display
from Xlib.ext import xtest
from psychtoolbox import GetSecs
d = display.Display(); rng = random.Random(5)
codes = {c: d.keysym_to_keycode(XK.string_to_keysym(c)) for c in "sl"}
for _ in range(int(sys.argv[1])):
    time.sleep(rng.uniform(0.05, 0.12)); key = rng.choice("sl")
    before = GetSecs(); xtest.fake_input(d, X.KeyPress, codes[key]); d.sync()
    time.sleep(rng.choice([0.003, 0.03])); xtest.fake_input(d, X.KeyRelease, codes[key]); d.sync()
    print(json.dumps([key, before]), flush=True)
"""
LISTEN = """
import json, subprocess, sys
from rapidvision.experiments.ports import BLANK
from rapidvision.experiments.psychopy_display import PsychoPyScreen, open_keys
with PsychoPyScreen(window_px=(400, 300), paced_hz=60) as screen, open_keys() as keys:
    granted = screen.rush()
    keys.poll()
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1], "100"], stdout=subprocess.PIPE, text=True)
    got = []
    while child.poll() is None:
        screen.flip(BLANK); got += keys.poll()
    for _ in range(20):
        screen.flip(BLANK); got += keys.poll()
    sent = [json.loads(line) for line in child.stdout]
down = [(p.key, p.time_s) for p in got if p.down]
print(json.dumps({"granted": granted, "sent": len(sent), "same": [k for k, _ in sent] == [k for k, _ in down],
                  "errors": [1000 * (b - a) for (_, a), (_, b) in zip(sent, down)]}))
"""


@functools.cache
def response_errors():
    with display() as (name, server):
        hurry(server)
        found = script(LISTEN, PRESSER, name=name)
    if not found["same"]:
        raise NotMeasured(f"{len(found['errors'])} of {found['sent']} presses arrived")
    return found["errors"]


@room.figure("response time minus injection, mean, priority on", unit="ms", bar=at_most(0.5))
def response_mean():
    return statistics.mean(response_errors())


@room.figure("response time minus injection, sd", unit="ms", bar=at_most(0.3))
def response_sd():
    return statistics.stdev(response_errors())


@room.figure("response time minus injection, median", unit="ms", bar=STATED)
def response_median():
    return statistics.median(response_errors())


@room.figure("response time minus injection, largest", unit="ms", bar=at_most(2))
def response_largest():
    return max(map(abs, response_errors()))


TAPS = """
import json, threading, time
from Xlib import X, XK, display
from Xlib.ext import xtest
from rapidvision.experiments.ports import BLANK
from rapidvision.experiments.psychopy_display import PsychoPyScreen, open_keys
d = display.Display(); code = d.keysym_to_keycode(XK.string_to_keysym("s")); lost = 0
def tap(held):
    for _ in range(60):
        time.sleep(0.03); xtest.fake_input(d, X.KeyPress, code); d.sync()
        time.sleep(held / 1000); xtest.fake_input(d, X.KeyRelease, code); d.sync()
with PsychoPyScreen(window_px=(400, 300), paced_hz=60) as screen, open_keys() as keys:
    for held in (1, 2, 3, 5, 8, 15, 60):
        thread = threading.Thread(target=tap, args=(held,)); thread.start(); got = []
        while thread.is_alive():
            screen.flip(BLANK); got += keys.poll()
        for _ in range(30):
            screen.flip(BLANK); got += keys.poll()
        lost += 60 - sum(p.down for p in got)
print(json.dumps(lost))
"""


@room.figure("presses lost, 60 each at 1, 2, 3, 5, 8, 15 and 60 ms", unit="of 420", bar=at_most(0))
def presses_lost():
    with display() as (name, _):
        return script(TAPS, name=name)


def kill_and_resume(study, *, kills, kill_server):
    """Kill sessions at random moments, then finish; return completed trials that were lost or repeated."""
    rng = random.Random(3)
    path = journal_path(study, Ledger(study).slots().take("p1").session_id)
    verb, before = ("run", "--participant", "p1"), 0
    for _ in range(kills):
        with display() as (name, server):
            process = session(study, *verb, *options(), name=name)
            while process.poll() is None and (
                not path.exists() or path.read_bytes().count(b'"kind":"trial"') <= before
            ):
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.8))
            before = path.read_bytes().count(b'"kind":"trial"')
            (server if kill_server else process).send_signal(signal.SIGKILL)
            process.wait(timeout=60)
            process.stderr.close()
        if sum(isinstance(e, TrialData) for e in read_journal(path)[1]) < before:
            return 1
        verb = ("resume", "p1")
    with display() as (name, _):
        process = session(study, *verb, *options(), name=name)
        process.communicate(timeout=200)
    done = [e.trial for e in read_journal(path)[1] if isinstance(e, TrialData)]
    planned = len(study.plans()[0].trials())
    return len(set(range(planned)) - set(done)) + len(done) - len(set(done))


@room.figure("trials lost or repeated, 10 real sessions killed and resumed", unit="trials", bar=at_most(0))
def real_kills():
    study = helpers().short_study(fresh(), block_size=80)
    return kill_and_resume(study, kills=10, kill_server=False)


@room.figure("trials lost or repeated, X server killed twice", unit="trials", bar=at_most(0))
def server_kills():
    study = helpers().short_study(fresh(), block_size=16)
    return kill_and_resume(study, kills=2, kill_server=True)


@room.figure("trials lost, 200 fake-clock sessions killed; and a full disk", unit="failed tests", bar=at_most(0))
def fake_kills():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/experiments/test_journal.py", "-k", "killed_200 or full_disk"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "skipped" in done.stdout:
        raise NotMeasured("a small file system cannot be mounted here")
    return int(done.returncode != 0)


@room.figure("launch to first trial, 80 pictures of 256 x 256, warm", unit="s", bar=at_most(3))
def launch():
    """From the command to the first fixation cross, less what the simulated participant reads (0.7 s)."""
    study, found = paper_study(), []
    with display() as (name, _):
        for number in range(3):
            start = time.time()
            process = session(study, "run", "--participant", f"launch{number}", *options(), name=name)
            path = journal_path(study, Ledger(study).slots().take(f"launch{number}").session_id)
            while process.poll() is None and (not path.exists() or b'"kind":"trial"' not in path.read_bytes()):
                time.sleep(0.02)
            process.kill()
            process.communicate()
            first = next(e for e in read_journal(path)[1] if isinstance(e, TrialData))
            found.append(first.flips_s[0] - start - 0.7)
    return min(found)


@room.figure("whole simulated session, 88 trials", unit="ms", bar=at_most(20))
def simulated_session():
    plan = paper_study().plans()[0]
    return 1000 * statistics.median(seconds(lambda: simulate_session(plan, Observers(), seed=1)) for _ in range(9))


@room.figure("demo: 120 simulated sessions of 88 trials", unit="s", bar=at_most(5))
def simulated_study():
    plans = paper_study().plans()
    return seconds(lambda: simulate_study(plans, Observers(), seed=1))


@room.figure("on-screen pixels equal to the file, four window sizes", unit="%", bar=at_least(100))
def pixels():
    spec = importlib.util.spec_from_file_location("window", ROOT / "tests" / "experiments" / "test_window.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    study = paper_study()
    with display() as (name, _):
        found = script(module.PIXELS, study.stimulus_set().folder / study.plans()[0].trials()[0].path, name=name)
    return 100 * min(what["equal"] for what in found.values())


@room.figure("journal: one trial on the disk", unit="ms", bar=at_most(1))
def journal():
    plan = paper_study().plans()[0]
    entries = [e for e in simulate_session(plan, Observers(), seed=1) if isinstance(e, TrialData)]
    header = helpers().header_of(plan)
    took = []
    with JournalFile(scratch() / "bench.jsonl", header) as file:
        file.append(Setup(display="real", refresh_hz=60.0))
        for entry in entries:
            took.append(seconds(lambda entry=entry: file.append(entry)))
    return 1000 * statistics.median(took)


@room.figure("plan of one slot", unit="ms", bar=STATED)
def plan_time():
    exemplars = paper_study().stimulus_set().exemplars("main")
    return 1000 * statistics.median(seconds(lambda: levels_for(exemplars, 12, slot=7, seed=1)) for _ in range(9))


@room.figure("lines of the only module that imports PsychoPy", unit="lines", bar=at_most(250))
def display_lines():
    return len((ROOT / "experiments" / "psychopy_display.py").read_text().splitlines())
