"""Odd and damaged files through the loader of stimuli: right numbers or a typed error, and the files can tell."""

import tempfile

import numpy as np
from PIL import Image

from benchmarks.odd_images import odd_files, outcome
from benchmarks.truth_images import as_stimuli


def test_every_odd_file_is_right_or_refused_by_name():
    files = odd_files(seed=3, rounds=1)
    found = {file.name: as_stimuli(file) for file in files}
    assert [name for name, one in found.items() if one == "wrong"] == []
    assert [file.name for file in files if file.whole and file.truth is not None and found[file.name] != "right"] == []
    assert [file.name for file in files if file.truth is None and found[file.name] != "refused"] == []


def test_a_plain_conversion_is_wrong_about_many_of_them():
    """That is what the files are for."""

    def plainly(path):
        with Image.open(path) as image:
            return np.asarray(image.convert("L" if path.name.startswith("map-") else "RGB"))

    with tempfile.TemporaryDirectory() as folder:
        wrong = [file.name for file in odd_files(seed=3, rounds=1) if outcome(file, folder, plainly) == "wrong"]
    assert len(wrong) > 40
    for name in ("grey16-0.png", "clear-0.png", "exif6-0", "map-grey16-0.png", "map-in-alpha-0.png", "cmyk-0.jpeg"):
        assert any(one.startswith(name) for one in wrong), name
