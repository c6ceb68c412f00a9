import json
import math

import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.gala_models.evaluation.compare_models import compare
from rapidvision.gala_models.evaluation.evaluate import Ceiling
from rapidvision.gala_models.figures import figure_7, learning_curves
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.recipe import Schedule, Training
from rapidvision.gala_models.training.sweep import Point, means, null_line, read_points, sweep

TINY = Training(
    name="tiny",
    model=Architecture(family="compact", attention="gala", n_classes=4),
    preprocessing=Preprocessing(size_px=32, resize_px=36),
    schedule=Schedule(learning_rate=0.01, epochs=1, milestones=()),
    batch_size=16,
)


def test_a_sweep_trains_each_weight_and_seed_once(make_store, tmp_path):
    make_store("train")
    make_store("validation")
    points = sweep(TINY, tmp_path / "out", base=tmp_path, lams=[0.0, 6.0], seeds=[0, 1], quiet=True)
    assert [(point.lam, point.seed) for point in points] == [(0, 0), (0, 1), (6, 0), (6, 1)]
    assert read_points(tmp_path / "out" / "sweep.json") == points
    files = sorted((tmp_path / "out").glob("*/tiny-*.safetensors"))
    assert [path.stem for path in files] == [f"tiny-lam{lam}-seed{seed}" for lam in (0, 6) for seed in (0, 1)]
    assert compare(files, tmp_path / "validation", seed=1).text()  # each has a name of its own
    before = [path.stat().st_mtime_ns for path in files]
    assert sweep(TINY, tmp_path / "out", base=tmp_path, lams=[0.0, 6.0], seeds=[0, 1], quiet=True) == points
    assert [path.stat().st_mtime_ns for path in files] == before
    with pytest.raises(InputError, match="at least one of each"):
        sweep(TINY, tmp_path / "out", base=tmp_path, lams=[], seeds=[0])


def test_means_and_errors_over_seeds():
    points = [Point(lam=6.0, seed=seed, accuracy=value, maps=None) for seed, value in enumerate((10.0, 12.0, 17.0))]
    row = means(points)[0]
    assert row["accuracy"] == pytest.approx((13.0, math.sqrt(13 / 3)))
    assert math.isnan(row["maps"][0])
    assert math.isnan(means(points[:1])[0]["accuracy"][1])


def test_the_null_line_is_the_papers():
    assert null_line(Ceiling()) == pytest.approx(31.03, abs=0.01)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_figure_7_is_the_same_file_every_time(tmp_path, kind):
    points = [
        Point(lam=lam, seed=s, accuracy=40 + lam + s, maps=60 + 2 * lam) for lam in (0.0, 1.0, 6.0) for s in (0, 1)
    ]
    for name in "ab":
        figure_7(points, tmp_path / f"{name}.{kind}")
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_learning_curves_are_drawn(tmp_path):
    validation = {"top1_error": 40.0, "rho": None, "rho_other_classes": 0.1}
    history = [
        {
            "epoch": n,
            "classification_loss": 1 / n,
            "map_distance": 0.5,
            "train_top1_error": 50.0,
            "validation": validation,
        }
        for n in (1, 2, 3)
    ]
    learning_curves(history, tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as drawn:
        assert drawn.size[0] > 1000


def test_other_files_are_not_taken_for_a_sweep(tmp_path):
    (tmp_path / "sweep.json").write_text(json.dumps([{"lam": 1}]))
    with pytest.raises(InputError, match="not the result of a sweep"):
        read_points(tmp_path / "sweep.json")
    (tmp_path / "sweep.json").write_text('[{"lam": 1, "lam": 6, "seed": 0, "accuracy": 50, "maps": null}]')
    with pytest.raises(InputError, match='the key "lam" stands twice'):
        read_points(tmp_path / "sweep.json")
