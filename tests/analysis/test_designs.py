"""Designs: what a table compares, the tests of each design against enumeration, and what must not change p."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis.designs.conditions import as_words
from rapidvision.analysis.designs.contrast import find_contrast, grouped_by
from rapidvision.analysis.table.trials import Trials
from rapidvision.cli import main
from rapidvision.errors import InputError

from .conftest import as_csv

ALL_P = ("p", "p_exact", "p_holm", "p_bh", "p_max_t", "p_step_down")


@pytest.fixture(scope="module")
def crossed(trials):
    """The trials with a factor of two and one of three values within participants, and traits of the participants."""
    frame = trials.frame.copy()
    people = sorted(set(frame["participant_id"]))
    rng = np.random.default_rng(5)
    frame["factor_cue"] = np.where(rng.random(len(frame)) < 0.5, "valid", "none")
    frame["factor_pace"] = rng.choice(["fast", "middle", "slow"], len(frame))
    frame["age"] = frame["participant_id"].map({who: 20 + number % 9 for number, who in enumerate(people)})
    frame["hand"] = frame["participant_id"].map({who: "lr"[number % 5 == 0] for number, who in enumerate(people)})
    frame["school"] = frame["participant_id"].map({who: "abc"[number % 3] for number, who in enumerate(people)})
    return Trials(frame, name="crossed")


def renamed(trials, column, names, seed):
    """The same data with other names of participants and conditions, and rows in another order."""
    frame = trials.frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    people = sorted(set(frame["participant_id"]))
    order = np.random.default_rng(seed).permutation(len(people))
    who = {one: f"q{place:03}" for one, place in zip(people, order, strict=True)}
    return Trials(
        frame.assign(**{"participant_id": frame["participant_id"].map(who), column: frame[column].map(names)})
    )


def test_a_design_is_found_in_the_table(trials, crossed):
    assert find_contrast(trials).design == "between"
    assert find_contrast(trials).conditions == ("clickme", "salicon")
    cue = find_contrast(crossed, by="factor_cue")
    assert (cue.design, cue.within, cue.conditions) == ("within", "factor_cue", ("none", "valid"))
    assert find_contrast(crossed, by="school").conditions == ("a", "b", "c")
    both = find_contrast(crossed, by="factor_cue*group")
    assert (both.design, both.between, both.within) == ("mixed", "group", "factor_cue")
    assert find_contrast(crossed, by="factor_cue", design="mixed") == both
    one = Trials(crossed.frame.assign(group="all", map_source="all"))
    assert find_contrast(one).column == "factor_cue"
    alone = Trials(trials.frame.assign(group="all", map_source="all"))
    assert find_contrast(alone).design == "one-sample"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "colour"}, 'no column "colour"'),
        ({"design": "betwen"}, 'Did you mean "between"'),
        ({"groups": ("clickme", "salicom")}, 'Did you mean "salicon"'),
        ({"groups": ("clickme", "clickme")}, "named twice"),
        ({"by": "factor_cue", "design": "between"}, "have several values of factor_cue"),
        ({"design": "within"}, "no participant has all"),
        ({"by": "factor_pace*group"}, "name two"),
        ({"by": "age*group"}, "neither varies within"),
        ({"by": "a*b*c"}, "two columns"),
        ({"unit": "picture"}, "unit: got"),
        ({"pairing": "images"}, "the design is between"),
        ({"covariates": ("age",), "strata": "hand"}, "cannot be joined"),
        ({"covariates": ("group",)}, "determine the group"),
        ({"covariates": ("factor_cue",)}, "differs within"),
        ({"by": "factor_cue", "covariates": ("age",)}, "compared with themselves"),
        ({"strata": "factor_cue"}, "differs within participants"),
        ({"by": "school", "statistic": "dprime"}, "no mean over participants"),
        ({"by": "school", "strata": "hand"}, "name two groups"),
        ({"unit": "both", "by": "school"}, "two conditions"),
        ({"spread": "pooled", "statistic": "dprime"}, "no spread of participants"),
    ],
)
def test_what_does_not_fit_is_refused(crossed, options, words):
    with pytest.raises(InputError, match=words):
        analysis.level_tests(crossed, n_resamples=9, seed=1, **options)


@pytest.mark.parametrize(
    ("column", "names", "options"),
    [
        ("group", {"clickme": "z", "salicon": "a"}, {"spread": "pooled"}),
        ("group", {"clickme": "z", "salicon": "a"}, {"spread": "raw"}),
        ("group", {"clickme": "z", "salicon": "a"}, {"covariates": ("age", "hand")}),
        ("group", {"clickme": "z", "salicon": "a"}, {"strata": "hand"}),
        ("group", {"clickme": "z", "salicon": "a"}, {"unit": "image"}),
        ("factor_cue", {"valid": "a", "none": "z"}, {"by": "factor_cue"}),
        ("factor_cue", {"valid": "a", "none": "z"}, {"by": "factor_cue", "unit": "image"}),
        ("factor_cue", {"valid": "a", "none": "z"}, {"by": "group*factor_cue"}),
        ("factor_cue", {"valid": "a", "none": "z"}, {"by": "factor_cue", "statistic": "dprime"}),
    ],
)
def test_neither_names_nor_order_nor_which_is_first_change_p(crossed, column, names, options, seed):
    one = analysis.level_tests(crossed, n_resamples=200, seed=2, **options)
    other = analysis.level_tests(renamed(crossed, column, names, seed), n_resamples=200, seed=2, **options)
    for name in ALL_P:
        assert np.allclose(getattr(one.test, name), getattr(other.test, name), rtol=1e-9, atol=0, equal_nan=True), name
    assert np.allclose(np.abs(one.test.difference), np.abs(other.test.difference), equal_nan=True)


@pytest.mark.parametrize(
    ("column", "options"),
    [("school", {"spread": "pooled"}), ("school", {"spread": "raw"}), ("factor_pace", {})],
)
def test_three_conditions_do_not_know_their_names(crossed, column, options, seed):
    old = sorted(set(crossed.frame[column]))
    names = dict(zip(old, ("z", "m", "a"), strict=True))
    one = analysis.level_tests(crossed, by=column, n_resamples=200, seed=2, **options)
    other = analysis.level_tests(renamed(crossed, column, names, seed), by=column, n_resamples=200, seed=2, **options)
    assert np.array_equal(one.omnibus.p, other.omnibus.p)
    assert np.allclose(one.omnibus.f, other.omnibus.f)
    assert one.omnibus.p_overall == other.omnibus.p_overall
    found = {frozenset(names[name] for name in pair.conditions): pair.test for pair in one.pairs}
    for pair in other.pairs:
        for name in ALL_P:
            mine, theirs = getattr(found[frozenset(pair.conditions)], name), getattr(pair.test, name)
            assert np.allclose(mine, theirs, rtol=1e-9, atol=0, equal_nan=True), name


def within_people(crossed, column, pair):
    """Every participant's shares right, shape (n, 2, levels) as fractions; None where there is no trial."""
    frame = crossed.main()
    frame = frame[frame["status"] == "ok"]
    counted = frame.assign(right=frame["correct"].astype(bool)).groupby(["participant_id", column, "level_index"])[
        "right"
    ]
    right, shown = counted.sum().to_dict(), counted.size().to_dict()
    people, levels = sorted(set(frame["participant_id"])), sorted(set(frame["level_index"]))
    return [
        [
            [
                Fraction(int(right[who, one, at]), int(shown[who, one, at])) if (who, one, at) in shown else None
                for at in levels
            ]
            for one in pair
        ]
        for who in people
    ]


def test_two_within_are_compared_by_flips_of_each_ones_difference(crossed):
    few = sorted(set(crossed.frame["participant_id"]))[20:29]
    table = Trials(crossed.frame[crossed.frame["participant_id"].isin(few)])
    found = analysis.level_tests(table, by="factor_cue", alternative="greater", n_resamples=99, seed=1)
    cells = within_people(table, "factor_cue", found.groups)
    for level in range(len(found.levels)):
        gaps = [
            one[level] - other[level] for one, other in cells if one[level] is not None and other[level] is not None
        ]
        sums = [
            sum(s * g for s, g in zip(signs, gaps, strict=True))
            for signs in itertools.product((1, -1), repeat=len(gaps))
        ]
        expected = sum(one >= sum(gaps) for one in sums) / len(sums)
        assert found.test.p_exact[level] == pytest.approx(expected, abs=1e-12)
        assert found.test.difference[level] == pytest.approx(float(sum(gaps) / len(gaps)))


def test_step_down_within_is_that_of_the_flips_themselves(seed):
    from rapidvision.analysis.designs.resampling_tests.paired import paired_test, share_differences

    rng = np.random.default_rng(seed)
    right, shown = rng.binomial(6, 0.7, (2, 8, 3)), np.full((8, 3), 6)
    right[0, :, 1] += 6 - right[0].max(axis=0)[1]
    differences = share_differences([2 * right[0], 2 * right[1]], [shown, shown], labels=())
    found = paired_test(differences, n_resamples=40_000, seed=1)
    gaps = (right[0] - right[1]) / 6
    p = (right[0] + right[1]).mean(axis=0) / 12
    z = np.array([np.array(signs) @ gaps for signs in itertools.product((1, -1), repeat=8)]) / np.sqrt(p * (1 - p))
    own = np.abs(gaps.sum(axis=0) / np.sqrt(p * (1 - p)))
    expected, order = np.zeros(3), np.argsort(own)
    running = np.maximum.accumulate(np.abs(z)[:, order], axis=1)
    down = (running >= own[order] - 1e-9).mean(axis=0)
    expected[order] = np.maximum.accumulate(down[::-1])[::-1]
    assert np.abs(found.p_step_down - expected).max() < 4.5 * np.sqrt(0.25 / 40_000)


def test_three_groups_find_the_one_that_differs(seed):
    rng = np.random.default_rng(seed)
    scores = rng.binomial(20, 0.6, (45, 4)) / 20
    scores[30:] = rng.binomial(20, 0.9, (15, 4)) / 20
    found = analysis.omnibus_test(scores, np.repeat(["a", "b", "c"], 15), n_resamples=999, seed=1)
    assert found.p_overall == 0.001
    assert found.p_step_down.max() < 0.01
    none = analysis.omnibus_test(scores[:30], np.repeat(["a", "b", "c"], 10), n_resamples=999, seed=1)
    assert none.p_overall > 0.01


def test_f_of_plain_spread_is_the_usual_one(seed):
    from scipy.stats import f_oneway

    rng = np.random.default_rng(seed)
    scores, groups = rng.normal(size=(30, 1)), np.repeat(["a", "b", "c"], (8, 10, 12))
    found = analysis.omnibus_test(scores, groups, n_resamples=4000, seed=1, spread="raw")
    usual = f_oneway(*(scores[groups == one] for one in "abc"))
    assert found.p[0] == pytest.approx(usual.pvalue[0], abs=0.05)
    # a monotone function of F: the variance between groups over everybody's
    between = sum(len(x) * (x.mean() - scores.mean()) ** 2 for x in (scores[groups == one] for one in "abc")) / 2
    assert found.f[0] == pytest.approx(between / scores.var(ddof=1))


@pytest.mark.parametrize("sizes", [(40, 40, 40), (12, 20, 48), (70, 80, 60)])
@pytest.mark.parametrize("spread", ["pooled", "raw"])
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_compiled_counts_of_three_groups_are_numpys(sizes, spread, alternative, seed):
    pytest.importorskip("numba")
    from rapidvision.analysis.designs.resampling_tests.several_groups import several_groups
    from rapidvision.analysis.table.columns import mean_columns

    rng = np.random.default_rng(seed)
    right = rng.binomial(7, 0.8, (sum(sizes), 5))
    right[:, 2] = 7
    columns = mean_columns(right, np.full_like(right, 7))
    group = rng.permutation(np.repeat(np.arange(3), sizes))
    one, other = (
        several_groups(
            columns,
            group,
            ("a", "b", "c"),
            n_resamples=6000,
            seed=1,
            alternative=alternative,
            spread=spread,
            engine=engine,
        )
        for engine in ("numpy", "numba")
    )
    assert np.array_equal(one.omnibus.p, other.omnibus.p)
    assert np.array_equal(one.omnibus.p_step_down, other.omnibus.p_step_down)
    assert one.omnibus.p_overall == other.omnibus.p_overall
    assert np.array_equal(one.p_max_t, other.p_max_t)
    assert np.array_equal(one.p_step_down, other.p_step_down)


def test_relabelled_groups_keep_their_sizes_and_are_uniform():
    from rapidvision.analysis.designs.resampling_tests.group_labels import group_labels

    labels = np.concatenate(list(group_labels(3, (1, 2, 2), 12_000)))
    assert [set((labels == g).sum(axis=1).tolist()) for g in range(3)] == [{1}, {2}, {2}]
    _, counts = np.unique(labels, axis=0, return_counts=True)
    assert len(counts) == 30  # 5! / (1! 2! 2!)
    assert np.abs(counts - 400).max() < 5 * 20


def test_a_mixed_design_separates_interaction_and_main_effects(seed):
    design = analysis.Design(n_per_group=20, thresholds=(1.2, 1.2), n_images=160, late_share=0.0)
    frame = design.simulate(seed=seed).frame
    rng = np.random.default_rng(seed)
    frame["factor_cue"] = np.where(rng.random(len(frame)) < 0.5, "hard", "easy")
    wrong = (frame["group"] == "clickme") & (frame["factor_cue"] == "hard") & (rng.random(len(frame)) < 0.5)
    frame.loc[wrong, "correct"] = False
    frame.loc[wrong, "response"] = np.where(frame.loc[wrong, "target"], "distractor", "target")
    found = analysis.level_tests(Trials(frame), by="group*factor_cue", n_resamples=500, seed=1)
    assert found.pairs[0].effect == "interaction"
    assert [one.effect for one in found.others] == ["main effect of group", "main effect of factor_cue"]
    assert np.nanmin(found.test.p_step_down) < 0.01
    table = found.to_frame()
    assert set(table["effect"]) == {"interaction", "main effect of group", "main effect of factor_cue"}
    assert len(table) == 3 * len(found.levels)
    # easy minus hard is larger in clickme
    assert np.nanmean(found.test.difference) > 0.1


def test_a_covariate_that_explains_the_difference_takes_it_away(seed):
    from rapidvision.analysis.designs.resampling_tests.covariates import covariate_test
    from rapidvision.analysis.table.columns import mean_columns

    rng = np.random.default_rng(seed)
    first = np.arange(60) < 30
    age = rng.normal(size=60) + 2 * first
    right = rng.binomial(40, np.clip(0.6 + 0.08 * age[:, None], 0, 1), (60, 3))
    columns = mean_columns(right, np.full_like(right, 40))
    plain = analysis.randomization_test(columns, first, n_resamples=500, seed=1)
    adjusted = covariate_test(columns, first, age[:, None], n_resamples=500, seed=1)
    assert plain.p.max() < 0.01
    assert adjusted.p.min() > 0.01
    # the adjusted difference and t are those of the regression
    design = np.column_stack([np.ones(60), first, age])
    for level in range(3):
        y = right[:, level] / 40
        beta, left, *_ = np.linalg.lstsq(design, y, rcond=None)
        error = np.sqrt(left[0] / 57 * np.linalg.inv(design.T @ design)[1, 1])
        assert adjusted.difference[level] == pytest.approx(beta[1])
        assert adjusted.g[level] == pytest.approx(beta[1] / error)


def test_without_covariates_that_matter_freedman_lane_is_the_plain_permutation(seed):
    from rapidvision.analysis.designs.resampling_tests.covariates import covariate_test
    from rapidvision.analysis.table.columns import mean_columns

    rng = np.random.default_rng(seed)
    right = rng.binomial(9, 0.7, (20, 2))
    columns, first = mean_columns(right, np.full_like(right, 9)), np.arange(20) < 10
    one = covariate_test(columns, first, np.zeros((20, 1)), n_resamples=8000, seed=1)
    plain = analysis.randomization_test(columns, first, n_resamples=8000, seed=1, spread="raw")
    assert np.abs(one.p - plain.p_exact).max() < 0.03


def test_strata_named_by_a_column_are_those_of_slots(trials):
    one = analysis.level_tests(trials, by_slot=True, n_resamples=99, seed=1)
    other = analysis.level_tests(trials, strata="slot", n_resamples=99, seed=1)
    assert np.array_equal(one.p, other.p)


def test_images_are_the_unit_and_both_at_once(crossed):
    images = analysis.level_tests(crossed, unit="image", n_resamples=99, seed=1)
    assert images.contrast.design == "between"
    assert images.cells.n_trials.sum() == analysis.level_tests(crossed, n_resamples=9, seed=1).cells.n_trials.sum()
    both = analysis.level_tests(crossed, unit="both", n_resamples=99, seed=1)
    assert np.allclose(both.images["p_images"], images.test.p, equal_nan=True)
    assert {"p_both", "p_both_holm", "p_step_down_images"} <= set(both.to_frame())
    assert (both.images["p_both_holm"].dropna() >= both.images["p_both"].dropna()).all()


def test_min_f_is_clarks(seed):
    from scipy.stats import f

    from rapidvision.analysis.designs.images import min_f

    t_1, t_2 = np.array([2.5, 2.0]), np.array([3.1, -2.0])
    p, _ = min_f((t_1, np.array([19.0, 19.0])), (t_2, np.array([39.0, 39.0])))
    f_1, f_2 = 6.25, 9.61
    freedom = (f_1 + f_2) ** 2 / (f_1**2 / 39 + f_2**2 / 19)
    assert p[0] == pytest.approx(f.sf(f_1 * f_2 / (f_1 + f_2), 1, freedom))
    assert p[1] == 1  # opposite signs
    up, _ = min_f((t_1, np.array([19.0, 19.0])), (t_2, np.array([39.0, 39.0])), alternative="greater")
    assert up[0] == pytest.approx(p[0] / 2)


def test_pairing_images_leaves_out_what_was_seen_once(crossed):
    frame = crossed.frame.copy()
    again = frame[frame["image_id"].str[-1].isin(list("02468"))]
    twice = np.concatenate([frame.assign(factor_cue="none").to_numpy(), again.assign(factor_cue="valid").to_numpy()])
    table = Trials(
        frame.iloc[:0]
        .reindex(range(len(twice)))
        .assign(**dict(zip(frame.columns, twice.T, strict=True)))
        .astype(frame.dtypes)
    )
    found = analysis.level_tests(table, by="factor_cue", pairing="images", n_resamples=99, seed=1)
    assert np.nanmax(np.abs(found.test.difference)) == 0  # the same answers to the same images
    plain = analysis.level_tests(table, by="factor_cue", n_resamples=99, seed=1)
    assert np.nanmax(np.abs(plain.test.difference)) > 0


def test_one_condition_is_compared_with_a_value(trials):
    found = analysis.level_tests(trials, groups=("clickme",), alternative="greater", n_resamples=999, seed=1)
    assert (found.contrast.design, found.groups) == ("one-sample", ("clickme", "0.5"))
    against = analysis.chance(trials, n_resamples=999, seed=1).tests[0]
    assert np.allclose(found.test.p_exact, against.p_exact)
    other = analysis.level_tests(trials, groups=("clickme",), against=0.75, n_resamples=99, seed=1)
    assert other.test.difference == pytest.approx(found.test.difference - 0.25)
    assert other.test.notes[0].startswith("warning: flips assume")


def test_a_statistic_of_ones_own_is_that_of_permutation_test(trials):
    def ranges(first, second, axis):
        return np.ptp(first, axis=axis) - np.ptp(second, axis=axis)

    found = analysis.level_tests(trials, statistic=ranges, late="wrong", n_resamples=400, seed=1)
    assert found.test.statistic == "ranges"
    table = found.cells.accuracy
    first, second = table[found.cells.of("clickme")], table[found.cells.of("salicon")]
    assert np.allclose(found.test.difference, ranges(first, second, axis=0))
    turned = analysis.level_tests(
        trials, statistic=ranges, groups=("salicon", "clickme"), late="wrong", n_resamples=400, seed=1
    )
    assert np.array_equal(found.test.p, turned.test.p)
    assert np.array_equal(found.test.p_step_down, turned.test.p_step_down)


@pytest.mark.parametrize("sizes", [(5, 9), (9, 5), (30, 30)])
def test_two_samples_do_not_know_which_is_first(sizes, seed):
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(0, 9, (n, 2)) / 7 for n in sizes)
    one = analysis.permutation_test(first, second, n_resamples=500, seed=1, alternative="greater")
    other = analysis.permutation_test(second, first, n_resamples=500, seed=1, alternative="less")
    assert np.array_equal(one.p, other.p)
    assert (one.n_first, one.n_second) == sizes


def test_means_of_ones_own_agree_with_the_engine_within_people(seed):
    from rapidvision.analysis.designs.resampling_tests.own_statistic import own_test

    def gap(first, second, axis):
        return first.mean(axis=axis) - second.mean(axis=axis)

    rng = np.random.default_rng(seed)
    first, second = rng.binomial(8, 0.75, (2, 12, 3)) / 8
    found = own_test(first, second, gap, within=True, labels=("a", "b", "c"), n_resamples=8000, seed=1)
    exact = analysis.sign_flip_test(first - second, n_resamples=9, seed=1).p_exact
    assert np.abs(found.p - exact).max() < 0.03
    turned = own_test(second, first, gap, within=True, labels=("a", "b", "c"), n_resamples=8000, seed=1)
    assert np.array_equal(found.p, turned.p)
    with pytest.raises(InputError, match="cells are empty"):
        own_test(np.where(first == 1, np.nan, first), second, gap, within=True, labels=(), n_resamples=9, seed=1)


def test_rules_for_rows_go_by_what_was_recorded(crossed):
    one = crossed.select(where=("group=clickme",))
    found = analysis.level_tests(one, by="factor_cue", n_resamples=9, seed=1)
    mine = Trials(crossed.frame[crossed.frame["group"] == "clickme"])
    same = analysis.level_tests(mine, by="factor_cue", n_resamples=9, seed=1)
    assert np.array_equal(found.test.difference, same.test.difference)
    assert any("others than group (as recorded)=clickme" in line for line in found.opening())
    assert analysis.level_tests(one, n_resamples=9, seed=1).contrast.design == "within"  # of its cue, found


def test_chance_and_curve_take_a_column(crossed, trials):
    found = analysis.chance(crossed, by="factor_cue", n_resamples=99, seed=1)
    assert [one.group for one in found.tests] == ["none", "valid"]
    with pytest.raises(InputError, match="have several values of factor_cue"):
        grouped_by(crossed, "factor_cue")
    assert set(grouped_by(crossed, "hand").frame["group"]) == {"l", "r"}


def test_designs_run_from_the_command_line(crossed, tmp_path, capsys):
    columns = [name for name in crossed.frame if name not in ("age", "hand", "school")]
    path = str(as_csv(crossed.frame[columns], tmp_path / "crossed.csv"))
    base = ["analyse", "bins", path, "--seed", "1", "--n-resamples", "199"]
    assert main([*base, "--by", "factor_cue", "--out", str(tmp_path / "cue.csv")]) == 0
    said = capsys.readouterr().out
    assert "design: factor_cue (none, valid) within participants" in said
    assert main([*base, "--by", "factor_pace"]) == 0
    said = capsys.readouterr().out
    assert "fast, middle, slow: largest F of" in said
    assert main([*base, "--by", "group*factor_cue"]) == 0
    assert "interaction" in capsys.readouterr().out
    assert main([*base, "--unit", "both"]) == 0
    assert "p_both_holm" in capsys.readouterr().out
    assert main([*base, "--spread", "pooled"]) == 0
    assert "note: spread pooled (asked for)" in capsys.readouterr().out
    assert main(["analyse", "chance", path, "--by", "factor_cue", "--seed", "1", "--n-resamples", "99"]) == 0
    assert "valid: above chance" in capsys.readouterr().out
    assert main(["analyse", "curve", path, "--by", "factor_cue", "--seed", "1", "--n-resamples", "9"]) == 2
    assert "have several values of factor_cue" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.Series([1.0, 2.5, None]), ["1", "2.5", ""]),
        (pd.Series(["b", None, "a", "b"]), ["b", "", "a", "b"]),
        (pd.Series([True, False]), ["True", "False"]),
        (pd.Series([1, True, 1.0, "1", None], dtype=object), ["1", "True", "1", "1", ""]),
    ],
)
def test_the_values_of_a_column_as_words(values, words):
    """Each distinct value is written once, and equal values of different types each as they are."""
    assert as_words(pd.DataFrame({"c": values}), "c", "t").tolist() == words
