"""What networks find at the lowest level of a set: features and evidence, a leak that is planted, and the verb."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from rapidvision import gala_models
from rapidvision.cli import main
from rapidvision.gala_models.observer.networks import bundled_paths, load
from tests.stimuli.test_certificate import leaky_folder


class Warm(nn.Module):
    """Scores of two classes from mean colours alone: it sees canvases as well as images."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 2)
        with torch.no_grad():
            self.fc.weight[:] = torch.tensor([[-1.0, 0, 1, 0, 0, 0], [1, 0, -1, 0, 0, 0]])
            self.fc.bias[:] = torch.tensor([0.0, 100.0])  # always the same answer, whatever the evidence

    def forward(self, x):
        flat = x.flatten(2)
        return self.fc(torch.cat([flat.mean(2), flat.std(2)], 1))


def test_a_biased_network_that_sees_the_leak_is_flagged_by_features_and_by_evidence(tmp_path):
    path = leaky_folder(tmp_path / "images")
    assert main(["stimuli", "build", str(path), "--out", str(tmp_path / "set"), "--workers", "1", "--quiet"]) == 0
    network = load(Warm, readout="binary", name="warm", size_px=64)
    found = gala_models.certify([network], tmp_path / "set")
    assert [test.shown for test in found.tests] == ["lowest level of clickme"] * 2 + ["lowest level of salicon"] * 2
    assert {test.features for test in found.tests} == {"features of warm", "evidence of warm"}
    assert all(test.n_targets == test.n_distractors == 8 for test in found.tests)
    assert all(test.auc > 0.9 and test.flagged for test in found.tests if test.features == "features of warm")
    evidence = [test for test in found.tests if test.features != "features of warm"]
    assert all(test.auc > 0.9 or test.auc < 0.1 for test in evidence)
    assert gala_models.certify([network], tmp_path / "set") == found
    other = gala_models.certify([network], tmp_path / "set", seed=99)
    assert [test.auc for test in other.tests] == [test.auc for test in found.tests]


def test_the_verb_prints_and_gives_the_certificate(tmp_path, capsys):
    path = leaky_folder(tmp_path / "images")
    assert main(["stimuli", "build", str(path), "--out", str(tmp_path / "set"), "--workers", "1", "--quiet"]) == 0
    capsys.readouterr()
    run = ["models", "certify", str(tmp_path / "set"), "--model", str(bundled_paths()[0]), "--seed", "3"]
    assert main(run) == 0
    said = capsys.readouterr().out
    assert said.startswith("canvas certificate: ")
    assert said.count("features of compact-gala-maps") == 2
    assert main([*run, "--json"]) == 0
    given = json.loads(capsys.readouterr().out)
    assert len(given["tests"]) == 4
    assert given["flagged"] == any(np.array([test["p"] for test in given["tests"]]) <= 0.05) or given["flagged"]


def test_a_set_with_too_few_images_is_not_tested(tmp_path):
    path = leaky_folder(tmp_path / "images", n_images=5)
    assert main(["stimuli", "build", str(path), "--out", str(tmp_path / "set"), "--workers", "1", "--quiet"]) == 0
    assert "4 of each are needed" in gala_models.certify([], tmp_path / "set").note
