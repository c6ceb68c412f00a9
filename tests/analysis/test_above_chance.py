"""Accuracy against chance, the regression's three forms, and the strategy tests of the game."""

import itertools

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.inference.above_chance import chance_test
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.trials import Trials
from rapidvision.cli import main
from rapidvision.errors import InputError


def test_the_exact_p_counts_every_flip(seed):
    table = simulate(Design(n_per_group=7, late_share=0.3), seed=seed).cells()
    test = chance_test(table, "clickme", n_resamples=2000, seed=seed)
    distance = table.accuracy[table.of("clickme")] - 0.5
    for level in range(len(table.levels)):
        d = distance[np.isfinite(distance[:, level]), level]
        flips = np.array(list(itertools.product((1, -1), repeat=len(d))))
        assert test.p_exact[level] == pytest.approx(np.mean(flips @ d >= d.sum() - 1e-12))
        assert abs(test.p[level] - test.p_exact[level]) < 5 * np.sqrt(0.25 / 2000)


def test_levels_without_any_information_stay_at_chance_and_clear_ones_do_not(seed):
    design = Design(n_per_group=40, thresholds=(1.2, 1.2), slope=9, sd_participant=0, sd_image=0)
    test = chance_test(simulate(design, seed=seed).cells(), "clickme", seed=seed)
    assert test.p_holm[0] > 0.05
    assert (test.p_holm[7:] < 1e-6).all()
    assert "above chance from" in test.sentence()


def test_a_group_that_guesses_is_said_to_guess(seed):
    design = Design(n_per_group=10, thresholds=(9, 9), lapse=0.49)
    assert "not above chance" in chance_test(simulate(design, seed=seed).cells(), "salicon", seed=seed).sentence()


def test_a_group_too_small_to_be_above_chance_is_told_so(seed):
    sentence = chance_test(simulate(Design(n_per_group=4), seed=seed).cells(), "clickme", seed=seed).sentence()
    assert "4 participants reach no p below 0.0625, and 12 levels are corrected to 0.75" in sentence


def test_mixed_gee_and_glm_see_the_same_effect(trials):
    found = analysis.fit_mixed(trials, groups=("clickme", "salicon"))
    table = found.to_frame().set_index("effect")
    assert table.loc["clickme", "estimate"] > 0
    for kind in ("gee", "glm"):
        assert table.loc["clickme", kind] == pytest.approx(table.loc["clickme", "estimate"], abs=0.15)
    assert f"{found.mixed.n} trials" in found.sentence()
    assert "<table" in found._repr_html_()


def test_a_regression_needs_levels_with_a_place_on_the_axis(trials):
    full = Trials(trials.frame[trials.frame["level_label"] == "full"])
    with pytest.raises(InputError, match="place on an axis"):
        analysis.fit_mixed(full)


def test_chance_and_mixed_run_from_the_command_line(table_file, tmp_path, capsys):
    words = [
        "analyse",
        "chance",
        str(table_file),
        "--out",
        str(tmp_path / "chance.csv"),
        "--n-resamples",
        "200",
        "--seed",
        "1",
    ]
    assert main(words) == 0
    assert main(["analyse", "mixed", str(table_file), "--guess", "0.5", "--out", str(tmp_path / "mixed.csv")]) == 0
    said = capsys.readouterr().out
    assert "above chance" in said
    assert "guess rate 0.5" in said
    assert len((tmp_path / "chance.csv").read_text().splitlines()) == 2 * len(cells_levels(table_file)) + 1
    assert "gee_se" in (tmp_path / "mixed.csv").read_text()


def cells_levels(path):
    return cells(analysis.read_trials(path)).levels
