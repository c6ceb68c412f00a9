"""Counts and pooling: exact small cases, and what must not depend on order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.maps.bubbles import counts, pooled

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


def test_unknown_pools_are_refused():
    with pytest.raises(InputError, match="players, bubbles"):
        pooled([np.eye(2)], pool="people")
