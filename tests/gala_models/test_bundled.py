import pytest

from rapidvision import recipes
from rapidvision.gala_models.layers.resnet import n_parameters
from rapidvision.gala_models.observer.networks import bundled_paths, find_networks
from rapidvision.gala_models.training.bundled_networks import bundled_recipe
from rapidvision.gala_models.training.recipe import Training
from rapidvision.gala_models.weights.card import read_card

NAMES = ["compact-gala-maps", "compact-gala", "compact-resnet", "compact-se"]


def test_the_bundled_networks_are_small_and_come_with_their_recipe():
    assert sorted(path.stem for path in bundled_paths()) == sorted(NAMES)
    assert sum(path.stat().st_size for path in bundled_paths()) <= 6e6
    recipe = bundled_recipe()
    for variant in recipe.networks:
        card = read_card(next(path for path in bundled_paths() if path.stem == variant.name))
        assert recipes.convert(card.recipe, Training) == recipe.of(variant)


def test_they_are_what_their_cards_say():
    networks = {network.name: network for network in find_networks("bundled")}
    assert sorted(networks) == sorted(NAMES)
    assert n_parameters(networks["compact-gala"].model) == 389_178
    for network in networks.values():
        assert network.readout.name == "categories"
        assert network.readout.n_classes == 8


@pytest.mark.parametrize("name", NAMES)
def test_they_know_the_categories_and_maps_change_where_they_look(name):
    cards = {path.stem: read_card(path) for path in bundled_paths()}
    test = cards[name].results["test"]
    assert test["n"] == 640
    assert test["top1_error"] < 25
    assert cards["compact-gala-maps"].results["test"]["rho"] >= cards[name].results["test"]["rho"]


def test_maps_raise_the_agreement_with_maps_by_far():
    cards = {path.stem: read_card(path) for path in bundled_paths()}
    gain = cards["compact-gala-maps"].results["test"]["rho"] - cards["compact-gala"].results["test"]["rho"]
    assert gain >= 0.2
