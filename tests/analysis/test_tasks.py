"""Tables of any task: columns of the protocol are kept, chance follows the options, and d' is for two answers."""

import msgspec
import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis.models.evidence import evidence_correlation
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.exclusions import Rules, exclude
from rapidvision.analysis.table.statistics import columns_of
from rapidvision.analysis.table.trials import read_trials, write_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.protocol_file import preset
from rapidvision.formats.trials_columns import write_description
from rapidvision.formats.trials_table import read_table, write_table
from rapidvision.trials import TrialRecord
from tests.analysis.conftest import network_rows

SIXTEEN = tuple(option.name for option in preset("sixteen-way").response.options)
MORE = {"confidence": 3, "confidence_ms": 812.25, "factor_cue": "animal", "factor_catch": True, "mask_planned_ms": 80}


def record(trial, *, right, response, person=0, level=0, **more):
    """A row of a person whose task has any options."""
    known = {
        "study_id": "own", "session_id": f"s{person}", "participant_id": f"p{person}", "observer": "human",
        "observer_kind": "human", "group": "ab"[person % 2], "slot": person, "phase": "main", "block": 0,
        "trial": trial, "image_id": f"i{trial}", "stimulus_sha256": f"{trial:064d}", "category": right,
        "target": right in ("bear", "bird", "cat", "dog", "elephant", "yes", "go"), "map_source": "clickme",
        "level_index": level, "level_label": ("10", "full")[level], "reveal_fraction": (0.1, None)[level],
        "revealed_px": (100, 4096)[level], "correct_response": right, "response": response, "input": f"area:{response}",
        "correct": None if response == "none" else right == response, "response_ms": 640.5, "status": "ok",
        "late_refreshes": 0, "refresh_hz": 60.0,
    }  # fmt: skip
    return TrialRecord(**known | more)


def choices(options, rng, n_people=6, n_trials=64, p=(0.4, 0.9)):
    """Rows of people who know the answer with a probability per level, and else guess among the options."""
    rows = []
    for person in range(n_people):
        for trial in range(n_trials):
            right, level = options[trial % len(options)], trial // len(options) % 2
            known = rng.random() < p[level]
            response = right if known else options[rng.integers(len(options))]
            rows.append(record(trial, right=right, response=response, person=person, level=level))
    return rows


@pytest.fixture
def sixteen(seed):
    return choices(SIXTEEN, np.random.default_rng(seed))


# Columns of the protocol.


def with_more():
    rows = [record(trial, right="yes", response="no", more=dict(MORE)) for trial in range(3)]
    rows[1] = msgspec.structs.replace(rows[1], more=dict.fromkeys(MORE))
    return rows


def test_columns_of_the_protocol_come_back_from_a_file(tmp_path):
    write_table(tmp_path / "trials.csv", with_more())
    trials = read_trials(tmp_path / "trials.csv")
    assert list(trials.frame.columns[-5:]) == list(MORE)
    assert trials.frame["confidence"].tolist() == [3, pd.NA, 3]
    assert [str(trials.frame[name].dtype) for name in MORE if name != "factor_cue"] == [
        "Int64",
        "float64",
        "boolean",
        "Int64",
    ]
    assert trials.frame["factor_cue"].tolist()[::2] == ["animal", "animal"]
    write_trials(tmp_path / "again.csv", trials)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "trials.csv").read_bytes()
    assert read_table(tmp_path / "again.csv") == with_more()


def test_columns_of_the_protocol_come_back_from_records_and_frames(tmp_path):
    of_records = read_trials(with_more())
    write_table(tmp_path / "trials.csv", with_more())
    for found in (read_trials(of_records.frame), read_trials(tmp_path / "trials.csv")):
        pd.testing.assert_frame_equal(found.frame[list(MORE)], of_records.frame[list(MORE)])
    pytest.importorskip("pyarrow")
    of_records.frame.to_parquet(tmp_path / "trials.parquet")
    again = read_trials(tmp_path / "trials.parquet")
    pd.testing.assert_frame_equal(again.frame[list(MORE)], of_records.frame[list(MORE)])


def test_columns_of_the_protocol_survive_a_spreadsheet_with_decimal_commas(tmp_path):
    write_table(tmp_path / "trials.csv", with_more())
    text = (tmp_path / "trials.csv").read_text()
    lines = [line.replace(",", ";").replace(".", ",") for line in text.splitlines()]
    words = {"true": "WAHR", "false": "FALSCH"}
    saved = "\n".join(";".join(words.get(cell, cell) for cell in line.split(";")) for line in lines) + "\n"
    (tmp_path / "saved.csv").write_text(saved)
    found = read_trials(tmp_path / "saved.csv")
    pd.testing.assert_frame_equal(found.frame[list(MORE)], read_trials(tmp_path / "trials.csv").frame[list(MORE)])


def test_a_column_that_cannot_be_one_of_a_protocol_is_named(tmp_path):
    write_table(tmp_path / "trials.csv", with_more())
    text = (tmp_path / "trials.csv").read_text().replace("confidence_ms", "Confidence ms", 1)
    (tmp_path / "trials.csv").write_text(text)
    with pytest.raises(InputError, match='a column is named "Confidence ms"'):
        read_trials(tmp_path / "trials.csv")


# Selection by a column of the protocol.


def test_an_analysis_counts_the_rows_of_one_condition(trials, tmp_path, capsys):
    frame = trials.frame.assign(factor_deadline=np.where(trials.frame["trial"] % 2, 400, 1200))
    table = read_trials(frame)
    short = table.select(where=("factor_deadline=400",))
    assert set(short.people()["trial"] % 2) == {1}
    assert len(short.people()) * 2 == len(table.people())
    assert "are others than factor_deadline=400 and are left out" in " ".join(cells(short).notes)
    assert len(table.select(where=("factor_deadline=400", "factor_deadline=1200")).people()) == len(table.people())
    both = table.select(where=("factor_deadline=400", "target=true"))
    assert set(both.people()["target"]) == {True}
    write_trials(tmp_path / "t.csv", table)
    words = ["analyse", "bins", str(tmp_path / "t.csv"), "--n-resamples", "50", "--seed", "1", "--quiet"]
    assert main([*words, "--where", "factor_deadline=400"]) == 0
    assert "factor_deadline=400" in capsys.readouterr().out
    assert main([*words, "--where", "factor_deadline=500"]) == 2
    assert "no row has factor_deadline = 500; there are 1200, 400" in capsys.readouterr().err
    for rule, says in (("factor_dead=400", 'Did you mean "factor_deadline"'), ("400", "COLUMN=VALUE is needed")):
        with pytest.raises(InputError, match=says):
            cells(table.select(where=(rule,)))


# Chance.


def test_chance_is_one_over_the_options_that_the_rows_show(sixteen, seed):
    assert cells(read_trials(sixteen)).guess == 1 / 16
    four = choices(SIXTEEN[:4], np.random.default_rng(seed))
    assert cells(read_trials(four)).guess == 1 / 4


def test_chance_is_one_over_the_options_that_the_description_names(tmp_path, seed):
    rows = choices(SIXTEEN[:4], np.random.default_rng(seed))  # a set with four of the sixteen categories
    write_table(tmp_path / "trials.csv", rows)
    write_description(tmp_path / "trials.csv", preset("sixteen-way"))
    trials = read_trials(tmp_path / "trials.csv")
    assert trials.options == SIXTEEN
    assert cells(trials).guess == 1 / 16
    assert (
        cells(trials.guessing(0.25))
        .notes[-1]
        .startswith("WARNING: guess rate 0.25, as stated, although every answer is one of 16")
    )
    (tmp_path / "trials-columns.json").write_text("{}")
    with pytest.raises(InputError, match=r"trials-columns\.json: not the description of a trials table"):
        read_trials(tmp_path / "trials.csv")


def test_free_words_have_no_chance():
    rows = [
        record(n, right="couch", response=word, correct=word in ("couch", "sofa"))
        for n, word in enumerate(("couch", "sofa", "tree"))
    ]
    trials = read_trials(rows)  # a synonym is right though it is another word
    assert cells(trials).guess is None
    with pytest.raises(InputError, match="chance: the guess rate is unknown"):
        cells(trials).known_guess("chance")


def test_accuracy_of_many_options_is_counted_and_tested_against_their_chance(sixteen):
    trials = read_trials(sixteen)
    table = cells(trials)
    frame = trials.frame
    assert (
        table.accuracy[0, 1] == frame[(frame["participant_id"] == "p0") & (frame["level_index"] == 1)]["correct"].mean()
    )
    found = analysis.chance(trials, n_resamples=200, seed=1)
    assert {one.guess for one in found.tests} == {1 / 16}
    assert all(p < 0.001 for one in found.tests for p in one.p_exact)
    assert columns_of(trials, "participant_mean")[0].parts.shape[0] == 6


# Statistics of two answers.


@pytest.mark.parametrize("statistic", ["dprime", "criterion"])
def test_statistics_of_two_answers_refuse_other_tables_by_name(sixteen, statistic):
    with pytest.raises(InputError) as error:
        columns_of(read_trials(sixteen), statistic)
    assert (
        f"{statistic}: needs two answers, one for targets and one for all others; trials has 16 options (airplane, "
        in str(error.value)
    )
    assert "Choose participant_mean" in str(error.value)


def test_a_rule_about_bias_refuses_tables_of_many_options(sixteen):
    with pytest.raises(InputError, match="max_response_bias: needs two answers"):
        exclude(read_trials(sixteen), Rules(max_response_bias=0.9))


@pytest.mark.parametrize("names", [("yes", "no"), ("no", "yes")])
def test_two_answers_may_have_any_names(trials, names):
    renamed = trials.frame.copy()
    for column in ("response", "correct_response"):
        renamed[column] = renamed[column].map({"target": names[0], "distractor": names[1], "none": "none"})
    other = read_trials(renamed)
    for statistic in ("dprime", "criterion"):
        mine, theirs = columns_of(other, statistic)[0], columns_of(trials, statistic)[0]
        assert (mine.parts == theirs.parts).all()
    assert cells(other).guess == 0.5


def test_go_and_no_go_is_a_task_of_two_answers():
    rng = np.random.default_rng(4)
    rows = []
    for person in range(4):
        for trial in range(40):
            right = ("go", "no-go")[trial % 2]
            response = right if rng.random() < 0.9 else {"go": "no-go", "no-go": "go"}[right]
            went = response == "go"
            late = not went and trial == 39  # a release after the limit counts as no-go, and has its time
            rows.append(
                record(trial, right=right, response=response, person=person, level=trial // 20,
                       input="space" if went or late else None, response_ms=401.0 if went else 1021.0 if late else None)
            )  # fmt: skip
    trials = read_trials(rows)
    assert cells(trials).guess == 0.5
    assert np.isfinite(columns_of(trials, "dprime")[0].difference(cells(trials).of("a"))).all()


# Rows that contradict themselves.


@pytest.mark.parametrize(
    ("right", "response", "correct"),
    [("bear", "bear", False), ("bear", "cat", True), ("bear", "none", True), ("bear", "cat", None)],
)
def test_correct_must_agree_with_the_options(sixteen, right, response, correct):
    rows = list(sixteen)
    rows[1] = record(1, right=right, response=response, correct=correct, status="none" if response == "none" else "ok",
                     response_ms=None if response == "none" else 300.0)  # fmt: skip
    with pytest.raises(InputError, match="`correct` contradicts `response` and `correct_response`, row 3"):
        read_trials(rows)


# Evidence of networks.


def test_evidence_counts_for_the_right_answer_whichever_option_comes_first(trials):
    networks = network_rows(trials)
    turned = networks.assign(decision_value=-networks["decision_value"])  # the distractor is the first option
    one, other = (
        evidence_correlation(
            trials, read_trials(frame).select(observers="model"), "net", "clickme", seed=1, n_bootstrap=20
        )
        for frame in (networks, turned)
    )
    assert one.rho == pytest.approx(other.rho)
    assert one.n == other.n > 100
