"""What changes the weights: exemption from weight decay, clipping, averaging, scaled losses; and what is logged."""

import sys
import types

import msgspec
import pytest
import torch

from rapidvision.errors import CheckFailed, MissingExtra
from rapidvision.gala_models.computing.device import Device
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.log import write_tensorboard
from rapidvision.gala_models.training.optimization import Optimization
from rapidvision.gala_models.training.recipe import PRESETS, Schedule, Training
from rapidvision.gala_models.training.train import Trainer

COMPACT = Architecture(family="compact", attention="gala", n_classes=4)
TINY = Training(
    name="tiny",
    model=COMPACT,
    preprocessing=Preprocessing(size_px=32),
    schedule=Schedule(learning_rate=0.01, epochs=2, milestones=()),
    batch_size=16,
)


def changed(**changes):
    return msgspec.structs.replace(TINY, **changes)


def stepped(recipe, gradient=0.0):
    """Names of the parameters that a step with one gradient everywhere moved."""
    model = build(COMPACT, seed=1)
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimization = Optimization(recipe, model, Device())
    optimization.begin(1.0)
    for one in model.parameters():
        one.grad = torch.full_like(one, gradient)
    optimization.step("here")
    return {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}


def test_exempt_parameters_do_not_decay():
    """Only decay moves anything where gradients are 0; parameters that are 0 cannot be seen to decay."""
    everything = stepped(changed(momentum=0.0, weight_decay=0.1))
    without = stepped(changed(momentum=0.0, weight_decay=0.1, no_weight_decay=("attention", "norm")))
    assert everything - without == {
        name for name in everything if ".gala." in name or "bn" in name or "downsample.1" in name
    }
    assert "conv1.weight" in without
    assert "fc.weight" in without


def test_gradients_are_clipped_to_their_limit():
    model = build(COMPACT, seed=1)
    optimization = Optimization(changed(momentum=0.0, weight_decay=0.0, clip_norm=0.5), model, Device())
    before = torch.cat([one.detach().flatten() for one in model.parameters()])
    optimization.begin(1.0)
    for one in model.parameters():
        one.grad = torch.ones_like(one)
    norm = optimization.step("here")
    after = torch.cat([one.detach().flatten() for one in model.parameters()])
    assert norm == pytest.approx(before.numel() ** 0.5, rel=1e-4)
    assert float((after - before).norm()) == pytest.approx(0.5, rel=1e-3)


def test_a_watched_gradient_that_is_not_finite_is_named():
    model = build(COMPACT, seed=1)
    optimization = Optimization(changed(watch_gradients=True), model, Device())
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    model.fc.bias.grad[0] = torch.nan
    with pytest.raises(CheckFailed, match=r"step 3: the gradient of fc\.bias is not finite; lower"):
        optimization.step("step 3")


def test_averaged_weights_follow_the_stated_rule():
    model = build(COMPACT, seed=1)
    optimization = Optimization(changed(momentum=0.0, weight_decay=0.0, ema=0.9), model, Device())
    average = model.fc.bias.detach().double().clone()
    for n in range(1, 40):
        optimization.begin(0.1)
        model.fc.bias.grad = torch.full_like(model.fc.bias, float(n % 3))
        optimization.step("here")
        decay = min(0.9, n / (n + 9))
        average = decay * average + (1 - decay) * model.fc.bias.detach().double()
    torch.testing.assert_close(optimization.weights()["fc.bias"].double(), average, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(optimization.weights()["fc.bias"], model.fc.bias)


def test_an_overflow_in_fp16_leaves_the_step_out_and_is_counted():
    model = build(COMPACT, seed=1)
    optimization = Optimization(changed(precision="fp16", ema=0.9), model, Device.named("cpu", precision="fp16"))
    before = model.fc.weight.detach().clone()
    scale = optimization.scaler.get_scale()
    optimization.begin(0.1)
    optimization.backward(model.fc.weight.sum() * torch.inf)
    optimization.step("here")
    assert optimization.n_overflows == 1
    assert optimization.scaler.get_scale() == scale / 2
    assert torch.equal(model.fc.weight, before)


@pytest.mark.parametrize("precision", ["float32", "fp16"])
def test_a_run_with_every_option_resumes_to_the_same_bits(make_store, tmp_path, precision):
    store = make_store()
    recipe = changed(
        precision=precision, ema=0.9, clip_norm=1.0, no_weight_decay=("attention",), batch_norm_momentum=0.003
    )
    whole = Trainer(recipe, tmp_path / "whole", train=store, validation=store)
    whole.run()
    Trainer(recipe, tmp_path / "parts", train=store, validation=store).run(max_steps=4)
    parts = Trainer(recipe, tmp_path / "parts", train=store, validation=store)
    parts.run()
    assert parts.progress.history == whole.progress.history
    assert whole.progress.history[0]["gradient_norm"] > 0
    assert ("n_overflows" in whole.progress.history[0]) == (precision == "fp16")
    for name, value in whole.optimization.weights().items():
        assert torch.equal(parts.optimization.weights()[name], value)
    assert {m.momentum for m in whole.model.modules() if isinstance(m, torch.nn.BatchNorm2d)} == {0.003}
    averaged = whole.optimization.weights()
    assert any(not torch.equal(value, averaged[name]) for name, value in whole.model.state_dict().items())


def test_epochs_are_logged_by_torchs_writer(tmp_path, monkeypatch):
    """The package is not needed by anything else, so a stand-in notes what PyTorch's writer is given."""
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            assert folder == str(tmp_path / "tensorboard")

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def add_scalar(self, *scalar):
            written.append(scalar)

    monkeypatch.setitem(sys.modules, "tensorboard", types.ModuleType("tensorboard"))
    stand_in = types.ModuleType("torch.utils.tensorboard")
    stand_in.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    write_tensorboard(tmp_path, {"epoch": 3, "loss": 1.5, "validation": {"rho": None, "top1_error": 50.0}})
    assert written == [("epoch", 3.0, 3), ("loss", 1.5, 3), ("validation/top1_error", 50.0, 3)]
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra, match="tensorboard"):
        write_tensorboard(tmp_path, {"epoch": 1})


@pytest.mark.parametrize("field", [{"ema": 1.0}, {"clip_norm": -1.0}, {"batch_norm_momentum": 0.0}])
def test_settings_out_of_range_are_refused(field):
    with pytest.raises(ValueError, match="batch_norm_momentum must lie in"):
        changed(**field)


def test_the_preset_of_the_authors_code_is_complete():
    """Its network, loss, decay and batch norm."""
    recipe = PRESETS["gala_tpu"]
    assert recipe.no_weight_decay == ("attention", "norm")
    assert recipe.batch_norm_momentum == pytest.approx(1 - 0.997)
    assert recipe.map_loss.column == "mean_square"
    assert recipe.model.gala.apply_to == "input"
