"""A small real study, a server in this process or another, and a real browser."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from rapidvision.experiments.design.planning import make_study
from rapidvision.formats.manifest import SetDescription, write_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.protocol_file import preset
from rapidvision.recipes import write
from rapidvision.system import files
from rapidvision.task.phases import Phase
from rapidvision.task.session import Breaks, Display, Feedback, Practice
from tests.chromium import ARGUMENTS, PATH, playwright_driver
from tests.conftest import missing

from . import postgres

LEVELS = ("1", "40", "100", "full")


def make_set(folder, *, n_images=8, n_practice=4, image_px=64, sources=("clickme", "salicon")):
    """A stimulus set of noise images: dark for targets, so that a photodiode would see them."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(n_images + n_practice):
        phase = "main" if number < n_images else "practice"
        target = number % 2 == 0
        image_id = f"{phase}-{number:03d}"
        for source in sources:
            for level, label in enumerate(LEVELS):
                name = f"images/{image_id}.{'intact' if label == 'full' else source}.{label}.png"
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    pixels = rng.integers(0, 120, (image_px, image_px, 3), dtype=np.uint8)
                    Image.fromarray(pixels).save(path)
                rows.append(
                    Stimulus(
                        stimulus_id=f"{image_id}.{source}.{label}",
                        phase=phase,
                        image_id=image_id,
                        category="bird" if target else "boat",
                        target=target,
                        map_source=source,
                        level_index=level,
                        level_label=label,
                        reveal_fraction=None if label == "full" else int(label) / 100,
                        revealed_px=image_px**2 if label == "full" else int(label),
                        image_fraction=1.0,
                        shift_y_px=0,
                        shift_x_px=0,
                        path=name,
                        sha256=files.sha256_file(path),
                    )
                )
    description = SetDescription(
        name="tiny", seed=1, image_px=image_px, level_labels=LEVELS, map_sources=tuple(sources)
    )
    return write_set(folder, description, rows)


QUICK = msgspec.structs.replace(
    preset("paper"),
    name="tiny",
    phases=(
        Phase(kind="fixation", duration_ms=(120, 180)),
        Phase(kind="stimulus", duration_ms=100),
        Phase(kind="blank", duration_ms=100),
    ),
    response=msgspec.structs.replace(preset("paper").response, limit_ms=200),
    design=msgspec.structs.replace(preset("paper").design, blocks=2, block_size=4),
    practice=Practice(n_trials=2),
    breaks=Breaks(page_ms=50),
    feedback=Feedback(show_ms=30, too_slow_ms=60),
    display=Display(image_px=64),
)


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="session")
def study_template(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    make_study(tiny_set, QUICK, folder, n_slots=4)
    return folder


@pytest.fixture
def copied(tiny_set, tmp_path):
    """A function: a planned study -> a copy of its own for one test, beside the set."""

    def copy(template):
        folder = tmp_path / "study"
        shutil.copytree(template, folder)
        description = folder / "study.json"
        relative = re.sub(r'"stimulus_set": "[^"]*"', f'"stimulus_set": "{tiny_set.folder}"', description.read_text())
        description.write_text(relative)
        return folder

    return copy


@pytest.fixture
def study_folder(study_template, copied):
    """A study of its own for one test: two groups of four slots, 2 practice and 8 main trials."""
    return copied(study_template)


def write_settings(folder, settings):
    write(folder / "online.toml", settings)


@pytest.fixture(scope="session")
def chromium_path():
    if PATH is None:
        missing("no Chromium on this computer (set RV_CHROMIUM)")
    return PATH


@pytest.fixture(scope="session")
def chromium(chromium_path):
    with playwright_driver() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


class Served:
    """A `session serve` process and its addresses."""

    def __init__(self, folder, *arguments, port=0, env=None):
        self.folder, self.arguments, self.env = folder, arguments, env or {}
        self.port = port
        self.start()

    def start(self):
        command = [sys.executable, "-m", "rapidvision", "session", "serve", str(self.folder)]
        command += ["--port", str(self.port), "--dashboard-port", "0", *self.arguments]
        environment = {**os.environ, "RAPIDVISION_PASSWORD": "correct horse", **self.env}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=Path.cwd()
        )
        self.said = []
        while not self.said or not self.said[-1].startswith("dashboard"):
            line = self.process.stdout.readline()
            assert line, self.said
            self.said.append(line)
        self.url, self.dashboard_url = (re.search(r"http\S+", line)[0] for line in self.said[-2:])
        found = re.search(r":(\d+)/", self.url)
        self.port = self.port or (int(found[1]) if found else 0)

    def process_port(self):
        """The port of the participants' socket, whatever address the server gives out."""
        inodes = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(OSError):
                inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
        dashboard = int(re.search(r":(\d+)/", self.dashboard_url)[1])
        for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]:
            words = line.split()
            port = int(words[1].rpartition(":")[2], 16)
            if words[3] == "0A" and words[9] in inodes and port != dashboard:
                return port
        raise AssertionError("no listening socket")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        if not self.process.stdout.closed:
            self.process.stdout.close()


@pytest.fixture
def serve():
    """Start `session serve` processes that end with the test."""
    running = []

    def start(folder, *arguments, **options):
        running.append(Served(folder, *arguments, **options))
        return running[-1]

    yield start
    for served in running:
        served.stop()


@pytest.fixture(scope="session")
def postgresql_server():
    """A real PostgreSQL server on a socket of its own; ends with the tests."""
    if not postgres.binary("postgres"):
        missing("no PostgreSQL on this computer")
    with postgres.postgresql() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server):
    """A fresh database."""
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    for _ in range(100):
        try:
            with psycopg.connect(postgresql_server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            break
        except psycopg.OperationalError:
            time.sleep(0.05)
    return postgresql_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def url(request):
    return None if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
