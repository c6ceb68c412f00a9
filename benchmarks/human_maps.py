"""Photographs with human maps, read where they lie beside the project: OSIE, and BubbleView with SALICON."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image
from scipy.ndimage import gaussian_filter

from benchmarks.harness import NotMeasured
from rapidvision.gala_models.evaluation.agreement import split_half

DATA = Path(__file__).parents[2] / "shared" / "data"
#: Side of the maps, and pixels of the original image per place before the blur.
GRID, BIN = 28, 4
#: Standard deviation of the blur as a share of the height: one degree of visual angle in OSIE.
BLUR = 0.04
#: Map source → set of photographs.
SOURCES = {"fixations": "osie", "mouse": "osie", "clicks": "bubbleview", "salicon": "bubbleview"}
OSIE_SIZE, COCO_SIZE = (800, 600), (640, 480)


@dataclass(frozen=True)
class Photographs:
    """Square centres of photographs, whether each shows an animal (None: not labelled), and maps and split-half correlations per source."""

    images: list
    animal: np.ndarray | None
    maps: dict
    ceiling: dict


def density(points, size):
    """Counts of points, blurred, of the centre square, on the grid; points are (x, y) in pixels."""
    width, height = size
    x, y = points[:, 0], points[:, 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    rows, columns = height // BIN, width // BIN
    counts = np.zeros((rows, columns))
    np.add.at(counts, (y[inside].astype(int) // BIN, x[inside].astype(int) // BIN), 1)
    blurred = gaussian_filter(counts, BLUR * rows, mode="constant")
    left = (columns - rows) // 2
    square = Image.fromarray(blurred[:, left : left + rows].astype(np.float32))
    return np.maximum(np.asarray(square.resize((GRID, GRID), Image.Resampling.BOX)), 0)


def square(path):
    """The centre square of a photograph, uint8 (side, side, 3)."""
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    return np.asarray(image.crop((left, top, left + side, top + side)))


def maps_of(images, size):
    """The map of all participants per image, and the mean correlation between halves of them."""
    whole, halves = [], []
    for participants in images:
        each = np.stack([density(points, size) for points in participants if len(points)])
        whole.append(each.sum(0))
        halves.append(split_half(each))
    return np.stack(whole).astype(np.float32), np.array(halves)


@lru_cache
def osie():
    """80 photographs, 40 with animals: fixations without the first one of each of 15 participants, and mouse samples."""
    folder = found(DATA / "osie")
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [row["image"] for row in rows]
    fixations = scipy.io.loadmat(folder / "fixations.mat", simplify_cells=True)["fixations"]
    subjects = {one["img"]: one["subjects"] for one in fixations}
    eyes, mice = [], []
    for name in names:
        eyes.append(
            [np.stack([np.atleast_1d(one["fix_x"]), np.atleast_1d(one["fix_y"])], 1)[1:] for one in subjects[name]]
        )
        path = folder / "mouse_amt" / name.replace("jpg", "mat")
        samples = scipy.io.loadmat(path, simplify_cells=True)["fixations"]
        mice.append([samples["coord"][samples["subj"] == one][:, ::-1] for one in np.unique(samples["subj"])])
    made = {"fixations": maps_of(eyes, OSIE_SIZE), "mouse": maps_of(mice, OSIE_SIZE)}
    animal = np.array([row["category"] == "animal" for row in rows])
    return photographs([folder / "stimuli" / name for name in names], animal, made)


@lru_cache
def bubbleview():
    """51 photographs: bubble clicks of 15 participants, and SALICON's mouse samples of 58."""
    folder, made, names = found(DATA / "bubbleview_salicon"), {}, []
    for source, file in (("clicks", "salicon30x30"), ("salicon", "salicon_gt")):
        rows = scipy.io.loadmat(folder / f"{file}.mat", simplify_cells=True)["bubble"]
        names = [row["filename"] for row in rows]
        points = [
            [
                np.atleast_2d(np.asarray(one["fixations"]["enc"], float))
                for one in row["userdata"]
                if np.size(one["fixations"]["enc"])
            ]
            for row in rows
        ]
        made[source] = maps_of(points, COCO_SIZE)
    return photographs([folder / "images" / name for name in names], None, made)


def photographs(paths, animal, made):
    images = [square(path) for path in paths]
    return Photographs(images, animal, {k: m for k, (m, _) in made.items()}, {k: h for k, (_, h) in made.items()})


def found(folder):
    if not folder.is_dir():
        raise NotMeasured(f"the photographs are not here (shared/data/{folder.name} beside the project)")
    return folder


def photographs_of(source):
    """The set of a map source."""
    return {"osie": osie, "bubbleview": bubbleview}[SOURCES[source]]()
