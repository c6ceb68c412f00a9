"""Plug-ins through the real command line: the parts of the how-to page, and the same from an installed distribution."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.images.load import load_rgb
from rapidvision.system import files
from tests.chain import console
from tests.plugin_packages import install
from tests.stimuli.conftest import natural, tree

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "plug-ins.md"
BUILD = "rapidvision stimuli build my_recipe.toml --out set --quiet"


@pytest.fixture
def folder(tmp_path):
    """The files of the page, and the images and boxes that its recipe asks for."""
    for step in console.steps(PAGE):
        if isinstance(step, console.File):
            (tmp_path / step.name).write_text(step.content, encoding="utf-8")
    (tmp_path / "images").mkdir()
    with (
        (tmp_path / "images.csv").open("w", newline="") as images,
        (tmp_path / "boxes.csv").open("w", newline="") as boxes,
    ):
        tables = csv.writer(images), csv.writer(boxes)
        tables[0].writerow(["image_id", "path", "category", "target"])
        tables[1].writerow(["image_id", "height", "width", "top", "bottom", "left", "right"])
        for number in range(12):
            Image.fromarray(natural(number)).save(tmp_path / "images" / f"p{number}.png")
            tables[0].writerow(
                [f"p{number}", f"images/p{number}.png", "cat" if number % 2 else "table", number % 2 == 1]
            )
            tables[1].writerow([f"p{number}", 64, 64, 20, 40, 10 + number, 40])
    text = (tmp_path / "images.csv").read_text().replace("True", "true").replace("False", "false")
    (tmp_path / "images.csv").write_text(text)
    return tmp_path


def ran(text, folder, code=0):
    done = console.run(text, folder)
    assert done.returncode == code, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def test_a_set_of_plug_ins_is_the_same_for_any_number_of_workers_and_records_them(folder):
    ran(f"{BUILD} --workers 2", folder)
    ran(f"{BUILD.replace('--out set', '--out one')} --workers 1", folder)
    ran(f"{BUILD.replace('--out set', '--out part')} --workers 1 --shard 1/2", folder)
    ran(f"{BUILD.replace('--out set', '--out part')} --workers 2", folder)
    assert tree(folder / "set") == tree(folder / "one") == tree(folder / "part")
    found = read_set(folder / "set")
    recorded = {(one.kind, one.name): one for one in found.description.provenance.plugins}
    assert {key: one.sha256 for key, one in recorded.items()} == {
        ("reveal mode", "spiral"): files.sha256_file(folder / "my_reveal.py"),
        ("background", "pink-noise"): files.sha256_file(folder / "my_background.py"),
        ("map reader", "box-csv"): files.sha256_file(folder / "my_reader.py"),
    }
    row = found.index()["p3", "boxes", 2]
    shown = load_rgb((folder / "set" / row.path).read_bytes(), name=row.path)
    on_grey = (shown == shown[:, :, :1]).all(axis=2)
    assert on_grey.sum() >= shown[:, :, 0].size - row.revealed_px  # pink noise is grey wherever nothing is revealed
    assert np.ptp(shown[on_grey]) > 50


def test_a_changed_source_is_refused_by_verify_by_a_resumed_build_and_by_expand(folder):
    ran(f"{BUILD} --workers 1", folder)
    ran(f"{BUILD.replace('--out set', '--out packed')} --workers 1 --format recipe", folder)
    plugins = "--plugin my_reveal --plugin my_background --plugin my_reader"
    assert "note" not in ran(f"rapidvision stimuli verify set {plugins}", folder)
    assert ran("rapidvision stimuli verify set", folder).count("is not known here; import it with --plugin my_") == 3
    said = ran("rapidvision stimuli expand packed --root . --out expanded", folder, code=2)
    assert "reveal mode spiral of the module my_reveal" in said
    ran(f"rapidvision stimuli expand packed --root . --out expanded {plugins}", folder)
    assert read_set(folder / "expanded").digest == read_set(folder / "set").digest
    with (folder / "my_reveal.py").open("a") as file:
        file.write("# another version\n")
    said = ran(f"rapidvision stimuli verify set {plugins}", folder, code=1)
    assert "built with the reveal mode spiral of the module my_reveal" in said
    assert said.count("\n") == 1
    said = ran(f"{BUILD} --workers 1", folder, code=2)
    assert "the source of reveal mode spiral was changed after the set was begun" in said
    assert "whose source is now another" in ran(
        f"rapidvision stimuli expand packed --root . --out again {plugins}", folder, code=1
    )


def test_an_installed_distribution_needs_no_option_and_is_listed(folder, monkeypatch):
    site = folder / "site"
    site.mkdir()
    code = (folder / "my_reveal.py").read_text()
    install(site, "lab-reveal", "1.4", "lab_reveal", code, reveal="spiral")
    (folder / "my_reveal.py").unlink()
    recipe = (folder / "my_recipe.toml").read_text().replace('"my_reveal", ', "")
    (folder / "my_recipe.toml").write_text(recipe)
    path = f"PYTHONPATH=$PYTHONPATH:{site}"
    ran(f"{path} {BUILD} --workers 2", folder)
    plugins = read_set(folder / "set").description.provenance.plugins
    assert ("lab-reveal", "1.4") in {(one.distribution, one.version) for one in plugins}
    assert "top, bubbles, spiral" in ran(f"{path} rapidvision stimuli build --help", folder)
    said = ran("rapidvision stimuli build my_recipe.toml --out without", folder, code=2)
    assert said.count("\n") == 1
    assert 'reveal mode: got "spiral"' in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"spiral"', '"spirale"', 'reveal mode: got "spirale". Did you mean "spiral"?'),
        ('"pink-noise"', '"pinknoise"', 'background: got "pinknoise". Did you mean "pink-noise"?'),
        ('"box-csv"', '"boxcsv"', 'map reader: got "boxcsv". Did you mean "box-csv"?'),
        (
            'mode = "spiral"',
            'mode = "growth"',
            'options: the reveal mode "growth" is built in and takes none of arm_px',
        ),
        ('"my_reveal"', '"my_reveals"', 'plug-in module "my_reveals": not found'),
        ('["my_reveal", "my_background", "my_reader"]', '"my_reveal"', "a list of module names is needed"),
    ],
)
def test_what_a_recipe_names_wrongly_is_refused_in_one_line(folder, old, new, message):
    recipe = folder / "my_recipe.toml"
    recipe.write_text(recipe.read_text().replace(old, new))
    said = ran(BUILD, folder, code=2)
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("return np.arange(n_px, dtype=float)", "whole numbers, the raster indices"),
        ("return np.arange(n_px + 1)", "whole numbers, the raster indices"),
        ("return np.zeros(n_px, int)", "none may appear twice"),
        ("return np.arange(n_px) - 1", "indices must lie from 0 to 4095"),
    ],
)
def test_what_a_reveal_mode_returns_is_checked(folder, code, message):
    module = folder / "my_reveal.py"
    module.write_text(module.read_text().replace("    height, width = importance.shape", f"    {code}", 1))
    said = ran(f"{BUILD} --workers 1", folder, code=2)
    assert message in said
    assert "reveal mode spiral: p0 from boxes" in said


def test_a_name_that_two_modules_register_is_refused(folder):
    (folder / "my_other.py").write_text((folder / "my_reveal.py").read_text())
    said = ran(f"{BUILD} --plugin my_other", folder, code=2)
    assert 'the name "spiral" is given twice, by my_other:spiral and by my_reveal:spiral' in said


@pytest.fixture
def trials(bundled_set, tmp_path):
    """A study of the bundled images that simulated participants took."""
    shutil.copytree(bundled_set, tmp_path / "set")
    ran("rapidvision session plan set --out study --n-per-group 6 --quiet", tmp_path)
    ran("rapidvision session simulate study --seed 3 --quiet", tmp_path)
    return tmp_path / "study" / "simulated.csv"


@pytest.mark.slow
def test_statistic_network_and_attribution_of_the_page(folder, trials):
    study = trials.parent
    ran(
        f"rapidvision analyse report {trials} --out report --seed 1 --n-resamples 200 --plugin my_statistics --statistic median_ms",
        folder,
    )
    results = json.loads((folder / "report" / "results.json").read_text())
    (one,) = results["provenance"]["plugins"]
    assert (one["kind"], one["name"]) == ("statistic", "median_ms")
    assert one["sha256"] == files.sha256_file(folder / "my_statistics.py")
    assert "--plugin my_statistics" in results["provenance"]["command"]
    with trials.open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = results["test"]["groups"]
    for number, level in enumerate(results["test"]["levels"]):
        means = []
        for group in chosen:
            times = {}
            for row in rows:
                if (
                    row["group"] == group
                    and row["level_index"] == str(number)
                    and row["status"] == "ok"
                    and row["phase"] == "main"
                ):
                    times.setdefault(row["participant_id"], []).append(float(row["response_ms"]))
            means.append(np.mean([np.median(some) for some in times.values()]))
        assert level["difference"] == pytest.approx(means[0] - means[1], abs=0.06)
    said = ran(f"rapidvision analyse bins {trials} --plugin my_statistics --statistic median_s", folder, code=2)
    assert 'got "median_s". Did you mean "median_ms"?' in said

    pytest.importorskip("torch")
    plugin = "--plugin my_models"
    ran(
        f"rapidvision models observe {study} {plugin} --model colour-only --readout binary --size 64 --out c.csv --quiet",
        folder,
    )
    (network,) = json.loads((folder / "c.json").read_text())["provenance"]["plugins"]
    assert (network["kind"], network["name"]) == ("network", "colour-only")
    assert network["sha256"] == files.sha256_file(folder / "my_models.py")
    looks = f"rapidvision models attention-maps --set {study.parent / 'set'} --n-images 2 --model colour-only --size 64 {plugin} --out looks"
    assert "2 outputs, the readout imagenet-animal needs 1000" in ran(
        f"{looks} --attribution grey-squares", folder, code=2
    )
    ran(f"{looks} --readout binary --attribution grey-squares", folder)
    legend = json.loads((folder / "looks" / "attention.json").read_text())
    assert {(one["kind"], one["name"]) for one in legend["mosaic"]["plugins"]} == {
        ("attribution", "grey-squares"), ("network", "colour-only"),
    }  # fmt: skip
    maps = [load_rgb(path.read_bytes(), name=path.name) for path in (folder / "looks" / "colour-only").glob("*.png")]
    assert [one.max() for one in maps] == [255, 255]
    ran(f"{looks.replace('--out looks', '--out gradients')} --readout binary --attribution smoothgrad", folder)


@pytest.mark.slow
def test_architecture_of_the_page(folder, trials):
    pytest.importorskip("torch")
    for label in ("cat", "table"):
        for number in range(6):
            for kind, mode in (("photographs", "RGB"), ("maps", "L")):
                (folder / kind / label).mkdir(parents=True, exist_ok=True)
                Image.fromarray(natural(number)).convert(mode).save(folder / kind / label / f"{number}.png")
    ran("rapidvision models pack-dataset photographs --map-folder maps --out store --size 64 --quiet", folder)
    ran("rapidvision models train my_training.toml --out run --quiet", folder)
    from rapidvision.gala_models.weights.card import read_card
    from rapidvision.system.json_text import read

    weights = folder / "run" / "two-layers.safetensors"
    with pytest.raises(InputError, match="import it with --plugin my_architecture"):
        read_card(weights)
    observe = f"rapidvision models observe {trials.parent} --model {weights} --target-classes cat --out two.csv --quiet"
    assert "import it with --plugin my_architecture" in ran(observe, folder, code=2)
    ran(f"{observe} --plugin my_architecture", folder)
    (one,) = read(folder / "two.json")["provenance"]["plugins"]
    sha256 = files.sha256_file(folder / "my_architecture.py")
    assert (one["kind"], one["name"], one["sha256"]) == ("architecture", "two-layers", sha256)
    listed = ran("rapidvision models train --help --plugin my_architecture", folder)
    assert "resnet101, compact, two-layers" in listed
    with (folder / "my_architecture.py").open("a") as file:
        file.write("# another version\n")
    said = ran("rapidvision models train my_training.toml --out run", folder, code=2)
    assert "holds a run with another source of the plug-in" in said
    done = console.run(f"{observe} --plugin my_architecture", folder)
    assert done.returncode == 0
    assert "whose source is now another" in done.stderr
    recipe = (folder / "my_training.toml").read_text().replace('"two-layers"\nattention', '"two-layer"\nattention')
    (folder / "my_training.toml").write_text(recipe)
    said = ran("rapidvision models train my_training.toml --out other", folder, code=2)
    assert 'family: architecture: got "two-layer". Did you mean "two-layers"?' in said
