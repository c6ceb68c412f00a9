"""Measures: exact small cases, simulated truth, the same numbers whatever names and order, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from rapidvision import analysis
from rapidvision.analysis.measures.image_effects import between_variance
from rapidvision.analysis.scores.condition_tests import condition_tests
from rapidvision.errors import InputError
from tests.analysis.measured_tables import rows_of, table, two_conditions

FAST = {"n_resamples": 199, "seed": 1}


def yes_no(rng, participant, group, *, dprime, criterion, n, level=0):
    """Answers of an observer with known d' and criterion."""
    target = np.arange(n) % 2 == 0
    yes = rng.normal(np.where(target, dprime / 2, -dprime / 2), 1) > criterion
    return rows_of(participant, group, np.full(n, level), yes == target, target=target)


def test_dprime_and_criterion_of_a_hand_count():
    # 7 of 10 hits, 2 of 10 false alarms, log-linear: 7.5 / 11 and 2.5 / 11
    target = np.repeat([True, False], 10)
    yes = np.r_[[True] * 7, [False] * 3, [True] * 2, [False] * 8]
    frames = [rows_of(who, who[0], np.zeros(20, int), yes == target, target=target) for who in ("a1", "a2", "b1", "b2")]
    found = analysis.sensitivity(table(*frames), **FAST)
    hit, alarm = ndtri(7.5 / 11), ndtri(2.5 / 11)
    row = found.participants.iloc[0]
    assert (row["hit_rate"], row["false_alarm_rate"]) == (0.7, 0.2)
    assert (row["dprime"], row["criterion"]) == pytest.approx((hit - alarm, -(hit + alarm) / 2))
    assert found.tests["difference"].to_numpy() == pytest.approx(0)
    assert found.tests["p"].to_numpy() == pytest.approx(1)


def test_known_sensitivity_comes_back_and_a_difference_is_found(seed):
    rng = np.random.default_rng(seed)
    frames = [
        yes_no(rng, f"{group}{i}", group, dprime=d, criterion=0.4, n=300)
        for group, d in (("a", 2.0), ("b", 1.0))
        for i in range(12)
    ]
    found = analysis.sensitivity(table(*frames), n_resamples=999, seed=1)
    every = found.table[found.table["level"] == "all"].set_index("condition")
    assert every.loc["a", "dprime"] == pytest.approx(2.0, abs=0.15)
    assert every.loc["b", "dprime"] == pytest.approx(1.0, abs=0.15)
    assert every["criterion"].to_numpy() == pytest.approx(0.4, abs=0.12)
    tests = found.tests.set_index("score")
    assert tests.loc["dprime all", "p_holm"] < 0.01
    assert tests.loc["criterion all", "p_holm"] > 0.01
    assert tests.loc["dprime all", "low"] < 1.0 < tests.loc["dprime all", "high"]


def test_columns_of_groups_show_dprime_when_dprime_is_tested(trials):
    table_ = analysis.level_tests(trials, statistic="dprime", n_resamples=99, seed=1).to_frame()
    assert table_["clickme"].to_numpy() - table_["salicon"].to_numpy() == pytest.approx(table_["difference"].to_numpy())


def test_times_are_quantiles_of_participants():
    a = rows_of("a1", "a", np.zeros(5, int), True, response_ms=[100.0, 200, 300, 400, 500])
    b = rows_of("a2", "a", np.zeros(3, int), [True, True, False], response_ms=[200.0, 400, 999])
    found = analysis.response_times(table(a, b), quantiles=(0.25, 0.75)).to_frame()
    right = found[(found["answers"] == "correct") & (found["level"] == "all")].iloc[0]
    assert (right["n"], right["n_trials"], right["median_ms"]) == (2, 7, 300)
    assert (right["q25_ms"], right["q75_ms"]) == ((200 + 250) / 2, (400 + 350) / 2)
    assert found[(found["answers"] == "wrong")]["median_ms"].tolist() == [999, 999]


def test_fast_guesses_show_in_the_conditional_accuracy(seed):
    rng = np.random.default_rng(seed)
    frames = []
    for person in range(10):
        guess = rng.random(200) < 0.3
        right = np.where(guess, rng.random(200) < 0.5, rng.random(200) < 0.95)
        time = np.where(guess, rng.uniform(150, 250, 200), rng.uniform(300, 600, 200))
        frames.append(rows_of(f"p{person}", "all", np.zeros(200, int), right, response_ms=time))
    found = analysis.conditional_accuracy(table(*frames)).to_frame()
    assert found["accuracy"].iloc[0] == pytest.approx(0.5, abs=0.1)
    assert found["accuracy"].iloc[-1] == pytest.approx(0.95, abs=0.05)
    assert found["response_ms"].is_monotonic_increasing
    assert found["n"].tolist() == [10] * 5
    gaps = analysis.speed_accuracy(table(*frames), **FAST).to_frame().iloc[0]
    assert gaps["slow_minus_fast"] > 0.15
    assert gaps["p_slow_minus_fast"] < 0.01


def learned(rng, slope, *, n=10, group="a"):
    frames = []
    for person in range(n):
        block = np.repeat(np.arange(5), 80)
        level = rng.permutation(np.arange(400) % 4)
        chance = np.array([0.5, 0.6, 0.7, 0.8])[level] + slope * (block - 2)
        time = 500 - 20 * (block - 2) * (slope != 0) + rng.normal(0, 30, 400)
        frames.append(
            rows_of(f"{group}{person}", group, level, rng.random(400) < chance, block=block, response_ms=time)
        )
    return frames


def test_a_known_slope_over_blocks_comes_back(seed):
    rng = np.random.default_rng(seed)
    found = analysis.learning(table(*learned(rng, 0.05), *learned(rng, 0.0, group="b")), n_resamples=999, seed=1)
    slopes = found.slopes.set_index("condition")
    assert slopes.loc["a", "accuracy per block"] == pytest.approx(0.05, abs=0.012)
    assert slopes.loc["a", "response_ms per block"] == pytest.approx(-20, abs=2)
    assert slopes.loc["a", "p accuracy"] < 0.01
    assert abs(slopes.loc["b", "accuracy per block"]) < 0.02
    assert (found.tests["p"] < 0.01).all()


def test_levels_that_wander_over_blocks_are_no_learning(seed):
    rng = np.random.default_rng(seed)
    frames = []
    for person in range(12):  # easier levels come later; in itself no level becomes easier
        block = np.repeat(np.arange(4), 60)
        level = np.minimum(3, np.maximum(0, block + rng.integers(-1, 2, 240)))
        frames.append(
            rows_of(f"p{person}", "all", level, rng.random(240) < np.array([0.5, 0.65, 0.8, 0.95])[level], block=block)
        )
    slopes = analysis.learning(table(*frames), n_resamples=999, seed=1).slopes
    assert abs(slopes["accuracy per block"].iloc[0]) < 0.02
    assert slopes["p accuracy"].iloc[0] > 0.01


def test_speed_traded_for_accuracy_leaves_the_balance(seed):
    rng = np.random.default_rng(seed)
    frames = []
    for group, share, time in (("a", 0.9, 600.0), ("b", 0.7, 400.0)):
        for person in range(20):
            own = np.clip(share + rng.normal(0, 0.05), 0.05, 0.99)
            times = rng.normal(time + rng.normal(0, 50), 40, 120)
            frames.append(
                rows_of(f"{group}{person}", group, np.zeros(120, int), rng.random(120) < own, response_ms=times)
            )
    found = analysis.speed_accuracy(table(*frames), n_resamples=999, seed=1)
    tests = found.tests.set_index("score")
    assert tests.loc["accuracy", "p"] < 0.01
    assert tests.loc["response_ms", "p"] < 0.01
    assert (
        abs(tests.loc["balance", "difference"])
        < 0.3 * tests.loc["accuracy", "difference"] / found.participants["accuracy"].std()
    )
    assert any(note.startswith("warning: a is more accurate and slower") for note in found.notes)


def test_image_effects_are_shrunken_towards_the_truth(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.12, 60)
    names = np.array([f"i{i:02d}" for i in range(60)], dtype=object)
    frames = [
        rows_of(f"p{person}", "all", np.zeros(60, int), rng.random(60) < np.clip(0.7 + truth, 0, 1), image=names)
        for person in range(15)
    ]
    found = analysis.image_effects(table(*frames), **FAST)
    one = found.to_frame().set_index("image_id").loc[list(names)]
    centred = np.clip(0.7 + truth, 0, 1) - np.clip(0.7 + truth, 0, 1).mean()
    assert ((one["shrunken"] - centred) ** 2).mean() < ((one["effect"] - centred) ** 2).mean()
    assert found.spread["all"] == pytest.approx(0.12, abs=0.05)
    assert ((one["low"] <= centred) & (centred <= one["high"])).mean() > 0.85
    assert (one["effect"] * one["weight"]).to_numpy() == pytest.approx(one["shrunken"].to_numpy())


def test_images_without_differences_are_shrunken_to_nothing():
    assert between_variance(np.array([0.01, -0.02, 0.01]), np.full(3, 0.1)) == 0
    spread = np.random.default_rng(3).normal(0, np.hypot(0.3, 0.2), 4000)
    assert between_variance(spread, np.full(4000, 0.2)) == pytest.approx(0.09, abs=0.01)


def test_images_as_units_compare_conditions(seed):
    rng = np.random.default_rng(seed)
    trials = two_conditions(rng, n=20, shares=(0.85, 0.6), within=False)
    frame = trials.frame.assign(image_id=trials.frame["image_id"].str[2:])
    found = analysis.image_effects(table(frame), **FAST)
    assert found.test.mean[0] == pytest.approx(0.24, abs=0.08)
    assert found.test.p_best[0] < 0.01


def test_confusions_of_four_answers():
    words = np.array(["bear", "bird", "boat", "car"], dtype=object)
    frame = rows_of("a", "all", np.zeros(8, int), True)
    frame["correct_response"] = np.repeat(words, 2)
    frame["response"] = ["bear", "bird", "bird", "bird", "boat", "car", "car", "car"]
    frame["correct"] = (frame["response"] == frame["correct_response"]).astype(object)
    found = analysis.confusion(table(frame))
    matrix = found.matrix("all")
    assert matrix.loc["bear"].tolist() == [1, 1, 0, 0]
    assert matrix.to_numpy().sum() == 8
    assert found.matrix("all", "10", rates=True).sum(axis=1).tolist() == [1, 1, 1, 1]
    with pytest.raises(InputError, match="Did you mean"):
        found.matrix("al")


def cue_conflict(rng, share, n_people=8):
    categories = ("bear", "bottle", "car", "dog")
    frames = []
    for person in range(n_people):
        pairs = [(a, b) for a in categories for b in categories]
        shape, texture = (np.array(one, dtype=object) for one in zip(*pairs, strict=True))
        by_shape = rng.random(16) < share
        frame = rows_of(f"p{person}", "all", np.zeros(16, int), True, image=[f"{a}1-{b}2.png" for a, b in pairs])
        frame["correct_response"], frame["response"] = shape, np.where(by_shape, shape, texture)
        frame.loc[0, "response"] = "dog"  # an image without conflict, answered with neither
        frame.loc[1, "response"] = "car"  # neither bear nor bottle
        frame["correct"] = (frame["response"] == frame["correct_response"]).astype(object)
        frames.append(frame)
    return table(*frames)


def test_shape_bias_leaves_out_images_without_conflict(seed):
    found = analysis.shape_bias(cue_conflict(np.random.default_rng(seed), 1.0))
    row = found.to_frame().iloc[0]
    assert (row["n"], row["bias"], row["n_trials"]) == (8, 1.0, 8 * 12)
    assert row["share_of_either"] == pytest.approx(11 / 12)
    assert any("32 answers to images whose shape and texture agree" in note for note in found.notes)
    half = analysis.shape_bias(cue_conflict(np.random.default_rng(seed), 0.5, 40)).to_frame().iloc[0]
    assert half["low"] < 0.5 < half["high"] or half["bias"] == pytest.approx(0.5, abs=0.08)
    with pytest.raises(InputError, match="no column"):
        analysis.shape_bias(cue_conflict(np.random.default_rng(seed), 0.5), texture="surface")


def test_halves_agree_as_far_as_participants_differ(seed):
    rng = np.random.default_rng(seed)

    def study(spread):
        return two_conditions(rng, n=40, shares=(0.75, 0.75), within=False, t=20, spread=spread)

    apart = analysis.split_half(study(1.2), n_splits=20, seed=1).to_frame().set_index(["condition", "measure"])
    alike = analysis.split_half(study(1e-9), n_splits=20, seed=1).to_frame().set_index(["condition", "measure"])
    for condition in "ab":
        assert apart.loc[(condition, "accuracy"), "reliability"] > 0.85
        assert apart.loc[(condition, "accuracy"), "low"] > 0.6
        row = alike.loc[(condition, "accuracy")]
        assert row["low"] < 0 < row["high"] or abs(row["reliability"]) < 0.4
    row = apart.loc[("a", "accuracy")]
    assert row["reliability"] == pytest.approx(2 * row["r"] / (1 + row["r"]))


def test_halves_do_not_depend_on_names_or_order(seed):
    rng = np.random.default_rng(seed)
    trials = two_conditions(rng, n=10, shares=(0.75, 0.65), within=False)
    times = trials.frame.assign(response_ms=rng.uniform(200, 500, len(trials.frame)))
    frame = times.sample(frac=1, random_state=4)
    frame["participant_id"] = frame["session_id"] = "z" + frame["participant_id"].str[::-1]
    one, other = (analysis.split_half(table(rows), n_splits=5, seed=3).to_frame() for rows in (times, frame))
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_participants_who_saw_both_are_compared_with_themselves(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 5, (20, 1, 1)) + np.array([0.5, 0.0])[:, None] + rng.normal(0, 0.1, (20, 2, 1))
    scores[0, 1] = np.nan
    tests, notes = condition_tests(scores, ["x"], (0, 1), ("a", "b"), **FAST)
    assert tests.loc[0, "difference"] == pytest.approx(0.5, abs=0.1)
    assert tests.loc[0, "p"] < 0.02
    assert tests.loc[0, "n_first"] == 19
    assert any("1 participant has only one of a and b" in note for note in notes)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: analysis.response_times(t, quantiles=(1.0,)), "quantiles: got 1"),
        (lambda t: analysis.response_times(t, late="half"), "not half an answer"),
        (lambda t: analysis.conditional_accuracy(t, n_parts=1), "n_parts: got 1"),
        (lambda t: analysis.conditional_accuracy(t, n_parts=10_000), "no participant has 10000 answers"),
        (lambda t: analysis.split_half(t, n_splits=0), "n_splits: got 0"),
        (analysis.shape_bias, "no image of"),
        (lambda t: analysis.confusion(t, by="factor"), 'no column "factor"'),
        (lambda t: analysis.sensitivity(t, conditions=("clickme",)), "name two different"),
        (lambda t: analysis.observer_consistency(t, n_bootstrap=1), "n_bootstrap: got 1"),
        (lambda t: analysis.response_times(t, late="never"), 'late: got "never"'),
    ],
)
def test_what_a_measure_cannot_do_is_said(trials, call, match):
    with pytest.raises(InputError, match=match):
        call(trials)


def test_a_table_without_times_or_blocks_says_so(seed):
    trials = two_conditions(np.random.default_rng(seed), n=3, shares=(0.8, 0.7), within=False)
    bare = table(trials.frame.assign(response_ms=np.nan))
    for call in (analysis.response_times, analysis.conditional_accuracy, analysis.speed_accuracy):
        with pytest.raises(InputError, match="no answer has a time"):
            call(bare)
    with pytest.raises(InputError, match="one block only"):
        analysis.learning(bare)


def test_rows_without_a_condition_are_counted(seed):
    trials = two_conditions(np.random.default_rng(seed), n=3, shares=(0.8, 0.7), within=True)
    frame = trials.frame.copy()
    frame.loc[:9, "factor_view"] = None
    found = analysis.response_times(table(frame), by="factor_view")
    assert any("10 of 240 trials have no factor_view and are left out" in line for line in found.opening())


def test_combinations_of_two_columns_are_conditions(seed):
    """Each combination is measured as the table of its rows alone; two of them are compared like any two conditions."""
    rng = np.random.default_rng(seed)
    frames = [
        rows_of(f"{group}{i}", group, np.arange(48) % 4, rng.random(48) < 0.8, response_ms=rng.uniform(300, 500, 48),
                factor_view=np.array(["near", "far"], dtype=object)[np.arange(48) // 24])
        for group in "ab" for i in range(4)
    ]  # fmt: skip
    whole, crossed = pd.concat(frames, ignore_index=True), "group*factor_view"
    found = analysis.response_times(table(whole), by=crossed).to_frame()
    assert set(found["condition"]) == {"a, far", "a, near", "b, far", "b, near"}
    alone = analysis.response_times(table(whole[whole["group"] == "a"]), by="factor_view").to_frame()
    mine = found[found["condition"].str.startswith("a, ")].reset_index(drop=True)
    numbers = alone.select_dtypes("number").columns
    assert mine[numbers].to_numpy() == pytest.approx(alone[numbers].to_numpy(), nan_ok=True)
    effects = analysis.level_effects(table(whole), by=crossed, conditions=("a, near", "a, far"))
    same = analysis.level_effects(table(whole[whole["group"] == "a"]), by="factor_view", conditions=("near", "far"))
    assert effects.to_frame()["difference"].tolist() == same.to_frame()["difference"].tolist()
    with pytest.raises(InputError, match="names a column twice"):
        analysis.response_times(table(whole), by="group*group")
    with pytest.raises(InputError, match='no column "colour"'):
        analysis.response_times(table(whole), by="group*colour")
