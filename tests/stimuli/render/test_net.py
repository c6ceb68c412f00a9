"""The proof's network: what it computes is what it says, and the same as the network that was fitted."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from rapidvision.stimuli.render.decodability import network, rejection
from tests.conftest import missing

TOOL = Path(__file__).parents[3] / "tools" / "calibrate_images.py"


def by_hand(x, kernel, bias):
    """A block from another library's correlation."""
    height, width, _ = x.shape
    out = []
    for o, b in enumerate(bias):
        total = sum(
            signal.correlate(x[..., i], kernel[..., i, o], mode="same", method="direct") for i in range(x.shape[2])
        )
        out.append(np.maximum(total + b, 0.0)[: height // 2 * 2, : width // 2 * 2])
    return np.stack(out, -1).reshape(height // 2, 2, width // 2, 2, -1).max((1, 3))


@pytest.mark.parametrize("shape", [(8, 8, 1), (10, 7, 3)])
def test_a_block_convolves_rectifies_and_takes_the_largest_of_four(shape):
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=shape), rng.normal(size=(3, 3, shape[2], 5)), rng.normal(size=5)
    np.testing.assert_allclose(network.block(x, kernel, bias), by_hand(x, kernel, bias), atol=1e-12)


def test_the_odds_of_the_shipped_network_are_those_computed_by_hand():
    shipped = rejection.model().net
    spectrum = shipped.middle + np.random.default_rng(1).normal(size=shipped.middle.shape)
    x = (spectrum - shipped.middle)[..., None]
    for kernel, bias in zip(shipped.kernels, shipped.biases, strict=True):
        x = by_hand(x, kernel, bias)
    assert network.log_odds(shipped, spectrum) == pytest.approx(
        x.mean((0, 1)) @ shipped.last + shipped.constant, abs=1e-6
    )


def test_the_fitted_network_finds_a_planted_difference_and_is_folded_without_loss():
    try:
        import torch
    except ImportError:
        missing("PyTorch is not installed")
    spec = importlib.util.spec_from_file_location("calibrate_images", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    rng = np.random.default_rng(2)
    target = np.arange(640) // 8 % 2 == np.arange(640) % 2
    spectra = rng.normal(size=(640, 64, 33))
    spectra[target] += 0.8 * np.repeat(rng.normal(size=(target.sum(), 64, 1)), 33, 2)  # lines
    torch.manual_seed(3)
    fitted = tool.network()
    tool.fit(
        fitted,
        torch.tensor(spectra[:, None], dtype=torch.float32),
        torch.tensor(target.astype(np.float32)),
        torch.ones(len(target)),
    )
    folded = tool.folded(fitted, np.zeros((64, 33)))
    odds = np.array([network.log_odds(folded, one) for one in spectra[:64]])
    with torch.no_grad():
        expected = fitted(torch.tensor(spectra[:64, None], dtype=torch.float32))[:, 0].numpy()
    np.testing.assert_allclose(odds, expected, atol=1e-4)
    assert ((odds > 0) == target[:64]).mean() > 0.9
