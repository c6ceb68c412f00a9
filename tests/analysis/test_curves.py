"""Curves, their ceilings, and networks held against them: by hand, and with observers whose truth is known."""

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.inference.ceiling import ceiling
from rapidvision.analysis.models.consistency import error_consistency
from rapidvision.analysis.models.curves import network_curves
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.table.accuracy import Level, cells, curve_of
from rapidvision.analysis.table.trials import Trials
from rapidvision.errors import InputError
from tests.analysis.conftest import network_rows


def test_a_curve_is_the_mean_of_participants_and_its_standard_error():
    found = curve_of(np.array([[0.5, np.nan], [1.0, 0.5], [0.75, np.nan]]))
    assert found.mean.tolist() == [0.75, 0.5]
    assert found.sem[0] == pytest.approx(0.25 / np.sqrt(3))
    assert np.isnan(found.sem[1])
    assert found.n.tolist() == [3, 1]


def test_the_ceiling_is_where_the_curve_is_flat(seed):
    design = Design(n_per_group=200, thresholds=(0.8, 1.6), slope=8, sd_participant=0, sd_image=0, late_share=0)
    table = simulate(design, seed=seed).cells()
    early, late = (ceiling(table, group, n_resamples=2000, seed=seed) for group in design.groups)
    truth = [0.95 - (0.5 + 0.45 / (1 + np.exp(-8 * (x - 0.8)))) for x in design.log_percent[:-1]]
    first_true = next(i for i, gap in enumerate(truth) if gap < 0.05)
    assert early.level.index in (first_true, first_true + 1)
    assert late.level is None or late.level.index > early.level.index
    assert "% of the pixels" in early.sentence()


def test_small_samples_are_not_rewarded_with_an_early_ceiling(seed):
    """With five participants nothing can be shown, and the rule says so where the naive rule declares a ceiling."""
    design = Design(n_per_group=5, thresholds=(1.3, 1.3), sd_participant=0.3, sd_image=0.3)
    results = [
        ceiling(simulate(design, seed=seed, number=i).cells(), "clickme", n_resamples=500, seed=1) for i in range(40)
    ]
    far_below = 8  # 40 %: still more than five points below the intact image
    ours = sum(one.level is not None and one.level.index < far_below for one in results)
    naive = sum(one.naive_level is not None and one.naive_level.index < far_below for one in results)
    assert ours <= 2
    assert naive > 5


def test_a_ceiling_needs_intact_images_and_a_sensible_margin(trials):
    table = cells(trials)
    with pytest.raises(InputError, match="5 points"):
        ceiling(table, "clickme", margin=5)
    partial = Trials(trials.frame[trials.frame["level_label"] != "full"])
    with pytest.raises(InputError, match="no intact images"):
        ceiling(cells(partial), "clickme")


def test_a_network_never_gets_a_participants_error_bar(trials):
    levels = cells(trials).levels
    net = Trials(network_rows(trials), name="models")
    curves = network_curves(net, levels, seed=1)
    assert [one.group for one in curves] == ["clickme", "salicon"]
    assert all(one.deterministic for one in curves)
    assert "image bootstrap" in curves[0].bar
    assert "no bar" in network_curves(net, levels, seed=1, n_bootstrap=0)[0].bar
    rows = net.frame[(net.frame["group"] == "clickme") & (net.frame["level_index"] == 3)]
    assert curves[0].mean[3] == pytest.approx(rows["correct"].mean())
    with pytest.raises(InputError, match="no network answered"):
        network_curves(trials, levels, seed=1)
    with pytest.raises(InputError, match="same study"):
        network_curves(net, (Level(0, "7", 7.0, 1.0),), seed=1)


def test_kappa_by_hand():
    found = error_consistency([1, 1, 1, 0], [1, 1, 0, 0], seed=1)
    assert found.observed == 0.75
    assert found.expected == pytest.approx(0.75 * 0.5 + 0.25 * 0.5)
    assert found.kappa == pytest.approx(0.5)
    assert error_consistency([1, 1], [1, 1]).kappa == 1
    with pytest.raises(InputError, match="same trials"):
        error_consistency([1], [1, 0])


def test_comparison_finds_the_better_network(trials):
    good = network_rows(trials, "good")
    good["correct"] = True
    good["response"] = np.where(good["target"], "target", "distractor")
    found = analysis.compare(trials, Trials(good, name="models"), seed=1)
    table = found.to_frame()
    assert (table["threshold_difference_log10"] < -0.2).all()
    assert (table["area_human_minus_model"] < 0).all()
    assert (table["rmse"] > table["noise_ceiling"]).all()
