"""Figures of networks: repeatability, reading, observing, and what training the bundled networks shows."""

import json
import os
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

import benchmarks.models_observe  # noqa: F401 (adds its figures)
from benchmarks import models_attach, models_attribution
from benchmarks.harness import STATED, NotMeasured, at_least, at_most, seconds, times
from benchmarks.models_speed import forward, network, suite
from benchmarks.train_demo import STORED
from rapidvision.formats import tfrecord
from rapidvision.gala_models.attribution.smoothgrad import smoothgrad
from rapidvision.gala_models.data.dataset import pack
from rapidvision.gala_models.data.example import Example
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.fold import fold
from rapidvision.gala_models.observer.networks import bundled_paths
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.recipe import Schedule, Training
from rapidvision.gala_models.training.train import Trainer


def noise_examples(n, side_px):
    rng = np.random.Generator(np.random.PCG64(0))
    for number in range(n):
        importance = rng.random((side_px, side_px), np.float32)
        yield Example(str(number), rng.integers(0, 256, (side_px, side_px, 3), dtype=np.uint8), number % 4, importance)


@suite.figure("resume in mid-epoch, largest difference", unit="", bar=at_most(0))
def resume():
    architecture = Architecture(family="compact", attention="gala", n_classes=4)
    recipe = Training(
        model=architecture,
        preprocessing=Preprocessing(size_px=64),
        schedule=Schedule(epochs=2, milestones=()),
        batch_size=16,
    )
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        store = pack(noise_examples(128, 72), base / "store", n=128, side_px=72)
        whole = Trainer(recipe, base / "whole", train=store, validation=store)
        whole.run(max_steps=12)
        Trainer(recipe, base / "parts", train=store, validation=store).run(max_steps=5)
        parts = Trainer(recipe, base / "parts", train=store, validation=store)
        parts.run(max_steps=7)
        pairs = zip(whole.model.state_dict().values(), parts.model.state_dict().values(), strict=True)
        return max(float((a - b).abs().max()) for a, b in pairs)


@lru_cache
def bundled_gala():
    from rapidvision.gala_models.weights.load import load_model

    found = [path for path in bundled_paths() if "gala-maps" in path.name]
    if not found:
        raise NotMeasured("no bundled networks")
    return load_model(found[0])[0]


@lru_cache
def small_images():
    return torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3])


def smooth_difference(dtype):
    import copy

    model, (x, target) = copy.deepcopy(bundled_gala()).to(dtype), small_images()
    first, second = (smoothgrad(model, x.to(dtype), target, n_samples=25, batch_size=size) for size in (1, 64))
    return float((first - second).abs().max() / first.abs().max())


@suite.figure("SmoothGrad, batch 1 against 64, relative, float32", unit="", bar=at_most(1e-5))
def smoothgrad_difference():
    return smooth_difference(torch.float32)


@suite.figure("SmoothGrad, batch 1 against 64, relative, float64", unit="", bar=at_most(1e-5))
def smoothgrad_difference_double():
    return smooth_difference(torch.float64)


@suite.figure("SmoothGrad against captum's", unit="x faster", bar=at_least(0.9))
def smoothgrad_speed():
    try:
        from captum.attr import NoiseTunnel, Saliency
    except ImportError as error:
        raise NotMeasured("captum is not installed") from error
    model, (x, target) = bundled_gala(), small_images()
    tunnel = NoiseTunnel(Saliency(model))

    def theirs():
        tunnel.attribute(
            x, nt_type="smoothgrad", nt_samples=25, nt_samples_batch_size=16, stdevs=0.5, target=target, abs=False
        )

    return times(lambda: smoothgrad(model, x, target, n_samples=25, batch_size=64), theirs, repeats=9, warmup=2)


@lru_cache
def records_file():
    folder = tempfile.mkdtemp()
    path = Path(folder) / "a.tfrecords"
    image, heat = np.zeros((256, 256, 3), "<f4").tobytes(), np.ones((256, 256), "<f4").tobytes()
    payload = tfrecord.encode({"image": [image], "heatmap": [heat], "label": [3], "click_count": [5]})
    tfrecord.write(path, [payload] * 200)
    return path


def records_per_s(verify):
    path = records_file()

    def work():
        for record in tfrecord.records(path, verify=verify):
            tfrecord.example(record.payload)

    work()
    return 200 / min(seconds(work) for _ in range(5))


@suite.figure("TFRecord reader at 1 MB a record, parsed", unit="records/s", bar=at_least(5000))
def tfrecords():
    return records_per_s(verify=False)


@suite.figure("TFRecord reader with checksums of the content", unit="records/s", bar=STATED)
def tfrecords_verified():
    return records_per_s(verify=True)


@suite.figure("observe: rate of the whole against the forward pass alone", unit="of 1", bar=at_least(0.9))
def observe_rate():
    from PIL import Image

    from rapidvision.gala_models.observer.observe import Network, observe_stimuli
    from rapidvision.gala_models.observer.readout import imagenet_animal
    from rapidvision.system import files

    n, preprocessing = 64, Preprocessing(size_px=224)
    net = Network("gala-resnet50", fold(network("gala-resnet50")), imagenet_animal(), preprocessing)
    rng = np.random.Generator(np.random.PCG64(0))
    with tempfile.TemporaryDirectory() as folder:
        stimuli = {}
        for number in range(n):
            path = Path(folder) / f"{number:03d}.png"
            Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)).save(path)
            stimuli[path.name] = files.sha256_file(path)
        x = preprocessing(rng.integers(0, 256, (32, 256, 256, 3), dtype=np.uint8))

        def raw():
            for _ in range(n // 32):
                forward(net.model, x)

        return times(lambda: observe_stimuli([net], Path(folder), stimuli, batch_size=32), raw, repeats=5)


def trained(name, seed):
    """Results of a network of the stored run; see `benchmarks/train_demo.py`."""
    if not STORED.is_file():
        raise NotMeasured("no stored run; python -m benchmarks.train_demo makes one")
    found = json.loads(STORED.read_text(encoding="utf-8"))["networks"].get(
        f"{name}{'' if seed == 0 else f'-seed{seed}'}"
    )
    if found is None:
        raise NotMeasured(f"{name} was not trained from seed {seed} in the stored run")
    return found


def gain(key, name, seed, where):
    sign = -1 if key == "top1_error" else 1
    return sign * (trained(name, seed)[where][key] - trained("few-gala", seed)[where][key])


def share(key, seed, where):
    """How much of the gain other images' maps give too; negative where they take something away."""
    whole = gain(key, "few-gala-maps", seed, where)
    return gain(key, "few-gala-shuffled", seed, where) / whole if whole > 0 else float("inf")


def figures_of_training(seed, where, what, bars):
    made = (
        f"stored run of {json.loads(STORED.read_text(encoding='utf-8'))['date']}"
        if STORED.is_file()
        else "no stored run"
    )
    accuracy, rho, half = bars

    @suite.figure(f"{made}, seed {seed}, {what}: accuracy by maps", unit="points", bar=accuracy)
    def _():
        return gain("top1_error", "few-gala-maps", seed, where)

    @suite.figure(f"{made}, seed {seed}, {what}: correlation by maps", unit="rho", bar=rho)
    def _():
        return gain("rho", "few-gala-maps", seed, where)

    @suite.figure(f"{made}, seed {seed}, {what}: shuffled, accuracy", unit="of the gain", bar=half)
    def _():
        return share("top1_error", seed, where)

    @suite.figure(f"{made}, seed {seed}, {what}: shuffled, correlation", unit="of the gain", bar=half)
    def _():
        return share("rho", seed, where)


for _seed in (0, 1):
    figures_of_training(_seed, "test_cluttered", "cluttered", (at_least(8), at_least(0.2), at_most(0.5)))
    figures_of_training(_seed, "test", "intact", (STATED, STATED, STATED))


@suite.figure("bundled networks, observe a study of 2 x 60 plans", unit="s", bar=STATED)
def observe_bundled():
    folder = os.environ.get("RAPIDVISION_STUDY")
    if not folder:
        raise NotMeasured("set RAPIDVISION_STUDY to a study folder, for example demo/study")
    from rapidvision.gala_models.observer.networks import find_networks
    from rapidvision.gala_models.observer.study_run import run_study
    from rapidvision.study import Study

    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        run_study(Study(folder), find_networks("bundled"), out=Path(out) / "m.csv", quiet=True)
        return time.perf_counter() - start


suite += [*models_attach.suite, *models_attribution.suite]
