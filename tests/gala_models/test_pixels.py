import numpy as np
import pytest
import torch

from rapidvision import recipes
from rapidvision.errors import InputError, RecipeError
from rapidvision.gala_models.preprocessing import Preprocessing


def test_values_are_normalized_once_and_channels_keep_their_place():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[..., 1] = 255
    x = Preprocessing(size_px=4, mean=(0.5, 0.5, 0.25), std=(0.5, 0.25, 1.0))(image)
    assert x[0, :, 0, 0].tolist() == [-1.0, 2.0, -0.25]
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_resizing_keeps_a_flat_image_flat_and_cuts_the_centre():
    wide = np.full((1, 40, 80, 3), 51, np.uint8)
    wide[:, :, :16] = wide[:, :, 64:] = 255
    x = Preprocessing(size_px=20, mean=(0, 0, 0), std=(1, 1, 1))(wide)
    assert x.shape == (1, 3, 20, 20)
    torch.testing.assert_close(x, torch.full((1, 3, 20, 20), 0.2))


def test_images_that_were_normalized_already_are_refused():
    with pytest.raises(InputError, match="float64 from -1 to -1; bytes from 0 to 255"):
        Preprocessing()(np.full((1, 8, 8, 3), -1.0))
    with pytest.raises(InputError, match="shape"):
        Preprocessing()(np.zeros((1, 3, 8, 8), np.uint8))


def test_impossible_sizes_are_refused():
    with pytest.raises(RecipeError, match="size_px"):
        recipes.parse("size_px = 8\nresize_px = 4", Preprocessing)
    with pytest.raises(RecipeError, match="std > 0, got"):
        recipes.parse("std = [0.0, 1.0, 1.0]", Preprocessing)
