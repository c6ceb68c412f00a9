"""The renderer: how fast it draws, whether a seed is an image, what tells kinds apart, and whether players agree."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.stats import spearmanr

from benchmarks.harness import NotMeasured, Suite, at_least, at_most, between
from rapidvision import seeds
from rapidvision.system.pools import pool_of

suite = Suite()
BUNDLED = Path(__file__).parents[1] / "stimuli" / "bundled"
SEED = 77  # no other seed of the project: these images were never used to choose anything
N_CHANCE = 1600


def render():
    """The renderer's modules; they need Numba."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise NotMeasured("Numba is not installed") from error
    from rapidvision.stimuli.render.bundle import folder, image
    from rapidvision.stimuli.render.decodability import classifiers as chance
    from rapidvision.stimuli.render.observers import players

    return chance, folder, image, players


def core_seconds(size, n, *, maps=False):
    """Processor seconds per image; the first, which may compile, does not count."""
    _, folder, image, players = render()
    jobs = list(itertools.islice(itertools.product(range(n), folder.CATEGORIES), n))
    image.draw("cat", seed=SEED, size=size)
    start = time.process_time()
    for number, category in jobs:
        one = image.draw(category, seed=SEED, number=number, size=size)
        if maps:
            players.clickme_map(one.parts, one.objects, category, seed=SEED, number=number)
    return (time.process_time() - start) / len(jobs)


@suite.figure("256 px, final quality, per image and core", unit="s", bar=at_most(1))
def one_image():
    return core_seconds(256, 24)


@suite.figure("64 px with ClickMe-like map, per second and core", unit="images", bar=at_least(20))
def small():
    return 1 / core_seconds(64, 80, maps=True)


@suite.figure("96 px with ClickMe-like map, per second and core", unit="images", bar=at_least(10))
def medium():
    return 1 / core_seconds(96, 80, maps=True)


@suite.figure("files that differ between 1 and 2 workers", unit="files", bar=at_most(0))
def workers():
    _, folder, _, _ = render()
    with tempfile.TemporaryDirectory() as scratch:
        found = []
        for n in (1, 2):
            out = Path(scratch) / str(n)
            folder.render(out, folder.plan([1] * 8), seed=SEED, size=64, workers=n)
            found.append({p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()})
        return sum(found[0].get(name) != found[1].get(name) for name in found[0].keys() | found[1].keys())


PROBE = """
import hashlib
from rapidvision.stimuli.render.bundle.folder import CATEGORIES
from rapidvision.stimuli.render.observers.gaze import salicon_map
from rapidvision.stimuli.render.bundle.drawn_image import draw
from rapidvision.stimuli.render.observers.players import clickme_map
for number in range(3):
    for category in CATEGORIES:
        one = draw(category, seed=77, number=number, size=64)
        clicks = clickme_map(one.parts, one.objects, category, seed=77, number=number)
        looks = salicon_map(one.image, category=category, seed=77, number=number)
        for pixels in (one.image, one.parts, one.objects, clicks, looks):
            print(hashlib.sha256(pixels.tobytes()).hexdigest())
"""


@suite.figure(
    "arrays that a processor without vector instructions makes otherwise, of 120", unit="arrays", bar=at_most(0)
)
def processors():
    """NumPy, OpenBLAS and Numba told that they run on the plainest processor of this kind, against all it can do."""
    render()
    from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched
    from numpy._core._multiarray_umath import __cpu_features__ as present

    plain = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in dispatched if present[name]),
        "OPENBLAS_CORETYPE": "Prescott",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    }
    with tempfile.TemporaryDirectory() as cache:
        found = [
            subprocess.run(
                [sys.executable, "-c", PROBE],
                env=os.environ | more,
                capture_output=True,
                text=True,
                check=True,
                encoding="utf-8",
            ).stdout.split()
            for more in ({}, plain | {"NUMBA_CACHE_DIR": cache})
        ]
    assert len(found[0]) == len(found[1]) == 120
    return sum(a != b for a, b in zip(*found, strict=True))


@suite.figure("shipped images that this machine draws otherwise", unit="images", bar=at_most(0))
def redrawn():
    """Eight of the shipped images, drawn again from the seed that their credit names."""
    import csv

    from PIL import Image

    _, _, image, _ = render()
    with (BUNDLED / "images.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::12]
    wrong = 0
    for row in rows:
        seed = int(row["credit"].split("seed ")[1].split(",")[0])
        number = int(row["image_id"].rsplit("-", 1)[1])
        again = image.draw(row["category"], seed=seed, number=number, size=256).image
        with Image.open(BUNDLED / row["path"]) as shipped:
            wrong += not np.array_equal(again, np.array(shipped))
    return wrong


@suite.figure("package data", unit="MB", bar=at_most(8))
def weight():
    return sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) / 1e6


def one_of_many(job):
    """An image of 64 px; the work of one process."""
    from rapidvision.stimuli.render.bundle.drawn_image import draw

    number, category = job
    return draw(category, seed=SEED, number=number, size=64).image


@cache
def many(n=N_CHANCE):
    """`n` images at 64 px, the categories in turn, and whether each is a target."""
    _, folder, _, _ = render()
    jobs = [(number, category) for number in range(n // 8) for category in folder.CATEGORIES]
    with pool_of(2) as pool:
        images = np.stack(list(pool.map(one_of_many, jobs, chunksize=32)))
    return images, np.array([category in folder.TARGETS for _, category in jobs])


def linear(statistic):
    chance, *_ = render()
    images, target = many()
    return 100 * chance.held_out_accuracy(chance.STATISTICS[statistic](images), target, seed=SEED)


def planes(statistic):
    """What a convolutional classifier sees of a statistic; shape (n, channels, height, width)."""
    chance, *_ = render()
    images, _ = many()
    if statistic == "border pixels":
        rim = images / 255.0 - 0.5
        rim[:, 8:-8, 8:-8] = 0.0
        return rim.transpose(0, 3, 1, 2)
    if statistic == "mean colour":
        return np.broadcast_to(
            chance.mean_colour(images)[:, :, None, None] / 255.0 - 0.5, (len(images), 3, 8, 8)
        ).copy()
    if statistic == "luminance histogram":
        return chance.histogram(images)[:, None, None, :].repeat(8, axis=2) * 10
    grey = images @ chance.LUMINANCE / 255.0
    window = np.hanning(grey.shape[1])
    grey = (grey - grey.mean((1, 2), keepdims=True)) * window[:, None] * window
    amplitude = np.log(np.abs(np.fft.fftshift(np.fft.rfft2(grey), axes=1)) + 0.05)
    return (amplitude - amplitude.mean(0))[:, None]


def network(n_channels, n_classes):
    """Three small convolutions, the usual start."""
    from torch import nn

    def block(a, b):
        return [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(
        *block(n_channels, 16),
        *block(16, 32),
        *block(32, 64),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64, n_classes),
    )


def fitted(net, x, y, *, epochs, change=lambda x: x, smoothing=0.0):
    """Fit a network with Adam and a falling rate; `change` alters each batch."""
    import torch
    from torch.nn import functional as F

    steps = epochs * max(len(x) // 64, 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
    net.train()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(max(len(x) // 64, 1)):
            batch = order[i * 64 : (i + 1) * 64]
            loss = F.cross_entropy(net(change(x[batch])), y[batch], label_smoothing=smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def torch_or_not():
    try:
        import torch
    except ImportError as error:
        raise NotMeasured("PyTorch is not installed") from error
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    return torch


def convolutional(statistic):
    """Held-out accuracy, each half of the images fitted on the other."""
    torch = torch_or_not()
    x = torch.tensor(np.ascontiguousarray(planes(statistic)), dtype=torch.float32)
    y = torch.tensor(many()[1].astype(np.int64))
    half = np.arange(len(x)) // 8 % 2 == 0
    right = 0
    for fit in (half, ~half):
        net = fitted(network(x.shape[1], 2), x[fit], y[fit], epochs=12)
        with torch.no_grad():
            right += int((net(x[~fit]).argmax(1) == y[~fit]).sum())
    return 100 * right / len(x)


for _name in ("border pixels", "mean colour", "amplitude spectrum", "luminance histogram"):
    suite.figure(f"chance test, linear on {_name}", unit="% correct", bar=at_most(55))(lambda name=_name: linear(name))
    suite.figure(f"chance test, convolutional on {_name}", unit="% correct", bar=at_most(55))(
        lambda name=_name: convolutional(name)
    )


@cache
def agreement():
    """Mean Spearman correlation of two players: on the same image, on different images; maps blurred 49 x 49."""
    _, folder, image, players = render()
    weights = np.exp(-(np.arange(-24, 25) ** 2) / (2 * 28.0**2))
    pairs = []
    for number, category in itertools.product(range(20), folder.CATEGORIES):
        one = image.draw(category, seed=SEED, number=number, size=64)
        rng = seeds.stream(SEED, "two players", category, number)
        two = players.play(one.parts, one.objects, category, rng=rng, n_players=2).astype(float)
        for axis in (1, 2):
            two = ndimage.correlate1d(two, weights / weights.sum(), axis, mode="constant")
        pairs.append(two[:, ::4, ::4].reshape(2, -1))
    own = [spearmanr(a, b)[0] for a, b in pairs]
    rng = np.random.default_rng(SEED)
    others = [rng.choice(len(pairs), 2, replace=False) for _ in range(400)]
    null = [spearmanr(pairs[i][0], pairs[j][1])[0] for i, j in others]
    return float(np.mean(own)), float(np.mean(null))


@suite.figure("players of the same image, Spearman (paper .58)", unit="rho", bar=between(0.5, 0.65))
def same():
    return agreement()[0]


@suite.figure("players of different images, Spearman (paper .18)", unit="rho", bar=at_most(0.25))
def different():
    return agreement()[1]
