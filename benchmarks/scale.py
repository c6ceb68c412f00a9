"""More than one process: a Dask cluster, torchrun, and the study server with workers, PostgreSQL and nginx; and what they carry.

All processes run on this one machine, so the ratios show what the way of working costs, not what more machines bring.
"""

import asyncio
import functools
import json
import statistics
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, seconds

suite = Suite()
N_PEOPLE, N_TRIALS = 64, 64


@functools.cache
def folder():
    return Path(tempfile.mkdtemp(prefix="rapidvision-scale-"))


@functools.cache
def builds():
    """Seconds of building the bundled set with two processes of this machine, and with a cluster's two workers."""
    from rapidvision.stimuli.builder.build import build, read_recipe
    from tests.chain import machines

    recipe, root = read_recipe("bundled")
    local = seconds(lambda: build(recipe, folder() / "local", root=root, workers=2))
    with machines.dask_cluster(folder() / "cluster", n_workers=2) as cluster:
        address = cluster.address
        spread = seconds(lambda: build(recipe, folder() / "spread", root=root, scheduler=address))
    return local, spread


@suite.figure("stimuli, 2 Dask workers / 2 local processes", unit="x the rate", bar=at_least(0.8))
def dask_ratio():
    local, spread = builds()
    return local / spread


@suite.figure("stimuli, 2 Dask workers: images with both maps", unit="1/s", bar=STATED)
def dask_rate():
    return 96 / builds()[1]


@suite.figure("one session's images, from the server to the browser", unit="MB", bar=STATED)
def session_download():
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.formats.manifest import read_set
    from rapidvision.formats.protocol_file import preset

    builds()
    plans = make_study(read_set(folder() / "local"), preset("paper"), folder() / "study", n_slots=12)
    files = [[path for trial in plan.trials() for path in trial.files()] for plan in plans]
    sizes = [sum((folder() / "local" / path).stat().st_size for path in paths) for paths in files]
    return statistics.mean(sizes) / 1e6


@functools.cache
def crowd():
    """Trials per second, waits, and the database's growth, when 64 people answer as fast as they can."""
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.study.plans import open_study
    from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
    from rapidvision.formats.protocol_file import preset
    from rapidvision.task.session import Display, Practice
    from tests.chain import machines
    from tests.experiments.online import postgres
    from tests.experiments.online.conftest import Served, make_set, write_settings

    if machines.nginx_program() is None or not postgres.binary("postgres"):
        raise NotMeasured("no nginx or no PostgreSQL")
    import psycopg

    made = make_set(folder() / "tiny", n_images=N_TRIALS, n_practice=0, image_px=8)
    paper = preset("paper")
    protocol = msgspec.structs.replace(
        paper,
        name="crowd",
        design=msgspec.structs.replace(paper.design, blocks=N_TRIALS // 16, block_size=16),
        practice=Practice(n_trials=0),
        display=Display(image_px=8),
    )
    make_study(made, protocol, folder() / "crowd", n_slots=N_PEOPLE // 2)
    limits = Limits(arrival_burst=1e9, request_burst=1e9, requests_per_second=1e9)
    write_settings(folder() / "crowd", OnlineSettings(limits=limits))
    consent = open_study(folder() / "crowd", verify=False).settings.consent_sha256
    with postgres.postgresql() as url:
        public = ("--behind-proxy", "--public-url", "https://lab.example/animals", "--workers", "2")
        served = Served(folder() / "crowd", *public, env={"RAPIDVISION_DATABASE": url})
        try:
            port = machines.wait_until(served.process_port, "the port")
            with machines.nginx(folder() / "nginx", port, "/animals/") as front:
                sent, duration, waits = asyncio.run(machines.crowd(front, "/animals", consent, N_PEOPLE))
        finally:
            served.stop()
        with psycopg.connect(url) as connection:
            stored, size = connection.execute("select count(*), pg_total_relation_size('trial') from trial").fetchone()
    assert stored == sent
    return sent / duration, float(np.percentile(waits, 99)) * 1000, size / sent


@suite.figure("2 workers, PostgreSQL, nginx, sub-path: durable trials", unit="1/s", bar=at_least(1000))
def crowd_rate():
    return crowd()[0]


@suite.figure("… 99th percentile of an answer's wait, 64 people", unit="ms", bar=STATED)
def crowd_wait():
    return crowd()[1]


@suite.figure("… PostgreSQL, bytes per trial with index", unit="bytes", bar=STATED)
def crowd_bytes():
    return crowd()[2]


TRAINING = """\
name = "net"
train = "store"
validation = "store"
batch_size = 16
annotation = "maps"
[model]
family = "compact"
attention = "gala"
n_classes = 8
[preprocessing]
size_px = 96
[schedule]
epochs = 2
milestones = []
"""


@functools.cache
def training(n_processes):
    """Images per second of the last epoch, one thread a process."""
    from tests.chain import console

    here = folder() / "training"
    here.mkdir(exist_ok=True)
    (here / "net.toml").write_text(TRAINING, encoding="utf-8")
    bundled = Path(__file__).parents[1] / "stimuli" / "bundled"
    commands = [] if (here / "store").exists() else [f"rapidvision models pack-dataset {bundled} --out store --size 96"]
    launcher = f"{sys.executable} -m torch.distributed.run --standalone --nproc-per-node {n_processes} -m"
    commands.append(f"{launcher} rapidvision models train net.toml --out run-{n_processes} --quiet")
    for command in commands:
        done = console.run(command, here)
        if done.returncode:
            raise NotMeasured(done.stderr.strip().splitlines()[-1])
    timing = json.loads((here / f"run-{n_processes}" / "timing.json").read_text(encoding="utf-8"))
    return 16 * timing["steps_per_s"]


@suite.figure("torchrun, compact GALA with maps, one process of one thread", unit="images/s", bar=STATED)
def one_process():
    return training(1)


@suite.figure("torchrun over gloo, 2 processes / one", unit="x the rate", bar=STATED)
def two_processes():
    return training(2) / training(1)
