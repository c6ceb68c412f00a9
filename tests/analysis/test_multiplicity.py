"""Corrections against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.analysis.resampling.multiplicity import Joint, benjamini_hochberg, holm, largest_mass, runs

P = st.lists(st.floats(1e-6, 1), min_size=1, max_size=12).map(np.array)


@settings(deadline=None)
@given(P)
def test_holm_lies_between_raw_and_bonferroni(p):
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(p * len(p), 1) + 1e-15).all()


@settings(deadline=None)
@given(P)
def test_bh_equals_scipy(p):
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


def test_levels_without_a_test_do_not_count():
    assert holm(np.array([0.02, np.nan])).tolist()[0] == 0.02
    assert np.isnan(benjamini_hochberg(np.array([0.02, np.nan]))[1])


def test_step_down_by_hand():
    joint = Joint(np.array([3.0, 1.0]), sided=1, cluster_threshold=1.5)
    joint.add(np.array([[3.5, 0.0], [0.0, 2.0], [0.0, 0.5], [0.0, 0.0]]))
    assert joint.p_single_step().tolist() == [2 / 5, 3 / 5]
    assert joint.p_step_down().tolist() == [2 / 5, 2 / 5]  # the second needs only its own column, then is made monotone


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-4, 4), min_size=5, max_size=5), min_size=1, max_size=6))
def test_largest_mass_is_the_largest_run(rows):
    z = np.array(rows)
    expected = [max([mass for *_, mass in runs(row, 1.0)], default=0.0) for row in z]
    assert largest_mass(z, 1.0) == pytest.approx(expected)


def test_clusters_of_both_signs_are_found_two_sided():
    joint = Joint(np.array([2.5, 2.5, 0.0, -3.0]), sided=0, cluster_threshold=2.0)
    joint.add(np.array([[0.0, 0.0, 0.0, 0.0], [9.0, 0.0, 0.0, 0.0], [2.1, 2.1, 0.0, 0.0]]))
    positive = next(one for one in joint.clusters() if one.sign > 0)
    negative = next(one for one in joint.clusters() if one.sign < 0)
    assert (positive.first, positive.last, positive.p) == (0, 1, 2 / 4)
    assert (negative.first, negative.mass, negative.p) == (3, 3.0, 3 / 4)
