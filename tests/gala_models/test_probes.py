import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

from rapidvision.errors import InputError
from rapidvision.gala_models.layers.fold import fold
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import probes
from rapidvision.gala_models.observer.features import layer_features


def points(n=60, size=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, size, generator=generator) * torch.tensor([1.0, 5.0, 0.1, 2.0]) + 3
    target = x[:, 0] + 0.1 * x[:, 1] + 0.5 * torch.randn(n, generator=generator) > 3.4
    return x, target


def test_the_fit_is_the_minimum():
    x, target = points()
    probe = probes.fit(x, target, penalty=0.7)
    z = ((x.double() - x.double().mean(0)) / x.double().std(0, correction=0)).numpy()
    sign = np.where(target.numpy(), 1, -1)

    def cost(w):
        return np.logaddexp(0, -sign * (z @ w[:-1] + w[-1])).sum() + 0.35 * (w[:-1] ** 2).sum()

    best = minimize(cost, np.zeros(5), method="BFGS", options={"gtol": 1e-9}).x
    np.testing.assert_allclose(probe.weights, best[:-1], atol=1e-4)
    assert probe.bias.item() == pytest.approx(best[-1], abs=1e-4)


def test_units_do_not_matter_and_dead_features_do_no_harm():
    x, target = points()
    a = probes.fit(x, target).evidence(x)
    scaled = torch.cat([x * 1000 - 7, torch.full((60, 1), 3.0)], 1)
    torch.testing.assert_close(probes.fit(scaled, target).evidence(scaled), a, rtol=1e-4, atol=1e-4)


def test_separable_images_have_a_finite_fit():
    x = torch.linspace(-1, 1, 20)[:, None]
    probe = probes.fit(x, x[:, 0] > 0)
    assert torch.isfinite(probe.weights).all()
    assert ((probe.evidence(x) > 0) == (x[:, 0] > 0)).all()


def test_no_stimulus_is_judged_by_a_probe_that_saw_its_image():
    """Features that name the image and nothing else: any leak would make the answers right."""
    n = 40
    features, target = torch.eye(n).repeat(3, 1), (torch.arange(n) % 2 == 0).repeat(3)
    image = [f"p{k}" for k in range(n)] * 3
    intact = torch.arange(3 * n) < n
    evidence = probes.cross_validated(features, target=target, image=image, intact=intact, seed=1)
    right = (evidence > 0) == target.numpy()
    assert np.abs(evidence).max() < 0.5
    assert right.mean() <= 0.55


def test_what_a_probe_can_learn_it_carries_over_to_other_images():
    x, target = points(n=80)
    image = [f"p{k}" for k in range(80)]
    evidence = probes.cross_validated(x, target=target, image=image, intact=torch.ones(80, dtype=torch.bool), seed=1)
    assert ((evidence > 0) == target.numpy()).mean() > 0.75


def test_layers_are_pooled():
    model, x = build("compact-gala").eval(), torch.rand(3, 3, 96, 96)
    found = layer_features(model, ["layer1", "layer3.1.gala", "fc"], [x[:2], x[2:]])
    assert {name: (tuple(one.features.shape), one.layout) for name, one in found.items()} == {
        "layer1": ((3, 16), "channels-first"),
        "layer3.1.gala": ((3, 64), "channels-first"),
        "fc": ((3, 8), "vector"),
    }
    torch.testing.assert_close(found["fc"].features, model(x).detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match='no layer "layer5". Did you mean'):
        layer_features(model, ["layer5"], [x])


class Patches(nn.Module):
    """A transformer's form: patches become tokens, a class token may come first, attention and a layer over channels."""

    def __init__(self, *, class_token, n_channels=12):
        super().__init__()
        self.cut = nn.Conv2d(3, n_channels, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, n_channels)) if class_token else None
        self.attention = nn.MultiheadAttention(n_channels, 2, batch_first=True)
        self.block = nn.Sequential(nn.LayerNorm(n_channels), nn.Linear(n_channels, n_channels))
        self.head = nn.Linear(n_channels, 2)

    def forward(self, x):
        tokens = self.cut(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1)
        tokens = tokens + self.attention(tokens, tokens, tokens)[0]
        return self.head(self.block(tokens)[:, 0])


class Shifted(nn.Module):
    """A Swin stage's form: (batch, height, width, channels)."""

    def __init__(self, n_channels=12):
        super().__init__()
        self.cut = nn.Conv2d(3, n_channels, 4, 4)
        self.stage = nn.Sequential(nn.LayerNorm(n_channels), nn.Linear(n_channels, n_channels))
        self.head = nn.Linear(n_channels, 2)

    def forward(self, x):
        return self.head(self.stage(self.cut(x).permute(0, 2, 3, 1)).mean((1, 2)))


def outputs(model, layer, x):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.no_grad():
        model(x)
    handle.remove()
    return kept[0]


X = torch.rand(3, 3, 20, 20, generator=torch.Generator().manual_seed(3))  # 25 patches


def test_tokens_are_averaged_over_places_never_over_channels():
    model = Patches(class_token=False).eval()
    found = layer_features(model, ["block", "cut"], [X[:2], X[2:]])
    assert (found["block"].layout, found["cut"].layout) == ("tokens", "channels-first")
    torch.testing.assert_close(found["block"].features, outputs(model, "block", X).mean(1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["cut"].features, outputs(model, "cut", X).mean((2, 3)), rtol=1e-4, atol=1e-5)


def test_a_class_token_is_never_guessed():
    model = Patches(class_token=True).eval()
    with pytest.raises(InputError, match=r"block gives \(3, 26, 12\).*--probe block=tokens.*block=class-token"):
        layer_features(model, ["block"], [X])
    out = outputs(model, "block", X)
    for layout, expected in (("tokens", out.mean(1)), ("patch-tokens", out[:, 1:].mean(1)), ("class-token", out[:, 0])):
        found = layer_features(model, ["block"], [X], layouts={"block": layout})["block"]
        torch.testing.assert_close(found.features, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match=r"the layout channels-first is \(batch, channels, height, width\)"):
        layer_features(model, ["block"], [X], layouts={"block": "channels-first"})


class Prefixed(nn.Module):
    """A vision transformer's layer after so many tokens that are no patches (DeiT with distillation has two)."""

    def __init__(self, n_prefix):
        super().__init__()
        self.cut, self.block = nn.Conv2d(3, 12, 4, 4), nn.Linear(12, 12)
        self.prefix = nn.Parameter(torch.full((1, n_prefix, 12), 100.0), requires_grad=False)

    def forward(self, x):
        patches = self.cut(x).flatten(2).transpose(1, 2)
        return self.block(torch.cat([self.prefix.expand(len(x), -1, -1), patches], 1))


@pytest.mark.parametrize("n_prefix", [2, 5])
def test_a_second_token_before_the_patches_is_never_averaged_into_them(n_prefix):
    model = Prefixed(n_prefix).eval()
    said = rf"{25 + n_prefix} tokens, and without the first 1 .*declare how many .*patch-tokens-{n_prefix} leaves 5 x 5"
    with pytest.raises(InputError, match=said):
        layer_features(model, ["block"], [X], layouts={"block": "patch-tokens"})
    found = layer_features(model, ["block"], [X], layouts={"block": f"patch-tokens-{n_prefix}"})["block"]
    expected = outputs(model, "block", X)[:, n_prefix:].mean(1)
    torch.testing.assert_close(found.features, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match='no layout "patch-tokens-N"'):
        layer_features(model, ["block"], [X], layouts={"block": "patch-tokens-N"})


def test_channels_may_come_last():
    model = Shifted().eval()
    found = layer_features(model, ["stage"], [X])["stage"]
    assert found.layout == "channels-last"
    torch.testing.assert_close(found.features, outputs(model, "stage", X).mean((1, 2)), rtol=1e-4, atol=1e-5)


def test_what_could_be_either_is_refused():
    five = Shifted(n_channels=5).eval()  # 5 x 5 places of 5 channels
    with pytest.raises(InputError, match=r"stage gives \(3, 5, 5, 5\).*not certain"):
        layer_features(five, ["stage"], [X])
    with pytest.raises(InputError, match="attention returns tuple"):
        layer_features(Patches(class_token=False).eval(), ["attention"], [X])
    twice = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Flatten())
    twice = nn.Sequential(twice[0], twice[0], nn.Flatten())
    with pytest.raises(InputError, match="0 ran 2 times on 3 images"):
        layer_features(twice.eval(), ["0"], [X])


def test_layers_without_finite_values_have_no_probe():
    x, target = points()
    x[3, 1] = torch.nan
    with pytest.raises(InputError, match="some features are not finite"):
        probes.fit(x, target)


def test_features_that_differ_by_rounding_are_dead():
    x, target = points()
    noise = 1000 + 1e-5 * torch.randn(60, 1, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(
        probes.fit(torch.cat([x.double(), noise], 1), target).evidence(torch.cat([x.double(), noise], 1)),
        probes.fit(x, target).evidence(x),
        rtol=1e-4,
        atol=1e-4,
    )


def test_work_is_the_published_one():
    model = build("resnet50").eval()
    work = probes.multiply_accumulates(model, ["layer1", "layer4", "fc"], torch.zeros(1, 3, 224, 224))
    assert work["fc"] == pytest.approx(4089.2, abs=0.1)
    assert work["layer1"] < work["layer4"] < work["fc"]


@pytest.mark.parametrize("gradients", [True, False])
def test_fused_operators_are_counted_too(gradients):
    model = build("gala-resnet50").eval()
    with torch.set_grad_enabled(gradients):
        work = probes.multiply_accumulates(model, ["layer2", "layer4", "fc"], torch.zeros(1, 3, 224, 224))
        folded = probes.multiply_accumulates(fold(model), ["layer4", "fc"], torch.zeros(1, 3, 224, 224))
    assert work["fc"] == pytest.approx(4400.9, abs=0.1)
    assert work["fc"] - work["layer4"] == pytest.approx(2048 * 1000 / 1e6, abs=0.01)
    assert 4089 < folded["layer4"] < folded["fc"] < work["fc"]


def test_attention_is_counted_whatever_computes_it():
    """26 tokens of 12 channels: three projections in, scores, weighted sum, projection out."""
    model = Patches(class_token=True).eval()
    n, c = 26, 12
    work = probes.multiply_accumulates(model, ["cut", "attention"], X[:1])
    expected = n * c * 3 * c + n * n * c + n * n * c + n * c * c
    assert (work["attention"] - work["cut"]) * 1e6 == pytest.approx(expected)


def test_a_layer_that_does_not_run_takes_no_work():
    model = Patches(class_token=False).eval()
    model.idle = nn.Linear(2, 2)
    with pytest.raises(InputError, match="idle does not run"):
        probes.multiply_accumulates(model, ["idle"], X[:1])


def test_exits_come_at_the_first_sure_probe_and_at_the_last_in_any_case():
    early = probes.EarlyExit(threshold=2.0, base_ms=200.0, ms_per_million=0.5)
    evidence = np.array([[2.0, 0.1, -0.1], [0.0, -2.5, 0.2], [9.0, 9.0, 0.3]])
    answer, times_ms = early.decide(evidence, [10, 20, 40])
    np.testing.assert_array_equal(answer, [2.0, -2.5, 0.3])
    np.testing.assert_array_equal(times_ms, [205.0, 210.0, 220.0])


def test_probes_that_cannot_be_are_refused():
    x, target = points()
    ones = torch.ones(60, dtype=torch.bool)
    with pytest.raises(InputError, match="targets and of distractors"):
        probes.fit(x, ones)
    names = [f"p{k}" for k in range(60)]
    with pytest.raises(InputError, match="60 images have no intact stimulus"):
        probes.cross_validated(x, target=target, image=names, intact=~ones, seed=0)
    with pytest.raises(InputError, match="too few for 50 folds"):
        probes.cross_validated(x, target=target, image=names, intact=ones, seed=0, n_folds=50)
    with pytest.raises(InputError, match="must rise"):
        probes.EarlyExit().decide(np.zeros((2, 3)), [4, 1])
    with pytest.raises(ValueError, match="must be >= 0"):
        probes.EarlyExit(threshold=-1.0)
