import copy
import pickle

import pytest
import torch
from torch import nn

from rapidvision.errors import InputError
from rapidvision.gala_models.layers.architecture import PRESETS, Architecture, GALAOptions
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.fold import fold, joined
from rapidvision.gala_models.layers.fused import FixedConvolution
from rapidvision.gala_models.layers.resnet import build

CASES = {
    "compact resnet": Architecture(family="compact"),
    "compact se": Architecture(family="compact", attention="se"),
    "compact gala": Architecture(family="compact", attention="gala"),
    "se-resnet50": Architecture(attention="se", attention_stages=(1, 2, 3, 4), reduction=16),
    "gala-resnet50": Architecture(attention="gala"),
    "gala-resnet50, 5 x 5, sigmoid": Architecture(
        attention="gala", gala=GALAOptions(squash="sigmoid", global_relu=True, local_kernel_px=5)
    ),
    "gala-resnet50, reference code": Architecture(attention="gala", gala=PRESETS["gala_tpu"]),
}


def lived_in(architecture):
    """A network in float64 whose batch norms are not as at birth."""
    model, generator = build(architecture, seed=1).double().eval(), torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            size = module.running_mean.shape
            module.running_mean.copy_(0.05 * torch.randn(size, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(size, generator=generator))
            with torch.no_grad():
                module.weight.copy_(0.5 + 0.5 * torch.rand(size, generator=generator))
                module.bias.copy_(0.1 * torch.randn(size, generator=generator))
    return model


@pytest.mark.parametrize("name", CASES)
def test_folding_changes_nothing_but_the_cost(name):
    model = lived_in(CASES[name])
    x = torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.inference_mode():
        expected, found = model(x), fold(model)(x)
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-10
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


def test_a_folded_network_hands_out_the_same_maps():
    model = lived_in(CASES["compact gala"])
    x = torch.randn(2, 3, 96, 96, dtype=torch.double)
    found = []
    for network in (model, fold(model)):
        with torch.inference_mode(), attention_maps(network) as maps:
            network(x)
            found.append([one.clone() for one in maps.values()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_weights_are_ordered_once_per_size_and_again_when_they_change():
    convolution = FixedConvolution(4, 8, 3, padding=1)
    x, y = torch.randn(2, 4, 6, 6), torch.randn(3, 4, 5, 5)
    with torch.no_grad():
        first = convolution.ordered(x)
        assert convolution.ordered(x) is first
        torch.testing.assert_close(
            convolution(y), nn.functional.conv2d(y, convolution.weight, convolution.bias, padding=1)
        )
        convolution.ordered(x)
        convolution.weight.mul_(2)
        expected = nn.functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
        torch.testing.assert_close(convolution(x), expected)


def test_a_network_folded_in_inference_mode_orders_its_weights_once_too():
    x, model = torch.rand(1, 3, 40, 40), lived_in(CASES["compact gala"]).float()
    with torch.inference_mode():
        first = fold(model).conv1
        assert first.ordered(x) is first.ordered(x)


def test_a_folded_network_can_be_copied_and_sent_to_another_process():
    folded, x = fold(lived_in(CASES["compact gala"]).float()), torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        expected = folded(x)
        for twin in (copy.deepcopy(folded), pickle.loads(pickle.dumps(folded))):
            assert torch.equal(twin(x), expected)


def test_what_cannot_be_folded_is_refused():
    with pytest.raises(InputError, match="pre-activation network"):
        fold(build(Architecture(family="compact", preactivation=True)))
    with pytest.raises(InputError, match="without running statistics"):
        joined(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, track_running_stats=False))
