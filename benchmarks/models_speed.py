"""Speed and size of GALA and its networks. Ratios are taken in one process, in alternation, against the named peer."""

from contextlib import nullcontext
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most, between, seconds, times
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.fold import fold
from rapidvision.gala_models.layers.gala import GALA
from rapidvision.gala_models.layers.resnet import build, n_parameters
from rapidvision.gala_models.training.loss import MapLoss, loss

suite = Suite()
torch.set_num_threads(2)
_BATCH = 8


class Literal(nn.Module):
    """The paper's text as it reads: p, g, S, then g and S tiled to H x W x C before they are combined."""

    def __init__(self, gala):
        super().__init__()
        self.gala = gala

    def forward(self, u):
        gala = self.gala
        p = u.mean((2, 3), keepdim=True)
        g = gala.global_expand(F.relu(gala.global_shrink(p)))
        s = gala.local_collapse(F.relu(gala.local_shrink(u)))
        return self.scale(u, g, s)

    def scale(self, u, g, s):
        _, C, H, W = u.shape
        G, S = g.tile(1, 1, H, W), s.tile(1, C, 1, 1)
        A = torch.tanh(self.gala.alpha * (G + S) + self.gala.m * (G * S))
        if self.gala.capture:
            self.gala.captured = torch.linalg.vector_norm(A, dim=1, keepdim=True)
        return u * A


@lru_cache
def module_pair():
    torch.manual_seed(0)
    ours = GALA(1024).to(memory_format=torch.channels_last)
    u = torch.randn(_BATCH, 1024, 14, 14).contiguous(memory_format=torch.channels_last)
    return ours, Literal(ours), u


def forward(module, x):
    with torch.inference_mode():
        module(x)


def both_ways(module, x):
    module.zero_grad(set_to_none=True)
    module(x.detach().requires_grad_()).sum().backward()


@suite.figure("GALA module, forward, against the text taken literally", unit="x faster", bar=at_least(5))
def module_forward():
    ours, literal, u = module_pair()
    return times(lambda: forward(ours, u), lambda: forward(literal, u), repeats=41, warmup=5)


@suite.figure("… the most there could be: all but V_shrink for nothing", unit="x faster", bar=STATED)
def module_ceiling():
    ours, literal, u = module_pair()
    return times(lambda: forward(ours.local_shrink, u), lambda: forward(literal, u), repeats=41, warmup=5)


@suite.figure("… V_shrink's share of our forward", unit="of 1", bar=STATED)
def module_share():
    ours, _, u = module_pair()
    return 1 / times(lambda: forward(ours.local_shrink, u), lambda: forward(ours, u), repeats=41, warmup=5)


@suite.figure("… V_shrink on two threads", unit="GFLOP/s", bar=STATED)
def module_rate():
    ours, _, u = module_pair()
    best = min(seconds(lambda: forward(ours.local_shrink, u)) for _ in range(41))
    return 2 * 256 * u.numel() / best / 1e9


@suite.figure("… from g and s on (no convolutions)", unit="x faster", bar=STATED)
def module_integration():
    ours, literal, u = module_pair()
    with torch.inference_mode():
        g, s = ours.pathways(u)
        return times(lambda: ours.scale(u, g, s), lambda: literal.scale(u, g, s), repeats=41, warmup=5)


@suite.figure("… both handing out the map of Eq. 1", unit="x faster", bar=STATED)
def module_forward_with_map():
    ours, literal, u = module_pair()
    with attention_maps(ours):
        return times(lambda: forward(ours, u), lambda: forward(literal, u), repeats=41, warmup=5)


@suite.figure("GALA module, forward + backward, against the text", unit="x faster", bar=at_least(1.8))
def module_both_ways():
    ours, literal, u = module_pair()
    return times(lambda: both_ways(ours, u), lambda: both_ways(literal, u), repeats=21, warmup=3)


def saved_bytes(module, x):
    found = {}

    def keep(tensor):
        found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        module(x)
    return sum(size for place, size in found.items() if place not in own)


def literal_network():
    network = build("gala-resnet50")
    for block in network.layer3:
        block.gala = Literal(block.gala)
    return network


@suite.figure("extra memory saved for backward, share of the text's", unit="of 1", bar=at_most(0.25))
def module_memory():
    x = torch.randn(1, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    plain, gala, literal = build("resnet50"), build("gala-resnet50"), literal_network()
    base = saved_bytes(plain, x)
    return (saved_bytes(gala, x) - base) / (saved_bytes(literal, x) - base)


@lru_cache
def network(name):
    return build(name).eval()


@lru_cache
def images():
    return torch.randn(_BATCH, 3, 224, 224).contiguous(memory_format=torch.channels_last)


def inference(first, second):
    x = images()
    return 1 / times(lambda: forward(first, x), lambda: forward(second, x), repeats=11, warmup=2)


@suite.figure("GALA-ResNet-50 / ResNet-50, inference", unit="x the time", bar=at_most(1.10))
def gala_inference():
    return inference(network("gala-resnet50"), network("resnet50"))


@suite.figure("the text's GALA-ResNet-50 / ResNet-50, inference", unit="x the time", bar=STATED)
def literal_inference():
    return inference(literal_network().eval(), network("resnet50"))


@suite.figure("GALA-ResNet-50 folded / ResNet-50 unfolded, inference", unit="x the time", bar=at_most(0.88))
def folded_against_plain():
    return inference(fold(network("gala-resnet50")), network("resnet50"))


@suite.figure("GALA-ResNet-50 folded / unfolded, inference", unit="x the time", bar=at_most(0.88))
def folded_against_itself():
    return inference(fold(network("gala-resnet50")), network("gala-resnet50"))


@suite.figure("GALA-ResNet-50 folded / ResNet-50 folded, inference", unit="x the time", bar=STATED)
def folded_against_folded():
    return inference(fold(network("gala-resnet50")), fold(network("resnet50")))


@suite.figure("folding, largest relative difference in float64", unit="", bar=at_most(1e-10))
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
            scores = model(images())
            loss(MapLoss(lam=lam), scores, labels, maps, importance, has_map).total.backward()
        optimizer.step()

    return step


@suite.figure("GALA-ResNet-50 / ResNet-50, training step", unit="x the time", bar=at_most(1.18))
def training_step():
    return 1 / times(trainer("gala-resnet50", lam=0.0), trainer("resnet50", lam=0.0), repeats=7)


@suite.figure("training step with the map loss / without", unit="x the time", bar=at_most(1.03))
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


@suite.figure("on a GPU, bf16: training step / plain ResNet-50", unit="x the time", bar=at_most(1.20))
def gpu_training():
    return on_a_gpu(train=True)


@suite.figure("on a GPU, bf16: inference / plain ResNet-50", unit="x the time", bar=at_most(1.10))
def gpu_inference():
    return on_a_gpu(train=False)


def traffic():
    """Bytes per image in bf16 that a memory-bound GPU moves: ResNet-50 and what GALA adds (training, inference)."""
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


@suite.figure("arithmetic, not measured: GALA's extra bytes, training, bf16", unit="of ResNet-50", bar=STATED)
def roofline_training():
    found = traffic()
    return found["gala_train"] / found["train"]


@suite.figure("arithmetic, not measured: GALA's extra bytes, folded, bf16", unit="of ResNet-50", bar=STATED)
def roofline_inference():
    found = traffic()
    return found["gala_folded"] / found["infer"]


@suite.figure("arithmetic, not measured: ResNet-50 training at 3.35 TB/s", unit="images/s", bar=STATED)
def roofline_rate():
    return 3.35e12 / traffic()["train"]


@suite.figure("parameters of one GALA module, C = 1024", unit="", bar=between(790_273, 790_273))
def parameters_module():
    return n_parameters(GALA(1024))


@suite.figure("parameters of GALA-ResNet-50", unit="", bar=between(30_298_670, 30_298_670))
def parameters_gala():
    return n_parameters(network("gala-resnet50"))


@suite.figure("parameters of ResNet-50", unit="", bar=between(25_557_032, 25_557_032))
def parameters_resnet():
    return n_parameters(network("resnet50"))


@suite.figure("parameters of SE-ResNet-50", unit="", bar=between(28_088_024, 28_088_024))
def parameters_se():
    return n_parameters(network("se-resnet50"))
