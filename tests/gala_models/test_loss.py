import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rapidvision.errors import InputError
from rapidvision.gala_models.training.loss import PRESETS, MapLoss, loss, map_distance, preset


def maps(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32) + 0.05


def distance(options, attention, importance, has_map=None, n_channels=5):
    found = {f"l{k}": one for k, one in enumerate(attention)}
    has_map = torch.ones(len(importance), dtype=torch.bool) if has_map is None else has_map
    return map_distance(options, found, dict.fromkeys(found, n_channels), importance, has_map)


def test_equation_1_by_hand():
    a, r = maps(3, 1, 4, 4, seed=1), maps(3, 1, 4, 4, seed=2)
    x, y = a.numpy().reshape(3, -1).astype(float), r.numpy().reshape(3, -1).astype(float)
    unit = lambda z: z / np.linalg.norm(z, axis=1, keepdims=True)  # noqa: E731
    each = np.linalg.norm(unit(y) - unit(x), axis=1)
    assert distance(MapLoss(), [a, a], r).item() == pytest.approx(2 * each.mean(), rel=1e-5)
    assert distance(MapLoss(layers="mean"), [a, a], r).item() == pytest.approx(each.mean(), rel=1e-5)
    assert distance(MapLoss(distance="l2_squared"), [a], r).item() == pytest.approx((each**2).mean(), rel=1e-4)


def test_the_reference_codes_loss_by_hand():
    a, r = maps(2, 1, 4, 4, seed=1), maps(2, 1, 4, 4, seed=2)
    x = a.numpy().reshape(2, -1).astype(float) ** 2 / 5  # mean of squares over the channels
    y = r.numpy().reshape(2, -1).astype(float)
    off = lambda z: z / np.sqrt(z.sum(1, keepdims=True))  # noqa: E731  it forgets the square
    expected = 0.5 * ((off(y) - off(x)) ** 2).sum()
    assert distance(PRESETS["gala_tpu"], [a], r).item() == pytest.approx(expected, rel=1e-4)


def test_the_distance_lies_between_0_and_the_root_of_2():
    a = torch.zeros(1, 1, 2, 2)
    a[0, 0, 0, 0] = 1
    assert distance(MapLoss(), [a], a.flip(3)).item() == pytest.approx(2**0.5, rel=1e-6)


@pytest.mark.parametrize("name", PRESETS)
def test_proportional_maps_give_no_loss_and_a_finite_gradient(name):
    a = torch.zeros(2, 1, 4, 4)
    a[:, :, 1, 2] = 2.0
    a.requires_grad_()
    r = a.detach() * 0.25 if name == "paper" else a.detach() ** 2 / 5
    out = distance(preset(name), [a], r)
    out.backward()
    assert out.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(a.grad).all()


def test_missing_maps_contribute_exactly_nothing():
    a, r = maps(4, 1, 4, 4, seed=1).requires_grad_(), maps(4, 1, 4, 4, seed=2)
    has_map = torch.tensor([True, False, True, False])
    r[1], r[3] = float("nan"), -5.0
    part = distance(MapLoss(reduction="sum"), [a], r, has_map)
    alone = distance(MapLoss(reduction="sum"), [a[[0, 2]]], r[[0, 2]])
    assert part.item() == pytest.approx(alone.item(), rel=1e-6)
    part.backward()
    assert torch.isfinite(a.grad).all()
    assert a.grad[[1, 3]].abs().sum() == 0


@pytest.mark.parametrize("filler", [0.0, float("nan"), float("inf")])
def test_maps_that_say_nothing_count_as_missing(filler):
    a, r = maps(2, 1, 4, 4).requires_grad_(), torch.full((2, 1, 4, 4), filler)
    out = distance(MapLoss(), [a], r)
    out.backward()
    assert out.item() == 0
    assert (a.grad == 0).all()


def test_parts_of_a_batch_add_up_however_the_maps_are_spread():
    a, r = maps(8, 1, 4, 4, seed=1), maps(8, 1, 4, 4, seed=2)
    has_map = torch.tensor([1, 1, 1, 0, 0, 0, 0, 0], dtype=torch.bool)
    whole = distance(MapLoss(), [a], r, has_map)
    parts = [distance(MapLoss(), [a[k::2]], r[k::2], has_map[k::2]) for k in (0, 1)]
    assert sum(parts).item() / 2 == pytest.approx(whole.item(), rel=1e-6)
    supervised = distance(MapLoss(reduction="supervised"), [a], r, has_map)
    assert supervised.item() == pytest.approx(whole.item() * 8 / 3, rel=1e-6)


def test_without_supervision_it_is_the_cross_entropy():
    scores, labels = torch.randn(5, 7), torch.arange(5)
    out = loss(MapLoss(), scores, labels, None, maps(5, 1, 4, 4), torch.zeros(5, dtype=torch.bool))
    assert out.total == out.classification == F.cross_entropy(scores, labels)
    assert out.maps == 0


def test_presets_and_switches_are_checked():
    with pytest.raises(InputError, match='no preset "papre". Did you mean "paper"'):
        preset("papre")
    with pytest.raises(ValueError, match="lam must be >= 0"):
        MapLoss(lam=-1.0)
