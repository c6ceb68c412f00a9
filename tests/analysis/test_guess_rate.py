"""The guess rate is what the table shows or the user states; where it is unknown nothing stands on it."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from rapidvision import analysis
from rapidvision.analysis.comparison import compare
from rapidvision.analysis.fits.psychometric import fit, most_lapse
from rapidvision.analysis.reporting.basis.fig2b_panel import fig2b
from rapidvision.analysis.reporting.build import report
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.imports import import_trials
from rapidvision.analysis.table.trials import read_trials, write_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv
from tests.analysis.foreign_tables import COLUMNS, FRAME, KEYS, ONLY

PERCENT = {"level_unit": "percent"}
X = np.append(np.linspace(0, 2, 11), np.inf)


def imported(folder, frame=FRAME, columns=COLUMNS, **options):
    """Write by pandas, import, write the trials table and read it again."""
    frame.to_csv(folder / "theirs.csv", index=False)
    columns = dict.fromkeys(("target", "response", "correct"), "") | columns  # what is not named is not looked for
    write_trials(folder / "ours.csv", import_trials("csv", folder / "theirs.csv", columns=columns, **options))
    return read_trials(folder / "ours.csv")


def four_answers(frame):
    """Targets have two names, distractors another two."""
    two = frame["picture"].str[3:5].astype(int) % 4 < 2
    names = {("s", True): "cat", ("s", False): "dog", ("l", True): "bus", ("l", False): "cup"}
    return frame.assign(pressed=[names[pair] for pair in zip(frame["pressed"], two, strict=True)])


FOUR = {"targets": ["cat", "dog"], "distractors": ["bus", "cup"]}
LEVEL = ONLY | {"level": "level", "image": "", "category": "", "response_ms": ""}


@pytest.mark.parametrize(
    ("change", "columns", "options", "rate"),
    [
        (None, COLUMNS, KEYS, 0.5),
        (None, {name: column for name, column in COLUMNS.items() if name != "target"}, KEYS, 0.5),
        (four_answers, COLUMNS, FOUR, None),
        (None, ONLY, {}, None),
        (None, {name: column for name, column in COLUMNS.items() if name != "response"}, {}, None),
    ],
    ids=["two keys", "two keys and correctness", "four answers", "accuracy alone", "truth and correctness"],
)
def test_one_half_is_known_only_where_two_answers_are_seen(tmp_path, change, columns, options, rate):
    trials = imported(tmp_path, change(FRAME) if change else FRAME, columns, **options)
    assert cells(trials).guess == rate
    stated = cells(trials.guessing(0.25))
    assert stated.guess == 0.25
    assert stated.notes[-1].startswith("WARNING" if rate else "guess rate 0.25, as stated")


def test_the_suites_own_plans_have_two_answers(trials, table_file):
    assert cells(trials).guess == cells(read_trials(table_file)).guess == 0.5


def test_a_wrong_answer_of_many_tells_neither_answer_nor_truth(tmp_path):
    without = {name: column for name, column in COLUMNS.items() if name != "response"}
    assert imported(tmp_path, columns=without).frame["response"].isna().all()
    # "cat" for a dog is wrong, though both are targets
    frame = four_answers(FRAME)
    wrong = frame.index[frame["pressed"] == "cat"][0]
    frame.loc[wrong, "right"] = 0
    without = {name: column for name, column in COLUMNS.items() if name != "target"}
    found = imported(tmp_path, frame, without, **FOUR)
    assert found.frame["target"].isna().all()
    assert found.frame["correct"].tolist() == frame["right"].astype(bool).tolist()


@pytest.mark.parametrize("rate", [-0.1, 1.0, 50.0, float("nan")])
def test_a_rate_that_is_no_share_is_refused(trials, table_file, rate, capsys):
    with pytest.raises(InputError, match="allowed is a share from 0 to below 1"):
        trials.guessing(rate)
    assert main(["analyse", "chance", str(table_file), "--guess", str(rate), "--seed", "1"]) == 2
    assert "from 0 to below 1" in capsys.readouterr().err


@pytest.mark.parametrize("rate", [1 / 16, 0.25, 0.7])
def test_against_any_rate_chance_is_the_exact_binomial_tail(tmp_path, rate):
    trials = imported(tmp_path, columns=ONLY | {"level": "level"})
    for found in analysis.chance(trials, n_resamples=20, seed=1, guess=rate).tests:
        assert found.method == "binomial"
        rows = FRAME[FRAME["condition"] == found.group]
        for level, p in zip(found.levels, found.p_exact, strict=True):
            right = rows.loc[rows["level"] == float(level.label), "right"]
            expected = binomtest(int(right.sum()), len(right), rate, alternative="greater").pvalue
            assert p == pytest.approx(expected, rel=1e-9)


def test_groups_that_guess_among_four_are_called_above_chance_at_the_stated_rate(seed):
    """Against one half they never would be, and against sign flips of skewed shares the rate is not known."""
    from rapidvision.analysis.inference.above_chance import chance_test
    from rapidvision.analysis.table.accuracy import Cells, Level

    rng = np.random.default_rng(seed)
    trials = np.full((8, 1), 6)
    level = (Level(0, "10", 10.0, 10.0),)
    hits = 0
    for _ in range(1000):
        right = rng.binomial(6, 0.25, (8, 1))
        table = Cells(
            tuple("abcdefgh"), np.array(["x"] * 8), level, 2 * right, trials, 0 * trials, trials, "exclude", guess=0.25
        )
        hits += chance_test(table, "x", n_resamples=1, seed=1).p_exact[0] <= 0.05
    assert 0.02 < hits / 1000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_what_no_rate_allows_is_refused(trials):
    with pytest.raises(InputError, match="guess rate 0: a single right answer"):
        analysis.chance(trials, guess=0.0, seed=1)
    with pytest.raises(InputError, match="half correct, which is not what a guess rate of 0.25"):
        analysis.chance(trials, guess=0.25, late="half", seed=1)


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 0.8])
def test_known_parameters_come_back_at_any_rate(rate):
    lapse = 0.2 * (1 - rate)
    share = rate + (1 - rate - lapse) / (1 + np.exp(-6 * (np.where(np.isfinite(X), X, 1e3) - 1.3)))
    found = fit(X, 50_000 * share[None], np.full((1, 12), 50_000.0), guess=rate)
    assert found.threshold[0] == pytest.approx(1.3, abs=0.005)
    assert found.slope[0] == pytest.approx(6, rel=0.02)
    assert found.lapse[0] == pytest.approx(lapse, abs=0.005)
    assert lapse < most_lapse(rate) <= (1 - rate) / 2


def test_the_chance_line_stands_where_the_rate_is_known(trials, tmp_path):
    def words(drawing):
        legends = [*drawing.figure.legends, *(axes.get_legend() for axes in drawing.figure.axes)]
        return " ".join(text.get_text() for legend in legends if legend for text in legend.get_texts())

    def lines(drawing):
        return {line.get_ydata()[0] for axes in drawing.figure.axes for line in axes.lines if line.get_alpha() is None
                and len(set(line.get_ydata())) == 1 and line.get_color() == "#999999"}  # fmt: skip

    known = fig2b(trials, n_resamples=20, seed=1).drawing
    assert "chance" in words(known)
    assert lines(known) == {0.5}
    alone = imported(tmp_path, columns=LEVEL, **PERCENT)
    assert "chance" not in words(fig2b(alone, n_resamples=20, seed=1).drawing)
    assert lines(fig2b(alone, n_resamples=20, seed=1).drawing) == set()
    stated = fig2b(alone.guessing(0.25), n_resamples=20, seed=1).drawing
    assert lines(stated) == {0.25}
    assert stated.figure.axes[0].get_ylim()[0] < 0.25


def test_curves_need_a_rate_and_take_any(tmp_path):
    alone = imported(tmp_path, columns=LEVEL, **PERCENT)
    with pytest.raises(InputError, match=r"curve: the guess rate is unknown.*--guess 0\.25"):
        analysis.fit_psychometric(alone, n_resamples=20, n_bootstrap=20, seed=1)
    quarter, half = (
        analysis.fit_psychometric(alone, n_resamples=20, n_bootstrap=20, seed=1, guess=rate) for rate in (0.25, 0.5)
    )
    assert quarter.fits[0].fit.guess == 0.25
    assert quarter.fits[1].value != half.fits[1].value


ACCURACY_TABLES = {
    "levels in per cent": (FRAME, LEVEL | {"response_ms": "rt_ms"}, PERCENT),
    "no times": (FRAME, LEVEL, PERCENT),
    "levels in words": (FRAME.assign(level=FRAME["level"].map({2.5: "low", 10.0: "mid", 40.0: "high"})), LEVEL, {}),
    "one level": (FRAME, LEVEL | {"level": ""}, {}),
    "two levels": (FRAME[FRAME["level"] > 5], LEVEL, PERCENT),
    "an intact image": (FRAME.assign(level=FRAME["level"].replace(40.0, "full")), LEVEL, PERCENT),
}


@pytest.mark.parametrize("rate", [None, 0.25])
@pytest.mark.parametrize("name", ACCURACY_TABLES)
def test_a_report_on_accuracy_alone_is_written_and_says_what_it_lacks(tmp_path, name, rate):
    frame, columns, options = ACCURACY_TABLES[name]
    trials = imported(tmp_path, frame, columns, **options)
    found = report(trials, tmp_path / "out", n_resamples=50, seed=1, mixed=True, guess=rate)
    page = found.html.read_text(encoding="utf-8")
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["guess"] == rate
    lacking = results["not_computed"]
    assert "image" in lacking["regression"] or "no number" in lacking["regression"]
    for why in lacking.values():
        assert f"Not computed. {why[:30]}" in page
    if rate is None:
        assert "--guess 0.5 for two answers" in lacking["test against chance"]
        assert "--guess" in lacking["thresholds"]
        assert "Dashed grey" not in page
    else:
        assert "test against chance" not in lacking
        assert ("thresholds" in lacking) == (name in ("levels in words", "one level", "two levels"))
        assert "chance (25%)" in page
    truth = frame.groupby("condition")["right"].mean() if name == "one level" else None
    if truth is not None:
        assert results["test"]["levels"][0]["parts"] == pytest.approx(truth["parts"])


def test_networks_are_compared_without_thresholds_where_the_rate_is_unknown(trials, network_file):
    unknown = trials.frame.assign(correct_response=None)
    found = compare(type(trials)(unknown, name="own.csv"), network_file, seed=1)
    assert all(np.isnan(gap.threshold_difference) for gap in found.gaps)
    assert all(np.isfinite(gap.rmse) and np.isfinite(gap.area) for gap in found.gaps)
    assert "no thresholds: thresholds: the guess rate is unknown" in found.notes[-1]
    known = compare(trials, network_file, seed=1)
    assert [gap.rmse for gap in known.gaps] == [gap.rmse for gap in found.gaps]
    assert all(np.isfinite(gap.threshold_difference) for gap in known.gaps)


def test_the_command_line_states_the_rate_for_every_verb_that_needs_it(trials, network_file, tmp_path):
    path = as_csv(trials.frame.assign(correct_response=None), tmp_path / "own.csv")
    few = ["--guess", "0.25", "--seed", "1", "--quiet"]
    assert main(["analyse", "chance", str(path), *few]) == 0
    assert main(["analyse", "chance", str(path), "--seed", "1", "--quiet"]) == 2
    assert main(["analyse", "curve", str(path), "--n-resamples", "50", *few]) == 0
    assert main(["analyse", "fig2b", str(path), "--n-resamples", "50", "--out", str(tmp_path / "f"), *few]) == 0
    assert main(["analyse", "compare", str(path), str(network_file), *few]) == 0
    assert main(["analyse", "report", str(path), "--n-resamples", "50", "--out", str(tmp_path / "r"), *few]) == 0
    results = json.loads((tmp_path / "r" / "results.json").read_text(encoding="utf-8"))
    assert results["guess"] == 0.25
    assert "--guess 0.25" in results["provenance"]["command"]
