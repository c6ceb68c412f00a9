"""The conscience of the suite: what is put into the simulated participants comes out of the analysis again."""

import math

import pytest

from rapidvision import analysis
from rapidvision.analysis.fits.thresholds import fit_group
from rapidvision.analysis.table.accuracy import cells
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.engine.participants import Observers, Sight
from rapidvision.experiments.engine.simulate import simulate_study
from rapidvision.formats.manifest import read_set
from rapidvision.formats.protocol_file import preset
from tests.experiments.conftest import make_set

N_SEEDS = 20


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recovery")
    make_set(folder / "set")
    return make_study(read_set(folder / "set"), preset("paper"), folder / "study", n_slots=60)


@pytest.mark.slow
def test_thresholds_come_back_within_their_intervals(plans, seed):
    # Guesses that hesitate are late more often, and late answers are left out: without hesitation the truth is exact.
    observers = Observers(sources={"clickme": Sight(threshold=0.08), "salicon": Sight(threshold=0.16)}, hesitation_ms=0)
    covered, misses = 0, []
    for number in range(N_SEEDS):
        table = cells(analysis.read_trials(simulate_study(plans, observers, seed=seed + number)))
        for group, sight in observers.sources.items():
            fitted = fit_group(table, group, n_bootstrap=400, seed=seed + number)
            truth = math.log10(100 * sight.threshold)
            low, high = fitted.threshold_interval
            covered += low <= truth <= high
            misses.append(float(fitted.fit.threshold[0]) - truth)
    bias = sum(misses) / len(misses)
    assert abs(bias) < 0.02, f"thresholds are off by {bias:.3f} log10 on average"
    # 95 % intervals: fewer than 33 of 40 would happen by chance once in a thousand such suites.
    assert covered >= 33, f"only {covered} of {2 * N_SEEDS} intervals hold the truth"


@pytest.mark.slow
def test_groups_that_are_alike_are_not_told_apart_and_groups_that_differ_are(plans, seed):
    alike = Observers(sources={}, hesitation_ms=0)
    few = [plan for plan in plans if plan.slot < 30]  # the rate of errors does not depend on the groups' size
    found_alike = 0
    for number in range(N_SEEDS):
        trials = analysis.read_trials(simulate_study(few, alike, seed=seed + number))
        found_alike += bool(
            (analysis.level_tests(trials, groups=("clickme", "salicon"), n_resamples=2000, seed=number).p < 0.05).any()
        )
    # Family-wise rate .05: six or more of twenty would happen by chance three times in ten thousand.
    assert found_alike <= 5
    differing = analysis.read_trials(simulate_study(plans, Observers(), seed=seed))
    assert (analysis.level_tests(differing, groups=("clickme", "salicon"), n_resamples=2000, seed=0).p < 0.001).any()
