"""What browsers really show and record, as a virtual photodiode and a key robot see it.

Needs Chromium, Firefox ESR and Xvfb, and a machine with nothing else to do, or realtime priority (``chrt -r 1 python -m
benchmarks online``). ``RV_TIMING_TRIALS`` is the number of trials per condition. jsPsych is taken from
``tests/experiments/online/jspsych/node_modules`` when ``npm ci`` was run there.
"""

import functools
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.harness import NotMeasured, Suite, at_least, at_most
from tests import chromium as browser

suite = Suite()
FIREFOX = os.environ.get("RV_FIREFOX") or shutil.which("firefox-esr")
JSPSYCH = Path(__file__).parents[1] / "tests" / "experiments" / "online" / "jspsych" / "node_modules"
N_TRIALS = int(os.environ.get("RV_TIMING_TRIALS", "50"))
N_OTHERS = 20


def needed(path, name):
    if path is None or shutil.which("Xvfb") is None:
        raise NotMeasured(f"{name} or Xvfb is not installed")
    return path


def jspsych_scripts():
    scripts = [
        JSPSYCH / "jspsych" / "dist" / "index.browser.min.js",
        JSPSYCH / "@jspsych" / "plugin-image-keyboard-response" / "dist" / "index.browser.min.js",
    ]
    return scripts if all(path.is_file() for path in scripts) else []


@functools.cache
def chromium(busy):
    """Our presenter, on a busy page beside jsPsych and the movie: in one run, trials in random order."""
    from tests.experiments.laboratory.browsers import chromium_trials

    path = needed(browser.PATH, "Chromium")
    scripts = jspsych_scripts()
    methods = {("ours", "compositor"): N_TRIALS}
    if busy:
        methods |= {("movie", ""): N_OTHERS} | ({("jspsych", ""): N_OTHERS} if scripts else {})
    renamed = []
    if scripts:
        folder = Path(tempfile.mkdtemp())
        for number, script in enumerate(scripts):
            renamed.append(folder / f"{number}.js")
            shutil.copy(script, renamed[-1])
    info, joined = chromium_trials(path, methods, busy=busy, extra=renamed)
    return info["periodMs"], joined


@functools.cache
def firefox(busy):
    from tests.experiments.laboratory.browsers import firefox_trials

    info, joined = firefox_trials(needed(FIREFOX, "Firefox ESR"), N_TRIALS, busy=busy, limit_s=600)
    return info["periodMs"], joined


def figures_of(run, busy, method="ours"):
    from tests.experiments.laboratory.browsers import summary

    period, joined = run(busy)
    return summary(joined, period, method)


for _busy, _word, _bar in ((False, "idle", 99), (True, "busy", 97)):

    @suite.figure(f"Chromium, 400 ms shown in exact frames, {_word}", unit="%", bar=at_least(_bar))
    def chromium_exact(busy=_busy):
        return 100 * figures_of(chromium, busy)["exact"]

    @suite.figure(f"Chromium, SD of the duration, {_word}", unit="ms", bar=at_most(1))
    def chromium_sd(busy=_busy):
        return figures_of(chromium, busy)["duration_sd_ms"]

    @suite.figure(f"Chromium, bias of the response time, {_word}", unit="ms", bar=at_most(3))
    def chromium_bias(busy=_busy):
        return abs(figures_of(chromium, busy)["response_bias_ms"])

    @suite.figure(f"Chromium, SD of the response time's error, {_word}", unit="ms", bar=at_most(1.5))
    def chromium_response_sd(busy=_busy):
        return figures_of(chromium, busy)["response_sd_ms"]

    @suite.figure(f"Firefox ESR, 400 ms shown in exact frames, {_word}", unit="%", bar=at_least(95))
    def firefox_exact(busy=_busy):
        return 100 * figures_of(firefox, busy)["exact"]

    @suite.figure(f"Firefox ESR, SD of the response time's error, {_word}", unit="ms", bar=at_most(5))
    def firefox_response_sd(busy=_busy):
        return figures_of(firefox, busy)["response_sd_ms"]


@suite.figure("busy page, SD of response time: movie method / ours", unit="x", bar=at_least(20))
def movie_ratio():
    theirs = figures_of(chromium, True, "movie")["response_sd_ms"]
    return theirs / figures_of(chromium, True)["response_sd_ms"]


@suite.figure("busy page, SD of response time: stock jsPsych / ours", unit="x", bar=at_least(20))
def jspsych_ratio():
    if not jspsych_scripts():
        raise NotMeasured("no jsPsych; run npm ci in tests/experiments/online/jspsych")
    theirs = figures_of(chromium, True, "jspsych")["response_sd_ms"]
    return theirs / figures_of(chromium, True)["response_sd_ms"]
