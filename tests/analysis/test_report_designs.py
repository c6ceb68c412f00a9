"""The report of every design: tests, figure, tables and paragraphs, each from the same numbers."""

import csv
import json

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.writing.numbers import value_at
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv, network_rows
from tests.analysis.paragraph_numbers import NUMBER, fits, unknown

DESIGNS = {
    "one-sample": {"design": "one-sample", "groups": ("clickme",), "against": 0.6},
    "within": {"by": "factor_cue"},
    "three within": {"by": "factor_pace"},
    "three between": {"by": "factor_site", "correction": "max-t"},
    "mixed": {"by": "group*factor_cue"},
    "images": {"unit": "image"},
    "both": {"unit": "both"},
    "covariates": {"covariates": ("age",)},
}
#: Conditions drawn, comparisons, and words of the results paragraph.
EXPECTED = {
    "one-sample": (1, 1, "Accuracy of clickme was higher than 60.0% at "),
    "within": (2, 1, "Accuracy was lower for none than for valid at "),
    "three within": (3, 3, "Accuracy differed between fast, middle, and slow at "),
    "three between": (3, 3, "Accuracy differed between bonn, york, and zug at "),
    "mixed": (4, 3, "The difference in accuracy, none minus valid, was lower for clickme than for salicon at "),
    "images": (2, 1, "flips of images' paired differences"),
    "both": (2, 1, "relabellings of participants"),
    "covariates": (2, 1, "relabellings of participants"),
}


@pytest.fixture(scope="module")
def cued():
    """Two groups whose answers also depend on a cue, a pace, and the place of the laboratory, by a generator of the test."""
    frame = simulate(Design(n_per_group=15, late_share=0.02), seed=5).trials(seed=5).frame.copy()
    random = np.random.default_rng(8)
    frame["factor_cue"] = random.choice(["none", "valid"], len(frame))
    frame["factor_pace"] = random.choice(["fast", "middle", "slow"], len(frame))
    codes = frame["participant_id"].astype("category").cat.codes.to_numpy()
    frame["factor_site"] = np.array(["bonn", "york", "zug"])[codes % 3]
    frame["age"] = 20 + codes % 7
    chance = np.full(len(frame), 0.75)
    chance += np.where(frame["factor_cue"] == "none", -0.2, 0.0) * (frame["group"] == "clickme")
    chance += np.where(frame["factor_pace"] == "slow", 0.12, 0.0) + np.where(frame["factor_site"] == "zug", 0.1, 0.0)
    right = random.random(len(frame)) < np.clip(chance, 0, 1)
    frame["correct"] = np.where(frame["correct"].isna(), None, right).astype(object)
    other = {"target": "distractor", "distractor": "target"}
    truth = frame["correct_response"]
    answers = np.where(right, truth, truth.map(other))
    frame["response"] = np.where(frame["response"].isna(), frame["response"], answers)
    return frame


@pytest.fixture(scope="module")
def reports(cued, tmp_path_factory):
    made = {}

    def report_of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name.replace(" ", "_"))
            found = analysis.report(cued, folder, n_resamples=199, seed=2, **DESIGNS[name])
            made[name] = folder, json.loads((folder / "results.json").read_text(encoding="utf-8")), found
        return made[name]

    return report_of


@pytest.mark.parametrize("name", DESIGNS)
def test_every_number_of_the_text_is_in_the_results(reports, name):
    folder, results, _ = reports(name)
    text = (folder / "paragraph.txt").read_text(encoding="utf-8")
    n_names, n_pairs, words = EXPECTED[name]
    assert words in text
    assert len(NUMBER.findall(text)) > 20 and unknown(text, results) == []
    for source in analysis.paragraphs(results).sources:
        value = value_at(results, source.path)
        assert fits(source.text.rstrip("%").rstrip(","), ("text" if isinstance(value, str) else "number", value)), (
            source
        )
    assert len(results["test"]["pairs"]) == n_pairs
    assert len(results["late_share"]) == len(results["ceilings"]) == n_names
    assert (results["test"]["omnibus"] is not None) == ("three" in name)


@pytest.mark.parametrize("name", ["three within", "mixed", "one-sample"])
def test_the_tables_hold_the_tests(reports, cued, name):
    folder, results, _ = reports(name)
    tests = analysis.level_tests(cued, n_resamples=199, seed=2, **DESIGNS[name])
    for number, one in enumerate((*tests.pairs, *tests.others)):
        file = "levels.csv" if len(results["test"]["pairs"]) == 1 else f"levels_{number + 1}.csv"
        with (folder / "tables" / file).open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        written = [float(row["difference"]) for row in rows]
        assert written == pytest.approx(one.test.difference.tolist(), nan_ok=True)
        stored = [row["p_step_down"] for row in results["test"]["pairs"][number]["levels"]]
        assert stored == pytest.approx(one.test.p_step_down.tolist())
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert tests.contrast.sentence() in page


@pytest.mark.parametrize(("name", "rows"), [("one-sample", 1), ("within", 1), ("three within", 4), ("mixed", 3)])
def test_the_figure_draws_each_condition_and_marks_each_test(cued, name, rows):
    found = analysis.fig2b(cued, n_resamples=199, seed=2, **DESIGNS[name])
    axes = found.drawing.figure.axes[0]
    lines = [line for line in axes.lines if line.get_marker() in "osD^vP" and len(line.get_xdata()) > 2]
    for line, curve in zip(lines, found.shown.curves, strict=True):
        assert line.get_ydata() == pytest.approx(curve.mean[[not level.full for level in found.tests.levels]])
    letters = [text.get_text() for text in axes.texts if text.get_text() in "abcd"]
    assert letters == (list("abcd")[:rows] if rows > 1 else [])
    if name == "mixed":
        frame = cued[(cued["group"] == "salicon") & (cued["factor_cue"] == "none") & cued["level_label"].eq("full")]
        frame = frame[frame["status"] == "ok"]
        mean = frame.groupby("participant_id")["correct"].apply(lambda one: one.astype(float).mean()).mean()
        assert found.shown.names[2] == "salicon, none"
        assert found.shown.curves[2].mean[-1] == pytest.approx(mean)


def test_networks_follow_the_conditions(cued, trials):
    people = analysis.read_trials(cued)
    networks = network_rows(people)
    found = analysis.fig2b(cued, models=networks, by="factor_cue", n_resamples=99, seed=1)
    assert sorted(one.group for one in found.networks) == ["none", "valid"]
    with pytest.raises(InputError, match="networks' table must hold the conditions"):
        analysis.fig2b(cued, models=networks.drop(columns="factor_cue"), by="factor_cue", n_resamples=99, seed=1)


def test_the_verbs_take_the_design(cued, tmp_path, capsys):
    table = str(as_csv(cued, tmp_path / "cued.csv"))
    common = ["--by", "factor_pace", "--n-resamples", "99", "--seed", "1", "--json"]
    assert main(["analyse", "fig2b", table, *common, "--out", str(tmp_path / "figure")]) == 0
    figure = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figure["design"] == "within" and len(figure["omnibus"]) == 12 and len(figure["levels"]) == 36
    assert main(["analyse", "report", table, *common, "--out", str(tmp_path / "report")]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["test"]["contrast"]["conditions"] == ["fast", "middle", "slow"]
    assert (
        report["provenance"]["command"]
        == "rapidvision analyse report cued.csv --n-resamples 99 --by factor_pace --seed 1"
    )
