"""From a folder of one's own to a set: guesses, the check of everything at once, and the build."""

import csv
import json
import os
import tomllib

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.entrance.check import check_recipe
from rapidvision.stimuli.entrance.write import guess_recipe
from rapidvision.stimuli.recipe import StimulusRecipe
from tests.stimuli.conftest import RECIPE, natural, write_folder
from tests.stimuli.layouts import WRITERS

MONITOR = "width_px = 2560\nheight_px = 1440\nwidth_cm = 59.7\ndistance_cm = 60.0\nrefresh_hz = 60.0\n"


def photographs(folder, n=60, unit=80, rng=None):
    """Mixed photographs (camera's orientation, grey, palette, two-image, 16 bit, odd names), maps of other sizes, gaze."""
    rng = rng or np.random.default_rng(4)
    for name in ("photos", "saliency", "network"):
        (folder / name).mkdir(parents=True)
    gaze = [["stimulus", "subject", "gaze_x", "gaze_y"]]
    for number in range(n):
        width, height = [(8, 6), (12, 9), (6, 8)][number % 3]
        width, height = width * unit, height * unit
        image = Image.fromarray(natural(number, height, width))
        stem, suffix, options = f"photo_{number:02d}", ".jpg", {"quality": 92}
        if number == 5:
            exif = Image.Exif()
            exif[0x112] = 6
            stored, options = image.rotate(90, expand=True), {"exif": exif, "quality": 92}
            stored.save(folder / f"photos/{stem}.jpg", **options)
        elif number == 7:
            image.convert("L").save(folder / f"photos/{stem}.jpg", **options)
        elif number == 8:
            image.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / f"photos/{stem}.PNG")
            suffix = ".PNG"
        elif number == 11:
            stem, suffix = "Äpfel 1", ".JPEG"
            image.save(folder / f"photos/{stem}{suffix}", **options)
        elif number == 13:
            image.save(folder / f"photos/{stem}.jpg", "MPO", save_all=True, append_images=[image], quality=92)
        elif number == 14:
            grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
            Image.fromarray(grey).save(folder / f"photos/{stem}.png")
            suffix = ".png"
        else:
            image.save(folder / f"photos/{stem}.jpg", **options)
        spot = np.zeros((height // 4, width // 4))
        place = rng.uniform(0.35, 0.65, 2)
        spot[int(place[1] * height / 4), int(place[0] * width / 4)] = 1
        spot = gaussian_filter(spot, 9)
        small = Image.fromarray(np.rint(spot / spot.max() * 255).astype(np.uint8))
        small.save(folder / f"saliency/{stem}.png")
        np.save(folder / f"network/{stem}.npy", np.asarray(small.resize((28, 28))).astype("f4") / 255)
        for sample in range(40):
            x, y = rng.normal(place[0] * width, 12), rng.normal(place[1] * height, 12)
            lost = sample % 10 == 3
            gaze.append([f"{stem}{suffix}", f"s{sample % 4}", "" if lost else round(x, 1), "" if lost else round(y, 1)])
    with (folder / "gaze.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(gaze)
    (folder / "monitor.toml").write_text(MONITOR)


def fill_categories(path):
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["category"], row["target"] = ("animal", "true") if number % 2 else ("thing", "false")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
def test_sixty_photographs_become_a_set_of_8_degrees_with_three_commands_and_no_editing_but_categories(
    tmp_path, capsys
):
    photographs(tmp_path / "lab")
    lab, study = str(tmp_path / "lab"), tmp_path / "study"
    screen = ["--image-deg", "8", "--screen", str(tmp_path / "lab/monitor.toml")]
    assert main(["stimuli", "init", lab, "--out", str(study), *screen]) == 0
    said = capsys.readouterr().out
    assert "60 images, 3 map sources" in said
    fill_categories(study / "images.csv")
    recipe = str(study / "recipe.toml")
    assert main(["stimuli", "check", recipe, "--workers", "1", "--quiet"]) == 0
    assert "no problems; 60 of 60 images can be used" in capsys.readouterr().out
    assert main(["stimuli", "build", recipe, "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    found = read_set(tmp_path / "set")
    assert found.description.image_px == 360
    assert len(found.exemplars("main")) == 60
    assert set(found.description.map_sources) == {"saliency", "network", "gaze"}
    with (tmp_path / "set/quality.csv").open() as file:
        rows = list(csv.DictReader(file))
    upright = [float(row["agreement_upright"]) for row in rows]
    assert min(upright) > 0.5  # all three sources lie on the same place of each image, the turned photograph's too


def test_the_guesses_stand_in_the_recipe_with_their_reasons(tmp_path, capsys):
    photographs(tmp_path / "lab", n=16, unit=16)
    study = tmp_path / "study"
    assert main(["stimuli", "init", str(tmp_path / "lab"), "--out", str(study), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["n_images"] == 16
    text = (study / "recipe.toml").read_text(encoding="utf-8")
    sources = {one["source"]: one for one in tomllib.loads(text)["maps"]}
    assert sources["network"]["frame"] == {"place": "stretched"}
    assert "frame" not in sources["saliency"]
    assert sources["gaze"]["reader"] == "points-csv"
    assert sources["gaze"]["blur"] == "gauss:4"
    assert "squares of images that are none" in " ".join(text.replace("\n# ", " ").split())
    ids = [row.split(",")[0] for row in (study / "images.csv").read_text(encoding="utf-8").split("\n")[1:-1]]
    assert "Apfel_1" in ids
    page = (study / "look.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 16
    assert page.count("<figure>") == 16 * 4
    assert 'src="http' not in page
    with pytest.raises(InputError, match=r"images\.csv: there already"):
        guess_recipe([tmp_path / "lab"], out=study)


def test_unknown_categories_are_one_kind_of_problem(tmp_path, capsys):
    photographs(tmp_path / "lab", n=16, unit=16)
    guess_recipe([tmp_path / "lab"], out=tmp_path / "study")
    command = ["stimuli", "check", str(tmp_path / "study/recipe.toml"), "--workers", "1", "--quiet"]
    assert main([*command, "--out", str(tmp_path / "problems.csv")]) == 1
    said = capsys.readouterr().out
    assert said.count("category is empty") == 5
    assert "… and 11 more like that" in said
    assert (tmp_path / "problems.csv").read_text().count("category is empty") == 16
    assert "16 problems; 0 of 16 images can be used" in said


def test_categories_come_from_folders_a_table_or_names(tmp_path):
    for category in ("cat", "cup"):
        for kind in ("photos", "maps"):
            (tmp_path / f"a/{kind}/{category}").mkdir(parents=True)
        for number in (1, 2):
            Image.fromarray(natural(number, 64)).save(tmp_path / f"a/photos/{category}/{number:03d}.png")
            grey = natural(number + 9, 64)[..., 0]
            Image.fromarray(grey).save(tmp_path / f"a/maps/{category}/{number:03d}.png")
    guessed = guess_recipe([tmp_path / "a"], out=tmp_path / "a-study", targets=["cat"])
    assert {row["image_id"]: row["target"] for row in guessed.rows} == {
        "cat-001": True,
        "cat-002": True,
        "cup-001": False,
        "cup-002": False,
    }
    (source,) = guessed.sources
    assert (source.keys["files"], source.keys["id"], source.n_maps) == ("{category}/{stem}", "{category}-{stem}", 4)
    assert check_recipe(tmp_path / "a-study/recipe.toml").n_usable == 4
    with pytest.raises(InputError, match='targets: no image of the category "dog"; there are cat, cup'):
        guess_recipe([tmp_path / "a"], out=tmp_path / "other", targets=["dog"])
    photographs(tmp_path / "b", n=4, unit=16)
    rows = ["image,label", *(f"photo_{number:02d}.jpg,{('animal', 'thing')[number % 2]}" for number in range(4))]
    (tmp_path / "b/labels.csv").write_text("\n".join(rows) + "\n")
    guessed = guess_recipe([tmp_path / "b"], out=tmp_path / "b-study")
    assert [row["category"] for row in guessed.rows] == ["animal", "thing", "animal", "thing"]


@pytest.mark.parametrize(
    "preset",
    [
        *("salicon-json", "osie-eye", "coco-search18", "coco-freeview", "bubbleview", "figrim-fixations", "codecharts"),
        *("clickme-2025-csv", "clickme-2025-npz", "webgazer-csv", "eyelink-asc", "pysaliency-hdf5", "salicon-mat"),
        *("osie-mouse", "bids-eyetracking"),
    ],
)
def test_the_layouts_of_data_sets_are_recognized(tmp_path, preset):
    folder = tmp_path / "data"
    folder.mkdir()
    _, _, size, image_id, _ = WRITERS[preset](folder)
    (tmp_path / "photos").mkdir()
    Image.fromarray(natural(3, size[1], size[0])).save(tmp_path / f"photos/{image_id}.jpg")
    guessed = guess_recipe([tmp_path / "photos", folder], out=tmp_path / "study")
    (source,) = guessed.sources
    assert source.keys["preset"] == preset
    assert source.n_maps == 1
    recipe = tomllib.loads((tmp_path / "study/recipe.toml").read_text(encoding="utf-8"))
    assert "wrong" not in (tmp_path / "study/look.html").read_text(encoding="utf-8").split("<main>")[1]
    assert recipe["maps"][0]["preset"] == preset


@pytest.mark.parametrize(
    ("make", "frame"),
    [
        (lambda x, y: (x + 1, y + 1), {"origin": 1}),
        (lambda x, y: (y, x), {"axes": "row-column"}),
        (lambda x, y: (x / 96, y / 72), {"unit": "fraction"}),
        (lambda x, y: (x + 592, y + 476), {"size_px": [1280, 1024], "place": "centred"}),
    ],
)
def test_the_frame_of_points_is_guessed_from_their_reach(tmp_path, make, frame):
    rng = np.random.default_rng(2)
    (tmp_path / "a/photos").mkdir(parents=True)
    rows = ["image,x,y"]
    for number in range(4):
        Image.fromarray(natural(number, 72, 96)).save(tmp_path / f"a/photos/p{number}.png")
        for column, row in [(0, 0), (95, 71), *zip(rng.integers(0, 96, 50), rng.integers(0, 72, 50), strict=True)]:
            x, y = make(column, row)
            rows.append(f"p{number}.png,{x},{y}")
    (tmp_path / "a/clicks.csv").write_text("\n".join(rows) + "\n")
    (source,) = guess_recipe([tmp_path / "a"], out=tmp_path / "study").sources
    assert source.keys["frame"] == frame


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="no images here"):
        guess_recipe([tmp_path], out=tmp_path / "out")
    with pytest.raises(InputError, match="no such file or folder"):
        guess_recipe([tmp_path / "none"], out=tmp_path / "out")
    with pytest.raises(InputError, match="image_deg needs a screen"):
        guess_recipe([tmp_path], out=tmp_path / "out", image_deg=8)


def broken(folder):
    """A folder in which much is wrong at once; returns the recipe and what must be said of each fault."""
    recipe = write_folder(folder, n_images=12)
    images = folder / "images"
    (images / "p01.png").write_bytes((images / "p01.png").read_bytes()[:900])
    Image.fromarray(natural(2)).convert("CMYK").save(images / "p02.png", "JPEG")
    (images / "p03.png").unlink()
    Image.fromarray(natural(4, 32)).save(images / "p04.png")
    (images / "p06.png").write_bytes((images / "p05.png").read_bytes())
    (folder / "maps/clickme/p07.png").unlink()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(folder / "maps/salicon/p08.png")
    Image.fromarray(np.eye(48, 64, dtype=np.uint8)).save(folder / "maps/salicon/p09.png")
    return recipe, [
        r"p01.png: ",
        "p02.png: a CMYK image",
        "p03.png: no such file",
        "p04.png: 32 x 32 pixels, smaller than 64",
        "p05 and p06 are the same file",
        "no map for p07",
        "p08.png: all values are zero",
        "p09.png (map of p09 from salicon): 64 x 48 for an image of 64 x 64",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_all_problems_of_all_files_are_listed_at_once_and_nothing_is_built(tmp_path, capsys, workers):
    recipe, faults = broken(tmp_path / "a")
    before = sorted(os.listdir(tmp_path / "a"))
    command = ["stimuli", "check", str(recipe), "--workers", str(workers), "--quiet"]
    assert main(command) == 1
    said = capsys.readouterr().out
    for fault in faults:
        assert fault in said
    assert f"{len(faults)} problems; 5 of 12 images can be used" in said
    assert sorted(os.listdir(tmp_path / "a")) == before


def test_what_the_check_calls_usable_is_what_a_build_keeps(tmp_path):
    recipe, _ = broken(tmp_path / "a")
    checked = check_recipe(recipe)
    bad = {one.image_id for one in checked.problems}
    (tmp_path / "a/images/p06.png").write_bytes(b"")  # equal files stop a build even where bad ones are left out
    out = str(tmp_path / "set")
    assert main(["stimuli", "build", str(recipe), "--out", out, "--skip-bad", "--quiet", "--workers", "1"]) == 0
    kept = {row.image_id for row in read_set(out).stimuli}
    assert kept == {f"p{number:02d}" for number in range(12)} - bad
    with (tmp_path / "set/rejects.csv").open() as file:
        assert {row["image_id"] for row in csv.DictReader(file)} == bad


def test_faults_of_several_tables_of_a_recipe_and_of_several_rows_are_listed(tmp_path):
    recipe = write_folder(tmp_path / "a")
    text = RECIPE.replace('reader = "folder"', 'reader = "fodler"', 1).replace("n_levels = 5", "n_levels = 1")
    recipe.write_text(text + '\n[match]\nkind = "luminanc"\n')
    found = [one.text for one in check_recipe(recipe).problems]
    assert len(found) == 3
    for part, says in zip(found, ('Did you mean "folder"', "n_levels must be >= 2", "luminanc"), strict=True):
        assert says in part
    recipe.write_text(
        RECIPE.replace("maps/clickme", "maps/none").replace(
            'path = "maps/salicon"', 'path = "maps/salicon"\nblur = "gaus:3"'
        )
    )
    table = tmp_path / "a/images.csv"
    table.write_text(table.read_text().replace("cat,true", ",true").replace("couch,false", "couch,maybe"))
    found = [one.text for one in check_recipe(recipe).problems]
    assert [part in " ".join(found) for part in ("category is empty", 'target is "maybe"', "maps/none", "gaus:3")] == [
        True
    ] * 4


def test_a_recipe_without_a_fault_has_no_problem_and_a_missing_one_is_an_error(tmp_path, capsys):
    recipe = write_folder(tmp_path / "a", n_images=5)
    (tmp_path / "a/maps/clickme/extra.png").write_bytes((tmp_path / "a/maps/clickme/p00.png").read_bytes())
    assert main(["stimuli", "check", str(recipe), "--json", "--quiet", "--workers", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "n_images": 5,
        "n_usable": 5,
        "notes": ["map source clickme: 1 maps of images that the table does not list"],
        "problems": [],
    }
    with pytest.raises(InputError, match="no such file"):
        check_recipe(tmp_path / "none.toml")


def test_matching_that_is_infeasible_is_found_without_a_build(tmp_path):
    recipe = write_folder(tmp_path / "a", recipe=RECIPE + '\n[match]\nkind = "luminance"\ncontrast = 110.0\n')
    (problem,) = check_recipe(recipe).problems
    assert problem.where == "set"
    assert "matching is infeasible" in problem.text


def test_presets_are_listed_and_shown(capsys):
    assert main(["stimuli", "presets"]) == 0
    assert "osie-eye" in capsys.readouterr().out
    assert main(["stimuli", "presets", "coco-search18"]) == 0
    assert "fact: the frame is the image, fitted into 1680 x 1050" in capsys.readouterr().out
    assert main(["stimuli", "presets", "nothing"]) == 2


def test_images_with_margins_are_shown_whole(tmp_path):
    recipe = write_folder(
        tmp_path / "a", side=64, recipe=RECIPE.replace('images = "images.csv"', 'images = "images.csv"\nfit = "pad"')
    )
    for number in range(4):
        Image.fromarray(natural(number, 48, 96)).save(tmp_path / f"a/images/p{number:02d}.png")
        for source in ("clickme", "salicon"):
            values = np.zeros((48, 96), np.uint8)
            values[5:12, 3 + number : 12 + number] = 200
            Image.fromarray(values).save(tmp_path / f"a/maps/{source}/p{number:02d}.png")
    assert check_recipe(recipe).problems == ()
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    found = read_set(tmp_path / "set")
    (row,) = {one.path for one in found.stimuli if one.image_id == "p01" and one.level_label == "full"}
    shown = np.asarray(Image.open(tmp_path / "set" / row)).astype(int)
    assert (shown[:16] == shown[0, 0]).all()
    assert (shown[48:] == shown[0, 0]).all()
    assert np.abs(shown[0, 0] - shown[16:48].mean(axis=(0, 1))).max() < 1
    with (tmp_path / "set/quality.csv").open() as file:
        assert all(float(one["cut_fraction"]) == 0 for one in csv.DictReader(file))


def test_a_source_is_opened_once_whatever_the_workers(tmp_path, monkeypatch):
    """Other processes are sent what was opened: the file may be gone by then."""
    recipe = write_folder(tmp_path / "a", n_images=20)
    (tmp_path / "a/c.csv").write_text("image_id,x,y\n" + "".join(f"p{n:02d},20,30\n" for n in range(20)))
    maps = '[[maps]]\nsource = "eye"\nreader = "points-csv"\npath = "c.csv"\nblur = "gauss:5"\n'
    recipe.write_text(RECIPE.split("[[maps]]")[0] + maps)
    from rapidvision.stimuli.builder import build as module

    def opened(found: StimulusRecipe, root):
        sources = module_sources(found, root)
        (tmp_path / "a/c.csv").unlink()
        return sources

    module_sources = module.sources_of
    monkeypatch.setattr(module, "sources_of", opened)
    found, root = module.read_recipe(str(recipe))
    assert module.build(found, tmp_path / "set", root=root, workers=2).n_made == 20
    assert not (tmp_path / "a/c.csv").exists()
