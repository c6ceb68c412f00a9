"""Twelve browsers that take part while server and pages are killed, reloaded and cut off: nothing lost, nothing twice."""

import functools
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from benchmarks.harness import at_least, at_most
from benchmarks.online_timing import needed, suite
from tests import chromium


@functools.cache
def torment():
    """The full chaos: 12 browsers, 80 main trials, real presentation."""
    from playwright.sync_api import sync_playwright

    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.study.settings import Limits, OnlineSettings, Screening
    from rapidvision.formats.protocol_file import preset
    from rapidvision.task.phases import Phase
    from rapidvision.task.session import Display, Feedback, Practice
    from tests.experiments.online import chaos
    from tests.experiments.online.client import stored_trials
    from tests.experiments.online.conftest import Served, make_set, write_settings

    path = needed(chromium.PATH, "Chromium")
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-chaos-"))
    paper = preset("paper")
    protocol = msgspec.structs.replace(
        paper,
        name="chaos",
        phases=(
            Phase(kind="fixation", duration_ms=(120, 180)),
            Phase(kind="stimulus", duration_ms=100),
            Phase(kind="blank", duration_ms=100),
        ),
        response=msgspec.structs.replace(paper.response, limit_ms=200),
        practice=Practice(n_trials=0),
        feedback=Feedback(too_slow_ms=60),
        display=Display(image_px=64),
    )
    make_study(make_set(folder / "set", n_images=80), protocol, folder / "study", n_slots=12)
    limits = Limits(arrival_burst=1e6, request_burst=1e6)
    write_settings(folder / "study", OnlineSettings(screening=Screening(fullscreen=False), limits=limits))
    served = Served(folder / "study", "--simulate", "--seed", "5")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
            outcome = chaos.torment(
                browser, served, n_browsers=12, kills=20, reloads=30, offline=15, seed=11, limit_s=500
            )
            browser.close()
    finally:
        served.stop()
    for page in outcome.stopped:
        print(f"a participant did not finish; the page says: {page!r}", file=sys.stderr)
    return outcome, stored_trials(folder / "study")


@suite.figure("chaos (20 kills, 30 reloads, 15 offline): trials lost of 960", unit="trials", bar=at_most(0))
def chaos_lost():
    return 960 - len({(row.session_id, row.trial) for row in torment()[1]})


@suite.figure("chaos: trials stored twice", unit="trials", bar=at_most(0))
def chaos_doubled():
    counts = Counter((row.session_id, row.trial) for row in torment()[1])
    return sum(n - 1 for n in counts.values())


@suite.figure("chaos: images shown twice to one person", unit="images", bar=at_most(0))
def chaos_shown_twice():
    return torment()[0].shown_twice


@suite.figure("chaos: participants who finished, of 12", unit="people", bar=at_least(12))
def chaos_finished():
    return torment()[0].finished
