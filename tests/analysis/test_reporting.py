"""Reports, figures, verbs and notebooks: whole, the same on every run, and told when something is odd."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from rapidvision import analysis
from rapidvision.analysis.figures.style import FORMATS
from rapidvision.analysis.sample_size.power import calibrate, power
from rapidvision.analysis.sample_size.simulation import Design
from rapidvision.analysis.table.trials import Trials, read_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.report_results import read_results
from tests.analysis.conftest import as_csv, network_rows

FAST = ["--n-resamples", "300", "--quiet"]


def test_figures_are_the_same_bytes_on_every_run_in_all_forms(trials):
    one, two = (analysis.fig2b(trials, n_resamples=100, seed=1).drawing for _ in range(2))
    for form in FORMATS:
        assert one.to_bytes(form, dpi=80) == two.to_bytes(form, dpi=80)


@pytest.mark.parametrize(
    ("statistic", "label", "tested", "is_accuracy"),
    [
        ("participant_mean", "Categorization accuracy", "(max-T", True),
        ("dprime", "Sensitivity (d′)", "(max-T", False),
        ("response_ms", "Median response time, correct answers (ms)", "(max-T", False),
        ("late_share", "Late, early and missing answers", "(max-T", False),
    ],
)
def test_the_figure_shows_what_is_tested_inside_its_frame(
    trials, table_file, network_file, statistic, label, tested, is_accuracy
):
    found = analysis.fig2b(table_file, models=network_file, statistic=statistic, n_resamples=300, seed=1)
    main_axes, full_axes = found.drawing.figure.axes[:2]
    assert main_axes.get_ylabel() == label
    figure = found.drawing.figure
    assert any(tested in text.get_text() for text in figure.texts)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("chance (50%)" in named) == ("net" in named) == is_accuracy
    assert ("ceiling" in named) == (is_accuracy and any(one.level for one in found.ceilings))
    assert full_axes.get_visible()
    low, high = main_axes.get_ylim()
    for curve in found.tests.curves:
        assert low <= np.nanmin(curve.mean - curve.sem)
        assert np.nanmax(curve.mean + curve.sem) <= high


def test_a_report_of_response_times_draws_them(table_file, network_file, tmp_path):
    words = ["analyse", "report", str(table_file), "--models", str(network_file), "--statistic", "response_ms"]
    assert main([*words, "--seed", "1", "--out", str(tmp_path), *FAST]) == 0
    assert "Median response time, correct answers (ms) of clickme and salicon" in (tmp_path / "report.html").read_text()


def test_the_report_is_whole_and_the_same_on_every_run(table_file, network_file, tmp_path):
    for run in ("a", "b"):
        words = ["analyse", "report", str(table_file), "--models", str(network_file), "--out", str(tmp_path / run)]
        assert main([*words, "--seed", "5", *FAST]) == 0
    names = sorted(
        path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*") if path.is_file()
    )
    figures = ("fig2b", "individuals", "networks", "psychometric", "response_times")
    assert [name for name in names if name.startswith("figures/")] == [
        f"figures/{name}.{form}" for name in figures for form in ("pdf", "png", "svg")
    ]
    assert [name for name in names if "/" not in name] == [
        "paragraph.md",
        "paragraph.txt",
        "report.html",
        "results.json",
    ]
    text = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    for table in (name for name in names if name.startswith("tables/")):
        assert f'href="{table}"' in text
    levels = pd.read_csv(tmp_path / "a" / "tables" / "levels.csv")
    tests = json.loads((tmp_path / "a" / "results.json").read_text())["test"]["levels"]
    assert levels["step-down"].tolist() == [row["p_step_down"] for row in tests]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    results = json.loads((tmp_path / "a" / "results.json").read_text())
    assert msgspec.to_builtins(read_results(tmp_path / "a" / "results.json")) == results
    assert results["observer_kinds"] == ["simulated"]
    assert results["provenance"]["seed"] == 5
    assert len(results["provenance"]["inputs"]) == 2
    assert [one["label"] if "label" in one else one["level"] for one in results["test"]["levels"]][-1] == "full"
    assert {one["model"] for one in results["networks"]} == {"net"}
    assert results["compare"]["curves"][0]["evidence_rho"] is not None
    assert results["compare"]["error_consistency"][0]["kappa"] is not None
    assert results["chance"][0][-1]["p_exact"] < 0.05
    assert results["regression"] is None
    assert len(results["response_ms"]["clickme"]["mean"]) == 12
    text = (tmp_path / "a" / "report.html").read_text()
    assert "simulated participants" in text
    assert "image bootstrap" in text
    assert "http://" not in text.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_the_report_names_the_command_that_makes_it_again(table_file, tmp_path):
    words = [
        "analyse",
        "report",
        str(table_file),
        "--late",
        "half",
        "--groups",
        "salicon",
        "clickme",
        "--seed",
        "4",
        *FAST,
    ]
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    results = json.loads((tmp_path / "one" / "results.json").read_text())
    command = results["provenance"]["command"]
    assert command == (
        "rapidvision analyse report trials.csv --groups salicon clickme --late half --n-resamples 300 --seed 4"
    )
    assert command in (tmp_path / "one" / "report.html").read_text()
    again = [str(table_file) if word == table_file.name else word for word in command.split()[1:]]
    assert main([*again, "--quiet", "--out", str(tmp_path / "two")]) == 0
    for name in ("report.html", "results.json", "figures/fig2b.png"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_an_unseeded_run_prints_and_stores_its_seed(table_file, tmp_path, capsys):
    assert main(["analyse", "report", str(table_file), "--out", str(tmp_path), "--n-resamples", "200"]) == 0
    said = capsys.readouterr().out
    seed = json.loads((tmp_path / "results.json").read_text())["provenance"]["seed"]
    assert f"--seed {seed}" in said


def test_every_verb_runs_from_the_command_line(table_file, network_file, tmp_path, capsys):
    runs = (
        ["bins", str(table_file), "--out", str(tmp_path / "bins.csv"), *FAST],
        ["fig2b", str(table_file), "--out", str(tmp_path / "fig"), *FAST],
        ["curve", str(table_file), "--n-resamples", "100", "--out", str(tmp_path / "fig")],
        [
            "compare",
            str(table_file),
            str(network_file),
            "--out",
            str(tmp_path / "compare.csv"),
            "--figures",
            str(tmp_path / "fig"),
        ],
        [
            "power",
            "--n-per-group",
            "4",
            "--effects",
            "0.2",
            "--n-experiments",
            "5",
            "--n-resamples",
            "99",
            "--out",
            str(tmp_path / "fig"),
        ],
        [
            "calibrate",
            "--n-per-group",
            "4",
            "--n-experiments",
            "5",
            "--n-resamples",
            "99",
            "--out",
            str(tmp_path / "cal.csv"),
        ],
    )
    for words in runs:
        assert main(["analyse", *words, "--seed", "3"]) == 0, words
    names = {path.name for path in tmp_path.rglob("*.*")}
    assert {"bins.csv", "fig2b.pdf", "psychometric.svg", "compare.csv", "networks.pdf", "power.png", "cal.csv"} <= names
    assert "threshold of clickme minus salicon" in capsys.readouterr().out


def test_bad_input_ends_with_exit_code_two_and_one_line(table_file, capsys):
    assert main(["analyse", "bins", str(table_file), "--groups", "clickme", "salicn", "--quiet"]) == 2
    assert 'Did you mean "salicon"?' in capsys.readouterr().err
    assert main(["analyse", "bins", str(table_file), "--min-full-accuracy", "60", "--quiet"]) == 2


def test_false_positives_keep_their_promise(seed):
    found = calibrate(Design(n_per_group=15), n_experiments=200, n_resamples=400, seed=seed)
    error = found.standard_error
    assert abs(found.per_level.mean() - 0.05) < 3 * error
    for rule in ("holm", "max-t", "cluster"):
        assert found.any_level[rule] <= 0.05 + 3 * error
    assert found.any_level["uncorrected"] > 0.25


def test_power_grows_with_participants_and_effect(seed):
    table = power(n_per_group=(8, 40), effects=(0.1, 0.3), n_experiments=40, n_resamples=300, seed=seed)
    cluster = table[table["rule"] == "cluster"].set_index(["n_per_group", "effect_log10"])["power"]
    assert cluster[40, 0.3] > 0.9
    assert cluster[40, 0.3] > cluster[8, 0.1]
    with pytest.raises(InputError, match="at least one"):
        power(n_per_group=())


def test_notebooks_get_tables_and_images(trials, table_file):
    result = analysis.level_tests(trials, n_resamples=99, seed=1)
    assert "<table" in result._repr_html_()
    assert analysis.fig2b(trials, n_resamples=99, seed=1)._repr_png_()[:4] == b"\x89PNG"
    assert "trials" in read_trials(table_file)._repr_html_()
    assert set(analysis.__all__) <= set(dir(analysis))
    with pytest.raises(AttributeError):
        analysis.nothing  # noqa: B018


def test_printing_a_result_prints_its_table(trials, tmp_path):
    found = analysis.level_tests(trials, n_resamples=300, seed=1)
    lines = str(found).splitlines()
    assert lines.pop(0) == "observers: simulated"
    assert lines.pop(0).endswith("and are left out (late: exclude)")
    assert lines.pop(0) == "difference is clickme minus salicon; p is two-sided, from 300 relabellings"
    assert lines[0].split()[:2] == ["level", "clickme"]
    assert len(lines) == len(found.levels) + 1
    assert str(analysis.fig2b(trials, n_resamples=300, seed=1)) == str(found)
    assert (
        str(analysis.fit_psychometric(trials, n_resamples=50, n_bootstrap=20, seed=1)).splitlines()[2].split()[0]
        == "group"
    )
    assert not hasattr(
        analysis.fit_psychometric(trials, n_resamples=50, n_bootstrap=20, seed=1), "_repr_html_"
    )  # it is shown as its figure
    assert str(trials) == f"{trials.name}: {len(trials)} trials, 48 participants (simulated)"
    assert (
        str(analysis.report(trials, tmp_path, n_resamples=300, seed=1))
        == f"report: {tmp_path / 'report.html'} (seed 1)"
    )


def test_a_misspelt_name_is_answered_with_the_right_one():
    with pytest.raises(AttributeError, match='Did you mean "bins"'):
        analysis.bin  # noqa: B018
    assert dir(analysis)[-1] == "write_trials"
    assert "importlib" not in dir(analysis)


def test_designs_and_corrections_are_checked(trials):
    for change, says in (
        ({"n_per_group": 0}, "at least 1"),
        ({"lapse": 0.7}, "below 0.5"),
        ({"slope": 0}, "slope must"),
    ):
        with pytest.raises(InputError, match=says):
            Design(**change)
    with pytest.raises(InputError, match="correction"):
        analysis.level_tests(trials, correction="bonferoni")


def test_a_hopeless_design_is_told_before_anything_runs(trials, tmp_path, capsys):
    people = trials.frame.groupby("group")["participant_id"].unique()
    few = [who for group in people for who in group[:2]]
    path = as_csv(trials.frame[trials.frame["participant_id"].isin(few)], tmp_path / "few.csv")
    assert main(["analyse", "bins", str(path), "--n-resamples", "100", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert said.index("can never reach p <= 0.05") < said.index("p_exact")
    assert "100 relabellings are few" in said


def test_every_network_gets_a_panel_with_its_band(trials):
    both = pd.concat([network_rows(trials, "one"), network_rows(trials, "two", flip=True)], ignore_index=True)
    drawing = analysis.compare(trials, Trials(both, name="models"), seed=1).drawing
    panels = [axes for axes in drawing.figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["one", "two"]
    bands = [sum(isinstance(one, PolyCollection) for one in axes.collections) for axes in panels]
    assert bands == [2, 2]


def test_a_report_can_carry_the_regression(table_file, tmp_path):
    words = ["analyse", "report", str(table_file), "--out", str(tmp_path), "--mixed", "--seed", "1", *FAST]
    assert main(words) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["regression"]["effects"][0]["effect"] == "(intercept)"
    assert "Mixed: participants and images random" in (tmp_path / "report.html").read_text()


def test_no_verb_is_hidden_by_a_module_of_its_name():
    """Importing a module of the package sets an attribute of its name; a verb of that name would then be lost."""
    modules = {path.stem for path in Path(analysis.__file__).parent.iterdir()}
    assert not modules & set(analysis.__all__)
