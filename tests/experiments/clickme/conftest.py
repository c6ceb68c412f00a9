"""A small picture folder with known maps: an object in its category's colour, whose middle matters most."""

import csv

import numpy as np
import pytest
from PIL import Image

from tests.experiments.clickme.eye import COLOURS

SIDE = 256


def draw(category, rng):
    """A picture, the map that painters have in mind (float, 0 … 1), and the object's mask."""
    x, y = rng.integers(64, SIDE - 64, size=2)
    radius = int(rng.integers(28, 44))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(rows - y, columns - x)
    inside = distance <= radius
    picture = np.clip(rng.normal(120, 12, (SIDE, SIDE, 1)), 0, 255).repeat(3, axis=2).astype(np.uint8)
    picture[inside] = COLOURS[category]
    return picture, np.exp(-0.5 * (distance / (0.6 * radius)) ** 2), inside


def make_folder(folder, *, per_category=2, n_categories=4, n_practice=2, seed=1):
    for name in ("images", "maps/truth", "objects"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    rows = []
    for category in sorted(COLOURS)[:n_categories]:
        for number in range(per_category + (n_practice if category == sorted(COLOURS)[0] else 0)):
            name = f"{category}-{number:02d}"
            picture, truth, mask = draw(category, rng)
            Image.fromarray(picture).save(folder / "images" / f"{name}.png")
            Image.fromarray(np.rint(truth * 65535).astype(np.uint16)).save(folder / "maps" / "truth" / f"{name}.png")
            Image.fromarray(mask.astype(np.uint8)).save(folder / "objects" / f"{name}.png")
            phase = "practice" if number >= per_category else "main"
            rows.append([name, f"images/{name}.png", category, int(category in ("bird", "cat")), phase, "test", "CC0"])
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "path", "category", "target", "phase", "credit", "licence"])
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def rules():
    from rapidvision.experiments.clickme.rules import Rules

    return Rules()
