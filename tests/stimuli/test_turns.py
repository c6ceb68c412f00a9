"""Turned maps are noticed against the other sources' maps; upright ones are left alone."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from rapidvision.stimuli.maps.orientation import CELLS, TURNS, agreement, cells
from rapidvision.stimuli.pipeline.flags import flags_of
from tests.stimuli.conftest import blobs
from tests.stimuli.test_preview import row


def lopsided(seed, side=64):
    """A smooth map without any symmetry, float32."""
    return gaussian_filter(blobs(seed, side, n_blobs=3) + np.linspace(0, 0.2, side), 3).astype(np.float32)


@pytest.mark.parametrize("name", list(TURNS))
def test_the_turn_that_undoes_a_maps_turn_agrees_best(name):
    upright = lopsided(4)
    turned = np.ascontiguousarray(TURNS[name](upright))
    found = agreement({"a": upright, "b": turned, "c": upright})["b"]
    best = list(TURNS)[int(np.argmax(found))]
    assert np.allclose(TURNS[best](turned), upright)
    assert max(found) == 1.0


def test_agreement_is_the_correlation_of_cells():
    one, other = lopsided(1), lopsided(2)
    wanted = np.corrcoef(cells(one).ravel(), cells(other).ravel())[0, 1]
    assert agreement({"a": one, "b": other})["a"][0] == pytest.approx(wanted, abs=6e-4)


def test_cells_of_uneven_images_are_means():
    values = np.random.default_rng(0).random((37, 37)).astype(np.float32)
    small = cells(values)
    assert small.shape == (CELLS, CELLS)
    assert small[0, 0] == pytest.approx(values[:2, :2].mean())
    assert cells(np.full((50, 50), 3, np.float32)) == pytest.approx(3)


def test_one_source_and_flat_maps_say_nothing():
    assert agreement({"a": lopsided(1)}) == {"a": ()}
    flat = np.ones((64, 64), np.float32)
    assert set(agreement({"a": lopsided(1), "b": flat})["a"]) == {0.0}


def rows_of(sources, n=12):
    """Quality rows of `n` images: source → what is done to its maps."""
    rows = []
    for number in range(n):
        base = lopsided(number)
        noise = np.random.default_rng(number).random(base.shape)
        maps = {}
        for offset, (name, change) in enumerate(sources.items()):
            own = base + 0.02 * gaussian_filter(np.roll(noise, 9 * offset), 2)
            maps[name] = np.ascontiguousarray(change(own)).astype(np.float32)
        for name, found in agreement(maps).items():
            columns = {f"agreement_{turn.replace(' ', '_')}": str(r) for turn, r in zip(TURNS, found, strict=True)}
            rows.append(row(image_id=f"p{number:02d}", map_source=name, **columns))
    return rows


def test_a_whole_source_that_is_turned_is_flagged_and_upright_ones_are_not():
    straight = TURNS["upright"]
    assert flags_of(rows_of({"a": straight, "b": straight, "c": straight}), 0) == []
    flags = flags_of(rows_of({"a": straight, "b": TURNS["transposed"], "c": straight}), 0)
    whole = [one for one in flags if one.image_id == "(all)"]
    assert [one.map_source for one in whole] == ["b"]
    assert "maps look transposed: they correlate" in whole[0].text


def test_a_single_turned_map_is_flagged_with_its_numbers():
    rows = rows_of({"a": TURNS["upright"], "b": TURNS["upright"]}, n=4)
    columns = dict.fromkeys((name for name in rows[0] if name.startswith("agreement_")), "0.1")
    rows[2] |= columns | {"agreement_mirrored": "0.83"}
    unlike = [line | (columns if line["map_source"] == "a" else {}) for line in rows]
    unlike[2] = rows[2]
    assert flags_of(unlike, 0) == []  # sources that do not agree anyway say nothing about a single map
    (flag,) = flags_of(rows, 0)
    assert flag == ("p01", "a", "looks mirrored: correlates 0.83 with the other maps then, 0.10 unturned")
