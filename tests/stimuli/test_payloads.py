"""What a map file holds is checked where it is read: damaged, hidden, blank and doubled entries are refused by name."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.stimuli.builder.build import build
from rapidvision.stimuli.entrance.import_clickme import import_release
from rapidvision.stimuli.input_tables import MapSource
from rapidvision.stimuli.maps.readers import open_source
from rapidvision.stimuli.recipe import StimulusRecipe
from tests.stimuli.conftest import blobs, natural


def reader(path, name, **options):
    return open_source(MapSource(source="s", reader=name, path=path.name, **options), path.parent)


def change(path, old, new):
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def test_a_changed_number_in_a_clickme_record_is_refused_by_reader_build_and_unpack(tmp_path):
    maps = [blobs(number).astype("<f4") for number in range(2)]
    images = [natural(number) for number in range(2)]
    records = [
        tfrecord.encode({"image": [one.astype("<f4").tobytes()], "heatmap": [heat.tobytes()], "label": [3]})
        for one, heat in zip(images, maps, strict=True)
    ]
    tfrecord.write(tmp_path / "r.tfrecords", records)
    intact = reader(tmp_path / "r.tfrecords", "clickme-tfrecord").read("r-000001")
    assert np.array_equal(intact.values, maps[1])
    damaged = maps[1].copy()
    damaged[5, 5] += 50
    change(tmp_path / "r.tfrecords", maps[1].tobytes(), damaged.tobytes())
    opened = reader(tmp_path / "r.tfrecords", "clickme-tfrecord")
    assert opened.read("r-000000").values.shape == (64, 64)
    with pytest.raises(InputError, match=r"r\.tfrecords: record 1 at byte \d+: its content is damaged"):
        opened.read("r-000001")
    with pytest.raises(InputError, match="record 1 at byte"):
        import_release(tmp_path / "r.tfrecords", tmp_path / "out", targets=[3])
    for number, one in enumerate(images):
        Image.fromarray(one).save(tmp_path / f"r-{number:06d}.png")
    (tmp_path / "images.csv").write_text(
        "image_id,path,category,target\nr-000000,r-000000.png,a,true\nr-000001,r-000001.png,b,false\n"
    )
    recipe = StimulusRecipe(
        name="x", maps=(MapSource(source="clickme", reader="clickme-tfrecord", path="r.tfrecords"),), image_px=64
    )
    with pytest.raises(InputError, match="record 1 at byte"):
        build(recipe, tmp_path / "set", root=tmp_path)
    assert len(build(recipe, tmp_path / "set", root=tmp_path, skip_bad=True).rejected) == 1


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_a_changed_number_in_an_npz_file_is_refused(tmp_path, write):
    values = np.random.default_rng(3).random((40, 40)).astype("<f4")
    write(tmp_path / "m.npz", a=values, b=values[::-1])
    assert np.array_equal(reader(tmp_path / "m.npz", "npz").read("a").values, values)
    whole = (tmp_path / "m.npz").read_bytes()
    start = whole.index(b"NUMPY") if write is np.savez else whole.index(b"a.npy")
    for position in range(start + 200, start + 3000, 400):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        (tmp_path / "m.npz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"m\.npz: array a cannot be read"):
            reader(tmp_path / "m.npz", "npz").read("a")


def test_a_compressed_matlab_file_that_was_changed_is_refused(tmp_path):
    (tmp_path / "m").mkdir()
    path = tmp_path / "m" / "a.mat"
    rng = np.random.default_rng(4)
    gaze = np.array([{"fixations": rng.random((300, 2)) * 50 + 1}], object)
    savemat(path, {"gaze": gaze, "resolution": [60, 60]}, do_compression=True)
    assert reader(tmp_path / "m", "salicon-mat").read("a").x_px.size == 300
    whole = path.read_bytes()
    for position in range(200, len(whole) - 100, 300):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.mat"):
            reader(tmp_path / "m", "salicon-mat").read("a")


def test_a_folder_of_maps_takes_any_case_and_refuses_two_maps_of_one_name(tmp_path):
    folder = tmp_path / "maps"
    (folder / ".ipynb_checkpoints").mkdir(parents=True)
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(folder / "a.PNG")
    Image.fromarray(grey).save(folder / "b.JPEG", quality=95)
    (folder / "notes.txt").write_text("x")
    opened = reader(folder, "folder")
    assert opened.has("a")
    assert opened.has("b")
    assert np.array_equal(opened.read("a").values, grey)
    assert opened.left_out == "1 .txt, 1 hidden"
    np.save(folder / "a.npy", grey)
    with pytest.raises(InputError, match=r"a\.PNG and a\.npy have one name"):
        reader(folder, "folder")


def test_records_of_two_files_of_one_name_are_refused(tmp_path):
    for name in ("r.tfrecord", "r.tfrecords"):
        tfrecord.write(tmp_path / "f" / name, [tfrecord.encode({"label": [1]})])
    with pytest.raises(InputError, match=r"r\.tfrecord and r\.tfrecords have one name"):
        reader(tmp_path / "f", "clickme-tfrecord")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (["a", "", "2", "s1", "100"], r"c\.csv: row 3: x is blank"),
        (["a", "NaN", "2", "s1", "100"], r'row 3: x is "NaN"; a number is needed'),
        (["a", "3", "inf", "s1", "100"], r'row 3: y is "inf"'),
        (["a", "300,5", "2", "s1", "100"], r'row 3: x is "300,5"; a number is needed, with a decimal point'),
        (["", "3", "2", "s1", "100"], "row 3: image_id is blank"),
        (["a", "3", "2", " ", "100"], "row 3: participant_id is blank"),
        (["a", "3", "2", "s1", "-1"], r'row 3: duration_ms is "-1"; a number is needed from 0 up'),
    ],
)
def test_blank_and_impossible_cells_are_refused_with_row_and_column(tmp_path, row, says):
    with (tmp_path / "c.csv").open("w", newline="") as file:
        header = ["image_id", "x", "y", "participant_id", "duration_ms"]
        csv.writer(file).writerows([header, ["a", "1", "2", "s1", "90"], row])
    with pytest.raises(InputError, match=says):
        reader(tmp_path / "c.csv", "points-csv")


def test_a_sample_without_a_position_is_counted_and_is_no_point(tmp_path):
    rows = ["image_id,x,y", "a,1,2", "a,,", "a,NaN,NaN", "a,.,.", "b,n/a,n/a", "b,3,4"]
    (tmp_path / "c.csv").write_text("\n".join(rows) + "\n")
    found = reader(tmp_path / "c.csv", "points-csv")
    assert (found.read("a").x_px.tolist(), found.read("a").n_missing) == ([1], 3)
    assert (found.read("b").x_px.tolist(), found.read("b").n_missing) == ([3], 1)


def test_a_table_that_excel_wrote_with_semicolons_is_read_with_decimal_commas(tmp_path):
    (tmp_path / "c.csv").write_bytes(b"\xef\xbb\xbfimage_id;x;y;participant_id\r\n1004;300,5;200;s1\r\n")
    points = reader(tmp_path / "c.csv", "points-csv").read("1004")
    assert (points.x_px.tolist(), points.y_px.tolist()) == ([300.5], [200])


def test_two_images_of_one_file_name_are_never_pooled(tmp_path):
    (tmp_path / "c.csv").write_text('image_path,clicks,user_id\nAction/001.jpg,"(1,2)",u\nArt/001.jpg,"(3,4)",u\n')
    with pytest.raises(InputError, match=r"row 3: Action/001\.jpg and Art/001\.jpg are both called 001"):
        reader(tmp_path / "c.csv", "points-csv")
    images = [{"id": n, "file_name": name, "width": 9, "height": 9} for n, name in ((1, "a/x.jpg"), (2, "b/x.jpg"))]
    (tmp_path / "s.json").write_text(json.dumps({"images": images, "annotations": []}))
    with pytest.raises(InputError, match=r"a/x\.jpg and b/x\.jpg are both called x"):
        reader(tmp_path / "s.json", "salicon-json")
    subjects = np.array([{"fix_x": [1.0], "fix_y": [1.0], "fix_duration": [1.0]}], object)
    fixations = np.array([{"img": "a.jpg", "subjects": subjects}, {"img": "a.png", "subjects": subjects}], object)
    savemat(tmp_path / "f.mat", {"fixations": fixations})
    with pytest.raises(InputError, match=r"fixations\(2\): a\.jpg and a\.png are both called a"):
        reader(tmp_path / "f.mat", "fixations-mat")


def test_annotations_of_unlisted_images_are_refused_with_their_number(tmp_path):
    found = {
        "images": [{"id": 3, "file_name": "a.jpg", "width": 9, "height": 9}],
        "annotations": [{"image_id": one, "fixations": [[2, 2]]} for one in (3, 7, 7, 8)],
    }
    (tmp_path / "s.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"3 annotations of images that the file does not list \(first: 7\)"):
        reader(tmp_path / "s.json", "salicon-json")


@pytest.mark.parametrize("bad", [np.nan, -0.5])
def test_unpack_refuses_maps_that_are_no_importance(tmp_path, bad):
    heat = blobs(1).astype("<f4")
    heat[3, 3] = bad
    record = {"image": [natural(1).astype("<f4").tobytes()], "heatmap": [heat.tobytes()], "label": [3]}
    tfrecord.write(tmp_path / "r.tfrecords", [tfrecord.encode(record)])
    with pytest.raises(InputError, match="r-000000: 1 of 4096 values are"):
        import_release(tmp_path / "r.tfrecords", tmp_path / "out", targets=[3])


def test_hidden_matlab_files_are_counted_and_suffixes_may_be_in_capitals(tmp_path):
    (tmp_path / "m").mkdir()
    savemat(tmp_path / "m" / "a.mat", {"fixations": {"coord": np.ones((3, 2)) * 4, "subj": np.ones(3)}})
    (tmp_path / "m" / "a.mat").rename(tmp_path / "m" / "a.MAT")
    (tmp_path / "m" / "._a.mat").touch()
    opened = reader(tmp_path / "m", "salicon-mat")
    assert opened.read("a").x_px.tolist() == [3, 3, 3]
    assert opened.left_out == "1 hidden"
    with pytest.raises(InputError, match=r"a file b\.mat is looked for"):
        opened.read("b")


def test_names_of_labels_are_utf_8_whatever_the_locale(tmp_path):
    tfrecord.write(
        tmp_path / "r.tfrecords",
        [
            tfrecord.encode(
                {
                    "image": [natural(1).astype("<f4").tobytes()],
                    "heatmap": [blobs(1).astype("<f4").tobytes()],
                    "label": [0],
                }
            )
        ],
    )
    (tmp_path / "names.txt").write_bytes("\ufeffBär\n".encode())
    arguments = [
        "stimuli",
        "import-clickme",
        str(tmp_path / "r.tfrecords"),
        "--out",
        str(tmp_path / "out"),
        "--target-labels",
        "0",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "rapidvision", *arguments, "--class-names", str(tmp_path / "names.txt"), "--quiet"],
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=False,
    )
    assert done.returncode == 0
    assert ",Bär," in (tmp_path / "out/images.csv").read_text(encoding="utf-8")
