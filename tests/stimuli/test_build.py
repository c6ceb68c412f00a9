"""The set builder: whole, resumable, and the same bytes on every computer."""

import csv
import shutil
import sys

import msgspec
import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.executor import run_local
from rapidvision.stimuli.builder.verify import open_set
from rapidvision.stimuli.pipeline.image_list import image_entries
from rapidvision.stimuli.pipeline.image_pipeline import ImagePipeline
from rapidvision.stimuli.png import deflate
from rapidvision.stimuli.reveal import flood
from tests.stimuli.conftest import tree, write_folder


def built(folder, out, **options):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    return build(recipe, out, root=root, **options)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_set_has_a_row_per_image_source_and_level(image_folder, tmp_path):
    found = built(image_folder, tmp_path / "set").result
    assert found == read_set(tmp_path / "set")
    found.verify()
    assert len(found.stimuli) == 4 * 2 * 6
    assert found.description.level_labels == ("2", "5.32", "14.1", "37.6", "100", "full")
    assert found.description.map_sources == ("clickme", "salicon")
    assert [one.image_id for one in found.exemplars("practice")] == ["p00"]
    assert {row.phase for row in found.stimuli if row.image_id == "p00"} == {"practice"}
    assert found.description.images[0].licence == "CC0"


def test_the_intact_image_is_one_file_named_by_a_row_of_every_source(image_folder, tmp_path):
    found = built(image_folder, tmp_path / "set").result
    rows = [row for row in found.stimuli if row.level_label == "full" and row.image_id == "p01"]
    assert [row.map_source for row in rows] == ["clickme", "salicon"]
    assert {row.path for row in rows} == {"images/p01/full.png"}
    assert {(row.level_index, row.revealed_px, row.reveal_fraction, row.shift_y_px) for row in rows} == {
        (5, 4096, None, 0)
    }
    assert np.array_equal(pixels(tmp_path / "set/images/p01/full.png"), pixels(image_folder / "images/p01.png"))


def test_inside_is_the_moved_image_outside_the_canvas_and_counts_are_exact(image_folder, tmp_path):
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    found = build(recipe, tmp_path / "set", root=root).result
    maker = ImagePipeline(recipe, root)
    index = found.index()
    for job in image_entries(recipe, root):
        made = maker.make(maker.read(job))
        counts = [series.counts.tolist() for series in made.series.values()]
        assert counts[0] == counts[1]
        for source, series in made.series.items():
            for level in range(series.n_levels):
                row = index[(job.image_id, source, level)]
                mask = series.mask(level)
                assert mask.sum() == row.revealed_px
                shown = pixels(found.folder / row.path)
                moved = np.roll(made.inputs.pixels, (row.shift_y_px, row.shift_x_px), (0, 1))
                assert np.array_equal(shown[mask], moved[mask])
                assert np.array_equal(shown[~mask], made.canvas.pixels[~mask])


def test_images_are_opaque_rgb_with_an_srgb_chunk_and_their_name(image_folder, tmp_path):
    found = built(image_folder, tmp_path / "set").result
    row = found.stimuli[0]
    with Image.open(found.folder / row.path) as image:
        image.load()
        assert (image.mode, image.size) == ("RGB", (64, 64))
        assert image.info["srgb"] == 0
        assert image.info["Title"] == row.stimulus_id


def test_four_workers_and_shuffled_work_do_not_change_a_byte(tmp_path, monkeypatch):
    """Chunks of one image in a random order, so that every worker has work and none has it in order."""
    folder = write_folder(tmp_path / "images", n_images=12).parent
    built(folder, tmp_path / "one")
    done_by = set()

    def shuffled(settings, chunks, *, workers, **opened):
        chunks = [chunks[number] for number in np.random.default_rng(5).permutation(len(chunks))]
        for outcomes in run_local(settings, chunks, workers=workers, **opened):
            done_by.update(one.record.job.image_id for one in outcomes)
            yield outcomes

    monkeypatch.setattr("rapidvision.stimuli.builder.build.CHUNK", 1)
    monkeypatch.setattr("rapidvision.stimuli.builder.build.run_local", shuffled)
    for workers in (1, 4):
        done = built(folder, tmp_path / f"{workers}", workers=workers)
        assert done.n_made == 12
        assert tree(tmp_path / f"{workers}") == tree(tmp_path / "one")
    assert len(done_by) == 12


def test_workers_order_and_shards_do_not_change_a_byte(image_folder, tmp_path):
    built(image_folder, tmp_path / "one")
    built(image_folder, tmp_path / "two", workers=2)
    for number in (3, 1, 2):
        part = built(image_folder, tmp_path / "parts", shard=(number, 3))
    assert part.result == read_set(tmp_path / "parts")
    for number in (1, 2):
        built(image_folder, tmp_path / f"part{number}", shard=(number, 2))
    shutil.copytree(tmp_path / "part1", tmp_path / "merged")
    shutil.copytree(tmp_path / "part2", tmp_path / "merged", dirs_exist_ok=True)
    again = built(image_folder, tmp_path / "merged")
    assert again.n_made == 0
    whole = tree(tmp_path / "one")
    for name in ("two", "parts", "merged"):
        assert tree(tmp_path / name) == whole


def test_the_order_of_the_table_does_not_change_a_byte(image_folder, tmp_path):
    built(image_folder, tmp_path / "one")
    with (image_folder / "images.csv").open() as file:
        header, *rows = csv.reader(file)
    with (image_folder / "images.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows[::-1]])
    built(image_folder, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_both_fill_engines_build_the_same_set(image_folder, tmp_path):
    built(image_folder, tmp_path / "one", engine="numba")
    built(image_folder, tmp_path / "two", engine="portable")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_set_is_the_same_without_numba(image_folder, tmp_path, monkeypatch):
    built(image_folder, tmp_path / "one")
    with monkeypatch.context() as without:
        without.setattr(flood, "_numba_is_here", lambda: False)
        without.setattr(deflate, "_numba_is_here", lambda: False)
        without.setitem(sys.modules, "rapidvision.stimuli.reveal.flood_numba", None)  # an import of it fails
        without.setattr(deflate, "_compiled", None)
        built(image_folder, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_finished_set_is_kept_and_a_damaged_one_repaired(image_folder, tmp_path):
    out = tmp_path / "set"
    built(image_folder, out)
    whole = tree(out)
    again = built(image_folder, out)
    assert (again.n_made, again.n_kept) == (0, 4)
    victim = out / "images/p02/clickme_01.png"
    victim.write_bytes(victim.read_bytes()[:-20])
    (out / "images/p03/full.png").unlink()
    with pytest.raises(CheckFailed, match=r"images/p02/clickme_01.png \(changed\), images/p03/full.png \(missing\)"):
        open_set(out).verify()
    assert built(image_folder, out).n_made == 2
    assert tree(out) == whole


def test_a_folder_of_something_else_is_refused(image_folder, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("precious")
    with pytest.raises(InputError, match="not empty and not a stimulus set"):
        built(image_folder, tmp_path / "full")
    built(image_folder, tmp_path / "set")
    recipe, root = read_recipe(str(image_folder / "recipe.toml"), seed=8)
    with pytest.raises(InputError, match=r"another recipe \(seed differs\)"):
        build(recipe, tmp_path / "set", root=root)
    with pytest.raises(InputError, match="being built as png, not as tar"):
        built(image_folder, tmp_path / "set", form="tar")


def test_another_seed_gives_other_orders_and_canvases(image_folder, tmp_path):
    recipe, root = read_recipe(str(image_folder / "recipe.toml"))
    maker, other = ImagePipeline(recipe, root), ImagePipeline(msgspec.structs.replace(recipe, seed=8), root)
    job = image_entries(recipe, root)[0]
    one, two = maker.make(maker.read(job)), other.make(other.read(job))
    assert not np.array_equal(one.series["clickme"].order, two.series["clickme"].order)
    assert not np.array_equal(one.canvas.pixels, two.canvas.pixels)


def test_the_command_line_builds_and_verifies(tmp_path, capsys):
    recipe = write_folder(tmp_path / "images", n_images=2)
    out = str(tmp_path / "set")
    assert main(["stimuli", "build", str(recipe), "--out", out, "--workers", "1"]) == 0
    assert main(["stimuli", "verify", out]) == 0
    assert "2 images made" in capsys.readouterr().out
    (tmp_path / "set/images/p00/full.png").write_bytes(b"x")
    assert main(["stimuli", "verify", out]) == 1
    assert main(["stimuli", "build", str(recipe), "--out", out, "--shard", "3/2"]) == 2
    assert main(["stimuli", "build", str(tmp_path / "no.toml"), "--out", out]) == 2


def test_a_root_may_be_given(tmp_path):
    recipe = write_folder(tmp_path / "images", n_images=2)
    moved = tmp_path / "elsewhere" / "r.toml"
    moved.parent.mkdir()
    shutil.move(recipe, moved)
    assert (
        main(
            [
                "stimuli",
                "build",
                str(moved),
                "--root",
                str(tmp_path / "images"),
                "--out",
                str(tmp_path / "s"),
                "--quiet",
                "--workers",
                "1",
            ]
        )
        == 0
    )
