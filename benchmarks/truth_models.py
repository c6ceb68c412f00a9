"""Networks: odd files through the packing of class folders, scores that are none, and processes that disagree."""

import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.harness import Suite, at_least, at_most, between
from benchmarks.odd_images import HEIGHT, WIDTH, odd_files
from rapidvision import recipes
from rapidvision.errors import RapidVisionError
from rapidvision.gala_models.data.dataset import open_store, pack
from rapidvision.gala_models.data.example import Example
from rapidvision.gala_models.data.packing import pack_images
from rapidvision.gala_models.evaluation.evaluate import evaluate
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer.probes import multiply_accumulates
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.recipe import Training

SEED = 14
SIDE = 32
N_CLASSES = 7
suite = Suite()


def as_class_folder(file):
    """What ``models pack-dataset`` makes of a file in a class folder: right, refused (its name is said) or wrong."""
    shape = np.shape(file.truth)[:2] if file.truth is not None else (HEIGHT, WIDTH)
    side = min(shape)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "p" / "a").mkdir(parents=True)
        (base / "m" / "a").mkdir(parents=True)
        (base / ("m" if file.is_map else "p") / "a" / file.name).write_bytes(file.data)
        options = {}
        if file.is_map:
            grey = Image.fromarray(np.full((*shape, 3), 90, np.uint8))
            grey.save(base / "p" / "a" / f"{Path(file.name).stem}.png")
            options["map_folder"] = base / "m"
        try:
            found = pack_images([base / "p"], base / "s", side_px=side, quiet=True, **options)
        except RapidVisionError as error:
            return "refused" if file.name in str(error) or found_none(error) else "wrong"
        except Exception:
            return "wrong"
        if file.is_map and found.n_maps == 0:
            return "refused" if found.left_out else "wrong"
        if file.truth is None:
            return "wrong"
        store = open_store(base / "s")
        packed = np.array(store.maps[0] if file.is_map else store.images[0], float)
    top, left = ((one - side) // 2 for one in shape)
    truth = np.asarray(file.truth, float)[top : top + side, left : left + side]
    if file.is_map:
        truth, packed = truth / truth.max(), packed / 255
    tolerance = file.tolerance + (0.5 / 255 + 1e-6 if file.is_map else 0)
    return "right" if np.abs(packed - truth).max() <= tolerance else "wrong"


def found_none(error):
    """A folder whose only file is no image has no class; the message counts it by its suffix."""
    return "a class without images" in str(error)


@lru_cache(maxsize=1)
def outcomes():
    """Count of (outcome, whether a good loader reads the file)."""
    return Counter(
        (as_class_folder(one), one.whole and one.truth is not None) for one in odd_files(seed=SEED, rounds=3)
    )


@suite.figure("odd images and maps in class folders, seed 14: silent", unit="files", bar=at_most(0))
def silent() -> float:
    """Neither the right pixels nor an error that names the file."""
    return float(outcomes()["wrong", True] + outcomes()["wrong", False])


@suite.figure("odd images and maps in class folders: how many", unit="files", bar=at_least(200))
def how_many() -> float:
    return float(sum(outcomes().values()))


@suite.figure("undamaged ones among them: read", unit="share", bar=at_least(1))
def read() -> float:
    """A loader that refuses everything would make nothing wrong."""
    return outcomes()["right", True] / sum(n for (_, whole), n in outcomes().items() if whole)


class Table(nn.Module):
    """Stated scores: an image's grey level is its row. The attention is that of a small network in double precision."""

    def __init__(self, scores):
        super().__init__()
        self.inner = build(Architecture(family="compact", attention="gala", n_classes=2), seed=1).double()
        self.scores = torch.from_numpy(scores)

    def forward(self, x):
        self.inner(x.double())
        return self.scores[(x[:, 0, 0, 0] * 255).round().long()]


def images_of_rows(folder, n, seed):
    """Images whose first pixel holds their row, with maps; labels in turn."""
    rng = np.random.default_rng(seed)
    examples = []
    for row in range(n):
        image = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        image[0, 0] = row
        importance = rng.random((SIDE, SIDE), np.float32)
        examples.append(Example(f"row-{row}", image, int(rng.integers(N_CLASSES)), importance))
    return pack(examples, folder, n=n, side_px=SIDE)


PLAIN = Preprocessing(size_px=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
N_ROWS = 60


@lru_cache(maxsize=1)
def store():
    """One store for all of this, kept until the process ends."""
    folder = tempfile.TemporaryDirectory()
    found = images_of_rows(Path(folder.name) / "s", N_ROWS, SEED)
    return found, folder


@suite.figure("150 tables of tied scores, seed 14: error from counting", unit="share", bar=at_most(0))
def ties() -> float:
    """Largest difference of top-1 and top-5 error from a count in which every tie is lost."""
    images, rng, worst = store()[0], np.random.default_rng(SEED), 0.0
    for number in range(150):
        scores = rng.integers(0, 1 + number % 9, (N_ROWS, N_CLASSES)).astype(np.float32)
        found = evaluate(Table(scores), images, PLAIN)
        own = scores[np.arange(N_ROWS), images.labels][:, None]
        rank = (scores >= own).sum(1) - 1
        worst = max(worst, abs(found.top1_error - np.mean(rank > 0)), abs(found.top5_error - np.mean(rank > 4)))
    return worst


@suite.figure("scores of NaN, inf or all equal: neither refused nor 100 %", unit="networks", bar=at_most(0))
def without_answers() -> float:
    """One value, one class, one image, or everything."""
    images, rng, wrong = store()[0], np.random.default_rng(SEED + 1), 0
    for value, where in product((np.nan, np.inf, -np.inf), ("value", "class", "image", "all")):
        for _ in range(5):
            scores = rng.standard_normal((N_ROWS, N_CLASSES)).astype(np.float32)
            rows = slice(None) if where in ("class", "all") else rng.integers(N_ROWS)
            columns = slice(None) if where in ("image", "all") else rng.integers(N_CLASSES)
            scores[rows, columns] = value
            wrong += not refused_or_lost(scores, images)
    for level in (0.0, 1.0, -3.25, 1e30, 1e-30):
        wrong += not refused_or_lost(np.full((N_ROWS, N_CLASSES), level, np.float32), images)
    return float(wrong)


def refused_or_lost(scores, images):
    """Whether a network is refused by name, or loses every image."""
    try:
        return evaluate(Table(scores), images, PLAIN, name="the-net").top1_error == 1
    except RapidVisionError as error:
        return "the-net" in str(error) and "row-" in str(error)


@suite.figure("null of evaluate, batches of 1, 2, 9, 32, 60: spread", unit="rho", bar=at_most(1e-12))
def null_over_batches() -> float:
    scores = np.random.default_rng(SEED).standard_normal((N_ROWS, N_CLASSES)).astype(np.float32)
    found = [evaluate(Table(scores), store()[0], PLAIN, batch_size=n).null for n in (1, 2, 9, 32, 60)]
    return max(found) - min(found)


@suite.figure("GALA-ResNet-50 at 224 px, without gradients", unit="million MAC", bar=between(4400.8, 4401.0))
def work() -> float:
    with torch.no_grad():
        return multiply_accumulates(build("gala-resnet50").eval(), ["fc"], torch.zeros(1, 3, 224, 224))["fc"]


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
from pathlib import Path
from rapidvision import cli
sys.exit(cli.main(["models", "train", str(Path(sys.argv[1]) / "recipe.toml"), "--out", str(Path(sys.argv[1]) / "run"), "--quiet"]))
"""


@suite.figure(
    "10 starts of two processes with different data, two busy loops beside them: not both exit 1",
    unit="starts",
    bar=at_most(0),
)
def race() -> float:
    """Both must end with the message and code 1; a signal is a negative code."""
    bad = 0
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            bases = [Path(folder) / name for name in ("one", "other")]
            training = Training(
                model=Architecture(family="compact", attention="gala", n_classes=N_CLASSES),
                preprocessing=Preprocessing(size_px=SIDE),
                batch_size=8,
            )
            for seed, base in enumerate(bases):
                for name in ("train", "validation"):
                    images_of_rows(base / name, 16, seed)
                recipes.write(base / "recipe.toml", training)
            for _ in range(10):
                bad += not both_say_it(bases)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    return float(bad)


def both_say_it(bases):
    """Start one process per folder and say whether both ended with the message and code 1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    running = []
    for rank, base in enumerate(bases):
        env = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        words = [sys.executable, "-c", SCRIPT, str(base)]
        running.append(
            subprocess.Popen(
                words, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8"
            )
        )
    said = [one.communicate(timeout=300)[1] for one in running]
    return all(one.returncode == 1 for one in running) and all("processes disagree on" in text for text in said)
