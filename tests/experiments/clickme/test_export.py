"""What leaves the game: recovery of the painted maps, the release's names, and files that others read."""

import csv
import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.clickme.maps.export import export
from rapidvision.experiments.clickme.maps.filters import Filters
from rapidvision.experiments.clickme.maps.pooling import Form, map_of
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.storage.collected import Collected
from rapidvision.formats import tfrecord


@pytest.fixture(scope="module")
def exported(played, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "maps"
    form = Form(per_player=True, with_tfrecords=True)
    quality = player_quality(played.everything, played.rules)
    done = export(played.everything, played.deck, played.rules, out, quality=quality, form=form)
    return SimpleNamespace(folder=out, counts=done)


def test_pooled_maps_recover_what_the_players_painted(played, exported):
    maps = np.load(exported.folder / "maps" / "clickme.npz")
    found = [stats.spearmanr(maps[name], played.maps[name], axis=None).statistic for name in maps.files]
    assert len(found) == 16
    assert np.mean(found) >= 0.8


def test_maps_of_a_image_agree_more_than_maps_of_different_images(played):
    records = [r for r in played.everything.played if r.player.startswith("painter")]
    maps = {(r.player, r.image_id): map_of([r], played.rules, Form()) for r in records}
    images = sorted({image for _, image in maps})
    same = [
        stats.spearmanr(maps["painter 0", image], maps["painter 1", image], axis=None).statistic for image in images
    ]
    null = [
        stats.spearmanr(maps["painter 0", a], maps["painter 1", b], axis=None).statistic for a, b in pairwise(images)
    ]
    assert np.mean(same) > np.mean(null) + 0.15


def test_the_png_is_the_map_in_sixteen_bits(exported):
    maps = np.load(exported.folder / "maps" / "clickme.npz")
    name = maps.files[0]
    with Image.open(exported.folder / "maps" / "clickme" / f"{name}.png") as opened:
        grey = np.asarray(opened).astype(float)
    assert grey.max() == 65535
    assert np.abs(grey / 65535 - maps[name] / maps[name].max()).max() <= 0.5 / 65535 + 1e-6


def test_the_npz_has_the_release_s_names_and_reads_as_its_tool_reads_it(exported, played):
    with np.load(exported.folder / "clicks.npz", allow_pickle=True) as data:
        assert set(data.files) == {
            "file_pointer", "clickmap_x", "clickmap_y", "user_id", "user_catch_trial", "is_mobile"
        }  # fmt: skip
        clicks = [list(zip(x, y, strict=True)) for x, y in zip(data["clickmap_x"], data["clickmap_y"], strict=True)]
        assert not any(row[0] for row in data["is_mobile"])
        assert data["user_catch_trial"].dtype.kind == "f"
    assert sum(map(len, clicks)) == exported.counts.n_bubbles
    assert len(clicks) == exported.counts.n_maps


def test_the_clicks_table_holds_the_same_clicks(exported):
    with (exported.folder / "clicks.csv").open() as file:
        rows = list(csv.DictReader(file))
    with np.load(exported.folder / "clicks.npz", allow_pickle=True) as data:
        for row, x, y in zip(rows, data["clickmap_x"], data["clickmap_y"], strict=True):
            assert json.loads(row["clicks"].replace("(", "[").replace(")", "]")) == np.stack([x, y], 1).tolist()


def test_tfrecords_read_back_as_the_release(exported, played):
    maps = np.load(exported.folder / "maps" / "clickme.npz")
    records = list(tfrecord.records(exported.folder / "clickme.tfrecords"))
    assert len(records) == 16
    first = tfrecord.example(records[0].payload)
    assert (tfrecord.image(first["heatmap"][0], n_channels=1) == maps[maps.files[0]]).all()
    assert tfrecord.image(first["image"][0], n_channels=3).shape == (256, 256, 3)
    assert first["label"].tolist() == [0]


def test_no_username_leaves_the_game(exported, played):
    names = [name.encode() for name in set(played.name_of.values())]
    for path in exported.folder.rglob("*"):
        if path.is_file() and path.suffix in (".csv", ".json", ".toml", ".npz"):
            content = path.read_bytes()
            assert not [name for name in names if name in content], path


def test_the_record_says_what_was_left_out_and_adds_up(exported):
    record = json.loads((exported.folder / "export.json").read_text())
    counts = record["counts"]
    assert counts["n_maps"] + sum(counts["left_out"].values()) == counts["n_rounds"]
    assert "off_target" in exported.counts.summary()
    with (exported.folder / "rounds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(not row["left_out"] for row in rows) == counts["n_maps"]


def test_two_exports_have_the_same_bytes(played, exported, tmp_path):
    quality = player_quality(played.everything, played.rules)
    export(played.everything, played.deck, played.rules, tmp_path / "b", quality=quality, form=Form(per_player=True))
    again = sorted(path.relative_to(tmp_path / "b") for path in (tmp_path / "b").rglob("*") if path.is_file())
    assert len(again) > 100
    for path in again:
        if path.name != "export.json":
            assert (tmp_path / "b" / path).read_bytes() == (exported.folder / path).read_bytes(), path


def test_an_export_into_a_full_folder_is_refused(played, exported):
    with pytest.raises(InputError, match="not empty"):
        export(played.everything, played.deck, played.rules, exported.folder, quality={})


def test_nothing_to_export_says_why(played, tmp_path):
    with pytest.raises(InputError, match="nothing to export: kept 0 of"):
        export(
            played.everything, played.deck, played.rules, tmp_path / "x", quality={}, filters=Filters(min_bubbles=500)
        )
    with pytest.raises(InputError, match="kept 0 of 0 rounds"):
        export(Collected(()), played.deck, played.rules, tmp_path / "y", quality={})


def test_the_stimuli_package_reads_the_export_without_a_change(exported, tmp_path):
    recipe = exported.folder / "recipe.toml"
    assert cli.main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet"]) == 0
    with (tmp_path / "set" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["map_source"] for row in rows} == {"clickme"}
    assert len({row["image_id"] for row in rows}) == 16
