"""Relabelling of the studentized difference: engines, exact small cases, the rule that chooses it, what is said."""

import itertools

import numpy as np
import pytest

from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.inference.pooled_spread import pooled_spread
from rapidvision.analysis.inference.spread_counts import count_spread, exact_spread
from rapidvision.analysis.inference.spread_rule import chosen_spread, one_level_warning
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.errors import InputError


def answers(rng, n, p, rho, trials=7, levels=6):
    """Right answers of n participants whose chances differ: a correlation of rho between answers of one."""
    return rng.binomial(trials, rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), (n, levels)))


def two_groups(rng, sizes=(12, 48), rhos=(0.4, 0.02), p=0.8, trials=7, missing=0.0):
    right = np.concatenate([answers(rng, n, p, rho, trials) for n, rho in zip(sizes, rhos, strict=True)])
    shown = np.where(rng.random(right.shape) < missing, 0, trials)
    return mean_columns(np.minimum(right, shown), shown), np.arange(sum(sizes)) < sizes[0]


@pytest.mark.parametrize(("n", "n_first", "levels"), [(120, 60, 12), (60, 12, 6), (130, 30, 18), (300, 100, 3)])
@pytest.mark.parametrize("sided", [0, 1, -1])
def test_compiled_counts_are_numpys(n, n_first, levels, sided, seed):
    pytest.importorskip("numba")
    right = np.random.default_rng(seed).binomial(7, 0.8, (n, levels))
    right[:, 1] = 7  # at one level all are right
    columns, first = mean_columns(right, np.full_like(right, 7)), np.arange(n) < n_first
    (one, one_joint), (other, other_joint) = (
        count_spread(columns, first, n_resamples=7000, seed=seed, sided=sided, engine=engine)
        for engine in ("numpy", "numba")
    )
    assert np.array_equal(one, other)
    assert np.array_equal(one_joint.p_step_down(), other_joint.p_step_down(), equal_nan=True)
    assert np.array_equal(one_joint.p_single_step(), other_joint.p_single_step(), equal_nan=True)
    assert one_joint.clusters() == other_joint.clusters()


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_exact_p_counts_every_relabelling(missing, seed):
    columns, first = two_groups(np.random.default_rng(seed), (3, 6), missing=missing)
    x = columns.sums / columns.scale
    x = np.where(columns.present, x, np.nan)
    observed = pooled_spread(x, first, binomial=True).g
    at_least = at_most = total = 0
    for chosen in itertools.combinations(range(9), 3):
        g = pooled_spread(x, np.isin(np.arange(9), chosen), binomial=True).g
        at_least = at_least + ~(g < observed - 1e-6)
        at_most = at_most + ~(g > observed + 1e-6)
        total += 1
    greater, less = exact_spread(columns, first)
    tested = np.isfinite(observed)
    assert greater[tested] == pytest.approx((at_least / total)[tested])
    assert less[tested] == pytest.approx((at_most / total)[tested])


def test_monte_carlo_converges_to_the_exact_p(seed):
    columns, first = two_groups(np.random.default_rng(seed), (5, 9), missing=0.1)
    found = randomization_test(columns, first, n_resamples=20_000, seed=1, spread="pooled", alternative="greater")
    z = (found.p - found.p_exact) / np.sqrt(np.maximum(found.p_exact * (1 - found.p_exact), 1e-4) / 20_000)
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_neither_names_nor_which_group_is_first_change_p(missing, seed):
    rng = np.random.default_rng(seed)
    columns, first = two_groups(rng, (12, 20), missing=missing)
    one = randomization_test(columns, first, n_resamples=999, seed=3, spread="pooled")
    order = rng.permutation(32)
    same = randomization_test(columns.rows(order), first[order], n_resamples=999, seed=3, spread="pooled")
    turned = randomization_test(columns, ~first, n_resamples=999, seed=3, spread="pooled")
    for other in (same, turned):
        for name in ("p", "p_holm", "p_max_t", "p_step_down"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    assert np.allclose(one.g, -turned.g)


def test_a_level_at_which_all_are_right_has_p_one(seed):
    columns, first = two_groups(np.random.default_rng(seed))
    right = columns.sums.copy()
    right[:, 2] = right.max()
    level = mean_columns(right, np.full_like(right, int(right.max())))
    found = randomization_test(level, first, n_resamples=200, seed=1, spread="pooled")
    assert found.p[2] == found.p_step_down[2] == found.p_max_t[2] == 1
    assert np.isnan(found.g[2])


def test_the_rule_looks_at_spreads_and_sizes(seed):
    rng = np.random.default_rng(seed)
    assert chosen_spread(*two_groups(rng, (12, 48), (0.4, 0.02)))[0] == "pooled"
    assert chosen_spread(*two_groups(rng, (30, 30), (0.4, 0.02)))[0] == "pooled"
    assert chosen_spread(*two_groups(rng, (12, 48), (0.1, 0.1))) == ("pooled", "the groups' sizes differ")
    assert chosen_spread(*two_groups(rng, (2, 48), (0.1, 0.1)))[0] == "raw"
    alike = [chosen_spread(*two_groups(rng, (20, 22), (0.1, 0.1)))[0] for _ in range(60)]
    assert alike.count("raw") >= 50  # the F test errs in about one of twenty
    times = rng.normal(500, 80, (60, 4))
    assert randomization_test(times, np.arange(60) < 12, n_resamples=99, seed=1).spread == "raw"
    times[:12] *= 3
    wide = randomization_test(times - times[:12].mean(), np.arange(60) < 12, n_resamples=99, seed=1)
    assert wide.spread == "pooled"
    assert "everybody's variance" in wide.notes[0]


def test_the_table_and_the_notes_say_what_was_relabelled(seed):
    columns, first = two_groups(np.random.default_rng(seed))
    pooled = randomization_test(columns, first, n_resamples=500, seed=1)
    raw = randomization_test(columns, first, n_resamples=500, seed=1, spread="raw")
    assert set(pooled.to_frame()["spread"]) == {"pooled"}
    assert set(raw.to_frame()["spread"]) == {"raw"}
    assert pooled.notes[0].startswith("spread pooled (the groups' spreads differ")
    assert raw.notes[0].startswith("warning: the first group (12 participants) varies")
    assert np.isnan(raw.g).all()
    assert np.isfinite(pooled.g).all()
    assert any("no exact p" in note for note in pooled.notes)


def test_spread_at_one_level_only_is_told(seed):
    rng = np.random.default_rng(seed)
    right = np.concatenate([answers(rng, 12, 0.8, 0.02, 20), answers(rng, 48, 0.8, 0.02, 20)])
    right[:12, 3] = answers(rng, 12, 0.8, 0.5, 20)[:, 0]
    columns, first = mean_columns(right, np.full_like(right, 20)), np.arange(60) < 12
    assert "at level 3 only" in one_level_warning(columns, first)[0]
    # at no level, and equal sizes: nothing; unequal sizes: what the F test may not see
    alike = np.concatenate([answers(rng, 30, 0.8, 0.02, 20), answers(rng, 30, 0.8, 0.02, 20)])
    assert one_level_warning(mean_columns(alike, np.full_like(alike, 20)), np.arange(60) < 30) == ()
    (told,) = one_level_warning(*two_groups(rng, (12, 48), (0.4, 0.02), trials=20))
    assert told.startswith("warning: sizes differ, and no test sees every spread")


def test_words_and_statistics_that_do_not_fit_are_refused(seed):
    columns, first = two_groups(np.random.default_rng(seed))
    with pytest.raises(InputError, match='Did you mean "pooled"'):
        randomization_test(columns, first, seed=1, spread="poled")


def test_unequal_spread_keeps_its_level_where_the_plain_difference_does_not(seed):
    rng = np.random.default_rng(seed)
    wrong = {"pooled": 0, "raw": 0}
    for _ in range(60):
        columns, first = two_groups(rng)
        for spread in wrong:
            found = randomization_test(columns, first, n_resamples=199, seed=1, spread=spread, exact=False)
            wrong[spread] += bool((found.p_step_down <= 0.05).any())
    assert wrong["pooled"] <= 8  # 3 of 60 expected; 9 or more in 1 of 300 runs
    assert wrong["raw"] >= 9  # 18 of 60 expected
