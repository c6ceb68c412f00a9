"""A small stimulus set with real files, and studies planned from it."""

import contextlib
import os
import shutil
import subprocess
import sys

import msgspec
import pytest

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.design.rehearsals import part_of, prefix_of
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.lab import file_checks
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.headers import Header, Setup
from rapidvision.experiments.recording.journal import JournalFile
from rapidvision.formats.protocol_file import preset
from rapidvision.study import Study
from tests.conftest import missing
from tests.experiments.sets import make_set, set_for


@pytest.fixture(scope="session")
def noise_set(tmp_path_factory):
    """The form of the paper's set: 80 images and 16 for practice, 2 sources, 12 levels."""
    return make_set(tmp_path_factory.mktemp("noise") / "set")


@pytest.fixture(scope="session")
def set_of(tmp_path_factory):
    """A function: the name of a protocol -> the set that goes with it, with masks; two are made and shared."""
    made = {}

    def find(name):
        sixteen = name == "sixteen-way"
        if sixteen not in made:
            made[sixteen] = set_for(name, tmp_path_factory.mktemp("sets") / "set")
        return made[sixteen]

    return find


@pytest.fixture(scope="session")
def set_maker():
    """The function that writes such a set."""
    return make_set


class Plans(list):
    """A list that prints short, for the messages of property tests."""

    def __repr__(self):
        return f"<{len(self)} plans>"


@pytest.fixture(scope="session")
def plans(noise_set, tmp_path_factory):
    """Plans of the paper's study: 60 + 60."""
    return Plans(make_study(noise_set, preset("paper"), tmp_path_factory.mktemp("plans"), n_slots=60))


@pytest.fixture
def study(noise_set, tmp_path):
    """A fresh study with four slots per group."""
    make_study(noise_set, preset("paper"), tmp_path / "study", n_slots=4)
    return Study(tmp_path / "study")


@contextlib.contextmanager
def x_server(size="800x600x24"):
    """Run an Xvfb on a free display and yield its name and process."""
    if shutil.which("Xvfb") is None:
        missing("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"],
        pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}", server
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def new_x_server():
    """The function that starts an X server of its own."""
    return x_server


@pytest.fixture(scope="module")
def x_display():
    """A display that the tests of one file share."""
    with x_server() as (name, _):
        yield name


@pytest.fixture
def python_with_display(x_display, tmp_path):
    """Run Python code in a process of its own that sees the display; return what it printed."""

    def run(code, *arguments, timeout=250):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "DISPLAY": x_display, "HOME": str(tmp_path), "LP_NUM_THREADS": "0"},
            timeout=timeout, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def session_command(tmp_path):
    """Start ``rapidvision session`` in a process of its own, with the display given."""
    running = []

    def start(*words, display, home=tmp_path, path=""):
        environment = {
            **os.environ,
            "HOME": str(home),
            "DISPLAY": display or "",
            "LP_NUM_THREADS": "0",
            "PYTHONPATH": str(path),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "rapidvision", "session", *map(str, words)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def short_protocol(n_blocks=1, block_size=16, *, fixation_ms=(50, 100), stimulus_ms=400, blank_ms=150, **response):
    """The paper's task in a hurry; further arguments are fields of its response."""
    paper = preset("paper")
    durations = {"fixation": fixation_ms, "stimulus": stimulus_ms, "blank": blank_ms}
    change = msgspec.structs.replace
    return change(
        paper,
        phases=tuple(change(phase, duration_ms=durations[phase.id]) for phase in paper.phases),
        response=change(paper.response, **{"limit_ms": stimulus_ms + blank_ms, **response}),
        design=change(paper.design, blocks=n_blocks, block_size=block_size),
        practice=change(paper.practice, n_trials=0),
        feedback=change(paper.feedback, too_slow_ms=100),
        display=change(paper.display, image_px=64),
    )


def short_study(folder, n_blocks=1, block_size=16, **changes):
    """Plan a study whose sessions take seconds on a real clock."""
    made = make_set(folder / "set", per_category=n_blocks * block_size // 8, practice=0, n_levels=4, side=64)
    make_study(made, short_protocol(n_blocks, block_size, **changes), folder / "study", n_slots=4)
    return Study(folder / "study")


@pytest.fixture
def quick_study(tmp_path):
    """A study of 16 short trials."""
    return short_study(tmp_path)


@pytest.fixture(scope="session")
def study_maker():
    """The function that plans such a study."""
    return short_study


def header_of(plan, session_id="p1", participant="p1", kind="human", utc="2026-01-01T00:00:00+00:00"):
    """The header of a session that follows a plan."""
    return Header(
        session_id=session_id,
        participant_id=participant,
        study_id=plan.study_id,
        group=plan.group,
        slot=plan.slot,
        observer="simulated" if kind == "simulated" else "human",
        observer_kind=kind,
        plan_digest=plan.digest,
        protocol_digest=plan.protocol.digest,
        stimulus_set_digest=plan.stimulus_set_digest,
        utc=utc,
    )


def setup_of(header, **fields):
    """What a session of this header runs on."""
    known = {
        "display": "real",
        "refresh_hz": 60.0,
        "software": {"psychopy": "2026.1"},
        "host": "lab-1",
        "system": "Linux 6.1",
    }
    return Setup(observer=header.observer, observer_kind=header.observer_kind, **{**known, **fields})


def recorded(study, participant="p1", *, n=None, finished=True, seed=1, kind="human", **fields):
    """A session as if it had been run: ledger, journal, trials of a simulated participant."""
    part = part_of(study, kind)
    entry = Ledger(part).take(participant, prefix=prefix_of(kind))
    plan = file_checks.plan_of(part, entry)
    header = header_of(plan, entry.session_id, participant, kind, entry.utc)
    part.sessions_folder.mkdir(parents=True, exist_ok=True)
    with JournalFile(file_checks.journal_path(part, entry.session_id), header) as journal:
        journal.append(setup_of(header, **fields))
        for data in simulate_session(plan, Observers(), seed=seed)[:n]:
            journal.append(data)
    if finished:
        Ledger(part).close(entry.session_id, "finished")
    return entry


@pytest.fixture(scope="session")
def record_session():
    """The function that records a session."""
    return recorded


@pytest.fixture(scope="session")
def make_setup():
    """The function that makes what a session of a header runs on."""
    return setup_of
