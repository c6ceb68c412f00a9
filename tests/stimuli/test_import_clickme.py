"""The ClickMe release becomes an image folder that builds."""

import csv

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.entrance.import_clickme import import_release
from tests.stimuli.conftest import blobs, natural


def write_release(folder, n=4, side=64):
    payloads = []
    for number in range(n):
        image = natural(number, side).astype("<f4").tobytes()
        heatmap = (255 * blobs(number, side)).astype("<f4").tobytes()
        payloads.append(
            tfrecord.encode({"image": [image], "heatmap": [heatmap], "label": [number * 200], "click_count": [30]})
        )
    payloads.append(tfrecord.encode({"image": [image], "heatmap": [b""], "label": [3], "click_count": [0]}))
    folder.mkdir()
    tfrecord.write(folder / "clickme.tfrecords", payloads)
    return folder / "clickme.tfrecords"


def test_the_release_is_unpacked_and_builds(tmp_path, capsys):
    release = write_release(tmp_path / "release")
    assert main(["stimuli", "import-clickme", str(release), "--out", str(tmp_path / "images")]) == 0
    assert "4 images; left out 1 without a map, 0 without a label" in capsys.readouterr().out
    with (tmp_path / "images/images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image_id"] for row in rows] == [f"clickme-{number:06d}" for number in range(4)]
    assert [row["target"] for row in rows] == ["true", "true", "false", "false"]
    assert rows[1]["category"] == "class-200"
    with Image.open(tmp_path / "images/images/clickme-000001.png") as image:
        assert np.array_equal(np.asarray(image), natural(1))
    recipe = tmp_path / "images/recipe.toml"
    recipe.write_text(recipe.read_text().replace("image_px = 256", "image_px = 64") + "\n[reveal]\nn_levels = 4\n")
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    assert len(read_set(tmp_path / "set").exemplars()) == 4


def test_names_and_targets_may_be_given(tmp_path):
    release = write_release(tmp_path / "release")
    done = import_release(release, tmp_path / "out", targets=[200], names=["kit fox"] * 201)
    assert (done.n_images, done.n_without_label) == (2, 2)


def test_a_release_without_maps_or_a_used_folder_is_refused(tmp_path):
    tfrecord.write(tmp_path / "a.tfrecords", [tfrecord.encode({"image": [b"x"], "label": [1]})])
    with pytest.raises(InputError, match="no record has both an image and a map"):
        import_release(tmp_path / "a.tfrecords", tmp_path / "out", targets=[1])
    with pytest.raises(InputError, match="not empty"):
        import_release(tmp_path / "a.tfrecords", tmp_path, targets=[1])
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no TFRecord files"):
        import_release(tmp_path / "none", tmp_path / "out", targets=[1])
