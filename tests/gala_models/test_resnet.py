import pytest
import torch

from rapidvision import recipes
from rapidvision.errors import InputError, RecipeError
from rapidvision.gala_models.layers.architecture import PRESETS, Architecture, named
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.gala import GALA
from rapidvision.gala_models.layers.resnet import build, n_parameters

PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "se-resnet50": 28_088_024,
    "gala-resnet50": 30_298_670,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameter_counts_are_the_published_ones(name):
    with torch.device("meta"):
        assert n_parameters(build(name)) == PUBLISHED[name]


def test_one_gala_module_has_790273_parameters():
    assert n_parameters(GALA(1024)) == 790_273


def test_parameters_have_torchvisions_and_timms_names():
    names = build("resnet18").state_dict().keys()
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight"} <= names
    assert {"layer2.0.downsample.1.bias", "layer4.1.bn2.weight", "fc.weight", "fc.bias"} <= names
    assert {"layer3.0.se.fc1.weight", "layer3.1.se.fc2.bias"} <= build("compact-se").state_dict().keys()


def test_gala_sits_in_the_six_blocks_of_the_third_stage_at_14_x_14():
    model = build("gala-resnet50").eval()
    with torch.inference_mode(), attention_maps(model) as maps:
        model(torch.zeros(1, 3, 224, 224))
        shapes = {name: tuple(found.shape[2:]) for name, found in maps.items()}
    assert shapes == {f"layer3.{block}.gala": (14, 14) for block in range(6)}


def test_weights_follow_from_the_seed_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = build("compact-gala", seed=3), build("compact-gala", seed=3), build("compact-gala", seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.fc.weight, other.fc.weight)


def test_networks_of_one_seed_share_the_weights_that_they_have_in_common():
    plain, gala = build("compact-resnet", seed=2).state_dict(), build("compact-gala", seed=2).state_dict()
    assert all(torch.equal(plain[name], gala[name]) for name in plain)


@pytest.mark.parametrize("family", ["resnet18", "resnet50", "compact"])
@pytest.mark.parametrize("attention", ["none", "se", "gala"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_every_kind_runs_and_every_weight_learns(family, attention, preactivation):
    architecture = Architecture(family=family, attention=attention, preactivation=preactivation, n_classes=5)
    model = build(architecture).train()
    model(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_reference_codes_attention_gates_the_blocks_input():
    architecture = Architecture(attention="gala", gala=PRESETS["gala_tpu"], preactivation=True)
    model = build(architecture).eval()
    with torch.inference_mode(), attention_maps(model) as maps:
        model(torch.zeros(1, 3, 224, 224))
        first = maps["layer3.0.gala"]
    assert first.shape == (1, 1, 28, 28)  # before the stride
    assert model.layer3[0].gala.alpha.shape[1] == 512


@pytest.mark.parametrize(
    ("name", "kind", "layers"),
    [
        ("compact-resnet", "features", ["layer3.0", "layer3.1"]),
        ("compact-se", "attention", ["layer3.0.se", "layer3.1.se"]),
    ],
)
def test_maps_of_features_and_of_squeeze_and_excitation(name, kind, layers):
    model = build(name).eval()
    with torch.inference_mode(), attention_maps(model, kind=kind) as maps:
        model(torch.randn(1, 3, 96, 96))
        assert list(maps) == layers
        assert maps.last.shape == (1, 1, 12, 12)


def test_maps_that_are_not_there_are_refused():
    plain, gala = build("compact-resnet"), build("compact-gala")
    with pytest.raises(InputError, match='no attention layers; use kind="features"'), attention_maps(plain):
        pass
    with pytest.raises(InputError, match="Did you mean"), attention_maps(gala, layers=["layer3.0.gal"]):
        pass
    with pytest.raises(InputError, match="has not run yet"), attention_maps(gala) as maps:
        maps.last  # noqa: B018


def test_architectures_that_cannot_be_are_refused():
    with pytest.raises(InputError, match='architecture: got "gala-resnet5". Did you mean "gala-resnet50"'):
        named("gala-resnet5")
    for text, words in (
        ('family = "resnet51"', 'family: architecture: got "resnet51". Did you mean "resnet50"'),
        ("attention_stages = [5]", "attention_stages must lie in 1 to 4"),
        ("n_classes = 0", "n_classes"),
    ):
        with pytest.raises(RecipeError, match=words):
            recipes.parse(text, Architecture)
