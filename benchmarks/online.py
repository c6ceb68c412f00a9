"""Online sessions: timing seen by the virtual photodiode, nothing lost, writes per second, arrivals, page weight."""

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

from benchmarks import online_payments  # noqa: F401 (adds its figure to the suite)
from benchmarks.harness import STATED, NotMeasured, at_least, at_most
from benchmarks.online_chaos import suite
from benchmarks.online_timing import needed
from tests import chromium

WRITES = 20_000
CLIENTS = 64

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
    (folder / "slow.c").write_text(SLOW_DISK, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "slow.so", folder / "slow.c", "-ldl"], check=True)
    return str(folder / "slow.so")


def measured(module, *arguments, preload=""):
    """What a program of ours prints, in a process of its own."""
    environment = {**os.environ, **({"LD_PRELOAD": preload} if preload else {})}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, encoding="utf-8")
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


@suite.figure("durable trial writes over HTTP, one process, SQLite", unit="1/s", bar=at_least(5000))
def http_rate():
    return load()["writes_per_second"]


@suite.figure("99th percentile of a write's wait, SQLite over HTTP", unit="ms", bar=at_most(50))
def http_p99():
    return load()["write_p99_ms"]


@suite.figure("processor time of the server per trial write", unit="us", bar=STATED)
def http_processor_time():
    return load()["write_cpu_us"]


@suite.figure("10,000 people, a trial each 2.5 s (4,000/s at random): p99", unit="ms", bar=at_most(50))
def open_p99():
    return load()["open_p99_ms"]


@suite.figure("arrivals that one process deals with", unit="1/s", bar=STATED)
def arrival_rate():
    return load()["arrivals_per_second"]


@suite.figure("store alone, SQLite, 64 waiting clients", unit="1/s", bar=STATED)
def sqlite_store_rate():
    return write_rate("group", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite")["per_second"]


@suite.figure("5 ms slower disk: group commit / commit per request", unit="x", bar=at_least(15))
def slow_disk_ratio():
    ours = write_rate("group", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite", preload=slow_disk(), n=6000)
    theirs = write_rate("single", f"sqlite:///{tempfile.mkdtemp()}/a.sqlite", preload=slow_disk(), n=300)
    return ours["per_second"] / theirs["per_second"]


@suite.figure("store alone, PostgreSQL, 64 waiting clients", unit="1/s", bar=STATED)
def postgresql_store_rate():
    from tests.experiments.online.postgres import postgresql

    with postgresql() as url:
        return write_rate("group", url)["per_second"]


@functools.cache
def arrivals():
    """1,000 people with 500 ids arrive at once: every id twice."""
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
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

            from rapidvision.experiments.online.database.schema import session

            rows = here.read(lambda c: list(c.execute(sa.select(session.c.group_name, session.c.slot))))
            cells = Counter(
                (group, trial.image.image_id, trial.image.level_index)
                for group, slot in rows
                for trial in here.served.plans[group, slot].trials("main")
            )
            return rows, cells, seconds

    return asyncio.run(come())


@suite.figure("1,000 people arriving at once, each twice: sessions", unit="sessions", bar=at_most(1000))
def arrival_sessions():
    return len(arrivals()[0])


@suite.figure("1,000 people arriving at once: difference of the groups", unit="people", bar=at_most(1))
def arrival_groups():
    sizes = Counter(group for group, _ in arrivals()[0])
    return max(sizes.values()) - min(sizes.values())


@suite.figure("1,000 people arriving at once: image x level differs by", unit="people", bar=at_most(1))
def arrival_levels():
    _, cells, _ = arrivals()
    groups = {group for group, _, _ in cells}
    spans = []
    for group in groups:
        counts = [n for (of, _, _), n in cells.items() if of == group]
        spans.append(max(counts) - min(counts))
    return max(spans)


@suite.figure("1,000 people arriving at once, each twice: time for all", unit="s", bar=STATED)
def arrival_seconds():
    return arrivals()[2]


@suite.figure("page weight: script and style of the runner", unit="KB", bar=at_most(150))
def page_weight():
    from rapidvision.experiments import online

    folder = Path(online.__file__).parent / "static" / "runner"
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".js", ".css")) / 1000


@suite.figure("page weight: requests to third parties in a session", unit="requests", bar=at_most(0))
def third_parties():
    from playwright.sync_api import sync_playwright

    from rapidvision.experiments.design.planning import make_study
    from tests.experiments.online.conftest import QUICK, Served, make_set

    path = needed(chromium.PATH, "Chromium")
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-page-"))
    make_study(make_set(folder / "set"), QUICK, folder / "study", n_slots=4)
    served = Served(folder / "study", "--simulate")
    asked = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
            page = browser.new_page(viewport={"width": 1000, "height": 700})
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{served.url}?simulate=fast")
            page.locator("body[data-done]").wait_for(timeout=60_000)
            browser.close()
    finally:
        served.stop()
    return sum(not url.startswith((served.url, "blob:", "data:")) for url in asked)
