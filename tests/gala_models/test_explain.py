import pytest
import torch
from torch import nn

from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models.attribution.smoothgrad import COPIES_PER_PASS, difference, salience, smoothgrad
from rapidvision.gala_models.layers.resnet import build


def test_the_smoothed_gradient_of_a_linear_network_is_its_weights():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).eval()
    target = torch.tensor([2, 0])
    found = smoothgrad(model, torch.randn(2, 3, 2, 2), target, n_samples=7)
    torch.testing.assert_close(found.flatten(1), model[1].weight[target])


def test_the_smoothed_gradient_of_a_square_is_twice_the_image():
    class Square(nn.Module):
        def forward(self, x):
            return x.flatten(1).square().sum(1, keepdim=True)

    x = torch.rand(1, 1, 4, 4)
    found = smoothgrad(Square().eval(), x, torch.tensor([0]), n_samples=4000, noise_fraction=0.3)
    assert (found - 2 * x).abs().max() < 5 * 2 * 0.3 / 4000**0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_batch_does_not_change_a_bit(dtype):
    model = build("compact-gala", seed=1).eval().to(dtype)
    x = torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(0), dtype=dtype)
    target = torch.tensor([0, 3, 5])
    whole, single, odd = (smoothgrad(model, x, target, n_samples=13, batch_size=n) for n in (64, 1, 33))
    assert whole.dtype == dtype
    assert torch.equal(whole, single)
    assert torch.equal(whole, odd)


def test_the_network_never_sees_more_copies_than_a_pass_holds():
    seen = []

    class Counting(nn.Module):
        def forward(self, x):
            seen.append(len(x))
            return x.flatten(1).sum(1, keepdim=True)

    smoothgrad(Counting().eval(), torch.rand(3, 1, 4, 4), torch.tensor([0, 0, 0]), n_samples=25, batch_size=100)
    assert seen == [COPIES_PER_PASS, COPIES_PER_PASS, 75 - 2 * COPIES_PER_PASS]


def test_seeds_give_different_noise_and_the_global_generator_stays():
    model, x = build("compact-resnet").eval(), torch.rand(1, 3, 96, 96)
    before = torch.get_rng_state()
    a, b, c = (smoothgrad(model, x, torch.tensor([1]), n_samples=2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(torch.get_rng_state(), before)


def test_differences_are_signed_and_normalized():
    a, b = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    a[..., 0, 0], b[..., 1, 1] = -3.0, 9.0
    assert difference(a, b)[0].tolist() == [[1.0, 0.0], [0.0, -1.0]]
    assert salience(a).max() == 1


def test_what_would_mix_images_is_refused():
    with pytest.raises(InputError, match="training mode"):
        smoothgrad(build("compact-resnet").train(), torch.rand(1, 3, 96, 96), torch.tensor([0]))
    with pytest.raises(InputError, match="one target per image"):
        smoothgrad(build("compact-resnet").eval(), torch.rand(2, 3, 96, 96), torch.tensor([0]))
    with pytest.raises(InputError, match="the same images"):
        difference(torch.zeros(1, 3, 2, 2), torch.zeros(2, 3, 2, 2))


def test_gradients_that_are_not_finite_are_refused():
    model = build("compact-resnet", seed=1).eval()
    with torch.no_grad():
        model.layer4[0].conv2.weight[0, 0] = torch.nan
    x = torch.rand(2, 3, 32, 32)
    with pytest.raises(CheckFailed, match=r"smoothgrad: 2 of 2 images.*layer4\.0\.conv2"):
        smoothgrad(model, x, torch.tensor([0, 1]), n_samples=2)
    with pytest.raises(InputError, match="not finite; there is nothing to rank"):
        salience(torch.full((1, 1, 2, 2), torch.nan))
