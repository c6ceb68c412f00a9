import numpy as np
import pytest

from rapidvision.gala_models.batches import Batches
from rapidvision.gala_models.scatter import HIGH, moved, offset


def generators(n):
    return (np.random.Generator(np.random.PCG64(seed)) for seed in range(n))


def test_the_high_places_stay_whole_and_come_to_lie_everywhere_alike():
    importance = np.zeros((12, 12), np.uint8)
    importance[1:4, 5:10] = HIGH + 1
    importance[8, 8] = HIGH  # not high
    tops, lefts = np.zeros(12, int), np.zeros(12, int)
    for rng in generators(2000):
        high = moved(importance, offset(importance, rng)) > HIGH
        rows, columns = np.flatnonzero(high.any(1)), np.flatnonzero(high.any(0))
        assert (len(rows), len(columns)) == (3, 5)
        assert (np.diff(rows) == 1).all()
        assert (np.diff(columns) == 1).all()
        tops[rows[0]] += 1
        lefts[columns[0]] += 1
    assert (tops > 0).sum() == 10
    assert (lefts > 0).sum() == 8
    assert tops.max() < 1.4 * 2000 / 10
    assert lefts.max() < 1.4 * 2000 / 8


def test_a_map_without_high_places_may_be_cut_anywhere():
    low = np.full((6, 6), HIGH, np.uint8)
    assert {offset(low, rng)[0] for rng in generators(200)} == set(range(6))


def test_picture_and_map_move_together_by_address(make_store):
    store = make_store()
    rows = np.arange(16)
    plain, scattered = Batches(store, 32, 16, seed=3), Batches(store, 32, 16, seed=3, scatter=True)
    before, after = plain.make(rows, 0), scattered.make(rows, 0)
    for at in range(16):
        bright = after.pictures[at, :, :, 0] == 230  # the square is what the map marks
        assert np.array_equal(bright, after.importance[at] > 0)
        assert sorted(after.pictures[at].ravel()) == sorted(before.pictures[at].ravel())
    assert not np.array_equal(before.pictures, after.pictures)
    assert np.array_equal(scattered.make(rows[5:6], 0).pictures[0], after.pictures[5])
    assert not np.array_equal(scattered.make(rows, 1).pictures, after.pictures)
    assert np.array_equal(scattered.make(rows, None).pictures, scattered.make(rows, None).pictures)


@pytest.mark.parametrize("epoch", [0, 7])
def test_another_pictures_map_is_moved_by_a_draw_of_its_own(make_store, epoch):
    store = make_store()
    rows = np.arange(16)
    own = Batches(store, 32, 16, scatter=True).make(rows, epoch)
    other = Batches(store, 32, 16, scatter=True, annotation="shuffled").make(rows, epoch)
    assert np.array_equal(own.pictures, other.pictures)
    overlap = [
        np.mean((a > 0) & (b > 0)) / np.mean(a > 0) for a, b in zip(own.importance, other.importance, strict=True)
    ]
    assert np.mean(overlap) < 0.4  # it says nothing about where this picture's object lies
    assert all(importance.any() for importance in other.importance)
