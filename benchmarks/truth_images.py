"""Odd and damaged images and maps, as stimuli read them: right pixels or a refusal that names the file."""

import dataclasses
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path

from benchmarks.harness import Suite, at_least, at_most
from benchmarks.odd_images import HEIGHT, WIDTH, odd_files, outcome
from rapidvision.stimuli.image.load import load
from rapidvision.stimuli.input_tables import MapSource
from rapidvision.stimuli.maps.readers.folder import FolderReader

SEED = 14
SOURCE = MapSource(source="maps", reader="folder", path=".")
suite = Suite()


def as_stimuli(file):
    """What stimuli make of a file: images are cut to their middle square, maps are read from their folder."""

    def read(path):
        return FolderReader(path.parent, SOURCE).read(path.stem).values if file.is_map else load(path, HEIGHT).pixels

    if not file.is_map and file.truth is not None:
        left = (WIDTH - HEIGHT) // 2
        file = dataclasses.replace(file, truth=file.truth[:, left : left + HEIGHT])
    with tempfile.TemporaryDirectory() as folder:
        return outcome(file, Path(folder), read)


@lru_cache(maxsize=1)
def outcomes():
    """Count of (outcome, whether a good loader reads the file) over all files."""
    return Counter((as_stimuli(file), file.whole and file.truth is not None) for file in odd_files(seed=SEED, rounds=3))


@suite.figure("357 odd images and maps, seed 14: neither right nor refused", unit="files", bar=at_most(0))
def silent() -> float:
    """Wrong pixels, or an error that is not typed or does not name the file."""
    return float(outcomes()["wrong", True] + outcomes()["wrong", False])


@suite.figure("of the undamaged among them: read", unit="share", bar=at_least(1))
def read() -> float:
    """A loader that refuses everything would make nothing wrong."""
    return outcomes()["right", True] / sum(n for (_, whole), n in outcomes().items() if whole)
