"""Figures of observing with cards, of packing, and of several processes. They are measured with the suite `models`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import STATED, NotMeasured, at_least, at_most, between
from benchmarks.models_speed import forward, suite
from rapidvision.gala_models.cards.zoo import write_zoo
from rapidvision.gala_models.computing.score_cache import ScoreCache
from rapidvision.gala_models.data.packing import pack_images
from rapidvision.gala_models.observer.networks import find_networks
from rapidvision.gala_models.observer.observe import observe_each
from rapidvision.system import files

#: Stimuli that are shown; RAPIDVISION_N_STIMULI=1840 for a set of OSIE's size.
N_STIMULI = int(os.environ.get("RAPIDVISION_N_STIMULI", "192"))
N_PACKED = int(os.environ.get("RAPIDVISION_N_PACKED", "2000"))


@lru_cache
def three_networks():
    folder = Path(tempfile.mkdtemp())
    try:
        return [network for card in write_zoo(folder) for network in find_networks(str(card))]
    except Exception as error:
        raise NotMeasured('the extra zoo is not installed: pip install "rapidvision[zoo]"') from error


@lru_cache
def observed():
    """Seconds of the forward passes alone, of the first run, and of the second run from the cache."""
    networks, rng = three_networks(), np.random.Generator(np.random.PCG64(0))
    with tempfile.TemporaryDirectory() as where:
        folder, stimuli = Path(where), {}
        for number in range(N_STIMULI):
            path = folder / f"{number:04d}.png"
            Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)).save(path)
            stimuli[path.name] = files.sha256_file(path)
        inputs = [
            network.preprocessing(rng.integers(0, 256, (64, 256, 256, 3), dtype=np.uint8)) for network in networks
        ]
        cache = ScoreCache(folder / "cache")
        found = []
        for _ in range(3):
            start = time.perf_counter()
            for network, x in zip(networks, inputs, strict=True):
                for _ in range(N_STIMULI // 64):
                    forward(network.model, x)
            alone = time.perf_counter() - start
            start = time.perf_counter()
            observe_each(networks, folder, stimuli, batch_size=64)
            found.append((alone, time.perf_counter() - start))
        start = time.perf_counter()
        observe_each(networks, folder, stimuli, batch_size=64, cache=cache)
        first = time.perf_counter() - start
        start = time.perf_counter()
        observe_each(networks, folder, stimuli, batch_size=64, cache=cache)
        return max(alone / whole for alone, whole in found), (time.perf_counter() - start) / first


@suite.figure(f"three EfficientNet-Lites, {N_STIMULI} stimuli: rate / forward alone", unit="of 1", bar=at_least(0.9))
def observe_three():
    return observed()[0]


@suite.figure(f"three EfficientNet-Lites, {N_STIMULI} stimuli: second run / first", unit="of 1", bar=at_most(0.05))
def observe_cached():
    return observed()[1]


@lru_cache
def class_folders():
    folder, rng = Path(tempfile.mkdtemp()) / "images", np.random.Generator(np.random.PCG64(1))
    for number in range(N_PACKED):
        path = folder / f"c{number % 10}" / f"{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        small.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)
    return folder


KILLED = """
import os, signal, sys
from rapidvision.gala_models.data import filling
from rapidvision.gala_models.data.packing import pack_images
take, n = filling.Packed.take, [0]
def counted(self, ready):
    n[0] += 1
    if n[0] == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    take(self, ready)
filling.Packed.take = counted
if __name__ == "__main__":
    pack_images({source!r}, {out!r}, side_px=256, n_workers=2)
"""


@suite.figure(
    f"pack {N_PACKED} images, killed twice and resumed, 2 workers: files that differ", unit="", bar=between(0, 0)
)
def pack_killed():
    source = class_folders()
    with tempfile.TemporaryDirectory() as where:
        script = Path(where) / "killed.py"
        script.write_text(
            KILLED.format(after=N_PACKED // 3, source=str(source), out=f"{where}/parts"), encoding="utf-8"
        )
        codes = [subprocess.run([sys.executable, str(script)], check=False).returncode for _ in range(2)]
        assert codes == [-signal.SIGKILL] * 2, codes
        pack_images(source, f"{where}/parts", side_px=256, n_workers=2)
        pack_images(source, f"{where}/whole", side_px=256)
        names = ("images.npy", "maps.npy", "labels.npy", "has_map.npy", "ids.json")
        return sum(
            (Path(where) / "parts" / name).read_bytes() != (Path(where) / "whole" / name).read_bytes() for name in names
        )


@suite.figure(f"pack {N_PACKED} images: two workers / one", unit="x faster", bar=at_least(1.7))
def pack_two():
    source, found = class_folders(), {}
    with tempfile.TemporaryDirectory() as where:
        for repeat in range(2):
            for n_workers in (1, 2):
                start = time.perf_counter()
                pack_images(source, f"{where}/{repeat}-{n_workers}", side_px=256, n_workers=n_workers)
                found[n_workers] = min(found.get(n_workers, 1e9), time.perf_counter() - start)
    return found[1] / found[2]


@suite.figure("bf16 on this CPU, EfficientNet-Lite0: time / float32", unit="x the time", bar=STATED)
def half_precision():
    from rapidvision.gala_models.computing.device import Device

    network = three_networks()[0]
    x = torch.zeros(16, 3, 224, 224)

    def seconds_in(precision):
        with Device.named("cpu", precision=precision).computing():
            start = time.perf_counter()
            forward(network.model, x)
            return time.perf_counter() - start

    pairs = [(seconds_in("bf16"), seconds_in("float32")) for _ in range(4)]
    return min(half for half, _ in pairs) / min(full for _, full in pairs)
