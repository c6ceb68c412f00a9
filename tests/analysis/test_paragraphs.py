"""The paragraphs for the paper: every number that they hold is in ``results.json``."""

import copy
import json

import pytest

from rapidvision import analysis
from rapidvision.analysis.writing.numbers import value_at
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.paragraph_numbers import NUMBER, fits, unknown


@pytest.fixture(scope="module")
def written(tmp_path_factory, trials):
    folder = tmp_path_factory.mktemp("report")
    found = analysis.report(trials, folder, n_resamples=400, seed=3)
    return folder, json.loads((folder / "results.json").read_text()), found


def test_every_number_of_the_text_is_in_the_results(written):
    folder, results, _ = written
    text = (folder / "paragraph.txt").read_text(encoding="utf-8")
    assert len(NUMBER.findall(text)) > 30
    assert unknown(text, results) == []


def test_the_parser_finds_a_number_that_is_not_there():
    assert unknown("p = .7391; n = 4,444", {"p": 0.7381, "n": 4443}) == [".7391", "4,444"]
    assert unknown("91.6% and p < .001", {"share": 0.9162, "p": 2e-5}) == []


def test_every_number_names_its_place_and_follows_it(written):
    _, results, _ = written
    found = analysis.paragraphs(results)
    for source in found.sources:
        token = source.text.rstrip("%").rstrip(",")
        value = value_at(results, source.path)
        leaf = ("text", value) if isinstance(value, str) else ("number", value)
        assert fits(token, leaf), source
    changed = copy.deepcopy(results)
    changed["test"]["pairs"][0]["n"] = [71, 73]
    assert "n = 71 and 73" in analysis.paragraphs(changed).results


def test_the_text_says_test_sides_correction_and_sizes(written):
    _, results, _ = written
    text = analysis.paragraphs(results).results
    assert "400 relabellings of participants" in text
    assert "two-sided, corrected over 12 levels by step-down max-T; n = 24 and 24" in text
    assert text.count("higher for clickme than for salicon") == 1


def test_signs_decide_who_is_higher(written):
    _, results, _ = written
    changed = copy.deepcopy(results)
    for row in changed["test"]["pairs"][0]["levels"]:
        row["difference"], row["p_step_down"] = -0.2, 0.01
    changed["test"]["pairs"][0]["clusters"] = []
    text = analysis.paragraphs(changed).results
    assert "lower for clickme than for salicon" in text
    assert "higher for clickme" not in text
    for row in changed["test"]["pairs"][0]["levels"]:
        row["p_step_down"] = 0.2
    assert "differed at no level (all p ≥ .200" in analysis.paragraphs(changed).results


def test_exclusions_stand_in_the_methods(trials, tmp_path):
    rules = analysis.Rules(max_late_share=0.2, min_full_accuracy=0.5)
    found = analysis.report(trials, tmp_path, rules=rules, n_resamples=99, seed=1)
    text = (tmp_path / "paragraph.txt").read_text(encoding="utf-8")
    assert "Rule for exclusion: accuracy with intact images below 0.5" in text
    assert unknown(text, found.results) == []


def test_networks_and_other_statistics_are_written_too(table_file, network_file, tmp_path):
    found = analysis.report(table_file, tmp_path / "a", models=network_file, n_resamples=99, seed=1)
    text = (tmp_path / "a" / "paragraph.txt").read_text(encoding="utf-8")
    assert "Participants (clickme) minus net was" in text
    assert unknown(text, found.results) == []
    for statistic in ("dprime", "response_ms"):
        found = analysis.report(table_file, tmp_path / statistic, statistic=statistic, n_resamples=99, seed=1)
        assert unknown((tmp_path / statistic / "paragraph.txt").read_text(encoding="utf-8"), found.results) == []


def test_the_verb_prints_the_same_text(written, capsys):
    folder, _, _ = written
    assert main(["analyse", "paragraph", str(folder)]) == 0
    assert capsys.readouterr().out == (folder / "paragraph.txt").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no such file"):
        analysis.paragraphs(folder / "other.json")
