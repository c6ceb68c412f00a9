"""What a laboratory meets: other operating systems, drives without locks, triggers, and people's mistakes."""

import contextlib
import csv
import functools
import os
import pty
import re
import statistics
import subprocess
import sys
import threading
import time
import tty

from benchmarks.harness import STATED, Suite, at_least, at_most
from benchmarks.lab_sessions import ROOT, fresh, paper_study

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


#: Longest time between two codes of the session that is replayed; longer waits only take time.
_LONGEST_S = 0.03
_WIDTH_S = 0.005


@functools.cache
def pulses():
    """The codes of a session of 88 trials as sent at their flips, what arrived on a pseudo-terminal, and when each byte was written."""
    from rapidvision.experiments.engine.participants import Observers, Participant
    from rapidvision.experiments.engine.session import Session
    from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
    from rapidvision.experiments.triggers.ports import SerialPulsePort

    screen = VirtualScreen(60)
    plan = paper_study().plans()[0]
    person = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    Session(plan, screen, person, MemoryJournal()).run()
    marks = screen.marks
    assert sum(code >= 16 for code, _ in marks) == 88
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port, arrived = SerialPulsePort(os.ttyname(theirs), width_s=_WIDTH_S), []

    def read():
        with contextlib.suppress(OSError):
            while data := os.read(ours, 64):
                now = time.perf_counter()
                arrived.extend((byte, now) for byte in data)

    put, written = port._put, []
    port._put = lambda value: (put(value), written.append((value, time.perf_counter())))
    reader = threading.Thread(target=read)
    reader.start()
    sent, due, before = [], time.perf_counter(), marks[0][1]
    for code, flip_s in marks:
        due += min(flip_s - before, _LONGEST_S)
        before = flip_s
        time.sleep(max(0.0, due - time.perf_counter()))
        sent.append((code, time.perf_counter()))  # where a flip would have returned
        port.send(code)
    port.close()
    os.close(theirs)
    reader.join()
    os.close(ours)
    return sent, arrived[1:], written  # the first zero is the port's beginning


@suite.figure("trigger codes of 88 trials: in order and back to zero", unit="%", bar=at_least(100))
def codes():
    sent, arrived, _ = pulses()
    pairs = list(zip(arrived[::2], arrived[1::2], strict=False))
    right = sum(up[0] == code and down[0] == 0 for (code, _), (up, down) in zip(sent, pairs, strict=False))
    return 100 * right / max(len(sent), len(pairs))


@suite.figure("trigger pulses: shortest, of a stated 5 ms", unit="ms", bar=at_least(4.5))
def width():
    _, _, written = pulses()
    return 1000 * min(down - up for (_, up), (_, down) in zip(written[::2], written[1::2], strict=True))


@suite.figure("trigger pulses: median", unit="ms", bar=STATED)
def median_width():
    _, _, written = pulses()
    return 1000 * statistics.median(down - up for (_, up), (_, down) in zip(written[::2], written[1::2], strict=True))


@suite.figure("trigger pulses: shortest time at zero between two", unit="ms", bar=at_least(0.9))
def spacing():
    _, _, written = pulses()
    return 1000 * min(up - down for (_, down), (_, up) in zip(written[1::2], written[2::2], strict=False))


def _jitter():
    sent, _, written = pulses()
    return [1000 * (up - when) for (_, when), (_, up) in zip(sent, written[::2], strict=True)]


@suite.figure("trigger codes: written after the flip, median", unit="ms", bar=STATED)
def lag():
    return statistics.median(_jitter())


@suite.figure("trigger codes: written after the flip, sd", unit="ms", bar=STATED)
def jitter():
    return statistics.pstdev(_jitter())


@suite.figure("mistakes of people: answered in a sentence, nothing lost or mixed", unit="mistakes", bar=at_least(40))
def mistakes():
    """Passed mistakes of ``tests/experiments/test_mistakes.py``; none where one failed."""
    tests = "tests/experiments/test_mistakes.py::test_a_mistake_is_answered_in_a_sentence_and_costs_nothing"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests],
        cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found.group(1)) if found and done.returncode == 0 else 0
