import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.gala_models.data.augmentation import random_crop_and_flip
from rapidvision.gala_models.data.batches import Batches, order, partner
from rapidvision.gala_models.preprocessing import Preprocessing


def contents(batches, epoch=0, **more):
    return [
        (b.rows.tobytes(), b.images.tobytes(), b.importance.tobytes(), b.labels.tobytes(), b.has_map.tobytes())
        for b in batches.epoch(epoch, **more)
    ]


@pytest.mark.parametrize("surround", [0.0, 0.5])
@pytest.mark.parametrize("n_workers", [1, 4])
def test_workers_do_not_change_a_byte(make_store, n_workers, surround):
    store = make_store(share_of_maps=0.5)
    one = Batches(store, 32, 8, seed=3, surround=surround)
    assert contents(Batches(store, 32, 8, seed=3, surround=surround, n_workers=n_workers)) == contents(one)


def test_surrounds_are_for_training_only_and_for_the_share_that_was_asked_for(make_store):
    store = make_store()
    plain, often = Batches(store, 32, 8, seed=3), Batches(store, 32, 8, seed=3, surround=0.5)
    same = [
        (a == b).all()
        for first, second in zip(plain.epoch(0), often.epoch(0), strict=True)
        for a, b in zip(first.images, second.images, strict=True)
    ]
    assert 0.2 < np.mean(same) < 0.8
    assert all((a.images == b.images).all() for a, b in zip(plain.in_order(), often.in_order(), strict=True))


def test_epochs_start_anywhere(make_store):
    batches = Batches(make_store(), 32, 8, seed=3)
    assert contents(batches, 2, first_step=4) == contents(batches, 2)[4:]


def test_ranks_share_out_each_batch(make_store):
    store = make_store()
    whole = next(iter(Batches(store, 32, 8, seed=1).epoch(0)))
    parts = [next(iter(Batches(store, 32, 8, seed=1, rank=rank, world_size=2).epoch(0))) for rank in (0, 1)]
    for rank, part in enumerate(parts):
        np.testing.assert_array_equal(part.images, whole.images[rank::2])
        np.testing.assert_array_equal(part.rows, whole.rows[rank::2])


def test_an_epoch_shows_every_image_once_and_epochs_differ():
    first, second = order(5, 0, 100), order(5, 1, 100)
    assert sorted(first) == sorted(second) == list(range(100))
    assert not np.array_equal(first, second)


def test_image_and_map_are_cut_and_flipped_together(make_store):
    batches = Batches(make_store(side_px=40), 32, 8, seed=2)
    for batch in batches.epoch(1):
        bright = batch.images[..., 0] == 230
        np.testing.assert_array_equal(bright, batch.importance > 0)


def test_cuts_and_flips_are_uniform():
    draws = [random_crop_and_flip(0, 0, row, slack_px=3) for row in range(4000)]
    tops = np.bincount([top for top, _, _ in draws], minlength=4)
    assert np.abs(tops - 1000).max() < 4 * 28
    assert abs(sum(flip for *_, flip in draws) - 2000) < 4 * 32


def test_evaluation_cuts_the_centre_and_takes_everything(make_store):
    store = make_store(n=50, side_px=40)
    seen = list(Batches(store, 32, 16).in_order())
    assert [len(batch.rows) for batch in seen] == [16, 16, 16, 2]
    np.testing.assert_array_equal(seen[0].images[3], store.images[3][4:36, 4:36])


def test_shuffled_maps_are_other_images_maps(make_store):
    store = make_store(share_of_maps=0.5)
    partners = partner(store, 7)
    with_map = np.flatnonzero(store.has_map)
    assert (partners[with_map] != with_map).all()
    assert sorted(partners[with_map]) == sorted(with_map)
    batch = Batches(store, 36, 8, seed=7, annotation="shuffled").make(with_map[:4], None)
    np.testing.assert_array_equal(batch.importance, store.maps[partners[with_map[:4]]])


def test_boxes_and_nothing_stand_in_for_maps(make_store):
    store = make_store()
    rows = np.arange(4)
    boxes = Batches(store, 36, 8, annotation="boxes").make(rows, None)
    assert set(np.unique(boxes.importance)) == {0, 255}
    assert (boxes.importance.reshape(4, -1) > 0).sum(1).tolist() == [81] * 4
    assert not Batches(store, 36, 8, annotation="none").make(rows, None).has_map.any()


def test_tensors_are_what_the_network_expects(make_store):
    batch = Batches(make_store(), 32, 8).make(np.arange(3), None)
    x, importance, labels, has_map = batch.tensors(Preprocessing(size_px=32, mean=(0, 0, 0), std=(1, 1, 1)))
    assert (x.shape, importance.shape, labels.tolist(), has_map.all()) == (
        (3, 3, 32, 32),
        (3, 1, 32, 32),
        [0, 1, 2],
        True,
    )
    assert 0 <= x.min() < x.max() <= 1


def test_batches_that_cannot_be_are_refused(make_store):
    store = make_store()
    with pytest.raises(InputError, match="input of 40 px from a store of 36 px"):
        Batches(store, 40, 8)
    with pytest.raises(InputError, match="8 images cannot be shared equally by 3"):
        Batches(store, 32, 8, world_size=3)
    with pytest.raises(InputError, match="48 images are fewer than one batch of 64"):
        Batches(store, 32, 64)
