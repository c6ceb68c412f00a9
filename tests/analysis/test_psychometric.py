"""Psychometric functions recover what made the data, at the stated rates."""

import numpy as np
import pytest

from rapidvision.analysis.fits.psychometric import _penalised, axis_of, fit
from rapidvision.analysis.fits.thresholds import fit_group, fit_participants, threshold_test
from rapidvision.analysis.sample_size.simulation import Design, simulate
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
