"""Figures of the report: how long a large and a small study take, and whether the paragraph's numbers are in the results."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.analysis_engine import suite
from benchmarks.harness import at_most

#: The child: CSV to report, then its processor time and its largest memory.
_CHILD = """
import json, resource, sys
from rapidvision.cli import main
code = main(["analyse", "report", sys.argv[1], "--seed", "1", "--out", sys.argv[2], "--quiet"])
used = resource.getrusage(resource.RUSAGE_SELF)
open(sys.argv[3], "w").write(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""
_FOUND = {}


_FOREIGN = {
    "participant_id": "subj",
    "group": "cond",
    "image_id": "image",
    "category": "category",
    "level_label": "level",
    "correct": "acc",
    "response_ms": "rt",
}
_READ = """
import json, resource, sys
from rapidvision.analysis import read_trials
read = read_trials(sys.argv[1])
used = resource.getrusage(resource.RUSAGE_SELF)
open(sys.argv[2], "w").write(json.dumps([len(read.frame), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""


def foreign(n_per_group):
    """A table of another program of as many participants: processor seconds and bytes of a fresh process that reads it."""
    if ("foreign", n_per_group) in _FOUND:
        return _FOUND["foreign", n_per_group]
    from rapidvision.analysis.sample_size.simulation import Design, simulate

    frame = simulate(Design(n_per_group=n_per_group), seed=1).trials(seed=1).frame[list(_FOREIGN)]
    frame = frame.rename(columns=_FOREIGN).assign(acc=(frame["correct"] == True).astype(int))  # noqa: E712
    with tempfile.TemporaryDirectory() as folder:
        table, said = Path(folder) / "mine.csv", Path(folder) / "said.json"
        frame.to_csv(table, index=False)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-c", _READ, str(table), str(said)], check=True, env=environment)
        n, seconds, memory = json.loads(said.read_text(encoding="utf-8"))
    assert n == len(frame)
    _FOUND["foreign", n_per_group] = seconds, memory
    return seconds, memory


def study(n_per_group):
    """A simulated study as CSV → processor seconds and bytes of a fresh process that reports it."""
    if n_per_group in _FOUND:
        return _FOUND[n_per_group]
    from rapidvision.analysis.sample_size.simulation import Design, simulate

    frame = simulate(Design(n_per_group=n_per_group), seed=1).trials(seed=1).frame
    for column in ("target", "correct", "timing_ok"):
        frame[column] = frame[column].map({True: "true", False: "false"})
    with tempfile.TemporaryDirectory() as folder:
        table, said = Path(folder) / "trials.csv", Path(folder) / "said.json"
        frame.to_csv(table, index=False)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-c", _CHILD, str(table), f"{folder}/report", str(said)]
        subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
        code, seconds, memory = json.loads(said.read_text(encoding="utf-8"))
    assert code == 0
    _FOUND[n_per_group] = seconds, memory
    return _FOUND[n_per_group]


@suite.figure("report of 10,000 participants x 80 trials, processor time", unit="s", bar=at_most(20))
def large_seconds():
    return study(5_000)[0]


@suite.figure("report of 10,000 participants x 80 trials, memory", unit="GB", bar=at_most(1))
def large_memory():
    return study(5_000)[1] / 1e9


@suite.figure("report of 100 participants in a fresh process, processor time", unit="s", bar=at_most(1.5))
def small_seconds():
    return study(50)[0]


@suite.figure(
    "another program's CSV of 10,000 participants x 80 trials read, processor time", unit="s", bar=at_most(20)
)
def foreign_seconds():
    return foreign(5_000)[0]


@suite.figure("another program's CSV of 10,000 participants x 80 trials read, memory", unit="GB", bar=at_most(1))
def foreign_memory():
    return foreign(5_000)[1] / 1e9


@suite.figure("numbers of the paragraphs that are not at their place in results.json", unit="", bar=at_most(0))
def numbers_elsewhere():
    from rapidvision import analysis
    from rapidvision.analysis.writing.numbers import value_at

    trials = analysis.Design(n_per_group=30).simulate(seed=1)
    with tempfile.TemporaryDirectory() as folder:
        analysis.report(trials, folder, n_resamples=999, seed=1)
        results = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
        text = (Path(folder) / "paragraph.txt").read_text(encoding="utf-8")
    wrong = 0
    for source in analysis.paragraphs(results).sources:
        value, written = value_at(results, source.path), source.text.rstrip("%").replace(",", "")
        if isinstance(value, str):
            wrong += source.text != value or source.text not in text
            continue
        half = 0.5000001 * 10.0 ** -len(written.partition(".")[2])
        near = min(abs(float(written) - value), abs(float(written) - 100 * value)) <= half
        wrong += not (near or (written == ".001" and value < 0.001)) or source.text not in text
    return wrong
