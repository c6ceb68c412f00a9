"""Psychometric functions recover what made the data, at the stated rates."""

import numpy as np
import pytest

from rapidvision.analysis.fits import spread_of_fits
from rapidvision.analysis.fits.level_axis import level_axis
from rapidvision.analysis.fits.psychometric import _penalised, axis_of, fit
from rapidvision.analysis.fits.spread_of_fits import jackknife_errors
from rapidvision.analysis.fits.threshold_difference import _Groups, threshold_test
from rapidvision.analysis.fits.thresholds import fit_group, fit_participants
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.table.accuracy import cells
from rapidvision.errors import InputError

# Images and participants of one kind: the truth is then a logistic curve, not a mixture of them.
PURE = Design(n_per_group=40, thresholds=(1.4, 1.6), sd_participant=0.0, sd_image=0.0)
X = np.append(np.linspace(0, 2, 11), np.inf)


def test_known_parameters_come_back_from_many_trials():
    share = 0.5 + 0.44 / (1 + np.exp(-6 * (np.where(np.isfinite(X), X, 1e3) - 1.3)))
    found = fit(X, 20_000 * share[None], np.full((1, 12), 20_000.0), guess=0.5)
    assert found.threshold[0] == pytest.approx(1.3, abs=0.003)
    assert found.slope[0] == pytest.approx(6, rel=0.02)
    assert found.lapse[0] == pytest.approx(0.06, abs=0.003)
    assert found.converged.all()
    assert found.predict(X)[0] == pytest.approx(share, abs=0.002)
    assert found.at(0.75)[0] == pytest.approx(1.3 + np.log((0.25 / 0.44) / (1 - 0.25 / 0.44)) / 6, abs=0.01)
    assert np.isinf(found.at(0.99)[0])


def test_the_batch_finds_the_optimum_that_a_general_optimiser_finds(seed):
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    n = np.full((25, 12), 40.0)
    share = 0.5 + 0.45 / (1 + np.exp(-5 * (np.where(np.isfinite(X), X, 1e3) - rng.uniform(0.8, 1.8, (25, 1)))))
    k = rng.binomial(40, share).astype(float)
    found = fit(X, k, n, guess=0.5)
    t = np.stack([found.threshold, np.log(found.slope), -np.log(0.25 / found.lapse - 1)], axis=1)
    ours = _penalised(t, X, k, n, 0.5)
    for row in range(25):
        peer = minimize(lambda q, r=row: _penalised(q[None], X, k[r : r + 1], n[r : r + 1], 0.5)[0], t[row] + 0.1)
        assert ours[row] <= peer.fun + 1e-6


def test_rows_do_not_influence_each_other(seed):
    rng = np.random.default_rng(seed)
    n = np.full((6, 12), 60.0)
    k = rng.binomial(60, np.linspace(0.5, 0.95, 12), (6, 12)).astype(float)
    alone = fit(X, k[2:3], n[2:3], guess=0.5).threshold[0]
    assert fit(X, k, n, guess=0.5).threshold[2] == pytest.approx(alone, abs=1e-4)


def test_intervals_cover_the_true_threshold(seed):
    inside = []
    for number in range(120):
        table = simulate(PURE, seed=seed, number=number).cells()
        low, high = fit_group(table, "clickme", n_bootstrap=200, seed=1).threshold_interval
        inside.append(low <= 1.4 <= high)
    assert np.mean(inside) >= 0.89  # .95 less three standard errors of 120 experiments


def test_thresholds_of_the_report_lie_in_their_intervals(design, seed):
    table = simulate(PURE, seed=seed).cells()
    for group, truth in zip(PURE.groups, PURE.thresholds, strict=True):
        found = fit_group(table, group, n_bootstrap=500, seed=seed)
        low, high = found.threshold_interval
        assert low - 0.03 < truth < high + 0.03
        assert found.p_deviance > 0.001


def test_the_threshold_test_sees_a_difference_and_keeps_its_rate(seed):
    assert threshold_test(simulate(PURE, seed=seed).cells(), n_resamples=400, n_bootstrap=200, seed=1).p < 0.02
    null = Design(n_per_group=12, thresholds=(1.4, 1.4))
    p = [
        threshold_test(simulate(null, seed=seed, number=i).cells(), n_resamples=99, n_bootstrap=10, seed=i).p
        for i in range(80)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)
    assert 0.35 < np.mean(p) < 0.65


def test_every_participant_gets_a_finite_curve(trials):
    from rapidvision.analysis.table.accuracy import cells

    table = cells(trials)
    found = fit_participants(table, "clickme")
    assert np.isfinite(found.threshold).all()
    assert len(found.threshold) == table.of("clickme").sum()


def test_one_curve_agrees_with_psignifit(seed):
    psignifit = pytest.importorskip("psignifit")
    table = simulate(PURE, seed=seed).cells()
    members = table.of("clickme")
    x = axis_of(table)[:11]
    k, n = table.halves[members, :11].sum(axis=0) / 2, table.n_trials[members, :11].sum(axis=0)
    ours = fit(x, k[None], n[None].astype(float), guess=0.5).threshold[0]
    theirs = psignifit.psignifit(
        np.stack([x, k, n], axis=1), experiment_type="2AFC", sigmoid="logistic", stimulus_range=(0, 2)
    )
    assert ours == pytest.approx(theirs.parameter_estimate["threshold"], abs=0.05)


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="more correct answers than trials"):
        fit(X, np.full((1, 12), 3.0), np.full((1, 12), 2.0), guess=0.5)
    with pytest.raises(InputError, match="rows x levels"):
        fit(X, np.ones((1, 3)), np.ones((1, 3)), guess=0.5)
    with pytest.raises(InputError, match="fewer than three levels"):
        fit(X, np.zeros((1, 12)), np.eye(1, 12) * 5, guess=0.5)


def test_a_threshold_outside_the_levels_is_warned_of(seed):
    """Groups that see everything at every level have no threshold to measure."""
    from rapidvision import analysis

    easy = Design(n_per_group=10, thresholds=(-1.0, 1.4))
    found = analysis.fit_psychometric(
        simulate(easy, seed=seed).trials(seed=seed), n_resamples=20, n_bootstrap=20, seed=1
    )
    said = [note for note in found.cautions if "extrapolated" in note]
    assert len(said) == 1
    assert "threshold of clickme lies below the levels that were shown (1 to 100 %)" in said[0]


def people(rng, n, sd, trials, mean=1.2):
    """Counts of people whose thresholds differ, drawn by a generator of this file; shape (n, 12) each."""
    at = rng.normal(mean, sd, n)[:, None]
    slope = np.exp(rng.normal(np.log(5), 0.3, n))[:, None]
    lapse = rng.beta(1.2, 35, n)[:, None]
    shown = np.where(np.isfinite(X), X, 50.0)
    share = 0.5 + (0.5 - lapse) * 0.5 * (1 + np.tanh(np.clip(slope * (shown - at) / 2, -30, 30)))
    return (rng.random((trials, n, 12)) < share).sum(axis=0).astype(float), np.full((n, 12), float(trials))


def test_the_jackknife_is_that_of_separate_fits(seed):
    k, n = people(np.random.default_rng(seed), 6, 0.3, 9)
    whole = fit(X, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=0.5)
    each = np.array(
        [
            fit(
                X, np.delete(k, i, axis=0).sum(axis=0)[None], np.delete(n, i, axis=0).sum(axis=0)[None], guess=0.5
            ).threshold[0]
            for i in range(6)
        ]
    )
    by_hand = np.sqrt(5 / 6 * ((each - each.mean()) ** 2).sum())
    assert jackknife_errors(whole, X, k, n)[0] == pytest.approx(by_hand, rel=1e-3)
    assert np.isnan(jackknife_errors(whole, X, k[:1], n[:1])).all()


def test_the_sandwich_is_near_the_jackknife_and_counts_weights_as_copies(seed):
    k, n = people(np.random.default_rng(seed), 30, 0.3, 20)
    whole = fit(X, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=0.5)
    sandwich = _Groups(X, k, n, 0.5).thresholds(np.ones((1, 30)))[1][0]
    assert sandwich == pytest.approx(jackknife_errors(whole, X, k, n)[0], rel=0.1)
    weights = np.repeat([[2.0, 0.0, 1.0]], 10, axis=0).reshape(1, 30)
    copies = np.repeat(np.arange(30), weights[0].astype(int))
    once = _Groups(X, k[copies], n[copies], 0.5).thresholds(np.ones((1, len(copies))))
    assert _Groups(X, k, n, 0.5).thresholds(weights)[1][0] == pytest.approx(once[1][0])


def test_relabellings_in_pieces_are_those_at_once(monkeypatch):
    """A piece is as large as memory allows, and changes no p; it may change the last digit of a standard error."""
    table = cells(simulate(Design(n_per_group=9, thresholds=(1.3, 1.5)), seed=3).trials(seed=3))
    whole = threshold_test(table, n_resamples=199, n_bootstrap=99, seed=1)
    monkeypatch.setattr(spread_of_fits, "_MOST_CELLS", 18 * 7)
    pieces = threshold_test(table, n_resamples=199, n_bootstrap=99, seed=1)
    assert (pieces.p, pieces.difference) == (whole.p, whole.difference)
    assert [pieces.standard_error, *pieces.interval] == pytest.approx(
        [whole.standard_error, *whole.interval], rel=1e-12
    )


@pytest.mark.parametrize("n", [5, 10])
def test_intervals_of_few_people_cover(seed, n):
    """The percentile bootstrap covers .82 with 5 and .89 with 10."""
    from scipy.stats import t

    rng = np.random.default_rng([seed, n])
    k, trials = people(rng, 40_000, 0.3, 7)
    truth = fit(X, k.sum(axis=0)[None], trials.sum(axis=0)[None], guess=0.5).threshold[0]
    inside = 0
    for _ in range(200):
        k, trials = people(rng, n, 0.3, 7)
        whole = fit(X, k.sum(axis=0)[None], trials.sum(axis=0)[None], guess=0.5)
        half = t.ppf(0.975, n - 1) * jackknife_errors(whole, X, k, trials)[0]
        inside += abs(whole.threshold[0] - truth) <= half
    assert inside / 200 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 200)


def table_of(k, n, first, levels=None):
    """Cells of two groups."""
    from rapidvision.analysis.table.accuracy import Cells, Level

    named = levels or [Level(i, "full" if np.isinf(at) else f"{10**at:g}", 10**at, 10**at) for i, at in enumerate(X)]
    people_ = tuple(f"p{i:03d}" for i in range(len(k)))
    whole = np.rint(n).astype(int)
    return Cells(people_, np.where(first, "a", "b"), tuple(named), np.rint(2 * k).astype(int), whole, 0 * whole, whole,
                 "exclude", guess=0.5)  # fmt: skip


def test_unequal_spread_and_size_reject_little_too_often(seed):
    """The plain difference rejects .29 of such experiments."""
    rng = np.random.default_rng(seed)
    large = [people(rng, 30_000, sd, 7) for sd in (0.4, 0.05)]
    pooled = [fit(X, k.sum(axis=0)[None], n.sum(axis=0)[None], guess=0.5).threshold[0] for k, n in large]
    rejected = 0
    first = np.arange(48) < 8
    for _ in range(80):
        k1, n1 = people(rng, 8, 0.4, 7, mean=1.2 + pooled[1] - pooled[0])
        k2, n2 = people(rng, 40, 0.05, 7)
        found = threshold_test(table_of(np.r_[k1, k2], np.r_[n1, n2], first), n_resamples=199, n_bootstrap=10, seed=1)
        rejected += found.p <= 0.05
    assert found.statistic == "studentized"
    assert rejected / 80 <= 0.10 + 3 * np.sqrt(0.1 * 0.9 / 80)


def test_a_smaller_group_that_varies_more_is_told(seed):
    rng = np.random.default_rng(seed)
    (k1, n1), (k2, n2) = people(rng, 8, 1.2, 20), people(rng, 40, 0.02, 20)
    found = threshold_test(
        table_of(np.r_[k1, k2], np.r_[n1, n2], np.arange(48) < 8), n_resamples=20, n_bootstrap=20, seed=1
    )
    assert "the smaller group (8 participants) varies" in found.notes[0]


def test_one_participant_in_a_group_has_no_interval_and_says_so(seed):
    rng = np.random.default_rng(seed)
    k, n = people(rng, 9, 0.2, 20)
    table = table_of(k, n, np.arange(9) < 1)
    alone = fit_group(table, "a", n_bootstrap=20, seed=1)
    assert np.isnan(alone.threshold_interval).all()
    assert "one participant" in alone.notes[0]
    found = threshold_test(table, n_resamples=200, n_bootstrap=20, seed=1)
    assert found.statistic == "difference"
    assert np.isnan(found.interval).all()
    assert 0 < found.p <= 1


def test_levels_in_decibels_have_a_linear_axis(seed):
    """The threshold of a table in dB is that of its mirror in per cent, in its own unit."""
    from rapidvision.analysis.table.accuracy import Level

    rng = np.random.default_rng(seed)
    k, n = people(rng, 24, 0.2, 20)
    first = np.arange(24) < 12
    labels = [*(f"{20 * at - 40:g} dB" for at in X[:11]), "full"]
    levels = [Level(i, label, float("nan"), float("nan")) for i, label in enumerate(labels)]
    decibels = table_of(k, n, first, levels)
    axis = level_axis(levels)
    assert (axis.log, axis.unit) == (False, "dB")
    ours, percent = (fit_group(one, "a", n_bootstrap=20, seed=1) for one in (decibels, table_of(k, n, first)))
    assert ours.value == pytest.approx(20 * percent.fit.threshold[0] - 40, abs=1e-6)
    assert ours.value_interval == pytest.approx([20 * end - 40 for end in percent.threshold_interval], abs=1e-6)
    one, other = (threshold_test(t, n_resamples=99, n_bootstrap=50, seed=1) for t in (decibels, table_of(k, n, first)))
    assert one.p == other.p
    assert one.difference == pytest.approx(20 * other.difference, abs=1e-6)
    assert np.isnan(one.ratio)
    assert other.ratio == pytest.approx(10**other.difference)


def test_axes_that_do_not_exist_are_refused():
    from rapidvision.analysis.table.accuracy import Level

    def named(*labels):
        return [Level(i, label, float("nan"), float("nan")) for i, label in enumerate(labels)]

    with pytest.raises(InputError, match='no per cent of the features and no number.*"few"'):
        level_axis(named("1 ms", "few"))
    with pytest.raises(InputError, match="several units"):
        level_axis(named("1 ms", "2 s"))
    with pytest.raises(InputError, match='level "-3" is not above 0'):
        level_axis(named("-3", "4"), "log")
    with pytest.raises(InputError, match="linear"):
        level_axis(named("1", "2"), "linaer")
    assert level_axis(named("10 ms", "100 ms", "full")).log
    assert not level_axis(named("0", "0.5")).log
    assert level_axis(named("0.5", "1"), "linear").value([0.0, 2.0]).tolist() == [0.5, 1.0]


def test_every_participants_own_curve_is_a_row(trials, tmp_path):
    from rapidvision import analysis
    from rapidvision.cli import main
    from tests.analysis.conftest import as_csv

    found = analysis.fit_psychometric(trials, n_resamples=20, n_bootstrap=20, seed=1)
    own = found.people()
    assert len(own) == 48
    assert np.isfinite(own["threshold_percent"]).all()
    path = as_csv(trials.frame, tmp_path / "t.csv")
    words = ["analyse", "curve", str(path), "--people", str(tmp_path / "own.csv"), "--n-resamples", "20", "--seed", "1"]
    assert main([*words, "--axis", "linear"]) == 0
    assert (tmp_path / "own.csv").read_text().startswith("group,participant,threshold_percent,slope")
