"""The partner of the ClickMe game: names in, probabilities out, refusals before the first round."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec import structs
from PIL import Image

from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models import clickme_partner
from rapidvision.gala_models.observer import networks
from rapidvision.gala_models.weights.card import Card
from rapidvision.gala_models.weights.load import load_model, save_model

BUNDLED = Path(__file__).parents[2] / "stimuli" / "bundled"
CATEGORIES = ("zebra", "bird", "couch")


@pytest.fixture(scope="module")
def answer():
    return clickme_partner.build_partner(CATEGORIES)


def test_probabilities_come_in_the_order_that_was_asked_for(answer):
    views = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    found = answer(views)
    assert found.shape == (3, 3)
    assert (found >= 0).all()
    assert (found.sum(1) <= 1 + 1e-9).all()
    assert np.allclose(clickme_partner.build_partner(CATEGORIES[::-1])(views), found[:, ::-1])


def test_an_answer_does_not_depend_on_who_else_is_in_the_batch(answer):
    views = np.random.default_rng(1).integers(0, 256, (4, 256, 256, 3), dtype=np.uint8)
    assert np.allclose(answer(views)[2], answer(views[2:3])[0], atol=1e-5)


def test_the_bundled_partner_knows_the_bundled_images():
    with (BUNDLED / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["category"] for row in rows]
    categories = sorted(set(names))
    views = np.stack([np.asarray(Image.open(BUNDLED / row["path"]).convert("RGB")) for row in rows])
    right = np.take(categories, clickme_partner.build_partner(categories)(views).argmax(1)) == names
    assert right.mean() > 0.7


def test_a_category_that_it_does_not_know_is_named():
    with pytest.raises(LookupError, match="submarine"):
        clickme_partner.build_partner(("zebra", "submarine"))


def test_a_network_without_named_classes_is_refused(tmp_path):
    model, card = load_model(networks.bundled_paths()[0])
    path = tmp_path / "nameless.safetensors"
    save_model(path, model, Card(name="nameless", architecture=card.architecture, preprocessing=card.preprocessing))
    with pytest.raises(InputError, match="no names"):
        clickme_partner.build_partner(CATEGORIES, model=str(path))


def test_an_installation_without_networks_says_how_to_make_some(monkeypatch):
    monkeypatch.setattr(clickme_partner, "bundled_paths", list)
    with pytest.raises(InputError, match="train-demo"):
        clickme_partner.build_partner(CATEGORIES)


def test_a_partner_without_answers_is_refused_before_the_first_round(tmp_path):
    """Finite weights, so that their file can be read, which overflow in the network."""
    model, card = load_model(networks.bundled_paths()[0])
    with torch.no_grad():
        model.fc.weight.fill_(3e38)
        model.fc.bias.fill_(3e38)
    path = tmp_path / "bad.safetensors"
    save_model(path, model, card)
    with pytest.raises(CheckFailed, match=r"bad\.safetensors: 1 of 1 images.*not finite is fc"):
        clickme_partner.build_partner(CATEGORIES, model=str(path))


def test_a_bundled_network_without_results_is_not_the_best(tmp_path, monkeypatch):
    model, card = load_model(networks.bundled_paths()[0])
    paths = []
    for name, test in (("a", {"top1_error": None, "maps": None}), ("b", {"top1_error": 90.0, "maps": None}), ("c", {})):
        paths.append(tmp_path / f"{name}.safetensors")
        save_model(paths[-1], model, structs.replace(card, results={"test": test}))
    monkeypatch.setattr(clickme_partner, "bundled_paths", lambda: paths)
    assert clickme_partner._best_bundled().stem == "b"
