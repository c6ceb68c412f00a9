"""Stimuli: fill, scramble, series, storage, matching and memory, each against the thing that labs use today."""

from benchmarks import (
    images,
    stimuli_canvas,
    stimuli_entrance,
    stimuli_fill,
    stimuli_match,
    stimuli_matching,
    stimuli_scale,
    stimuli_series,
)
from benchmarks.harness import Suite

suite = Suite()
PARTS = (
    stimuli_fill,
    stimuli_canvas,
    stimuli_series,
    stimuli_match,
    stimuli_matching,
    stimuli_scale,
    stimuli_entrance,
    images,
)
for part in PARTS:
    suite.extend(part.suite)
