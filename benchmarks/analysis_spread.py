"""A spread that differs at one level only: how often groups that are equally accurate are called different, and the warning.

Participants' true accuracies are logistic-normal at every level, not the suite's beta; the one level's spread is set so
that answers correlate .4 or .02 there.
"""

from functools import lru_cache

import numpy as np

from benchmarks.analysis_engine import suite
from benchmarks.harness import STATED, at_least, at_most

EXPERIMENTS, RESAMPLES, LEVELS, TRIALS, SHARE = 1000, 399, 6, 7, 0.8


@lru_cache(maxsize=4)
def normal_of(correlation):
    """Mean and SD on the logit scale of true accuracies of mean .8 whose answers correlate so much."""
    from scipy.optimize import fsolve

    node, weight = np.polynomial.hermite_e.hermegauss(61)
    weight = weight / weight.sum()

    def gap(at):
        true = 1 / (1 + np.exp(-(at[0] + np.exp(at[1]) * node)))
        mean = weight @ true
        return mean - SHARE, (weight @ true**2 - mean**2) / (mean * (1 - mean)) - correlation

    at, _, found, _ = fsolve(gap, [1.5, np.log(0.4 + 4 * correlation)], full_output=True)
    assert found == 1
    return at[0], np.exp(at[1])


def answers(rng, n, correlations):
    """Right answers, shape (n, levels): levels are independent of one another."""
    mean, sd = np.array([normal_of(one) for one in correlations]).T
    true = 1 / (1 + np.exp(-(mean + sd * rng.normal(size=(n, LEVELS)))))
    return rng.binomial(TRIALS, true)


@lru_cache(maxsize=4)
def one_level(sizes, seed=91):
    """Share of experiments with a family-wise p up to .05, and of those with the warning."""
    from rapidvision.analysis.inference.permutation import randomization_test
    from rapidvision.analysis.table.columns import mean_columns

    wide, narrow = (0.4,) + (0.02,) * (LEVELS - 1), (0.02,) * LEVELS
    first = np.arange(sum(sizes)) < sizes[0]
    rejected = warned = 0
    for number in range(EXPERIMENTS):
        rng = np.random.default_rng([seed, *sizes, number])
        right = np.concatenate([answers(rng, sizes[0], wide), answers(rng, sizes[1], narrow)])
        columns = mean_columns(right, np.full_like(right, TRIALS))
        found = randomization_test(columns, first, n_resamples=RESAMPLES, seed=number, exact=False)
        rejected += np.nanmin(found.p_step_down) <= 0.05
        warned += any("single level" in note or "spreads seem to differ" in note for note in found.notes)
    return rejected / EXPERIMENTS, warned / EXPERIMENTS


@suite.figure(
    "spread at one level only, 12 against 48, family-wise p <= .05 (named exception)", unit="share", bar=STATED
)
def uneven_rate():
    return one_level((12, 48))[0]


@suite.figure("the same, experiments with the warning", unit="share", bar=at_least(1))
def uneven_warned():
    return one_level((12, 48))[1]


@suite.figure(
    "spread at one level only, 30 against 30, family-wise p <= .05", unit="share", bar=at_most(0.05 + 3 * 0.0069)
)
def even_rate():
    return one_level((30, 30))[0]
