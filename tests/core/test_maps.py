"""Importance maps: what is one, and what is refused."""

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap


def make(values):
    return ImportanceMap(values, image_id="cat-03", source="clickme")


def test_values_are_copied_and_cannot_be_changed():
    values = np.array([[0.0, 1.0]])
    one = make(values)
    values[0, 0] = 5
    assert one.values[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        one.values[0, 0] = 1


def test_equal_maps_have_equal_hashes_and_the_shape_counts():
    assert make([[0, 1, 2, 3]]).sha256 == make(np.array([[0, 1, 2, 3]], ">f8")).sha256
    assert make([[0, 1, 2, 3]]).sha256 != make([[0, 1], [2, 3]]).sha256


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[0, np.nan]], "1 of 2 values are not finite"),
        ([[0, np.inf]], "not finite"),
        ([[0, -1]], "negative"),
        ([[0, 0]], "all values are zero"),
        ([[2, 2]], "all values are the same"),
        ([1, 2], "two dimensions"),
        (np.zeros((0, 3)), "two dimensions"),
        (np.zeros((2, 2, 3)), "two dimensions"),
    ],
)
def test_a_useless_map_is_refused_by_image_and_reason(values, says):
    with pytest.raises(InputError, match="cat-03 from clickme") as error:
        make(values)
    assert says in str(error.value)
