"""A chance test finds what is there and nothing else."""

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.stimuli.render.decodability import classifiers


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(60, 190, (240, 64, 64, 3)).astype(np.uint8)


TARGET = np.arange(240) % 2 == 0


@pytest.mark.parametrize("name", classifiers.STATISTICS)
def test_images_that_do_not_differ_stay_near_chance(images, name):
    assert 0.38 < classifiers.held_out_accuracy(classifiers.STATISTICS[name](images), TARGET, seed=1) < 0.62


def planted(images, name):
    out = images.astype(float)
    if name == "border pixels":
        out[TARGET, :4] += 25
    elif name == "mean colour":
        out[TARGET, ..., 0] += 4
    elif name == "luminance histogram":
        out[TARGET] = 125 + 1.15 * (out[TARGET] - 125)
    else:
        out[TARGET] = (out[TARGET] + np.roll(out[TARGET], 1, axis=2)) / 2**0.5 - 125 * (2**0.5 - 1)
    return out.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", classifiers.STATISTICS)
def test_a_planted_difference_is_found(images, name):
    assert classifiers.held_out_accuracy(classifiers.STATISTICS[name](planted(images, name)), TARGET, seed=1) > 0.9


def test_the_border_does_not_see_the_middle(images):
    other = images.copy()
    other[:, 8:-8, 8:-8] = 0
    np.testing.assert_array_equal(classifiers.border(images), classifiers.border(other))


def test_too_few_images_and_odd_sizes_are_refused(images):
    with pytest.raises(InputError, match="10 of each are needed"):
        classifiers.held_out_accuracy(np.zeros((12, 1)), np.arange(12) < 3, seed=1)
    with pytest.raises(InputError, match="multiple of 16"):
        classifiers.border(images[:, :50, :50])
