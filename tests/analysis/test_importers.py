"""Other programs' files, small ones made here and real ones where they are."""

import csv
import json
import sqlite3

import numpy as np
import pytest

from rapidvision.analysis.importers.bids import read_bids_events
from rapidvision.analysis.importers.common import level_label
from rapidvision.analysis.importers.formats import import_trials
from rapidvision.analysis.importers.model_vs_human import read_model_vs_human
from rapidvision.analysis.importers.tabular import Fields, read_jspsych, read_psiturk, read_psychopy
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.trials import read_trials
from rapidvision.cli import main
from rapidvision.errors import InputError


def one(image, said, rt=400.0, level="40", group="clickme", target=True):
    return {
        "image_id": image,
        "category": "cat",
        "target": target,
        "response": said,
        "rt": rt,
        "level": level,
        "group": group,
    }


def test_the_authors_level_codes_become_ours():
    assert [level_label(code) for code in ("Full", "full", 200, -10, "200.0", 63.0957)] == ["full"] * 5 + ["63.1"]
    for bad, says in ((0.4, "not shares"), (150, "from 1 to 100"), ("half", "or full")):
        with pytest.raises(InputError, match=says):
            level_label(bad)


def test_psiturk_keeps_complete_participants_and_counts_the_others(tmp_path):
    data = json.dumps(
        {"data": [{"trialdata": one("a", "target")}, {"trialdata": one("b", None)}, {"trialdata": {"x": 1}}]}
    )
    with sqlite3.connect(tmp_path / "p.db") as connection:
        connection.execute("CREATE TABLE participants (uniqueid TEXT, status INT, datastring TEXT)")
        people = [("w1", 4, data), ("w2", 7, data), ("w3", 2, data), ("w4", 6, data), ("w5", 3, None)]
        connection.executemany("INSERT INTO participants VALUES (?, ?, ?)", people)
    connection.close()
    trials = read_psiturk(tmp_path / "p.db")
    assert sorted(set(trials.frame["participant_id"])) == ["w1", "w2"]
    assert trials.frame["status"].tolist() == ["ok", "none"] * 2
    text = " ".join(trials.notes)
    assert "left out 2 of 5 participants" in text
    assert "1 complete participants without" in text
    assert "left out 2 rows without a picture" in text


def test_psiturk_says_what_is_wrong(tmp_path):
    (tmp_path / "no.db").write_text("this is no database at all, but it is long enough to look at")
    with pytest.raises(InputError, match="not a psiTurk database"):
        read_psiturk(tmp_path / "no.db")
    with pytest.raises(InputError, match="no such file"):
        read_psiturk(tmp_path / "absent.db")


def test_jspsych_json_and_csv_give_the_same_table(tmp_path):
    rows = [one("a", "target"), one("b", "distractor", 700.0), {"image_id": "", "rt": 9.0}]
    (tmp_path / "p1.json").write_text(json.dumps(rows))
    with (tmp_path / "p1.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    from_json, from_csv = read_jspsych([tmp_path / "p1.json"]), read_jspsych([tmp_path / "p1.csv"])
    for column in ("image_id", "response", "correct", "response_ms", "status", "participant_id"):
        assert from_json.frame[column].tolist() == from_csv.frame[column].tolist()
    assert from_json.frame["status"].tolist() == ["ok", "late"]


def test_psychopy_seconds_become_milliseconds(tmp_path):
    (tmp_path / "p7.csv").write_text(
        "image_id,category,target,key_resp.keys,key_resp.rt,level,group\n"
        "a,cat,True,s,0.412,full,clickme\nb,table,False,l,0.3,2.5,clickme\n,,,,,,\n"
    )
    trials = read_psychopy([tmp_path / "p7.csv"])
    assert trials.frame["response_ms"].tolist() == pytest.approx([412, 300])
    assert trials.frame["correct"].tolist() == [True, True]
    assert trials.frame["level_label"].tolist() == ["full", "2.5"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rt": "fast"}, "a number is needed"),
        ({"target": "maybe"}, "allowed are"),
        ({"level": "0.4"}, "not shares"),
    ],
)
def test_bad_values_are_named_with_their_row(tmp_path, change, says):
    (tmp_path / "p1.json").write_text(json.dumps([one("a", "target") | change]))
    with pytest.raises(InputError, match=says):
        read_jspsych([tmp_path / "p1.json"])


def test_a_missing_column_is_named_and_nothing_is_refused(tmp_path):
    (tmp_path / "p1.json").write_text(json.dumps([one("a", "target")]))
    with pytest.raises(InputError, match='no column "reveal"'):
        read_jspsych([tmp_path / "p1.json"], Fields(level="reveal"))
    (tmp_path / "p2.json").write_text("[]")
    with pytest.raises(InputError, match="nothing to import"):
        read_jspsych([tmp_path / "p2.json"])


@pytest.mark.data
def test_phase_scrambling_collapses_to_the_known_accuracies(data_folder):
    trials = read_model_vs_human((data_folder / "model_vs_human" / "phase-scrambling").glob("*.csv"))
    table = cells(trials)
    accuracy = table.halves.sum(axis=0) / 2 / table.n_trials.sum(axis=0)
    assert accuracy.round(3).tolist() == [0.980, 0.965, 0.967, 0.903, 0.810, 0.652, 0.610]
    assert [level.label for level in table.levels] == ["0", "30", "60", "90", "120", "150", "180"]


@pytest.mark.data
def test_rapid_animal_categorization_has_the_known_rates(data_folder):
    trials = read_bids_events(data_folder / "ds002680" / "trials.csv.gz", conditions=("animal",))
    pressed = trials.frame["response"] == "target"
    target = trials.frame["target"]
    assert round(float(pressed[target].mean()), 3) == 0.922
    assert round(float(pressed[~target].mean()), 3) == 0.066
    assert np.median(trials.frame["response_ms"][pressed]) == 401
    assert trials.frame["participant_id"].nunique() == 14


def test_the_import_verb_writes_a_table_that_reads_back(tmp_path, capsys):
    rows = [one("a", "target") | {"reveal": "40"}, one("b", "l", 700.0) | {"reveal": "full"}]
    (tmp_path / "p1.json").write_text(json.dumps(rows))
    out = tmp_path / "trials.csv"
    words = ["analyse", "import", "jspsych", str(tmp_path / "p1.json"), "--field", "level=reveal", "--out", str(out)]
    assert main(words) == 0
    assert "2 trials of 1 participants" in capsys.readouterr().out
    read = read_trials(out)
    assert read.frame["level_label"].tolist() == ["40", "full"]
    assert read.frame["status"].tolist() == ["ok", "late"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--field", "levl=reveal"], 'Did you mean "level"'),
        (["--field", "level"], "OURS=THEIRS"),
    ],
)
def test_the_import_verb_says_what_is_wrong(tmp_path, capsys, words, says):
    (tmp_path / "p1.json").write_text(json.dumps([one("a", "target")]))
    command = ["analyse", "import", "jspsych", str(tmp_path / "p1.json"), "--out", str(tmp_path / "t.csv")]
    assert main([*command, *words]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


def test_programs_are_named_and_databases_come_one_at_a_time():
    with pytest.raises(InputError, match='Did you mean "psychopy"'):
        import_trials("psychopi", ["a"])
    with pytest.raises(InputError, match="got 2 files; one is needed"):
        import_trials("psiturk", ["a", "b"])


@pytest.mark.data
def test_contrast_collapses_to_the_known_range(data_folder):
    table = cells(import_trials("mvh", sorted((data_folder / "model_vs_human" / "contrast").glob("*.csv"))))
    accuracy = table.halves.sum(axis=0) / 2 / table.n_trials.sum(axis=0)
    assert round(float(accuracy.min()), 3) == 0.588
    assert round(float(accuracy.max()), 3) == 0.978


def test_answers_outside_the_window_keep_their_time_and_get_a_status(tmp_path):
    rows = [one(image, "target", rt) for image, rt in (("a", 99.0), ("b", 100.0), ("c", 550.0), ("d", 551.0))]
    (tmp_path / "p1.json").write_text(json.dumps(rows))
    frame = read_jspsych([tmp_path / "p1.json"]).frame
    assert frame["status"].tolist() == ["early", "ok", "ok", "late"]
    assert frame["response_ms"].tolist() == [99, 100, 550, 551]


@pytest.mark.parametrize("program", ["jspsych", "mvh"])
def test_a_foreign_table_that_is_not_utf_8_is_refused_in_one_line(tmp_path, capsys, program):
    (tmp_path / "latin.csv").write_bytes(b"subj,condition\nJos\xe9,c100\n")
    words = [
        "analyse",
        "import",
        program,
        str(tmp_path / "latin.csv"),
        "--out",
        str(tmp_path / "trials.csv"),
        "--quiet",
    ]
    assert main(words) == 2
    assert "latin.csv: not UTF-8 text (byte 18); save it as UTF-8" in capsys.readouterr().err
