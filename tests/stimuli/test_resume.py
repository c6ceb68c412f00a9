"""A build that is killed at any moment can be resumed, and the set is the same as if nothing had happened."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.executor import run_local
from tests.stimuli.conftest import natural, tree, write_folder


def built(folder, out, **options):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    return build(recipe, out, root=root, **options)


def n_calls(work, stop=None):
    """Count the calls of functions, Python's and C's, while `work` runs; at the stop-th the process is killed."""
    count = 0

    def seen(_frame, _event, _argument):
        nonlocal count
        count += 1
        if count == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("form", ["png", "tar", "series", "recipe"])
def test_kill_9_at_twenty_random_moments_changes_nothing(tmp_path, form):
    """Moments are counted in function calls, not in time, so that a busy machine is killed at the same ones."""
    folder = write_folder(tmp_path / "images", n_images=10).parent
    built(folder, tmp_path / "whole", form=form)
    total = n_calls(lambda: built(folder, tmp_path / "again", form=form))
    rng = np.random.default_rng(4)
    n_killed = 0
    for _ in range(20):
        child = os.fork()
        if child == 0:
            try:
                n_calls(lambda: built(folder, tmp_path / "set", form=form), stop=int(rng.integers(1, total // 4)))
            finally:
                os._exit(0)
        rng.integers(1, total // 4)  # the child drew from its copy of the generator
        _, status = os.waitpid(child, 0)
        n_killed += os.WIFSIGNALED(status)
    assert n_killed > 5
    built(folder, tmp_path / "set", form=form)
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")


def test_a_pool_of_workers_that_is_killed_with_its_parent_resumes_too(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=24).parent
    command = [sys.executable, "-m", "rapidvision", "stimuli", "build", str(folder / "recipe.toml")]
    command += ["--out", str(tmp_path / "set"), "--workers", "2", "--quiet"]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "set").glob("images/*/full.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    built(folder, tmp_path / "set")
    built(folder, tmp_path / "whole")
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")


def test_a_file_system_that_takes_no_more_stops_the_build_with_the_file_and_the_remedy(image_folder, tmp_path):
    """The system itself refuses files beyond 4 kB: an error of the disk, not one of ours."""
    built(image_folder, tmp_path / "whole")  # what numba compiles lies on the disk from here on
    command = [sys.executable, "-m", "rapidvision", "stimuli", "build", str(image_folder / "recipe.toml")]
    command += ["--out", str(tmp_path / "set"), "--workers", "1", "--quiet"]
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "limited", *command]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(
        r"p00/\S+\.png: cannot be written \(File too large\); choose another folder or free some space", done.stderr
    )
    assert not list((tmp_path / "set").rglob("*.tmp"))
    built(image_folder, tmp_path / "set")
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")


def test_a_stopped_rebuild_does_not_look_finished(image_folder, tmp_path, capsys):
    """A finished set whose images changed: from the first new file on the folder says that it is unfinished."""
    out = tmp_path / "set"
    built(image_folder, out)
    Image.fromarray(natural(77)).save(image_folder / "images/p01.png")
    (image_folder / "images/p03.png").write_bytes(b"broken")
    with pytest.raises(InputError, match="p03.png: not an image of a format"):
        built(image_folder, out)
    with pytest.raises(InputError, match="an unfinished build; run `rapidvision stimuli build` again"):
        read_set(out)
    assert main(["stimuli", "verify", str(out)]) == 2
    assert "an unfinished build; run `rapidvision stimuli build` again" in capsys.readouterr().err
    Image.fromarray(natural(3)).save(image_folder / "images/p03.png")
    built(image_folder, out)
    assert main(["stimuli", "verify", str(out)]) == 0


def test_a_torn_journal_line_costs_one_image_only(image_folder, tmp_path):
    built(image_folder, tmp_path / "part", shard=(1, 2))
    journal = tmp_path / "part/.build/shard-1-of-2.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    assert built(image_folder, tmp_path / "part", shard=(1, 2)).n_made == 1
    assert built(image_folder, tmp_path / "part").n_made == 2
    built(image_folder, tmp_path / "whole")
    assert tree(tmp_path / "part") == tree(tmp_path / "whole")


def test_a_worker_that_dies_is_replaced(image_folder, tmp_path, monkeypatch):
    """The first worker process to start ends itself; the pool is made anew and the set is whole."""
    flag = tmp_path / "died"
    monkeypatch.setenv("RAPIDVISION_TEST_DIE", str(flag))
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    from rapidvision.stimuli.pipeline.image_list import image_entries
    from tests.stimuli import dying_worker

    chunks = [[(job, None)] for job in image_entries(recipe, root)]
    settings = (recipe, root, tmp_path / "set", "png", "auto", None)
    monkeypatch.setattr("rapidvision.stimuli.builder.executor._do", dying_worker.run_task)
    outcomes = [one for some in run_local(settings, chunks, workers=2) for one in some]
    assert flag.exists()
    assert sorted(one.record.job.image_id for one in outcomes) == ["p00", "p01", "p02", "p03"]


def test_a_full_disk_stops_with_a_remedy_and_the_build_resumes_later(image_folder, tmp_path, monkeypatch):
    from rapidvision.system import files

    real, count = files.write_bytes, [0]

    def full(path, data, **options):
        count[0] += 1
        if count[0] > 20:
            raise InputError(
                f"{path}: cannot be written (No space left on device); choose another folder or free some space"
            )
        real(path, data, **options)

    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(InputError, match="No space left on device.*free some space"):
        built(image_folder, tmp_path / "set")
    monkeypatch.undo()
    built(image_folder, tmp_path / "set")
    built(image_folder, tmp_path / "whole")
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")
