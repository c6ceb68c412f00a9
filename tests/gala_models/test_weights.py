import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.weights.card import Card, Category, read_card
from rapidvision.gala_models.weights.load import load_model, load_weights, save_model
from rapidvision.gala_models.weights.state import state_sha256


def card(model, **more):
    categories = tuple(Category(name=str(n), target=n < 4) for n in range(8))
    return Card(name="net", architecture=model.architecture, categories=categories, **more)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0), ("float16", 0.05)])
def test_a_saved_network_comes_back_with_its_card(tmp_path, dtype, tolerance):
    model = build("compact-gala", seed=5).eval()
    save_model(tmp_path / "n.safetensors", model, card(model, results={"top1": 0.5}), dtype=dtype)
    again, found = load_model(tmp_path / "n.safetensors")
    x = torch.rand(2, 3, 96, 96)
    assert found == card(model, results={"top1": 0.5})
    assert next(again.parameters()).dtype == torch.float32
    torch.testing.assert_close(again(x), model(x), rtol=tolerance, atol=tolerance)


def test_the_same_network_is_written_as_the_same_bytes(tmp_path):
    for name in "ab":
        model = build("compact-se", seed=1)
        save_model(tmp_path / name, model, card(model))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_checkpoints_with_prefixes_and_wrappers_load(tmp_path):
    model = build("compact-resnet", seed=1)
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    other = build("compact-resnet", seed=2)
    report = load_weights(other, tmp_path / "w.pth")
    assert not report.missing
    assert len(report.matched) == len(state)
    assert torch.equal(other.fc.weight, model.fc.weight)


def test_what_does_not_fit_is_named_and_nothing_changes(tmp_path):
    state = build("compact-resnet").state_dict()
    state["fc.weight"] = torch.zeros(1000, 128)
    state["head"] = torch.zeros(1)
    del state["conv1.weight"]
    torch.save(state, tmp_path / "w.pth")
    model = build("compact-resnet", seed=9)
    before = model.fc.weight.clone()
    words = r"1 missing \(conv1.weight\); 1 unexpected \(head\); 1 mismatched \(fc.weight\); nothing was loaded"
    with pytest.raises(InputError, match=words):
        load_weights(model, tmp_path / "w.pth")
    assert torch.equal(model.fc.weight, before)


class Harmful:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_pickles_that_are_not_weights_only_are_refused(tmp_path, capsys):
    torch.save({"fc": Harmful()}, tmp_path / "w.pth")
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(Harmful()))
    for name, what in (("w.pth", "Unsupported global: GLOBAL print"), ("p.pkl", "Unsupported operand")):
        with pytest.raises(InputError, match=rf"{what}.*could run code when read, so it is refused") as refused:
            load_weights(build("compact-resnet"), tmp_path / name)
        assert "can still be loaded" not in str(refused.value)  # PyTorch's own text tells how to read it all the same
    assert capsys.readouterr().out == ""


def test_files_that_are_no_weights_are_refused(tmp_path):
    model = build("compact-resnet")
    with pytest.raises(InputError, match="no such file"):
        read_card(tmp_path / "none.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"not a header")
    with pytest.raises(InputError, match="not a safetensors file"):
        read_card(tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="damaged safetensors"):
        load_weights(model, tmp_path / "x.safetensors")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds no parameters by name"):
        load_weights(model, tmp_path / "list.pth")
    save_file({"a": torch.zeros(1)}, tmp_path / "plain.safetensors")
    with pytest.raises(InputError, match="without a RapidVision card"):
        read_card(tmp_path / "plain.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("suffix", ["pth", "safetensors", "npz"])
def test_checkpoints_that_are_not_finite_are_refused_by_parameter(tmp_path, suffix, value):
    state = build("compact-resnet", seed=1).state_dict()
    state["layer2.0.conv1.weight"] = state["layer2.0.conv1.weight"].clone()
    state["layer2.0.conv1.weight"][3, 0, 1, 1] = value
    path = tmp_path / f"w.{suffix}"
    if suffix == "pth":
        torch.save(state, path)
    elif suffix == "npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    else:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    other = build("compact-resnet", seed=2)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(InputError, match=r"layer2\.0\.conv1\.weight holds values that are not finite \(1 of"):
        load_weights(other, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())


def test_networks_that_are_not_finite_are_not_written(tmp_path):
    model = build("compact-gala")
    with torch.no_grad():
        model.fc.bias[0] = 1e6  # finite, but not in float16
    save_model(tmp_path / "wide", model, card(model))
    with pytest.raises(CheckFailed, match=r"as float16, fc\.bias holds values that are not finite"):
        save_model(tmp_path / "half", model, card(model), dtype="float16")
    assert not (tmp_path / "half").exists()


def test_the_hash_of_a_network_is_that_of_its_numbers_alone():
    one, same, other = (build("compact-gala", seed=seed) for seed in (1, 1, 2))
    assert state_sha256(one) == state_sha256(same) != state_sha256(other)
    with torch.no_grad():
        same.bn1.running_mean[0] += 1
    assert state_sha256(one) != state_sha256(same)
