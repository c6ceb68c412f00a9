import copy

import pytest
import torch

from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.compiling import compiled
from rapidvision.gala_models.layers.gala import GALA


def with_gradients(call, module, x):
    module.zero_grad()
    with attention_maps(module) as maps:
        y = call(x)
        (y.square().sum() + maps.last.sum()).backward()
        return [y.detach(), maps.last.detach(), *(parameter.grad.clone() for parameter in module.parameters())]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own parts use deprecated parts of torch
def test_a_compiled_module_gives_the_same_scores_maps_and_gradients_or_says_why_it_is_not_compiled():
    torch.manual_seed(1)
    module, x = (
        GALA(8).double(),
        torch.randn(2, 8, 4, 4, dtype=torch.float64),
    )  # single precision is off by 1e-4 at times
    expected = with_gradients(module, module, x)
    twin = copy.deepcopy(module)
    call, note = compiled(twin)
    if note:
        assert call is twin
        assert "no C++ compiler found" in note
    for one, other in zip(with_gradients(call, twin, x), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_without_a_compiler_the_network_runs_uncompiled_with_a_note(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    module = GALA(8)
    call, note = compiled(module)
    assert call is module
    assert note.startswith("compile: no C++ compiler found (no-such-compiler)")
