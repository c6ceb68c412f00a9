"""The test of non-inferiority near 1: its pieces against general tools, and its rate at the exact margin."""

import numpy as np
import pytest
from scipy import optimize, stats

from rapidvision.analysis.inference.noninferiority import (
    Counts,
    _constrained,
    _correlation,
    _mean_shares,
    noninferiority,
)


def test_the_share_at_the_margin_is_the_most_likely_one(seed):
    rng = np.random.default_rng(seed)
    for full, level in rng.uniform(0.6, 0.999, (20, 2)):

        def minus(x, full=full, level=level):
            y = x - 0.05
            return -(full * np.log(x) + (1 - full) * np.log1p(-x) + level * np.log(y) + (1 - level) * np.log1p(-y))

        peer = optimize.minimize_scalar(minus, bounds=(0.0501, 1 - 1e-9), method="bounded", options={"xatol": 1e-10}).x
        assert _constrained(np.array([full]), np.array([level]), 0.05)[0] == pytest.approx(peer, abs=1e-5)


def test_samples_are_means_of_beta_binomial_participants(seed):
    rng = np.random.default_rng(seed)
    trials = np.array([3, 3, 7, 7, 7, 12])
    drawn = _mean_shares(trials, 0.9, 0.2, 40_000, rng)
    a, b = 0.9 * 4, 0.1 * 4
    variance = sum(stats.betabinom.var(t, a, b) / t**2 for t in trials) / 36
    assert drawn.mean() == pytest.approx(0.9, abs=4 * np.sqrt(variance / 40_000))
    assert drawn.var() == pytest.approx(variance, rel=0.05)


def test_the_correlation_is_recovered(seed):
    rng = np.random.default_rng(seed)
    for rho in (0.02, 0.1, 0.3):
        chance = rng.beta(0.8 * (1 / rho - 1), 0.2 * (1 / rho - 1), 6000)
        trials = rng.integers(4, 12, 6000)
        counts = Counts(rng.binomial(trials, chance).astype(float), trials)
        assert _correlation([(counts, counts.share)]) == pytest.approx(rho, abs=0.02)


def test_order_of_participants_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    trials = rng.integers(3, 8, 20)
    full, level = (Counts(rng.binomial(trials, 0.97).astype(float), trials) for _ in range(2))
    order = rng.permutation(20)

    def p(pick):
        cells = [Counts(one.score[pick], one.trials[pick]) for one in (full, level)]
        return noninferiority(*cells, cells[1:], margin=0.05, rng=np.random.default_rng(5)).p

    assert p(np.arange(20)) == p(order)


@pytest.mark.parametrize(("n", "trials", "full", "rho"), [(10, 20, 0.97, 0.2), (20, 7, 0.99, 0.3)])
def test_the_rate_at_the_exact_margin(seed, n, trials, full, rho):
    """Sign flips declare .08 and .15 here."""
    rng = np.random.default_rng(seed)
    experiments = 300
    declared = 0
    each = np.full(n, trials)
    for _ in range(experiments):
        cells = [
            Counts(
                (rng.random((trials, n)) < rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), n)).sum(axis=0) * 1.0,
                each,
            )
            for p in (full, full - 0.05, 0.6, 0.7, 0.85)
        ]
        declared += noninferiority(cells[0], cells[1], cells[1:], margin=0.05, rng=rng, n_samples=499).p <= 0.05
    assert declared <= (0.05 + 3 * np.sqrt(0.05 * 0.95 / experiments)) * experiments


def test_one_participant_has_no_p():
    one = Counts(np.array([5.0]), np.array([5]))
    assert np.isnan(noninferiority(one, one, [one], margin=0.05, rng=np.random.default_rng(1)).p)
