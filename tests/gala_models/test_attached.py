"""Attention attached to any network: the start is the network itself, to the bit, and the network stays itself."""

import copy
import io
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import rapidvision as rv  # noqa: E402
from rapidvision import cli  # noqa: E402
from rapidvision.errors import CheckFailed, InputError  # noqa: E402
from rapidvision.gala_models.attached.hooks import attended_layers, bypassed  # noqa: E402
from rapidvision.gala_models.attached.module import FORMS  # noqa: E402
from rapidvision.gala_models.attached.splitting import Cached, Halves  # noqa: E402
from rapidvision.gala_models.attached.state import read_attached_card  # noqa: E402
from rapidvision.gala_models.weights.state import state_sha256  # noqa: E402
from tests.gala_models.timm_networks import create  # noqa: E402

#: timm's name → options, side, layer, layout, grid, prefix.
TIMM = {
    "vit_tiny_patch16_224": ({"img_size": 64}, 64, "blocks.6", "tokens", (4, 4), 1),
    "vit_small_patch16_dinov3": ({"img_size": 64}, 64, "blocks.9", "tokens", (4, 4), 5),
    "deit_tiny_distilled_patch16_224": ({"img_size": 64}, 64, "blocks.9", "tokens", (4, 4), 2),
    "swin_tiny_patch4_window7_224": ({}, 224, "layers.2", "channels_last", (14, 14), 0),
    "convnext_atto": ({}, 64, "stages.2", "channels_first", (4, 4), 0),
    "resnet18": ({}, 64, "layer3.1", "channels_first", (4, 4), 0),
    "efficientnet_lite0": ({}, 64, "blocks.5", "channels_first", (2, 2), 0),
    "mobilevit_xxs": ({}, 64, "stages.3", "channels_first", (4, 4), 0),
    "regnety_002": ({}, 64, "s3", "channels_first", (4, 4), 0),
    "mobilenetv3_small_050": ({}, 64, "blocks.3", "channels_first", (4, 4), 0),
}


class Small(nn.Module):
    """Two convolutions and a head; what it needs behind the cut is the input's batch size and a shortcut too."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 5)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        first = self.norm(self.one(x)).relu()
        second = self.two(first) + first
        return self.head(second.mean((2, 3)).view(x.size(0), -1))


@pytest.fixture
def small():
    torch.manual_seed(0)
    network = Small().eval()
    network.norm.running_mean.uniform_(-1, 1)
    return network


@pytest.fixture
def images():
    return torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def maps_of(images):
    """A map that follows from the image: where the first channel is high."""
    return images[:, :1] ** 4


@pytest.mark.parametrize("name", TIMM)
def test_a_timm_network_answers_to_the_bit_as_before_and_has_maps_of_the_layer(name):
    options, side, layer, layout, grid, prefix = TIMM[name]
    network = create(name, **options)
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before, digest = network(x), state_sha256(network)
        made = rv.models.attach(network, layer, x)
        assert (made[layer].shape.layout, made[layer].shape.grid, made[layer].shape.prefix) == (layout, grid, prefix)
        assert torch.equal(network(x), before)
    with rv.models.attention_maps(network) as maps:
        network(x).sum().backward()
        assert {where: tuple(one.shape) for where, one in maps.items()} == {f"{layer}.attended.gala": (2, 1, *grid)}
    moved = {key for key, value in network.named_parameters() if value.grad is not None and value.grad.any()}
    assert moved == {f"{layer}.attended.gala.alpha", f"{layer}.attended.gala.m"}
    assert rv.models.detach(network) == [layer]
    assert state_sha256(network) == digest and torch.equal(network(x), before)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_form_starts_as_the_network(small, images, form, dtype):
    network, x = small.to(dtype), images.to(dtype)
    with torch.no_grad():
        before = network(x)
        rv.models.attach(network, ["one", "two"], x, form=form)
        after = network(x)
    if form == "small" and dtype == torch.float32:
        assert (after - before).abs().max() <= 1e-6 * before.abs().max()
    else:
        assert torch.equal(after, before)


@pytest.mark.parametrize("form", FORMS)
def test_attention_that_is_not_at_its_start_scales_the_layer_as_written(small, images, form):
    """Against the paper's equations written out, with all paths drawn at random."""
    made = rv.models.attach(small, "one", images, form=form)["one"]
    gala = made.gala
    with torch.no_grad():
        for vector in (gala.alpha, gala.m, *([] if made.beta is None else [made.beta])):
            vector.copy_(torch.randn(vector.shape, generator=torch.Generator().manual_seed(3)))
        with bypassed(small):
            u = small.one(images).double()
        doubled = copy.deepcopy(gala).double()
        squeezed = doubled.global_expand(doubled.global_shrink(u.mean((2, 3), keepdim=True)).relu())
        local = doubled.local_collapse(doubled.local_shrink(u).relu())
        z = doubled.alpha * (squeezed + local) + doubled.m * (squeezed * local)
        wanted = {
            "gain": u * (1 + torch.tanh(z / 2)),  # 2σ(z)
            "level": u * (1 + torch.tanh(z / 2)) / (1 + torch.tanh(z / 2)).mean((1, 2, 3), keepdim=True),
            "small": u * (1 + torch.tanh(z)),
            "rezero": u * (1 + (made.beta if made.beta is not None else 0) * torch.tanh(z)),
        }[form]
        assert torch.allclose(small.one(images).double(), wanted, atol=1e-4)


def test_copies_and_pickles_keep_attention_and_can_be_detached(small, images):
    before = small(images)
    rv.models.attach(small, "two", images, form="rezero")
    buffer = io.BytesIO()
    torch.save(small, buffer)
    buffer.seek(0)
    for other in (copy.deepcopy(small), torch.load(buffer, weights_only=False)):
        assert torch.equal(other(images), before)
        assert rv.models.detach(other) == ["two"] and not other.two._forward_hooks
        assert torch.equal(other(images), before)
    assert list(attended_layers(small)) == ["two"]


def test_tokens_before_the_grid_pass_through(images):
    network = create("vit_tiny_patch16_224", img_size=64, depth=2)
    x = torch.rand(2, 3, 64, 64)
    part = rv.models.attach(network, "blocks.0", x)["blocks.0"]
    with torch.no_grad():
        part.gala.alpha.fill_(1.0)
        tokens = torch.rand(2, 17, 192)
        after = part(tokens)
    assert torch.equal(after[:, 0], tokens[:, 0]) and not torch.allclose(after[:, 1:], tokens[:, 1:])


class Odd(nn.Module):
    """Layers that attention cannot be attached to."""

    def __init__(self):
        super().__init__()
        self.conv, self.twice, self.fc = nn.Conv2d(3, 8, 1), nn.Identity(), nn.Linear(8, 2)
        self.dict, self.unused = Named(), nn.Identity()
        self.same = nn.AdaptiveAvgPool2d(8)
        self.point, self.thin = nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        u = self.same(self.twice(self.twice(self.conv(x))))
        self.thin(u)
        return self.fc(self.dict(self.point(u))["out"].flatten(1))


class Named(nn.Module):
    def forward(self, u):
        return {"out": u}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("convv", 'no layer "convv". Did you mean "conv"'),
        ("fc", r"layer fc gives \(2, 2\)"),
        ("point", "layer point gives .* 1 x 1 places"),
        ("thin", "layer thin gives .* 2 channels"),
        ("twice", "layer twice ran 2 times"),
        ("unused", "layer unused ran 0 times"),
        ("dict", "layer dict returns dict"),
        ("same", "layer same gives .* ambiguous"),  # its size does not follow that of the image
        (["conv", "conv"], "name each layer once"),
        ([], "no layer named"),
    ],
)
def test_what_cannot_carry_attention_is_refused_by_name_and_nothing_is_attached(layers, message):
    network = Odd().eval()
    with pytest.raises(InputError, match=message):
        rv.models.attach(network, layers, torch.rand(2, 3, 6, 6))
    assert not attended_layers(network) and all(one.requires_grad for one in network.parameters())


def test_as_many_channels_as_rows_are_told_from_half_of_the_image():
    network = nn.Sequential(nn.Conv2d(3, 6, 1), nn.Flatten(2), nn.AdaptiveAvgPool1d(1), nn.Flatten()).eval()
    assert rv.models.attach(network, "0", torch.rand(2, 3, 6, 6))["0"].shape.layout == "channels_first"


def test_other_refusals(small, images):
    with pytest.raises(InputError, match='form "paper"; choose gain'):
        rv.models.attach(small, "one", images, form="paper")
    with pytest.raises(InputError, match='does not fit layout "tokens"'):
        rv.models.attach(small, "one", images, layout="tokens")
    rv.models.attach(small, "one", images)
    with pytest.raises(InputError, match="one has attention already"):
        rv.models.attach(small, "one", images)
    with pytest.raises(InputError, match="use torch.export"), pytest.warns():
        torch.jit.trace(small, images)


def test_a_file_of_attention_fits_the_network_that_it_was_trained_with_only(small, images, tmp_path):
    other = copy.deepcopy(small)
    rv.models.attach(small, ["one", "two"], images)
    rv.models.cotrain(small, images, maps_of(images), options=rv.models.CoTraining(n_steps=5))
    path = tmp_path / "attention.safetensors"
    card = rv.models.save_attached(path, small, name="small", recipe=rv.models.CoTraining(n_steps=5))
    first = path.read_bytes()
    assert rv.models.load_attached(other, path) == card and card.recipe["n_steps"] == 5
    assert torch.equal(other(images), small(images))
    rv.models.save_attached(path, other, name="small", recipe=rv.models.CoTraining(n_steps=5))
    assert path.read_bytes() == first
    with pytest.raises(InputError, match="carry attention already"):
        rv.models.load_attached(other, path)
    rv.models.detach(other)
    with pytest.raises(InputError, match="no attached attention"):
        rv.models.save_attached(path, other)
    with torch.no_grad():
        other.head.bias += 1
    with pytest.raises(InputError, match="was trained with a small"):
        rv.models.load_attached(other, path)
    assert not attended_layers(other)
    with torch.no_grad():
        attended_layers(small)["one"].gala.m.fill_(float("nan"))
    with pytest.raises(CheckFailed, match="one.attended.gala.m"):
        rv.models.save_attached(path, small)
    assert path.read_bytes() == first


def test_the_halves_of_a_network_give_its_scores_and_the_cache_ignores_what_is_attached(small, images):
    halves = Halves(small, ["one"])
    with torch.no_grad():
        assert torch.equal(halves.tail(*halves.head(images)), small(images))
        before = small(images)
        rv.models.attach(small, ["one", "two"], images)
        attended_layers(small)["one"].gala.alpha.fill_(2.0)
        cached = Cached(small, ["one", "two"], images, batch_size=4)
        assert torch.equal(cached.reference[0], before)
        rows = torch.tensor([3, 1])
        values = cached.taken(rows, torch.tensor([0, 0]))
        values[0] = attended_layers(small)["one"](values[0])
        assert torch.allclose(cached.halves.tail(*values), small(images[rows]), atol=1e-6)


@pytest.mark.parametrize("layers", [["two"], ["one", "two"]])
def test_cached_and_uncached_training_end_alike(small, images, layers):
    ends = []
    for cache_mb in (2048, 0):
        network = copy.deepcopy(small)
        rv.models.attach(network, layers, images)
        options = rv.models.CoTraining(n_steps=8, batch_size=4, cache_mb=cache_mb)
        run = rv.models.cotrain(network, images, maps_of(images), options=options, seed=3)
        assert run.cached == (cache_mb > 0) and bool(run.note) == (cache_mb == 0)
        ends.append(torch.cat([value.flatten() for value in rv.models.split_state(network)[1].values()]))
    assert torch.allclose(*ends, atol=1e-4)


def test_training_follows_from_the_seed_and_changes_attention_only(small, images):
    ends, digest = [], state_sha256(small)
    for seed in (0, 0, 1):
        network = copy.deepcopy(small)
        rv.models.attach(network, "two", images)
        rv.models.cotrain(network, images, maps_of(images), options=rv.models.CoTraining(n_steps=10), seed=seed)
        ends.append(state_sha256(network))
        rv.models.detach(network)
        assert state_sha256(network) == digest
    assert ends[0] == ends[1] != ends[2]


def test_maps_are_learned_from_own_maps_only_and_answers_are_kept(small):
    """Held-out images; with other images' maps, attention learns nothing about these."""
    x = torch.rand(40, 3, 12, 12, generator=torch.Generator().manual_seed(2))
    before, train, found = small(x), torch.arange(20), {}
    for kind, maps in (("own", maps_of(x)), ("shuffled", torch.cat([maps_of(x)[:20].roll(1, 0), maps_of(x)[20:]]))):
        rv.models.attach(small, "one", x[:20])
        rv.models.cotrain(small, x, maps, options=rv.models.CoTraining(n_steps=200), rows=train)
        with torch.no_grad(), rv.models.attention_maps(small) as seen:
            change = (small(x) - before).abs().max() / before.std()
            found[kind] = rv.models.map_agreement(seen.last[20:, 0].numpy(), maps_of(x)[20:, 0].numpy())
        rv.models.detach(small)
        assert change < 1
    assert found["own"].rho.mean() > 0.4 > 0.15 > found["shuffled"].rho.mean()
    assert found["own"].p_value(n_resamples=999) == 0.001


def test_a_trained_backbone_moves_and_an_unused_task_is_refused(small, images):
    digest = state_sha256(small)
    rv.models.attach(small, "one", images)
    options = rv.models.CoTraining(n_steps=3, backbone="trained", task="classes")
    with pytest.raises(InputError, match='task "classes" needs a label'):
        rv.models.cotrain(small, images, maps_of(images), options=options)
    run = rv.models.cotrain(small, images, maps_of(images), options=options, labels=torch.arange(6) % 5)
    rv.models.detach(small)
    assert state_sha256(small) != digest and not run.cached and "own parameters" in run.note


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (torch.zeros(6, 1, 4, 4), "no training image has a map"),
        (torch.full((6, 1, 4, 4), float("nan")), "no training image has a map"),
        (torch.rand(5, 1, 4, 4), "for 6 images"),
        (torch.rand(6, 4, 4), "for 6 images"),
    ],
)
def test_maps_that_cannot_train_are_refused(small, images, maps, message):
    rv.models.attach(small, "one", images)
    with pytest.raises(InputError, match=message):
        rv.models.cotrain(small, images, maps)


def test_nothing_attached_and_a_loss_that_is_not_finite_are_refused(small, images):
    with pytest.raises(InputError, match="call attach first"):
        rv.models.cotrain(small, images, maps_of(images))
    rv.models.attach(small, "one", images)
    with torch.no_grad():
        small.head.bias.fill_(float("inf"))
    with pytest.raises(CheckFailed, match="at step 1"):
        rv.models.cotrain(small, images, maps_of(images))


@pytest.fixture
def stores(tmp_path):
    """Two stores of coloured noise whose maps follow from the images."""
    from rapidvision.gala_models.data.dataset import pack
    from rapidvision.gala_models.data.example import Example
    from rapidvision.gala_models.weights.card import Category

    categories = (Category(name="a", target=True), Category(name="b", target=False))
    for place, n in (("train", 12), ("test", 5)):
        rng = np.random.default_rng(n)
        pixels = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        examples = [
            Example(str(i), one, i % 2, one[..., 0].astype(np.float32) if i else None) for i, one in enumerate(pixels)
        ]
        pack(examples, tmp_path / place, n=n, side_px=32, categories=categories)
    return tmp_path


@pytest.mark.parametrize("task", ["keep", "target"])
def test_the_verb_trains_measures_and_writes_the_same_bytes_again(stores, monkeypatch, capsys, task):
    monkeypatch.chdir(stores)
    (stores / "cotraining.toml").write_text(f'n_steps = 4\ntask = "{task}"\n', encoding="utf-8")
    (stores / "attached_nets.py").write_text(
        "import torch\nfrom torch import nn\ndef make():\n    torch.manual_seed(0)\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))\n",
        encoding="utf-8",
    )
    command = (
        "models attach --model attached_nets:make --readout binary --size 32 --layers 0 --store train --held-out test "
    )
    for out in ("a", "b"):
        assert (
            cli.main(
                [*command.split(), "--recipe", "cotraining.toml", "--seed", "2", "--quiet", "--json", "--out", out]
            )
            == 0
        )
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (stores / "a").read_bytes() == (stores / "b").read_bytes()
    assert (
        found["n_maps"] == 11
        and found["held_out"]["0"]["n_maps"] == 4
        and 0 <= found["held_out"]["0"]["agreement"] <= 1
    )
    assert read_attached_card(stores / "a").results == found["held_out"]
    assert cli.main([*command.split(), "--layers", "9", "--out", "c"]) != 0
    assert 'no layer "9"' in capsys.readouterr().err and not (stores / "c").exists()
