"""Players keep the game's rules, aim at diagnostic parts, and agree as far as people do."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.stats import spearmanr

from rapidvision import seeds
from rapidvision.stimuli.render.bundle.drawn_image import CATEGORIES, draw
from rapidvision.stimuli.render.observers import players
from rapidvision.stimuli.render.shapes.body import PART_INDEX


@pytest.fixture(scope="module")
def images():
    return [draw(category, seed=12, number=n, size=64) for n, category in itertools.product(range(6), CATEGORIES)]


def test_a_stroke_never_moves_farther_than_seven_pixels_and_leaves_fourteen_pixel_bubbles():
    canvas = np.zeros((256, 256), np.uint8)
    aims = np.array([[128.0, 20.0], [128.0, 240.0]])
    players._drag(canvas, aims, np.full(140, 50.0), np.zeros((140, 2)), 10)
    rows, columns = np.nonzero(canvas)
    assert rows.max() - rows.min() + 1 == players.BUBBLE_PX
    reached = columns.max() - columns.min() + 1 - players.BUBBLE_PX
    assert reached == 9 * players.LONGEST_STEP_PX


def test_most_paint_lies_on_the_object_and_more_than_by_area_on_its_most_diagnostic_part(images):
    shares = []
    for image in images:
        painted = players.play(image.parts, image.objects, image.category, rng=np.random.default_rng(1))
        share = players.resized(painted.mean(0), 64)
        mine = image.objects == 1
        near = ndimage.binary_dilation(mine, iterations=4)
        shares.append(share[near].sum() / share.sum())
    assert min(shares) > 0.8  # a bubble is wider than a closed umbrella's shaft
    assert np.mean(shares) > 0.93
    cats = [one for one in images if one.category == "cat"]
    face = [PART_INDEX[name] for name in ("head", "eye", "ear", "muzzle", "nose")]
    pull, area = [], []
    for cat in cats:
        where = np.isin(cat.parts, face) & (cat.objects == 1)
        pull.append(players.pull_of(cat.parts, cat.objects, "cat")[where].sum())
        area.append(where.sum() / (cat.objects == 1).sum())
    assert np.mean(pull) > 0.7 > 0.6 > np.mean(area)


def test_two_players_of_a_image_agree_and_players_of_two_images_do_not(images):
    weights = np.full(49, 1 / 49)
    maps = []
    for n, image in enumerate(images):
        two = players.play(image.parts, image.objects, image.category, rng=seeds.stream(4, "two", n), n_players=2)
        for axis in (1, 2):
            two = ndimage.correlate1d(two.astype(float), weights, axis, mode="constant")
        maps.append(two[:, ::8, ::8].reshape(2, -1))
    same = np.mean([spearmanr(a, b)[0] for a, b in maps])
    pairs = [(one, other) for one in maps for other in maps if one is not other]
    different = np.mean([spearmanr(one[0], other[1])[0] for one, other in pairs])
    assert 0.45 < same < 0.75
    assert different < same - 0.25


def test_a_map_is_the_same_for_the_same_seed_and_has_the_images_size(images):
    one = images[0]
    maps = [players.clickme_map(one.parts, one.objects, one.category, seed=s, number=0) for s in (1, 1, 2)]
    assert maps[0].shape == (64, 64)
    assert maps[0].max() > 0
    np.testing.assert_array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])


def test_an_object_without_its_diagnostic_parts_is_still_played(images):
    one = images[0]
    plain = np.where(one.objects == 1, PART_INDEX["hoof"], 0).astype(np.uint8)
    pull = players.pull_of(plain, one.objects, "bird")
    assert pull.sum() == pytest.approx(1)
    assert not pull[one.objects != 1].any()


@given(st.integers(1, 60))
def test_resizing_keeps_the_mean(size):
    values = np.random.default_rng(size).random((48, 48))
    assert players.resized(values, size).mean() == pytest.approx(values.mean())
