"""A build that cannot be is refused in one line, whatever the number of workers, and leaves its folder free."""

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder

ONE_SOURCE = RECIPE.split("[[maps]]")[0]


def points_recipe(folder, *, path="c.csv", blur="gauss:5", cell="30"):
    (folder / "c.csv").write_text(f"image_id,x,y\np00,20,30\np01,{cell},30\np02,9,9\np03,9,9\n")
    maps = f'[[maps]]\nsource = "eye"\nreader = "points-csv"\npath = "{path}"\nblur = "{blur}"\n'
    (folder / "recipe.toml").write_text(ONE_SOURCE + maps)
    return folder / "recipe.toml"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "nosuch.csv"}, "nosuch.csv: no such file or folder"),
        ({"blur": "gaus:5"}, 'blur: got "gaus:5"'),
        ({"cell": ""}, "c.csv: row 3: x is blank"),
        ({"cell": "NaN"}, 'c.csv: row 3: x is "NaN"'),
        ({"path": "images"}, "images"),
    ],
)
def test_an_error_in_a_map_source_is_one_line_with_any_number_of_workers(
    image_folder, tmp_path, capfd, workers, options, says
):
    recipe = points_recipe(image_folder, **options)
    out = tmp_path / "set"
    assert main(["stimuli", "build", str(recipe), "--out", str(out), "--workers", str(workers), "--quiet"]) == 2
    lines = capfd.readouterr().err.strip().split("\n")
    assert len(lines) == 1
    assert says in lines[0]
    assert not out.exists()


def test_a_refused_build_leaves_its_folder_to_the_next_recipe(tmp_path):
    folder = write_folder(tmp_path / "p", recipe=RECIPE + '\n[match]\nkind = "luminance"\ncontrast = 110.0\n').parent
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    with pytest.raises(InputError, match="infeasible"):
        build(recipe, tmp_path / "set", root=root)
    assert not (tmp_path / "set").exists()
    (folder / "recipe.toml").write_text(RECIPE)
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    assert build(recipe, tmp_path / "set", root=root).result is not None


def test_a_build_of_which_every_image_was_refused_says_all_reasons_and_leaves_its_folder(image_folder, tmp_path):
    for number, path in enumerate(sorted((image_folder / "maps/clickme").iterdir())):
        Image.fromarray(np.full((64, 64), number, np.uint8)).save(path)
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    with pytest.raises(InputError, match=r"every image was refused \(rejects\.csv has the reasons\)"):
        build(recipe, tmp_path / "set", root=root, skip_bad=True)
    text = (tmp_path / "set/rejects.csv").read_text()
    assert text.count("all values are") == 4
    (image_folder / "recipe.toml").write_text(points_recipe(image_folder).read_text())
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    assert build(recipe, tmp_path / "set", root=root).result is not None
    assert not (tmp_path / "set/rejects.csv").exists()


@pytest.mark.parametrize("form", ["png", "recipe"])
def test_images_without_a_part_in_the_common_target_are_named(tmp_path, form):
    text = RECIPE + '\n[match]\nkind = "luminance"\nshrink = true\n'
    folder = write_folder(tmp_path / "p", recipe=text, n_images=5).parent
    (folder / "images/p03.png").write_bytes(b"no image")
    (folder / "maps/salicon/p02.png").unlink()
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    with pytest.raises(InputError, match=r"p03\.png: not an image"):
        build(recipe, tmp_path / "set", root=root)
    made = build(recipe, tmp_path / "set", root=root, form=form, skip_bad=True)
    assert [note.partition(":")[0] for note in made.notes] == [
        "p02 has no part in the common target",
        "p03 has no part in the common target",
    ]
    description = made.result.description
    left_out = (description if form == "png" else description.description).quality["match_left_out"]
    assert list(left_out) == ["p02", "p03"]
    if form == "png":
        sheet = ["stimuli", "show", str(tmp_path / "set"), "--out", str(tmp_path / "sheet"), "--quiet"]
        assert main([*sheet, "--recipe", str(folder / "recipe.toml")]) == 0
        fewer = write_folder(tmp_path / "fewer", recipe=text, n_images=5).parent
        rows = (fewer / "images.csv").read_text().split("\n")
        (fewer / "images.csv").write_text("\n".join(row for row in rows if row[:3] not in ("p02", "p03")))
        recipe, root = read_recipe(str(fewer / "recipe.toml"))
        other = build(recipe, tmp_path / "other", root=root).result
        assert other.digest == read_set(tmp_path / "set").digest  # what was left out had no say
    else:
        build(recipe, tmp_path / "plain", root=root, skip_bad=True)
        expand(tmp_path / "set", tmp_path / "expanded", root=folder)
        assert tree(tmp_path / "expanded") == tree(tmp_path / "plain", hidden=False)


def test_files_that_a_map_folder_holds_besides_maps_are_counted(image_folder, tmp_path, capsys):
    (image_folder / "maps/clickme/notes.txt").write_text("x")
    (image_folder / "maps/clickme/._p00.png").write_bytes(b"\0\5\26\7")
    arguments = [
        "stimuli",
        "build",
        str(image_folder / "recipe.toml"),
        "--out",
        str(tmp_path / "s"),
        "--workers",
        "1",
    ]
    assert main(arguments) == 0
    assert "map source clickme: 1 .txt, 1 hidden passed over" in capsys.readouterr().out


def test_a_two_image_jpeg_is_built_from_its_first_image(image_folder, tmp_path):
    first, second = Image.fromarray(natural(1)), Image.fromarray(natural(2))
    path = image_folder / "images/p01.png"  # a JPEG by its content
    first.save(path, "MPO", save_all=True, append_images=[second], quality=95)
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    found = build(recipe, tmp_path / "set", root=root).result
    (row,) = {row.path for row in found.stimuli if row.image_id == "p01" and row.level_label == "full"}
    shown = np.asarray(Image.open(tmp_path / "set" / row), int)
    assert np.abs(shown - natural(1)).mean() < 6 < np.abs(shown - natural(2)).mean()
