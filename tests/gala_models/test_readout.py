import math

import pytest
import torch

from rapidvision.errors import InputError
from rapidvision.gala_models.observer import readout
from rapidvision.gala_models.weights.card import Category


def test_a_flat_answer_is_neither_only_with_the_prior_taken_out():
    flat = torch.zeros(1, 1000)
    assert readout.imagenet_animal().evidence(flat).item() == pytest.approx(0, abs=1e-12)
    raw = readout.imagenet_animal(corrected=False).evidence(flat).item()
    assert raw == pytest.approx(math.log(398 / 602))


def test_animals_are_the_lists_of_the_predecessor(data_folder):
    text = (data_folder / "ilsvrc_lists" / "idx_ILSVRC12_animal.txt").read_text()
    assert sorted(int(word) for word in text.split()) == list(range(readout.N_IMAGENET_ANIMALS))


def test_a_categorys_many_classes_are_no_advantage():
    assert readout.imagenet_categories().evidence(torch.zeros(1, 1000)).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("index", "sign"), [(340, 1), (101, 1), (130, 1), (283, 1), (532, -1), (879, -1)])
def test_a_sure_category_decides(index, sign):
    scores = torch.zeros(1, 1000)
    scores[0, index] = 20.0
    assert readout.imagenet_categories().evidence(scores).item() * sign > 5


def test_evidence_is_the_log_odds_of_the_probabilities():
    categories = [Category(name=name, target=name in "ab") for name in "abcd"]
    scores = torch.randn(5, 4, dtype=torch.double)
    p = scores.softmax(1)
    expected = (p[:, :2].sum(1) / p[:, 2:].sum(1)).log()
    torch.testing.assert_close(readout.of_categories(categories).evidence(scores), expected)


def test_readouts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="net: has 10 outputs, the readout imagenet-animal needs 1000"):
        readout.imagenet_animal().check(10, network="net")
    with pytest.raises(InputError, match='readout: got "imagenet-animals". Did you mean'):
        readout.named("imagenet-animals")
    with pytest.raises(
        InputError, match=r"net: its 1 classes \(a\) are all targets.*--target-classes, or choose a --readout"
    ):
        readout.of_categories([Category(name="a", target=True)]).check(1, network="net")


def test_targets_can_be_named_afterwards():
    categories = [Category(name=name, target=False) for name in "abc"]
    scores = torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    found = readout.of_categories(readout.with_targets(categories, ["c"]))
    assert (found.evidence(scores) > 0).tolist() == [False, True]
    with pytest.raises(InputError, match='targets: no class "d"'):
        readout.with_targets(categories, ["d"])
