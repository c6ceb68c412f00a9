"""Class folders as people have them: every file is read rightly, counted, or refused by its name."""

import json

import numpy as np
import pytest
from PIL import Image

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.gala_models.data.dataset import open_store
from rapidvision.gala_models.data.packing import pack_images
from rapidvision.text import csv_text

SIDE = 16


def image(seed=1):
    return Image.fromarray(np.random.Generator(np.random.PCG64(seed)).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))


def ramp():
    return np.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.uint8)


@pytest.fixture
def classes(tmp_path):
    for name in ("n01", "n02"):
        (tmp_path / "p" / name).mkdir(parents=True)
        (tmp_path / "m" / name).mkdir(parents=True)
        for number in range(3):
            image(number).save(tmp_path / "p" / name / f"{name}_{number}.png")
    return tmp_path


def packed(base, **options):
    pack_images([base / "p"], base / "s", side_px=SIDE, map_folder=base / "m", quiet=True, **options)
    return open_store(base / "s")


def a_map(base, values, name="n01_0.png"):
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(base / "m" / "n01" / name)


def test_hidden_folders_are_no_classes(classes):
    (classes / "p" / ".ipynb_checkpoints").mkdir()
    image().save(classes / "p" / ".ipynb_checkpoints" / "n01_0-checkpoint.png")
    (classes / "p" / "n01" / "._n01_0.png").write_bytes(b"\0\5\26\7" + bytes(20))
    a_map(classes, ramp())
    store = packed(classes)
    assert [category.name for category in store.description.categories] == ["n01", "n02"]
    assert store.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert store.description.ignored == {"hidden": 2}


def test_two_images_of_one_name_are_refused(classes):
    image(9).save(classes / "p" / "n01" / "n01_0.JPEG")
    with pytest.raises(InputError, match=r"n01: n01_0\.JPEG and n01_0\.png have one name"):
        packed(classes)


def test_other_suffixes_are_read_or_counted(classes):
    for suffix in ("webp", "bmp", "tif"):
        image(5).save(classes / "p" / "n02" / f"more_{suffix}.{suffix}", lossless=True)
    (classes / "p" / "n01" / "n01_0.xml").write_text("<a/>")
    (classes / "p" / "readme.txt").write_text("x")
    np.save(classes / "m" / "n01" / "n01_0.npy", ramp().astype(float))
    Image.fromarray(ramp()).save(classes / "m" / "n01" / "n01_1.bmp")
    a_map(classes, ramp(), "other.png")
    store = packed(classes)
    for suffix in ("webp", "bmp", "tif"):
        row = store.ids.index(f"n02/more_{suffix}")
        np.testing.assert_array_equal(store.images[row], np.asarray(image(5)))
    assert store.description.n_maps == 2
    np.testing.assert_array_equal(store.maps[0], np.round(255 * (ramp() / np.float32(225))))
    assert store.description.ignored == {".xml": 1, ".txt": 1, "maps without an image": 1}


def test_palette_maps_are_their_grey_levels(classes):
    levels = np.zeros((SIDE, SIDE), np.uint8)
    levels[4:8, 4:8] = 255
    a_map(classes, Image.fromarray(levels).quantize(16))
    np.testing.assert_array_equal(packed(classes).maps[0], levels)


def test_maps_keep_16_bits(classes):
    values = np.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.uint16) * 257
    a_map(classes, values)
    np.testing.assert_array_equal(packed(classes).maps[0], np.round(255 * (values / np.float32(values.max()))))


def test_16_bit_images_are_scaled_not_cut(classes):
    deep = np.linspace(0, 65535, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16)
    Image.fromarray(deep).save(classes / "p" / "n01" / "deep.png")
    a_map(classes, ramp())
    store = packed(classes)
    found = store.images[store.ids.index("n01/deep")][..., 0]
    np.testing.assert_allclose(found, deep / 257, atol=0.51)


@pytest.mark.parametrize("kind", ["alpha", "colours"])
def test_maps_whose_numbers_are_not_said_are_refused(classes, kind):
    if kind == "alpha":
        pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
        pixels[..., 3], pixels[..., 0] = ramp(), 255
    else:
        pixels = np.asarray(image())
    a_map(classes, pixels)
    with pytest.raises(InputError, match=rf"n01_0\.png: a map .*{kind[:5]}"):
        packed(classes)


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda _data: b"",
    "text": lambda _data: b"no image",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_image_is_named_or_skipped_and_listed(classes, what):
    path = classes / "p" / "n01" / "n01_1.png"
    path.write_bytes(DAMAGE[what](path.read_bytes()))
    (classes / "m" / "n02" / "n02_0.png").write_bytes(b"no map")
    a_map(classes, ramp())
    with pytest.raises(InputError, match=r"n01_1\.png: .*--skip-bad"):
        packed(classes)
    store = packed(classes, skip_bad=True)
    assert store.ids == ["n01/n01_0", "n01/n01_2", "n02/n02_0", "n02/n02_1", "n02/n02_2"]
    assert store.labels.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_array_equal(store.images[1], np.asarray(image(2)))
    assert (store.description.n, store.description.n_skipped, store.description.n_maps) == (5, 2, 1)
    rows = csv_text.read(classes / "s" / "skipped.csv", ("name", "reason"))
    assert [row["name"] for row in rows] == ["n01/n01_1", "map of n02/n02_0"]
    assert "n01_1.png" in rows[0]["reason"]


def test_the_command_says_what_it_did_not_read(classes, capsys):
    (classes / "p" / "n01" / "n01_1.png").write_bytes(b"")
    (classes / "p" / "n01" / "list.csv").write_text("x")
    words = ["models", "pack-dataset", str(classes / "p"), "--out", str(classes / "s"), "--size", str(SIDE), "--quiet"]
    assert cli.main(words) == 2
    assert "n01_1.png: the file is empty" in capsys.readouterr().err
    assert cli.main([*words[:-1], "--skip-bad"]) == 0
    out = capsys.readouterr().out
    assert "not read: 1 .csv" in out
    assert "1 could not be read and were skipped" in out
    assert json.loads((classes / "s" / "store.json").read_text())["n_skipped"] == 1


def test_folders_that_cannot_be_classes_are_refused(classes):
    (classes / "p" / "n00").mkdir()
    with pytest.raises(InputError, match="n00: a class without images"):
        packed(classes)
    (classes / "p" / "n00").rmdir()
    a_map(classes, ramp(), "another.png")
    with pytest.raises(InputError, match="none of its 1 maps has an image of its name"):
        packed(classes)


def test_maps_of_a_image_folder_are_read_in_any_form_and_case(tmp_path):
    from rapidvision.gala_models.data.folders import images_in_folder

    there = tmp_path / "maps" / "clickme"
    there.mkdir(parents=True)
    rows = []
    for number, name in enumerate(("a", "b", "c", "d")):
        image(number).save(tmp_path / f"{name}.png")
        rows.append([name, f"{name}.png", "cat", "true"])
    csv_text.write(tmp_path / "images.csv", ["image_id", "path", "category", "target"], rows)
    np.save(there / "a.npy", ramp().astype(float))
    Image.fromarray(ramp()).save(there / "b.PNG", format="PNG")
    Image.fromarray(ramp()).save(there / "c.bmp")
    (there / "notes.txt").touch()
    np.save(there / "other.npy", ramp().astype(float))
    found = images_in_folder(tmp_path)
    assert [item.map_path is not None for item in found.items] == [True, True, True, False]
    assert found.ignored == {"maps: .txt": 1, "maps without an image": 1}
    for example in list(found)[:3]:
        importance = example.importance
        np.testing.assert_allclose(importance / importance.max(), ramp() / ramp().max(), atol=1e-6)
    np.save(there / "b.npy", ramp().astype(float))
    with pytest.raises(InputError, match=r"b\.PNG and b\.npy have one name"):
        images_in_folder(tmp_path)
