"""Seed streams depend on their address and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision import seeds
from rapidvision.errors import InputError

parts = st.lists(st.one_of(st.integers(0, 99), st.text("abc", max_size=3)), max_size=4)


@given(parts, parts)
def test_different_addresses_are_different_streams(a, b):
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b]
    assert (seeds.key64(1, *a) == seeds.key64(1, *b)) == same


def test_streams_are_fixed_for_good():
    assert seeds.key64(2019, "fill", "cat-03", "clickme") == 8269947477418299139
    assert seeds.stream(2019, "plan", 3).integers(0, 1000, 5).tolist() == [962, 909, 841, 345, 887]


def test_streams_look_independent():
    draws = np.array([seeds.stream(1, "participant", i).standard_normal(200) for i in range(60)])
    correlations = np.corrcoef(draws)[np.triu_indices(60, 1)]
    assert abs(correlations.mean()) < 0.01
    assert np.abs(correlations).max() < 0.35


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InputError, match="allowed are whole numbers"):
        seeds.stream(seed, "x")


def test_a_fresh_seed_is_usable():
    assert 0 <= seeds.fresh_seed() < 2**31
