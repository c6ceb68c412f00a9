"""Other programs' tables: each form gives the known accuracies, or is refused with place and remedy."""

import json

import numpy as np
import pandas as pd
import pytest

from rapidvision.analysis.against_chance import chance
from rapidvision.analysis.curve_fits import fit_psychometric
from rapidvision.analysis.level_comparison import level_tests
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.exclusions import Rules, exclude
from rapidvision.analysis.table.imports import import_trials
from rapidvision.analysis.table.trials import read_trials, write_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.foreign_files import FILES
from tests.analysis.foreign_tables import COLUMNS, FRAME, KEYS, outcome, table
from tests.analysis.foreign_values import VALUES, accuracy_only, changing_keys


@pytest.mark.parametrize("form", [*FILES, *VALUES], ids=lambda form: form.name)
def test_each_form_gives_the_truth_or_is_refused_with_place_and_remedy(form, tmp_path):
    assert outcome(form, tmp_path) == ""


def imported(tmp_path, change=None, columns=None, **options):
    return import_trials("csv", table(change=change)(tmp_path), columns=columns or COLUMNS, **{**KEYS, **options})


def test_no_limit_applies_unless_the_user_says_so(tmp_path):
    slow = imported(tmp_path)
    assert set(slow.frame["status"]) == {"ok"}
    assert float(FRAME["rt_ms"].max()) > 1500
    late = int((FRAME["rt_ms"] > 550).sum())
    early = int((FRAME["rt_ms"] < 300).sum())
    limited = imported(tmp_path, limit_ms=550, anticipation_ms=300)
    assert (limited.frame["status"] == "late").sum() == late
    assert (limited.frame["status"] == "early").sum() == early
    text = " ".join(limited.notes)
    assert f"{late} of 144 answers came after 550 ms and are late" in text
    assert f"{early} of 144 answers came before 300 ms and are early" in text


def test_the_first_lines_of_a_result_count_what_a_limit_drops(tmp_path, capsys):
    out = tmp_path / "trials.csv"
    write_trials(out, imported(tmp_path, limit_ms=550))
    late = int((FRAME["rt_ms"] > 550).sum())
    said = f"{late} of 144 answers came after the response limit"
    for words in (
        ["bins", "--n-resamples", "50"],
        ["chance", "--n-resamples", "50"],
        ["fig2b", "--n-resamples", "50", "--out", str(tmp_path / "f")],
    ):
        assert main(["analyse", words[0], str(out), *words[1:], "--seed", "1"]) == 0
        assert said in capsys.readouterr().out
    assert said in str(level_tests(out, n_resamples=50, seed=1)).splitlines()[0]


def test_a_limit_that_leaves_nothing_is_refused_with_the_count(tmp_path):
    with pytest.raises(InputError, match="more than 0 is needed"):
        imported(tmp_path, limit_ms=0)
    trials = imported(tmp_path, limit_ms=1)
    found = cells(trials)
    assert not found.n_trials.any()
    assert "144 of 144 answers came after the response limit" in found.notes[0]


def test_a_deadline_of_two_seconds_leaves_the_groups_equal(tmp_path):
    frame = FRAME.assign(right=[n % 4 != 0 for n in range(len(FRAME))])
    frame["rt_ms"] = np.where((frame["condition"] == "parts") == frame["right"], 400, 1500)
    frame["pressed"] = np.where((frame["is_animal"] == 1) == frame["right"], "s", "l")
    frame.to_csv(tmp_path / "d.csv", index=False)
    found = cells(import_trials("csv", [tmp_path / "d.csv"], columns=COLUMNS, **KEYS))
    shares = [
        found.halves[found.of(group)].sum() / 2 / found.n_trials[found.of(group)].sum()
        for group in ("parts", "saliency")
    ]
    assert shares == [0.75, 0.75]


def test_accuracy_alone_names_no_guess_rate_no_image_and_no_slot(tmp_path):
    trials = import_trials("csv", table(change=accuracy_only)(tmp_path))
    frame = trials.frame
    for column in ("target", "response", "image_id", "category", "stimulus_sha256", "slot", "revealed_px"):
        assert frame[column].isna().all()
    write_trials(tmp_path / "t.csv", trials)
    again = read_trials(tmp_path / "t.csv")
    assert cells(again).halves.tolist() == cells(trials).halves.tolist()
    for work in (chance, fit_psychometric):
        with pytest.raises(InputError, match="guess rate"):
            work(again, n_resamples=20, seed=1)
    assert len(chance(again, n_resamples=20, seed=1, guess=0.5).tests) == 2
    with pytest.raises(InputError, match="dprime: t.csv holds only whether"):
        level_tests(again, statistic="dprime", n_resamples=20, seed=1)
    with pytest.raises(InputError, match="max_response_bias: t.csv holds only whether"):
        exclude(again, Rules(max_response_bias=0.9))


def test_by_slot_is_refused_where_the_table_has_no_plans(tmp_path):
    with pytest.raises(InputError, match=r"by_slot: .* 6 of its participants followed"):
        level_tests(imported(tmp_path), by_slot=True, n_resamples=20, seed=1)
    slotted = imported(
        tmp_path, lambda f: f.assign(plan=[int(who[1:]) // 2 for who in f["subject"]]), COLUMNS | {"slot": "plan"}
    )
    assert set(slotted.frame["slot"]) == {0, 1, 2}
    assert level_tests(slotted, by_slot=True, n_resamples=20, seed=1).test.n_resamples == 20


def test_levels_in_per_cent_get_a_place_on_the_reveal_axis_and_others_do_not(tmp_path):
    plain = imported(tmp_path)
    assert plain.frame["reveal_fraction"].isna().all()
    assert [level.label for level in cells(plain).levels] == ["2.5", "10", "40"]
    assert fit_psychometric(plain, n_resamples=20, seed=1).to_frame()["unit"].tolist() == ["", ""]
    said = imported(tmp_path, level_unit="percent")
    assert sorted(set(said.frame["reveal_fraction"])) == [0.025, 0.1, 0.4]


def test_a_full_label_is_the_intact_image_and_comes_last(tmp_path):
    trials = imported(
        tmp_path, lambda f: f.assign(level=f["level"].map({2.5: "Full", 10: "10", 40: "200"})), level_unit="percent"
    )
    assert trials.frame["level_label"].drop_duplicates().tolist() == ["full", "10"]
    assert cells(trials).levels[-1].full


def test_levels_in_words_keep_their_words_and_a_named_word_is_the_intact_image(tmp_path):
    words = FRAME["level"].map({2.5: "low", 10: "mid", 40: "top"}).where(FRAME.index > 2, "Low")
    worded = imported(tmp_path, lambda f: f.assign(level=words))
    assert [level.label for level in cells(worded).levels] == ["low", "mid", "top"]
    assert 'level: "Low" is read as "low" (3 rows)' in worded.notes
    intact = imported(tmp_path, lambda f: f.assign(level=f["level"].map({2.5: "2.5", 10: "10", 40: "NA"})), full=["NA"])
    assert [level.label for level in cells(intact).levels] == ["2.5", "10", "full"]


def test_exchanged_keys_are_said(tmp_path):
    columns = COLUMNS | {"correct": ""}
    assert not any("WARNING" in note for note in imported(tmp_path, columns=columns).notes)
    swapped = [note for note in imported(tmp_path, changing_keys, columns).notes if "WARNING" in note]
    assert "2 of 6 participants are right less often than by guessing (P01 0.12, P02 0.17)" in swapped[0]
    assert "target_key" in swapped[0]


def test_rows_are_selected_by_value_and_by_pattern(tmp_path):
    trials = imported(tmp_path, where=["picture~pic0", "subject=p00", "subject=P01"])
    kept = FRAME[FRAME["picture"].str.startswith("pic0") & FRAME["subject"].isin(["P00", "P01"])]
    assert len(trials) == len(kept)
    assert f"left out {144 - len(kept)} rows that do not fit" in " ".join(trials.notes)
    for where, says in (
        ("picture=none", "no row fits"),
        ("pictur=a", 'Did you mean "picture"'),
        ("picture", "COLUMN=VALUE"),
    ):
        with pytest.raises(InputError, match=says):
            imported(tmp_path, where=[where])


def test_a_part_of_a_cell_is_taken_by_a_pattern(tmp_path):
    named = table(
        change=lambda f: f.assign(picture=[f"{v}_{p}" for v, p in zip(f["level"], f["picture"], strict=True)])
    )
    columns = COLUMNS | {"level": "picture~([^_]*)_.*", "image": "picture~[^_]*_(.*)"}
    trials = import_trials("csv", named(tmp_path), columns=columns, **KEYS)
    assert trials.frame["image_id"][0] == "pic00.png"
    assert [level.label for level in cells(trials).levels] == ["2.5", "10", "40"]
    with pytest.raises(InputError, match="no regular expression"):
        imported(tmp_path, columns=COLUMNS | {"level": "picture~("})
    with pytest.raises(InputError, match="does not fit"):
        imported(tmp_path, columns=COLUMNS | {"level": "picture~level-(.*)"})


def test_practice_is_named_and_an_unknown_phase_is_refused(tmp_path):
    phased = lambda f: f.assign(part=["Training" if n % 24 < 2 else "test" for n in range(len(f))])  # noqa: E731
    trials = imported(tmp_path, phased, COLUMNS | {"phase": "part"})
    assert (trials.frame["phase"] == "practice").sum() == 12
    assert set(trials.frame.loc[trials.frame["phase"] == "practice", "block"]) == {-1}
    with pytest.raises(InputError, match="no row is practice.*Training, test"):
        imported(tmp_path, phased, COLUMNS | {"phase": "part"}, practice=["first"])


def test_what_is_read_as_practice_as_main_and_as_the_intact_image_is_said(tmp_path):
    def change(frame):
        phase = ["training" if n < 8 else "instructed" if n < 16 else "test" for n in range(len(frame))]
        return frame.assign(stage=phase, level=frame["level"].replace(40.0, 200))

    trials = imported(tmp_path, change, COLUMNS | {"phase": "stage"}, level_unit="percent", **KEYS)
    notes = "\n".join(trials.notes)
    assert 'stage: "training" (8 rows) is the practice phase' in notes
    assert 'stage: "instructed" (8 rows), "test" (128 rows) is the main phase' in notes
    assert "level: 200 is read as the intact image (48 rows)" in notes
    assert set(trials.frame["level_label"]) == {"2.5", "10", "full"}


def test_observers_that_are_read_as_networks_are_said(tmp_path):
    from dataclasses import replace

    from rapidvision.analysis.importers.engine import imported_from
    from rapidvision.analysis.importers.source.files import read_sources
    from rapidvision.analysis.importers.source.presets import LAYOUTS

    FRAME.to_csv(tmp_path / "m.csv", index=False)
    layout = replace(LAYOUTS["csv"], people="P0[0-3]", targets=("s",), distractors=("l",))
    found = imported_from(read_sources([tmp_path / "m.csv"], layout), layout, COLUMNS)
    trials = read_trials(found.records)
    assert "2 of 6 observers are networks (P04, P05): their names do not fit P0[0-3]" in found.notes
    assert set(trials.frame.loc[trials.frame["participant_id"] == "P05", "observer_kind"]) == {"model"}


def test_observers_are_of_the_kind_that_the_user_says(tmp_path):
    trials = imported(tmp_path, observers="pilot")
    assert set(trials.frame["observer_kind"]) == {"pilot"}
    assert "observers: pilot" in cells(trials).notes


def test_programs_options_and_fields_are_named_when_they_are_wrong(tmp_path):
    paths = table()(tmp_path)
    for call, says in (
        (lambda: import_trials("psychopi", paths), 'Did you mean "psychopy"'),
        (lambda: import_trials("csv", paths, target=["s"]), 'no option "target". Did you mean "targets"'),
        (lambda: import_trials("csv", paths, several="frist"), 'Did you mean "first"'),
        (lambda: import_trials("csv", paths, columns={"levl": "level"}), 'Did you mean "level"'),
        (lambda: import_trials("csv", []), "no files"),
        (lambda: import_trials("csv", [tmp_path / "absent.csv"]), "no such file"),
    ):
        with pytest.raises(InputError, match=says):
            call()


def test_psiturk_says_what_is_wrong(tmp_path):
    (tmp_path / "no.db").write_text("this is no database at all, but it is long enough to look at")
    with pytest.raises(InputError, match="not a psiTurk database"):
        import_trials("psiturk", tmp_path / "no.db")
    with pytest.raises(InputError, match="no such file"):
        import_trials("psiturk", tmp_path / "absent.db")


def test_rows_that_are_no_trials_are_counted(tmp_path):
    rows = json.loads(FRAME.to_json(orient="records"))
    (tmp_path / "m.json").write_text(
        json.dumps([{"trial_type": "instructions", "pressed": "s"}, *rows, {"trial_type": "end"}])
    )
    trials = import_trials("jspsych", tmp_path / "m.json", columns=COLUMNS, **KEYS)
    assert len(trials) == 144
    assert "left out 2 rows without image (picture is empty), 1 of them with an answer" in trials.notes


def test_sessions_of_a_participant_in_several_files_are_apart(tmp_path):
    FRAME[:70].to_csv(tmp_path / "a.csv", index=False)
    FRAME[70:].to_csv(tmp_path / "b.csv", index=False)
    trials = import_trials("csv", [tmp_path / "a.csv", tmp_path / "b.csv"], columns=COLUMNS, **KEYS)
    assert set(trials.frame.loc[trials.frame["participant_id"] == "P02", "session_id"]) == {"P02", "P02-2"}
    assert len(trials) == 144


def test_the_verb_writes_a_table_that_reads_back(tmp_path, capsys):
    (path,) = table()(tmp_path)
    out = tmp_path / "trials.csv"
    fields = [word for ours, theirs in COLUMNS.items() for word in ("--field", f"{ours}={theirs}")]
    command = [
        "analyse",
        "import",
        "csv",
        str(path),
        *fields,
        "--targets",
        "s",
        "--distractors",
        "l",
        "--out",
        str(out),
    ]
    assert main([*command, "--limit-ms", "1200"]) == 0
    told = capsys.readouterr().out
    assert "144 trials of 6 participants" in told
    assert "answers came after 1200 ms and are late" in told
    assert (read_trials(out).frame["status"] == "late").sum() == (FRAME["rt_ms"] > 1200).sum()
    assert main([*command[:4], "--out", str(tmp_path / "no.csv"), "--field", "level"]) == 2
    assert "OURS=THEIRS" in capsys.readouterr().err
    assert not (tmp_path / "no.csv").exists()


def test_the_message_on_repeats_names_an_option_that_exists(tmp_path, capsys):
    (path,) = table(change=lambda f: f.assign(picture="one.png"))(tmp_path)
    fields = [word for ours, theirs in COLUMNS.items() for word in ("--field", f"{ours}={theirs}")]
    command = ["analyse", "import", "csv", str(path), *fields, "--targets", "s", "--distractors", "l"]
    assert main([*command, "--out", str(tmp_path / "t.csv")]) == 2
    assert "repeats keep" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "t.csv"), "--repeats", "keep"]) == 0
    for verb in (["bins", "--n-resamples", "20"], ["chance", "--n-resamples", "20"]):
        assert main(["analyse", verb[0], str(tmp_path / "t.csv"), *verb[1:], "--seed", "1"]) == 2
        assert "--repeats keep" in capsys.readouterr().err
        assert main(["analyse", verb[0], str(tmp_path / "t.csv"), *verb[1:], "--seed", "1", "--repeats", "keep"]) == 0


@pytest.mark.data
def test_phase_scrambling_collapses_to_the_known_accuracies(data_folder):
    trials = import_trials("mvh", list((data_folder / "model_vs_human" / "phase-scrambling").glob("*.csv")))
    table = cells(trials)
    accuracy = table.halves.sum(axis=0) / 2 / table.n_trials.sum(axis=0)
    assert accuracy.round(3).tolist() == [0.980, 0.965, 0.967, 0.903, 0.810, 0.652, 0.610]
    assert [level.label for level in table.levels] == ["0", "30", "60", "90", "120", "150", "180"]
    assert not any("window" in note for note in trials.notes)


@pytest.mark.data
def test_contrast_collapses_to_the_known_range(data_folder):
    table = cells(import_trials("mvh", sorted((data_folder / "model_vs_human" / "contrast").glob("*.csv"))))
    accuracy = table.halves.sum(axis=0) / 2 / table.n_trials.sum(axis=0)
    assert round(float(accuracy.min()), 3) == 0.588
    assert round(float(accuracy.max()), 3) == 0.978


@pytest.mark.data
def test_rapid_animal_categorization_has_the_known_rates(data_folder):
    trials = import_trials(
        "bids", data_folder / "ds002680" / "trials.csv.gz", where=["condition~^animal_"], repeats="keep"
    )
    pressed = trials.frame["response"] == "target"
    target = trials.frame["target"]
    assert round(float(pressed[target].mean()), 3) == 0.922
    assert round(float(pressed[~target].mean()), 3) == 0.066
    assert np.median(trials.frame["response_ms"][pressed]) == 401
    assert trials.frame["participant_id"].nunique() == 14
    assert "5 rows with an answer but no time above 0: left out" in trials.notes
    shown = cells(trials)
    assert shown.n_trials.sum() == len(trials)  # to withhold a press is an answer
    assert round(float(shown.halves.sum() / 2 / shown.n_trials.sum()), 4) == 0.9282


@pytest.mark.data
@pytest.mark.parametrize("name", ["contrast", "phase-scrambling"])
def test_sixteen_answers_are_read_from_a_folder_as_the_files_hold_them(data_folder, name):
    folder = data_folder / "model_vs_human" / name
    raw = pd.concat([pd.read_csv(path, keep_default_na=False) for path in sorted(folder.glob("*.csv"))])
    trials = read_trials(folder)
    assert dict(trials.reading)["chance level"] == "0.0625 (16 options)"
    assert len(trials) == len(raw)
    answered = raw[raw["object_response"] != "na"]
    assert int((trials.frame["status"] == "none").sum()) == len(raw) - len(answered)
    right = (answered["object_response"] == answered["category"]).groupby(
        answered["condition"].astype(str).str.replace("^c0*", "", regex=True)
    )
    shares = right.mean().to_dict()
    found = cells(trials)
    got = (found.halves.sum(axis=0) / 2 / found.n_trials.sum(axis=0)).tolist()
    assert {level.label: share for level, share in zip(found.levels, got, strict=True)} == pytest.approx(shares)
    printed = {"contrast": [0.063, 0.150, 0.354, 0.596, 0.737, 0.798, 0.832, 0.862]}
    assert name not in printed or [round(share, 3) for share in got] == printed[name]


@pytest.mark.parametrize(
    ("conditions", "labels"),
    [(["cr", "bw"], ["bw", "cr"]), (["0.4", "1", "inf"], ["0.4", "1", "inf"]), (["0", "pow"], ["0", "pow"])],
)
def test_conditions_of_model_vs_human_keep_their_words(conditions, labels, tmp_path):
    """Sets whose conditions are words, or words among numbers: colour, high-pass, power-equalisation."""
    rows = [
        f"subject-01,1,{at},0.7,cat,dog,{conditions[at % len(conditions)]},{at:04d}_co_s01_x_dog_10_n{at}_1.png"
        for at in range(12)
    ]
    head = "subj,session,trial,rt,object_response,category,condition,imagename"
    (tmp_path / "set_subject-01_session_1.csv").write_text("\n".join([head, *rows]) + "\n")
    trials = read_trials(tmp_path)
    assert [level.label for level in cells(trials).levels] == labels
    assert set(trials.frame["response"]) == {"cat"}
