"""Monte-Carlo p are functions of the data and the seed: names, row order and which group is first change nothing."""

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis import agreement, reliability
from rapidvision.analysis.fits.threshold_difference import threshold_test
from rapidvision.analysis.fits.thresholds import fit_group
from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.models.consistency import error_consistency
from rapidvision.analysis.table.accuracy import Cells
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.analysis.table.trials import Trials
from rapidvision.numerics.resampling import row_order

OPPOSITE = {"two-sided": "two-sided", "greater": "less", "less": "greater"}


def sample(rng, n, *, levels=5, missing=0.1, trials=7):
    counts = rng.binomial(trials, 1 - missing, (n, levels))
    counts[rng.random(counts.shape) < missing] = 0
    return rng.binomial(counts, rng.uniform(0.6, 0.9, levels)), counts


def same(one, other, names):
    for name in names:
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


EVERY_P = ("p", "p_low", "p_high", "p_exact", "p_holm", "p_bh", "p_max_t", "p_step_down")


@pytest.mark.parametrize(("n_first", "n_second"), [(10, 10), (5, 19), (70, 70), (130, 170)])
@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("alternative", OPPOSITE)
def test_shuffled_rows_and_swapped_groups_have_the_same_p(seed, n_first, n_second, missing, strata, alternative):
    rng = np.random.default_rng([seed, n_first])
    n = n_first + n_second
    score, counts = sample(rng, n, missing=missing)
    if not missing:
        counts[:] = 7
    first = np.arange(n) < n_first
    slots = rng.integers(0, 3, n) if strata else None
    options = {"n_resamples": 700, "seed": 3}
    result = randomization_test(mean_columns(score, counts), first, strata=slots, alternative=alternative, **options)
    order = rng.permutation(n)
    renamed = None if slots is None else np.array([7, 3, 5])[slots][order]
    shuffled = randomization_test(
        mean_columns(score[order], counts[order]), first[order], strata=renamed, alternative=alternative, **options
    )
    same(result, shuffled, (*EVERY_P, "difference"))
    assert result.clusters == shuffled.clusters
    swapped = randomization_test(
        mean_columns(score, counts), ~first, strata=slots, alternative=OPPOSITE[alternative], **options
    )
    same(result, swapped, EVERY_P)
    assert np.array_equal(result.difference, -swapped.difference, equal_nan=True)
    turned = tuple(cluster._replace(sign=-cluster.sign) for cluster in swapped.clusters)
    assert result.clusters == turned


def test_relabelled_p_are_still_uniform(seed):
    rng = np.random.default_rng(seed)
    first = np.arange(24) < 12
    hits = 0
    for number in range(300):
        scores = rng.integers(0, 10_000, (24, 1))
        columns = mean_columns(scores, np.full_like(scores, 10_000))
        hits += randomization_test(columns, first, n_resamples=199, seed=number, exact=False, joint=False).p[0] <= 0.1
    assert abs(hits / 300 - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 300)


@pytest.mark.parametrize(
    "statistic", ["participant_mean", "pooled", "dprime", "criterion", "response_ms", "late_share"]
)
def test_renamed_participants_and_groups_have_the_same_p(trials, seed, statistic):
    rng = np.random.default_rng(seed)
    frame = trials.frame
    names = {name: f"q{number}" for name, number in zip(
        frame["participant_id"].unique(), rng.permutation(frame["participant_id"].nunique()), strict=True
    )}  # fmt: skip
    other = Trials(
        frame.assign(
            participant_id=frame["participant_id"].map(names),
            group=frame["group"].map({"clickme": "z", "salicon": "a"}),
        ).sample(frac=1, random_state=1)
    )
    result = analysis.level_tests(trials, statistic=statistic, n_resamples=300, seed=5)
    renamed = analysis.level_tests(other, statistic=statistic, groups=("z", "a"), n_resamples=300, seed=5)
    swapped = analysis.level_tests(other, statistic=statistic, n_resamples=300, seed=5)
    same(result.test, renamed.test, EVERY_P)
    same(result.test, swapped.test, EVERY_P)


def test_chance_curves_and_thresholds_do_not_know_names(design, seed):
    from rapidvision.analysis.sample_size.simulation import simulate

    table = simulate(design, seed=seed).cells()
    order = np.random.default_rng(seed).permutation(len(table.participants))
    other = Cells(
        tuple(f"q{at}" for at in range(len(order))),
        np.where(table.groups[order] == "clickme", "z", "a"),
        table.levels, table.halves[order], table.n_trials[order], table.n_untimely[order], table.n_shown[order], "exclude",
        guess=0.5,
    )  # fmt: skip
    one, two = (
        threshold_test(table, n_resamples=200, n_bootstrap=50, seed=1),
        threshold_test(other, n_resamples=200, n_bootstrap=50, seed=1),
    )
    assert one.groups == ("clickme", "salicon")
    assert two.groups == ("a", "z")  # the other way round
    assert one.p == two.p
    assert one.difference == -two.difference
    assert one.interval == pytest.approx((-two.interval[1], -two.interval[0]), abs=0)
    first, again = (fit_group(t, g, n_bootstrap=50, seed=1) for t, g in ((table, "clickme"), (other, "z")))
    assert first.threshold_interval == again.threshold_interval
    assert first.p_deviance == again.p_deviance
    from rapidvision.analysis.inference.above_chance import chance_test
    from rapidvision.analysis.inference.ceiling import ceiling

    assert np.array_equal(
        chance_test(table, "clickme", n_resamples=300, seed=1).p, chance_test(other, "z", n_resamples=300, seed=1).p
    )
    assert np.array_equal(
        ceiling(table, "clickme", n_resamples=300, seed=1).p_noninferior,
        ceiling(other, "z", n_resamples=300, seed=1).p_noninferior,
    )


def test_maps_may_be_renamed_and_their_sources_swapped(seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(9, 8, 8))
    maps = {f"i{n}": shared[n] + rng.normal(0, 2, (5, 8, 8)) for n in range(9)}
    renamed = {f"x{(7 * n) % 9}": maps[f"i{n}"][::-1] for n in range(9)}
    assert reliability(maps, n_resamples=400, seed=1).p == reliability(renamed, n_resamples=400, seed=1).p
    one = {f"i{n}": shared[n] for n in range(9)}
    two = {f"i{n}": shared[n] + rng.normal(0, 3, (8, 8)) for n in range(9)}
    names = {f"i{n}": f"x{(5 * n) % 9}" for n in range(9)}
    p = agreement(one, two, n_resamples=400, seed=1).p
    assert (
        agreement(
            {names[k]: v for k, v in one.items()}, {names[k]: v for k, v in two.items()}, n_resamples=400, seed=1
        ).p
        == p
    )
    assert agreement(two, one, n_resamples=400, seed=1).p == p


def test_kappa_does_not_know_who_is_first(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 80)) < 0.7
    assert error_consistency(a, b, seed=1) == error_consistency(b, a, seed=1)


def test_rows_are_ordered_by_content_alone(seed):
    rows = np.random.default_rng(seed).integers(0, 3, (200, 3))
    shuffled = np.random.default_rng(seed).permutation(rows)
    assert np.array_equal(rows[row_order(rows)], shuffled[row_order(shuffled)])
    assert np.array_equal(rows[row_order(rows)], rows[np.lexsort(rows.T[::-1])])


def test_ties_of_unlike_denominators_count(seed):
    # Seven of each group have scores 1/2 … 1/8 of some trials: swapping equal members of the groups leaves the mean.
    rng = np.random.default_rng(seed)
    below = np.array([53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103] * 2)
    above = np.tile(rng.integers(20, 50, 12), 2)[:, None]
    columns = mean_columns(above, below[:, None])
    assert not columns.exact.any()
    first = np.arange(24) < 12
    result = randomization_test(columns, first, n_resamples=2000, seed=1)
    assert result.difference[0] == pytest.approx(0, abs=1e-12)
    assert result.p[0] == 1  # as large in both directions
    assert "common denominator" in " ".join(result.notes)
    # the same with one pair that differs: 2 of C(4, 2) relabellings are as extreme, and only ties find both
    few = mean_columns(np.array([[31], [40], [31], [40]]), np.array([[53], [97], [53], [97]]) * 10**7 + 1)
    pair = np.array([True, False, False, True])
    assert randomization_test(few, pair, n_resamples=500, seed=1).p[0] == 1


def test_ties_of_times_count_at_any_size():
    # means of present participants, with a missing cell: the statistic is a ratio
    for unit in (1, 977, 12_345_677):
        times = np.array([[3], [5], [3], [5], [7], [0]]) * unit
        there = np.array([[1], [1], [1], [1], [1], [0]])
        columns = mean_columns(times, there)
        result = randomization_test(columns, np.array([1, 1, 0, 0, 0, 0], bool), n_resamples=20_000, seed=1)
        assert abs(result.p[0] - result.p_exact[0]) < 0.02


def test_levels_that_are_copies_have_the_same_adjusted_p(seed):
    rng = np.random.default_rng(seed)
    column = rng.integers(0, 8, (21, 1))
    scores = np.concatenate([column, 7 - column, 3 * column], axis=1)
    columns = mean_columns(scores, np.tile([7, 7, 21], (21, 1)))
    result = randomization_test(columns, np.arange(21) < 10, n_resamples=999, seed=1)
    assert result.p_max_t[0] == result.p_max_t[1] == result.p_max_t[2] == result.p_step_down[0]
    assert result.p[0] == result.p[1] == result.p[2]
    assert result.p_max_t[0] == pytest.approx(result.p[0], abs=0.05)


def test_sums_beyond_32_bits_are_counted_alike_by_both_engines(seed):
    pytest.importorskip("numba")
    rng = np.random.default_rng(seed)
    columns = mean_columns(rng.integers(0, 2**30, (40, 2)), np.full((40, 2), 2**31 - 1))
    first = np.arange(40) < 20
    one, other = (
        randomization_test(columns, first, n_resamples=500, seed=1, exact=False, engine=engine)
        for engine in ("numpy", "numba")
    )
    same(one, other, ("p", "p_max_t", "p_step_down"))
