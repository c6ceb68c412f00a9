import numpy as np
import pytest

from rapidvision.gala_models.data.augmentation import moved, offset
from rapidvision.gala_models.data.batches import Batches


def test_every_place_is_as_likely_as_any_other():
    importance = np.zeros((8, 8), np.uint8)
    importance[1:4, 3:5] = 1
    total = np.zeros((8, 8))
    for seed in range(6400):
        by = offset(8, np.random.Generator(np.random.PCG64(seed)))
        found = moved(importance, by)
        assert found.sum() == importance.sum()
        total += found
    expected = 6400 * 6 / 64
    assert np.abs(total - expected).max() < 5 * (expected * (1 - 6 / 64)) ** 0.5


def test_image_and_map_move_together_by_address(make_store):
    store = make_store()
    rows = np.arange(16)
    plain, scattered = Batches(store, 32, 16, seed=3), Batches(store, 32, 16, seed=3, scatter=True)
    before, after = plain.make(rows, 0), scattered.make(rows, 0)
    for at in range(16):
        bright = after.images[at, :, :, 0] == 230  # the square is what the map marks
        assert np.array_equal(bright, after.importance[at] > 0)
        assert sorted(after.images[at].ravel()) == sorted(before.images[at].ravel())
    assert not np.array_equal(before.images, after.images)
    assert np.array_equal(scattered.make(rows[5:6], 0).images[0], after.images[5])
    assert not np.array_equal(scattered.make(rows, 1).images, after.images)
    assert np.array_equal(scattered.make(rows, None).images, scattered.make(rows, None).images)


@pytest.mark.parametrize("epoch", [0, 7])
def test_another_images_map_is_moved_by_a_draw_of_its_own(make_store, epoch):
    store = make_store()
    rows = np.arange(16)
    own = Batches(store, 32, 16, scatter=True).make(rows, epoch)
    other = Batches(store, 32, 16, scatter=True, annotation="shuffled").make(rows, epoch)
    assert np.array_equal(own.images, other.images)
    overlap = [
        np.mean((a > 0) & (b > 0)) / np.mean(a > 0) for a, b in zip(own.importance, other.importance, strict=True)
    ]
    assert np.mean(overlap) < 0.4  # it says nothing about where this image's object lies
    assert all(importance.any() for importance in other.importance)
