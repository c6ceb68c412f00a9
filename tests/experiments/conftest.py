"""A small stimulus set with real files, and studies planned from it."""

import contextlib
import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.design.rehearsals import part_of, prefix_of
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.lab import file_checks
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.headers import Header, Setup
from rapidvision.experiments.recording.journal import JournalFile
from rapidvision.formats.manifest import SetDescription, write_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.protocol import Practice, Protocol, Timing
from rapidvision.study import Study
from rapidvision.system import files
from tests.conftest import missing

TARGETS = ("bird", "zebra", "elephant", "cat")
DISTRACTORS = ("table", "couch", "refrigerator", "umbrella")


def make_set(folder, *, per_category=10, practice=2, n_levels=12, side=16, sources=("clickme", "salicon")):
    """Write a set whose pictures are noise; the right form at a fraction of the time of real ones."""
    labels = (*(f"{10 ** (2 * i / max(1, n_levels - 2)):.3g}" for i in range(n_levels - 1)), "full")
    rows = []
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for category in (*TARGETS, *DISTRACTORS):
        for number in range(per_category + practice):
            image = f"{category}-{number:02d}"
            noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            for s, source in enumerate(sources):
                for level, label in enumerate(labels):
                    full = level == n_levels - 1
                    path = f"images/{image}.{'full' if full else f'{source}.{level:02d}'}.png"
                    if not (folder / path).exists():
                        out = io.BytesIO()
                        Image.fromarray(np.roll(noise, (level, 0 if full else s), (0, 1))).save(
                            out, "PNG", compress_level=1
                        )
                        (folder / path).write_bytes(out.getvalue())
                    fraction = None if full else float(label) / 100
                    rows.append(
                        Stimulus(
                            stimulus_id=f"{image}.{source}.{label}",
                            phase="main" if number < per_category else "practice",
                            image_id=image,
                            category=category,
                            target=category in TARGETS,
                            map_source=source,
                            level_index=level,
                            level_label=label,
                            reveal_fraction=fraction,
                            revealed_px=side * side if full else max(1, int(0.15 * side * side * fraction)),
                            image_fraction=1.0 if full else 0.15 * fraction,
                            shift_y_px=0,
                            shift_x_px=0,
                            path=path,
                            sha256=files.sha256_file(folder / path),
                        )
                    )
    description = SetDescription(name="noise", seed=1, image_px=side, level_labels=labels, map_sources=sources)
    return write_set(folder, description, rows)


@pytest.fixture(scope="session")
def noise_set(tmp_path_factory):
    """The form of the paper's set: 80 pictures and 16 for practice, 2 sources, 12 levels."""
    return make_set(tmp_path_factory.mktemp("noise") / "set")


class Plans(list):
    """A list that prints short, for the messages of property tests."""

    def __repr__(self):
        return f"<{len(self)} plans>"


@pytest.fixture(scope="session")
def plans(noise_set, tmp_path_factory):
    """Plans of the paper's study: 60 + 60."""
    return Plans(make_study(noise_set, Protocol(), tmp_path_factory.mktemp("plans"), n_slots=60))


@pytest.fixture
def study(noise_set, tmp_path):
    """A fresh study with four slots per group."""
    make_study(noise_set, Protocol(), tmp_path / "study", n_slots=4)
    return Study(tmp_path / "study")


@pytest.fixture(scope="session")
def set_maker():
    """The function that writes such a set."""
    return make_set


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


def short_study(folder, n_blocks=1, block_size=16, **timing):
    """Plan a study whose sessions take seconds on a real clock."""
    made = make_set(folder / "set", per_category=n_blocks * block_size // 8, practice=0, n_levels=4, side=64)
    protocol = Protocol(
        n_blocks=n_blocks,
        block_size=block_size,
        image_px=64,
        practice=Practice(n_trials=0),
        timing=Timing(**{"fixation_ms": (50, 100), "too_slow_ms": 100, **timing}),
    )
    make_study(made, protocol, folder / "study", n_slots=4)
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
