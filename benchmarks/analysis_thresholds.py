"""Figures of thresholds: intervals, their difference, the hierarchical model. The generators are their own."""

from functools import lru_cache

import numpy as np

from benchmarks.analysis_engine import suite
from benchmarks.analysis_fits import rate_bar
from benchmarks.harness import at_least, between

LEVELS = np.append(np.linspace(0, 2, 11), np.inf)


def observers(rng, n, sd, trials, mean=1.2):
    """Correct answers of people whose thresholds (normal, log10), slopes and lapses differ, and trials; shape (n, 12) each."""
    at = rng.normal(mean, sd, n)[:, None]
    slope = np.exp(rng.normal(np.log(5), 0.3, n))[:, None]
    lapse = rng.beta(1.2, 35, n)[:, None]
    shown = np.where(np.isfinite(LEVELS), LEVELS, 50.0)
    share = 0.5 + (0.5 - lapse) * 0.5 * (1 + np.tanh(np.clip(slope * (shown - at) / 2, -30, 30)))
    return rng.binomial(trials, share).astype(float), np.full((n, 12), float(trials)), share


@lru_cache(maxsize=8)
def pooled_threshold(sd, mean=1.2):
    """Threshold of the pooled curve of very many people: what a group's fit converges to."""
    from rapidvision.analysis.fits.psychometric import fit

    share = observers(np.random.default_rng(5), 200_000, sd, 1, mean)[2].sum(axis=0)
    return fit(LEVELS, share[None] * 7, np.full((1, 12), 1.4e6), guess=0.5).threshold[0]


def cells_of(k, n, first):
    """The table of two groups, as the product's functions take it."""
    from rapidvision.analysis.table.accuracy import Cells, Level

    levels = [Level(i, "full" if np.isinf(at) else f"{10**at:g}", 10**at, 10**at) for i, at in enumerate(LEVELS)]
    whole = np.rint(n).astype(int)
    names = tuple(f"p{i:03d}" for i in range(len(k)))
    return Cells(names, np.where(first, "a", "b"), tuple(levels), np.rint(2 * k).astype(int), whole, 0 * whole, whole,
                 "exclude", guess=0.5)  # fmt: skip


def interval_coverage(n, sd=0.3, trials=7, n_experiments=1000, seed=51):
    """How often the 95 % interval of a group's threshold holds the threshold of very many people."""
    from rapidvision.analysis.fits.thresholds import fit_group

    rng = np.random.default_rng([seed, n])
    inside = 0
    for _ in range(n_experiments):
        k, each, _ = observers(rng, n, sd, trials)
        low, high = fit_group(cells_of(k, each, np.ones(n, bool)), "a", n_bootstrap=1, seed=1).threshold_interval
        inside += low <= pooled_threshold(sd) <= high
    return inside / n_experiments


@suite.figure(
    "coverage of 95 % threshold intervals, 5 people, 1,000 experiments", unit="share", bar=between(0.92, 0.97)
)
def coverage_five():
    return interval_coverage(5)


@suite.figure("the same, 10 people", unit="share", bar=between(0.92, 0.97))
def coverage_ten():
    return interval_coverage(10)


@suite.figure("the same, 20 people", unit="share", bar=between(0.92, 0.97))
def coverage_twenty():
    return interval_coverage(20)


@lru_cache(maxsize=8)
def difference_rates(n1, n2, sd1, sd2, n_experiments=400, seed=61):
    """Share of p <= .05, and coverage of the interval, where two groups' pooled thresholds are equal."""
    from rapidvision.analysis.fits.threshold_difference import threshold_test

    rng = np.random.default_rng([seed, n1, n2])
    mean = 1.2 + pooled_threshold(sd2) - pooled_threshold(sd1)
    first = np.arange(n1 + n2) < n1
    rejected = inside = 0
    for number in range(n_experiments):
        k1, each1, _ = observers(rng, n1, sd1, 7, mean)
        k2, each2, _ = observers(rng, n2, sd2, 7)
        table = cells_of(np.r_[k1, k2], np.r_[each1, each2], first)
        found = threshold_test(table, n_resamples=299, n_bootstrap=299, seed=number)
        rejected += found.p <= 0.05
        inside += found.interval[0] <= 0 <= found.interval[1]
    return rejected / n_experiments, inside / n_experiments


@suite.figure(
    "threshold test, 8 against 40 people, SD .4 and .05, no difference, p <= .05", unit="share", bar=rate_bar(400, 0.1)
)
def unequal_rate():
    return difference_rates(8, 40, 0.4, 0.05)[0]


@suite.figure("threshold test, 10 against 10 people, SD .2, no difference, p <= .05", unit="share", bar=rate_bar(400))
def equal_rate():
    return difference_rates(10, 10, 0.2, 0.2)[0]


@suite.figure(
    "coverage of the difference of thresholds, 8 against 40, SD .4 and .05", unit="share", bar=between(0.91, 0.985)
)
def unequal_coverage():
    return difference_rates(8, 40, 0.4, 0.05)[1]


@suite.figure("coverage of the difference of thresholds, 10 against 10, SD .2", unit="share", bar=between(0.92, 0.985))
def equal_coverage():
    return difference_rates(10, 10, 0.2, 0.2)[1]


def hierarchical_study(rng, people=24, images=50, difference=0.2):
    """A trials table whose people and images differ in threshold and slope; two groups, ten levels, the intact one included."""
    import pandas as pd

    who, what = np.divmod(np.arange(people * images), images)
    place = (what + 3 * who) % 10
    x = np.append(np.linspace(0.2, 2, 9), np.inf)[place]
    first = who % 2 == 0
    at = 1.3 - difference * first + rng.normal(0, 0.2, people)[who] + rng.normal(0, 0.15, images)[what]
    slope = np.exp(np.log(5) + rng.normal(0, 0.3, people)[who] + rng.normal(0, 0.2, images)[what])
    share = np.where(np.isfinite(x), 0.5 * (1 + np.tanh(slope * (np.where(np.isfinite(x), x, 0) - at) / 2)), 1.0)
    right = rng.random(len(who)) < 0.5 + 0.47 * share
    return pd.DataFrame({"who": who, "what": what, "x": x, "first": first, "right": right})


@lru_cache(maxsize=1)
def hierarchical_recovery(n_experiments=20, seed=71):
    """Mean estimates, and how often the interval of the difference holds the truth."""
    from rapidvision.analysis.fits.hierarchical.marginal_likelihood import Answers
    from rapidvision.analysis.fits.hierarchical.search import HierarchicalSearch

    rng = np.random.default_rng(seed)
    estimates, inside = [], 0
    for _ in range(n_experiments):
        data = hierarchical_study(rng)
        condition = np.where(data["first"], 0, 1)
        answers = Answers(data["right"].to_numpy(), data["x"].to_numpy(), data["who"].to_numpy(), data["what"].to_numpy(),
                          condition, 24, 50, 2, 0.5)  # fmt: skip
        search = HierarchicalSearch(answers, image_effects=2, n_nodes=5)
        search.minimise()
        covariance = search.covariance()
        gap = search.best[0] - search.best[1]
        se = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        inside += abs(gap + 0.2) <= 2.074 * se  # t(22)
        estimates.append([gap, *search.best])
    return np.mean(estimates, axis=0), inside / n_experiments


@suite.figure(
    "hierarchical model: mean difference of thresholds minus the true one, 20 experiments",
    unit="log10",
    bar=between(-0.06, 0.06),
)
def hierarchical_difference():
    return hierarchical_recovery()[0][0] + 0.2


@suite.figure(
    "hierarchical model: geometric mean of people's threshold SD over the true one", unit="x", bar=between(0.8, 1.2)
)
def hierarchical_spread():
    return np.exp(hierarchical_recovery()[0][5]) / 0.2


@suite.figure("hierarchical model: coverage of the difference, 20 experiments", unit="share", bar=at_least(0.8))
def hierarchical_coverage():
    return hierarchical_recovery()[1]
