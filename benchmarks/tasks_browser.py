"""Phases of a trial in Chromium, as a virtual photodiode sees them: images of 20 and 400 ms with a mask behind.

The photodiode tells dark from light. Of an image and the mask behind it one is dark and the other light, so that the
dark time is the duration of one phase; where both are dark, one dark time says that nothing came between them. A figure
is the share of trials in which the dark time has exactly the planned number of refreshes.

Needs Chromium and Xvfb, and a machine with nothing else to do, or realtime priority. ``RV_TIMING_TRIALS`` is the number
of trials per condition.
"""

import functools
import os
import shutil

from benchmarks.harness import NotMeasured, Suite, at_least
from tests import chromium as browser

suite = Suite()
N_TRIALS = int(os.environ.get("RV_TIMING_TRIALS", "50"))
MASK_MS = 80
#: What is dark -> the method of the laboratory's page, and what is planned, in ms from the image's onset: from and to.
CONDITIONS = {
    "20 ms image": ("masked 20 dark 80 light", 0, 20),
    "mask behind 20 ms": ("masked 20 light 80 dark", 20, 100),
    "20 ms image and mask, nothing between": ("masked 20 dark 80 dark", 0, 100),
    "400 ms image": ("masked 400 dark 80 light", 0, 400),
    "mask behind 400 ms": ("masked 400 light 80 dark", 400, 480),
}


@functools.cache
def chromium(busy):
    """All conditions in one run, trials in random order: the measured period, and trials with what was seen."""
    from tests.experiments.laboratory.browsers import chromium_trials

    if browser.PATH is None or shutil.which("Xvfb") is None:
        raise NotMeasured("Chromium or Xvfb is not installed")
    methods = {(method, "compositor"): N_TRIALS for method, _, _ in CONDITIONS.values()}
    info, joined = chromium_trials(browser.PATH, methods, busy=busy)
    return info["periodMs"], joined


def exact(condition, busy):
    """Share of a condition's trials whose dark time has the planned number of refreshes."""
    from rapidvision.screen import refreshes

    method, from_ms, to_ms = CONDITIONS[condition]
    period_ms, joined = chromium(busy)
    hz = 1000 / period_ms
    planned = refreshes(to_ms, hz) - refreshes(from_ms, hz)
    seen = [episode for trial, episode in joined if trial["method"] == method]
    right = [episode is not None and round(episode.duration_ms / period_ms) == planned for episode in seen]
    return sum(right) / len(right)


for _busy, _word, _bar in ((False, "idle", 99), (True, "busy", 97)):
    for _condition in CONDITIONS:

        @suite.figure(f"Chromium, {_condition}: exact refreshes, {_word}", unit="%", bar=at_least(_bar))
        def chromium_exact(condition=_condition, busy=_busy):
            return 100 * exact(condition, busy)
