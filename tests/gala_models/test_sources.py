import io

import numpy as np
import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.gala_models.data import folders, sources
from rapidvision.gala_models.data.dataset import pack
from rapidvision.gala_models.data.example import Unreadable


def reasons(source):
    return "; ".join(one.reason for one in source if isinstance(one, Unreadable))


def encoded(pixels, kind="PNG"):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def test_both_schemas_of_the_release_give_the_same_example(tmp_path):
    image = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    heat = np.arange(64, dtype=np.uint8).reshape(8, 8)
    raw = {
        "image": [image.astype("<f4").tobytes()],
        "heatmap": [heat.astype("<f4").tobytes()],
        "label": [3],
        "click_count": [9],
    }
    jpeg = {"image": [encoded(image)], "heatmap": [encoded(heat)], "label": [3]}
    tfrecord.write(tmp_path / "a.tfrecords", [tfrecord.encode(raw), tfrecord.encode(jpeg)])
    source = sources.tfrecords([tmp_path / "a.tfrecords"])
    examples = list(source)
    assert source.n == 2
    for example in examples:
        np.testing.assert_array_equal(example.image, image)
        np.testing.assert_array_equal(example.importance, heat)
        assert example.label == 3


def test_no_clicks_or_an_empty_heatmap_mean_no_map(tmp_path):
    image = np.full((8, 8, 3), 9, "<f4").tobytes()
    heat = np.ones((8, 8), "<f4").tobytes()
    records = [
        {"image": [image], "heatmap": [heat], "label": [1], "click_count": [0]},
        {"image": [image], "heatmap": [b""], "label": [1], "click_count": [0]},
        {"image": [image], "label": [1]},
    ]
    tfrecord.write(tmp_path / "a", [tfrecord.encode(one) for one in records])
    found = sources.tfrecords([tmp_path / "a"])
    assert [example.importance for example in found] == [None] * 3
    # A map that the record itself disowns is counted, and stops a strict pack.
    store = pack(found, tmp_path / "s", n=3, side_px=8)
    assert store.description.left_out == {"there, but click_count is 0": 1}
    with pytest.raises(InputError, match="there, but click_count is 0"):
        pack(found, tmp_path / "t", n=3, side_px=8, strict=True)


def test_labels_that_count_from_1_are_brought_to_0(tmp_path):
    tfrecord.write(
        tmp_path / "a", [tfrecord.encode({"image": [np.zeros((2, 2, 3), "<f4").tobytes()], "label": [1000]})]
    )
    assert next(iter(sources.tfrecords([tmp_path / "a"], first_label=1))).label == 999


def test_records_of_something_else_are_refused(tmp_path):
    tfrecord.write(tmp_path / "a", [tfrecord.encode({"x": [1], "y": [2]})])
    assert "record 0 at byte 0: no feature image; it has x, y" in reasons(sources.tfrecords([tmp_path / "a"]))
    tfrecord.write(tmp_path / "b", [])
    with pytest.raises(InputError, match="no records"):
        sources.tfrecords([tmp_path / "b"])


def test_images_in_0_to_1_are_scaled_and_normalized_ones_are_refused():
    unit = np.array([[[0.0, 0.2, 1.0]]], np.float32)
    assert sources.as_bytes(unit, "x").tolist() == [[[0, 51, 255]]]
    assert sources.as_bytes(np.array([[[0, 1]]], np.int64), "x").tolist() == [[[0, 1]]]  # nearly black, not white
    with pytest.raises(InputError, match="floats of 0 and 1 only"):
        sources.as_bytes(np.array([[[0.0, 1.0]]], np.float32), "x")
    for wrong in (unit - 0.5, unit * 300, unit * np.nan):
        with pytest.raises(InputError, match="x: values from .* this was normalized already"):
            sources.as_bytes(wrong, "x")


def test_npz_files(tmp_path):
    image = np.full((4, 4, 3), 7, np.uint8)
    np.savez(tmp_path / "b.npz", image=image, label=2, map=np.ones((4, 4)))
    np.savez(tmp_path / "a.npz", image=image, label=0)
    examples = list(sources.npz(tmp_path))
    assert [(one.image_id, one.label, one.importance is None) for one in examples] == [("a", 0, True), ("b", 2, False)]
    np.savez(tmp_path / "c.npz", image=image)
    (tmp_path / "d.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    np.savez(tmp_path / "e.npz", image=image, label=2.5)
    (tmp_path / "._a.npz").write_bytes(b"\0\5\26\7")
    found = sources.npz(tmp_path)
    assert "c.npz: not an npz with image and label" in reasons(found)
    assert "d.npz: not an npz with image and label" in reasons(found)
    assert "e.npz: label: 2.5 is not a whole number" in reasons(found)
    assert found.ignored == {"hidden": 1}
    assert len(list(found)) == 5
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"no \.npz files"):
        sources.npz(tmp_path / "none")


@pytest.fixture
def folder(tmp_path):
    rows = ["image_id,path,category,target,phase,credit,licence"]
    (tmp_path / "maps" / "clickme").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    for name, category, target, phase in (
        ("t0", "table", "false", "main"),
        ("c0", "cat", "true", "main"),
        ("b0", "bird", "true", "practice"),
    ):
        Image.fromarray(np.full((6, 6, 3), 50, np.uint8)).save(tmp_path / "images" / f"{name}.png")
        rows.append(f"{name},images/{name}.png,{category},{target},{phase},,")
    Image.fromarray(np.full((6, 6), 1000, np.uint16)).save(tmp_path / "maps" / "clickme" / "c0.png")
    (tmp_path / "images.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_image_folders_put_targets_first(folder):
    source = folders.images_in_folder(folder)
    assert [(one.name, one.target) for one in source.categories] == [("bird", True), ("cat", True), ("table", False)]
    examples = {one.image_id: one for one in source}
    assert {name: one.label for name, one in examples.items()} == {"t0": 2, "c0": 1, "b0": 0}
    assert examples["c0"].importance.max() == 1000
    assert examples["t0"].importance is None
    assert folders.images_in_folder(folder, phase="main").n == 2


def test_image_folders_that_lack_something_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match='no maps from "clickm". Did you mean "clickme"'):
        folders.images_in_folder(folder, maps="clickm")
    (folder / "images" / "t0.png").write_bytes(b"no image")
    assert "t0.png: not an image" in reasons(folders.images_in_folder(folder))
    (folder / "images.csv").write_text("name\nx\n")
    with pytest.raises(InputError, match='no column "image_id"'):
        folders.images_in_folder(folder)


def test_class_folders(tmp_path):
    for name in ("dog", "ant"):
        (tmp_path / "p" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(tmp_path / "p" / name / "1.jpg")
    (tmp_path / "m" / "dog").mkdir(parents=True)
    Image.fromarray(np.full((5, 5), 9, np.uint8)).save(tmp_path / "m" / "dog" / "1.png")
    examples = list(folders.class_folders(tmp_path / "p", maps=tmp_path / "m"))
    assert [(one.image_id, one.label, one.importance is None) for one in examples] == [
        ("ant/1", 0, True),
        ("dog/1", 1, False),
    ]
    with pytest.raises(InputError, match="no <class>/<image> files"):
        folders.class_folders(tmp_path / "m" / "dog")
