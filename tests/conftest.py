"""What every test may use: the seed in the header, the folder of real data, and what to do where a part is missing."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
