"""Patches on scrambled surrounds: faithful inside, the image's spectrum outside, and the same for every worker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import RecipeError
from rapidvision.gala_models.data.surround import SMALLEST_PATCH, patch, scrambled, surrounded
from rapidvision.gala_models.training.recipe import Training
from rapidvision.recipes import convert


def soft_image(seed):
    rng = np.random.default_rng(seed)
    waves = rng.standard_normal((24, 30, 3)).cumsum(0).cumsum(1)
    return np.clip(128 + 20 * (waves - waves.mean((0, 1))) / waves.std(), 0, 255).astype(np.uint8)


@given(st.integers(0, 2**32), st.integers(4, 40), st.integers(4, 40))
def test_a_patch_has_an_area_in_the_stated_range(seed, height, width):
    area = patch((height, width), np.random.default_rng(seed)).sum()
    assert max(1, round(height * width * SMALLEST_PATCH)) <= area <= height * width


@pytest.mark.parametrize("seed", range(5))
def test_scrambling_keeps_every_amplitude_and_the_colours_relations(seed):
    image = soft_image(seed)
    before = np.fft.rfft2(image, axes=(0, 1))
    after = np.fft.rfft2(scrambled(image, np.random.default_rng(seed)), axes=(0, 1))
    # Whole grey levels are the only error: about 0.3 of them per pixel.
    tolerance = 4 * 0.3 * np.sqrt(image.shape[0] * image.shape[1])
    assert np.abs(np.abs(before) - np.abs(after)).max() < tolerance
    between = (before[..., 0] * before[..., 1].conj()) - (after[..., 0] * after[..., 1].conj())
    assert np.abs(between).max() < 0.02 * np.abs(before).max() ** 2


@given(st.integers(0, 2**32))
def test_inside_is_the_image_and_importance_outside_is_gone(seed):
    image = soft_image(seed % 7)
    importance = np.full(image.shape[:2], 200, np.uint8)
    shown, left = surrounded(image, importance, np.random.default_rng(seed))
    seen = left > 0
    assert seen.any()
    assert (shown[seen] == image[seen]).all()
    again, _ = surrounded(image, importance, np.random.default_rng(seed))
    assert (again == shown).all()


def test_a_share_out_of_range_is_refused():
    with pytest.raises(RecipeError, match="surround must lie in"):
        convert({"surround": 1.5}, Training)
