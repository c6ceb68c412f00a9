import numpy as np
import pytest
import torch
from PIL import Image

from rapidvision import cli
from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.networks.model_record import LEGEND
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import overlay
from rapidvision.gala_models.observer.images import images_of
from rapidvision.gala_models.observer.observe import Network
from rapidvision.gala_models.observer.readout import binary
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.card import Card
from rapidvision.gala_models.weights.load import save_model


def network(name):
    return Network(name, build(name, seed=1).eval(), binary(), Preprocessing(size_px=64))


@pytest.fixture
def images():
    rng = np.random.Generator(np.random.PCG64(2))
    return {name: rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for name in ("cat", "dog", "table")}


def test_every_map_and_a_mosaic_are_written(images, tmp_path):
    networks = [network("compact-gala"), network("compact-se"), network("compact-resnet")]
    written = overlay.write_attention_maps(networks, images, tmp_path)
    assert all(path.is_file() for path in written)
    assert len(written) == 3 * 3 + 2
    found = np.asarray(Image.open(tmp_path / "compact-gala" / "dog.png"))
    assert (found.shape, found.dtype, found.max()) == ((64, 64), np.uint8, 255)
    with Image.open(tmp_path / "mosaic.png") as mosaic:
        assert mosaic.size == (3 * 64 + 2 * 4, 4 * (64 + 16))  # a strip with the name above each row
    index = LEGEND.read(tmp_path / "attention.json").mosaic
    assert list(index.rows) == ["images", "compact-gala", "compact-se", "compact-resnet"]
    assert index.maps["compact-resnet"] == "features"


def test_an_overlay_shows_what_is_attended():
    image = np.full((2, 2, 3), 200, np.uint8)
    out = overlay.overlay(image, np.array([[1.0, 0.5], [0.0, 0.0]], np.float32))
    assert out[..., 0].tolist() == [[200, 164], [128, 128]]


def test_flat_maps_become_nothing():
    assert overlay.unit_range(torch.full((1, 3, 3), 4.0)).abs().max() == 0


def test_mosaics_place_their_images():
    black, grey = np.zeros((2, 3, 3), np.uint8), np.full((2, 3), 7, np.uint8)
    out = overlay.mosaic([[black], [black, grey]], gap_px=1)
    assert out.shape == (5, 7, 3)
    assert (out[3:, 4:] == 7).all()
    assert (out[:2, 4:] == 255).all()


def test_every_row_of_a_mosaic_carries_its_name():
    rows = [[np.zeros((20, 60, 3), np.uint8)], [np.zeros((20, 60, 3), np.uint8)]]
    out, other = (overlay.labelled(rows, names) for names in (["images", "gala"], ["images", "se"]))
    assert out.shape == (72, 60, 3)
    assert np.array_equal(out[:36], other[:36])
    assert not np.array_equal(out[36:52], other[36:52])
    assert out[36:52].min() < 128  # there is ink
    assert not out[52:].any()  # and none on the tiles


def test_images_of_different_sizes_or_not_square_are_refused(images, tmp_path):
    with pytest.raises(InputError, match="images of 2 sizes"):
        overlay.write_attention_maps(
            [network("compact-gala")], {**images, "x": np.zeros((32, 32, 3), np.uint8)}, tmp_path
        )
    with pytest.raises(InputError, match="must be square"):
        overlay.attention_of(network("compact-gala"), np.zeros((1, 64, 48, 3), np.uint8))


def test_images_come_from_files_or_from_a_set(study, tmp_path):
    folder = study.stimulus_set().folder
    found = images_of(stimulus_set=folder, n=4)
    assert len(found) == 4
    assert all("-p" not in name for name in found)
    path = next(folder.glob("images/*.full.png"))
    assert list(images_of([path])) == [path.stem]
    with pytest.raises(InputError, match="either image files or a stimulus set"):
        images_of()
    with pytest.raises(InputError, match="has 1 to 8 intact ones"):
        images_of(stimulus_set=folder, n=9)
    (tmp_path / "x.png").write_text("no image")
    with pytest.raises(InputError, match="not an image"):
        images_of([tmp_path / "x.png"])
    for path in folder.glob("images/*.full.png"):
        Image.new("RGB", (32, 32)).save(path)
    with pytest.raises(CheckFailed, match="changed; build the stimulus set again"):
        images_of(stimulus_set=folder)


def test_the_command(study, tmp_path, capsys):
    model = build("compact-gala", seed=1)
    card = Card(name="n", architecture=model.architecture, preprocessing=Preprocessing(size_px=64))
    save_model(tmp_path / "n.safetensors", model, card)
    words = [
        "models",
        "attention-maps",
        "--set",
        str(study.stimulus_set().folder),
        "--n-images",
        "3",
        "--out",
        str(tmp_path / "a"),
    ]
    assert cli.main([*words, "--model", str(tmp_path / "n.safetensors")]) == 0
    assert "mosaic.png and 3 maps" in capsys.readouterr().out


def test_a_small_sheet_says_what_it_shows_and_what_it_could_not(images, tmp_path):
    other = Network("other", torch.nn.Flatten(), binary(), Preprocessing(size_px=64))
    found = overlay.sheet([network("compact-gala"), other], images, tmp_path / "a.png", tile_px=16)
    shown = found.mosaic
    assert (shown.file, shown.rows, shown.columns) == ("a.png", ("images", "compact-gala"), (*images,))
    assert "has no features layers" in found.left_out["other"]
    with Image.open(tmp_path / "a.png") as mosaic:
        assert mosaic.size == (3 * 16 + 2 * 4, 2 * (16 + 16))


def test_a_sheet_that_would_be_empty_is_not_written(images, tmp_path):
    other = Network("other", torch.nn.Flatten(), binary(), Preprocessing(size_px=64))
    assert overlay.sheet([other], images, tmp_path / "a.png").mosaic is None
    wide = {"cat": np.zeros((8, 16, 3), np.uint8)}
    assert "square" in overlay.sheet([network("compact-gala")], wide, tmp_path / "a.png").left_out["every network"]
    assert not (tmp_path / "a.png").exists()


def test_attention_that_is_not_finite_is_refused_by_image_and_layer(images, tmp_path):
    broken = network("compact-gala")
    with torch.no_grad():
        broken.model.layer3[1].gala.alpha[0, 3] = torch.nan
    with pytest.raises(
        CheckFailed, match=r"compact-gala: attention: 3 of 3 images .*\(cat, dog, table\).*layer3\.1\.gala"
    ):
        overlay.write_attention_maps([broken], images, tmp_path)


def test_two_images_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.png and .*a\.png have one name"):
        images_of([tmp_path / "x" / "a.png", tmp_path / "y" / "a.png"])
