"""Sixteen categories from files to a network's answers: build, plan, observe, and the mean rule worked out by hand."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from rapidvision import cli
from rapidvision.formats import trials_table
from rapidvision.formats.manifest import read_set
from rapidvision.formats.protocol_file import preset
from rapidvision.gala_models.answers.class_lists import SIXTEEN as LISTS
from tests.experiments.sets import ANIMALS, SIXTEEN

RECIPE = """\
name = "sixteen"
image_px = 32

[[maps]]
source = "centre"
reader = "folder"
path = "maps"

[reveal]
levels = [0.5, 1.0]

[canvas]
kind = "grey"

[[masks]]
kind = "noise"
n_masks = 4
"""
NET = """\
import torch

def make():
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 5, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(),
        torch.nn.Linear(96, 1000),
    )
"""
#: Of three categories, as the published file lists their indices; the others are the package's own.
PUBLISHED = {"bicycle": [444, 671], "bottle": [440, 720, 737, 898, 899, 901, 907], "knife": [499]}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A folder with images, set, study, network and its table."""
    folder, rng = tmp_path_factory.mktemp("sixteen"), np.random.default_rng(16)
    (folder / "images").mkdir()
    (folder / "maps").mkdir()
    with (folder / "images.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image_id", "path", "category", "target", "phase"])
        for category in SIXTEEN:
            for number in range(3):
                name = f"{category}-{number}"
                pixels = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
                Image.fromarray(rng.integers(1, 256, (32, 32), np.uint8)).save(folder / "maps" / f"{name}.png")
                phase = "practice" if number == 2 else "main"
                rows.writerow([name, f"images/{name}.png", category, str(category in ANIMALS).lower(), phase])
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "sixteen_classes.py").write_text(NET)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        run = ["stimuli", "build", "recipe.toml", "--out", "set"]
        assert cli.main(run) == 0
        assert cli.main(["session", "protocol", "sixteen-way", "--out", "mine.toml"]) == 0
        text = (folder / "mine.toml").read_text()
        (folder / "mine.toml").write_text(text.replace("blocks = 5", "blocks = 4\nfixed = { level = 2 }"))
        assert (
            cli.main(["session", "plan", "set", "--protocol", "mine.toml", "--n-per-group", "2", "--out", "study"]) == 0
        )
        observe = ["models", "observe", "study", "--model", "sixteen_classes:make", "--size", "32", "--out", "net.csv"]
        assert cli.main(observe) == 0
    return folder


def test_a_network_of_1000_classes_names_sixteen_categories_by_the_mean_over_their_classes(answered):
    record = json.loads((answered / "net.json").read_text())["networks"][0]
    assert record["readout"].startswith("imagenet-16: mean")
    space = {}
    exec(NET, space)
    net = space["make"]().eval()
    assert {name: list(LISTS[name]) for name in PUBLISHED} == PUBLISHED
    shown = {row.image_id: row for row in read_set(answered / "set").stimuli if row.reveal_fraction is None}
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    rows = trials_table.read_table(answered / "net.csv")
    named = set()
    for row in rows:
        pixels = np.asarray(Image.open(answered / "set" / shown[row.image_id].path).convert("RGB"))
        x = ((torch.tensor(pixels) / 255 - mean) / std).permute(2, 0, 1)[None]
        with torch.no_grad():
            scores = net(x)[0].double().numpy()
        shares = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        means = {name: shares[list(classes)].mean() for name, classes in LISTS.items()}
        assert means[row.response] >= max(means.values()) - 1e-6  # float32 here, float64 there
        assert row.correct == (row.response == row.category)
        named.add(row.response)
    assert len(rows) == 2 * (32 + 16)
    assert len(named) > 1
    assert named <= {option.name for option in preset("sixteen-way").response.options}


def test_its_rows_say_what_it_did_not_see(answered):
    rows = trials_table.read_table(answered / "net.csv")
    assert {row.ignored for row in rows} == {"durations masks"}
