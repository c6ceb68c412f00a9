"""Small files in the layouts of public data sets, made by each format's usual writer.

Each function writes a source in a folder and returns its path below that, what the recipe must say besides the preset,
the size of the image, the image's id, and where on the image (column, row, from 0) all importance lies.
"""

import csv
import gzip
import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from rapidvision.formats import tfrecord

PLACE = (420, 130)
SIZE = (640, 480)
#: A place that the square cut of 1920 x 1080 keeps.
INNER = (820, 330)


def spot(size=SIZE, place=PLACE, value=255):
    """A map with a small bright disc."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    return np.where(np.hypot(columns - place[0], rows - place[1]) < 9, value, 0).astype(np.uint8)


def cells(values):
    out = np.empty(len(values), object)
    for number, value in enumerate(values):
        out[number] = value
    return out


def table(path, rows, **options):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, **options).writerows(rows)


def salicon_json(folder):
    x, y = PLACE
    found = {
        "info": {},
        "licenses": [],
        "type": "fixations",
        "images": [
            {"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "height": 480, "width": 640, "license": 4}
        ],
        "annotations": [{"id": 1, "image_id": 7, "worker_id": 3, "fixations": [[y + 1, x + 1], [y + 1, x + 2]]}],
    }
    (folder / "fixations_train2014.json").write_text(json.dumps(found))
    return "fixations_train2014.json", {}, SIZE, "COCO_train2014_000000000007", PLACE


def salicon_mat(folder):
    (folder / "train").mkdir()
    point = np.array([[PLACE[0] + 1.0, PLACE[1] + 1.0]])
    samples = np.array([[1.0, 1.0], [2.0, 1.0], [700.0, 3.0]])
    gaze = np.array(
        [(samples, np.arange(3.0), point), (samples, np.arange(3.0), point)],
        dtype=[("location", "O"), ("timestamp", "O"), ("fixations", "O")],
    )
    savemat(folder / "train/COCO_train2014_000000000007.mat", {"gaze": gaze, "resolution": [480, 640]})
    return "train", {}, SIZE, "COCO_train2014_000000000007", PLACE


def salicon_maps(folder):
    (folder / "maps/train").mkdir(parents=True)
    Image.fromarray(spot()).save(folder / "maps/train/COCO_train2014_000000000007.png")
    return "maps/train", {}, SIZE, "COCO_train2014_000000000007", PLACE


def osie_eye(folder):
    person = {"fix_x": [421.5, 420.7], "fix_y": [131.0, 131.2], "fix_duration": [246.0, 136.0]}
    one = {"img": "1001.jpg", "subjects": cells([person, person])}
    savemat(folder / "fixations.mat", {"fixations": cells([one])})
    return "fixations.mat", {"weights": "duration"}, (800, 600), "1001", PLACE


def osie_mouse(folder):
    (folder / "mouse_amt").mkdir()
    coord = [[131, 421], [132, 421], [131, 422]]
    savemat(folder / "mouse_amt/1001.mat", {"fixations": {"subj": [1, 1, 2], "coord": coord, "order": [1, 2, 1]}})
    return "mouse_amt", {}, (800, 600), "1001", PLACE


def mit1003_maps(folder):
    (folder / "ALLFIXATIONMAPS").mkdir()
    Image.fromarray(spot((1024, 768))).save(folder / "ALLFIXATIONMAPS/i05june05_static_x_fixMap.jpg", quality=95)
    Image.fromarray(spot((1024, 768), (3, 3))).save(folder / "ALLFIXATIONMAPS/i05june05_static_x_fixPts.jpg")
    return "ALLFIXATIONMAPS", {}, (1024, 768), "i05june05_static_x", PLACE


def cat2000_maps(folder):
    for category, place in (("Action", INNER), ("Art", (900, 900))):
        (folder / f"FIXATIONMAPS/{category}/Output").mkdir(parents=True)
        Image.fromarray(spot((1920, 1080), place)).save(folder / f"FIXATIONMAPS/{category}/001.jpg", quality=95)
        Image.fromarray(spot((1920, 1080), (9, 9))).save(folder / f"FIXATIONMAPS/{category}/Output/001_SaliencyMap.jpg")
    return "FIXATIONMAPS", {}, (1920, 1080), "Action-001", INNER


def cat2000_locations(folder):
    (folder / "FIXATIONLOCS/Action").mkdir(parents=True)
    points = np.zeros((1080, 1920), np.uint8)
    points[INNER[1], INNER[0]] = 1
    savemat(folder / "FIXATIONLOCS/Action/001.mat", {"fixLocs": points}, do_compression=True)
    return "FIXATIONLOCS", {}, (1920, 1080), "Action-001", INNER


def figrim_fixations(folder):
    seen = {"trial": 12, "SDT": [4, 1, 1], "fixations": {"enc": [[421.3, 131.2]], "rec": [], "rec2": []}}
    unseen = {"trial": [], "SDT": [], "fixations": []}
    one = {
        "filename": "sun_a.jpg",
        "category": "castle",
        "impath": "Targets/castle/sun_a.jpg",
        "userdata": cells([seen, unseen, seen]),
    }
    savemat(folder / "allImages_release.mat", {"allImages": cells([one])})
    return "allImages_release.mat", {}, (1000, 1000), "sun_a", PLACE


def figrim_maps(folder):
    (folder / "FIXATIONMAPS/castle").mkdir(parents=True)
    Image.fromarray(spot((1000, 1000))).save(folder / "FIXATIONMAPS/castle/sun_a.jpg", quality=95)
    return "FIXATIONMAPS", {}, (1000, 1000), "sun_a", PLACE


def figrim_locations(folder):
    (folder / "FIXATIONLOCS/castle").mkdir(parents=True)
    points = np.zeros((1000, 1000), bool)
    points[PLACE[1], PLACE[0]] = True
    savemat(folder / "FIXATIONLOCS/castle/sun_a.mat", {"fixLocs": points})
    return "FIXATIONLOCS", {}, (1000, 1000), "sun_a", PLACE


def scanpaths(folder, condition, **more):
    """The image of 640 x 480 fills 1400 x 1050 of the frame, from column 140."""
    x, y = 140 + (PLACE[0] + 0.5) * 1400 / 640 - 0.5, (PLACE[1] + 0.5) * 1050 / 480 - 0.5
    one = {
        "name": "000000400966.jpg", "subject": 2, "condition": condition, "bbox": [67, 114, 78, 42], "X": [x, x, 60.0],
        "Y": [y, y, 500.0], "T": [190, 63, 20], "length": 3, "split": "train", **more,
    }  # fmt: skip
    (folder / "fixations.json").write_text(json.dumps([one, {**one, "subject": 3, "X": [x] * 3, "Y": [y] * 3}]))
    return "fixations.json", {}, SIZE, "000000400966", PLACE


def coco_search18(folder):
    return scanpaths(folder, "present", task="microwave", fixOnTarget=True, correct=1, RT=812)


def coco_freeview(folder):
    return scanpaths(folder, "freeview")


def bubbleview(folder):
    enc = np.array([[421.0, 131.0], [420.6, 131.4]])
    times = cells(["2016-04-20 12:53:12", "2016-04-20 12:53:14"])
    seen = {"fixations": {"enc": enc, "rec": [], "enc_time": times}}
    one = {"filename": "1004.jpg", "impath": "targets_osie/1004.jpg", "userdata": cells([seen, {"fixations": []}])}
    savemat(folder / "osie30x30.mat", {"bubble": cells([one])})
    return "osie30x30.mat", {}, SIZE, "1004", PLACE


def codecharts(folder):
    """1600 x 1200 of the image in a frame of 1920 x 1340: 1786 columns from 67 on; the code's corner is recorded."""
    font = 0.0185 * 1340
    x, y = 67 + (PLACE[0] + 0.5) * 1786 / 1600 - 0.5, (PLACE[1] + 0.5) * 1340 / 1200 - 0.5
    tasks = [
        {"image": "img/a/real1.jpg", "codechart": "c/1.jpg", "flag": "real", "index": 0},
        {"image": "img/a/s.jpg", "codechart": "c/2.jpg", "flag": "sentinel", "index": 1},
    ]
    answer = {
        "rememberedCode": "E95",
        "isValidCode": True,
        "coordinate": [round(x - 1.5 * font), round(y - 0.5 * font)],
    }
    (folder / "data").mkdir()
    for worker in ("w1", "w2"):
        one = {
            "assignmentId": worker,
            "workerId": worker,
            "hitId": "h",
            "tag": "t",
            "results": {
                "inputs": {"params": {"NUM_MSEC_IMAGE": 2000}, "tasks": tasks},
                "outputs": {
                    "timing": [],
                    "tasks": {"0": answer, "1": {**answer, "isValidCode": False, "coordinate": False}},
                },
            },
        }
        (folder / f"data/{worker}.json").write_text(json.dumps(one))
    return "data", {}, (1600, 1200), "real1", PLACE


def clickme_2019(folder):
    heat = spot((256, 256), (180, 60)).astype("<f4")
    record = {
        "image": [np.zeros((256, 256, 3), "<f4").tobytes()],
        "heatmap": [heat.tobytes()],
        "label": [151],
        "click_count": [43],
    }
    tfrecord.write(folder / "clickme_train.tfrecords", [tfrecord.encode(record)])
    return "clickme_train.tfrecords", {}, (256, 256), "clickme_train-000000", (180, 60)


def clickme_2025_csv(folder):
    rows = [
        ["image_path", "clicks", "user_id"],
        ["imagenet/val/n02123159/ILSVRC2012_val_00000293.JPEG", "[(420, 130), (421, 130)]", 7],
        ["imagenet/val/n02123159/ILSVRC2012_val_00000293.JPEG", '{"(420,131)","(419,130)"}', 8],
    ]
    table(folder / "clickme_vCO3D.csv", rows)
    return "clickme_vCO3D.csv", {}, SIZE, "ILSVRC2012_val_00000293", PLACE


def clickme_2025_npz(folder):
    name = "imagenet/val/n02123159/ILSVRC2012_val_00000293.JPEG"
    np.savez(
        folder / "clickme.npz",
        file_pointer=cells([name, name, name]),
        clickmap_x=cells([[420, 421], [419, 420], [3]]),
        clickmap_y=cells([[130, 130], [130, 131], [3]]),
        user_id=np.array([7, 8, 9]),
        user_catch_trial=np.array([1.0, 0.96, 0.5]),
        is_mobile=np.array([False, False, False]),
    )
    return "clickme.npz", {}, SIZE, "ILSVRC2012_val_00000293", PLACE


def clickme_image_npz(folder):
    (folder / "clickme_val").mkdir()
    heat = spot((256, 256), (180, 60)).astype("f4")
    np.savez(folder / "clickme_val/0.npz", image=np.zeros((256, 256, 3), "u1"), heatmap=heat, label=151)
    return "clickme_val", {}, (256, 256), "0", (180, 60)


def bids_eyetracking(folder):
    """A display of 1280 x 1024 with 0 in its middle; the image of 640 x 480 in the middle of it."""
    place = folder / "bids/sub-01/beh"
    place.mkdir(parents=True)
    x, y = PLACE[0] - 319.5, PLACE[1] - 239.5
    samples = [f"{1000 + n}\t{x}\t{y}\t4612.0" for n in range(10)] + ["1010\tn/a\tn/a\t0.0"] + ["1011\t9\t9\t0.0"] * 9
    with gzip.open(place / "sub-01_task-see_recording-eye1_physio.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(samples) + "\n")
    about = {
        "PhysioType": "eyetrack",
        "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
        "SamplingFrequency": 1000,
        "StartTime": 0,
        "RecordedEye": "right",
        "SampleCoordinateSystem": "gaze-on-screen",
        "x_coordinate": {"Units": "pixel"},
        "y_coordinate": {"Units": "pixel"},
    }
    (place / "sub-01_task-see_recording-eye1_physio.json").write_text(json.dumps(about))
    shown = {"ScreenDistance": 0.6, "ScreenOrigin": ["center", "center"], "ScreenResolution": [1280, 1024]}
    (folder / "bids/task-see_events.json").write_text(json.dumps({"StimulusPresentation": shown}))
    rows = [
        ["onset", "duration", "trial_type", "stim_file"],
        [0, 0.011, "animal", "images/cat.png"],
        [0.011, 1, "x", "n/a"],
    ]
    table(place / "sub-01_task-see_events.tsv", rows, delimiter="\t")
    return "bids", {}, SIZE, "cat", PLACE


def pymovements(folder):
    """As polars writes it with flat columns; the origin is the centre of a display of 1280 x 1024."""
    x, y = PLACE[0] - 319.5, PLACE[1] - 239.5
    rows = [
        ["time", "stimulus", "subject", "pixel_x", "pixel_y"],
        *([n, "cat.png", 1, x, y] for n in range(5)),
        [5, "cat.png", 1, "", ""],
    ]
    table(folder / "samples.csv", rows)
    return "samples.csv", {"frame": {"size_px": (1280, 1024), "middle": True}}, SIZE, "cat", PLACE


def eyelink_asc(folder):
    (folder / "asc").mkdir()
    x, y = PLACE[0] + 320, PLACE[1] + 272
    lines = [
        "** CONVERTED FROM s1.edf",
        "MSG\t90 GAZE_COORDS 0.00 0.00 1279.00 1023.00",
        "START\t100\tLEFT\tRIGHT\tSAMPLES\tEVENTS",
        "SAMPLES\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2",
        "MSG\t100 TRIALID 3 img_7.jpg",
        f"101\t  {x - 1}.0\t  {y}.0\t  778.0\t  {x + 1}.0\t  {y}.0\t  700.0\t.....",
        f"102\t  {x}.0\t  {y}.0\t  778.0\t   .\t   .\t    0.0\t.....",
        "103\t   .\t   .\t    0.0\t   .\t   .\t    0.0\t.C.C.",
        "EFIX L   101\t101\t1\t  -12.3\t  384.0\t    778",
        "MSG\t104 TRIAL_RESULT 0",
        "105\t  1.0\t  1.0\t  778.0\t  1.0\t  1.0\t  700.0\t.....",
        "END\t106\tSAMPLES\tEVENTS\tRES\t  37.1\t  37.7",
    ]
    (folder / "asc/s1.asc").write_text("\n".join(lines) + "\n")
    return "asc", {}, SIZE, "img_7", PLACE


def pysaliency_hdf5(folder):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install rapidvision[hdf5]")
    with h5py.File(folder / "stimuli.hdf5", "w") as file:
        file.attrs["type"] = np.bytes_("FileStimuli")
        file.attrs["version"] = np.bytes_("2.1")
        file.create_dataset(
            "filenames", data=np.array([b"stimuli/other.jpg", b"stimuli/cat.jpg"], object), dtype=h5py.string_dtype()
        )
        file.create_dataset("shapes", data=np.array([[480, 640, 3], [480, 640, 3]]))
    with h5py.File(folder / "fixations.hdf5", "w") as file:
        file.attrs["type"] = np.bytes_("ScanpathFixations")
        group = file.create_group("scanpaths")
        group.attrs["type"] = np.bytes_("Scanpaths")
        for name, value, pad in (("xs", 420.0, np.nan), ("ys", 130.0, np.nan)):
            group.create_dataset(name, data=np.array([[value, value], [value, pad]]))
        group.create_dataset("n", data=np.array([1, 1]))
        group.create_dataset("length", data=np.array([2, 1]))
        group.create_group("scanpath_attributes").create_dataset("subject", data=np.array([0, 4]))
    return "fixations.hdf5", {}, SIZE, "cat", PLACE


def webgazer_csv(folder):
    """The image was shown at 320 x 240 pixels of the page, from (100, 50)."""
    x, y = 100 + 320 * (PLACE[0] + 0.5) / 640, 50 + 240 * (PLACE[1] + 0.5) / 480
    box = {"x": 100, "y": 50, "width": 320, "height": 240, "top": 50, "right": 420, "bottom": 290, "left": 100}
    samples = [{"x": x, "y": y, "t": 12}, {"x": x, "y": y, "t": None}]
    rows = [
        ["rt", "stimulus", "trial_type", "webgazer_data", "webgazer_targets"],
        ["null", "+", "html-keyboard-response", "", ""],
        ["412", "img/cat.png", "image-keyboard-response", json.dumps(samples), json.dumps({"#image": box})],
    ]
    table(folder / "data.csv", rows, quoting=csv.QUOTE_ALL)
    return "data.csv", {}, SIZE, "cat", PLACE


def dense_arrays(folder):
    (folder / "maps").mkdir()
    np.save(folder / "maps/cat.npy", np.stack([spot(), spot()]).astype("f4"))
    return "maps", {"key": "participants"}, SIZE, "cat", PLACE


def grad_cam(folder):
    """A network that saw .875 of the shorter side of 640 x 480: 420 pixels from column 110 and row 30."""
    (folder / "gradcam").mkdir()
    factor = 224 / 420
    np.save(
        folder / "gradcam/cat.npy", spot((224, 224), ((420.5 - 110) * factor, (130.5 - 30) * factor), 1).astype("f4")
    )
    return "gradcam", {}, SIZE, "cat", PLACE


def grad_cam_stretched(folder):
    (folder / "gradcam").mkdir()
    np.savez(folder / "gradcam/cat.npz", spot((224, 224), (420.5 * 224 / 640, 130.5 * 224 / 480), 1).astype("f4"))
    return "gradcam", {}, SIZE, "cat", PLACE


#: Preset → what writes a source of its layout.
WRITERS = {
    "salicon-json": salicon_json,
    "salicon-mat": salicon_mat,
    "salicon-maps": salicon_maps,
    "osie-eye": osie_eye,
    "osie-mouse": osie_mouse,
    "mit1003-maps": mit1003_maps,
    "cat2000-maps": cat2000_maps,
    "cat2000-locations": cat2000_locations,
    "figrim-fixations": figrim_fixations,
    "figrim-maps": figrim_maps,
    "figrim-locations": figrim_locations,
    "coco-search18": coco_search18,
    "coco-freeview": coco_freeview,
    "bubbleview": bubbleview,
    "codecharts": codecharts,
    "clickme-2019": clickme_2019,
    "clickme-2025-csv": clickme_2025_csv,
    "clickme-2025-npz": clickme_2025_npz,
    "clickme-image-npz": clickme_image_npz,
    "bids-eyetracking": bids_eyetracking,
    "pymovements": pymovements,
    "eyelink-asc": eyelink_asc,
    "pysaliency-hdf5": pysaliency_hdf5,
    "webgazer-csv": webgazer_csv,
    "dense-arrays": dense_arrays,
    "grad-cam": grad_cam,
    "grad-cam-stretched": grad_cam_stretched,
}
