"""Readers: exact small files, real files, damaged files."""

import json
import struct

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from rapidvision.errors import InputError, RapidVisionError
from rapidvision.formats import tfrecord
from rapidvision.stimuli.input_tables import Frame, MapSource
from rapidvision.stimuli.maps.readers import DenseMap, Points, open_source


def opened(path, reader, **options):
    return open_source(MapSource(source="s", reader=reader, path=path.name, **options), path.parent)


def grey_png(path, values, dtype=np.uint8):
    Image.fromarray(np.asarray(values, dtype)).save(path)


def test_a_folder_is_read_at_the_depth_of_its_files(tmp_path):
    (tmp_path / "maps").mkdir()
    grey_png(tmp_path / "maps/a.png", [[0, 1], [2, 255]])
    grey_png(tmp_path / "maps/b.png", [[0, 1], [2, 65535]], np.uint16)
    np.save(tmp_path / "maps/c.npy", np.array([[0.25, 0.5]]))
    np.savez(tmp_path / "maps/d.npz", np.eye(2))
    reader = opened(tmp_path / "maps", "folder")
    assert reader.read("a").values.tolist() == [[0, 1], [2, 255]]
    assert reader.read("b").values.tolist() == [[0, 1], [2, 65535]]
    assert reader.read("c").values.tolist() == [[0.25, 0.5]]
    assert reader.read("d").values.tolist() == [[1, 0], [0, 1]]
    assert reader.has("a")
    assert not reader.has("e")
    with pytest.raises(InputError, match="no map for e; a file e.png is looked for"):
        reader.read("e")


def test_a_colour_map_is_refused_and_a_grey_one_saved_in_colour_is_not(tmp_path):
    (tmp_path / "maps").mkdir()
    grey = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    Image.fromarray(grey).save(tmp_path / "maps/a.png")
    Image.fromarray(np.repeat(grey[..., :1], 3, axis=2)).save(tmp_path / "maps/b.png")
    reader = opened(tmp_path / "maps", "folder")
    with pytest.raises(InputError, match="a map in colours"):
        reader.read("a")
    assert reader.read("b").values.tolist() == [[0, 3], [6, 9]]


def test_an_npz_file_holds_a_map_per_image(tmp_path):
    np.savez(tmp_path / "m.npz", cat=np.eye(3), dog=np.ones((2, 2)))
    reader = opened(tmp_path / "m.npz", "npz")
    assert reader.read("cat").values.tolist() == np.eye(3).tolist()
    with pytest.raises(InputError, match="all values are the same"):
        reader.read("dog")
    with pytest.raises(InputError, match='no array "cow".*Allowed|no array "cow"'):
        reader.read("cow")


@pytest.mark.parametrize("schema", ["raw", "jpeg"])
def test_clickme_records_are_read_in_both_schemas(tmp_path, schema):
    heat = np.zeros((16, 16), np.float32)
    heat[4:12, 6:10] = 200
    if schema == "raw":
        image, heatmap = np.full((16, 16, 3), 9, "<f4").tobytes(), heat.tobytes()
    else:
        Image.fromarray(np.full((16, 16, 3), 9, np.uint8)).save(tmp_path / "i.jpg")
        Image.fromarray(heat.astype(np.uint8)).save(tmp_path / "h.jpg", quality=95)
        image, heatmap = (tmp_path / "i.jpg").read_bytes(), (tmp_path / "h.jpg").read_bytes()
    payload = tfrecord.encode({"image": [image], "heatmap": [heatmap], "label": [7], "click_count": [40]})
    empty = tfrecord.encode({"image": [image], "heatmap": [b""], "label": [7], "click_count": [0]})
    tfrecord.write(tmp_path / "train.tfrecords", [payload, empty])
    reader = opened(tmp_path / "train.tfrecords", "clickme-tfrecord")
    found = reader.read("train-000000").values
    assert found.shape == (16, 16)
    assert np.abs(found - heat).max() < (1e-6 if schema == "raw" else 40)
    with pytest.raises(InputError, match="train-000001 has no heatmap"):
        reader.read("train-000001")
    with pytest.raises(InputError, match="no record train-000002"):
        reader.read("train-000002")


def test_a_table_of_points_counts_from_0_and_pools_participants(tmp_path):
    (tmp_path / "c.csv").write_text("image_id,participant_id,x,y,duration_ms\na,1,3,4,100\na,2,5.5,6,300\nb,1,2,2,50\n")
    points = opened(tmp_path / "c.csv", "points-csv").read("a")
    assert (points.x_px.tolist(), points.y_px.tolist(), points.n_observers) == ([3, 5.5], [4, 6], 2)
    assert points.weights is None
    weighted = opened(tmp_path / "c.csv", "points-csv", weights="duration").read("a")
    assert weighted.weights.tolist() == [100, 300]
    assert opened(tmp_path / "c.csv", "points-csv", frame=Frame(origin=1), weights="none").read("a").x_px.tolist() == [
        2,
        4.5,
    ]


def test_a_click_table_of_2025_has_all_clicks_of_a_participant_in_a_cell(tmp_path):
    text = 'image_path,clicks,user_id\nval/n01/a.JPEG,"{""(12,40)"",""(13,41)""}",u1\nval/n01/a.JPEG,"{}",u2\n'
    (tmp_path / "c.csv").write_text(text)
    points = opened(tmp_path / "c.csv", "points-csv").read("a")
    assert (points.x_px.tolist(), points.y_px.tolist(), points.n_observers) == ([12, 13], [40, 41], 2)
    (tmp_path / "c.csv").write_text('image_path,clicks,user_id\na.png,"(12;40)",u1\n')
    with pytest.raises(InputError, match=r"row 2: clicks are"):
        opened(tmp_path / "c.csv", "points-csv")


def salicon(fixations, width=8, height=6):
    return {
        "images": [{"id": 3, "file_name": "a.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 3, "fixations": one} for one in fixations],
    }


def test_salicon_annotations_are_row_column_from_1(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(salicon([[[1, 1], [6, 8]], [[2, 5]]])))
    points = opened(tmp_path / "s.json", "salicon-json").read("a")
    assert (points.x_px.tolist(), points.y_px.tolist()) == ([0, 7, 4], [0, 5, 1])
    assert (points.n_observers, points.frame_px) == (2, (8, 6))


@pytest.mark.parametrize(
    ("fixations", "says"),
    [
        ([[[0, 3], [2, 5]]], "a coordinate 0, but counting starts at 1"),
        ([[[8, 1], [7, 6]]], "they look exchanged"),
        ([[["x", 1]]], "not a SALICON file"),
        ([[[1, 2, 3]]], "not a SALICON file"),
    ],
)
def test_salicon_axes_and_counting_are_checked(tmp_path, fixations, says):
    (tmp_path / "s.json").write_text(json.dumps(salicon(fixations)))
    with pytest.raises(InputError, match=says):
        opened(tmp_path / "s.json", "salicon-json").read("a")


def test_a_salicon_file_with_a_key_twice_is_refused(tmp_path):
    text = json.dumps(salicon([[[1, 1]]])).replace('"width": 8', '"width": 9, "width": 8')
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InputError, match='the key "width" stands twice'):
        opened(tmp_path / "s.json", "salicon-json")


def test_points_that_count_from_1_are_noticed_where_0_is_expected(tmp_path):
    (tmp_path / "c.csv").write_text("image_id,x,y\na,8,2\na,1,6\n")
    with pytest.raises(InputError, match="say frame.origin = 1"):
        opened(tmp_path / "c.csv", "points-csv", frame=Frame(size_px=(8, 6))).read("a")


def test_salicon_matlab_files_of_both_kinds_are_read(tmp_path):
    (tmp_path / "m").mkdir()
    gaze = np.zeros(2, dtype=[("fixations", object), ("location", object), ("timestamp", object)])
    for one, points in zip(gaze, ([[1, 2], [8, 6]], [[3, 3]]), strict=True):
        one["fixations"], one["location"], one["timestamp"] = np.array(points, float), np.zeros((0, 2)), np.zeros(0)
    savemat(tmp_path / "m/a.mat", {"gaze": gaze, "resolution": [6, 8], "image": "a"})
    savemat(
        tmp_path / "m/b.mat", {"fixations": {"subj": [4, 4, 9], "coord": [[1, 2], [6, 8], [3, 3]], "order": [1, 2, 1]}}
    )
    savemat(tmp_path / "m/c.mat", {"other": 3})
    reader = opened(tmp_path / "m", "salicon-mat")
    a, b = reader.read("a"), reader.read("b")
    assert (a.x_px.tolist(), a.y_px.tolist(), a.n_observers, a.frame_px) == ([0, 7, 2], [1, 5, 2], 2, (8, 6))
    assert (b.x_px.tolist(), b.y_px.tolist(), b.n_observers) == ([1, 7, 2], [0, 5, 2], 2)
    with pytest.raises(InputError, match='neither "gaze" nor "fixations" in it, but other'):
        reader.read("c")
    with pytest.raises(InputError, match=r"no map for d; a file d\.mat is looked for"):
        reader.read("d")


def test_fixations_and_bubbles_are_read_from_matlab_structs(tmp_path):
    def person(x, y, d):
        return {"fix_x": x, "fix_y": y, "fix_duration": d}

    one = {
        "img": "a.jpg",
        "subjects": np.array([person([2.0, 3], [4.0, 5], [100, 200]), person([6.0], [7.0], [50])], object),
    }
    two = {"img": "b.jpg", "subjects": np.array([person([2.0], [4.0], [100])], object)}
    savemat(tmp_path / "f.mat", {"fixations": np.array([one, two], object)})
    points = opened(tmp_path / "f.mat", "fixations-mat", weights="duration").read("a")
    assert (points.x_px.tolist(), points.y_px.tolist(), points.n_observers) == ([1, 2, 5], [3, 4, 6], 2)
    assert points.weights.tolist() == [100, 200, 50]
    clicks = [
        {"fixations": {"enc": [[2.5, 4], [3, 5]]}},
        {"fixations": {"enc": np.zeros((0, 2))}},
        {"fixations": {"enc": [9.0, 1]}},
    ]
    savemat(
        tmp_path / "b.mat", {"bubble": np.array([{"filename": "a.jpg", "userdata": np.array(clicks, object)}], object)}
    )
    points = opened(tmp_path / "b.mat", "bubbles-mat").read("a")
    assert (points.x_px.tolist(), points.n_observers) == ([1.5, 2, 8], 2)


def test_a_matlab_73_file_is_named_as_such(tmp_path):
    (tmp_path / "f.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))
    with pytest.raises(InputError, match="save it in MATLAB with -v7"):
        opened(tmp_path / "f.mat", "fixations-mat")


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        ("folder", "no"),
        ("npz", "no.npz"),
        ("clickme-tfrecord", "no"),
        ("points-csv", "no.csv"),
        ("salicon-json", "no.json"),
    ],
)
def test_what_is_missing_is_named(tmp_path, reader, name):
    with pytest.raises(InputError, match=f"{name}: no such file or folder .map source s."):
        opened(tmp_path / name, reader)


def counted(points, width, height, sigma=20):
    grid = np.zeros((height, width))
    inside = (points.x_px >= 0) & (points.x_px < width) & (points.y_px >= 0) & (points.y_px < height)
    np.add.at(grid, (points.y_px[inside].astype(int), points.x_px[inside].astype(int)), 1)
    return gaussian_filter(grid, sigma)[::16, ::16].ravel()


@pytest.mark.data
def test_eye_and_mouse_of_the_same_photographs_agree_in_the_right_axes(data_folder):
    eye = opened(data_folder / "osie/fixations.mat", "fixations-mat")
    mouse = opened(data_folder / "osie/mouse_amt", "salicon-mat")
    names = sorted(path.stem for path in (data_folder / "osie/stimuli").iterdir())
    assert len(names) == 80
    agreement = []
    for number, name in enumerate(names):
        one, two = eye.read(name), mouse.read(name)
        assert one.n_observers == 15
        assert (two.x_px.max(), two.y_px.max()) <= (799, 599)
        if number % 8:
            continue
        agreement.append(spearmanr(counted(one, 800, 600), counted(two, 800, 600))[0])
    assert np.mean(agreement) > 0.65


@pytest.mark.data
def test_salicon_annotations_of_real_photographs_stay_in_their_frames(data_folder):
    reader = opened(data_folder / "salicon_api/fixations_train2014examples.json", "salicon-json")
    for path in sorted((data_folder / "salicon_api/images").iterdir()):
        points = reader.read(path.stem)
        assert points.frame_px == (640, 480)
        assert points.n_observers > 40
        assert (points.x_px.min(), points.y_px.min()) >= (0, 0)
        assert (points.x_px.max(), points.y_px.max()) <= (639, 479)


@pytest.mark.data
def test_bubbles_and_mouse_of_the_same_photographs_agree(data_folder):
    folder = data_folder / "bubbleview_salicon"
    readers = [
        opened(folder / f"{name}.mat", "bubbles-mat")
        for name in ("salicon30x30", "salicon30x50", "saliconMM30", "salicon_gt")
    ]
    names = sorted(path.stem for path in (folder / "images").iterdir())
    assert len(names) == 51
    agreement = []
    for name in names[::5]:
        maps = [counted(reader.read(name), 640, 480) for reader in readers]
        agreement.append(spearmanr(maps[1], maps[3])[0])
    assert np.mean(agreement) > 0.6


def samples(tmp_path):
    """A small file of every format with the reader that opens it and the image that is asked for."""
    maps = tmp_path / "maps"
    maps.mkdir()
    grey_png(maps / "a.png", np.arange(64).reshape(8, 8))
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(maps / "b.jpg")
    np.save(maps / "c.npy", np.eye(5))
    np.savez(tmp_path / "m.npz", a=np.eye(5))
    raw = np.arange(64, dtype="<f4").tobytes()
    record = tfrecord.encode({"image": [raw * 3], "heatmap": [raw], "label": [3], "click_count": [4]})
    tfrecord.write(tmp_path / "r.tfrecords", [record])
    (tmp_path / "p.csv").write_text("image_id,participant_id,x,y\na,1,3,4\na,2,5,6\n")
    (tmp_path / "q.csv").write_text('image_path,clicks,user_id\na.png,"{""(12,40)""}",u1\n')
    (tmp_path / "s.json").write_text(json.dumps(salicon([[[1, 1], [6, 8]]])))
    (tmp_path / "g").mkdir()
    savemat(tmp_path / "g/a.mat", {"fixations": {"subj": [4, 4], "coord": [[1, 2], [6, 8]], "order": [1, 2]}})
    person = {"fix_x": [2.0, 3], "fix_y": [4.0, 5], "fix_duration": [100, 200]}
    savemat(
        tmp_path / "f.mat", {"fixations": np.array([{"img": "a.jpg", "subjects": np.array([person], object)}], object)}
    )
    clicks = np.array([{"fixations": {"enc": [[2.5, 4], [3, 5]]}}], object)
    savemat(tmp_path / "b.mat", {"bubble": np.array([{"filename": "a.jpg", "userdata": clicks}], object)})
    return [
        (maps / "a.png", maps, "folder", "a"),
        (maps / "b.jpg", maps, "folder", "b"),
        (maps / "c.npy", maps, "folder", "c"),
        (tmp_path / "m.npz", tmp_path / "m.npz", "npz", "a"),
        (tmp_path / "r.tfrecords", tmp_path / "r.tfrecords", "clickme-tfrecord", "r-000000"),
        (tmp_path / "p.csv", tmp_path / "p.csv", "points-csv", "a"),
        (tmp_path / "q.csv", tmp_path / "q.csv", "points-csv", "a"),
        (tmp_path / "s.json", tmp_path / "s.json", "salicon-json", "a"),
        (tmp_path / "g/a.mat", tmp_path / "g", "salicon-mat", "a"),
        (tmp_path / "f.mat", tmp_path / "f.mat", "fixations-mat", "a"),
        (tmp_path / "b.mat", tmp_path / "b.mat", "bubbles-mat", "a"),
    ]


def corrupted(data, rng):
    """Cut off, overwrite, insert or repeat bytes somewhere."""
    data = bytearray(data)
    kind = rng.integers(5)
    at = int(rng.integers(len(data)))
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for place in rng.integers(len(data), size=int(rng.integers(1, 12))):
            data[place] = int(rng.integers(256))
    elif kind == 2:
        data[at:at] = rng.bytes(int(rng.integers(1, 9)))
    elif kind == 3:
        data[at : at + 4] = struct.pack("<I", int(rng.choice([0, 2**31 - 1, 2**32 - 1, 65536])))
    else:
        data[at:at] = data[at // 2 : at]
    return bytes(data)


def test_damaged_files_end_in_typed_errors_or_in_usable_maps(tmp_path):
    rng = np.random.default_rng(11)
    n_refused = 0
    for file, path, reader, image_id in samples(tmp_path):
        whole = file.read_bytes()
        assert opened(path, reader).read(image_id)
        for _ in range(300):
            file.write_bytes(corrupted(whole, rng))
            try:
                found = opened(path, reader).read(image_id)
            except RapidVisionError as error:
                assert "\n" not in str(error), str(error)
                n_refused += 1
                continue
            if isinstance(found, DenseMap):
                assert np.isfinite(found.values).all()
                assert found.values.min() >= 0
            else:
                assert isinstance(found, Points)
                assert np.isfinite(found.x_px).all()
        file.write_bytes(whole)
    assert n_refused > 1000
