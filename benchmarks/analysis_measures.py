"""Figures of effect sizes, equivalence, Bayes factors and power: coverage and errors in simulated experiments.

Participants are drawn here by a Gaussian copula on beta accuracies, not by the product's generators. The experiments of
one design share their figures; each design has a seed of its own.
"""

from functools import lru_cache

import numpy as np
from scipy import stats

from benchmarks.analysis_engine import suite
from benchmarks.harness import at_least, at_most, between

N = 300
N_LEVELS = 6
CURVE = np.array([0.55, 0.65, 0.75, 0.85, 0.93, 0.98])
#: n of both groups, mean accuracies, intraclass correlations, answers of a cell.
DESIGNS = (
    (20, 20, 0.8, 0.8, 0.1, 0.1, 7),
    (10, 10, 0.8, 0.8, 0.1, 0.1, 7),
    (5, 5, 0.8, 0.8, 0.1, 0.1, 20),
    (12, 48, 0.8, 0.8, 0.4, 0.02, 7),
    (48, 12, 0.8, 0.8, 0.4, 0.02, 7),
    (12, 48, 0.95, 0.95, 0.4, 0.02, 7),
    (12, 48, CURVE, CURVE, 0.4, 0.02, 7),
    (20, 20, 0.97, 0.97, 0.1, 0.1, 3),
    (20, 20, 0.97, 0.87, 0.1, 0.1, 7),
    (12, 48, 0.97, 0.87, 0.4, 0.02, 7),
)
ON_BOUND = (
    (20, 20, 0.97, 0.87, 0.1, 0.1, 7),
    (10, 10, 0.97, 0.87, 0.1, 0.1, 7),
    (60, 60, 0.97, 0.87, 0.2, 0.2, 7),
    (12, 48, 0.97, 0.87, 0.4, 0.02, 7),
    (20, 20, 0.8, 0.7, 0.1, 0.1, 7),
    (60, 60, 0.8, 0.7, 0.1, 0.1, 20),
)
#: n, accuracies of both conditions, SD of participants and of their differences (logits), answers of a cell.
WITHIN = (
    (20, 0.8, 0.8, 0.5, 0.5, 7),
    (10, 0.95, 0.95, 1.0, 1.0, 7),
    (10, CURVE, CURVE - 0.03, 0.5, 0.3, 7),
    (30, CURVE, CURVE - 0.03, 1.0, 0.8, 7),
    (20, 0.95, 0.85, 0.7, 0.7, 20),
    (6, 0.9, 0.8, 0.5, 0.5, 7),
    (12, 0.99, 0.99, 0.5, 0.5, 7),
)


def group(rng, n, share, rho, t, common=0.3):
    """Accuracies of n participants whose levels correlate."""
    latent = np.sqrt(common) * rng.normal(size=(n, 1)) + np.sqrt(1 - common) * rng.normal(size=(n, N_LEVELS))
    share = np.broadcast_to(share, N_LEVELS)
    true = stats.beta.ppf(stats.norm.cdf(latent), share * (1 / rho - 1), (1 - share) * (1 / rho - 1))
    return rng.binomial(t, true) / t


def two_groups(rng, design):
    from rapidvision.analysis.effects.difference import between as difference

    n1, n2, p1, p2, r1, r2, t = design
    a, b = group(rng, n1, p1, r1, t), group(rng, n2, p2, r2, t)
    truth = np.broadcast_to(p1, N_LEVELS) - np.broadcast_to(p2, N_LEVELS)
    return difference(a, b, (np.full(a.shape, float(t)), np.full(b.shape, float(t)))), truth


@lru_cache(maxsize=1)
def coverage():
    from rapidvision.analysis.effects.limits import limits

    found = []
    for seed, design in enumerate(DESIGNS):
        rng, inside = np.random.default_rng(700 + seed), []
        for _ in range(N):
            one, truth = two_groups(rng, design)
            low, high = limits(one, 0.95)
            inside.append(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())
        found.append(float(np.mean(inside)))
    return found


@suite.figure("effects: least coverage of 95 % intervals, 10 designs", unit="share", bar=at_least(0.93))
def least_coverage():
    return min(coverage())


@suite.figure("effects: mean coverage of 95 % intervals, 10 designs", unit="share", bar=between(0.94, 0.985))
def mean_coverage():
    return np.mean(coverage())


@suite.figure("effects: least coverage within participants, 7 designs", unit="share", bar=at_least(0.93))
def coverage_within():
    from rapidvision.analysis.effects.difference import within
    from rapidvision.analysis.effects.limits import limits

    found = []
    for seed, (n, p1, p2, sd, apart, t) in enumerate(WITHIN):
        rng, inside = np.random.default_rng(800 + seed), []
        centres = [np.log(one / (1 - one)) for one in (np.broadcast_to(p, N_LEVELS) for p in (p1, p2))]

        def shares(person, gap, centres=centres):
            return [1 / (1 + np.exp(-(c + person + side * gap / 2))) for c, side in zip(centres, (1, -1), strict=True)]

        first, second = shares(rng.normal(0, sd, (400_000, 1)), rng.normal(0, apart, (400_000, 1)))
        truth = first.mean(axis=0) - second.mean(axis=0)
        for _ in range(N):
            a, b = (rng.binomial(t, one) / t for one in shares(rng.normal(0, sd, (n, 1)), rng.normal(0, apart, (n, 1))))
            low, high = limits(within(a, b, (np.full(a.shape, float(t)),) * 2), 0.95)
            inside.append(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())
        found.append(float(np.mean(inside)))
    return min(found)


@suite.figure("effects: least coverage of Cohen's h and odds ratios", unit="share", bar=at_least(0.92))
def coverage_of_ratios():
    from rapidvision.analysis.effects.mover import arcsine, effect_of, log_odds

    found = []
    for seed, design in enumerate(DESIGNS):
        rng, inside = np.random.default_rng(900 + seed), {arcsine: [], log_odds: []}
        for _ in range(N):
            one, _truth = two_groups(rng, design)
            for scale, kept in inside.items():
                first, second = (scale(np.broadcast_to(share, N_LEVELS)) for share in design[2:4])
                _, low, high = effect_of(one.shares, 0.95, scale, finite=scale is log_odds)
                kept.append(((low <= first - second + 1e-12) & (first - second - 1e-12 <= high)).mean())
        found += [float(np.mean(kept)) for kept in inside.values()]
    return min(found)


@suite.figure("effects: equivalence declared on the bound, worst of 6", unit="share", bar=at_most(0.07))
def equivalent_on_the_bound():
    from rapidvision.analysis.effects.limits import equivalence

    found = []
    for seed, design in enumerate(ON_BOUND):
        rng = np.random.default_rng(1000 + seed)
        found.append(
            np.mean([(equivalence(two_groups(rng, design)[0], 0.1, 0.05)[0] <= 0.05).mean() for _ in range(N)])
        )
    return max(found)


@suite.figure("effects: BF10 > 3 without a difference, worst of 7", unit="share", bar=at_most(0.03))
def bayes_factors_without_a_difference():
    from rapidvision.analysis.effects.bayes_factor import jzs_bayes_factor

    found = []
    for seed, design in enumerate(DESIGNS[:7]):
        rng, share = np.random.default_rng(1100 + seed), []
        for _ in range(N):
            one = two_groups(rng, design)[0]
            levels = zip(np.abs(one.t), one.df, strict=True)
            # below 1.5 no sample has a factor of 3
            share.append(
                np.mean([t > 1.5 and jzs_bayes_factor(float(t), *design[:2], df=float(df)) > 3 for t, df in levels])
            )
        found.append(float(np.mean(share)))
    return max(found)


@suite.figure("power from a pilot: false positives at 12 against 48", unit="share", bar=at_most(0.05 + 3 * 0.0126))
def false_positives_of_power():
    from rapidvision.analysis.sample_size.pilot_model import pilot_model
    from rapidvision.analysis.sample_size.pilot_power import tester
    from tests.analysis.measured_tables import rows_of, table

    rng, level, frames = np.random.default_rng(1200), np.repeat(np.arange(4), 7), []
    for name, n, rho in (("a", 20, 0.35), ("b", 60, 0.02)):
        true = rng.beta(0.8 * (1 / rho - 1), 0.2 * (1 / rho - 1), (n, 4))
        frames += [rows_of(f"{name}{i}", name, level, rng.random(28) < one[level]) for i, one in enumerate(true)]
    model = pilot_model(table(*frames)).scaled(0.0)
    experiment = tester(model, "levels", bound=0.05, alpha=0.05, n_resamples=499)
    p = [np.nanmin(experiment((12, 48), np.random.default_rng([7, i]), i)) for i in range(N)]
    return np.mean(np.array(p) <= 0.05)
