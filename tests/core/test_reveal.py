"""Reveal series: exact counts, nested masks, faithful pixels."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.reveal import RevealSeries, level_counts, level_fractions


@st.composite
def series(draw):
    height, width = draw(st.integers(1, 9)), draw(st.integers(2, 9))
    order = draw(st.permutations(range(height * width)))
    n = draw(st.integers(1, height * width))
    counts = sorted(draw(st.sets(st.integers(1, n), max_size=4)) | {n})
    return RevealSeries(np.array(order[:n], np.int32), (height, width), np.array(counts))


@given(series())
def test_masks_are_nested_and_exactly_counted(one):
    masks = [one.mask(level) for level in range(one.n_levels)]
    assert [int(mask.sum()) for mask in masks] == list(one.counts)
    for smaller, larger in itertools.pairwise(masks):
        assert not (smaller & ~larger).any()


@given(series(), st.integers(0, 2**32))
def test_inside_is_the_image_and_outside_is_the_canvas(one, seed):
    rng = np.random.default_rng(seed)
    image, canvas = rng.integers(0, 256, (2, *one.shape, 3)).astype(np.uint8)
    for level in range(one.n_levels):
        out, mask = one.compose(image, canvas, level), one.mask(level)
        assert (out[~mask] == canvas[~mask]).all()
        assert (out[mask] == image[mask]).all()


def test_a_shift_moves_revealed_pixels_only():
    one = RevealSeries(np.array([0, 1], np.int32), (3, 4), np.array([1, 2]), shift_px=(1, 2))
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    canvas = np.full((3, 4, 3), 200, np.uint8)
    out = one.compose(image, canvas, 1)
    assert (out[1, 2:4] == image[0, :2]).all()
    assert (np.delete(out.reshape(12, 3), [6, 7], axis=0) == 200).all()


@given(st.integers(2, 30), st.floats(0.001, 0.5))
def test_fractions_are_log_spaced_and_end_at_one(n, lowest):
    fractions = level_fractions(n, lowest)
    assert fractions[-1] == 1
    assert np.allclose(np.diff(np.log(fractions)), np.log(1 / lowest) / (n - 1))


def test_the_papers_forty_per_cent_of_features_is_six_per_cent_of_pixels():
    counts = level_counts(round(0.15 * 256 * 256), level_fractions(11, 0.01))
    assert counts[8] / 256**2 == pytest.approx(0.06, abs=0.001)


@pytest.mark.parametrize(
    ("order", "counts", "shift", "says"),
    [
        ([0, 0], [2], (0, 0), "appears twice"),
        ([0, 9], [2], (0, 0), "must lie in"),
        ([0, 1], [1], (0, 0), "must rise to 2"),
        ([0, 1], [2, 2], (0, 0), "must rise to 2"),
        ([0, 1], [2], (3, 0), "out of the frame"),
        ([0, 1], [2], (0, -1), "out of the frame"),
    ],
)
def test_an_impossible_series_is_refused(order, counts, shift, says):
    with pytest.raises(InputError, match=says):
        RevealSeries(np.array(order, np.int32), (2, 3), np.array(counts), shift)


def test_colliding_levels_and_bad_fractions_are_refused():
    with pytest.raises(InputError, match="too few for 11 different levels"):
        level_counts(157, level_fractions(11, 0.01))
    with pytest.raises(InputError, match="2 or more"):
        level_fractions(1, 0.01)
    one = RevealSeries(np.array([0], np.int32), (2, 3), np.array([1]))
    with pytest.raises(InputError, match="compose"):
        one.compose(np.zeros((3, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8), 0)
