"""How much memory a worker needs, and what a run of the size of ClickMe would take."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import msgspec

from benchmarks import harness
from benchmarks.harness import NotMeasured, Suite, at_most
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.pipeline.image_list import image_entries

suite = Suite()
CLICKME = 196_499
#: Ten minutes on two cores, and 1.1 gigabytes.
BARS = {"recipe": (at_most(1 / 3), at_most(1.1))}


def enlarged_folder(folder, n):
    """The bundled images under n names, each with other bytes, so that a large set can be measured."""
    recipe, root = read_recipe("bundled")
    jobs = image_entries(recipe, root)
    lines = ["image_id,path,category,target"]
    for kind in ("images", "maps/clickme", "maps/salicon"):
        (folder / kind).mkdir(parents=True)
    for number in range(n):
        job, name = jobs[number % len(jobs)], f"n{number:05d}"
        data = Path(job.path).read_bytes()
        (folder / "images" / f"{name}.png").write_bytes(data + number.to_bytes(4, "little"))
        for source in ("clickme", "salicon"):
            shutil.copy(root / "maps" / source / f"{job.image_id}.png", folder / "maps" / source / f"{name}.png")
        lines.append(f"{name},images/{name}.png,{job.category},{str(job.target).lower()}")
    (folder / "images.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "recipe.toml").write_text((root / "recipe.toml").read_text(encoding="utf-8"), encoding="utf-8")


_MEMORY = """
import re, sys
from pathlib import Path
from rapidvision.stimuli.builder.build import read_recipe
from rapidvision.numerics.counter_rng import origin_of
from rapidvision.stimuli.pipeline.image_list import image_entries
from rapidvision.stimuli.builder.task import Worker
recipe, root = read_recipe(sys.argv[1])
worker = Worker(recipe, root, Path(sys.argv[2]), "png")
for job in image_entries(recipe, root)[: int(sys.argv[3])]:
    worker.run_task(job, None)
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def worker_mb(n):
    if not Path("/proc/self/status").is_file():  # getrusage would count what the process was before it became this one
        raise NotMeasured("this system has no /proc/self/status")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        enlarged_folder(folder / "in", n)
        command = [sys.executable, "-c", _MEMORY, str(folder / "in/recipe.toml"), str(folder / "out"), str(n)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout)


@suite.figure("worker memory, 60 images", unit="MB", bar=at_most(250))
def worker_memory():
    return worker_mb(60)


@suite.figure("worker memory, 180 images against 20", unit="ratio", bar=at_most(1.05))
def worker_memory_growth():
    return worker_mb(180) / worker_mb(20)


def timed_build(folder, form, n):
    """Core seconds and bytes of a build of n images with one map source, two workers."""
    enlarged_folder(folder / "in", n)
    recipe, root = read_recipe(str(folder / "in/recipe.toml"))
    recipe = msgspec.structs.replace(recipe, maps=recipe.maps[1:])
    start = os.times()
    build(recipe, folder / "out", root=root, form=form, workers=2)
    spent = sum(os.times()[:4]) - sum(start[:4])
    return spent, sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())


@cache
def large_run(form):
    """Core seconds and bytes per image, from the difference between builds of 1,000 and of 40 images.

    Core seconds, not the clock's: they depend less on what else the machine does. A difference, because workers
    need seconds to start, however many images follow.
    """
    n, few = int(os.environ.get("RAPIDVISION_LARGE_RUN", "1000")), 40
    with tempfile.TemporaryDirectory() as name:
        (seconds, size), (start, first) = (timed_build(Path(name) / str(count), form, count) for count in (n, few))
        return (seconds - start) / (n - few), (size - first) / (n - few)


for _form in ("png", "tar", "series", "recipe"):
    _hours, _gigabytes = BARS.get(_form, (harness.STATED, harness.STATED))
    suite.figure(f"ClickMe-sized run as {_form}: core hours, from 1,000 images", unit="h", bar=_hours)(
        lambda form=_form: large_run(form)[0] * CLICKME / 3600
    )
    suite.figure(f"ClickMe-sized run as {_form}: gigabytes, from 1,000 images", unit="GB", bar=_gigabytes)(
        lambda form=_form: large_run(form)[1] * CLICKME / 1e9
    )
