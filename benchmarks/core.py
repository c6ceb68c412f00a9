"""The core: how fast the command line starts, how long the demo takes, how large the wheel is."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import STATED, NotMeasured, Suite, at_most, seconds, times

suite = Suite()
ROOT = Path(__file__).parents[1]


def _process(*arguments: str, cwd: Path = ROOT) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if done.returncode:
        raise NotMeasured(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        )


@suite.figure("--help against a bare interpreter", unit="x", bar=at_most(2.0))
def help_start() -> float:
    """Whole processes in alternation."""
    return 1 / times(lambda: _process("-m", "rapidvision", "--help"), lambda: _process("-I", "-c", "pass"), repeats=15)


@suite.figure("demo, whole, networks included", unit="s", bar=at_most(60))
def demo() -> float:
    """After installation, on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds(lambda: _process("-m", "rapidvision", "demo", "--out", folder))


@suite.figure("wheel", unit="MB", bar=STATED)
def wheel() -> float:
    """Size of the built wheel."""
    with tempfile.TemporaryDirectory() as folder:
        _process("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(ROOT))
        return next(Path(folder).glob("*.whl")).stat().st_size / 1e6
