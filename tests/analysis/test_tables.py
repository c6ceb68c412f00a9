"""The table is checked, and every rule names its rows."""

import numpy as np
import pandas as pd
import pytest

from rapidvision.analysis.level_comparison import level_tests
from rapidvision.analysis.table import files as table_files
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.exclusions import Rules, exclude
from rapidvision.analysis.table.trials import Trials, check, read_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.trials import COLUMNS
from tests.analysis.conftest import as_csv


def changed(trials, rows, **values):
    frame = trials.frame.copy()
    for name, value in values.items():
        frame[name] = frame[name].astype(object)
        frame.loc[rows, name] = value
    return Trials(frame, name="table")


def test_what_was_written_is_what_is_read(trials, table_file):
    read = read_trials(table_file)
    assert len(read) == len(trials)
    assert (read.frame["correct"] == trials.frame["correct"]).all()
    assert read.frame["response_ms"].to_numpy() == pytest.approx(trials.frame["response_ms"].to_numpy())
    assert len(read.sha256) == 64


def test_parquet_is_read_like_csv(trials, tmp_path):
    pytest.importorskip("pyarrow")
    frame = trials.frame.assign(correct=trials.frame["correct"].astype(bool))
    frame.to_parquet(tmp_path / "t.parquet")
    assert cells(read_trials(tmp_path / "t.parquet")).halves.tolist() == cells(trials).halves.tolist()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"correct": None}, "contradicts"),
        ({"response_ms": 0.0}, "must be > 0"),
        ({"response_ms": np.nan}, "without response_ms"),
        ({"group": "salicon-2"}, "in 2 groups"),
        ({"reveal_fraction": 40.0}, "divide per cent by 100"),
        ({"level_label": "41"}, "more than one level_label"),
        ({"status": "none"}, "with a response"),
        ({"response": "none", "correct": None}, "response_ms without a response"),
    ],
)
def test_each_contradiction_is_refused_with_its_row(trials, values, says):
    row = int(np.flatnonzero(trials.frame["level_label"] != "full")[0])
    with pytest.raises(InputError, match=says) as refusal:
        check(changed(trials, [row], **values))
    assert str(row + 2) in str(refusal.value)


def test_a_level_given_as_shares_is_refused_with_the_remedy(trials):
    frame = trials.frame.copy()
    frame["level_label"] = [label if label == "full" else f"{float(label) / 100:.4f}" for label in frame["level_label"]]
    with pytest.raises(InputError, match=r"per cent \(40\), not shares \(0.4\)"):
        check(Trials(frame))


def test_repeated_rows_are_refused_or_deduplicated(trials, tmp_path):
    double = pd.concat([trials.frame, trials.frame.iloc[[5]]])
    path = as_csv(double, tmp_path / "double.csv")
    with pytest.raises(InputError, match="dedupe first"):
        read_trials(path)
    kept = read_trials(path, dedupe="first")
    assert len(kept) == len(trials)
    assert "excluded 1 rows" in kept.notes[0]


def test_different_rows_with_one_key_are_refused_for_good(trials, tmp_path):
    other = trials.frame.iloc[[5]].assign(image_id="another")
    path = as_csv(pd.concat([trials.frame, other]), tmp_path / "double.csv")
    with pytest.raises(InputError, match="they differ"):
        read_trials(path, dedupe="first")


def test_a_image_met_twice_is_kept_only_by_choice(trials, tmp_path):
    frame = trials.frame.copy()
    frame.loc[1, "image_id"] = frame.loc[0, "image_id"]
    path = as_csv(frame, tmp_path / "again.csv")
    with pytest.raises(InputError, match="same image twice"):
        read_trials(path)
    assert len(read_trials(path, repeats="first")) == len(trials) - 1
    assert "as asked" in read_trials(path, repeats="keep").notes[-1]


def test_a_file_that_was_cut_off_is_refused(table_file):
    text = table_file.read_text()
    table_file.write_text(text[: text.rindex(",") - 60])
    with pytest.raises(InputError, match=r"cut off|is empty"):
        read_trials(table_file)


def test_a_wrong_cell_is_named_with_its_row(trials, tmp_path):
    frame = trials.frame.copy()
    frame["phase"] = frame["phase"].astype(object)
    frame.loc[7, "phase"] = "mian"
    with pytest.raises(InputError, match=r'row 9: phase is "mian"'):
        read_trials(as_csv(frame, tmp_path / "bad.csv"))


def test_a_table_without_trials_is_refused(table_file):
    table_file.write_text(table_file.read_text().splitlines()[0] + "\n")
    with pytest.raises(InputError, match="only a header"):
        read_trials(table_file)


def test_late_rules_count_late_answers_as_they_say(trials):
    by_rule = {rule: cells(trials, late=rule) for rule in ("exclude", "wrong", "half")}
    late = int(by_rule["exclude"].n_untimely.sum())
    assert late > 0
    assert by_rule["wrong"].n_trials.sum() - by_rule["exclude"].n_trials.sum() == late
    assert by_rule["half"].halves.sum() - by_rule["wrong"].halves.sum() == late
    with pytest.raises(InputError, match="Did you mean"):
        cells(trials, late="exclud")


def test_more_than_two_groups_must_be_named(trials):
    table = cells(trials)
    with pytest.raises(InputError, match="Did you mean"):
        table.pair(("clickme", "salicn"))
    with pytest.raises(InputError, match="named twice"):
        table.pair(("clickme", "clickme"))
    half = trials.frame["participant_id"].isin(sorted(set(trials.frame["participant_id"]))[:5])
    three = Trials(trials.frame.assign(group=np.where(half, "control", trials.frame["group"])))
    with pytest.raises(InputError, match="name the two to compare"):
        cells(three).pair()


def test_exclusions_are_counted_and_named(trials):
    who = trials.frame["participant_id"].iloc[0]
    frame = trials.frame.copy()
    frame.loc[frame["participant_id"] == who, "status"] = "late"
    kept = exclude(Trials(frame), Rules(max_late_share=0.5, min_full_accuracy=0.0))
    assert kept.excluded[1].who == (who,)
    assert sum(kept.before.values()) - sum(kept.after.values()) == 1
    assert "excluded 1 because late, early or missing answers above 0.5" in kept.sentence()


def test_a_rule_that_excludes_everyone_is_named(trials):
    with pytest.raises(InputError, match=r"accuracy with intact images below 1.*leaves no participant"):
        noisy = trials.frame.assign(correct=False, response=np.where(trials.frame["target"], "distractor", "target"))
        exclude(Trials(noisy), Rules(min_full_accuracy=1.0))
    with pytest.raises(InputError, match="allowed is a share"):
        Rules(max_response_bias=0.2)


def test_exclusions_that_empty_a_group_are_refused_because_they_change_the_design(trials):
    one = trials.frame["group"] == "salicon"
    frame = trials.frame.assign(status=np.where(one, "late", trials.frame["status"]))
    with pytest.raises(InputError, match=r"no participant of group salicon .*above 0.5: \d+"):
        exclude(Trials(frame), Rules(max_late_share=0.5))


def test_only_the_first_session_of_a_returning_participant_stays(trials):
    who = trials.frame["participant_id"].iloc[0]
    again = trials.frame[trials.frame["participant_id"] == who].assign(session_id="zz", utc="2026-02-01T00:00:00Z")
    frame = pd.concat([again, trials.frame.assign(utc="2026-01-01T00:00:00Z")], ignore_index=True)
    kept = exclude(Trials(frame), Rules(first_session_only=True))
    assert kept.excluded[0].who == ("zz",)
    assert len(kept.trials) == len(trials)


def test_response_bias_finds_the_one_key_presser(trials):
    who = trials.frame["participant_id"].iloc[0]
    frame = trials.frame.copy()
    mine = frame["participant_id"] == who
    frame.loc[mine, "response"] = "target"
    frame.loc[mine, "correct"] = frame.loc[mine, "target"]
    assert exclude(Trials(frame), Rules(max_response_bias=0.95)).excluded[0].who == (who,)


@pytest.mark.parametrize(
    ("time", "says"), [(700.0, "slower than a late"), (20_000.0, "slower than a late"), (50.0, "faster than an early")]
)
def test_an_answer_beyond_one_that_was_late_or_early_is_never_silently_in_time(trials, time, says):
    main_rows = np.flatnonzero((trials.frame["status"] == "ok") & (trials.frame["phase"] == "main"))
    frame = changed(trials, main_rows[9], status="early", response_ms=90.0).frame
    assert check(Trials(frame)).notes == ()
    notes = check(changed(Trials(frame), main_rows[3], response_ms=time)).notes
    assert len(notes) == 1
    assert notes[0].startswith("1 answer has status ok, yet " + says)
    assert f"row {main_rows[3] + 2}" in notes[0]


def test_a_session_in_microseconds_is_refused(trials):
    first = trials.frame["session_id"] == trials.frame["session_id"].iloc[0]
    with pytest.raises(InputError, match=r"median response_ms above 10000; are these microseconds\? rows 2, 3"):
        check(changed(trials, first, response_ms=trials.frame.loc[first, "response_ms"] * 1000))


def german(frame, path, **how):
    """What a German spreadsheet makes of the table: semicolons, decimal commas, its own truth values."""
    text = frame.copy()
    for column in COLUMNS:
        if column.dtype == "bool":
            text[column.name] = text[column.name].map({True: "WAHR", False: "FALSCH"})
    text["level_label"] = text["level_label"].str.replace(".", ",")
    text.to_csv(path, index=False, sep=";", decimal=",", **how)
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_table_that_a_german_spreadsheet_saved_again_is_the_same_table(trials, tmp_path, encoding):
    frame = trials.frame.assign(participant_id=trials.frame["participant_id"].str.replace("p", "Jürgen"))
    read = read_trials(german(frame, tmp_path / "t.csv", encoding=encoding))
    assert read.frame["participant_id"].tolist() == frame["participant_id"].tolist()
    assert read.frame["level_label"].tolist() == frame["level_label"].tolist()
    assert read.frame["response_ms"].to_numpy() == pytest.approx(frame["response_ms"].to_numpy())
    assert read.frame["target"].tolist() == frame["target"].tolist()
    assert cells(read).halves.tolist() == cells(trials).halves.tolist()
    assert {"semicolons between cells", "numbers have decimal commas"} <= set(read.notes)


def test_a_column_that_is_there_twice_is_refused(table_file):
    lines = table_file.read_text().splitlines()
    doubled = [f"{line},{line.split(',')[5]}" for line in lines]
    table_file.write_text("\n".join(doubled) + "\n")
    with pytest.raises(InputError, match=r'row 1: two columns are named "observer_kind"'):
        read_trials(table_file)


def test_one_group_is_tested_against_guessing_and_told_where_two_are_needed(trials):
    one = trials.keep((trials.frame["group"] == "clickme").to_numpy(), "clickme alone")
    assert level_tests(one, n_resamples=20, seed=1).contrast.design == "one-sample"
    with pytest.raises(InputError, match="one group .clickme.; a comparison needs two"):
        cells(one).pair()


def test_rules_that_cannot_be_measured_are_refused_or_said(trials):
    shallow = trials.keep((trials.frame["level_label"] != "full").to_numpy(), "no intact images")
    with pytest.raises(InputError, match="min_full_accuracy needs answers to intact images"):
        exclude(shallow, Rules(min_full_accuracy=0.6))
    who = trials.frame["participant_id"].iloc[0]
    mine = ((trials.frame["participant_id"] == who) & (trials.frame["level_label"] == "full")).to_numpy()
    kept = exclude(trials.keep(~mine, "one without"), Rules(min_full_accuracy=0.0))
    assert "1 without a trial that min_full_accuracy measures stay" in kept.sentence()
    undated = pd.concat([trials.frame, trials.frame[trials.frame["participant_id"] == who].assign(session_id="zz")])
    with pytest.raises(InputError, match=f"when sessions were, and utc is empty for {who}"):
        exclude(Trials(undated.reset_index(drop=True)), Rules(first_session_only=True))


def test_what_was_done_on_the_way_in_is_printed(trials, tmp_path, capsys):
    first = np.flatnonzero(trials.frame["phase"] == "main")[:2]
    frame = changed(trials, first[1], image_id=trials.frame["image_id"].iloc[first[0]]).frame
    path = as_csv(frame, tmp_path / "twice.csv")
    assert main(["analyse", "bins", str(path), "--repeats", "first", "--n-resamples", "300", "--seed", "1"]) == 0
    assert "excluded 1 repeated presentations" in capsys.readouterr().out


def test_an_empty_level_is_named_by_its_label(trials, seed):
    frame = trials.frame
    gone = (frame["group"] == "salicon") & (frame["level_label"] == "1")
    result = level_tests(Trials(frame[~gone].reset_index(drop=True), name="gap"), n_resamples=300, seed=seed)
    place = [level.label for level in result.levels].index("1")
    assert np.isnan(result.test.p_exact[place])
    assert any(note.startswith("level 1: a group has no data") for note in result.test.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_header_of_a_long_file_is_read_from_its_start(monkeypatch, encoding):
    """Its first lines are cut off the rest between letters, whatever the encoding: the header is that of the whole."""
    monkeypatch.setattr(table_files, "_START", 101)
    for more in range(4):  # the cut falls elsewhere in a letter
        text = f"größe,{'x' * more},level\n" + "José,größer,3\n" * 40
        assert table_files.header_of(text.encode(encoding), name="a.csv") == ["größe", "x" * more, "level"]
