"""No score that is missing, infinite or shared ever ranks first."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr
from torch import nn

from rapidvision import cli
from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models.computing.device import Device
from rapidvision.gala_models.data.batches import Batches
from rapidvision.gala_models.data.dataset import pack
from rapidvision.gala_models.data.example import Example
from rapidvision.gala_models.data.targets import resized
from rapidvision.gala_models.evaluation.evaluate import evaluate
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.resnet import Block, build
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.scores import first_guess, ranks

SMALL = Preprocessing(size_px=32, resize_px=36)
COMPACT = Architecture(family="compact", attention="gala", n_classes=4)


def filled(value, layer="fc.bias"):
    network = build(COMPACT)
    with torch.no_grad():
        network.get_parameter(layer).fill_(value)
    return network


def test_ranks_against_counting_by_hand():
    rng = np.random.Generator(np.random.PCG64(11))
    for _ in range(200):
        scores = rng.integers(0, 4, (5, 6)).astype(np.float32)  # many ties
        labels = rng.integers(0, 6, 5)
        expected = [
            sum(scores[row, other] >= scores[row, label] for other in range(6) if other != label)
            for row, label in enumerate(labels)
        ]
        assert ranks(torch.from_numpy(scores), torch.from_numpy(labels)).tolist() == expected
        alone = [row.argmax() if np.count_nonzero(row == row.max()) == 1 else -1 for row in scores]
        assert first_guess(torch.from_numpy(scores)).tolist() == alone


def test_scores_that_differ_by_rounding_alone_are_equal():
    third = torch.tensor(1.0) / 3
    tenths = torch.full((10,), 0.1).cumsum(0)[-1]  # not 1 in float32
    assert ranks(torch.stack([tenths, torch.tensor(1.0), third])[None], torch.tensor([0])).item() == 1
    assert ranks(torch.tensor([[1.0, 1.0 - 1e-5]]), torch.tensor([0])).item() == 0


def test_a_network_of_equal_scores_is_wrong_every_time(make_store):
    network = build(COMPACT)
    with torch.no_grad():
        network.fc.weight.zero_()
    found = evaluate(network, make_store(), SMALL)
    assert (found.top1_error, found.summary()["n_ties"]) == (1.0, 48)
    assert (found.rank_of_label == 3).all()
    assert (found.predicted == -1).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_not_finite_are_refused_with_image_and_layer(make_store, value):
    store = make_store()
    with pytest.raises(CheckFailed, match=r"ours: 48 of 48 images .*square-000, .*first layer .* is fc\b"):
        evaluate(filled(value), store, SMALL, name="ours")
    with pytest.raises(CheckFailed, match=r"is layer2\.0\.bn1"):
        evaluate(filled(value, "layer2.0.bn1.weight"), store, SMALL)


class OddAt(nn.Module):
    """Scores of a network, but NaN for the brightest corner."""

    def __init__(self):
        super().__init__()
        self.inner = build(COMPACT)

    def forward(self, x):
        scores = self.inner(x)
        return torch.where(x[:, :, :16, :16].mean((1, 2, 3)).gt(0.0)[:, None], torch.nan, scores)


def test_one_image_without_scores_is_enough(make_store):
    with pytest.raises(CheckFailed, match=r"OddAt: 12 of 48 images .*square-000.*the network's own output"):
        evaluate(OddAt(), make_store(), SMALL)


class FlatGate(nn.Module):
    """A network whose attention is NaN although its scores are sound."""

    def __init__(self):
        super().__init__()
        self.inner = build(COMPACT)
        with torch.no_grad():
            self.inner.layer3[-1].gala.alpha.fill_(torch.nan)

    def forward(self, x):
        return torch.nan_to_num(self.inner(x)) + torch.arange(4.0)


def test_attention_that_is_not_finite_is_refused(make_store):
    with pytest.raises(CheckFailed, match=r"attention: 48 of 48 .*layer3\.1\.gala"):
        evaluate(FlatGate(), make_store(), SMALL)


def test_labels_beyond_the_outputs_are_refused(make_store):
    with pytest.raises(InputError, match="has 3 outputs, the store has labels up to 3"):
        evaluate(build(Architecture(family="compact", attention="gala", n_classes=3)), make_store(), SMALL)


class Far(Block):
    """A block on a device that refuses images of another one, as a GPU does."""

    def forward(self, x):
        if x.device.type != "meta":
            raise RuntimeError("Expected all tensors to be on the same device")
        return torch.rand(len(x), 8, 4, 4)  # meta tensors hold no numbers


class Elsewhere(nn.Module):
    """A stand-in for a network on a GPU."""

    def __init__(self):
        super().__init__()
        block = Far(8, 8, 1, bottleneck=False, architecture=Architecture(family="compact"), attended=False)
        self.layer3 = nn.Sequential(block).to("meta")

    def forward(self, x):
        return self.layer3(x).mean((2, 3))[:, :4]


def test_images_follow_the_network_to_its_device(make_store):
    found = evaluate(Elsewhere(), make_store(), SMALL)
    assert np.isfinite(found.rho).all()
    network = build(COMPACT)
    network.fc.to("meta")
    with pytest.raises(InputError, match="its parameters lie on cpu, meta; move it to one device"):
        evaluate(network, make_store("again"), SMALL)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_devices_that_are_not_here_are_refused(tmp_path, capsys):
    for name in ("cuda", "cuda:7", "gpu", "meta"):
        with pytest.raises(InputError, match=f'device: "{name}" cannot be used here'):
            Device.named(name)
    words = [
        "models",
        "attention-maps",
        "p.png",
        "--model",
        "bundled",
        "--device",
        "cuda",
        "--out",
        str(tmp_path / "a"),
    ]
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    words[2] = str(tmp_path / "p.png")
    assert cli.main(words) == 2
    assert 'device: "cuda" cannot be used here' in capsys.readouterr().err


@pytest.mark.parametrize("batch_size", [1, 2, 5, 48])
def test_the_null_is_the_mean_over_all_pairs_of_other_classes(make_store, batch_size):
    """Counted pair by pair with scipy, from the maps themselves."""
    network, store = build(COMPACT, seed=2).eval(), make_store(share_of_maps=0.5)
    found = evaluate(network, store, SMALL, batch_size=batch_size)
    batch = Batches(store, 32, 48).make(np.arange(48), None)
    x, importance, labels, has_map = batch.tensors(SMALL)
    with torch.inference_mode(), attention_maps(network, layers="last") as maps:
        network(x)
        seen = maps.last.flatten(1).numpy()
    wanted = resized(importance, *found.grid).flatten(1).numpy()
    rows = np.flatnonzero(has_map.numpy())
    own = {a: [spearmanr(seen[a], wanted[b]).statistic for b in rows if labels[a] != labels[b]] for a in rows.tolist()}
    assert found.null == pytest.approx(np.mean([np.mean(one) for one in own.values()]), abs=1e-4)


def test_a_null_of_one_class_is_none(make_store, tmp_path):
    rng = np.random.Generator(np.random.PCG64(4))
    drawn = [
        Example(f"p{n}", rng.integers(0, 255, (36, 36, 3), dtype=np.uint8), 0, rng.random((36, 36), np.float32))
        for n in range(6)
    ]
    store = pack(drawn, tmp_path / "one", n=6, side_px=36)
    assert evaluate(build(COMPACT), store, SMALL).summary()["rho_other_classes"] is None
