"""Multiverse and preregistration: what other choices would have decided, and what was done otherwise than planned."""

import json

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.specifications import multiverse as module
from rapidvision.cli import main
from rapidvision.errors import InputError

OVER = {"late": ["exclude", "wrong"], "correction": ["step-down", "none"], "exclusion": ["none", "max_late_share:0.15"]}


def test_every_analysis_is_that_of_the_test_itself(trials):
    found = analysis.multiverse(trials, over=OVER, n_resamples=300, seed=1)
    assert len(found.specifications) == 8
    for at, one in enumerate(found.specifications):
        left = analysis.exclude(trials, one.rules()).trials
        alone = analysis.level_tests(left, late=one.late, correction=one.correction, n_resamples=300, seed=1)
        assert np.array_equal(found.p[at], alone.p, equal_nan=True)
        assert np.array_equal(found.difference[at], alone.test.difference)


def test_the_counts_are_those_of_the_decisions(trials):
    found = analysis.multiverse(trials, over=OVER, n_resamples=300, seed=1)
    same = [bool((row == found.decisions[0]).all()) for row in found.decisions]
    assert found.to_frame()["same_everywhere"].tolist() == same
    assert found.levels_frame()["same"].max() == 8
    assert f"{sum(found.same_answer)} of 8 analyses give the same answer" in found.sentence()
    assert found._repr_png_()[:4] == b"\x89PNG"


def test_an_interrupted_run_continues_and_a_second_one_reads(trials, tmp_path, monkeypatch):
    whole = analysis.multiverse(trials, over=OVER, n_resamples=99, seed=1)
    real, calls = module.level_tests, []

    def stopping(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(module, "level_tests", stopping)
    with pytest.raises(KeyboardInterrupt):
        analysis.multiverse(trials, over=OVER, n_resamples=99, seed=1, cache=tmp_path)
    found = analysis.multiverse(trials, over=OVER, n_resamples=99, seed=1, cache=tmp_path)
    assert len(calls) == 5  # two kept, one interrupted, two left
    again = analysis.multiverse(trials, over=OVER, n_resamples=99, seed=1, cache=tmp_path)
    assert len(calls) == 5
    for one in (found, again):
        assert one.to_frame().equals(whole.to_frame())
    analysis.multiverse(trials, over=OVER, n_resamples=99, seed=2, cache=tmp_path)
    assert len(calls) == 9


def test_other_data_are_not_found_in_the_cache(trials, tmp_path):
    one = analysis.multiverse(trials, over={"late": []}, n_resamples=99, seed=1, cache=tmp_path)
    half = trials.keep((trials.frame["trial"] < 40).to_numpy(), "half of the trials")
    other = analysis.multiverse(half, over={"late": []}, n_resamples=99, seed=1, cache=tmp_path)
    assert not np.array_equal(one.difference, other.difference)


def test_what_the_table_does_not_allow_is_counted(trials):
    found = analysis.multiverse(trials, over={"exclusion": ["max_late_share:0"]}, n_resamples=99, seed=1)
    assert len(found.specifications) == 1
    assert found.notes[0].startswith("1 of 2 analyses were not computed: ")
    for change, says in (
        ({"lates": ["wrong"]}, 'Did you mean "late"'),
        ({"correction": ["holmes"]}, 'Did you mean "holm"'),
        ({"exclusion": ["max_late:0.2"]}, 'Did you mean "max_late_share"'),
        ({"exclusion": ["max_late_share:much"]}, "NAME:VALUE"),
    ):
        with pytest.raises(InputError, match=says):
            analysis.multiverse(trials, over=change, n_resamples=99, seed=1)


def test_the_verb_writes_tables_and_curve(table_file, tmp_path):
    words = [
        "analyse",
        "multiverse",
        str(table_file),
        "--over",
        "late=exclude,wrong",
        "--seed",
        "1",
        "--n-resamples",
        "99",
    ]
    assert main([*words, "--out", str(tmp_path), "--quiet"]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"multiverse.csv", "multiverse_levels.csv", "multiverse.pdf", "multiverse.png", "multiverse.svg"} <= names
    assert main([*words[:4], "late", "--out", str(tmp_path)]) == 2


def test_a_report_as_planned_has_no_deviation_and_another_names_each(table_file, tmp_path):
    words = ["analyse", "prereg", "--groups", "clickme", "salicon", "--n-per-group", "24", "--seed", "4"]
    assert main([*words, "--n-resamples", "200", "--out", str(tmp_path), "--quiet"]) == 0
    run = [
        "analyse",
        "report",
        str(table_file),
        "--prereg",
        str(tmp_path / "prereg.toml"),
        "--n-resamples",
        "200",
        "--quiet",
    ]
    assert main([*run, "--seed", "4", "--out", str(tmp_path / "a")]) == 0
    assert json.loads((tmp_path / "a" / "results.json").read_text())["prereg"]["deviations"] == []
    assert "No deviation" in (tmp_path / "a" / "report.html").read_text()
    other = ["--seed", "5", "--late", "wrong", "--groups", "salicon", "clickme", "--max-late-share", "0.5"]
    assert main([*run, *other, "--out", str(tmp_path / "b")]) == 0
    found = json.loads((tmp_path / "b" / "results.json").read_text())["prereg"]["deviations"]
    assert [one["what"] for one in found] == [
        "conditions, first minus second", "late, early and missing answers", "seed", "exclusions",
    ]  # fmt: skip
    assert (found[3]["planned"], found[3]["done"]) == ("none", "max_late_share:0.5")
    assert len((tmp_path / "b" / "tables" / "deviations.csv").read_text().splitlines()) == 5


def test_a_changed_plan_is_refused_and_a_written_one_is_kept(tmp_path):
    plan = analysis.preregister(["a", "b"], n={"a": 20, "b": 30}, seed=1, out=tmp_path)
    assert analysis.read_preregistration(tmp_path) == plan
    with pytest.raises(InputError, match="another plan"):
        analysis.preregister(["a", "b"], n={"a": 20, "b": 31}, seed=1, out=tmp_path)
    path = tmp_path / "prereg.toml"
    path.write_text(path.read_text().replace("a = 20", "a = 19"))
    with pytest.raises(InputError, match="changed after it was written"):
        analysis.read_preregistration(path)


def test_power_of_the_plan_is_that_of_the_simulation():
    plan = analysis.preregister(["a", "b"], n={"a": 12, "b": 15}, seed=1, effect=0.3, n_experiments=20)
    table = analysis.power(n_per_group=[12], effects=[0.3], n_experiments=20, seed=1).set_index("rule")
    assert plan.power.power == table.loc["max-t", "power"]
    for change, says in (
        ({"n": {"a": 1, "b": 5}}, "at least 2"),
        ({"n": {"a": 5, "b": 5, "c": 5}}, "no condition"),
        ({"alpha": 2.0}, "alpha: got 2"),
        ({"correction": "bh", "effect": 0.2}, "none is simulated"),
    ):
        with pytest.raises(InputError, match=says):
            analysis.preregister(["a", "b"], **{"n": {"a": 5, "b": 5}, "seed": 1, **change})


def test_within_participants_the_effect_stands_on_their_differences(trials):
    frame = trials.frame.copy()
    frame["factor_cue"] = np.where(np.arange(len(frame)) % 3 == 0, "none", "valid")
    found = analysis.multiverse(
        frame, over={"correction": ["holm"]}, by="factor_cue", late="wrong", n_resamples=99, seed=1
    )
    right = frame["correct"].eq(True) & frame["status"].eq("ok")
    cells = right.groupby([frame["participant_id"], frame["level_index"], frame["factor_cue"]]).mean().unstack()
    gaps = (cells["none"] - cells["valid"]).unstack()
    expected = gaps.mean() / (gaps.std(ddof=1) / np.sqrt(gaps.notna().sum()))
    assert found.effect[0] == pytest.approx(expected.mean(), rel=1e-9)
