"""What changes after play: rules, images and words of a folder never change what was played."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from rapidvision import cli
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage.collected import collect
from tests.experiments.clickme.conftest import make_folder


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Four painters on four images, in a folder that tests copy."""
    folder = tmp_path_factory.mktemp("changes") / "all"
    make_folder(folder / "images", per_category=1, n_practice=0)
    words = ["clickme", "simulate", str(folder / "images"), "--out", str(folder / "game"), "--map-source", "truth"]
    (folder / "game.toml").write_text("practice_rounds = 0\n", encoding="utf-8")
    more = ["--settings", str(folder / "game.toml"), "--n-players", "4", "--n-rounds", "4", "--seed", "3", "--quiet"]
    assert cli.main([*words, *more]) == 0
    return folder


@pytest.fixture
def copy(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


def exported(copy, out="maps", *more):
    words = ["clickme", "export", str(copy / "game"), "--out", str(copy / out), "--images", str(copy / "images")]
    code = cli.main([*words, "--observers", "simulated", *more])
    return code, json.loads((copy / out / "export.json").read_text(encoding="utf-8")) if code == 0 else None


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("side", [128, 512])
def test_settings_written_after_play_change_no_map(copy, side):
    """512 put all of the mass into one quadrant without a word; 128 was a traceback."""
    assert exported(copy)[0] == 0
    settings = copy / "game" / "game.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("image_px = 256", f"image_px = {side}"))
    code, record = exported(copy, "again")
    assert code == 0
    assert record["rules"]["image_px"] == 256
    for name in ("maps/clickme.npz", "clicks.csv", "rounds.csv", "images/bird-00.png"):
        assert (copy / "again" / name).read_bytes() == (copy / "maps" / name).read_bytes()


def test_rounds_of_two_frames_are_told_apart_and_never_pooled(copy, capsys):
    settings = copy / "small.toml"
    settings.write_text("practice_rounds = 0\n[rules]\nimage_px = 128\n", encoding="utf-8")
    (copy / "game" / "images.txt").write_text(str((copy / "images").resolve()), encoding="utf-8")
    words = ["clickme", "simulate", str(copy / "images"), "--out", str(copy / "game"), "--map-source", "truth"]
    more = [
        "--settings",
        str(settings),
        "--n-players",
        "0",
        "--n-random",
        "3",
        "--n-rounds",
        "4",
        "--seed",
        "4",
        "--quiet",
    ]
    assert cli.main([*words, *more]) == 0
    for rules in ([], ["--rules", "all"]):
        assert exported(copy, "maps", *rules)[0] == 2
        message = capsys.readouterr().err
        assert "16 rounds, image_px 256" in message
        assert "12 rounds, image_px 128" in message
    digest = message.split(" (12 rounds")[0].split()[-1]
    code, record = exported(copy, "maps", "--rules", digest)
    assert code == 0
    assert record["rules"]["image_px"] == 128
    assert sum(n for why, n in record["counts"]["left_out"].items() if why.startswith("under rules")) == 16
    with np.load(copy / "maps" / "maps" / "clickme.npz") as maps:
        assert {maps[name].shape for name in maps.files} == {(128, 128)}


def test_a_image_replaced_under_its_name_gets_no_map_and_is_named(copy, capsys):
    Image.new("RGB", (256, 256), (1, 2, 3)).save(copy / "images" / "images" / "cat-00.png")
    code, record = exported(copy)
    assert code == 0
    assert "image replaced since: cat-00 (1 images)" in capsys.readouterr().out
    assert record["counts"]["left_out"] == {"image replaced since": 4}
    assert record["counts"]["n_maps"] == 12
    left = [row for row in rows(copy / "maps" / "rounds.csv") if row["left_out"]]
    assert {(row["image_id"], row["left_out"]) for row in left} == {("cat-00", "image replaced since")}
    assert "cat-00" not in np.load(copy / "maps" / "maps" / "clickme.npz").files


@pytest.mark.parametrize(("how", "reason"), [("gone", "image missing"), ("broken", "image unreadable")])
def test_one_missing_image_costs_its_own_rounds_only(copy, how, reason):
    if how == "broken":
        (copy / "images" / "images" / "cat-00.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    else:
        table = copy / "images" / "images.csv"
        lines = [line for line in table.read_text().splitlines() if not line.startswith("cat-00")]
        table.write_text("\n".join(lines) + "\n")
    code, record = exported(copy)
    assert code == 0
    assert record["counts"]["left_out"] == {reason: 4}
    assert record["counts"]["changed"] == {reason: ["cat-00"]}
    words = ["clickme", "report", str(copy / "game"), "--out", str(copy / "report"), "--observers", "simulated"]
    assert cli.main([*words, "--images", str(copy / "images"), "--seed", "1", "--quiet"]) == 0


def test_a_renamed_category_keeps_the_word_that_was_played(copy):
    table = copy / "images" / "images.csv"
    table.write_text(table.read_text().replace(",cat,", ",kitten,"))
    assert exported(copy, "maps", "--tfrecords", "raw")[0] == 0
    assert {row["category"] for row in rows(copy / "maps" / "images.csv")} == {"bird", "cat", "couch", "elephant"}
    assert {row["image_path"].split("/")[0] for row in rows(copy / "maps" / "clicks.csv")} >= {"cat"}


def test_rounds_under_another_word_are_left_out_by_name(copy):
    store = host.existing_store(copy / "game")
    first = collect(store).rounds[0]
    from rapidvision.experiments.clickme.storage import tables

    change = tables.rounds.update().where(tables.rounds.c.round_id == first.round_id).values(category="thing")
    store.submit(lambda connection: connection.execute(change).rowcount).result()
    store.close()
    code, record = exported(copy)
    assert code == 0
    assert list(record["counts"]["left_out"].values()) == [1]
    assert next(iter(record["counts"]["left_out"])).endswith("(thing)")
