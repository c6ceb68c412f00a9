"""Figures of the networks' room. Ratios are taken in one process, in alternation, against the named peer."""

import os
import tempfile
import time
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.harness import STATED, NotMeasured, Room, at_least, at_most, between, seconds, times
from rapidvision import tfrecord
from rapidvision.gala_models.explain import smoothgrad
from rapidvision.gala_models.fold import fold
from rapidvision.gala_models.gala import GALA
from rapidvision.gala_models.loss import MapLoss, loss
from rapidvision.gala_models.maps import attention_maps
from rapidvision.gala_models.networks import bundled_paths
from rapidvision.gala_models.pixels import Preprocessing
from rapidvision.gala_models.recipe import Schedule, Training
from rapidvision.gala_models.resnet import Architecture, build, n_parameters
from rapidvision.gala_models.store import Example, pack
from rapidvision.gala_models.train import Trainer
from rapidvision.gala_models.weights import read_card

room = Room()
torch.set_num_threads(2)
_BATCH = 8


class Tiled(nn.Module):
    """The paper's text taken literally: G and S are tiled to H x W x C before they are combined."""

    def __init__(self, gala):
        super().__init__()
        self.gala = gala

    def forward(self, u):
        return self.scale(u, *self.gala.pathways(u))

    def scale(self, u, g, s):
        G, S = g.expand_as(u).contiguous(), s.expand_as(u).contiguous()
        A = torch.tanh(self.gala.alpha * (G + S) + self.gala.m * (G * S))
        if self.gala.capture:
            self.gala.captured = torch.linalg.vector_norm(A, dim=1, keepdim=True)
        return u * A


@lru_cache
def module_pair():
    torch.manual_seed(0)
    ours = GALA(1024).to(memory_format=torch.channels_last)
    u = torch.randn(_BATCH, 1024, 14, 14).contiguous(memory_format=torch.channels_last)
    return ours, Tiled(ours), u


def forward(module, x):
    with torch.inference_mode():
        module(x)


def both_ways(module, x):
    module.zero_grad(set_to_none=True)
    module(x.detach().requires_grad_()).sum().backward()


@room.figure("GALA module, forward, against the text taken literally", unit="x faster", bar=at_least(5))
def module_forward():
    ours, tiled, u = module_pair()
    return times(lambda: forward(ours, u), lambda: forward(tiled, u), repeats=21, warmup=3)


@room.figure("the same, both handing out the map of Eq. 1", unit="x faster", bar=STATED)
def module_forward_with_map():
    ours, tiled, u = module_pair()
    with attention_maps(ours):
        return times(lambda: forward(ours, u), lambda: forward(tiled, u), repeats=21, warmup=3)


@room.figure("the same, from g and s on (no convolutions)", unit="x faster", bar=STATED)
def module_integration():
    ours, tiled, u = module_pair()
    with torch.inference_mode():
        g, s = ours.pathways(u)
        return times(lambda: ours.scale(u, g, s), lambda: tiled.scale(u, g, s), repeats=41, warmup=3)


@room.figure("V_shrink's share of the module's forward", unit="of 1", bar=STATED)
def module_floor():
    ours, _, u = module_pair()
    return 1 / times(lambda: forward(ours.local_shrink, u), lambda: forward(ours, u), repeats=21, warmup=3)


@room.figure("GALA module, forward + backward, against the text", unit="x faster", bar=at_least(1.8))
def module_both_ways():
    ours, tiled, u = module_pair()
    return times(lambda: both_ways(ours, u), lambda: both_ways(tiled, u), repeats=15, warmup=2)


def saved_bytes(module, x):
    found = {}

    def keep(tensor):
        found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        module(x)
    return sum(size for place, size in found.items() if place not in own)


@room.figure("extra memory saved for backward, share of the text's", unit="of 1", bar=at_most(0.25))
def module_memory():
    x = torch.randn(1, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    plain, gala, literal = build("resnet50"), build("gala-resnet50"), build("gala-resnet50")
    for block in literal.layer3:
        block.gala = Tiled(block.gala)
    base = saved_bytes(plain, x)
    return (saved_bytes(gala, x) - base) / (saved_bytes(literal, x) - base)


@lru_cache
def network(name):
    return build(name).eval()


@lru_cache
def pictures():
    return torch.randn(_BATCH, 3, 224, 224).contiguous(memory_format=torch.channels_last)


def inference(first, second):
    x = pictures()
    return 1 / times(lambda: forward(first, x), lambda: forward(second, x), repeats=11, warmup=2)


@room.figure("GALA-ResNet-50 / ResNet-50, inference", unit="x the time", bar=at_most(1.10))
def gala_inference():
    return inference(network("gala-resnet50"), network("resnet50"))


@room.figure("GALA-ResNet-50 folded / ResNet-50 unfolded, inference", unit="x the time", bar=at_most(0.88))
def folded_against_plain():
    return inference(fold(network("gala-resnet50")), network("resnet50"))


@room.figure("GALA-ResNet-50 folded / unfolded, inference", unit="x the time", bar=at_most(0.88))
def folded_against_itself():
    return inference(fold(network("gala-resnet50")), network("gala-resnet50"))


@room.figure("folding, largest relative difference in float64", unit="", bar=at_most(1e-10))
def folding_difference():
    model = build("gala-resnet50").eval().double()
    x = torch.randn(2, 3, 224, 224, dtype=torch.double)
    with torch.inference_mode():
        expected = model(x)
        return float((fold(model)(x) - expected).abs().max() / expected.abs().max())


def trainer(name, *, lam):
    model = build(name).train()
    optimizer = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, nesterov=True)
    labels, importance = torch.arange(_BATCH), torch.rand(_BATCH, 1, 224, 224)
    has_map = torch.ones(_BATCH, dtype=torch.bool)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with attention_maps(model) if lam else nullcontext() as maps:
            scores = model(pictures())
            loss(MapLoss(lam=lam), scores, labels, maps, importance, has_map).total.backward()
        optimizer.step()

    return step


@room.figure("GALA-ResNet-50 / ResNet-50, training step", unit="x the time", bar=at_most(1.18))
def training_step():
    return 1 / times(trainer("gala-resnet50", lam=0.0), trainer("resnet50", lam=0.0), repeats=7)


@room.figure("training step with the map loss / without", unit="x the time", bar=at_most(1.03))
def map_loss():
    return 1 / times(trainer("gala-resnet50", lam=6.0), trainer("gala-resnet50", lam=0.0), repeats=7)


def on_a_gpu(train):
    if not torch.cuda.is_available():
        raise NotMeasured("no GPU here; see the arithmetic below")
    x = torch.randn(64, 3, 224, 224, device="cuda").contiguous(memory_format=torch.channels_last)
    models = [build(name).cuda().train(train) for name in ("gala-resnet50", "resnet50")]

    def work(model):
        def run():
            with torch.autocast("cuda", torch.bfloat16), nullcontext() if train else torch.inference_mode():
                out = model(x)
            if train:
                out.float().sum().backward()
            torch.cuda.synchronize()

        return run

    return 1 / times(work(models[0]), work(models[1]), repeats=21, warmup=5)


@room.figure("on a GPU, bf16: training step / plain ResNet-50", unit="x the time", bar=at_most(1.20))
def gpu_training():
    return on_a_gpu(train=True)


@room.figure("on a GPU, bf16: inference / plain ResNet-50", unit="x the time", bar=at_most(1.10))
def gpu_inference():
    return on_a_gpu(train=False)


def traffic():
    """Bytes per picture in bf16 that a memory-bound GPU moves: ResNet-50 and what GALA adds (training, inference)."""
    layers, n_in, side = [(3, 64, 224, 112)], 64, 56
    for width, n_blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(n_blocks):
            after = side // (stride if block == 0 else 1)
            layers += [(n_in, width, side, side), (width, width, side, after), (width, 4 * width, after, after)]
            if block == 0:
                layers.append((n_in, 4 * width, side, after))
            n_in, side = 4 * width, after
    reads = sum(before * side * side for before, _, side, _ in layers)
    writes = sum(after * side * side for _, after, _, side in layers)
    shortcuts = 3 * 256 * 56**2 + 4 * 512 * 28**2 + 6 * 1024 * 14**2 + 3 * 2048 * 7**2
    train = (reads + writes + 3 * writes + shortcuts) + (2 * (reads + writes) + 5 * writes + 3 * shortcuts)
    infer = reads + writes + shortcuts
    u = 6 * 1024 * 14**2
    gala_train = (2 + 0.25 + 0.5 + 0.25 + 2) * u + (3 + 1.25 + 1.25 + 0.75 + 6) * u
    return {"train": 2 * train, "infer": 2 * infer, "gala_train": 2 * gala_train, "gala_folded": 2 * 0.75 * u}


@room.figure("arithmetic, not measured: GALA's extra bytes, training, bf16", unit="of ResNet-50", bar=STATED)
def roofline_training():
    found = traffic()
    return found["gala_train"] / found["train"]


@room.figure("arithmetic, not measured: GALA's extra bytes, folded, bf16", unit="of ResNet-50", bar=STATED)
def roofline_inference():
    found = traffic()
    return found["gala_folded"] / found["infer"]


@room.figure("arithmetic, not measured: ResNet-50 training at 3.35 TB/s", unit="pictures/s", bar=STATED)
def roofline_rate():
    return 3.35e12 / traffic()["train"]


@room.figure("parameters of one GALA module, C = 1024", unit="", bar=between(790_273, 790_273))
def parameters_module():
    return n_parameters(GALA(1024))


@room.figure("parameters of GALA-ResNet-50", unit="", bar=between(30_298_670, 30_298_670))
def parameters_gala():
    return n_parameters(network("gala-resnet50"))


@room.figure("parameters of ResNet-50", unit="", bar=between(25_557_032, 25_557_032))
def parameters_resnet():
    return n_parameters(network("resnet50"))


@room.figure("parameters of SE-ResNet-50", unit="", bar=between(28_088_024, 28_088_024))
def parameters_se():
    return n_parameters(network("se-resnet50"))


def noise_examples(n, side_px):
    rng = np.random.Generator(np.random.PCG64(0))
    for number in range(n):
        importance = rng.random((side_px, side_px), np.float32)
        yield Example(str(number), rng.integers(0, 256, (side_px, side_px, 3), dtype=np.uint8), number % 4, importance)


@room.figure("resume in mid-epoch, largest difference", unit="", bar=at_most(0))
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
    from rapidvision.gala_models.weights import load_model

    found = [path for path in bundled_paths() if "gala-maps" in path.name]
    if not found:
        raise NotMeasured("no bundled networks")
    return load_model(found[0])[0]


@lru_cache
def small_pictures():
    return torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3])


def smooth_difference(dtype):
    import copy

    model, (x, target) = copy.deepcopy(bundled_gala()).to(dtype), small_pictures()
    first, second = (smoothgrad(model, x.to(dtype), target, n_samples=25, batch_size=size) for size in (1, 64))
    return float((first - second).abs().max() / first.abs().max())


@room.figure("SmoothGrad, batch 1 against 64, relative, float32", unit="", bar=at_most(1e-5))
def smoothgrad_difference():
    return smooth_difference(torch.float32)


@room.figure("SmoothGrad, batch 1 against 64, relative, float64", unit="", bar=at_most(1e-5))
def smoothgrad_difference_double():
    return smooth_difference(torch.float64)


@room.figure("SmoothGrad against captum's", unit="x faster", bar=at_least(0.9))
def smoothgrad_speed():
    try:
        from captum.attr import NoiseTunnel, Saliency
    except ImportError as error:
        raise NotMeasured("captum is not installed") from error
    model, (x, target) = bundled_gala(), small_pictures()
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
    picture, heat = np.zeros((256, 256, 3), "<f4").tobytes(), np.ones((256, 256), "<f4").tobytes()
    payload = tfrecord.encode({"image": [picture], "heatmap": [heat], "label": [3], "click_count": [5]})
    tfrecord.write(path, [payload] * 200)
    return path


def records_per_s(verify):
    path = records_file()

    def work():
        for record in tfrecord.records(path, verify=verify):
            tfrecord.example(record.payload)

    work()
    return 200 / min(seconds(work) for _ in range(5))


@room.figure("TFRecord reader at 1 MB a record, parsed", unit="records/s", bar=at_least(5000))
def tfrecords():
    return records_per_s(verify=False)


@room.figure("TFRecord reader with checksums of the content", unit="records/s", bar=STATED)
def tfrecords_verified():
    return records_per_s(verify=True)


@room.figure("observe: rate of the whole against the forward pass alone", unit="of 1", bar=at_least(0.9))
def observe_rate():
    from PIL import Image

    from rapidvision import files
    from rapidvision.gala_models.observe import Network, look
    from rapidvision.gala_models.readout import imagenet_animal

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

        return times(lambda: look([net], Path(folder), stimuli, batch_size=32), raw, repeats=5)


def trained(name, seed):
    """Test results of a network that `rapidvision models train-demo --controls --seeds 0 1` made."""
    folder = os.environ.get("RAPIDVISION_TRAIN_DEMO")
    if not folder:
        raise NotMeasured("set RAPIDVISION_TRAIN_DEMO to the folder of `models train-demo --controls --seeds 0 1`")
    path = Path(folder) / "networks" / f"{name}{'' if seed == 0 else f'-seed{seed}'}.safetensors"
    if not path.is_file():
        raise NotMeasured(f"{path.name} was not trained")
    return read_card(path).results["test"]


def gain(key, name, seed):
    sign = -1 if key == "top1_error" else 1
    return sign * (trained(name, seed)[key] - trained("compact-gala", seed)[key])


for _seed in (0, 1):

    @room.figure(f"bundled training, seed {_seed}: gain of maps in accuracy", unit="points", bar=at_least(8))
    def gain_accuracy(seed=_seed):
        return gain("top1_error", "compact-gala-maps", seed)

    @room.figure(f"bundled training, seed {_seed}: gain of maps in correlation", unit="rho", bar=at_least(0.2))
    def gain_rho(seed=_seed):
        return gain("rho", "compact-gala-maps", seed)

    @room.figure(
        f"bundled training, seed {_seed}: shuffled maps' share, accuracy", unit="of the gain", bar=at_most(0.5)
    )
    def shuffled_share(seed=_seed):
        return gain("top1_error", "compact-gala-shuffled", seed) / gain("top1_error", "compact-gala-maps", seed)

    @room.figure(
        f"bundled training, seed {_seed}: shuffled maps' share, correlation", unit="of the gain", bar=at_most(0.5)
    )
    def shuffled_share_rho(seed=_seed):
        return gain("rho", "compact-gala-shuffled", seed) / gain("rho", "compact-gala-maps", seed)


@room.figure("bundled networks, observe a study of 2 x 60 plans", unit="s", bar=STATED)
def observe_bundled():
    folder = os.environ.get("RAPIDVISION_STUDY")
    if not folder:
        raise NotMeasured("set RAPIDVISION_STUDY to a study folder, for example demo/study")
    from rapidvision.gala_models.networks import find
    from rapidvision.gala_models.sitting import sit
    from rapidvision.study import Study

    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        sit(Study(folder), find("bundled"), out=Path(out) / "m.csv", quiet=True)
        return time.perf_counter() - start
