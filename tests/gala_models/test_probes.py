import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from rapidvision.errors import InputError
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import probes


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


def test_separable_pictures_have_a_finite_fit():
    x = torch.linspace(-1, 1, 20)[:, None]
    probe = probes.fit(x, x[:, 0] > 0)
    assert torch.isfinite(probe.weights).all()
    assert ((probe.evidence(x) > 0) == (x[:, 0] > 0)).all()


def test_no_stimulus_is_judged_by_a_probe_that_saw_its_picture():
    """Features that name the picture and nothing else: any leak would make the answers right."""
    n = 40
    features, target = torch.eye(n).repeat(3, 1), (torch.arange(n) % 2 == 0).repeat(3)
    picture = [f"p{k}" for k in range(n)] * 3
    intact = torch.arange(3 * n) < n
    evidence = probes.cross_validated(features, target=target, picture=picture, intact=intact, seed=1)
    right = (evidence > 0) == target.numpy()
    assert np.abs(evidence).max() < 0.5
    assert right.mean() <= 0.55


def test_what_a_probe_can_learn_it_carries_over_to_other_pictures():
    x, target = points(n=80)
    picture = [f"p{k}" for k in range(80)]
    evidence = probes.cross_validated(
        x, target=target, picture=picture, intact=torch.ones(80, dtype=torch.bool), seed=1
    )
    assert ((evidence > 0) == target.numpy()).mean() > 0.75


def test_layers_are_pooled():
    model, x = build("compact-gala").eval(), torch.rand(3, 3, 96, 96)
    found = probes.layer_features(model, ["layer1", "layer3.1.gala", "fc"], [x[:2], x[2:]])
    assert {name: tuple(one.shape) for name, one in found.items()} == {
        "layer1": (3, 16),
        "layer3.1.gala": (3, 64),
        "fc": (3, 8),
    }
    torch.testing.assert_close(found["fc"], model(x).detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match='no layer "layer5". Did you mean'):
        probes.layer_features(model, ["layer5"], [x])


def test_work_is_the_published_one():
    model = build("resnet50").eval()
    work = probes.multiply_accumulates(model, ["layer1", "layer4", "fc"], torch.zeros(1, 3, 224, 224))
    assert work["fc"] == pytest.approx(4089.2, abs=0.1)
    assert work["layer1"] < work["layer4"] < work["fc"]


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
    with pytest.raises(InputError, match="60 pictures have no intact stimulus"):
        probes.cross_validated(x, target=target, picture=names, intact=~ones, seed=0)
    with pytest.raises(InputError, match="too few for 50 folds"):
        probes.cross_validated(x, target=target, picture=names, intact=ones, seed=0, n_folds=50)
    with pytest.raises(InputError, match="must rise"):
        probes.EarlyExit().decide(np.zeros((2, 3)), [4, 1])
    with pytest.raises(ValueError, match="must be >= 0"):
        probes.EarlyExit(threshold=-1.0)
