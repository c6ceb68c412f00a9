"""The images that are shipped: complete, small enough, and what the renderer draws."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rapidvision.stimuli
from rapidvision.stimuli.render.bundle.drawn_image import draw
from rapidvision.stimuli.render.bundle.folder import CATEGORIES, TARGETS
from rapidvision.stimuli.render.bundle.select import LARGEST, SMALLEST, UNCLEAR

BUNDLED = Path(rapidvision.stimuli.__file__).parent / "bundled"


@pytest.fixture(scope="module")
def rows():
    return list(csv.DictReader((BUNDLED / "images.csv").read_text().splitlines()))


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_eighty_main_and_sixteen_practice_images_balanced_over_categories(rows):
    assert Counter((row["category"], row["phase"]) for row in rows) == Counter(
        {**{(c, "main"): 10 for c in CATEGORIES}, **{(c, "practice"): 2 for c in CATEGORIES}}
    )
    assert all((row["target"] == "true") == (row["category"] in TARGETS) for row in rows)
    assert len({pixels(BUNDLED / row["path"]).tobytes() for row in rows}) == 96


def test_every_image_has_both_maps_and_says_where_its_object_is(rows):
    parts = json.loads((BUNDLED / "parts.json").read_text())
    for row in rows:
        name = f"{row['image_id']}.png"
        assert pixels(BUNDLED / row["path"]).shape == (256, 256, 3)
        objects = pixels(BUNDLED / "objects" / name)
        shown = pixels(BUNDLED / "parts" / name)
        assert {str(i) for i in np.unique(shown)} <= set(parts)
        clicks = pixels(BUNDLED / "maps" / "clickme" / name)
        assert clicks[objects == 1].mean() > 3 * clicks[objects != 1].mean()
        assert pixels(BUNDLED / "maps" / "salicon" / name).max() == 255


def test_no_image_is_shipped_at_which_a_viewer_hesitated(rows):
    shipped = {(row["category"], int(row["image_id"].rsplit("-", 1)[1])) for row in rows}
    assert not shipped & {(name, one) for name, numbers in UNCLEAR[2019].items() for one in numbers}


def test_the_datasheet_says_how_much_of_the_frame_the_objects_cover(rows):
    objects = [pixels(BUNDLED / "objects" / f"{row['image_id']}.png") for row in rows]
    alone = [100 * (one == 1).mean() for one in objects]
    datasheet = (Path(__file__).parents[3] / "docs/datasheet.md").read_text()
    assert f"the object covers {min(alone):.1f} to {max(alone):.1f} % of the frame" in " ".join(datasheet.split())
    assert f"with the things around it at most {100 * max((one > 0).mean() for one in objects):.1f} %" in " ".join(
        datasheet.split()
    )
    assert all(100 * SMALLEST <= one <= 100 * LARGEST for one in alone)


def test_they_take_at_most_eight_megabytes():
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) <= 8e6


@pytest.mark.parametrize("number", [0, 50])
def test_a_shipped_image_is_drawn_again_from_its_credit(rows, number):
    row = rows[number]
    seed = int(row["credit"].split("seed ")[1].split(",")[0])
    again = draw(row["category"], seed=seed, number=int(row["image_id"].rsplit("-", 1)[1]), size=256)
    np.testing.assert_array_equal(again.image, pixels(BUNDLED / row["path"]))
