"""Where a network looks, by every method: found where the evidence is, and as the method's definition says."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import rapidvision as rv  # noqa: E402
from rapidvision.errors import InputError  # noqa: E402
from rapidvision.gala_models.attribution.evidence import shown  # noqa: E402
from rapidvision.gala_models.attribution.rise import random_masks  # noqa: E402
from rapidvision.gala_models.attribution.rollout import attention_weights  # noqa: E402
from rapidvision.gala_models.registries import ATTRIBUTIONS  # noqa: E402
from tests.gala_models.timm_networks import create  # noqa: E402

SIDE = 32
NEEDS_CAPTUM = ("guided-backprop", "guided-grad-cam", "integrated-gradients", "occlusion")
METHODS = ("activity", "smoothgrad", "grad-cam", "rise", *NEEDS_CAPTUM)


class Red(nn.Module):
    """Evidence for "target" is how much red there is anywhere."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Linear(4, 2)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[:, 0] = 1.0
            self.conv.bias.zero_()
            self.head.weight.copy_(torch.tensor([[-1.0], [1.0]]).expand(2, 4))
            self.head.bias.zero_()

    def forward(self, x):
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


def network_of(model, side=SIDE):
    return rv.models.load(model, readout="binary", size_px=side)


def red_squares():
    """Grey images with a red square, and where it is."""
    images, inside = np.full((3, SIDE, SIDE, 3), 120, np.uint8), np.zeros((3, SIDE, SIDE), bool)
    for at, (top, left) in enumerate([(4, 4), (16, 18), (6, 20)]):
        inside[at, top : top + 8, left : left + 8] = True
    images[inside] = (250, 120, 120)
    return images, inside


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_what_the_evidence_is_made_of(method):
    if method in NEEDS_CAPTUM:
        pytest.importorskip("captum")
    images, inside = red_squares()
    found = rv.models.attributions(network_of(Red()), images, method=method)
    assert found.shape == inside.shape and found.dtype == np.float32 and found.min() == 0 and found.max() == 1
    assert found[inside].mean() > 2 * found[~inside].mean()
    again = rv.models.attributions(network_of(Red()), images, method=method)
    assert np.array_equal(found, again)


def test_grad_cam_is_captums_on_a_convolution():
    captum = pytest.importorskip("captum.attr")
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, 2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 2),
    )
    network, (images, _) = network_of(model), red_squares()
    seen = shown(network, images)
    theirs = captum.LayerGradCam(seen.evidence, model[2]).attribute(seen.x, target=0, relu_attributions=True)
    ours = rv.models.attributions(network, images, method="grad-cam", layer="2")
    assert np.allclose(ours, seen.on_images(theirs[:, 0]).numpy(), atol=1e-5)


def test_integrated_gradients_add_up_to_the_evidence():
    captum = pytest.importorskip("captum.attr")
    network, (images, _) = network_of(Red()), red_squares()
    seen = shown(network, images)
    whole = captum.IntegratedGradients(seen.evidence).attribute(seen.x, target=0, n_steps=32)
    change = seen.evidence(seen.x) - seen.evidence(torch.zeros_like(seen.x))
    assert torch.allclose(whole.sum((1, 2, 3)), change[:, 0], atol=1e-3)
    ours = rv.models.attributions(network, images, method="integrated-gradients")
    assert np.allclose(ours, seen.on_images(whole.abs().sum(1)).numpy(), atol=1e-4)


def test_rise_is_the_mean_probability_over_masks_that_show_a_place():
    network, (images, _) = network_of(Red()), red_squares()
    seen, masks = shown(network, images[:1]), random_masks(40, 4, SIDE, 0.5, 3)
    p = seen.evidence(seen.x * masks[:, None]).double().sigmoid()[:, :, None]
    wanted = seen.on_images(((p * masks).sum(0) / masks.double().sum(0))[None])
    ours = rv.models.attributions(network, images[:1], method="rise", n_masks=40, n_cells=4, seed=3)
    assert np.allclose(ours, wanted.numpy(), atol=1e-5)
    assert 0.4 < float(masks.mean()) < 0.6


@pytest.mark.parametrize(
    ("name", "options", "side", "n_prefix"),
    [
        ("vit_tiny_patch16_224", {"img_size": 64, "depth": 3}, 64, 1),
        ("deit_tiny_distilled_patch16_224", {"img_size": 64, "depth": 3}, 64, 2),
    ],
)
def test_rollout_is_the_product_of_attention_with_the_shortcut(name, options, side, n_prefix):
    model = create(name, num_classes=2, **options)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    network = network_of(model, side)
    seen = shown(network, images)
    with torch.no_grad():
        before = model(seen.x)
        with attention_weights(model) as weights:
            assert torch.allclose(model(seen.x), before, atol=1e-5)
    assert len(weights) == 3 and all(
        torch.allclose(one.sum(-1), torch.ones(2, 16 + n_prefix), atol=1e-5) for one in weights
    )
    product = torch.eye(16 + n_prefix)
    for one in weights:
        product = (0.5 * one + 0.5 * torch.eye(16 + n_prefix)) @ product
    wanted = seen.on_images(product[:, :n_prefix, n_prefix:].mean(1).reshape(-1, 4, 4))
    ours = rv.models.attributions(network, images, method="rollout")
    assert np.allclose(ours, wanted.numpy(), atol=1e-4)
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert rv.models.attributions(network, images, method="grad-cam").max() == 1  # a layer of tokens is found


def test_rollout_reads_torchs_own_attention():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.attention, self.head = (
                nn.Conv2d(3, 8, 8, 8),
                nn.MultiheadAttention(8, 2, batch_first=True),
                nn.Linear(8, 2),
            )

        def forward(self, x):
            u = self.patch(x).flatten(2).transpose(1, 2)
            return self.head((u + self.attention(u, u, u, need_weights=False)[0]).mean(1))

    torch.manual_seed(0)
    images, _ = red_squares()
    found = rv.models.attributions(network_of(Block().eval()), images, method="rollout")
    assert found.shape == (3, SIDE, SIDE) and found.max() == 1


def test_what_a_method_needs_and_lacks_is_said():
    images, _ = red_squares()
    red = network_of(Red())
    with pytest.raises(InputError, match="rollout: Red has no attention"):
        rv.models.attributions(red, images, method="rollout")
    with pytest.raises(InputError, match='no option "layr"; it takes layer'):
        rv.models.attributions(red, images, method="grad-cam", layr="conv")
    with pytest.raises(InputError, match='no layer "convv"'):
        rv.models.attributions(red, images, method="grad-cam", layer="convv")
    with pytest.raises(InputError, match="grad-cam"):
        rv.models.attributions(red, images, method="grad-camm")
    with pytest.raises(InputError, match="no layer with a grid"):
        rv.models.attributions(
            network_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2))), images, method="grad-cam"
        )
    with pytest.raises(InputError, match=r"no nn\.ReLU modules"):
        rv.models.attributions(
            network_of(
                nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
            ),
            images,
            method="guided-backprop",
        )
    with pytest.raises(InputError, match="0 < stride <= window"):
        rv.models.attributions(red, images, method="occlusion", stride=0.5)
    with pytest.raises(InputError, match="masks"):
        rv.models.attributions(red, images, method="rise", n_masks=0)
    windows = create("swin_tiny_patch4_window7_224", num_classes=2)
    with pytest.raises(InputError, match="attends within windows"):
        rv.models.attributions(network_of(windows, 224), np.zeros((1, 224, 224, 3), np.uint8), method="rollout")


def test_every_built_in_method_is_tested():
    assert {*ATTRIBUTIONS} >= {*METHODS, "attention", "rollout"}


def test_alignment_tells_a_network_that_looks_where_people_look_from_one_that_does_not():
    images, inside = red_squares()
    images, human = np.concatenate([images] * 2), np.concatenate([inside] * 2).astype(float)
    human[5] = 0
    found = rv.models.human_alignment([network_of(Red())], images, human, methods=["grad-cam", "activity"], ceiling=0.8)
    summary = found.summary(seed=1)
    assert found.n_left_out == 1 and found.images == ("0", "1", "2", "3", "4")
    rows = {row["attribution"]: row for row in summary["maps"]}
    assert list(rows) == ["grad-cam", "activity", "centre", "mean of others"]
    own = rows["grad-cam"]
    assert own["rho"][0] > 0.5 > rows["centre"]["rho"][0] and own["own_minus_other"][0] > 0.3
    assert own["alignment"] == pytest.approx(own["rho"][0] / 0.8, abs=1e-5)
    assert own["p"] < 0.1 and rows["centre"]["p"] == 1
    pair = next(one for one in summary["pairs"] if (one["first"], one["second"]) == ("Red grad-cam", "centre"))
    assert pair["rho_difference"] == pytest.approx(own["rho"][0] - rows["centre"]["rho"][0], abs=1e-5)
    assert found.summary(seed=1) == summary


@pytest.mark.parametrize(
    ("human", "options", "message"),
    [
        (np.ones((2, 8, 8)), {}, "for 3 images"),
        (np.zeros((3, 8, 8)), {}, "0 images have a human map"),
        (np.ones((3, 8, 8)), {"methods": ["activity", "activity"]}, "different names"),
        (np.ones((3, 8, 8)), {"ceiling": 0}, "ceiling 0"),
    ],
)
def test_alignment_refuses_what_cannot_be_compared(human, options, message):
    with pytest.raises(InputError, match=message):
        rv.models.human_alignment([network_of(Red())], red_squares()[0], human, **options)


def test_the_verb_compares_a_store_and_writes_the_same_bytes_again(tmp_path, capsys):
    from rapidvision import cli
    from rapidvision.gala_models.data.dataset import pack
    from rapidvision.gala_models.data.example import Example
    from rapidvision.gala_models.observer.networks import bundled_paths

    rng = np.random.default_rng(0)
    examples = [
        Example(f"i{n}", rng.integers(0, 256, (88, 88, 3), dtype=np.uint8), n % 2, rng.random((88, 88), np.float32))
        for n in range(4)
    ]
    pack(examples, tmp_path / "store", n=4, side_px=88)
    model = next(path for path in bundled_paths() if path.stem == "compact-gala")
    command = f"models compare-attributions --store {tmp_path}/store --model {model} --attribution attention --attribution activity --seed 1"
    for out in ("a.csv", "b.csv"):
        assert cli.main([*command.split(), "--quiet", "--json", "--out", str(tmp_path / out)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["attribution"] for row in found["maps"]] == ["attention", "activity", "centre", "mean of others"]
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.csv").read_text(encoding="utf-8") and len(text.splitlines()) == 17
    assert cli.main([*command.split(), "--attribution", "rollout"]) != 0
    assert "rollout: compact-gala has no attention" in capsys.readouterr().err
