"""Any table in: columns, answers, units, levels and design are found; the user confirms them once."""

import json
import random
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapidvision.analysis import read_trials, write_trials
from rapidvision.analysis.foreign.mapping_file import mapping_path, write_mapping
from rapidvision.analysis.foreign.reading import read_foreign
from rapidvision.analysis.importers.axes.bins import scale_of
from rapidvision.analysis.table.accuracy import cells
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.foreign_programs import PROGRAMS
from tests.analysis.foreign_tables import FRAME, TRUTH


def accuracies(trials):
    """(group, level) → accuracy over all trials."""
    found = cells(trials)
    return {
        (group, float(level.label)): float(
            found.halves[found.of(group), place].sum() / 2 / found.n_trials[found.of(group), place].sum()
        )
        for group in sorted(set(found.groups))
        for place, level in enumerate(found.levels)
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_recognised_and_its_trials_are_read_without_a_word_of_the_user(program, tmp_path):
    trials = read_trials(PROGRAMS[program](tmp_path))
    assert accuracies(trials) == pytest.approx(TRUTH)
    assert trials.frame["participant_id"].nunique() == 6
    assert len(trials) == len(FRAME)
    reading = dict(trials.reading)
    known = {"pavlovia": "psychopy", "jatos": "jspsych"}.get(program.split()[0], program.split()[0])
    assert reading["table"].endswith(f"as {known} writes it")
    assert reading["design"].startswith("2 groups of different participants")
    if program != "qualtrics":
        assert sorted(trials.frame["response_ms"].round()) == sorted(FRAME["rt_ms"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_mapping_reads_the_same_trials_again(program, tmp_path):
    path = PROGRAMS[program](tmp_path)
    table = read_foreign(path)
    write_mapping(mapping_path(path), table.mapping)
    again = read_foreign(path)
    assert again.confirmed
    assert again.found.records == table.found.records
    assert read_trials(path).notes[0] == "read by mapping.toml beside the data, which a user confirmed"


FORMATS = {
    "csv": lambda f, p: f.to_csv(p, index=False),
    "semicolons": lambda f, p: f.to_csv(p, index=False, sep=";", decimal=","),
    "tabs": lambda f, p: f.to_csv(p, index=False, sep="\t"),
    "utf-16": lambda f, p: f.to_csv(p, index=False, sep="\t", encoding="utf-16"),
    "gzip": lambda f, p: f.to_csv(p, index=False, compression="gzip"),
    "json": lambda f, p: f.to_json(p, orient="records"),
    "lines": lambda f, p: f.to_json(p, orient="records", lines=True),
    "trials": lambda f, p: p.write_text(json.dumps({"trials": json.loads(f.to_json(orient="records"))})),
    "parquet": lambda f, p: f.to_parquet(p.with_suffix(".parquet")),
    "frame": None,
    "dicts": None,
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), form=st.sampled_from(sorted(FORMATS)), numbered=st.booleans())
def test_a_table_reads_to_the_same_trials_in_any_format_and_order(seed, form, numbered, tmp_path_factory):
    draw = np.random.default_rng(seed)
    plain = FRAME.assign(trial=list(range(24)) * 6) if numbered else FRAME
    mixed = plain.iloc[draw.permutation(len(plain))][[plain.columns[at] for at in draw.permutation(len(plain.columns))]]
    if FORMATS[form] is None:
        source = mixed if form == "frame" else mixed.to_dict("records")
    else:
        source = tmp_path_factory.mktemp("any") / "mine.txt"
        FORMATS[form](mixed, source)
        source = source if form != "parquet" else source.with_suffix(".parquet")
    expected, got = read_trials(plain).frame, read_trials(source).frame[read_trials(plain).frame.columns]
    if not numbered:  # nothing in the file tells the order of the trials
        by = ["participant_id", "image_id"]
        expected, got = (one.drop(columns="trial").sort_values(by, ignore_index=True) for one in (expected, got))
    pd.testing.assert_frame_equal(expected, got)


def least(tmp_path, **columns):
    """A small table of its own: subj, cond, level, acc, rt, or other columns instead."""
    draw = random.Random(3)
    rows = []
    for at in range(240):
        right = draw.random() < 0.75
        rows.append(
            {"subj": f"P{at // 24}", "cond": "ab"[at // 24 % 2], "level": (10, 25, 40)[at % 3], "acc": int(right)}
        )
    frame = pd.DataFrame(rows).assign(**columns)
    frame.to_csv(tmp_path / "least.csv", index=False)
    return tmp_path / "least.csv"


def test_a_verb_prints_its_reading_and_asks_for_a_confirmation(tmp_path, capsys):
    path = least(tmp_path)
    command = ["analyse", "bins", str(path), "--seed", "1", "--n-resamples", "20"]
    assert main(command) == 2
    said = capsys.readouterr().err
    for words in ("10 (column subj)", "2 groups of different participants (column cond)", "--yes", "mapping.toml"):
        assert words in said
    assert not (tmp_path / "mapping.toml").exists()
    assert main([*command, "--yes"]) == 0
    first = capsys.readouterr().out
    assert "3 (column level): 10, 25, 40" in first
    assert (tmp_path / "mapping.toml").is_file()
    assert main(command) == 0  # the mapping confirms it
    assert "which a user confirmed" in capsys.readouterr().out


def test_a_terminal_is_asked(tmp_path, capsys, monkeypatch):
    path = least(tmp_path)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    command = ["analyse", "bins", str(path), "--seed", "1", "--n-resamples", "20"]
    assert main(command) == 2
    assert "not confirmed" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(command) == 0
    assert (tmp_path / "mapping.toml").is_file()


def test_the_suites_own_table_needs_no_confirmation(tmp_path):
    write_trials(tmp_path / "own.csv", read_trials(least(tmp_path)))
    assert main(["analyse", "bins", str(tmp_path / "own.csv"), "--seed", "1", "--n-resamples", "20"]) == 0
    assert not (tmp_path / "mapping.toml").exists()


def test_a_mapping_holds_for_the_header_that_was_confirmed(tmp_path):
    path = least(tmp_path)
    write_mapping(mapping_path(path), read_foreign(path).mapping)
    pd.read_csv(path)[["acc", "level", "cond", "subj"]].to_csv(tmp_path / "order.csv", index=False)
    pd.read_csv(path).rename(columns={"acc": "accuracy"}).to_csv(tmp_path / "other.csv", index=False)
    assert read_foreign(tmp_path / "order.csv").confirmed
    other = read_foreign(tmp_path / "other.csv")
    assert not other.confirmed
    write_mapping(mapping_path(path), other.mapping)
    assert read_foreign(path).confirmed
    assert read_foreign(tmp_path / "other.csv").confirmed
    text = (tmp_path / "mapping.toml").read_text()
    for old, new, says in (
        ("version = 1", "version = 9", "version is 9, 1 is needed"),
        ('program = "csv"', 'program = "cvs"', 'program is "cvs"; allowed'),
        ("[table.columns]", "[table.column]", "table 1 needs header_sha256"),
        ('"subj"', '"subject"', 'no column "subject" for participant'),
        ("version = 1", "version = ", "not TOML"),
    ):
        (tmp_path / "mapping.toml").write_text(text.replace(old, new))
        with pytest.raises(InputError, match=says):
            read_trials(path)


@pytest.mark.parametrize(
    ("levels", "name", "unit", "scale", "labels"),
    [
        ([-12, -6, 0], "noise_dB", "dB", "linear", ["-12", "-6", "0"]),
        ([17, 33, 133], "soa_ms", "ms", "log", ["17", "33", "133"]),
        ([2.5, 10, 40], "percent", "percent", "log", ["2.5", "10", "40"]),
        ([0, 10, 40], "percent", "%", "linear", ["0", "10", "40"]),
        ([0.03, 0.1, 0.3], "contrast", "contrast", "log", ["0.03", "0.1", "0.3"]),
        ([-5, 0, 5], "orientation", "degrees", "linear", ["-5", "0", "5"]),
        ([10, 20, 30], "phase noise (deg)", "degrees", "linear", ["10", "20", "30"]),
        (["10 dB", "20 dB", "40 dB"], "level", "dB", "log", ["10", "20", "40"]),
        ([3, 10, 30], "contrast_pct", "percent contrast", "log", ["3", "10", "30"]),
    ],
)
def test_levels_in_any_unit_keep_their_numbers_unit_and_axis(levels, name, unit, scale, labels, tmp_path):
    path = least(tmp_path)
    frame = pd.read_csv(path)
    frame["level"] = [levels[(10, 25, 40).index(one)] for one in frame["level"]]
    renamed = name if "noise (" not in name else "level"
    frame.rename(columns={"level": renamed}).to_csv(path, index=False)
    trials = read_trials(path, **({} if renamed == name else {"level_unit": unit}))
    assert [level.label for level in cells(trials).levels] == labels
    assert set(trials.frame["level_unit"]) == {unit}
    assert set(trials.frame["level_scale"]) == {scale}
    assert trials.frame["reveal_fraction"].notna().all() == (unit == "percent")
    numbers = [float(str(one).split()[0]) for one in levels]
    assert sorted(set(trials.frame["level_value"])) == sorted(numbers)
    assert f"unit {unit}, {scale} axis" in dict(trials.reading)["levels"]


def test_continuous_levels_are_put_into_bins_that_are_named(tmp_path):
    draw = random.Random(8)
    values = [round(10 ** draw.uniform(0, 2), 4) for _ in range(240)]
    path = least(tmp_path, level=values)
    with pytest.raises(InputError, match="distinct levels.*n_level_bins"):
        read_trials(path)
    trials = read_trials(path, level_edges=[1, 10, 31.6, 100])
    labels = [level.label for level in cells(trials).levels]
    assert labels == ["1 to 10", "10 to 31.6", "31.6 to 100"]
    for label, low, high in (("1 to 10", 1, 10), ("10 to 31.6", 10, 31.6), ("31.6 to 100", 31.6, 100.01)):
        inside = [value for value in values if low <= value < high]
        rows = trials.frame[trials.frame["level_label"] == label]
        assert len(rows) == len(inside)
        assert len(set(rows["level_value"])) == 1
        mean = sum(inside) / len(inside) if scale_of(values) == "linear" else 10 ** np.mean(np.log10(inside))
        assert rows["level_value"].iloc[0] == pytest.approx(mean)
    equal = read_trials(path, n_level_bins=4)
    assert sorted(equal.frame["level_label"].value_counts()) == pytest.approx([60] * 4, abs=3)
    with pytest.raises(InputError, match=r"row \d+: level is .*outside the bins from 1 to 50"):
        read_trials(path, level_edges=[1, 50])
    with pytest.raises(InputError, match="ascending"):
        read_trials(path, level_edges=[5, 1])


def test_names_of_files_carry_columns(tmp_path):
    for (who, group), rows in FRAME.groupby(["subject", "condition"]):
        rows.drop(columns=["subject", "condition"]).to_csv(tmp_path / f"{who}_{group}.csv", index=False)
    trials = read_trials(tmp_path, name_pattern="{participant}_{condition}.csv")
    assert accuracies(trials) == pytest.approx(TRUTH)
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    notes = "\n".join(read_trials(tmp_path, name_pattern="{participant}_{condition}.csv").notes)
    assert "WARNING: left out 1 of 7 files" in notes
    assert "odd.csv: the name does not fit the pattern" in notes
    with pytest.raises(InputError, match="parts in braces are needed"):
        read_trials(tmp_path, name_pattern="participant.csv")


def test_names_of_folders_carry_columns_too(tmp_path):
    for (who, group), rows in FRAME.groupby(["subject", "condition"]):
        (tmp_path / group).mkdir(exist_ok=True)
        rows.drop(columns=["subject", "condition"]).to_csv(tmp_path / group / f"{who}.csv", index=False)
    assert accuracies(read_trials(tmp_path, name_pattern="{cond}/{participant}.csv")) == pytest.approx(TRUTH)


def test_one_bad_file_of_many_is_named_and_the_others_are_read(tmp_path):
    for who, rows in FRAME.groupby("subject"):
        rows.to_csv(tmp_path / f"{who}.csv", index=False)
    whole = (tmp_path / "P03.csv").read_text()
    (tmp_path / "P03.csv").write_text(whole[: whole.rindex("pic") + 3])
    trials = read_trials(tmp_path)
    assert set(trials.frame["participant_id"]) == set(FRAME["subject"]) - {"P03"}
    (said,) = [note for note in trials.notes if "WARNING: left out 1 of 6 files" in note]
    assert "P03.csv: row 25 has" in said


@pytest.mark.parametrize("n", [1, 2, 3])
def test_designs_of_one_two_and_three_groups_and_of_conditions_within_are_read(n, tmp_path):
    between = least(tmp_path, cond=["abc"[at // 24 % n] for at in range(240)])
    trials = read_trials(between)
    assert set(trials.frame["group"]) == set("abc"[:n])
    within = least(
        tmp_path, cond=["abc"[at % n] for at in range(240)], age=[["old", "young"][at // 24 % 2] for at in range(240)]
    )
    trials = read_trials(within)
    if n > 1:
        assert set(trials.frame["group"]) == {"csv"}
        assert (
            trials.frame["map_source"].tolist() == trials.frame["cond"].tolist() == ["abc"[at % n] for at in range(240)]
        )
        assert f"{n} conditions within participants (column cond)" in dict(trials.reading)["design"]
    assert set(trials.frame["age"]) == {"old", "young"}
    write_trials(tmp_path / "again.csv", trials)
    assert read_trials(tmp_path / "again.csv").frame["cond" if n > 1 else "age"].tolist() == (
        trials.frame["cond" if n > 1 else "age"].tolist()
    )


def test_answers_of_more_than_two_options_keep_their_words(tmp_path):
    draw = random.Random(9)
    words = ["cat", "dog", "bird", "car"]
    rows = []
    for at in range(200):
        truth = draw.choice(words)
        said = truth if draw.random() < 0.6 else draw.choice(words)
        rows.append({"subj": f"P{at // 50}", "cond": "ab"[at // 50 % 2], "category": truth, "choice": said})
    pd.DataFrame(rows).to_csv(tmp_path / "four.csv", index=False)
    trials = read_trials(tmp_path / "four.csv")
    assert trials.frame["response"].tolist() == [row["choice"] for row in rows]
    assert trials.frame["correct_response"].tolist() == [row["category"] for row in rows]
    assert trials.frame["correct"].tolist() == [row["choice"] == row["category"] for row in rows]
    assert cells(trials).guess == 0.25
    assert dict(trials.reading)["chance level"] == "0.25 (4 options)"
    rows[7]["choice"] = "horse"
    pd.DataFrame(rows).to_csv(tmp_path / "five.csv", index=False)
    with pytest.raises(InputError, match=r"correct"):
        read_trials(tmp_path / "five.csv")
    with pytest.raises(InputError, match=r'choice: got "horse" in 1 row \(.*five.csv: row 9\)'):
        read_trials(tmp_path / "five.csv", columns={"truth": "category"})
    named = read_trials(tmp_path / "five.csv", columns={"truth": "category"}, options=[*words, "horse"])
    assert cells(named).guess == 0.2


@pytest.mark.parametrize(
    ("keys", "truths", "correct", "targets"),
    [
        (("s", "l"), (1, 0), True, "s"),
        (("s", "l"), (1, 0), False, "s"),
        (("l", "s"), ("yes", "no"), False, "l"),
        (("0", "1"), (1, 0), True, "0"),
        (("ja", "nein"), ("animal", "other"), False, "ja"),
        (("old", "new"), (1, 0), True, "old"),
    ],
)
def test_the_meaning_of_two_answers_is_found(keys, truths, correct, targets, tmp_path):
    draw = random.Random(4)
    rows = []
    for at in range(400):
        target, right = at % 2 == 0, draw.random() < 0.8
        row = {"subj": f"P{at // 40}", "cond": "ab"[at // 40 % 2], "target": truths[0 if target else 1]}
        row |= {"response": keys[0 if target is right else 1], "expected": target is right}
        rows.append(row | ({"acc": int(right)} if correct else {}))
    frame = pd.DataFrame(rows)
    frame.drop(columns="expected").to_csv(tmp_path / "two.csv", index=False)
    trials = read_trials(tmp_path / "two.csv")
    assert (trials.frame["response"] == "target").tolist() == frame["expected"].tolist()
    assert f"{targets} = target" in dict(trials.reading)["answers"]
    flat = frame.assign(response=[draw.choice(["q", "p"]) for _ in rows]).drop(
        columns=["expected", *(["acc"] if correct else [])]
    )
    flat.to_csv(tmp_path / "flat.csv", index=False)
    with pytest.raises(InputError, match="response: 2 different answers, of which the table does not show the meaning"):
        read_trials(tmp_path / "flat.csv")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([], "got rows of nothing"),
        ([1, 2], "got rows of int"),
        (pd.DataFrame({"a": [1]}), "no column for participant"),
        (pd.DataFrame(), "nothing to import"),
        (pd.DataFrame([[1, 2]], columns=["subj", "subj"]), 'two columns are named "subj"'),
    ],
)
def test_what_is_no_table_is_refused_with_words(source, says):
    with pytest.raises(InputError, match=says):
        read_trials(source)


def test_columns_that_tell_who_somebody_is_are_not_kept(tmp_path):
    path = least(
        tmp_path, ip=["1.2.3.4", "5.6.7.8"] * 120, email=["a@b.de", "c@d.de"] * 120, hand=["left", "right"] * 120
    )
    trials = read_trials(path)
    assert "hand" in trials.frame
    assert not {"ip", "email"} & set(trials.frame)
    assert "columns that were not used: ip, email" in "\n".join(trials.notes)
