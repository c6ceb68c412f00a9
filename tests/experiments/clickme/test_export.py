"""What leaves the game: recovery of the painted maps, the release's names, and files that others read."""

import csv
import dataclasses
import json
import shutil
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
from rapidvision.experiments.clickme.storage.displayed import displayed_image
from rapidvision.experiments.clickme.storage.images import read_deck
from rapidvision.formats import tfrecord
from rapidvision.formats.game import clicks, crops
from rapidvision.formats.game.rounds import read_rounds

SIZES = ((800, 600), (333, 500), (400, 401))


@pytest.fixture(scope="module")
def exported(played, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "maps"
    form = Form(per_player=True, tfrecords="raw")
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


def test_the_second_form_of_tfrecords_is_jpeg_without_a_count(played, exported, tmp_path):
    quality = player_quality(played.everything, played.rules)
    export(played.everything, played.deck, played.rules, tmp_path / "m", quality=quality, form=Form(tfrecords="jpeg"))
    records = list(tfrecord.records(tmp_path / "m" / "clickme.tfrecords"))
    maps = np.load(exported.folder / "maps" / "clickme.npz")
    assert len(records) == len(maps.files)
    for record, name in zip(records, maps.files, strict=True):
        features = tfrecord.example(record.payload)
        assert set(features) == {"image", "heatmap", "label"}
        heatmap = tfrecord.image(features["heatmap"][0], n_channels=1)
        assert heatmap.shape == (256, 256)
        assert np.abs(heatmap - 255 * maps[name] / maps[name].max()).mean() < 2
        assert tfrecord.image(features["image"][0], n_channels=3).dtype == np.uint8


def test_maps_are_laid_back_on_photographs_of_other_sizes(played, tmp_path):
    """A dot of the original lies where the crop says that its place in the game lies."""
    folder = tmp_path / "images"
    shutil.copytree(played.folder, folder)
    shown = {}
    for place, (path, size) in enumerate(zip(sorted(folder.glob("images/bird-0*.png")), SIZES, strict=False)):
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        x, y = size[0] // 2 + 20 * place, size[1] // 2 - 30
        pixels[y - 6 : y + 7, x - 6 : x + 7] = 255
        Image.fromarray(pixels).save(path)
        shown[path.stem] = (x, y)
    deck = read_deck(folder)
    hashes = {name: displayed_image(deck.cards[name].path, 256).sha256 for name in shown}
    rounds = [
        dataclasses.replace(one, image_sha256=hashes.get(one.image_id, one.image_sha256))
        for one in played.everything.rounds
    ]
    data = dataclasses.replace(played.everything, rounds=tuple(rounds))
    export(data, deck, played.rules, tmp_path / "m", quality={})
    table = {crop.image_id: crop for crop in crops.TABLE.read(tmp_path / "m" / crops.NAME)}
    for name, place in shown.items():
        grey = np.asarray(Image.open(tmp_path / "m" / "images" / f"{name}.png").convert("L"), dtype=float)
        rows, columns = np.mgrid[:256, :256]
        centre = (columns * grey).sum() / grey.sum(), (rows * grey).sum() / grey.sum()
        assert np.hypot(*np.subtract(table[name].on_original(*centre), place)) < 0.5, name
    sizes = np.load(tmp_path / "m" / crops.SIZES, allow_pickle=True).item()
    paths = {row.image_path for row in clicks.read_clicks(tmp_path / "m" / "clicks.csv")}
    assert sizes == dict.fromkeys(paths, (256, 256))
    hashed = {row.image_id: row.image_sha256 for row in read_rounds(tmp_path / "m" / "rounds.csv")}
    assert {name: hashed[name] for name in shown} == hashes


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
