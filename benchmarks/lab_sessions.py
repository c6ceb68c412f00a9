"""What the lab's figures run: displays, studies, sessions in processes of their own, and their deaths."""

import contextlib
import functools
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import NotMeasured
from rapidvision import recipes
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.design.rehearsals import Rehearsals
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.journal import read_journal
from rapidvision.formats.protocol_file import preset
from rapidvision.study import Study

ROOT = Path(__file__).parent.parent
#: The longest that any process is waited for.
LIMIT_S = 150


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
    """The paper's form with small noise images: 80 + 16, 12 levels, 60 + 60 slots."""
    made = helpers().make_set(scratch() / "set")
    make_study(made, preset("paper"), scratch() / "study", n_slots=60)
    return Study(scratch() / "study")


@functools.cache
def full_size_study():
    """Images of 256 x 256 as the paper's, at two levels only, because a session loads one file per image."""
    made = helpers().make_set(scratch() / "full", n_levels=2, side=256)
    make_study(made, preset("paper"), scratch() / "full-study", n_slots=4)
    return Study(scratch() / "full-study")


def needs_display():
    """Say that nothing can be measured where Xvfb or PsychoPy is absent."""
    if shutil.which("Xvfb") is None or importlib.util.find_spec("psychopy") is None:
        raise NotMeasured("Xvfb or PsychoPy is not installed")


@contextlib.contextmanager
def display():
    """A display of our own, or not measured."""
    needs_display()
    with helpers().x_server() as (name, server):
        yield name, server


def environment(name):
    """Mesa draws in the session's own thread, which has the priority; bytecode is kept, as an installer leaves it."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    own = {"DISPLAY": name, "HOME": str(scratch()), "LP_NUM_THREADS": "0"}
    return {**kept, **own, "PYTHONPYCACHEPREFIX": str(scratch() / "bytecode")}


def session(study, *words, name):
    """Start ``rapidvision session`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "rapidvision", "session", words[0], str(study.folder), *map(str, words[1:])],
        env=environment(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


def script(code, *words, name):
    """Run code in a process of its own and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=environment(name), capture_output=True, text=True, check=True, cwd=ROOT, timeout=LIMIT_S, encoding="utf-8"
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def options(hz=60):
    """Options of a simulated session in a small window."""
    return ("--simulate", "--paced", hz, "--window", "400x300", "--accept", "timing")


def wait_for_trials(path, n, process):
    """Wait until a journal holds `n` trials, or its session has ended; return how many it holds."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        n_stored = path.read_bytes().count(b'"kind":"trial"') if path.exists() else 0
        if n_stored >= n or process.poll() is not None:
            return n_stored
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"{path}: {n_stored} of {n} trials after {LIMIT_S} s")


def simulated_path(study, participant):
    """Return where the journal of the next simulated session will lie."""
    beside = Rehearsals(study.folder)
    return journal_path(beside, Ledger(beside).slots().take(participant, reuse=True, prefix="simulated-").session_id)


def first_trial(study, participant, name):
    """Start a session, kill it in its second trial, and return when it was started and when its first fixation came."""
    start = time.perf_counter()  # the sessions' clock too, which all processes share on Linux
    process = session(study, "run", "--participant", participant, *options(), name=name)
    path = simulated_path(study, participant)
    wait_for_trials(path, 1, process)
    process.kill()
    process.communicate()
    first = next(e for e in read_journal(path)[1] if isinstance(e, TrialData))
    return start, first.flips_s[0]


class Survived(NamedTuple):
    """A session that was killed and resumed: trials that were stored before and are gone or missing, repeated, unique."""

    lost: int
    repeated: int
    unique: int


def kill_sessions(n, *, n_trials, seed, server=False):
    """Kill `n` real sessions at random moments, the program or its X server, and resume each to its end, three at a time.

    The protocol and its participant are five times as quick as the paper's, engine and window are what they are.
    """
    observers = scratch() / "quick.toml"
    recipes.write(observers, Observers(response_shift_ms=20, response_median_ms=40, hesitation_ms=0))
    quick = {"fixation_ms": (20, 40), "stimulus_ms": 80, "blank_ms": 30}
    rng = random.Random(seed)
    moments = [(rng.randrange(1, n_trials - 4), rng.uniform(0, 0.2)) for _ in range(n)]

    def survive(moment):
        study = helpers().short_study(fresh(), block_size=n_trials, **quick)
        return _survive(study, *moment, server=server, words=(*options(), "--observers-file", observers))

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(survive, moments))


def _survive(study, n_before, delay_s, *, server, words):
    path = simulated_path(study, "p1")
    with display() as (name, x_server):
        process = session(study, "run", "--participant", "p1", *words, name=name)
        wait_for_trials(path, n_before, process)
        time.sleep(delay_s)
        stored = _stored(path)
        (x_server if server else process).send_signal(signal.SIGKILL)
        process.communicate(timeout=LIMIT_S)
    kept = _stored(path)
    with display() as (name, _):
        process = session(study, "resume", "p1", *words, name=name)
        process.communicate(timeout=LIMIT_S)
    done = _stored(path)
    planned = {trial.trial for trial in study.plans()[0].trials()}
    lost = set(stored) - set(kept) | set(kept) - set(done) | planned - set(done)
    return Survived(len(lost), len(done) - len(set(done)), len(set(done)))


def _stored(path):
    return [entry.trial for entry in read_journal(path)[1] if isinstance(entry, TrialData)]
