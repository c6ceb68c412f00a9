"""The randomization test: exact small cases, invariances, other programs' answers."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.analysis.inference.exact_p import exact_p_values
from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.resampling.counting import count_extreme
from rapidvision.analysis.resampling.exact import exact_p
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.analysis.table.statistics import columns_of
from rapidvision.errors import InputError
from rapidvision.numerics.resampling import Counts, p_values

FIXTURES = Path(__file__).parent / "fixtures"
COIN = json.loads((FIXTURES / "bins12_coin.json").read_text())


@pytest.fixture(scope="module")
def coin_case():
    table = np.loadtxt(FIXTURES / "bins12.csv", delimiter=",", dtype=np.int64)
    scores = table[:, 1:]
    return mean_columns(scores, np.full_like(scores, 420)), table[:, 0] == 1


@pytest.fixture(scope="module")
def gappy(seed):
    """Twenty participants, six levels, some cells empty."""
    rng = np.random.default_rng(seed)
    n = rng.integers(0, 4, (20, 6))
    n[:, 0] = 3
    return mean_columns(rng.binomial(n, 0.7), n), np.arange(20) < 9


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("alternative", "key"), [("greater", "exact_greater"), ("two-sided", "exact_two_sided")])
def test_exact_p_equals_coin_down_to_the_smallest_tail(coin_case, alternative, key, fast):
    p = exact_p_values(*coin_case, alternative, fast=fast)
    assert np.abs(p / np.array(COIN[key]) - 1).max() < 1e-9


def test_max_t_agrees_with_coin(coin_case, seed):
    result = randomization_test(*coin_case, n_resamples=40_000, seed=seed, alternative="greater", exact=False)
    for ours, theirs in ((result.p_max_t, "maxT_single_step_1e6"), (result.p_step_down, "maxT_step_down_1e6")):
        truth = np.array(COIN[theirs])
        error = np.sqrt(np.maximum(truth * (1 - truth), 1e-4) * (1 / 40_000 + 1e-6))
        assert (np.abs(ours - truth) < 4.5 * error + 5e-5).all()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_exact_p_counts_every_relabelling_missing_cells_included(data):
    n = data.draw(st.integers(2, 9))
    n_first = data.draw(st.integers(1, n - 1))
    trials = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    correct = np.array([data.draw(st.integers(0, int(k))) for k in trials])
    columns = mean_columns(correct[:, None], trials[:, None])
    first = np.arange(n) < n_first
    observed = columns.difference(first)[0]
    greater, less = exact_p(columns.sums[:, 0], columns.present[:, 0], first)
    if not np.isfinite(observed):
        assert np.isnan(greater)
        return
    up, down, total = 0, 0, 0
    for chosen in itertools.combinations(range(n), n_first):
        members = np.isin(np.arange(n), chosen)
        value = columns.difference(members)[0]
        up += not value < observed - 1e-12
        down += not value > observed + 1e-12
        total += 1
    assert greater == pytest.approx(up / total, rel=1e-12)
    assert less == pytest.approx(down / total, rel=1e-12)


def test_monte_carlo_converges_to_the_exact_p(coin_case, gappy, seed):
    for columns, first in (coin_case, gappy):
        exact = exact_p_values(columns, first, "greater")
        counts, _ = count_extreme(columns, first, n_resamples=50_000, seed=seed)
        z = (counts.at_least / 50_000 - exact) / np.sqrt(np.maximum(exact * (1 - exact), 1e-9) / 50_000)
        assert np.abs(z[exact > 1e-3]).max() < 4.5


@pytest.mark.parametrize(
    ("n", "n_first", "levels"), [(120, 60, 5), (100, 30, 18), (130, 65, 2), (40, 13, 16), (700, 300, 3)]
)
def test_numba_counts_exactly_what_numpy_counts(n, n_first, levels, seed):
    pytest.importorskip("numba")
    scores = np.random.default_rng(seed).integers(0, 43, (n, levels))
    columns, first = mean_columns(scores, np.full_like(scores, 43)), np.arange(n) < n_first
    numpy_counts, _ = count_extreme(columns, first, n_resamples=9000, seed=seed, engine="numpy")
    numba_counts, _ = count_extreme(columns, first, n_resamples=9000, seed=seed, engine="numba")
    assert np.array_equal(numpy_counts.at_least, numba_counts.at_least)
    assert np.array_equal(numpy_counts.at_most, numba_counts.at_most)


def test_counts_do_not_depend_on_how_many_threads_count(coin_case, seed):
    numba = pytest.importorskip("numba")
    results = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        results.append(count_extreme(*coin_case, n_resamples=20_000, seed=seed, engine="numba")[0].at_least)
    assert np.array_equal(*results)


def test_the_first_relabellings_are_the_same_whatever_comes_after(coin_case, seed):
    few = count_extreme(*coin_case, n_resamples=4096, seed=seed)[0].at_least
    many = count_extreme(*coin_case, n_resamples=4096 + 1, seed=seed)[0].at_least
    assert ((many - few == 0) | (many - few == 1)).all()


def test_row_order_changes_nothing(trials, seed):
    from rapidvision.analysis.level_comparison import level_tests
    from rapidvision.analysis.table.trials import Trials

    shuffled = Trials(trials.frame.sample(frac=1, random_state=seed), name="shuffled")
    one, two = (level_tests(table, n_resamples=500, seed=seed).test for table in (trials, shuffled))
    assert np.array_equal(one.p, two.p)
    assert np.array_equal(one.p_step_down, two.p_step_down)


def test_swapping_the_groups_swaps_the_direction(coin_case):
    columns, first = coin_case
    assert exact_p_values(columns, ~first, "less") == pytest.approx(exact_p_values(columns, first, "greater"))


def test_ties_count_as_extreme():
    columns = mean_columns(np.ones((8, 1), dtype=int), np.full((8, 1), 2))
    result = randomization_test(columns, np.arange(8) < 4, n_resamples=99, seed=1)
    assert result.p[0] == result.p_exact[0] == 1


def test_p_is_never_zero(seed):
    scores = np.where(np.arange(80) < 40, 1, 0)[:, None]
    result = randomization_test(
        mean_columns(scores, np.ones_like(scores)), np.arange(80) < 40, n_resamples=999, seed=seed
    )
    assert result.p[0] == pytest.approx(2 / 1000)
    assert 0 < result.p_exact[0] < 1e-20


def test_intervals_of_p_cover_the_exact_p(coin_case):
    exact = exact_p_values(*coin_case, "greater")
    covered = []
    for seed in range(60):
        counts, _ = count_extreme(*coin_case, n_resamples=1000, seed=seed)
        _, low, high = p_values(counts, 1000, "greater")
        covered.append((low <= exact) & (exact <= high))
    assert np.mean(covered) > 0.93


def test_strata_keep_their_own_sizes(seed):
    """With every stratum of one group only, nothing can be relabelled."""
    scores = np.arange(12)[:, None]
    first = np.repeat([True, False], 6)
    columns = mean_columns(scores, np.full_like(scores, 12))
    fixed = randomization_test(columns, first, n_resamples=200, seed=seed, strata=first.astype(int))
    assert fixed.p[0] == 1
    pairs = randomization_test(
        columns, first, n_resamples=4000, seed=seed, strata=np.tile(np.arange(6), 2), alternative="less"
    )
    assert pairs.p[0] == pytest.approx(1 / 2**6, abs=0.01)


def test_an_empty_level_is_named_and_not_tested(seed):
    n = np.full((10, 2), 3)
    n[:5, 1] = 0
    result = randomization_test(
        mean_columns(np.ones_like(n) * (n > 0), n), np.arange(10) < 5, n_resamples=99, seed=seed
    )
    assert np.isnan(result.p[1])
    for corrected in (result.p_exact, result.p_holm, result.p_bh, result.p_max_t, result.p_step_down):
        assert np.isnan(corrected[1])
        assert np.isfinite(corrected[0])
    assert np.isfinite(result.p[0])
    assert any("level 1" in note for note in result.notes)


def test_hopeless_samples_and_few_relabellings_are_told(seed):
    columns = mean_columns(np.arange(4)[:, None], np.full((4, 1), 4))
    result = randomization_test(columns, np.array([True, False, False, False]), n_resamples=50, seed=seed)
    text = " ".join(result.notes)
    assert "can never reach" in text
    assert "relabellings are few" in text
    assert "no standard error" in text
    assert result.smallest_p == 0.25


def test_a_seed_that_is_not_given_is_drawn_and_kept(coin_case):
    result = randomization_test(*coin_case, n_resamples=10, exact=False)
    again = randomization_test(*coin_case, n_resamples=10, seed=result.seed, exact=False)
    assert np.array_equal(result.p, again.p)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alternative": "bigger"}, "alternative"),
        ({"n_resamples": 0}, "at least 1"),
    ],
)
def test_arguments_are_checked(coin_case, change, says):
    with pytest.raises(InputError, match=says):
        randomization_test(*coin_case, **change)


def test_empty_groups_are_refused(coin_case):
    with pytest.raises(InputError, match="at least one participant"):
        randomization_test(coin_case[0], np.zeros(120, dtype=bool))


@pytest.mark.parametrize("statistic", ["pooled", "dprime", "criterion", "response_ms", "late_share"])
def test_every_statistic_runs_and_finds_no_effect_between_copies(trials, statistic, seed):
    columns, table = columns_of(trials, statistic)
    twins = columns.rows(np.repeat(np.flatnonzero(table.of("clickme")), 2))
    result = randomization_test(twins, np.tile([True, False], len(twins.parts) // 2), n_resamples=200, seed=seed)
    assert np.nanmax(np.abs(result.difference)) == pytest.approx(0, abs=1e-12)
    assert np.nanmin(result.p) > 0.5


def test_dprime_sees_what_accuracy_sees(seed):
    trials = simulate(Design(n_per_group=30, thresholds=(1.2, 1.8)), seed=seed).trials(seed=seed)
    columns, table = columns_of(trials, "dprime")
    result = randomization_test(columns, table.of("clickme"), n_resamples=400, seed=seed, alternative="greater")
    assert result.difference[6] > 0.3
    assert result.p[6] < 0.05


def test_p_values_are_capped_at_one():
    p, low, high = p_values(Counts(np.array([80]), np.array([80])), 99, "two-sided")
    assert p[0] == high[0] == 1
    assert low[0] <= 1


def test_a_constant_outcome_has_p_one(seed):
    n = np.full((12, 2), 5)
    for alternative in ("two-sided", "greater", "less"):
        result = randomization_test(
            mean_columns(n, n), np.arange(12) < 6, n_resamples=300, seed=seed, alternative=alternative
        )
        assert result.p.tolist() == result.p_exact.tolist() == result.p_step_down.tolist() == [1, 1]
        assert result.clusters == ()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_exact_p_within_strata_counts_every_relabelling(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    strata = np.repeat(np.arange(len(sizes)), sizes)
    n = len(strata)
    first = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    trials = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    if first.all() or not first.any():
        return
    correct = np.array([data.draw(st.integers(0, int(k))) for k in trials])
    columns = mean_columns(correct[:, None], trials[:, None])
    p = exact_p_values(columns, first, "greater", strata=strata)[0]
    if np.isnan(p):  # a relabelling can empty a group
        assert (trials == 0).sum() >= min(first.sum(), (~first).sum())
        return
    observed = columns.difference(first)[0]
    extreme, total = 0, 0
    for word in range(2**n):
        members = (word >> np.arange(n) & 1).astype(bool)
        if (np.bincount(strata, members) == np.bincount(strata, first)).all():
            extreme += columns.difference(members)[0] >= observed - 1e-12
            total += 1
    assert p == pytest.approx(extreme / total, rel=1e-12)


def test_monte_carlo_within_strata_agrees_with_the_exact_p(coin_case, gappy, seed):
    for columns, first in (coin_case, gappy):
        strata = np.arange(len(first)) % 5
        result = randomization_test(
            columns, first, n_resamples=20_000, seed=seed, strata=strata, alternative="greater", spread="raw"
        )
        exact = result.p_exact
        usable = np.isfinite(exact)
        assert usable.any()
        z = (result.p - exact)[usable] / np.sqrt(np.maximum(exact * (1 - exact), 1e-4)[usable] / 20_000)
        assert np.abs(z).max() < 4.5


def test_response_times_in_whole_milliseconds_have_an_exact_p(trials, seed):
    from rapidvision.analysis.table.trials import Trials

    whole = Trials(trials.frame.assign(response_ms=trials.frame["response_ms"].round()))
    columns, table = columns_of(whole, "response_ms")
    result = randomization_test(columns, table.of("clickme"), n_resamples=3000, seed=seed)
    assert np.isfinite(result.p_exact).all()
    error = np.sqrt(np.maximum(result.p_exact, 0.02) / 3000 * 2)
    assert (np.abs(result.p - result.p_exact) < 5 * error).all()
    fine, _ = columns_of(trials, "response_ms")
    notes = randomization_test(fine, table.of("clickme"), n_resamples=300, seed=seed).notes
    assert any("finer than half a millisecond" in note for note in notes)
    pooled, _ = columns_of(trials, "pooled")
    notes = randomization_test(pooled, table.of("clickme"), n_resamples=300, seed=seed).notes
    assert any("no mean over participants" in note for note in notes)
