"""Figures of the lab: a real PsychoPy window under Xvfb, real key events, real kills, and the engine on its own."""

import functools
import importlib.util
import math
import os
import statistics
import subprocess
import sys

from benchmarks import experiments_lab
from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most, between, seconds
from benchmarks.lab_sessions import (
    ROOT,
    display,
    first_trial,
    fresh,
    full_size_study,
    helpers,
    kill_sessions,
    needs_display,
    paper_study,
    scratch,
    script,
)
from rapidvision.experiments.design.assignment.squares import levels_for
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.person import LETTER_S, READ_S
from rapidvision.experiments.engine.simulate import simulate_session, simulate_study
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.recording.journal import JournalFile
from rapidvision.formats.protocol_file import preset
from rapidvision.screen import refreshes

suite = Suite()
RATES_HZ = (60, 75, 85, 100, 120, 144, 240)
#: How long a page of the paper's task stands before a key counts.
PAGE_S = preset("paper").breaks.page_ms / 1000
#: Trials at each rate.
N_TRIALS = int(os.environ.get("RV_DURATION_TRIALS", "40"))


@functools.cache
def shown():
    """Trials at each rate, as (rate, what the session recorded, what the photodiode saw)."""
    from tests.experiments.laboratory.window import window_trials

    needs_display()
    out = []
    for hz in RATES_HZ:
        study = helpers().short_study(fresh(), fixation_ms=(17, 34), blank_ms=50)
        _, joined = window_trials(study, N_TRIALS, hz=hz)
        out += [(hz, trial, seen) for trial, seen in joined]
    return out


@suite.figure(
    f"stimulus within half a refresh, clean of {7 * N_TRIALS} trials, 60 to 240 Hz", unit="%", bar=at_least(100)
)
def clean_trials():
    clean = [(hz, trial) for hz, trial, _ in shown() if trial["late"] == 0]
    return 100 * statistics.mean(abs(trial["stimulus_ms"] - 400) <= 500 / hz + 0.1 for hz, trial in clean)


@suite.figure("  trials of these sessions that were clean", unit="%", bar=STATED)
def share_clean():
    return 100 * statistics.mean(trial["late"] == 0 for _, trial, _ in shown())


@suite.figure("  stimulus off by a refresh or more, all trials", unit="trials", bar=STATED)
def off_by_one():
    return sum(round(trial["stimulus_ms"] * hz / 1000) != refreshes(400, hz) for hz, trial, _ in shown())


@suite.figure("  off by a refresh or more as the virtual photodiode saw it", unit="trials", bar=STATED)
def off_outside():
    return sum(seen is None or round(seen.duration_ms * hz / 1000) != refreshes(400, hz) for hz, _, seen in shown())


@suite.figure("  duration, photodiode minus session, sd", unit="ms", bar=STATED)
def duration_outside():
    return statistics.stdev(seen.duration_ms - trial["stimulus_ms"] for _, trial, seen in shown() if seen is not None)


def response_outside():
    """Response time of the session minus the one from light to the robot's press."""
    return [
        trial["response"] - seen.response_ms
        for _, trial, seen in shown()
        if seen is not None and trial["response"] is not None and math.isfinite(seen.key_ms)
    ]


@suite.figure("response time, session minus photodiode and robot, mean", unit="ms", bar=between(-0.5, 0.5))
def response_outside_mean():
    return statistics.mean(response_outside())


@suite.figure("response time, session minus photodiode and robot, sd", unit="ms", bar=STATED)
def response_outside_sd():
    return statistics.stdev(response_outside())


@suite.figure("robot's presses that a session did not hear", unit="presses", bar=at_most(0))
def presses_unheard():
    return sum(
        seen is not None and math.isfinite(seen.key_ms) and trial["response"] is None for _, trial, seen in shown()
    )


PRESSER = """
import json, random, sys, time
from Xlib import X, XK, display
from Xlib.ext import xtest
d = display.Display(); rng = random.Random(5)
codes = {c: d.keysym_to_keycode(XK.string_to_keysym(c)) for c in "sl"}
for _ in range(int(sys.argv[1])):
    time.sleep(rng.uniform(0.05, 0.12)); key = rng.choice("sl")
    before = time.perf_counter(); xtest.fake_input(d, X.KeyPress, codes[key]); d.sync()
    time.sleep(rng.choice([0.003, 0.03])); xtest.fake_input(d, X.KeyRelease, codes[key]); d.sync()
    print(json.dumps([key, before]), flush=True)
"""
LISTEN = """
import json, subprocess, sys
from rapidvision.experiments.interfaces import BLANK
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
with PsychoPyScreen(window_px=(400, 300), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
    granted = screen.rush()
    keys.poll()
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1], "100"], stdout=subprocess.PIPE, text=True)
    got = []
    while child.poll() is None:
        screen.flip(BLANK); got += keys.poll()
    for _ in range(20):
        screen.flip(BLANK); got += keys.poll()
    sent = [json.loads(line) for line in child.stdout]
down = [(p.input, p.time_s) for p in got if p.down]
print(json.dumps({"granted": granted, "sent": len(sent), "same": [k for k, _ in sent] == [k for k, _ in down],
                  "errors": [1000 * (b - a) for (_, a), (_, b) in zip(sent, down)]}))
"""


@functools.cache
def response_errors():
    from tests.experiments.laboratory.window import hurry

    with display() as (name, server):
        hurry(server)
        found = script(LISTEN, PRESSER, name=name)
    if not found["same"]:
        raise NotMeasured(f"{len(found['errors'])} of {found['sent']} presses arrived")
    return found["errors"]


@suite.figure("response time minus injection, mean, priority on", unit="ms", bar=at_most(0.5))
def response_mean():
    return statistics.mean(response_errors())


@suite.figure("response time minus injection, sd", unit="ms", bar=at_most(0.3))
def response_sd():
    return statistics.stdev(response_errors())


@suite.figure("response time minus injection, median", unit="ms", bar=STATED)
def response_median():
    return statistics.median(response_errors())


@suite.figure("response time minus injection, largest", unit="ms", bar=at_most(2))
def response_largest():
    return max(map(abs, response_errors()))


TAPS = """
import json, threading, time
from Xlib import X, XK, display
from Xlib.ext import xtest
from rapidvision.experiments.interfaces import BLANK
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
d = display.Display(); code = d.keysym_to_keycode(XK.string_to_keysym("s")); lost = 0
def tap(held):
    for _ in range(60):
        time.sleep(0.03); xtest.fake_input(d, X.KeyPress, code); d.sync()
        time.sleep(held / 1000); xtest.fake_input(d, X.KeyRelease, code); d.sync()
with PsychoPyScreen(window_px=(400, 300), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
    for held in (1, 2, 3, 5, 8, 15, 60):
        thread = threading.Thread(target=tap, args=(held,)); thread.start(); got = []
        while thread.is_alive():
            screen.flip(BLANK); got += keys.poll()
        for _ in range(30):
            screen.flip(BLANK); got += keys.poll()
        lost += 60 - sum(p.down for p in got)
print(json.dumps(lost))
"""


@suite.figure("presses lost, 60 each at 1, 2, 3, 5, 8, 15 and 60 ms", unit="of 420", bar=at_most(0))
def presses_lost():
    with display() as (name, _):
        return script(TAPS, name=name)


@functools.cache
def killed():
    """Ten sessions of 80 trials, each killed at a random moment and resumed; trials lost or repeated in each."""
    return kill_sessions(10, n_trials=80, seed=3)


@suite.figure("trials lost or repeated, 10 real sessions killed and resumed", unit="trials", bar=at_most(0))
def real_kills():
    return sum(each.lost + each.repeated for each in killed())


@suite.figure("  fewest unique trials in one of them", unit="of 80", bar=at_least(80))
def unique_trials():
    return min(each.unique for each in killed())


@suite.figure("trials lost or repeated, X server of 3 sessions killed", unit="trials", bar=at_most(0))
def server_kills():
    return sum(each.lost + each.repeated for each in kill_sessions(3, n_trials=16, seed=4, server=True))


@suite.figure("trials lost, 200 fake-clock sessions killed; and a full disk", unit="failed tests", bar=at_most(0))
def fake_kills():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/experiments/test_journal.py", "-k", "killed_200 or full_disk"],
        cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
    )  # fmt: skip
    return int(done.returncode != 0)


@suite.figure("launch to first trial, 80 images of 256 x 256, warm", unit="s", bar=at_most(3))
def launch():
    """From the command to the first fixation cross, less what the simulated participant reads (three pages, 2.2 s).

    1.2 s of it measure the display's refreshes before the participant gets a slot.
    """
    study, found = full_size_study(), []
    with display() as (name, _):
        for number in range(4):
            start, first = first_trial(study, f"launch{number}", name)
            found.append(first - start - 3 * (PAGE_S + READ_S) - LETTER_S)
    return min(found)


@suite.figure("whole simulated session, 88 trials", unit="ms", bar=at_most(20))
def simulated_session():
    plan = paper_study().plans()[0]
    return 1000 * statistics.median(seconds(lambda: simulate_session(plan, Observers(), seed=1)) for _ in range(9))


@suite.figure("demo: 120 simulated sessions of 88 trials", unit="s", bar=at_most(5))
def simulated_study():
    plans = paper_study().plans()
    return seconds(lambda: simulate_study(plans, Observers(), seed=1))


@suite.figure("on-screen pixels equal to the file, four window sizes", unit="%", bar=at_least(100))
def pixels():
    spec = importlib.util.spec_from_file_location("window", ROOT / "tests" / "experiments" / "test_pixels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    study = full_size_study()
    with display() as (name, _):
        found = script(module.PIXELS, study.stimulus_set().folder / study.plans()[0].trials()[0].image.path, name=name)
    return 100 * min(what["equal"] for what in found.values())


@suite.figure("journal: one trial on the disk", unit="ms", bar=at_most(1))
def journal():
    plan = paper_study().plans()[0]
    entries = [e for e in simulate_session(plan, Observers(), seed=1) if isinstance(e, TrialData)]
    header = helpers().header_of(plan)
    took = []
    with JournalFile(scratch() / "bench.jsonl", header) as file:
        file.append(helpers().setup_of(header))
        for entry in entries:
            took.append(seconds(lambda entry=entry: file.append(entry)))
    return 1000 * statistics.median(took)


@suite.figure("plan of one slot", unit="ms", bar=STATED)
def plan_time():
    exemplars = paper_study().stimulus_set().exemplars("main")
    return 1000 * statistics.median(seconds(lambda: levels_for(exemplars, 12, slot=7, seed=1)) for _ in range(9))


@suite.figure("lines of the module of PsychoPy's window", unit="lines", bar=at_most(300))
def display_lines():
    return len((ROOT / "experiments" / "lab" / "psychopy_display.py").read_text(encoding="utf-8").splitlines())


suite += experiments_lab.suite
