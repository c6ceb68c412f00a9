"""Every way in which a set's inputs can be wrong ends in one line that names the file and the remedy."""

import csv

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import InputError, RecipeError
from rapidvision.formats.manifest import read_set
from rapidvision.numerics.blur import blurred
from rapidvision.numerics.blur import parse as parse_blur
from rapidvision.recipes import parse
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.image.load import Geometry
from rapidvision.stimuli.maps.prepare import prepare
from rapidvision.stimuli.maps.readers.base import DenseMap, Points
from rapidvision.stimuli.recipe import StimulusRecipe
from tests.stimuli.conftest import RECIPE, blobs, natural


def built(folder, out, **options):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    return build(recipe, out, root=root, **options)


def refused(folder, out, says):
    with pytest.raises(InputError, match=says) as error:
        built(folder, out)
    assert "\n" not in str(error.value)


def edit_table(folder, change):
    path = folder / "images.csv"
    with path.open() as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def save_map(folder, values, name="p01", source="clickme"):
    (folder / f"maps/{source}/{name}.png").unlink(missing_ok=True)
    np.save(folder / f"maps/{source}/{name}.npy", values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((64, 64)), "p01.npy: all values are zero"),
        (np.full((64, 64), 3.0), "p01.npy: all values are the same"),
        (np.where(np.eye(64) > 0, np.nan, 1.0), "p01.npy: 64 of 4096 values are not finite"),
        (np.where(np.eye(64) > 0, np.inf, 1.0), "p01.npy: 64 of 4096 values are not finite"),
        (blobs(1) - 0.5, "p01.npy: .* of 4096 values are negative"),
        (
            blobs(1)[:48],
            r"maps/clickme/p01.npy \(map of p01 from clickme\): 64 x 48 for an image of 64 x 64; a map must have",
        ),
        (np.array([["a", "b"]]), "a map is made of numbers"),
        (np.ones((4, 4, 3)) * np.arange(3), "a map has two dimensions"),
    ],
)
def test_unusable_maps_are_named(image_folder, tmp_path, values, says):
    save_map(image_folder, values)
    refused(image_folder, tmp_path / "set", says)


def test_a_map_that_is_turned_is_told_so():
    geometry = Geometry.of((80, 60), 32, fit="crop", upscale=False, where="a")
    with pytest.raises(InputError, match="60 x 80 for an image of 80 x 60; it looks turned by 90 degrees"):
        prepare(DenseMap(np.eye(80, 60, dtype=np.float32)), geometry, parse_blur("none"), image_id="a", source="s")


def points(x, y, frame=(640, 480)):
    return Points(np.array(x, float), np.array(y, float), 1, frame)


def test_exchanged_axes_are_told_and_a_few_points_outside_are_counted():
    geometry = Geometry.of((640, 480), 64, fit="crop", upscale=False, where="a")
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 639, 400), rng.uniform(0, 479, 400)
    with pytest.raises(InputError, match="points lie outside 640 x 480 pixels; x and y look exchanged"):
        prepare(points(y, x), geometry, parse_blur("gauss:2"), image_id="a", source="s")
    x[:8] = 700
    found = prepare(points(x, y), geometry, parse_blur("gauss:2"), image_id="a", source="s")
    assert (found.n_points, found.n_outside) == (400, 8)
    with pytest.raises(InputError, match="0 of 0 points lie outside"):
        prepare(points([], []), geometry, parse_blur("gauss:2"), image_id="a", source="s")


def test_a_build_tells_of_recordings_with_many_points_outside(image_folder, tmp_path, capsys):
    """Two of forty points outside are silent; three are told, with the counts, and stop nothing."""
    rng = np.random.default_rng(1)
    lines = ["image_id,x,y"]
    for name, n_outside in (("p00", 0), ("p01", 2), ("p02", 3), ("p03", 0)):
        x, y = rng.uniform(8, 56, 40), rng.uniform(8, 56, 40)
        x[:n_outside] = 70
        lines += [f"{name},{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)]
    (image_folder / "clicks.csv").write_text("\n".join(lines) + "\n")
    text = RECIPE.replace(
        'reader = "folder"\npath = "maps/clickme"', 'reader = "points-csv"\npath = "clicks.csv"\nblur = "gauss:4"'
    )
    (image_folder / "recipe.toml").write_text(text)
    command = [
        "stimuli",
        "build",
        str(image_folder / "recipe.toml"),
        "--out",
        str(tmp_path / "set"),
        "--workers",
        "1",
    ]
    assert main(command) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "outside" in line]
    assert told == ["flag: p02 clickme: 3 of 40 points are outside"]


def test_points_land_where_they_were_made():
    geometry = Geometry.of((640, 480), 64, fit="crop", upscale=False, where="a")
    found = prepare(points([320.0], [120.0]), geometry, parse_blur("none"), image_id="a", source="s").map
    assert found.peak == (16, 32)  # 85 columns after scaling, the middle 64 from column 10 on
    smooth = prepare(points([320.0], [120.0]), geometry, parse_blur("gauss:3"), image_id="a", source="s").map
    assert smooth.peak == (16, 32)


@pytest.mark.parametrize("name", ["none", "paper", "gala_tpu", "gauss:3", "disc:5"])
def test_blurs_keep_the_total_and_the_place(name):
    spot = np.zeros((129, 129))
    spot[64, 64] = 2.0
    out = blurred(spot, parse_blur(name))
    assert out.sum() == pytest.approx(2.0, rel=1e-3)
    assert np.allclose(out, out[::-1, ::-1])
    assert blurred(np.random.default_rng(0).random((90, 90)) ** 20, parse_blur(name)).min() >= 0
    rows, columns = np.nonzero(out > 1e-9)
    reach = {"none": 0, "paper": 24, "gala_tpu": 24, "gauss:3": 12, "disc:5": 5}[name]
    assert (rows.max() - 64, columns.max() - 64) == (reach, reach)


def test_the_reference_codes_kernel_is_nearly_a_box():
    spot = np.zeros((99, 99))
    spot[49, 49] = 1
    window = blurred(spot, parse_blur("gala_tpu"))[25:74, 25:74]
    assert window.min() / window.max() == pytest.approx(0.987, abs=0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[0].__setitem__(3, "targets"), 'no column "target". Did you mean "targets"'),
        (lambda rows: rows[0].append("kredit") or [row.append("x") for row in rows[1:]], 'unknown column "kredit"'),
        (lambda rows: rows[1].__setitem__(3, "maybe"), 'row 2: target is "maybe"; true or false is needed'),
        (lambda rows: rows[1].__setitem__(4, "training"), 'row 2: phase is "training"'),
        (lambda rows: rows[2].__setitem__(0, "p00"), "p00 appears twice"),
        (lambda rows: rows[2].__setitem__(0, "P00"), "p00 and P00 differ only in capitals"),
        (lambda rows: rows[2].__setitem__(0, "../p01"), 'image_id "../p01" must be letters'),
        (lambda rows: rows[2].__setitem__(2, "cat"), "category cat is both target and distractor"),
        (lambda rows: rows[2].__setitem__(2, ""), "row 3: category is empty"),
        (lambda rows: rows[3].pop(), "row 4 has 6 cells, the header 7"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no images; the table has only a header"),
        (lambda rows: rows[1].__setitem__(1, "images/none.png"), "none.png: no such file"),
    ],
)
def test_tables_are_checked(image_folder, tmp_path, change, says):
    edit_table(image_folder, change)
    refused(image_folder, tmp_path / "set", says)


def test_the_same_file_in_practice_and_main_is_refused(image_folder, tmp_path):
    (image_folder / "images/p02.png").write_bytes((image_folder / "images/p00.png").read_bytes())
    refused(image_folder, tmp_path / "set", r"p00 \(practice, cat\) and p02 \(main, bird\) are the same file")
    with pytest.raises(InputError, match="are the same file"):
        built(image_folder, tmp_path / "set", skip_bad=True)


def test_a_map_that_one_source_lacks_takes_the_image_from_both_when_bad_ones_are_skipped(image_folder, tmp_path):
    (image_folder / "maps/salicon/p02.png").unlink()
    refused(image_folder, tmp_path / "one", "maps/salicon: no map for p02")
    (image_folder / "images/p03.png").write_bytes(b"broken")
    done = built(image_folder, tmp_path / "two", skip_bad=True)
    assert [one.job.image_id for one in done.rejected] == ["p02", "p03"]
    found = read_set(tmp_path / "two")
    assert {row.image_id for row in found.stimuli} == {"p00", "p01"}
    with (tmp_path / "two/rejects.csv").open() as file:
        rejects = list(csv.DictReader(file))
    assert [row["image_id"] for row in rejects] == ["p02", "p03"]
    assert "not an image of a format that is read" in rejects[1]["reason"]
    Image.fromarray(natural(3)).save(image_folder / "images/p03.png")
    np.save(image_folder / "maps/salicon/p02.npy", blobs(3))
    built(image_folder, tmp_path / "two", skip_bad=True)
    assert not (tmp_path / "two/rejects.csv").exists()
    assert len(read_set(tmp_path / "two").exemplars("main")) == 3


def test_a_set_of_which_nothing_is_left_is_refused(image_folder, tmp_path):
    for path in (image_folder / "maps/clickme").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="every image was refused .*, the first because: .*no map for p00"):
        built(image_folder, tmp_path / "set", skip_bad=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            RECIPE.replace("n_levels = 5", "n_leves = 5"),
            'unknown key "n_leves" in \\[reveal\\]. Did you mean "n_levels"',
        ),
        (
            RECIPE.replace('reader = "folder"', 'reader = "fodler"', 1),
            'map reader: got "fodler". Did you mean "folder"',
        ),
        (RECIPE.replace("n_levels = 5", "n_levels = 1"), "n_levels must be >= 2"),
        (RECIPE.replace("n_levels = 5", "levels = [0.5, 0.2, 1.0]"), "levels must rise"),
        (RECIPE.replace("n_levels = 5", "budget = 1.5"), "budget must be above 0"),
        (RECIPE.replace("n_levels = 5", "epsilon = 0.0"), "epsilon 1e-6 to 1"),
        (RECIPE.replace('source = "salicon"', 'source = "clickme"'), "different sources"),
        (RECIPE.replace('source = "salicon"', 'source = "full"'), 'source must not be "full"'),
        (RECIPE.replace('source = "salicon"', 'source = "a/b"'), 'source "a/b" must be letters'),
        (RECIPE.replace("image_px = 64", "image_px = 8"), "image_px 16 to 4096"),
        (RECIPE + "\n[canvas]\ncoherence = 2.0\n", "coherence"),
        (RECIPE + '\n[match]\nkind = "luminance"\nmean = 300.0\n', "mean must be between 0 and 255"),
    ],
)
def test_recipes_are_checked(text, says):
    with pytest.raises(RecipeError, match=says):
        parse(text, StimulusRecipe)


def test_a_blur_without_meaning_is_refused(image_folder, tmp_path):
    text = (
        (image_folder / "recipe.toml")
        .read_text()
        .replace('path = "maps/clickme"', 'path = "maps/clickme"\nblur = "gaus:3"')
    )
    (image_folder / "recipe.toml").write_text(text)
    refused(image_folder, tmp_path / "set", 'blur: got "gaus:3"; allowed: none, paper, gala_tpu')


def test_levels_that_collide_are_refused(image_folder, tmp_path):
    text = RECIPE.replace("n_levels = 5\nlowest = 0.02", "n_levels = 11\nlowest = 0.01\nbudget = 0.02")
    (image_folder / "recipe.toml").write_text(text)
    refused(image_folder, tmp_path / "set", "82 pixels are too few for 11 different levels")


def test_top_pixels_beyond_the_support_are_refused_and_the_support_is_a_budget(image_folder, tmp_path):
    for name in ("p00", "p01", "p02", "p03"):
        values = np.zeros((64, 64))
        values[10:30, 10:30] = blobs(5)[10:30, 10:30] + 0.1
        save_map(image_folder, values, name)
    text = RECIPE + 'mode = "top"\n'
    (image_folder / "recipe.toml").write_text(text)
    refused(image_folder, tmp_path / "a", "614 pixels are to be revealed and only 400 have importance")
    (image_folder / "recipe.toml").write_text(text + 'budget = "support"\n')
    found = built(image_folder, tmp_path / "b").result
    assert {row.revealed_px for row in found.stimuli if row.level_label == "100"} == {400}


def test_degrees_become_pixels_of_a_screen_that_is_declared_in_full(image_folder, tmp_path):
    text = RECIPE.replace("image_px = 64", "image_deg = 1.5")
    (image_folder / "recipe.toml").write_text(text)
    refused(image_folder, tmp_path / "set", r"image_deg is 1\.5, and there is no screen; add a \[screen\] table with")
    (image_folder / "recipe.toml").write_text(text + "[screen]\nwidth_px = 1920\nwidth_cm = 53.0\n")
    refused(image_folder, tmp_path / "set", "screen: `distance_cm` is needed")
    (image_folder / "recipe.toml").write_text(text + "[screen]\nwidth_px = 1920\nwidth_cm = 53.0\ndistance_cm = 57.0\n")
    recipe, _ = read_recipe(str(image_folder / "recipe.toml"))
    assert recipe.side_px == 54


def test_a_broken_recipe_ends_the_command_line_with_2(tmp_path, capsys):
    (tmp_path / "r.toml").write_text("name = ")
    assert main(["stimuli", "build", str(tmp_path / "r.toml"), "--out", str(tmp_path / "s")]) == 2
    assert "not TOML" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["aux", "NUL.1", "com3", "p01."])
def test_a_image_whose_id_windows_cannot_have_as_a_file_is_refused(image_folder, tmp_path, name):
    edit_table(image_folder, lambda rows: rows[1].__setitem__(0, name))
    refused(image_folder, tmp_path / "set", f'image_id "{name}" cannot be a file name everywhere: Windows')


def test_a_recipe_may_begin_with_the_byte_order_mark_of_windows_editors(image_folder, tmp_path):
    path = image_folder / "recipe.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert built(image_folder, tmp_path / "set").result is not None
