"""The statistics' share: sign flips of fractions against enumeration, and ordinary designs through ``report``."""

import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.harness import Suite, at_least, at_most, seconds

suite = Suite()

#: Participants of both groups, trials per cell, levels below the intact image, share of answers that are missing.
DESIGNS = (
    (5, 5, 1, 5, 0.0),
    (5, 5, 80, 5, 0.1),
    (6, 24, 13, 11, 0.3),
    (10, 10, 40, 5, 0.05),
    (10, 10, 60, 5, 0.03),
    (12, 48, 26, 5, 0.1),
    (20, 20, 7, 11, 0.05),
    (20, 20, 3, 11, 0.3),
    (30, 30, 40, 5, 0.05),
    (30, 30, 13, 11, 0.1),
    (30, 30, 80, 2, 0.3),
    (25, 35, 60, 3, 0.15),
)


def enumerated(d):
    """P(sum >= observed) over all flips of fractions, in fractions."""
    sums = [Fraction(0)]
    for one in d:
        sums = [total + change for total in sums for change in (one, -one)]
    observed = sum(d)
    return Fraction(sum(total >= observed for total in sums), len(sums))


@suite.figure("sign flips of 2,000 fractions with margin, error (seed 14)", unit="", bar=at_most(1e-12))
def sign_flips():
    from rapidvision.numerics.sign_flip import sign_flip_test

    rng = np.random.default_rng(14)
    worst = 0.0
    for number in range(2000):
        n = int(rng.integers(1, 11))
        below = int(rng.choice([3, 6, 7, 10, 12, 20]))
        margin = Fraction(int(rng.integers(-3, 4)), int(rng.choice([1, 20, 3])))
        above = rng.integers(-below, below + 1, n)
        # as they come from data: a difference of two shares in floating point
        base = rng.integers(0, below + 1, n)
        floats = (base + above) / below - base / below
        expected = enumerated([Fraction(int(one), below) - margin for one in above])
        found = sign_flip_test(floats, null=float(margin), n_resamples=1, seed=number, alternative="greater").p_exact[0]
        counted = sign_flip_test(
            above, denominators=np.full(n, below), null=float(margin), n_resamples=1, seed=number, alternative="greater"
        ).p_exact[0]
        worst = max(worst, abs(float(found) - float(expected)), abs(float(counted) - float(expected)))
    return worst


def table(design, number):
    """Trials of one design as CSV text: beta-binomial answers, thresholds alike in both groups."""
    from rapidvision.trials import COLUMNS, SCHEMA_VERSION

    n_first, n_second, n_trials, n_levels, missing = design
    rng = np.random.default_rng([14, number])
    labels = [f"{share:.3g}" for share in 10 ** np.linspace(0, 2, n_levels)] + ["full"]
    mean = np.linspace(0.52, 0.96, n_levels + 1)
    lines = [",".join(column.name for column in COLUMNS)]
    for group, size in (("a", n_first), ("b", n_second)):
        for person in range(size):
            trial = 0
            for level, label in enumerate(labels):
                chance = rng.beta(mean[level] * 9, (1 - mean[level]) * 9)
                for _ in range(n_trials):
                    target, right = rng.random() < 0.5, rng.random() < chance
                    late = rng.random() < missing
                    said = target == right
                    cells = {
                        "schema_version": SCHEMA_VERSION, "study_id": "own", "session_id": f"{group}{person}",
                        "participant_id": f"{group}{person}", "observer": "human", "observer_kind": "human", "group": group,
                        "slot": person, "phase": "main", "block": 0, "trial": trial, "image_id": f"i{trial}",
                        "stimulus_sha256": f"i{trial}", "category": "cat" if target else "table",
                        "target": str(target).lower(), "map_source": group, "level_index": level, "level_label": label,
                        "reveal_fraction": "" if label == "full" else float(label) / 100, "revealed_px": 100 + level,
                        "correct_response": "target" if target else "distractor", "input": "s" if said else "l",
                        "response": "target" if said else "distractor", "correct": str(right).lower(),
                        "response_ms": 900.0 if late else float(rng.integers(150, 540)),
                        "status": "late" if late else "ok", "attempt": 1,
                    }  # fmt: skip
                    lines.append(",".join(str(cells.get(column.name, "")) for column in COLUMNS))
                    trial += 1
    return "\n".join(lines) + "\n"


def reports():
    """Of each design: wall seconds, CPU seconds, and whether its report is whole; computed once, in this process."""
    if not _DONE:
        from rapidvision.analysis.reporting.build import report

        with tempfile.TemporaryDirectory() as folder:
            for number, design in enumerate(DESIGNS):
                path = Path(folder) / f"{number}.csv"
                path.write_text(table(design, number), encoding="utf-8")
                out = Path(folder) / str(number)
                begun = time.process_time()
                wall = seconds(lambda path=path, out=out: report(path, out, seed=1))
                _DONE.append((wall, time.process_time() - begun, whole(out)))
    return _DONE


_DONE: list[tuple[float, float, bool]] = []


def whole(out):
    """Whether every group and level has a p against chance, corrected too, and all files are there."""
    import json

    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    rows = [row for group in results["chance"] for row in group]
    complete = all(row["p"] is not None and row["p_holm"] is not None for row in rows if row["n"])
    return bool(rows) and complete and (out / "report.html").stat().st_size > 10_000


@suite.figure("12 ordinary designs through report, written whole (seed 14)", unit="share", bar=at_least(1))
def written():
    return np.mean([complete for _, _, complete in reports()])


@suite.figure("slowest of their reports, wall time on an idle machine", unit="s", bar=at_most(5))
def slowest():
    return max(wall for wall, _, _ in reports())


@suite.figure("slowest of their reports, CPU time", unit="s", bar=at_most(5))
def slowest_cpu():
    return max(cpu for _, cpu, _ in reports())


@suite.figure("a report of the largest design as a command, CPU time", unit="s", bar=at_most(5))
def command():
    """A fresh process, with its imports; the clock of children counts its CPU time alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.csv"
        path.write_text(table(DESIGNS[9], 9), encoding="utf-8")
        before = os.times()
        words = ["analyse", "report", str(path), "--out", folder, "--seed", "1", "--quiet"]
        subprocess.run([sys.executable, "-m", "rapidvision", *words], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
