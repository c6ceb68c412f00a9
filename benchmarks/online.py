"""Online sessions: timing seen by the virtual photodiode, nothing lost, writes per second, arrivals, page weight.

The timing figures need Chromium, Firefox ESR and Xvfb, and a machine with nothing else to do, or realtime priority
(``chrt -r 1 python -m benchmarks online``). ``RV_TIMING_TRIALS`` is the number of trials per condition. jsPsych is taken
from ``tests/experiments/online/jspsych/node_modules`` when ``npm ci`` was run there.
"""

import asyncio
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.harness import STATED, NotMeasured, Room, at_least, at_most

room = Room()
CHROMIUM = os.environ.get("RV_CHROMIUM") or shutil.which("chromium")
FIREFOX = os.environ.get("RV_FIREFOX") or shutil.which("firefox-esr")
JSPSYCH = Path(__file__).parents[1] / "tests" / "experiments" / "online" / "jspsych" / "node_modules"
N_TRIALS = int(os.environ.get("RV_TIMING_TRIALS", "50"))
N_OTHERS = 20
WRITES = 20_000
CLIENTS = 64


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

    path = needed(CHROMIUM, "Chromium")
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

    @room.figure(f"Chromium, 400 ms shown in exact frames, {_word}", unit="%", bar=at_least(_bar))
    def chromium_exact(busy=_busy):
        return 100 * figures_of(chromium, busy)["exact"]

    @room.figure(f"Chromium, SD of the duration, {_word}", unit="ms", bar=at_most(1))
    def chromium_sd(busy=_busy):
        return figures_of(chromium, busy)["duration_sd_ms"]

    @room.figure(f"Chromium, bias of the response time, {_word}", unit="ms", bar=at_most(3))
    def chromium_bias(busy=_busy):
        return abs(figures_of(chromium, busy)["response_bias_ms"])

    @room.figure(f"Chromium, SD of the response time's error, {_word}", unit="ms", bar=at_most(1.5))
    def chromium_response_sd(busy=_busy):
        return figures_of(chromium, busy)["response_sd_ms"]

    @room.figure(f"Firefox ESR, 400 ms shown in exact frames, {_word}", unit="%", bar=at_least(95))
    def firefox_exact(busy=_busy):
        return 100 * figures_of(firefox, busy)["exact"]

    @room.figure(f"Firefox ESR, SD of the response time's error, {_word}", unit="ms", bar=at_most(5))
    def firefox_response_sd(busy=_busy):
        return figures_of(firefox, busy)["response_sd_ms"]


@room.figure("busy page, SD of response time: movie method / ours", unit="x", bar=at_least(20))
def movie_ratio():
    theirs = figures_of(chromium, True, "movie")["response_sd_ms"]
    return theirs / figures_of(chromium, True)["response_sd_ms"]


@room.figure("busy page, SD of response time: stock jsPsych / ours", unit="x", bar=at_least(20))
def jspsych_ratio():
    if not jspsych_scripts():
        raise NotMeasured("no jsPsych; run npm ci in tests/experiments/online/jspsych")
    theirs = figures_of(chromium, True, "jspsych")["response_sd_ms"]
    return theirs / figures_of(chromium, True)["response_sd_ms"]


@functools.cache
def torment():
    """The full chaos: 12 browsers, 80 main trials, real presentation."""
    from playwright.sync_api import sync_playwright

    from rapidvision.experiments.online.settings import Limits, OnlineSettings, Screening
    from rapidvision.experiments.planning import make_study
    from rapidvision.protocol import Practice, Protocol, Timing
    from tests.experiments.online import chaos
    from tests.experiments.online.conftest import CHROMIUM_ARGUMENTS, Served, make_set, write_settings

    path = needed(CHROMIUM, "Chromium")
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-chaos-"))
    protocol = Protocol(
        name="chaos",
        practice=Practice(n_trials=0),
        timing=Timing(fixation_ms=(120, 180), stimulus_ms=100, blank_ms=100, too_slow_ms=60),
        image_px=64,
    )
    make_study(make_set(folder / "set", n_images=80), protocol, folder / "study", n_slots=12)
    limits = Limits(arrival_burst=1e6, request_burst=1e6)
    write_settings(folder / "study", OnlineSettings(screening=Screening(fullscreen=False), limits=limits))
    served = Served(folder / "study", "--simulate", "--seed", "5")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
            outcome = chaos.torment(
                browser, served, n_browsers=12, kills=20, reloads=30, offline=15, seed=11, limit_s=500
            )
            browser.close()
    finally:
        served.stop()
    for page in outcome.stopped:
        print(f"a participant did not finish; the page says: {page!r}", file=sys.stderr)
    return outcome, stored_rows(folder / "study")


def stored_rows(folder):
    from rapidvision.experiments.online.database import default_database, open_online_store
    from rapidvision.experiments.online.export import trial_records
    from rapidvision.experiments.online.plans import open_study

    served = open_study(folder)
    store = open_online_store(default_database(folder), served)
    try:
        return store.read(lambda connection: trial_records(connection, served))
    finally:
        store.close()


@room.figure("chaos (20 kills, 30 reloads, 15 offline): trials lost of 960", unit="trials", bar=at_most(0))
def chaos_lost():
    return 960 - len({(row.session_id, row.trial) for row in torment()[1]})


@room.figure("chaos: trials stored twice", unit="trials", bar=at_most(0))
def chaos_doubled():
    counts = Counter((row.session_id, row.trial) for row in torment()[1])
    return sum(n - 1 for n in counts.values())


@room.figure("chaos: pictures shown twice to one person", unit="pictures", bar=at_most(0))
def chaos_shown_twice():
    return torment()[0].shown_twice


@room.figure("chaos: participants who finished, of 12", unit="people", bar=at_least(12))
def chaos_finished():
    return torment()[0].finished


SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static void wait_5_ms(void) { usleep(5000); }
int fsync(int fd) { wait_5_ms(); int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); return real(fd); }
int fdatasync(int fd) { wait_5_ms(); int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); return real(fd); }
"""


@functools.cache
def slow_disk():
    """A library that makes each sync take 5 ms longer, for processes that preload it."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotMeasured("no C compiler for the slow disk")
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-slow-"))
    (folder / "slow.c").write_text(SLOW_DISK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "slow.so", folder / "slow.c", "-ldl"], check=True)
    return str(folder / "slow.so")


def measured(module, *arguments, preload=""):
    """What a program of ours prints, in a process of its own."""
    environment = {**os.environ, **({"LD_PRELOAD": preload} if preload else {})}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the process died")
    return json.loads(done.stdout)


def write_rate(how, url, *, preload="", n=WRITES):
    """Trial writes per second and the 99th percentile of their waiting time, without any server."""
    return measured("benchmarks.online_writes", how, url, n, CLIENTS, preload=preload)


@functools.cache
def load():
    """One server process: 2,000 arrivals, 20,480 writes as fast as they go, then 4,000 trials a second."""
    return measured("benchmarks.online_load", 2000, 20_480, 4000, 4)


@room.figure("durable trial writes over HTTP, one process, SQLite", unit="1/s", bar=at_least(5000))
def http_rate():
    return load()["writes_per_second"]


@room.figure("99th percentile of a write's wait, SQLite over HTTP", unit="ms", bar=at_most(50))
def http_p99():
    return load()["write_p99_ms"]


@room.figure("processor time of the server per trial write", unit="us", bar=STATED)
def http_processor_time():
    return load()["write_cpu_us"]


@room.figure("10,000 people, a trial each 2.5 s (4,000/s at random): p99", unit="ms", bar=at_most(50))
def open_p99():
    return load()["open_p99_ms"]


@room.figure("arrivals that one process deals with", unit="1/s", bar=STATED)
def arrival_rate():
    return load()["arrivals_per_second"]


@room.figure("store alone, SQLite, 64 waiting clients", unit="1/s", bar=STATED)
def sqlite_store_rate():
    return write_rate("group", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite")["per_second"]


@room.figure("5 ms slower disk: group commit / commit per request", unit="x", bar=at_least(15))
def slow_disk_ratio():
    ours = write_rate("group", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite", preload=slow_disk(), n=6000)
    theirs = write_rate("single", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite", preload=slow_disk(), n=300)
    return ours["per_second"] / theirs["per_second"]


@room.figure("store alone, PostgreSQL, 64 waiting clients", unit="1/s", bar=STATED)
def postgresql_store_rate():
    from tests.experiments.online.postgres import postgresql

    with postgresql() as url:
        return write_rate("group", url)["per_second"]


@functools.cache
def arrivals():
    """1,000 people with 500 ids arrive at once: every id twice."""
    from rapidvision.experiments.online.settings import Limits, OnlineSettings
    from rapidvision.experiments.planning import make_study
    from tests.experiments.online.client import Person, world
    from tests.experiments.online.conftest import QUICK, make_set, write_settings

    folder = Path(tempfile.mkdtemp(prefix="rapidvision-arrivals-"))
    make_study(make_set(folder / "set"), QUICK, folder / "study", n_slots=60)
    write_settings(folder / "study", OnlineSettings(limits=Limits(arrival_burst=1e6)))

    async def come():
        async with world(folder / "study") as here, here.client() as client:
            people = [Person(client, here.served, id=f"p{number // 2}") for number in range(2000)]
            for first, second in zip(people[::2], people[1::2], strict=True):
                second.resume_key = first.resume_key
            start = time.perf_counter()
            answers = await asyncio.gather(*(person.begin() for person in people))
            seconds = time.perf_counter() - start
            assert {answer.status_code for answer in answers} == {200, 201}
            import sqlalchemy as sa

            from rapidvision.experiments.online.schema import session

            rows = here.read(lambda c: list(c.execute(sa.select(session.c.group_name, session.c.slot))))
            cells = Counter(
                (group, trial.image_id, trial.level_index)
                for group, slot in rows
                for trial in here.served.plans[group, slot].trials("main")
            )
            return rows, cells, seconds

    return asyncio.run(come())


@room.figure("1,000 people arriving at once, each twice: sessions", unit="sessions", bar=at_most(1000))
def arrival_sessions():
    return len(arrivals()[0])


@room.figure("1,000 people arriving at once: difference of the groups", unit="people", bar=at_most(1))
def arrival_groups():
    sizes = Counter(group for group, _ in arrivals()[0])
    return max(sizes.values()) - min(sizes.values())


@room.figure("1,000 people arriving at once: image x level differs by", unit="people", bar=at_most(1))
def arrival_levels():
    _, cells, _ = arrivals()
    groups = {group for group, _, _ in cells}
    spans = []
    for group in groups:
        counts = [n for (of, _, _), n in cells.items() if of == group]
        spans.append(max(counts) - min(counts))
    return max(spans)


@room.figure("1,000 people arriving at once, each twice: time for all", unit="s", bar=STATED)
def arrival_seconds():
    return arrivals()[2]


@room.figure("page weight: script and style of the runner", unit="KB", bar=at_most(150))
def page_weight():
    from rapidvision.experiments import online

    folder = Path(online.__file__).parent / "static" / "runner"
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".js", ".css")) / 1000


@room.figure("page weight: requests to third parties in a session", unit="requests", bar=at_most(0))
def third_parties():
    from playwright.sync_api import sync_playwright

    from rapidvision.experiments.planning import make_study
    from tests.experiments.online.conftest import CHROMIUM_ARGUMENTS, QUICK, Served, make_set

    path = needed(CHROMIUM, "Chromium")
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-page-"))
    make_study(make_set(folder / "set"), QUICK, folder / "study", n_slots=4)
    served = Served(folder / "study", "--simulate")
    asked = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
            page = browser.new_page(viewport={"width": 1000, "height": 700})
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{served.url}?simulate=fast")
            page.locator("body[data-done]").wait_for(timeout=60_000)
            browser.close()
    finally:
        served.stop()
    return sum(not url.startswith((served.url, "blob:", "data:")) for url in asked)
