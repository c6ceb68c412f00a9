"""ONNX files: the same probabilities as torch gives, for any number of images, with the classes' names inside."""

import numpy as np
import pytest

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.partner import load
from rapidvision.gala_models import clickme_partner
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import networks
from rapidvision.gala_models.onnx_export import export_onnx
from rapidvision.gala_models.preprocessing import Preprocessing
from tests.conftest import missing

CATEGORIES = ("bird", "couch", "zebra")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError:
            missing(f"{package} is not installed")
    source = next(path for path in networks.bundled_paths() if path.stem == "compact-gala-maps")
    out = tmp_path_factory.mktemp("onnx") / "gala.onnx"
    assert cli.main(["models", "export-onnx", str(source), "--out", str(out), "--quiet"]) == 0
    return source, out


def test_probabilities_are_those_of_torch_whatever_the_number_of_images(exported):
    source, out = exported
    ours = load(str(out), CATEGORIES, image_px=256, n_threads=1).partner
    theirs = clickme_partner.build_partner(CATEGORIES, model=str(source))
    for n in (1, 3, 8):
        views = np.random.default_rng(n).integers(0, 256, (n, 256, 256, 3), dtype=np.uint8)
        assert np.abs(ours(views) - theirs(views)).max() < 1e-4


def test_a_category_that_the_file_does_not_name_is_refused(exported):
    with pytest.raises(InputError, match="does not know submarine; it knows"):
        load(str(exported[1]), ("bird", "submarine"), image_px=256)


def test_images_of_another_size_are_refused_before_the_first_round(exported):
    with pytest.raises(InputError, match="its first answer failed"):
        load(str(exported[1]), CATEGORIES, image_px=128)


def test_a_damaged_file_is_refused(exported, tmp_path):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(exported[1].read_bytes()[:5000])
    with pytest.raises(InputError, match="not a network that can be read"):
        load(str(path), CATEGORIES, image_px=256)


def test_a_foreign_network_without_names_is_refused(exported, tmp_path):
    import onnx

    foreign = onnx.load(str(exported[1]))
    del foreign.metadata_props[:]
    onnx.save(foreign, str(tmp_path / "foreign.onnx"))
    with pytest.raises(InputError, match="does not name its classes"):
        load(str(tmp_path / "foreign.onnx"), CATEGORIES, image_px=256)


def test_there_must_be_as_many_names_as_classes(tmp_path):
    network = build("compact-resnet").eval()
    with pytest.raises(InputError, match="2 different names for 8 classes"):
        export_onnx(tmp_path / "x.onnx", network, Preprocessing(size_px=96), ["a", "b", "b"], name="x")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_without_a_card_needs_names(tmp_path, capsys):
    import torch

    torch.save(build("compact-resnet", seed=1).state_dict(), tmp_path / "w.pth")
    words = ["models", "export-onnx", str(tmp_path / "w.pth"), "--architecture", "compact-resnet"]
    assert cli.main([*words, "--out", str(tmp_path / "w.onnx")]) == 2
    assert "give them with --class-names" in capsys.readouterr().err
