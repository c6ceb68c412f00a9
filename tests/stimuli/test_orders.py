"""Ways of revealing, centring, and soft edges."""

import numpy as np
import pytest
from scipy.ndimage import label

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.reveal import RevealSeries
from rapidvision.stimuli.image.colorspace import LINEAR
from rapidvision.stimuli.recipe_tables import Reveal
from rapidvision.stimuli.reveal.order import centring_shift, n_revealed_px, reveal_order
from rapidvision.stimuli.storage.compose import levels_of, soft_mask
from tests.stimuli.conftest import blobs, natural


def importance(seed=1, side=64):
    return ImportanceMap(blobs(seed, side), image_id="a", source="s")


@pytest.mark.parametrize("mode", ["growth", "uniform", "top", "bubbles"])
def test_every_mode_gives_an_exact_nested_order(mode):
    one = importance()
    reveal = Reveal(mode=mode)
    order = reveal_order(one, 614, reveal, key=3)
    assert len(set(order.tolist())) == 614
    assert np.array_equal(reveal_order(one, 300, reveal, key=3), order[:300])
    other = reveal_order(one, 614, reveal, key=4)
    assert mode == "top" or not np.array_equal(other, order)


def test_growth_captures_more_importance_than_the_uniform_control_and_less_than_the_best():
    shares = {}
    for mode in ("uniform", "growth", "top"):
        captured = []
        for seed in range(8):
            one = importance(seed)
            captured.append(
                one.values.ravel()[reveal_order(one, 614, Reveal(mode=mode), key=seed)].sum() / one.values.sum()
            )
        shares[mode] = np.mean(captured)
    assert shares["uniform"] < shares["growth"] < shares["top"]
    assert shares["growth"] > 0.85 * shares["top"]


def test_the_uniform_control_starts_at_the_peak_and_ignores_the_rest():
    one, reveal = importance(2), Reveal(mode="uniform")
    order = reveal_order(one, 200, reveal, key=3)
    assert divmod(int(order[0]), 64) == one.peak
    changed = one.values.copy()
    changed[0, 0] += 0.2
    other = ImportanceMap(changed, image_id="a", source="s")
    assert np.array_equal(reveal_order(other, 200, reveal, key=3), order)


def test_top_is_sorted_by_importance():
    one = importance(3)
    values = one.values.ravel()[reveal_order(one, 500, Reveal(mode="top"), key=1)]
    assert (np.diff(values) <= 0).all()


def test_bubbles_open_discs_where_importance_is():
    values = np.zeros((64, 64))
    values[20, 40] = 1
    one = ImportanceMap(values, image_id="a", source="s")
    region = np.zeros((64, 64), bool)
    region.flat[reveal_order(one, 197, Reveal(mode="bubbles"), key=1)] = True
    rows, columns = np.nonzero(region)
    assert np.hypot(rows - 20, columns - 40).max() <= 8
    assert label(region)[1] == 1
    with pytest.raises(InputError, match="bubbles on its few important pixels open only 197 of 300"):
        reveal_order(one, 300, Reveal(mode="bubbles"), key=1)


@pytest.mark.parametrize("start", ["peak", "centre", (3, 60)])
def test_the_start_may_be_chosen(start):
    one = importance(4)
    expected = {"peak": one.peak, "centre": (32, 32), (3, 60): (3, 60)}[start]
    assert divmod(int(reveal_order(one, 50, Reveal(start=start), key=1)[0]), 64) == expected


def test_the_budget_is_the_same_for_all_sources():
    small = ImportanceMap(np.pad(np.ones((5, 5)), ((0, 59), (0, 59))), image_id="a", source="s")
    assert n_revealed_px([importance(), small], Reveal(budget="support")) == 25
    assert n_revealed_px([importance(), small], Reveal()) == 614


def test_the_region_is_centred_as_far_as_every_pixel_stays_in_the_frame():
    for seed in range(20):
        order = reveal_order(importance(seed), 614, Reveal(), key=seed)
        shift = centring_shift(order, (64, 64), "region")
        series = RevealSeries(order, (64, 64), np.array([614]), shift)  # refuses pixels outside
        rows, columns = np.nonzero(series.mask(0))
        for places in (rows, columns):
            centred = abs(places.mean() - 31.5) <= 0.5
            assert centred or places.min() == 0 or places.max() == 63
    assert centring_shift(order, (64, 64), "none") == (0, 0)
    down, right = centring_shift(np.array([10 * 64 + 50], np.int32), (64, 64), "start")
    assert (10 + down, 50 + right) == (31, 31)


def series_of(seed=5, side=64):
    order = reveal_order(importance(seed, side), 614, Reveal(), key=seed)
    return RevealSeries(order, (side, side), np.array([60, 200, 614]), centring_shift(order, (side, side), "region"))


@pytest.mark.parametrize("feather_px", [1, 4, 9])
def test_a_soft_edge_shows_as_much_as_a_hard_one(feather_px):
    series = series_of()
    for level in range(3):
        alpha = soft_mask(series, level, feather_px)
        assert abs(alpha.sum() - series.counts[level]) < 0.5
        assert alpha.min() >= 0
        assert alpha.max() <= 1


def test_hard_levels_are_composed_as_the_core_composes_them():
    series, image, canvas = series_of(), natural(1), natural(2)
    for level, (pixels, _) in enumerate(levels_of(image, canvas, series, Reveal())):
        assert np.array_equal(pixels, series.compose(image, canvas, level))


@pytest.mark.parametrize("light", ["srgb", "linear"])
def test_soft_levels_are_image_inside_canvas_outside_and_between_at_the_edge(light):
    series, image, canvas = series_of(), np.full((64, 64, 3), 200, np.uint8), np.full((64, 64, 3), 20, np.uint8)
    reveal = Reveal(feather_px=6, light=light)
    (*_, (pixels, _)) = levels_of(image, canvas, series, reveal)
    alpha = soft_mask(series, 2, 6)
    assert (pixels[alpha == 1] == 200).all()
    assert (pixels[alpha == 0] == 20).all()
    between = (alpha > 0.2) & (alpha < 0.8)
    assert ((pixels[between] > 20) & (pixels[between] < 200)).all()


@pytest.mark.parametrize("light", ["srgb", "linear"])
def test_levels_of_contrast_are_the_whole_image_mixed_with_the_canvas(light):
    order = np.random.default_rng(1).permutation(64 * 64).astype(np.int32)
    levels = (0.1, 0.5, 1.0)
    series = RevealSeries(order, (64, 64), np.array([410, 2048, 4096]))
    image, grey = natural(1), np.full((64, 64, 3), 128, np.uint8)
    reveal = Reveal(levels=levels, budget=1.0, varies="contrast", light=light)
    found = [pixels.copy() for pixels, _ in levels_of(image, grey, series, reveal)]
    assert np.array_equal(found[-1], image)
    if light == "srgb":
        for share, pixels in zip(levels, found, strict=True):
            wanted = 128 + share * (image.astype(float) - 128)
            assert np.abs(pixels - wanted).max() <= 0.5
            assert pixels.std() == pytest.approx(share * image.std(), rel=0.05)
    else:
        spread = [LINEAR[pixels].std() for pixels in found]
        assert spread[1] == pytest.approx(0.5 * spread[2], rel=0.05)
