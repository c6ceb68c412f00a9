"""Sign flips against enumeration with fractions, textbook cases, engines, and what must not change p."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.numerics import flip_tails as tails
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.numerics.wholes import Wholes, wholes_of

MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
SLEEP = [1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4]
GAINS = np.array([3, -2, 2, 3, 3, 4, -1, 1, 3])


def enumerated(d):
    """P(sum >= observed) and P(sum <= observed) over all flips of fractions."""
    sums = [sum(sign * one for sign, one in zip(signs, d, strict=True)) for signs in product((1, -1), repeat=len(d))]
    return tuple(sum(test) / len(sums) for test in ([s >= sum(d) for s in sums], [s <= sum(d) for s in sums]))


def exact(d, alternative="greater", **options):
    return float(sign_flip_test(d, n_resamples=9, seed=1, alternative=alternative, **options).p_exact[0])


def test_fishers_maize_and_students_sleep():
    assert exact(MAIZE) * 2**15 == pytest.approx(863, abs=1e-9)
    assert exact(SLEEP) == pytest.approx(2 / 2**10)


@pytest.mark.parametrize(
    ("d", "null"),
    [
        (GAINS, 0),
        (GAINS / 10, 0),
        (GAINS / 30, 0),
        (GAINS / 10 + 0.05, 0.05),
        (GAINS / 6 - 1 / 3, -1 / 3),
        (GAINS * np.pi, 0),
        (GAINS * 1e-5, 0),
        ((GAINS + 0.0) * 1e12, 0),
        (np.subtract(GAINS / 10 + 0.7, 0.7), 0),
    ],
)
def test_the_scale_of_the_differences_changes_nothing(d, null):
    result, plain = sign_flip_test(d, null=null, seed=3), sign_flip_test(GAINS, seed=3)
    assert result.p_exact[0] == 28 / 512
    assert result.p[0] == plain.p[0]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-6, 6), min_size=1, max_size=9),
    st.sampled_from([1, 3, 6, 7, 10, 12]),
    st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(-1, 3)]),
)
def test_floats_of_fractions_are_counted_as_the_fractions(numerators, below, margin):
    d = [Fraction(one, below) - margin for one in numerators]
    greater, less = enumerated(d)
    floats = np.array(numerators) / below
    assert exact(floats, null=float(margin)) == pytest.approx(greater, abs=1e-12)
    assert exact(floats, "less", null=float(margin)) == pytest.approx(less, abs=1e-12)
    assert exact(floats, "two-sided", null=float(margin)) == pytest.approx(min(1, 2 * min(greater, less)), abs=1e-12)
    counts = exact(numerators, denominators=np.full(len(numerators), below), null=float(margin))
    assert counts == pytest.approx(greater, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=11))
def test_tables_and_enumeration_count_the_same(values):
    sizes = sorted((abs(v) for v in values if v), reverse=True)
    negative = sum(-v for v in values if v < 0)
    if sizes:
        expected = enumerated(values)
        assert tails._tabled(sizes, negative) == pytest.approx(expected, abs=1e-12)
        assert tails._met(sizes, negative, 0) == pytest.approx(expected, abs=1e-12)


def test_unlike_denominators_are_enumerated_where_they_cannot_be_tabled(seed):
    rng = np.random.default_rng(seed)
    below = np.array([53, 59, 61, 67, 71, 73, 79, 83, 89, 97])
    above = rng.integers(-20, 40, len(below))
    expected = enumerated([Fraction(int(a), int(b)) for a, b in zip(above, below, strict=True)])[0]
    assert exact(above, denominators=below) == pytest.approx(expected, abs=1e-12)
    assert exact(above / below) == pytest.approx(expected, abs=1e-12)


def test_small_tails_keep_their_digits():
    assert exact(np.ones(50)) == pytest.approx(2.0**-50, rel=1e-12)
    assert exact(np.arange(1, 41)) == pytest.approx(2.0**-40, rel=1e-12)


def test_unlike_denominators_beyond_counting_are_bounded(seed):
    rng = np.random.default_rng(seed)
    trials = rng.integers(70, 81, 60)
    result = sign_flip_test(rng.integers(-9, 12, 60), denominators=trials, n_resamples=20_000, seed=1)
    assert result.without_exact == ("",)
    assert result.p_exact_low[0] < result.p_exact[0] < 1.01 * result.p_exact_low[0]
    assert not result.wide_bounds.any()
    assert abs(result.p[0] - result.p_exact[0]) < 4.5 * np.sqrt(result.p_exact[0] / 20_000) + 1e-4
    assert result.p_best[0] == result.p_exact[0]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=11), st.sampled_from([20, 37, 500]))
def test_bounds_hold_the_enumerated_tails(values, most):
    if not any(values):
        return
    sizes = sorted((abs(v) for v in values if v), reverse=True)
    greater, less = enumerated(values)
    before, largest = tails.MOST_GRID, tails._LARGEST_ERROR
    tails.MOST_GRID, tails._LARGEST_ERROR = most, 1e9
    try:
        found = tails._bounded(sizes, sum(-v for v in values if v < 0), 0, 1e9)
    finally:
        tails.MOST_GRID, tails._LARGEST_ERROR = before, largest
    assert found.greater_low - 1e-12 <= greater <= found.greater + 1e-12
    assert found.less_low - 1e-12 <= less <= found.less + 1e-12


def test_bounds_close_on_the_exact_tails(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(-20_000, 30_000, 40)
    sizes = sorted((abs(int(v)) for v in values if v), reverse=True)
    negative = int(-values[values < 0].sum())
    greater, less = tails._tabled(sizes, negative)
    found = tails._bounded(sizes, negative, 0, 1e12)
    assert found.greater_low <= greater <= found.greater
    assert found.greater / found.greater_low < 1.01
    assert found.less_low <= less <= found.less


def test_what_cannot_be_counted_says_why(seed):
    rng = np.random.default_rng(seed)
    result = sign_flip_test(rng.normal(size=20_000), n_resamples=99, seed=1)
    assert np.isnan(result.p_exact[0])
    assert result.p_best[0] == result.p[0]
    assert "no fractions" in result.without_exact[0]
    counts = sign_flip_test(
        rng.integers(-9, 9, 20_000), denominators=rng.integers(70, 81, 20_000), n_resamples=9, seed=1
    )
    assert "over their common denominator" in counts.without_exact[0]
    assert sign_flip_test([1, 2], n_resamples=99, seed=1).without_exact == ("",)


def test_monte_carlo_agrees_with_the_exact_p(seed):
    for d in (MAIZE, np.array(MAIZE) / 7, np.array(MAIZE) * np.e):
        result = sign_flip_test(d, n_resamples=40_000, seed=seed, alternative="greater")
        expected = 863 / 2**15
        assert abs(result.p[0] - expected) < 4.5 * np.sqrt(expected / 40_000)
        assert result.p_low[0] < expected < result.p_high[0]


def test_ties_count_in_every_monte_carlo_form(seed):
    # Half of the flips of two equal differences are as large as observed or larger only where ties count.
    for unit in (1, 0.1, np.pi, 1 / 3):
        d = np.array([unit, 2 * unit, -3 * unit, unit])
        result = sign_flip_test(d, n_resamples=20_000, seed=seed, alternative="greater")
        assert abs(result.p[0] - enumerated([1, 2, -3, 1])[0]) < 0.02


def test_engines_agree_to_the_last_count(seed):
    pytest.importorskip("numba")
    d = np.random.default_rng(seed).normal(0.05, 1, (700, 2))
    d[3, 0] = np.nan
    for differences in (d, np.round(d, 1)):
        one = sign_flip_test(differences, n_resamples=3000, seed=seed, engine="numpy")
        other = sign_flip_test(differences, n_resamples=3000, seed=seed, engine="numba")
        assert np.array_equal(one.p, other.p)


@pytest.mark.parametrize("n", [5, 40])
def test_neither_order_nor_sign_nor_chunks_change_p(seed, n):
    rng = np.random.default_rng(seed)
    d = rng.integers(-3, 5, (n, 4)) / 7
    d[rng.random(d.shape) < 0.1] = np.nan
    result = sign_flip_test(d, n_resamples=500, seed=1)
    shuffled = sign_flip_test(d[rng.permutation(n)], n_resamples=500, seed=1)
    turned = sign_flip_test(-d, n_resamples=500, seed=1)
    assert np.array_equal(result.p, shuffled.p)
    assert np.array_equal(result.p, turned.p)
    up, down = (sign_flip_test(x, n_resamples=500, seed=1, alternative=a).p for x, a in ((d, "greater"), (-d, "less")))
    assert np.array_equal(up, down)


def test_columns_are_flipped_together(seed):
    column = np.random.default_rng(seed).normal(size=30)
    p = sign_flip_test(
        np.stack([column, 2 * column, -column], axis=1), n_resamples=500, seed=1, alternative="greater"
    ).p
    assert p[0] == p[1]
    assert p[0] + p[2] == pytest.approx(1 + 1 / 501)


def test_false_positives_keep_their_rate(seed):
    rng = np.random.default_rng(seed)
    p = sign_flip_test(rng.normal(size=(25, 600)), n_resamples=400, seed=seed, exact=False).p
    assert abs(np.mean(p <= 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 600)


def test_missing_units_are_left_out_and_empty_columns_are_nan():
    result = sign_flip_test([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]], n_resamples=99, seed=1)
    assert result.n.tolist() == [2, 0]
    assert result.mean[0] == 1.5
    assert np.isnan(result.p[1])
    assert np.isnan(result.p_exact[1])
    assert result.without_exact == ("", "no unit has a difference")
    counts = sign_flip_test([3, 5, 7], denominators=[2, 2, 0], n_resamples=99, seed=1)
    assert (counts.n[0], counts.mean[0], counts.p_exact[0]) == (2, 2.0, 0.5)


def test_no_difference_at_all_is_p_one():
    assert sign_flip_test(np.zeros(6), n_resamples=99, seed=1).p_exact[0] == 1
    assert sign_flip_test(np.zeros(6), n_resamples=99, seed=1).p[0] == 1


def test_a_column_without_a_common_denominator_says_that_sums_may_be_merged():
    assert wholes_of(np.array([0.1, 0.2])) == Wholes([1, 2], 0)
    assert not wholes_of(np.array([2**0.5, 1.0])).exact


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (np.zeros((0, 2)), {}, "one row per unit"),
        ([1.0], {"alternative": "up"}, "alternative"),
        ([1.0, np.inf], {}, "1 differences are infinite"),
        ([1.0], {"n_resamples": 0}, "at least 1 flip"),
        ([1.0], {"denominators": [1.5]}, "whole numbers from 0"),
        ([1.0], {"denominators": [-1]}, "whole numbers from 0"),
        ([0.5], {"denominators": [2]}, "numerators must be whole"),
    ],
)
def test_bad_input_is_refused(arguments, options, says):
    with pytest.raises(InputError, match=says):
        sign_flip_test(arguments, **options)
