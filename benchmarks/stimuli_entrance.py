"""Into a set: presets on their layouts, the check of 10,000 images, points of any number, and a folder of one's own."""

import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.harness import Suite, at_least, at_most
from tests.stimuli.conftest import natural
from tests.stimuli.layouts import WRITERS
from tests.stimuli.test_entrance import fill_categories, photographs
from tests.stimuli.test_presets import expected, laid, middle, source_of

suite = Suite()
N_IMAGES, N_ROWS = 10_000, 10_000_000


@suite.figure("presets whose layout is read to within a pixel of 256", unit="presets", bar=at_least(16))
def presets():
    from rapidvision.stimuli.maps.readers import open_source

    n_right = 0
    for name, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                path, more, image_px, image_id, place = write(Path(folder))
            except pytest.skip.Exception:  # without h5py one preset cannot be measured
                continue
            source = source_of(name, path, **more)
            found, geometry = laid(open_source(source, Path(folder)), source, image_id, image_px)
            values = np.array(found.map.values, float)
            values[values < 0.05 * values.max()] = 0
            n_right += bool(np.abs(middle(values) - expected(geometry, place)).max() < 1)
    return n_right


def _many(folder):
    """Photographs of 640 x 480 that all differ, a map each, and 20 fixations each."""
    base = [natural(number, 480, 640) for number in range(20)]
    rows, columns = np.mgrid[:240, :320]
    spot = np.rint(255 * np.exp(-((rows - 100) ** 2 + (columns - 150) ** 2) / 800)).astype(np.uint8)
    (folder / "photos").mkdir()
    (folder / "maps").mkdir()
    table = [("image_id", "path", "category", "target")]
    points = [("image_id", "x", "y", "participant_id")]
    for number in range(N_IMAGES):
        pixels = base[number % 20].copy()
        pixels[:8, :8] = [number % 256, number // 256, 7]
        Image.fromarray(pixels).save(folder / f"photos/i{number:05d}.jpg", quality=85)
        Image.fromarray(spot).save(folder / f"maps/i{number:05d}.png", compress_level=1)
        kind = ("a", "true") if number % 2 else ("b", "false")
        table.append((f"i{number:05d}", f"photos/i{number:05d}.jpg", *kind))
        points += [(f"i{number:05d}", (number * 37 + k * 91) % 640, (number * 53 + k * 67) % 480, k) for k in range(20)]
    for name, some in (("images.csv", table), ("gaze.csv", points)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(some)
    maps = '[[maps]]\nsource = "map"\nreader = "folder"\npath = "maps"\n'
    eye = '[[maps]]\nsource = "eye"\nreader = "points-csv"\npath = "gaze.csv"\nblur = "gauss:10"\n'
    (folder / "recipe.toml").write_text(f'name = "many"\n{maps}{eye}', encoding="utf-8")


def _watched(*words):
    """Run a command; return seconds and the largest memory of it and its processes together, in MB."""
    start, most = time.perf_counter(), [0]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        watch = threading.Thread(target=_watch, args=(process, most))
        watch.start()
        said, _ = process.communicate()
        watch.join()
    assert process.returncode == 0, said
    return time.perf_counter() - start, most[0] / 2**20, said


def _watch(process, most):
    while process.poll() is None:
        most[0] = max(most[0], sum(map(_resident, _family(process.pid))))
        time.sleep(0.1)


def _family(pid):
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * 4096
    except (OSError, IndexError):
        return 0


@cache
def _checked():
    with tempfile.TemporaryDirectory() as folder:
        _many(Path(folder))
        recipe = str(Path(folder) / "recipe.toml")
        words = [sys.executable, "-m", "rapidvision", "stimuli", "check", recipe, "--workers", "2", "--quiet"]
        return _watched(*words)


@suite.figure("check of 10,000 images with a map and 20 fixations each, 2 processes", unit="s", bar=at_most(60))
def check_seconds():
    return _checked()[0]


@suite.figure("the same: memory of all processes together", unit="MB", bar=at_most(250))
def check_memory():
    return _checked()[1]


@suite.figure("a table of 10 million points: memory", unit="MB", bar=at_most(250))
def points_memory():
    code = (
        "from pathlib import Path\nfrom rapidvision.stimuli.maps.readers import open_source\n"
        "from rapidvision.stimuli.input_tables import MapSource\n"
        "import sys\nr = open_source(MapSource(source='s', reader='points-csv', path='p.csv'), Path(sys.argv[1]))\n"
        "assert r.read('i00007').x_px.size == 5000\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "p.csv").open("w", encoding="utf-8") as file:
            file.write("image_id,x,y,participant_id\n")
            for start in range(0, N_ROWS, 2000):
                file.writelines(
                    f"i{n:05d},{(start + n) % 6000 / 10},{n % 4000 / 10},s{start % 15}\n" for n in range(2000)
                )
        return _watched(sys.executable, "-c", code, folder)[1]


@suite.figure(
    "60 mixed photographs, maps of another size and gaze, to a set of 8 degrees", unit="commands", bar=at_most(3)
)
def own_folder():
    """Commands from folders to a verified set; between them only categories are filled in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs(folder / "lab")
        screen = ["--image-deg", "8", "--screen", str(folder / "lab/monitor.toml")]
        study = folder / "study"
        commands = [
            ["init", str(folder / "lab"), "--out", str(study), *screen],
            ["check", str(study / "recipe.toml"), "--json"],
            ["build", str(study / "recipe.toml"), "--out", str(folder / "set")],
        ]
        for words in commands:
            *_, said = _watched(sys.executable, "-m", "rapidvision", "stimuli", *words, "--quiet")
            if words[0] == "init":
                fill_categories(study / "images.csv")
            if words[0] == "check":
                assert json.loads(said)["n_usable"] == 60
        assert (folder / "set/stimulus_set.json").is_file()
        return len(commands)
