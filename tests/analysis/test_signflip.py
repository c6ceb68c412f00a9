"""Sign flips: textbook cases, engines, grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.analysis.inference.sign_flip import exact_sign_flip_p, on_grid, sign_flip_test
from rapidvision.errors import InputError

MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
SLEEP = [12, 24, 13, 13, 0, 10, 18, 8, 46, 14]


def test_fishers_maize_and_students_sleep():
    assert round(exact_sign_flip_p(MAIZE)[0] * 2**15) == 863
    assert exact_sign_flip_p(SLEEP)[0] == pytest.approx(2 / 2**10)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_exact_p_counts_every_flip(d):
    signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
    sums = signs @ np.array(d)
    greater, less = exact_sign_flip_p(d)
    assert greater == pytest.approx(np.mean(sums >= sum(d)))
    assert less == pytest.approx(np.mean(sums <= sum(d)))


def test_monte_carlo_agrees_with_the_exact_p(seed):
    result = sign_flip_test(MAIZE, m=40_000, seed=seed, alternative="greater")
    exact = exact_sign_flip_p(MAIZE)[0]
    assert abs(result.p[0] - exact) < 4.5 * np.sqrt(exact / 40_000)
    assert result.p_low[0] < exact < result.p_high[0]


def test_engines_agree_to_the_last_count(seed):
    pytest.importorskip("numba")
    d = np.random.default_rng(seed).normal(0.05, 1, (700, 2))
    d[3, 0] = np.nan
    numpy_result = sign_flip_test(d, m=3000, seed=seed, engine="numpy")
    numba_result = sign_flip_test(d, m=3000, seed=seed, engine="numba")
    assert np.array_equal(numpy_result.p, numba_result.p)


def test_the_grid_keeps_ties_and_order(seed):
    d = np.random.default_rng(seed).normal(size=(500, 1))
    d[10] = d[20]
    grid = on_grid(d)
    assert grid[10] == grid[20]
    assert np.array_equal(grid, np.rint(grid))
    assert np.abs(grid).sum() < 2**53
    assert np.corrcoef(grid[:, 0], d[:, 0])[0, 1] == pytest.approx(1, abs=1e-12)


def test_false_positives_keep_their_rate(seed):
    rng = np.random.default_rng(seed)
    p = sign_flip_test(rng.normal(size=(25, 600)), m=400, seed=seed).p
    assert abs(np.mean(p <= 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 600)


def test_missing_units_are_left_out_and_empty_columns_are_nan():
    result = sign_flip_test([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]], m=99, seed=1)
    assert result.n.tolist() == [2, 0]
    assert result.mean[0] == 1.5
    assert np.isnan(result.p[1])


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="one row per unit"):
        sign_flip_test(np.zeros((0, 2)))
    with pytest.raises(InputError, match="alternative"):
        sign_flip_test([1.0], alternative="up")
    with pytest.raises(InputError, match="whole numbers"):
        exact_sign_flip_p([0.5])
    with pytest.raises(InputError, match="too many"):
        exact_sign_flip_p([2**30, 3**18])
