import numpy as np
import pytest

from rapidvision import recipes
from rapidvision.errors import RecipeError
from rapidvision.gala_models.data.batches import Batches
from rapidvision.gala_models.data.clutter import KEPT, cluttered
from rapidvision.gala_models.training.recipe import Training


def white(_rng):
    return np.full((40, 40, 3), 255, np.uint8), np.zeros((40, 40), np.uint8)


def paste(own, n_fragments=30, seed=1):
    image, importance = np.zeros((40, 40, 3), np.uint8), np.full((40, 40), 7, np.uint8)
    rng = np.random.Generator(np.random.PCG64(seed))
    return cluttered(image, importance, own=own, donor=white, n_fragments=n_fragments, rng=rng)


def test_fragments_keep_off_the_high_places_of_the_images_own_map():
    own = np.zeros((40, 40), np.uint8)
    own[10:20, 10:20] = KEPT + 1
    image, _ = paste(own)
    assert (image == 255).any()
    assert (image[10:20, 10:20] == 0).all()


@pytest.mark.parametrize("peak", [(0, 0), (20, 31), (39, 39)])
def test_fragments_show_what_is_important_in_other_images(peak):
    def donor(_rng):
        image, importance = np.full((40, 40, 3), 1, np.uint8), np.zeros((40, 40), np.uint8)
        image[peak], importance[peak] = 255, 9
        return image, importance

    flat = np.zeros((40, 40), np.uint8)
    rng = np.random.Generator(np.random.PCG64(4))
    image, _ = cluttered(flat[:, :, None].repeat(3, 2), flat, own=flat, donor=donor, n_fragments=1, rng=rng)
    assert (image[:, :, 0] == 255).sum() == 1
    assert (image[:, :, 0] == 1).any()


def test_what_is_covered_is_no_longer_important():
    image, importance = paste(np.zeros((40, 40), np.uint8))
    covered = image[:, :, 0] == 255
    assert (importance[covered] == 0).all()
    assert (importance[~covered] == 7).all()


def test_a_image_that_is_important_everywhere_stays_unchanged():
    image, importance = paste(np.full((40, 40), 255, np.uint8))
    assert not image.any()
    assert (importance == 7).all()


def test_clutter_is_drawn_by_address_and_the_same_in_every_evaluation(make_store):
    store = make_store()
    plain, hard = Batches(store, 32, 16), Batches(store, 32, 16, clutter=5)
    rows = np.arange(16)
    assert not np.array_equal(plain.make(rows, 0).images, hard.make(rows, 0).images)
    assert np.array_equal(hard.make(rows, None).images, hard.make(rows, None).images)
    assert np.array_equal(hard.make(rows, 3).images[5:6], hard.make(rows[5:6], 3).images)
    assert not np.array_equal(hard.make(rows, 3).images, hard.make(rows, 4).images)


@pytest.mark.parametrize("harder", [{"clutter": 5}, {"surround": 1.0}])
def test_other_images_maps_do_not_tell_where_fragments_and_patches_are(make_store, harder):
    store = make_store()
    rows = np.arange(16)
    hard = Batches(store, 32, 16, annotation="shuffled", **harder).make(rows, 0)
    plain = Batches(store, 32, 16, annotation="shuffled").make(rows, 0)
    assert np.array_equal(hard.importance, plain.importance)
    assert not np.array_equal(hard.images, plain.images)


def test_less_than_no_clutter_is_refused():
    with pytest.raises(RecipeError, match="clutter must be >= 0, got -1"):
        recipes.parse("clutter = -1", Training)
