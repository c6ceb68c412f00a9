"""Planning of any task: the paper's plans against those of the first planner, and the time that 120 plans take.

The first planner is taken from the history of this repository and runs in a process of its own, in turn with ours. Times
are processor seconds, so that other work on the computer counts little.
"""

import functools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most
from rapidvision.experiments.design.planning import Planner
from rapidvision.formats.manifest import DESCRIPTION, SetDescription, StimulusSet, read_set
from rapidvision.formats.protocol_file import PRESETS
from rapidvision.integrity.seal import seal_of
from rapidvision.system import files
from tests.experiments.sets import TASKS, protocol_of, set_for
from tests.experiments.version_1 import OF_BUNDLED, digest_of

suite = Suite()
ROOT = Path(__file__).parents[1]
#: The last commit with the first planner.
VERSION_1 = "1c2f9077759dd12c2b5843d7efa85f11f6d8573f"
N_PLANS = 120
REPEATS = int(os.environ.get("RV_PLANNING_REPEATS", "7"))
_OLD = """
import sys, time
from rapidvision.experiments.design import texts
from rapidvision.experiments.design.planning import make_plan
from rapidvision.formats.manifest import read_set
from rapidvision.protocol import preset
found, words = read_set(sys.argv[1]), texts.read_texts("en")
for line in sys.stdin:
    start = time.process_time()
    rows = found.index()
    for group in ("clickme", "salicon"):
        for slot in range(60):
            make_plan(found, preset("paper"), group=group, slot=slot, rows=rows, words=words)
    print(time.process_time() - start, flush=True)
"""


@functools.cache
def scratch() -> Path:
    """A folder that stays until the process ends."""
    return Path(tempfile.mkdtemp(prefix="rv-planning-"))


@functools.cache
def first_version() -> Path:
    """The files of the first planner, and the bundled set as its own builder makes it."""
    folder = scratch() / "first"
    folder.mkdir()
    archive = subprocess.run(["git", "archive", VERSION_1], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise NotMeasured("the history of this repository lacks the first planner")
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    build = "import sys, rapidvision as rv; rv.stimuli.build('bundled', out=sys.argv[1])"
    run_old(folder, build, str(scratch() / "bundled"))
    return folder


def run_old(folder: Path, code: str, *arguments: str, lines: int = 1) -> list[str]:
    """Run code with the first version's packages, with so many empty lines as input; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, env=environment, input="\n" * lines, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise NotMeasured(f"the first planner does not run here: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.splitlines()


@functools.cache
def bundled() -> StimulusSet:
    """The bundled set as the first builder made it, its description sealed anew with the fields that it has now."""
    first_version()
    shutil.copytree(scratch() / "bundled", scratch() / "sealed")
    path = scratch() / "sealed" / DESCRIPTION
    known = msgspec.json.decode(path.read_bytes(), type=SetDescription)
    files.write_json(path, msgspec.structs.replace(known, checksum=seal_of(known)))
    return read_set(scratch() / "sealed")


@functools.cache
def noise(sixteen: bool) -> StimulusSet:
    """A set of the paper's form with masks, or one of sixteen categories."""
    return set_for("sixteen-way" if sixteen else "paper", scratch() / ("sixteen" if sixteen else "noise"))


def plan_all(name: str, stimulus_set: StimulusSet) -> float:
    """Processor seconds that 120 plans take, what they share included."""
    protocol = protocol_of(name)
    start = time.process_time()
    planner = Planner(stimulus_set, protocol)
    groups = list(planner.conditions.groups)
    for slot in range(N_PLANS // len(groups)):
        for group in groups:
            planner.plan(group, slot)
    return time.process_time() - start


@functools.cache
def seconds() -> dict[str, list[float]]:
    """Seconds of the first planner and of ours for every task, each repetition of all of them in turn."""
    stimulus_set = bundled()
    found: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        old = run_old(first_version(), _OLD, str(scratch() / "bundled"), lines=2)
        found.setdefault("first", []).append(float(old[-1]))
        for name in (*PRESETS, *TASKS):
            one = stimulus_set if name in ("paper", "authors-2017") else noise(name == "sixteen-way")
            found.setdefault(name, []).append(plan_all(name, one))
    return found


def against_the_first(name: str) -> float:
    """Median over repetitions of our time for a task over the first planner's for the paper's."""
    found = seconds()
    return statistics.median(ours / theirs for ours, theirs in zip(found[name], found["first"], strict=True))


@suite.figure("plans of `paper` as the first planner made them, of 120", unit="plans", bar=at_least(120))
def paper_identical() -> float:
    return N_PLANS if digest_of(bundled(), "paper") == OF_BUNDLED["paper"] else 0


@suite.figure("plans of `authors-2017` as the first planner made them, of 120", unit="plans", bar=at_least(120))
def authors_identical() -> float:
    return N_PLANS if digest_of(bundled(), "authors-2017") == OF_BUNDLED["authors-2017"] else 0


@suite.figure("120 plans of `paper`, first planner", unit="s", bar=STATED)
def first_seconds() -> float:
    return statistics.median(seconds()["first"])


@suite.figure("120 plans of `paper`, our time / the first planner's", unit="x the time", bar=at_most(1))
def paper_ratio() -> float:
    return against_the_first("paper")


@suite.figure("120 plans of the slowest other preset, our time / the first's", unit="x the time", bar=at_most(3))
def slowest_preset() -> float:
    return max(against_the_first(name) for name in PRESETS if name != "paper")


@suite.figure("120 plans of the slowest of five more tasks, our time / the first's", unit="x the time", bar=at_most(3))
def slowest_task() -> float:
    return max(against_the_first(name) for name in TASKS)
