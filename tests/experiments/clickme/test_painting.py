"""Counts, pooling, blurs: exact small cases, and what must not depend on order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.painting import blurred, counts, pooled, spearman

marks = st.lists(st.tuples(st.integers(0, 31), st.integers(0, 31)), min_size=1, max_size=30)


@given(marks, st.integers(1, 20), st.randoms())
def test_counts_are_the_sum_of_squares_in_any_order(xy, bubble, random):
    expected = np.zeros((32, 32))
    for x, y in xy:
        first_x, first_y = x - bubble // 2, y - bubble // 2
        expected[max(first_y, 0) : first_y + bubble, max(first_x, 0) : first_x + bubble] += 1
    shuffled = list(xy)
    random.shuffle(shuffled)
    assert (counts(shuffled, side_px=32, bubble_px=bubble) == expected).all()


def test_a_bubble_inside_covers_fourteen_by_fourteen_pixels():
    covered = counts([(100, 60)], side_px=256, bubble_px=14)
    rows, columns = np.nonzero(covered)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (53, 66, 93, 106)
    assert covered.sum() == 196


def test_a_player_who_scrubs_counts_once_among_players():
    scrub, look = np.array([[9.0, 0.0]]), np.array([[0.0, 1.0]])
    assert pooled([scrub, look]).tolist() == [[0.5, 0.5]]
    assert pooled([scrub, look], pool="bubbles").tolist() == [[0.9, 0.1]]


def test_the_paper_s_kernel_is_a_box_of_49_pixels_with_nothing_outside():
    one = np.zeros((128, 128))
    one[64, 64] = 1
    out = blurred(one, "paper")
    assert np.count_nonzero(out) == 49 * 49
    assert out[out > 0] == pytest.approx(1 / 49**2)
    corner = np.zeros((128, 128))
    corner[0, 0] = 1
    assert np.count_nonzero(blurred(corner, "paper")) == 25 * 25


def test_blurs_keep_the_mass_inside_and_are_linear():
    rng = np.random.default_rng(1)
    one, other = np.zeros((200, 200)), np.zeros((200, 200))
    one[80:120, 80:120], other[90:110, 60:100] = rng.random((40, 40)), rng.random((20, 40))
    for blur in ("none", "paper", "gauss:5"):
        assert blurred(one, blur).sum() == pytest.approx(one.sum())
        assert blurred(one + other, blur) == pytest.approx(blurred(one, blur) + blurred(other, blur))


@pytest.mark.parametrize("blur", ["box", "gauss", "gauss:", "gauss:0", "gauss:-3", "gauss:1e9"])
def test_unknown_blurs_are_refused(blur):
    with pytest.raises(InputError, match="blur: got"):
        blurred(np.eye(4), blur)


def test_unknown_pools_are_refused():
    with pytest.raises(InputError, match="players, bubbles"):
        pooled([np.eye(2)], pool="people")


def test_rank_correlation_is_scipy_s():
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 5, (12, 12)).astype(float), rng.integers(0, 5, (12, 12)).astype(float)
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one.ravel(), other.ravel()).statistic)
    assert np.isnan(spearman(one, np.ones((12, 12))))
