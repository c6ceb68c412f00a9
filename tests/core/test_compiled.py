"""Compiled code where nothing can be cached beside the package: a container's user without a home."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("rapidvision", "stimuli", "analysis")

without_user_ids = pytest.mark.skipif(
    sys.platform == "win32" or (os.getuid() == 0 and shutil.which("setpriv") is None),
    reason="needs user ids, and setpriv where the tests run as root",
)

FILL = """
import numpy as np
from rapidvision.stimuli.png import deflate
from rapidvision.stimuli.reveal import flood, flood_numba
from rapidvision.stimuli.render.shapes import compiled as drawing
from rapidvision.analysis.compiled import kept, shifts
from rapidvision.numerics import compiled_ranks
maps = np.random.default_rng(1).random((12, 9)).astype("float32")
orders = [flood.fill(maps, 40, key=3, engine=engine) for engine in ("auto", "portable")]
assert np.array_equal(*orders)
print("filled", flood_numba._grow.stats.cache_path)
"""


@pytest.fixture(scope="module")
def read_only_copy():
    """A copy of the packages that its user cannot write to, in a folder that every user can enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "bundled", "vectors"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def run_as_a_user_without_a_home(copy, temporary):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG", "PYTHON"))},
        "HOME": os.devnull,
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Root writes to read-only folders by a capability, which it gives up here.
    given_up = ["setpriv", "--bounding-set=-dac_override"] if os.getuid() == 0 else []
    return subprocess.run(
        [*given_up, sys.executable, "-c", FILL],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@without_user_ids
def test_without_a_place_beside_the_package_the_code_is_kept_in_a_private_temporary_folder(read_only_copy):
    pytest.importorskip("numba")
    temporary = Path(tempfile.mkdtemp())
    try:
        temporary.chmod(0o1777)
        done = run_as_a_user_without_a_home(read_only_copy, temporary)
        assert done.stdout.startswith(f"filled {temporary}/rapidvision-numba-"), done.stderr
        (place,) = temporary.glob("rapidvision-numba-*")
        assert place.stat().st_mode & 0o777 == 0o700
        assert list(place.rglob("*.nbc"))
    finally:
        shutil.rmtree(temporary)


@without_user_ids
def test_a_temporary_folder_that_others_can_write_to_is_not_used(read_only_copy):
    pytest.importorskip("numba")
    temporary = Path(tempfile.mkdtemp())
    try:
        temporary.chmod(0o1777)
        planted = temporary / f"rapidvision-numba-{os.getuid()}"
        planted.mkdir()
        planted.chmod(0o777)
        done = run_as_a_user_without_a_home(read_only_copy, temporary)
        assert done.stdout.startswith("filled None"), done.stderr
        assert list(planted.iterdir()) == []
    finally:
        shutil.rmtree(temporary)
