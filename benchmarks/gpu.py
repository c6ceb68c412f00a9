"""What matters on a computer with CUDA, in less than five minutes: `make bench NAME=gpu`; elsewhere it prints "no GPU here"."""

import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import torch

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most, times
from rapidvision.gala_models.computing.device import Device
from rapidvision.gala_models.data.dataset import pack
from rapidvision.gala_models.data.example import Example
from rapidvision.gala_models.evaluation.evaluate import evaluate
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.fold import fold
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.processes import World
from rapidvision.gala_models.training.recipe import Schedule, Training
from rapidvision.gala_models.training.train import Trainer

suite = Suite()
BATCH = 128


def gpu(precision="bf16"):
    """The first GPU; without one the figure is not measured."""
    if not torch.cuda.is_available():
        raise NotMeasured("no GPU here")
    return Device.named("cuda:0", precision=precision)


@lru_cache
def images():
    (x,) = gpu().move(torch.randn(BATCH, 3, 224, 224))
    return x.contiguous(memory_format=torch.channels_last)


@lru_cache
def network(name, train):
    return gpu().place(build(name)).train(train)


def step(name, *, train, supervised=False):
    from contextlib import nullcontext

    from rapidvision.gala_models.layers.attention import attention_maps
    from rapidvision.gala_models.training.loss import MapLoss, loss

    model, x, device = network(name, train), images(), gpu()
    labels, importance, flags = device.move(
        torch.zeros(BATCH, dtype=torch.int64), torch.rand(BATCH, 1, 224, 224), torch.ones(BATCH, dtype=torch.bool)
    )

    def run():
        with attention_maps(model) if supervised else nullcontext() as maps:
            with device.computing(), nullcontext() if train else torch.inference_mode():
                scores = model(x)
            if train:
                model.zero_grad(set_to_none=True)
                loss(MapLoss(lam=6.0 if supervised else 0.0), scores, labels, maps, importance, flags).total.backward()
        torch.cuda.synchronize()

    return run


def rate(name, *, train):
    work = step(name, train=train)
    for _ in range(3):
        work()
    start = time.perf_counter()
    for _ in range(10):
        work()
    return 10 * BATCH / (time.perf_counter() - start)


for _name in ("resnet50", "gala-resnet50"):
    for _train in (True, False):

        @suite.figure(
            f"{_name}, {'training' if _train else 'inference'}, bf16, batch {BATCH}", unit="images/s", bar=STATED
        )
        def _(name=_name, train=_train):
            gpu()
            return rate(name, train=train)


@suite.figure("GALA-ResNet-50 / ResNet-50, training step, bf16", unit="x the time", bar=at_most(1.20))
def training_ratio():
    gpu()
    return 1 / times(step("gala-resnet50", train=True), step("resnet50", train=True), repeats=11, warmup=3)


@suite.figure("GALA-ResNet-50 / ResNet-50, inference, bf16", unit="x the time", bar=at_most(1.20))
def inference_ratio():
    gpu()
    return 1 / times(step("gala-resnet50", train=False), step("resnet50", train=False), repeats=11, warmup=3)


@suite.figure("training step with the map loss / without, bf16", unit="x the time", bar=STATED)
def map_ratio():
    gpu()
    with_maps = step("gala-resnet50", train=True, supervised=True)
    return 1 / times(with_maps, step("gala-resnet50", train=True), repeats=11, warmup=3)


@suite.figure("folded GALA-ResNet-50 / unfolded, inference, float32", unit="x the time", bar=STATED)
def folded_ratio():
    device = gpu("float32")
    plain = build("gala-resnet50").eval()
    models = [device.place(fold(plain)), device.place(plain)]
    x = images()

    def work(model):
        def run():
            with torch.inference_mode():
                model(x)
            torch.cuda.synchronize()

        return run

    return 1 / times(work(models[0]), work(models[1]), repeats=9, warmup=2)


@suite.figure("memory of a training step, GALA-ResNet-50 / ResNet-50, bf16", unit="of 1", bar=STATED)
def memory_ratio():
    gpu()
    peaks = []
    for name in ("gala-resnet50", "resnet50"):
        work = step(name, train=True)
        work()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        work()
        peaks.append(torch.cuda.max_memory_allocated())
    return peaks[0] / peaks[1]


@lru_cache
def store():
    rng = np.random.Generator(np.random.PCG64(0))
    examples = [
        Example(str(n), rng.integers(0, 256, (72, 72, 3), dtype=np.uint8), n % 4, rng.random((72, 72), np.float32))
        for n in range(256)
    ]
    return pack(examples, Path(tempfile.mkdtemp()) / "store", n=256, side_px=72)


def recipe(**changes):
    found = Training(
        name="gpu",
        model=Architecture(family="compact", attention="gala", n_classes=4),
        preprocessing=Preprocessing(size_px=64),
        schedule=Schedule(learning_rate=0.01, epochs=2, milestones=()),
        batch_size=32,
    )
    return msgspec.structs.replace(found, **changes)


@suite.figure(
    "training to the end on the GPU: scores of validation / the CPU's, largest difference", unit="points", bar=STATED
)
def trains():
    gpu()
    errors = []
    for name in ("cuda:0", "cpu"):
        with tempfile.TemporaryDirectory() as folder:
            world = World(device=Device.named(name))
            trainer = Trainer(recipe(), Path(folder), train=store(), validation=store(), world=world)
            trainer.run()
            errors.append(trainer.progress.history[-1]["validation"]["top1_error"])
    return abs(errors[0] - errors[1])


@suite.figure("resume in mid-epoch on the GPU, largest difference", unit="", bar=at_most(1e-4))
def resumes():
    world = World(device=gpu("float32"))
    with tempfile.TemporaryDirectory() as folder:
        whole = Trainer(recipe(), Path(folder) / "whole", train=store(), validation=store(), world=world)
        whole.run(max_steps=10)
        Trainer(recipe(), Path(folder) / "parts", train=store(), validation=store(), world=world).run(max_steps=5)
        parts = Trainer(recipe(), Path(folder) / "parts", train=store(), validation=store(), world=world)
        parts.run(max_steps=5)
        pairs = zip(whole.model.state_dict().values(), parts.model.state_dict().values(), strict=True)
        return max(float((a - b).abs().max()) for a, b in pairs)


@suite.figure("fp16: steps left out by overflow, of 16", unit="steps", bar=STATED)
def overflows():
    world = World(device=gpu("fp16"))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(recipe(precision="fp16"), Path(folder), train=store(), validation=store(), world=world)
        trainer.run()
        return trainer.optimization.n_overflows


@suite.figure(
    "evaluation on the GPU against the CPU, largest difference in rho, float32", unit="rho", bar=at_most(1e-2)
)
def evaluates():
    device = gpu("float32")
    model, shown = build("compact-gala"), Preprocessing(size_px=64, resize_px=72)
    here = evaluate(model, store(), shown)
    there = evaluate(device.place(model), store(), shown)
    return float(np.nanmax(np.abs(here.rho - there.rho)))


DDP = """
import sys
from pathlib import Path
from rapidvision.gala_models.data.dataset import open_store
from rapidvision.gala_models.training.processes import world
from rapidvision.gala_models.training.recipe import read_recipe
from rapidvision.gala_models.training.run import run_recipe
with world() as here:
    run_recipe(read_recipe(sys.argv[1]), Path(sys.argv[2]), base=Path(sys.argv[3]), world=here, quiet=True)
"""


@suite.figure("DDP over the GPUs at hand (nccl): a run to its end", unit="GPUs", bar=at_least(2))
def ddp():
    gpu()
    n = torch.cuda.device_count()
    if n < 2:
        raise NotMeasured("one GPU here")
    n = 2 ** (n.bit_length() - 1)
    from rapidvision import recipes

    folder = Path(tempfile.mkdtemp())
    pack_folder = store().images.filename and Path(store().images.filename).parent
    Path(folder / "store").symlink_to(pack_folder)
    recipes.write(folder / "recipe.toml", recipe(train="store", validation="store"))
    (folder / "go.py").write_text(DDP, encoding="utf-8")
    words = [
        "--nproc-per-node",
        str(n),
        str(folder / "go.py"),
        str(folder / "recipe.toml"),
        str(folder / "run"),
        str(folder),
    ]
    subprocess.run([sys.executable, "-m", "torch.distributed.run", *words], check=True, timeout=120)
    return n
