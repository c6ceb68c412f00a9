import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.gala_models.layers.architecture import PRESETS, Architecture, GALAOptions, preset
from rapidvision.gala_models.layers.attention import attention_maps, kind_of
from rapidvision.gala_models.layers.gala import GALA
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.layers.se import SqueezeExcite


def double(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.double) * 0.5)
    return module


def activity(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def relu(x):
    return np.maximum(x, 0)


def convolution(x, weight, bias):
    """Plain 'same' convolution (batch, in, h, w) with (out, in, k, k)."""
    k, out = weight.shape[2], 0.0
    padded = np.pad(x, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    for i in range(k):
        for j in range(k):
            part = padded[:, :, i : i + x.shape[2], j : j + x.shape[3]]
            out = out + np.einsum("rc,bchw->brhw", weight[:, :, i, j], part)
    return out + bias[None, :, None, None]


def transcription(module, u):
    """The equations in plain numpy, tiled as the text says."""
    weight = {name: value.detach().numpy() for name, value in module.state_dict().items()}
    options, u = module.options, u.numpy()
    p = u.mean((2, 3))
    h = relu(p @ weight["global_shrink.weight"][:, :, 0, 0].T + weight["global_shrink.bias"])
    g = h @ weight["global_expand.weight"][:, :, 0, 0].T + weight["global_expand.bias"]
    g = relu(g) if options.global_relu else g
    z = relu(convolution(u, weight["local_shrink.weight"], weight["local_shrink.bias"]))
    if options.local_kernel_px:
        z = relu(convolution(z, weight["local_extra.weight"], weight["local_extra.bias"]))
    s = convolution(z, weight["local_collapse.weight"], weight["local_collapse.bias"])
    G, S = np.broadcast_to(g[:, :, None, None], u.shape), np.broadcast_to(s, u.shape)
    inner = weight["alpha"] * (G + S) + weight["m"] * (G * S)
    A = np.tanh(inner) if options.squash == "tanh" else 1 / (1 + np.exp(-inner))
    return u * A, A


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("graph", [True, False])
def test_equals_a_plain_transcription_of_the_equations(name, layout, graph):
    module, u = double(GALA(12, preset(name))), activity(3, 12, 5, 7).contiguous(memory_format=layout)
    with torch.set_grad_enabled(graph), attention_maps(module) as maps:
        out = module(u)
        captured = maps.last
    expected, A = transcription(module, u)
    np.testing.assert_allclose(out.detach(), expected, atol=1e-13)
    np.testing.assert_allclose(captured.detach()[:, 0], np.sqrt((A**2).sum(1)), atol=1e-13)
    assert out.stride() == u.stride()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_inference_in_float32_equals_the_transcription_with_any_threads(layout, n_threads):
    # Without gradients the shrinking layer runs through oneDNN's fused operator, which the graph never sees.
    module, u = double(GALA(32)), activity(3, 32, 14, 14)
    expected, _ = transcription(module, u)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with torch.inference_mode():
            out = module.float()(u.float().contiguous(memory_format=layout))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(out, expected, atol=2e-4)
    assert out.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_come_back_in_the_layout_of_the_input(layout):
    module, u = double(GALA(8)), activity(2, 8, 3, 4).contiguous(memory_format=layout).requires_grad_()
    (grad,) = torch.autograd.grad(module.narrow_mean(u).sum(), u)
    assert grad.is_contiguous(memory_format=layout)


SWITCHES = [
    GALAOptions(),
    GALAOptions(squash="sigmoid"),
    GALAOptions(global_relu=True),
    GALAOptions(local_kernel_px=3),
]


@pytest.mark.parametrize("options", SWITCHES)
def test_gradients_are_those_of_finite_differences(options):
    module, u = double(GALA(4, options)), activity(2, 4, 3, 2).requires_grad_()

    def both(u, *_parameters):
        with attention_maps(module) as maps:
            out = module(u)
            return out, maps.last

    assert torch.autograd.gradcheck(both, (u, *module.parameters()))


def test_half_alpha_without_product_and_local_path_is_squeeze_and_excitation():
    # tanh(x / 2) = 2σ(x) - 1: with α = ½, m = 0 and S = 0 the gate is SE's, moved from (0, 1) to (-1, 1).
    gala, se, u = double(GALA(8)), double(SqueezeExcite(8, 4)), activity(2, 8, 4, 4)
    with torch.no_grad():
        gala.alpha.fill_(0.5)
        gala.m.zero_()
        gala.local_collapse.weight.zero_()
        gala.local_collapse.bias.zero_()
        for ours, theirs in ((gala.global_shrink, se.fc1), (gala.global_expand, se.fc2)):
            ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(gala(u), 2 * se(u) - u, atol=1e-13, rtol=0)


def test_closed_form_of_one_channel():
    module = GALA(1, GALAOptions(reduction=1)).double()
    values = {
        "global_shrink": (2, 0.5),
        "global_expand": (-1, 0.25),
        "local_shrink": (1, 0),
        "local_collapse": (3, -0.1),
    }
    with torch.no_grad():
        for name, (weight, bias) in values.items():
            getattr(module, name).weight.fill_(weight)
            getattr(module, name).bias.fill_(bias)
        module.alpha.fill_(0.7)
        module.m.fill_(-0.3)
    u = torch.tensor([[[[1.0, 3.0]]]], dtype=torch.double)
    g = -(2 * 2 + 0.5) + 0.25
    s = torch.tensor([3 * 1 - 0.1, 3 * 3 - 0.1], dtype=torch.double)
    expected = u[0, 0, 0] * torch.tanh(0.7 * (g + s) - 0.3 * g * s)
    torch.testing.assert_close(module(u)[0, 0, 0], expected, atol=1e-14, rtol=0)


def test_the_other_sign_of_alpha_and_m_turns_the_output_over():
    module, u = double(GALA(8)), activity(2, 8, 3, 3)
    before = module(u)
    with torch.no_grad():
        module.alpha.neg_()
        module.m.neg_()
    torch.testing.assert_close(module(u), -before)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.permutations(range(4)), st.integers(0, 100))
def test_moving_places_or_images_moves_the_output_with_them(places, images, seed):
    module, u = double(GALA(8), seed), activity(4, 8, 2, 3, seed=seed)
    moved = u.flatten(2)[:, :, places].unflatten(2, (2, 3))[list(images)]
    expected = module(u).flatten(2)[:, :, places].unflatten(2, (2, 3))[list(images)]
    torch.testing.assert_close(module(moved), expected)


def test_attention_lies_between_minus_one_and_one_and_can_turn_signs():
    u = activity(4, 8, 5, 5)
    A = double(GALA(8))(u) / u
    assert A.abs().max() <= 1
    assert A.min() < 0 < A.max()


def test_the_map_is_kept_only_while_it_is_asked_for():
    module, u = double(GALA(8)), activity(1, 8, 3, 3)
    module(u)
    assert module.captured is None
    with attention_maps(module):
        module(u)
        assert module.captured is not None
    assert module.captured is None
    assert not module.capture


def test_the_gradient_of_the_map_reaches_the_input():
    module, u = double(GALA(8)), activity(2, 8, 3, 3).requires_grad_()
    with attention_maps(module) as maps:
        module(u)
        maps.last.sum().backward()
    assert u.grad.abs().sum() > 0


def test_no_images_give_no_output():
    assert GALA(8)(torch.zeros(0, 8, 4, 4)).shape == (0, 8, 4, 4)


def test_one_place_only_is_refused():
    with pytest.raises(InputError, match="1 x 1 places; local attention needs more than one"):
        GALA(8)(torch.zeros(2, 8, 1, 1))


def test_unknown_presets_and_impossible_options_are_refused():
    with pytest.raises(InputError, match='no preset "gala_tpus". Did you mean "gala_tpu"'):
        preset("gala_tpus")
    with pytest.raises(ValueError, match="odd"):
        GALAOptions(local_kernel_px=4)
    with pytest.raises(ValueError, match="reduction"):
        GALAOptions(reduction=0)
    with pytest.raises(InputError, match="3 channels cannot be reduced by 4"):
        GALA(3)
    with pytest.raises(InputError, match="8 channels cannot be reduced by 16"):
        SqueezeExcite(8)


def test_each_switch_changes_the_output():
    u, base = activity(2, 8, 5, 5), double(GALA(8))
    for options in SWITCHES[1:]:
        module = double(GALA(8, options))
        module.load_state_dict(base.state_dict(), strict=False)
        assert not torch.allclose(module(u), base(u))


def test_bfloat16_stays_close_to_float32():
    module, u = GALA(16), F.relu(activity(2, 16, 6, 6).float())
    with torch.autocast("cpu", torch.bfloat16):
        low = module(u)
    assert (low.float() - module(u)).abs().max() < 0.1


@pytest.mark.parametrize("attention", ["gala", "se", "none"])
@pytest.mark.parametrize("gradients", [True, False])
def test_maps_keep_float32_when_the_network_computes_in_bfloat16(attention, gradients):
    model = build(Architecture(family="compact", attention=attention, n_classes=4), seed=1).train()
    x = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(5))
    with torch.set_grad_enabled(gradients), attention_maps(model, layers="last", kind=kind_of(model)) as maps:
        wide = (model(x), maps.last.clone())[1]
        with torch.autocast("cpu", torch.bfloat16):
            model(x)
        found = maps.last
    assert found.dtype == torch.float32
    assert found.numel() == 196
    assert len(found.unique()) == 196  # in bfloat16 there are fewer than a hundred different values
    assert (found - wide).abs().max() / wide.abs().max() < 0.1


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
def test_the_gradient_of_a_float32_map_passes_through_bfloat16(squash):
    module, u = GALA(16, GALAOptions(squash=squash)), F.relu(activity(2, 16, 6, 6).float())
    gradients = []
    for enabled in (False, True):
        v = u.clone().requires_grad_()
        with attention_maps(module) as maps:
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                out = module(v.bfloat16() if enabled else v)
            (out.float().sum() + 10 * maps.last.sum()).backward()
        gradients.append(v.grad)
    assert torch.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), 0) > 0.99
