"""The files of clicks are read by the rules of the release's code (serre-lab/human_clickme_data_processing, April 2026).

The rules are written anew here from what that code does: which rows it keeps, and how it takes a stroke's text apart.
"""

import csv
import dataclasses

import numpy as np
import pytest

from rapidvision.experiments.clickme.maps.export import export
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.storage.images import read_objects

LEAST_CATCH = 0.95


def rows_of_npz(path, *, filter_mobile):
    """Rows whose catch trials pass; the first entry of each row's `is_mobile` counts."""
    with np.load(path, allow_pickle=True) as data:
        keep = data["user_catch_trial"] >= LEAST_CATCH
        mobile = np.asarray([entry[0] if len(entry) else False for entry in data["is_mobile"]])
        assert mobile.dtype == bool  # with numbers, ~ would choose other rows
        if filter_mobile:
            keep = keep & ~mobile
        columns = (data[name][keep] for name in ("file_pointer", "clickmap_x", "clickmap_y"))
        return [(path, list(zip(x, y, strict=True))) for path, x, y in zip(*columns, strict=True)]


def rows_of_csv(path):
    """Braces, quotes and brackets go, then outer parentheses; pairs are parted at parenthesis, comma, blank."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = row["clicks"].translate(str.maketrans("", "", '{}"[]')).strip("()")
            pairs = text.split("), (")
            if len(pairs) > 1:
                found.append((row["image_path"], [tuple(map(int, pair.split(","))) for pair in pairs]))
    return found


def exported(played, collected, out):
    quality = player_quality(collected, played.rules, objects=read_objects(played.deck, 256))
    return export(collected, played.deck, played.rules, out, quality=quality)


@pytest.mark.parametrize("filter_mobile", [True, False])
def test_every_row_is_read_where_there_were_no_catch_images(played, tmp_path, filter_mobile):
    """All 180 rows of such a game were filtered away, and no row of the table was understood."""
    done = exported(played, played.everything, tmp_path / "maps")
    from_npz = rows_of_npz(tmp_path / "maps" / "clicks.npz", filter_mobile=filter_mobile)
    from_csv = rows_of_csv(tmp_path / "maps" / "clicks.csv")
    assert len(from_npz) == len(from_csv) == done.n_maps > 100
    assert from_npz == from_csv
    assert sum(len(clicks) for _, clicks in from_csv) == done.n_bubbles
    category, file = from_csv[0][0].split("/")[-2:]
    assert (tmp_path / "maps" / "images" / file).is_file()
    assert category in played.deck.categories


def test_phones_are_filtered_and_so_are_players_who_missed_catch_images(played, tmp_path):
    objects = read_objects(played.deck, 256)
    rounds = [dataclasses.replace(one, is_mobile=one.player == "painter 1") for one in played.everything.rounds]
    mine = [one for one in rounds if one.player == "painter 0" and one.phase == "main"]
    outside = np.argwhere(~objects[mine[0].image_id])[:20, ::-1].astype(np.int16)
    caught = [dataclasses.replace(one, round_id=f"c{k}", phase="catch") for k, one in enumerate(mine[:3])]
    caught.append(dataclasses.replace(mine[0], round_id="c3", phase="catch", xy=outside))
    data = dataclasses.replace(played.everything, rounds=(*rounds, *caught))
    done = exported(played, data, tmp_path / "maps")
    kept = rows_of_npz(tmp_path / "maps" / "clicks.npz", filter_mobile=True)
    n_of = {
        name: sum(one.player == name and one.phase == "main" for one in rounds) for name in ("painter 0", "painter 1")
    }
    assert done.n_maps - len(kept) == n_of["painter 0"] + n_of["painter 1"] > 0
