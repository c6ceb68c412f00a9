"""Tables of other programs: how many of the known sets are read rightly, and what reading costs."""

import random
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.analysis_engine import best, suite
from benchmarks.harness import STATED, NotMeasured, between

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def animals(name):
    """Accuracy per level of a set of model-vs-human, animal or not, to three digits."""
    from rapidvision.analysis import import_trials
    from rapidvision.analysis.table.accuracy import cells

    folder = DATA / "model_vs_human" / name
    if not folder.is_dir():
        raise NotMeasured("the folder of real data is not beside the project")
    found = cells(import_trials("mvh", folder))
    return (found.halves.sum(axis=0) / 2 / found.n_trials.sum(axis=0)).round(3).tolist()


@suite.figure("model-vs-human read from folders: printed accuracies that differ", unit="of 15", bar=between(0, 0))
def printed_accuracies():
    printed = {
        "phase-scrambling": [0.980, 0.965, 0.967, 0.903, 0.810, 0.652, 0.610],
        "contrast": [0.588, 0.637, 0.727, 0.881, 0.931, 0.959, 0.972, 0.978],
    }
    return sum(
        got != share for name, shares in printed.items() for got, share in zip(animals(name), shares, strict=True)
    )


@suite.figure("a CSV of another program, 100 participants x 80 trials, to checked trials", unit="s", bar=STATED)
def reading_time():
    from rapidvision.analysis import read_trials

    draw = random.Random(5)
    rows = [
        {
            "subj": f"P{at // 80:03d}",
            "cond": "ab"[at // 80 % 2],
            "percent": (2.5, 10, 25, 40)[at % 4],
            "image": f"image-{at % 80}",
            "acc": int(draw.random() < 0.7),
            "rt": draw.randint(300, 900),
        }
        for at in range(8000)
    ]
    with tempfile.TemporaryDirectory() as folder:
        pd.DataFrame(rows).to_csv(Path(folder) / "mine.csv", index=False)
        return best(lambda: read_trials(Path(folder) / "mine.csv"), repeats=3)
