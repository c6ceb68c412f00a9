import csv

import numpy as np
import pytest
import torch

from rapidvision.errors import InputError
from rapidvision.gala_models.evaluation.compare_models import compare
from rapidvision.gala_models.evaluation.evaluate import Ceiling, evaluate
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.card import Card, Category
from rapidvision.gala_models.weights.load import save_model

SMALL = Preprocessing(size_px=32, resize_px=36)


class Fixed(torch.nn.Module):
    """Scores that rise with the class, and the features of a small network."""

    def __init__(self):
        super().__init__()
        self.inner = build(Architecture(family="compact", n_classes=4))

    def forward(self, x):
        self.inner(x)
        return torch.arange(4.0).expand(len(x), 4)


def test_errors_count_the_classes_that_score_higher(make_store):
    found = evaluate(Fixed(), make_store(), SMALL)
    assert found.top1_error == 0.75  # the highest class is right for a quarter
    assert found.top5_error == 0
    np.testing.assert_array_equal(found.rank_of_label, 3 - found.labels)
    assert (found.predicted == 3).all()


def test_batches_do_not_change_the_evaluation(make_store):
    model, store = build(Architecture(family="compact", attention="gala", n_classes=4), seed=2), make_store()
    one, other = (evaluate(model, store, SMALL, batch_size=n) for n in (7, 48))
    np.testing.assert_allclose(one.rho, other.rho, atol=1e-6)
    assert model.training  # as it was before


def test_images_without_a_map_are_left_out_and_counted(make_store):
    model = build(Architecture(family="compact", attention="gala", n_classes=4))
    summary = evaluate(model, make_store(share_of_maps=0.5), SMALL).summary()
    assert (summary["n"], summary["n_maps"], summary["n_maps_left_out"]) == (48, 24, 24)
    none = evaluate(model, make_store("none", share_of_maps=0.0), SMALL).summary()
    assert none["maps"] is None


def test_maps_is_the_share_of_what_people_agree_on(make_store):
    model = build(Architecture(family="compact", attention="gala", n_classes=4))
    found = evaluate(model, make_store(), SMALL, ceiling=Ceiling(rho=0.5, null=0.1))
    summary = found.summary()
    assert summary["maps"] == pytest.approx(100 * found.rho.mean() / 0.5, abs=1e-3)
    assert summary["maps_p"] == pytest.approx((found.rho < 0.1).mean(), abs=1e-4)


def save(path, seed, **more):
    model = build(Architecture(family="compact", attention="gala", n_classes=4), seed=seed)
    categories = tuple(Category(name=letter, target=letter in "ab") for letter in "abcd")
    fields = {"name": path.stem, "architecture": model.architecture, "categories": categories, "preprocessing": SMALL}
    save_model(path, model, Card(**{**fields, **more}))


def test_networks_are_compared_image_by_image(make_store, tmp_path):
    make_store()
    for seed in (0, 1):
        save(tmp_path / f"net{seed}.safetensors", seed)
    paths = [tmp_path / "net0.safetensors", tmp_path / "net1.safetensors"]
    result = compare(paths, tmp_path / "store", seed=1, out=tmp_path / "e.csv")
    a, b = result.evaluations.values()
    assert result.pairs[0]["rho_difference"] == pytest.approx(np.mean(a.rho - b.rho))
    rows = list(csv.DictReader((tmp_path / "e.csv").read_text().splitlines()))
    assert len(rows) == 96
    assert float(rows[50]["rho"]) == pytest.approx(b.rho[2], abs=1e-6)
    assert (tmp_path / "e.json").is_file()
    assert "net0 - net1: rho" in result.text()


def test_comparisons_that_mean_nothing_are_refused(make_store, tmp_path):
    make_store()
    save(tmp_path / "a.safetensors", 0, categories=(Category(name="x", target=True),) * 4)
    with pytest.raises(InputError, match="trained on other categories"):
        compare([tmp_path / "a.safetensors"], tmp_path / "store")
    save(tmp_path / "b.safetensors", 0)
    with pytest.raises(InputError, match="a second network named b"):
        compare([tmp_path / "b.safetensors"] * 2, tmp_path / "store")
