"""What the how-to about scale promises: clusters, arrays and several processes change no byte and lose no trial."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rapidvision.stimuli.builder.build import build, read_recipe
from tests.chain import console, machines
from tests.conftest import missing
from tests.stimuli.conftest import tree, write_folder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "scale-out.md"


def whole(folder, out):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    build(recipe, out, root=root)
    return tree(out)


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_builds_the_same_bytes(tmp_path):
    pytest.importorskip("distributed")
    images = write_folder(tmp_path / "images", n_images=48, side=128).parent
    recipe = (images / "recipe.toml").read_text(encoding="utf-8").replace("image_px = 64", "image_px = 128")
    (images / "recipe.toml").write_text(recipe + "\n[canvas]\ngamut_iterations = 60\n", encoding="utf-8")
    expected = whole(images, tmp_path / "one")
    with machines.dask_cluster(tmp_path / "cluster", n_workers=2) as cluster:
        command = [sys.executable, "-m", "rapidvision", "stimuli", "build", images / "recipe.toml", "--quiet"]
        builder = subprocess.Popen([*command, "--out", tmp_path / "two", "--scheduler", cluster.address], cwd=ROOT)
        try:
            machines.wait_until(lambda: list((tmp_path / "two").glob("images/*/full.png")), "a first image")
            cluster.workers[0].kill()
            unfinished = not (tmp_path / "two" / "stimulus_set.json").exists()
            assert builder.wait(300) == 0
        finally:
            machines.stop(builder)
        assert cluster.workers[1].poll() is None
    assert unfinished, "the build was over before the worker died; give it more to do"
    assert tree(tmp_path / "two") == expected


def test_the_tasks_of_the_slurm_array_make_the_set_of_one_build(tmp_path):
    script = next(step for step in console.steps(PAGE) if isinstance(step, console.File))
    assert script.name == "build.sbatch"
    folder = write_folder(tmp_path / "here", n_images=7).parent
    (folder / script.name).write_text(script.content, encoding="utf-8")
    tasks = []
    for number in (3, 1, 2):  # in any order; side by side as on a cluster
        slurm = {"SLURM_ARRAY_TASK_ID": number, "SLURM_ARRAY_TASK_COUNT": 3, "SLURM_CPUS_PER_TASK": 1}
        environment = {**console.environment(), **{name: str(value) for name, value in slurm.items()}}
        tasks.append(subprocess.Popen(["bash", script.name], cwd=folder, env=environment))
    assert [task.wait(120) for task in tasks] == [0, 0, 0]
    last = console.run("rapidvision stimuli build recipe.toml --out set-of-parts", folder)
    assert last.returncode == 0, last.stderr
    assert tree(folder / "set-of-parts") == whole(folder, tmp_path / "one")


RECIPE = """\
name = "two"
train = "store"
validation = "store"
batch_size = 8
freeze_batch_norm = true
[model]
family = "compact"
attention = "gala"
n_classes = 2
[preprocessing]
size_px = 32
[schedule]
epochs = 1
milestones = []
"""


@pytest.mark.slow
def test_torchrun_with_two_processes_trains_what_one_process_does(tmp_path):
    torch = pytest.importorskip("torch")
    from rapidvision.gala_models.weights.load import load_model

    write_folder(tmp_path / "images", n_images=16, n_practice=0)
    table = (tmp_path / "images/images.csv").read_text(encoding="utf-8")
    (tmp_path / "images/images.csv").write_text(
        table.replace("bird", "cat").replace("couch", "table"), encoding="utf-8"
    )
    (tmp_path / "two.toml").write_text(RECIPE, encoding="utf-8")
    assert console.run("rapidvision models pack-dataset images --out store --size 32", tmp_path).returncode == 0
    assert console.run("rapidvision models train two.toml --out alone", tmp_path).returncode == 0
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    torchrun = f"{sys.executable} -m torch.distributed.run --master-port {port} --nproc-per-node 2"
    done = console.run(f"{torchrun} -m rapidvision models train two.toml --out together", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = (load_model(tmp_path / folder / "two.safetensors")[0].state_dict() for folder in ("alone", "together"))
    assert all(torch.allclose(one[name], two[name], rtol=1e-4, atol=1e-6) for name in one)


@pytest.mark.database
def test_two_workers_on_postgresql_behind_nginx_store_every_trial_once_though_one_is_killed(tmp_path):
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.output.export import trial_records
    from rapidvision.experiments.online.storage.open_database import open_online_store
    from rapidvision.experiments.online.study.plans import open_study
    from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
    from tests.experiments.online import postgres
    from tests.experiments.online.conftest import QUICK, Served, make_set, write_settings

    if machines.nginx_program() is None or not postgres.binary("postgres"):
        missing("no nginx or no PostgreSQL on this computer")
    make_study(make_set(tmp_path / "set"), QUICK, tmp_path / "study", n_slots=10)
    limits = Limits(arrival_burst=1e6, request_burst=1e6, requests_per_second=1e6)
    write_settings(tmp_path / "study", OnlineSettings(limits=limits))
    served_study = open_study(tmp_path / "study", verify=False)
    with postgres.postgresql() as url:
        public = ("--behind-proxy", "--public-url", "https://lab.example/lab/animals")
        served = Served(tmp_path / "study", *public, "--workers", "2", env={"RAPIDVISION_DATABASE": url})
        try:
            port = machines.wait_until(served.process_port, "the port")
            with machines.nginx(tmp_path / "nginx", port, "/lab/animals/") as front:
                killer = threading.Thread(target=kill_a_worker, args=(served.process.pid,))
                consent = served_study.settings.consent_sha256
                crowd = machines.crowd(front, "/lab/animals", consent, 20, begun=killer.start)
                with ThreadPoolExecutor(1) as alone:  # this thread may have the loop of a shared browser
                    sent, _, _ = alone.submit(asyncio.run, crowd).result()
                killer.join()
        finally:
            served.stop()
        store = open_online_store(url, served_study)
        rows = store.read(lambda connection: trial_records(connection, served_study))
        store.close()
    assert sent == 20 * 10
    assert len({(row.session_id, row.trial) for row in rows}) == len(rows) == sent
    assert {(row.group, row.slot) for row in rows} == {(g, s) for g in ("clickme", "salicon") for s in range(10)}
    assert "aborted" not in {row.status for row in rows}


def kill_a_worker(parent):
    """Kill one of the serving processes, once there are any, while people take part."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    end = time.monotonic() + 60
    while time.monotonic() < end and children.exists():
        workers = [pid for pid in children.read_text(encoding="utf-8").split() if is_worker(pid)]
        if len(workers) == 2:
            time.sleep(0.1)
            os.kill(int(workers[0]), signal.SIGKILL)
            return
        time.sleep(0.05)


def is_worker(pid):
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
