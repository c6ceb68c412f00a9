"""Effect sizes, equivalence and Bayes factors: against published values, exact cases and simulated truth."""

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.effects.difference import between, within
from rapidvision.analysis.effects.limits import equivalence, hall, inverse_hall, limits, standardised
from rapidvision.analysis.effects.mover import Shares, arcsine, effect_of, log_odds, wilson
from rapidvision.errors import InputError
from tests.analysis.measured_tables import accuracies, two_conditions


@pytest.mark.parametrize(
    ("t", "n", "other", "scale", "theirs"),
    [  # pingouin 0.7, bayesfactor_ttest; the first two are printed in its documentation (26.743, 17.185)
        (3.5, 20, 20, 0.707, 26.742659231762612),
        (3.5, 20, None, 0.707, 17.184748951561883),
        (0.0, 20, 20, 0.707, 0.3088298269662628),
        (3.5, 20, 20, 1.0, 27.60641160598372),
        (-1.2, 12, 48, 0.707, 0.5514266466636374),
    ],
)
def test_the_bayes_factor_is_pingouins(t, n, other, scale, theirs):
    assert analysis.jzs_bayes_factor(t, n, other, scale=scale) == pytest.approx(theirs, rel=1e-7)


def test_the_bayes_factor_is_that_of_a_direct_integral_and_falls_with_more_null_data():
    from scipy import stats
    from scipy.integrate import quad

    t, n1, n2, scale = 2.2, 14, 30, 0.7071
    size, df = n1 * n2 / (n1 + n2), n1 + n2 - 2

    def under(delta):
        return stats.nct.pdf(t, df, delta * np.sqrt(size)) * stats.cauchy.pdf(delta, scale=scale)

    direct = quad(under, -8, 8, limit=200)[0] / stats.t.pdf(t, df)
    assert analysis.jzs_bayes_factor(t, n1, n2, scale=scale) == pytest.approx(direct, rel=2e-3)
    null = [analysis.jzs_bayes_factor(0.0, n, n) for n in (5, 50, 5000)]
    assert null == sorted(null, reverse=True)
    assert analysis.jzs_bayes_factor(60.0, 400, 400) > 1e100
    assert analysis.jzs_bayes_factor(-2.2, n1, n2) == analysis.jzs_bayes_factor(2.2, n1, n2)


def test_fewer_degrees_of_freedom_make_a_bayes_factor_more_careful():
    usual = analysis.jzs_bayes_factor(2.8, 12, 48)
    assert analysis.jzs_bayes_factor(2.8, 12, 48, df=58) == usual
    assert analysis.jzs_bayes_factor(2.8, 12, 48, df=11.5) < 0.8 * usual
    with pytest.raises(InputError, match="df: got 0"):
        analysis.jzs_bayes_factor(2.8, 12, 48, df=0)


def test_a_single_level_beyond_the_bound_has_a_large_p(seed):
    rng = np.random.default_rng(seed)
    a, b = accuracies(rng, 40, [0.95], 0.05, 10), accuracies(rng, 40, [0.6], 0.05, 10)
    found = between(a, b, (np.full(a.shape, 10.0), np.full(b.shape, 10.0)))
    assert equivalence(found, 0.1, 0.05)[0][0] > 0.999
    at = equivalence(found, float(found.value[0]) + 1e-6, 0.05)[0][0]
    below = equivalence(found, float(found.value[0]) - 1e-6, 0.05)[0][0]
    assert at == pytest.approx(0.5, abs=0.001)
    assert below == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(("words", "match"), [((2.0, 1), "two or more"), ((2.0, 10, 10), "above 0")])
def test_a_bayes_factor_of_nothing_is_refused(words, match):
    with pytest.raises(InputError, match=match):
        analysis.jzs_bayes_factor(*words, scale=1.0 if len(words) == 2 else 0.0)


def test_one_level_of_other_measures_is_the_paired_t_test(seed):
    from scipy import stats

    rng = np.random.default_rng(seed)
    a, b = rng.normal(400, 30, (12, 1)), rng.normal(410, 30, (12, 1))
    low, high = limits(within(a, b, None), 0.95)
    ends = stats.ttest_rel(a[:, 0], b[:, 0]).confidence_interval()
    assert (low[0], high[0]) == pytest.approx((ends.low, ends.high), rel=1e-9)


def test_intervals_turn_round_with_the_conditions(seed):
    rng = np.random.default_rng(seed)
    a, b = accuracies(rng, 9, [0.7, 0.95], 0.2, 7), accuracies(rng, 15, [0.6, 0.9], 0.1, 7)
    several = (np.full(a.shape, 7.0), np.full(b.shape, 7.0))
    one, other = between(a, b, several), between(b, a, several[::-1])
    for function in (limits, lambda found, c: standardised(found, c)[1:]):
        low, high = function(one, 0.95)
        other_low, other_high = function(other, 0.95)
        assert low == pytest.approx(-other_high, abs=1e-7)
        assert high == pytest.approx(-other_low, abs=1e-7)
    assert equivalence(one, 0.2, 0.05)[0] == pytest.approx(equivalence(other, 0.2, 0.05)[0], abs=1e-9)


def test_where_no_participant_errs_the_interval_is_neither_empty_nor_a_point():
    perfect = np.ones((10, 3))
    several = (np.full((10, 3), 8.0),) * 2
    for found in (between(perfect, perfect, several), within(perfect, perfect, several)):
        low, high = limits(found, 0.95)
        assert (low < -0.02).all()
        assert (high > 0.02).all()
        assert np.isnan(found.t).all()
        p, tost_low, tost_high = equivalence(found, 0.3, 0.05)  # ten participants say no more than that
        assert (p < 0.05).all()
        assert ((tost_low > -0.3) & (tost_high < 0.3)).all()
        assert (equivalence(found, 0.1, 0.05)[0] > 0.05).all()


@pytest.mark.parametrize("design", ["between", "within"])
def test_p_of_equivalence_and_its_interval_say_the_same(seed, design):
    rng = np.random.default_rng(seed)
    bounds = np.linspace(0.02, 0.4, 12)
    for _ in range(8):
        a, b = accuracies(rng, 14, [0.8, 0.9, 1.0 - 1e-9], 0.1, 7), accuracies(rng, 14, [0.8, 0.85, 1.0 - 1e-9], 0.1, 7)
        several = (np.full(a.shape, 7.0), np.full(b.shape, 7.0))
        found = (within if design == "within" else between)(a, b, several)
        for bound in bounds:
            p, low, high = equivalence(found, bound, 0.05)
            clear = np.abs(p - 0.05) > 1e-6
            assert (((low > -bound) & (high < bound)) == (p <= 0.05))[clear].all()


def test_hall_is_monotone_and_turned_round_exactly():
    t = np.linspace(-8, 8, 101)
    for skew in (-0.9, -1e-12, 0.0, 0.4):
        g = hall(t, np.full(101, skew))
        assert (np.diff(g) >= 0).all()
        assert inverse_hall(g, np.full(101, skew)) == pytest.approx(t, abs=1e-6)


def test_effects_of_shares_are_the_textbooks():
    # Newcombe (1998), method 10, 56/70 against 48/80: difference .2, interval .0524 to .3339 with z
    share, n = np.array([[56 / 70], [48 / 80]]), np.array([[70.0], [80.0]])
    shares = Shares(share, n, np.full((2, 1), 1e9), np.zeros(1))
    effect, low, high = effect_of(shares, 0.95)
    assert (effect[0], low[0], high[0]) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    h = effect_of(shares, 0.95, arcsine)[0][0]
    assert h == pytest.approx(2 * np.arcsin(np.sqrt(0.8)) - 2 * np.arcsin(np.sqrt(0.6)))
    odds = np.exp(effect_of(shares, 0.95, log_odds, finite=True)[0][0])
    assert odds == pytest.approx((56.5 / 14.5) / (48.5 / 32.5))
    low, high = wilson(np.array([0.8]), np.array([70.0]), np.array([1.959964]))
    assert (low[0], high[0]) == pytest.approx((0.6918, 0.8769), abs=2e-4)


def test_the_standardised_difference_of_normal_scores_covers(seed):
    rng = np.random.default_rng(seed)
    inside = []
    for _ in range(150):
        a, b = rng.normal(0.8, 1, (12, 4)), rng.normal(0, 1, (18, 4))
        _, low, high = standardised(between(a, b, None), 0.95)
        inside.append(((low <= 0.8) & (high >= 0.8)).mean())
    assert 0.92 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize(("first", "second"), [((12, 0.8, 0.4), (48, 0.8, 0.02)), ((12, 0.95, 0.4), (48, 0.95, 0.02))])
def test_intervals_cover_where_welch_does_not(seed, first, second):
    rng = np.random.default_rng(seed)
    inside = []
    for _ in range(150):
        a, b = (accuracies(rng, n, [share] * 6, rho, 7) for n, share, rho in (first, second))
        low, high = limits(between(a, b, (np.full(a.shape, 7.0), np.full(b.shape, 7.0))), 0.95)
        inside.append(((low <= 0) & (high >= 0)).mean())
    assert np.mean(inside) >= 0.93


@pytest.mark.parametrize("is_within", [True, False])
def test_a_table_of_either_design_gives_its_effects(seed, is_within):
    rng = np.random.default_rng(seed)
    trials = two_conditions(rng, n=14, shares=([0.6, 0.7, 0.9, 0.95], [0.55, 0.6, 0.7, 0.95]), within=is_within)
    found = analysis.level_effects(trials, by="factor_view", bound=0.1)
    table = found.to_frame()
    assert found.design == ("within" if is_within else "between")
    assert found.conditions == ("a", "b")
    assert len(table) == 4
    for name in ("difference", "h", "d"):
        low, high = ("low", "high") if name == "difference" else (f"{name}_low", f"{name}_high")
        assert ((table[low] <= table[name]) & (table[name] <= table[high])).all()
    assert ((table["or_low"] <= table["odds_ratio"]) & (table["odds_ratio"] <= table["or_high"])).all()
    frame = trials.people()
    own = frame.assign(right=frame["correct"] == True).groupby(["factor_view", "level_index", "participant_id"])  # noqa: E712
    means = own["right"].mean().groupby(["factor_view", "level_index"]).mean()
    assert table["difference"].to_numpy() == pytest.approx((means["a"] - means["b"]).to_numpy())
    turned = analysis.level_effects(trials, by="factor_view", conditions=("b", "a")).to_frame()
    assert turned["bf10"].to_numpy() == pytest.approx(table["bf10"].to_numpy(), rel=1e-6)
    assert "same participants" in found.notes[0] if is_within else "other participants" in found.notes[0]


def test_names_and_order_change_no_effect(seed):
    rng = np.random.default_rng(seed)
    trials = two_conditions(rng, n=6, shares=(0.8, 0.7), within=False)
    frame = trials.frame.sample(frac=1, random_state=1)
    frame["participant_id"] = frame["session_id"] = "z" + frame["participant_id"].str[::-1]
    from tests.analysis.measured_tables import table

    again = analysis.level_effects(table(frame))
    assert again.to_frame().equals(analysis.level_effects(trials).to_frame()) or np.allclose(
        again.to_frame().drop(columns="level"),
        analysis.level_effects(trials).to_frame().drop(columns="level"),
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"statistic": "dprim"}, "Did you mean"),
        ({"confidence": 95}, "confidence: got 95"),
        ({"bound": -0.1}, "bound: got -0.1"),
        ({"alpha": 0.5}, "alpha: got 0.5"),
        ({"by": "groop"}, 'no column "groop"'),
        ({"conditions": ("clickme", "c")}, 'has no "c"'),
        ({"conditions": ("clickme", "clickme")}, "two different"),
    ],
)
def test_what_cannot_be_compared_is_refused(trials, words, match):
    with pytest.raises(InputError, match=match):
        analysis.level_effects(trials, **words)


@pytest.mark.parametrize("statistic", ["dprime", "criterion", "response_ms", "late_share"])
def test_other_statistics_have_effects_too(trials, statistic):
    table = analysis.level_effects(trials, statistic=statistic).to_frame()
    here = table["low"].notna()
    assert here.any()
    assert (table["low"] <= table["high"])[here].all()
    assert ("h" in table) == (statistic == "late_share")
