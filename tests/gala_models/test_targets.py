import numpy as np
import pytest
import torch

from rapidvision.errors import InputError
from rapidvision.gala_models.data import targets
from rapidvision.numerics.blur import Blur, blurred


@pytest.mark.parametrize("name", ["paper", "gala_tpu"])
def test_blurring_a_point_gives_the_kernel_and_keeps_the_sum(name):
    point = np.zeros((101, 101), np.float32)
    point[50, 50] = 3
    soft = targets.blur(point, name, size_px=49)
    weights = targets.kernel(name)
    np.testing.assert_allclose(soft[26:75, 26:75], 3 * np.outer(weights, weights), rtol=1e-5)
    assert soft.sum() == pytest.approx(3, rel=1e-5)


def test_the_authors_kernel_is_all_but_flat():
    # A Gaussian of σ = 28 px would fall to 0.480 at the corner of its box; folded at the borders it falls to 0.987.
    both = np.outer(targets.kernel("gala_tpu"), targets.kernel("gala_tpu"))
    assert both.min() / both.max() == pytest.approx(0.987, abs=5e-4)


def test_the_kernel_grows_with_the_image():
    point = np.zeros((96, 96), np.float32)
    point[48, 48] = 1
    assert np.count_nonzero(targets.blur(point, "paper")) == 19 * 19  # 49 / 256 of 96, odd


@pytest.mark.parametrize("kind", ["gauss", "disc"])
def test_sizes_of_a_blur_are_in_pixels_of_a_map_of_256(kind):
    point = np.zeros((128, 128), np.float32)
    point[64, 64] = 1
    expected = blurred(point.astype(np.float64), Blur(kind, 4.0))
    np.testing.assert_allclose(targets.blur(point, f"{kind}:8"), expected, rtol=1e-6)


def test_no_blur_is_no_blur():
    values = np.random.Generator(np.random.PCG64(1)).random((8, 8), np.float32)
    np.testing.assert_allclose(targets.blur(values, "none"), values, rtol=1e-6)


def test_kernels_that_cannot_be_are_refused():
    with pytest.raises(InputError, match='no kernel "papper". Did you mean "paper"'):
        targets.kernel("papper")
    with pytest.raises(InputError, match="must be odd"):
        targets.kernel("paper", 48)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (np.zeros((3, 3)), "all zero"),
        (np.full((3, 3), np.nan), "not finite"),
        (np.array([[1, -1, 0]] * 3), "negative"),
        (np.ones((2, 3)), "size 2 x 3"),
        (np.ones((3, 3)), None),
    ],
)
def test_maps_that_cannot_supervise_are_known(values, word):
    assert targets.check_map(values.astype(np.float32), shape=(3, 3)) == word


def test_boxes_span_the_extent_above_the_threshold():
    values = np.zeros((9, 9), np.float32)
    values[2:5, 3:7] = 1
    values[0, 0] = 0.01
    assert targets.bounding_box(values)[:5, :7].all()
    inside = targets.bounding_box(values, threshold=0.05)
    assert inside.sum() == 12
    assert inside[2:5, 3:7].all()


@pytest.mark.parametrize("how", ["bicubic", "bilinear-corners"])
def test_resizing_keeps_flat_maps_flat_and_nothing_negative(how):
    flat = targets.resized(torch.full((2, 1, 50, 50), 0.3), 7, 7, how=how)
    torch.testing.assert_close(flat, torch.full((2, 1, 7, 7), 0.3))
    edge = torch.zeros(1, 1, 56, 56)
    edge[..., :20] = 1
    assert targets.resized(edge, 14, 14, how=how).min() >= 0


def test_aligned_corners_keep_the_corners():
    maps = torch.rand(1, 1, 9, 9)
    small = targets.resized(maps, 3, 3, how="bilinear-corners")
    torch.testing.assert_close(small[0, 0], maps[0, 0, ::4, ::4])
