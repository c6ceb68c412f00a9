"""Every part computes on a device that refuses tensors of the CPU, and finds there what it finds on the CPU."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from rapidvision import cli
from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models.computing.device import Device
from rapidvision.gala_models.computing.forward import class_scores
from rapidvision.gala_models.evaluation.evaluate import evaluate
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer.networks import bundled_paths, find_networks
from rapidvision.gala_models.observer.overlay import attribution_of
from rapidvision.gala_models.observer.probe_observer import Probing
from rapidvision.gala_models.observer.probes import EarlyExit
from rapidvision.gala_models.observer.study_run import run_study
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.processes import World
from rapidvision.gala_models.training.recipe import PRESETS, Schedule, Training
from rapidvision.gala_models.training.sweep import sweep
from rapidvision.gala_models.training.train import Trainer
from rapidvision.gala_models.weights.load import load_model

from .elsewhere import elsewhere

ROOT = Path(__file__).parents[2]
COMPACT = Architecture(family="compact", attention="gala", n_classes=4)
TINY = Training(
    name="tiny",
    model=COMPACT,
    preprocessing=Preprocessing(size_px=32),
    schedule=Schedule(learning_rate=0.01, epochs=1, milestones=()),
    batch_size=16,
)


def changed(**changes):
    import msgspec

    return msgspec.structs.replace(TINY, **changes)


@pytest.fixture
def away():
    with elsewhere() as name:
        yield Device.named(name)


def test_the_stand_in_refuses_a_mix_up(away):
    network = away.place(build(COMPACT))
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        network(torch.zeros(2, 3, 32, 32))
    with pytest.raises((TypeError, RuntimeError), match="numpy"):
        network.fc.weight.detach().numpy()


@pytest.mark.parametrize("precision", ["float32", "fp16"])
def test_training_resumes_on_the_device_and_equals_the_cpus(make_store, tmp_path, precision):
    store, recipe = make_store(), changed(precision="float32", ema=0.9, clip_norm=1.0, checkpoint_steps=1)
    here = Trainer(recipe, tmp_path / "here", train=store, validation=store)
    here.run()
    with elsewhere() as name:
        recipe = changed(precision=precision, ema=0.9, clip_norm=1.0, checkpoint_steps=1)
        world = World(device=Device.named(name))
        Trainer(recipe, tmp_path / "away", train=store, validation=store, world=world).run(max_steps=2)
        resumed = Trainer(recipe, tmp_path / "away", train=store, validation=store, world=world)
        assert resumed.n_steps == 2
        resumed.run()
        assert {one.device.type for one in resumed.model.parameters()} == {name}
    assert resumed.optimization.n_overflows == 0
    for name, value in here.best.items():
        torch.testing.assert_close(resumed.best[name], value, rtol=1e-5, atol=1e-6)
    assert load_model(tmp_path / "away" / "tiny.safetensors")[1].results["validation"]["top1_error"] >= 0


def test_a_sweep_trains_and_evaluates_on_the_device(make_store, tmp_path, away):
    make_store("train"), make_store("validation")
    points = sweep(TINY, tmp_path / "s", base=tmp_path, lams=[1.0], seeds=[0], world=World(device=away), quiet=True)
    assert len(points) == 1


class Two(World):
    """Two processes with the same work, so that one is enough."""

    def wrap(self, model):
        return model

    def gathered(self, value):
        return [value, value]


def test_sums_over_processes_never_lie_on_the_cpu(make_store, tmp_path, away, monkeypatch):
    """A group of nccl has no backend for tensors of the CPU."""
    added = []

    def all_reduce(value):
        if value.device.type == "cpu":
            raise RuntimeError("No backend type associated with device type cpu")
        added.append(value.device.type)
        value.mul_(2)

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    trainer = Trainer(TINY, tmp_path / "r", train=make_store(), validation=make_store("v"), world=Two(0, 2, away))
    trainer.run(max_steps=2)
    assert added == ["elsewhere", "elsewhere"]


def test_a_real_group_without_a_backend_for_the_cpu_refuses_its_tensors(tmp_path):
    dist.init_process_group("cuda:gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        with pytest.raises(RuntimeError, match="No backend type associated with device type cpu"):
            World(0, 2).mean(torch.zeros(4))
    finally:
        dist.destroy_process_group()


def test_evaluation_on_the_device_equals_the_cpus(make_store, away):
    network, store = build(COMPACT, seed=3), make_store()
    shown = Preprocessing(size_px=32, resize_px=36)
    here = evaluate(network, store, shown)
    there = evaluate(away.place(network), store, shown)
    np.testing.assert_array_equal(there.rank_of_label, here.rank_of_label)
    np.testing.assert_allclose(there.rho, here.rho)


def test_networks_observe_on_the_device(study, tmp_path, away):
    answers = {}
    for device in (Device(), away):
        networks = find_networks(str(bundled_paths()[0]), device=device)
        assert networks[0].device.where.type == device.where.type
        answers[device.where.type] = run_study(study, networks, out=None, quiet=True).records
    assert answers["cpu"] == answers[away.where.type]


@pytest.mark.parametrize("policy", ["dropout", "stochastic"])
def test_policies_probes_and_early_exits_compute_on_the_device(study, tmp_path, away, policy):
    from rapidvision.gala_models.answers.participants import Participants

    networks = find_networks(str(bundled_paths()[0]), device=away)
    assert run_study(study, networks, out=None, participants=Participants(policy=policy, seed=1), quiet=True).records
    probing = Probing(
        layers=("layer1", "layer3"), early_exit=EarlyExit(threshold=2.0, base_ms=200.0, ms_per_million=5.0)
    )
    assert run_study(study, networks, out=None, probing=probing, quiet=True).records


@pytest.mark.parametrize("attribution", ["attention", "smoothgrad"])
def test_maps_are_made_on_the_device(away, attribution):
    images = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    here, there = (find_networks(str(bundled_paths()[0]), device=device)[0] for device in (Device(), away))
    np.testing.assert_allclose(
        attribution_of(attribution, there, images, names=["a", "b"]),
        attribution_of(attribution, here, images, names=["a", "b"]),
        atol=1e-5,
    )


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_computes_and_stays_close(precision):
    network, x = build(COMPACT, seed=1).eval(), torch.rand(4, 3, 32, 32)
    with torch.inference_mode():
        full = class_scores(network, x, name="n")
        half = class_scores(network, x, name="n", device=Device.named("cpu", precision=precision))
    assert half.dtype == torch.float32
    assert not torch.equal(half, full)
    assert float((half - full).abs().max()) < 0.05 * float(full.abs().max())


def test_verbs_take_device_and_precision(study, tmp_path, capsys):
    weights, out = bundled_paths()[0], tmp_path / "m.csv"
    words = ["--device", "cpu", "--precision", "bf16"]
    assert cli.main(["models", "observe", str(study.folder), "--model", str(weights), "--out", str(out), *words]) == 0
    record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert [one["precision"] for one in record["networks"]] == ["bf16"]
    assert cli.main(["models", "train", "--example", "gala_tpu"]) == 0
    assert "no_weight_decay" in capsys.readouterr().out
    assert cli.main(["models", "observe", str(study.folder), "--model", str(weights), "--device", "cuda:9"]) == 2
    assert 'device: "cuda:9" cannot be used here in float32' in capsys.readouterr().err


class Picky(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))

    def forward(self, x):
        return self.inner(x)


class Answers(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(x)


def fails(x):
    raise KeyError("lost")


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (Picky(), CheckFailed, r"net: RuntimeError in layer inner\.1 on an input of shape \(2, 3, 8, 8\).*Set --size"),
        (Picky().half(), CheckFailed, r"net: RuntimeError in layer inner\.1 .*(--precision float32|Set --size)"),
        (Answers(fails), CheckFailed, r"net: KeyError on an input .*\(torch\.float32, cpu in float32; a, b\): 'lost'"),
        (Answers(lambda x: {"logits": x}), InputError, "net: returned dict with logits for 2 images; it must return scores"),
        (Answers(lambda x: x), InputError, r"net: returned a tensor of shape \(2, 3, 8, 8\) for 2 images"),
        (Answers(lambda x: x[:, 0, 0] * torch.nan), CheckFailed, r"net: 2 of 2 images give values that are not finite \(a, b\)"),
    ],
)  # fmt: skip
def test_what_networks_do_wrong_is_named_with_a_remedy(network, error, message):
    with pytest.raises(error, match=message):
        class_scores(network, torch.zeros(2, 3, 8, 8), name="net", images=["a", "b"])


def test_weights_of_the_authors_code_are_exempt_as_there():
    """Batch norm's and attention's; convolutions and the readout decay."""
    recipe = PRESETS["gala_tpu"]
    assert (recipe.no_weight_decay, recipe.batch_norm_momentum) == (("attention", "norm"), 0.003)
    assert recipe.model.gala.squash == "sigmoid"
    assert recipe.model.preactivation


def test_only_one_module_moves_tensors_between_devices():
    """`.cuda()`, `.cpu()` and `.to(` a device stand in computing/; elsewhere `.to(` takes a type or a layout."""
    allowed = {"gala_models/computing/device.py", "gala_models/weights/state.py", "gala_models/weights/load.py"}
    movers = []
    for path in sorted((ROOT / "gala_models").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in allowed or name.startswith("gala_models/attach"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                words = ast.unparse(node)
                if node.func.attr in ("cuda", "cpu") or (node.func.attr == "to" and "device" in words):
                    movers.append((name, words))
    drawn = [  # random numbers are those of the CPU on every device
        ("rise", "random_masks(n_masks, n_cells, seen.x.shape[2], share, seed).to(seen.x.device)"),
        ("smoothgrad", "torch.randn(x.shape[1:], generator=generator, dtype=x.dtype).to(x.device)"),
    ]
    assert movers == [(f"gala_models/attribution/{name}.py", words) for name, words in drawn]
