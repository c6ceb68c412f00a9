"""What every test may use: the seed in the header, the folder of real data, and what to do where a part is missing."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

# One thread for every process of the tests, and for those that they start: two processes with two threads each on two
# cores wait for one another, at four times the processor's time. Read when numpy and torch are loaded, which is later.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from tests.once import made_once

settings.register_profile("suite", deadline=None)  # no test depends on how busy the machine is
settings.load_profile("suite")

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=2019, help="seed of the simulated observers in recovery tests")


def pytest_report_header(config):
    return f"rapidvision: --seed={config.getoption('--seed')}, real data {'found' if DATA.is_dir() else 'absent'}"


def missing(reason):
    """Skip because a part is not installed; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must have it", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def seed(request):
    return request.config.getoption("--seed")


@pytest.fixture(scope="session")
def data_folder():
    """Real photographs, maps and trials; not part of the project."""
    if not DATA.is_dir():
        pytest.skip("the folder of real data is not beside the project")
    return DATA


@pytest.fixture(scope="session")
def bundled_set(tmp_path_factory):
    """The stimulus set of the bundled images, built once in a run; read only."""

    def build(folder):
        from rapidvision import stimuli

        stimuli.build("bundled", out=folder)

    return made_once(tmp_path_factory, "bundled-set", build)


@pytest.fixture
def bundled_set_is_built(bundled_set, monkeypatch):
    """``rv.stimuli.build("bundled", out=…)`` copies the set that was built once; any other call builds."""
    from rapidvision import stimuli
    from rapidvision.formats.manifest import read_set

    build = stimuli.build

    def built(recipe, *, out, **options):
        if recipe != "bundled" or options:
            return build(recipe, out=out, **options)
        shutil.copytree(bundled_set, out, dirs_exist_ok=True)
        return read_set(Path(out))

    monkeypatch.setattr(stimuli, "build", built, raising=False)


@pytest.fixture(scope="session")
def node_modules():
    """What npm gives by the lock file: jsPsych, the type checker of the modules, the checker of accessibility; for development only."""
    folder = ROOT / "tests" / "experiments" / "online" / "jspsych"
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel
        installed = folder / "node_modules" / ".package-lock.json"
        if not installed.is_file() or '"node_modules/axe-core"' not in installed.read_text(encoding="utf-8"):
            npm = shutil.which("npm")
            if npm is None:
                missing("no npm on this computer")
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                missing(f"npm could not fetch them: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "node_modules"
