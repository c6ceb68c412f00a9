import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import doubled_ranks, spearman_pairs, unit_ranks

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=30)


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_correlations_are_scipys_with_any_ties(pairs):
    a, b = np.array(pairs, float).T
    (found,) = spearman_pairs(a[None], b[None])
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
        assert float(unit_ranks([a])[0] @ unit_ranks([b])[0]) == pytest.approx(found, abs=1e-12)


def test_ranks_are_scipys_row_by_row():
    values = np.random.default_rng(1).integers(0, 20, (7, 60)).astype(float)
    assert np.array_equal(doubled_ranks(values), np.rint(2 * rankdata(values, axis=1)).astype(int))


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ([[1.0, np.nan]], [[1.0, 2.0]], "not finite"),
        ([1.0, 2.0], [1.0, 2.0], "one row per map"),
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], "pairs of maps have one size"),
    ],
)
def test_what_cannot_be_ranked_is_refused(a, b, says):
    with pytest.raises(InputError, match=says):
        spearman_pairs(a, b)
