"""A dask cluster builds the same set."""

import socket

import pytest

from rapidvision.errors import InputError
from rapidvision.stimuli.builder.build import build, read_recipe
from tests.conftest import missing
from tests.stimuli.conftest import tree

try:
    import distributed
except ImportError:
    distributed = None


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_builds_the_same_bytes(image_folder, tmp_path):
    if distributed is None:
        missing("dask.distributed is not installed")
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    build(recipe, tmp_path / "one", root=root)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp://"
    ) as cluster:
        done = build(recipe, tmp_path / "two", root=root, scheduler=cluster.scheduler_address)
    assert done.n_made == 4
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


PLUGIN = """\
import numpy as np
import rapidvision as rv


@rv.stimuli.register_reveal("raster")
def raster(importance, n_px, reveal, /, *, key, engine):
    return np.arange(n_px)
"""


@pytest.mark.filterwarnings("ignore")
def test_the_processes_of_a_cluster_import_the_plug_ins_of_a_recipe(image_folder, tmp_path):
    if distributed is None:
        missing("dask.distributed is not installed")
    (image_folder / "raster_of_a_cluster.py").write_text(PLUGIN)
    file = image_folder / "recipe.toml"
    text = file.read_text().replace("[reveal]", '[reveal]\nmode = "raster"\ncentring = "none"')
    file.write_text('plugins = ["raster_of_a_cluster"]\n' + text)
    recipe, root = read_recipe(str(file))
    one = build(recipe, tmp_path / "one", root=root)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", protocol="tcp://"
    ) as cluster:
        build(recipe, tmp_path / "two", root=root, scheduler=cluster.scheduler_address)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert [found.name for found in one.result.description.provenance.plugins] == ["raster"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(120)
def test_a_scheduler_that_does_not_answer_is_named(image_folder, tmp_path, monkeypatch):
    if distributed is None:
        missing("dask.distributed is not installed")
    monkeypatch.setattr("rapidvision.stimuli.builder.cluster.PATIENCE_S", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        recipe, root = read_recipe(str(image_folder / "recipe.toml"))
        with pytest.raises(InputError, match="no dask scheduler answers"):
            build(recipe, tmp_path / "set", root=root, scheduler=address)
