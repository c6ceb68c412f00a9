"""What is put into simulated observers comes back: a small version of ``benchmarks/tasks_recovery.py``."""

import statistics

import pytest

from benchmarks.tasks_recovery import estimates


@pytest.mark.parametrize(
    ("name", "word", "tolerance"),
    [
        ("paper", "threshold", 0.05),
        ("threshold", "threshold", 0.08),
        ("confidence", "confidence", 0.15),
        ("masked", "d'", 0.25),
        ("go-nogo", "d'", 0.25),
        ("sixteen-way", "ca", 0.05),
        ("exposure", "loss", 0.8),
        ("exposure", "half", 0.25),
    ],
)
def test_what_is_put_into_observers_comes_back(name, word, tolerance):
    found = [one for one in estimates(name, 8) if one.name.startswith(word)]
    assert abs(statistics.mean(one.found - one.true for one in found)) < tolerance
    assert statistics.mean(one.covered for one in found) >= 0.75
