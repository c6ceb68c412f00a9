"""Small image folders made from arrays, so that no image has to be shipped for the tests."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from rapidvision import recipes
from rapidvision.stimuli.recipe import StimulusRecipe

RECIPE = """\
name = "small"
seed = 7
image_px = 64
images = "images.csv"

[[maps]]
source = "clickme"
reader = "folder"
path = "maps/clickme"

[[maps]]
source = "salicon"
reader = "folder"
path = "maps/salicon"

[reveal]
n_levels = 5
lowest = 0.02
"""


def natural(seed, side=64, width=None):
    """A colourful image with a 1/f spectrum and an object, uint8, (side, width or side, 3)."""
    width = side if width is None else width
    rng = np.random.default_rng(seed)
    waves = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(width)[None]) + 1 / max(side, width)
    out = np.empty((side, width, 3))
    shared = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, width))) / waves, s=(side, width))
    for channel in range(3):
        own = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, width))) / waves, s=(side, width))
        mixed = shared + 0.4 * own
        out[..., channel] = 110 + 15 * channel + 35 * mixed / mixed.std()
    rows, columns = np.mgrid[:side, :width]
    out[np.hypot(rows - side / 3, columns - width / 2) < side / 6] += (60, -30, 10)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def blobs(seed, side=64, n_blobs=2):
    """A smooth map with a few peaks, float, (side, side), largest value 1."""
    rng = np.random.default_rng(seed)
    values = np.zeros((side, side))
    for _ in range(n_blobs):
        values[tuple(rng.integers(side // 5, side - side // 5, 2))] = rng.uniform(0.5, 1)
    values = gaussian_filter(values, side / 12)
    return np.where(values > 1e-4 * values.max(), values / values.max(), 0)


def write_folder(folder, n_images=4, side=64, recipe=RECIPE, n_practice=1):
    """An image folder with images p00, p01 …, two map sources, and a recipe; returns the recipe's path."""
    (folder / "images").mkdir(parents=True)
    categories = [("cat", True), ("table", False), ("bird", True), ("couch", False)]
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "path", "category", "target", "phase", "credit", "licence"])
        for number in range(n_images):
            category, target = categories[number % 4]
            phase = "practice" if number < n_practice else "main"
            name = f"p{number:02d}"
            writer.writerow([name, f"images/{name}.png", category, str(target).lower(), phase, "tests", "CC0"])
            Image.fromarray(natural(number, side)).save(folder / "images" / f"{name}.png")
            for offset, source in enumerate(("clickme", "salicon")):
                (folder / "maps" / source).mkdir(parents=True, exist_ok=True)
                grey = np.rint(blobs(1000 * offset + number, side) * 65535).astype(np.uint16)
                Image.fromarray(grey).save(folder / "maps" / source / f"{name}.png")
    (folder / "recipe.toml").write_text(recipe)
    return folder / "recipe.toml"


@pytest.fixture
def image_folder(tmp_path):
    """A fresh folder of four 64 x 64 images with two map sources."""
    write_folder(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def recipe(image_folder):
    return recipes.read(image_folder / "recipe.toml", StimulusRecipe)


def tree(folder, *, hidden=True):
    """Every file of a folder: relative path → bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (hidden or ".build" not in path.parts)
    }
