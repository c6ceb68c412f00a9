import io

import numpy as np
import pytest
from PIL import Image

from rapidvision.images.png import png_bytes


@pytest.mark.parametrize(("shape", "dtype"), [((5, 7), np.uint8), ((5, 7, 3), np.uint8), ((5, 7), np.uint16)])
@pytest.mark.parametrize("effort", [1, 6, 9])
def test_every_pixel_comes_back_at_every_effort(shape, dtype, effort):
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    with Image.open(io.BytesIO(png_bytes(pixels, effort=effort))) as opened:
        assert np.array_equal(np.asarray(opened), pixels)


def test_the_same_pixels_are_the_same_bytes():
    pixels = np.zeros((64, 64), np.uint8)
    assert png_bytes(pixels) == png_bytes(pixels.copy())
    assert len(png_bytes(pixels, effort=9)) <= len(png_bytes(pixels, effort=1))
