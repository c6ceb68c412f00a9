"""What a laboratory meets: other operating systems, drives without locks, triggers, and people's mistakes."""

import contextlib
import csv
import io

from benchmarks.harness import Suite, at_most
from benchmarks.lab_sessions import fresh

suite = Suite()


@suite.figure("study replayed as Windows, as macOS, HOME read-only: faults", unit="faults", bar=at_most(0))
def systems():
    """Trials lost or void, tracebacks and exit codes of a study that is planned, run, stopped, resumed and exported."""
    import pytest

    from tests.experiments.other_systems import SYSTEMS, console
    from tests.experiments.test_platforms import replay

    faults = 0
    for name in SYSTEMS:
        folder = fresh() / "José Müller"
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            out = console(patch)
            SYSTEMS[name](patch, folder)
            codes, table = replay(patch, folder)
            said = out.getvalue()
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        clean = {(row["participant_id"], row["trial"]) for row in rows if row["timing_ok"] == "true"}
        faults += 48 - len(clean) + (codes != [3, 0, 0, 0, 0, 0]) + said.count(b"Traceback")
    return faults


def quiet(words):
    """Run a verb and return its exit code and what it said."""
    from rapidvision.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(words)
    return code, out.getvalue()
